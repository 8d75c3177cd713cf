r"""
Deeper networks wait longer
===========================

``quadflow figure depth``

From initial weights of size ε a chain of quadratic layers waits a time proportional to
:math:`\varepsilon^{-1}`, :math:`\varepsilon^{-5}`, :math:`\varepsilon^{-13}` for one, two and three layers, and
one of N linear layers :math:`\varepsilon^{-(N-2)}`. See that networks (circles), and descent on the population loss
where samples are too noisy to train on (squares), lie on the closed forms (lines), with no constant fitted.
"""

from empirical.experiments.depth import depth_curves
from figures.depth import depth_figure

curves = depth_curves([1, 2, 3], [2, 3, 4], steps=600, batch=512, seeds=4)
figure = depth_figure(curves)
