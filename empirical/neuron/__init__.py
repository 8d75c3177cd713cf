"""Quadratic neurons in PyTorch.

- `units`: what quadratic layers share; `layer`, `convolution`: the layers
- `relinear`: starts, rates and shrinking of ReLinear, conversion of ordinary networks
- `kinds`, `architectures`, `models`: descriptions of networks for data, quadratic and ordinary
- `exact_network`: modules as the piecewise polynomials of `dynamics.neuron.pieces`
- `training`: ensembles on Gaussian data; `collapse`: how many of them diverge
"""
