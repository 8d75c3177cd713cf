"""
Labels that are learned for ever
================================

``quadflow figure growth``

Labels that a network can get right for all inputs have no finite minimiser of the logistic loss: the weights grow for
ever. See that loss and norm settle on powers of time with constants that nothing was fitted to, and that these powers
are others where the second layer is fixed.
"""

from empirical.experiments.growth import growth
from figures.growth import growth_figure

curves = growth([2, -1, 0.5], step=0.05, batch=512, seeds=4)
figure = growth_figure(curves)
