"""
The staircase, predicted without integration
============================================

``quadflow figure staircase``

From small weights, each unit waits alone near zero until one of them blows up; when that happens is a closed
integral of its initial weights. Going from event to event predicts every jump time and every plateau (dashed)
without following the flow. See that the integrated flow (line) and trained networks (markers) jump where the
steps do, to a few per cent at this scale of 0.01 and ever closer for smaller weights, and that the plateaus
become longer: each missing mode is weaker, and grows more slowly, than the one before.
"""

from dynamics import Problem, Student, Teacher
from empirical.experiments.staircase import staircase_curves
from figures.staircase import staircase_figure

teacher = Teacher.from_eigenvalues([4, 2, 1])
start = Problem(teacher, Student.initialise(hidden=6, inputs=3, scale=0.01, seed=1))

curves = staircase_curves(start, step=2e-3, batch=512, seeds=6, seed=1)
figure = staircase_figure(curves)

# %%

print(curves.prediction)
