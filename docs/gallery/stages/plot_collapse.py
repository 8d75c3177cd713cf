"""
Collapse: too small for weight decay
====================================

``quadflow figure collapse``

Small units decay as well as they grow, and whether they escape is a matter of one number: a unit that would have
blown up at T₀ without decay does so if T₀ < 1/ρ, and else it is lost. T₀ is inversely proportional to the initial
scale, so that nothing is learned below ε* = ρT₁ (line). The second mode has to wait on the plateau of the first,
and needs more (dashed). See that trained networks (markers) change from nothing to one mode and to two where the
lines are: without decay every one of them would learn both.
"""

import numpy as np

from dynamics import Problem, Student, Teacher
from empirical.experiments.collapse import collapse_diagram
from figures.collapse import collapse_figure

teacher = Teacher.from_eigenvalues([2, 1])
start = Problem(
    teacher, Student.initialise(hidden=3, inputs=2, scale=1.0, seed=1), weight_decay=1.0
)

diagram = collapse_diagram(start, np.geomspace(0.05, 0.5, 8), points=10, seed=1)
figure = collapse_figure(diagram)

# %%

print(diagram.summary())
