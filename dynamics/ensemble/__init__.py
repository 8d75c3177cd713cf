"""Many trajectories integrated together, each with its own error control.

- `flow_ensemble`: the public class; `members`: its batched weights; `trajectory`: its result
- `taylor_engine`, `scipy_engine`: the engines; `taylor`: the polynomial right-hand side behind the first
"""
