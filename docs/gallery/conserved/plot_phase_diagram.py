"""
Which initial weights fail: one unit
====================================

``quadflow figure phase-diagram``

A network is trained from every point of a grid of initial weights (a₀, p₀). The shaded region is the
prediction of failure, a₀ < 0 and p₀² ≤ 2a₀². See that networks fail inside it and succeed outside; a circle
marks a network that did not do as predicted, which happens on the boundary alone, where a single step
decides.
"""

import numpy as np

from empirical.experiments.phase_diagram import single_mode_diagram
from figures.phase_diagram import phase_diagram

n = 21
diagram = single_mode_diagram(
    np.linspace(-1.5, 1.5, n), np.linspace(1.5 / n, 1.5, n), step=1e-2
)
figure = phase_diagram(diagram)
