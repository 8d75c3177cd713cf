"""
Which initial weights fail: one unit
====================================

``quadflow figure phase-diagram``

A network is trained from every point of a grid of initial weights (a₀, p₀). The shaded region is the
prediction of failure, a₀ < 0 and p₀² ≤ 2a₀². See that networks fail inside it and succeed outside; a circle
marks a network that did not do as predicted, which happens on the boundary alone, where a single step
decides.
"""

from empirical.experiments.phase_diagram import grid_of_starts, single_mode_diagram
from figures.phase_diagram import phase_diagram_figure

a0, p0 = grid_of_starts(points=31, extent=1.5)
figure = phase_diagram_figure(single_mode_diagram(a0, p0, eigenvalue=1.0, step=5e-3))
