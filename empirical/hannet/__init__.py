"""Householder-absolute networks.

- `layers`: Han layer and HanNet; `check`: singular values, ‖u‖ and gradients through many layers
- `checkerboard`: the benchmark problem, against a dense network
"""
