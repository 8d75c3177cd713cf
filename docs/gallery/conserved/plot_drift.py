"""
Drift of the conserved quantities against the step
==================================================

``quadflow figure drift``

Gradient descent with step η changes c by exactly η²(‖∂L/∂w‖² − 2(∂L/∂a)²) in each step, hence by an amount
proportional to η over a fixed time. See that measured drifts (markers) lie on the predicted lines, of slope
1, over two decades of η. Only the smallest of them leaves its line: its first order is small by chance, a
thousandth of the largest, so that the next one, −29 η of it, takes 30 % away at the largest step. A straight
line through its five markers would have the slope 0.93; the slopes of the legend are those for small steps,
with the next order fitted too.
"""

import numpy as np

from dynamics import Problem, Student, Teacher
from empirical.conserved import drift_scaling
from figures.conserved import drift_against_step

teacher = Teacher.from_eigenvalues([2, 1], inputs=3)
start = Problem(teacher, Student.initialise(hidden=3, inputs=3, scale=0.5, seed=2))
figure = drift_against_step(drift_scaling(start, np.geomspace(1e-4, 1e-2, 5), time=2.0))
