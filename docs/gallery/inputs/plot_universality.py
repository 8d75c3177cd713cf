"""
Where Gaussian inputs are as good as any
========================================

``quadflow figure universality``

Inputs have independent coordinates with an excess kurtosis of 3, far from Gaussian. The error of the Gaussian theory
against their number d: for teachers in random directions it falls as 1/d, on the dotted line that the mean over all
rotations predicts; for a teacher along the axes it stays at two fifths of the initial loss, at any d. See that
"high-dimensional inputs are as good as Gaussian" is true of dense teachers, and false of sparse ones. Error bars are
standard errors over six teachers and starts.
"""

from dynamics.gaussian_theory.universality import universality
from figures.universality import universality_figure

found = universality(
    [4, 2, 1],
    [6, 12, 24, 48, 96],
    distribution="independent:3",
    hidden=6,
    scale=1.0,
    t_end=6.0,
    draws=6,
    seed=0,
)
figure = universality_figure(found)
