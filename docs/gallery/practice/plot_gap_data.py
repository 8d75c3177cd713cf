"""
Why networks differ from the flow: finite data
==============================================

``quadflow figure gap-data``

All 200 samples in every step, and a small step. The population is replaced by the samples: theory integrates
the flow on exactly these data sets. See that step and noise explain nothing here, and the data almost
everything.
"""

from dynamics import Problem, Student, Teacher
from empirical import compare
from figures.gap import gap_figure

start = Problem(
    Teacher.from_eigenvalues([2, 1], inputs=4),
    Student.initialise(hidden=3, inputs=4, scale=0.3, seed=1),
)
comparison = compare(
    start,
    steps=1500,
    step=2e-3,
    batch=0,
    samples=200,
    seeds=8,
    seed=1,
    records=150,
    dtype="float64",
)
figure = gap_figure(comparison.gap)
