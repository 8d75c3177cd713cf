"""Quadratic neurons in PyTorch.

- `layer`: the layer, ReLinear start and rates, conversion of ordinary layers
- `training`: ensembles on Gaussian data; `collapse`: how many of them diverge
"""
