"""Quadratic neurons in PyTorch.

- `units`: what quadratic layers share; `layer`, `convolution`: the layers
- `relinear`: starts, rates and shrinking of ReLinear, conversion of ordinary networks
- `training`: ensembles on Gaussian data; `collapse`: how many of them diverge
"""
