"""Stationary points of any loss that is a quadratic form in M, as critical subspaces: see `reduced_loss`."""
