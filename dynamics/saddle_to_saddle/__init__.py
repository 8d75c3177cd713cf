"""Plateaus and jumps from small initial weights, predicted without integrating the flow.

- `growing_unit`, `decaying_unit`, `eigenframe`: one unit while the others rest, with and without weight decay
- `dormant_units`: who grows next on a plateau of the flow
- `staircase`: all jumps and plateaus
- `unit_by_unit`: event after event, trainable second layer
- `jump_errors`: how far to trust the times
- `shared_mode`: units that blow up together
- `collective_growth`: fixed second layer, where all units move together
"""
