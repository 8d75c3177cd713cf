"""
Drift of the conserved quantities against the step
==================================================

``quadflow figure drift``

Gradient descent with step η changes c by exactly η²(‖∂L/∂w‖² − 2(∂L/∂a)²) in each step, hence by an amount
proportional to η over a fixed time. See that measured drifts (markers) lie on the predicted lines, of slope
1, over two decades of η; only the smallest of them leaves its line at the largest step, where higher powers
of η come in.
"""

import numpy as np

from dynamics import Problem, Student, Teacher
from empirical.conserved import drift_scaling
from figures.conserved import drift_against_step

teacher = Teacher.from_eigenvalues([2, 1], inputs=3)
start = Problem(teacher, Student.initialise(hidden=3, inputs=3, scale=0.5, seed=2))
figure = drift_against_step(drift_scaling(start, np.geomspace(1e-4, 1e-2, 5), time=2.0))
