"""
Gradient descent that does not see the scale of the weights
===========================================================

``quadflow figure invariance``

Two copies of one network, one with its units rescaled: the same function, other weights. Trained with G-SGD,
gradient descent on the values of paths, they stay together to rounding; plain SGD takes them apart at once.
See the gap of fifteen decades between the two pairs of curves, and below that only with SGD the copies have
different losses.
"""

from empirical.experiments.invariance import invariance
from figures.invariance import invariance_figure as draw

figure = draw(invariance(inputs=6, hidden=8, outputs=2, steps=300))
