"""Many trajectories integrated together, each with its own error control.

- `flow_ensemble`: the public class; `members`: its batched weights; `trajectory`: its result
- `taylor_engine`, `bulk_engine`, `scipy_engine`: the engines, the fastest first
"""
