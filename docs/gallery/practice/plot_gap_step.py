"""
Why networks differ from the flow: the step
===========================================

``quadflow figure gap-step``

Theory is corrected for one cause after the other; below, the distance of each curve from the measured mean,
against the error bar (grey): two standard errors of that mean, and the O(η²) that theory leaves out. Here the
step is large and the batch too. See that the flow misses the networks by far more than the error bar, and
that the modified flow, which knows the step to second order, removes that difference.
"""

from dynamics import Problem, Student, Teacher
from empirical import compare
from figures.gap import gap_figure

start = Problem(
    Teacher.from_eigenvalues([2, 1], inputs=4),
    Student.initialise(hidden=3, inputs=4, scale=0.3, seed=1),
)
comparison = compare(
    start, steps=300, step=1e-2, batch=8192, seeds=8, seed=1, records=150, dtype="float64"
)
figure = gap_figure(comparison.gap)
