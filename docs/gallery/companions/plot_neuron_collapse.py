"""
Where quadratic neurons collapse
================================

``quadflow figure neuron-collapse``

The percentage of training runs that diverge, over learning rate and relative rate γ of the quadratic weights.
See that slow quadratic weights help, and a start as ordinary neurons (ReLinear, below) helps more: at η = 0.4
half or more of the random starts diverge at every γ, of the ReLinear starts with γ ≤ 0.1 hardly any.
"""

from empirical import collapse_study
from figures.neuron import collapse_map

figure = collapse_map(collapse_study(inputs=6, hidden=6, starts=100, steps=200, batch=32))
