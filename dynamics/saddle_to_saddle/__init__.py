"""Plateaus and jumps from small initial weights, predicted without integrating the flow.

- `frozen_unit`, `eigenframe`: one unit while the others rest, solved exactly
- `staircase`: all jumps and plateaus
- `unit_by_unit`: event after event, trainable second layer
- `shared_mode`: units that blow up together
- `collective_growth`: fixed second layer, where all units move together
"""
