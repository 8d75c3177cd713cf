"""Plateaus and jumps from small initial weights, predicted without integrating the flow.

- `frozen_unit`, `eigenframe`: one unit while the others rest, solved exactly
- `staircase`: event after event, trainable second layer
- `collective_growth`: fixed second layer, where all units move together
"""
