"""
Why networks differ from the flow: sampling noise
=================================================

``quadflow figure gap-noise``

Fifty inputs, four fresh samples per step, noisy labels. The mean of SGD has a drift of its own, exact at
finite dimension. See that the flow goes to zero where the networks do not, and that the mean dynamics of SGD
ends where they do.
"""

from dynamics import Problem, Student, Teacher
from empirical import compare
from figures.gap import gap_figure

start = Problem(
    Teacher.from_eigenvalues([2, 1], inputs=50),
    Student.initialise(
        hidden=2, inputs=50, scale=0.5, init="aligned", second_layer="fixed"
    ),
)
comparison = compare(
    start, steps=1500, step=1e-3, batch=4, label_noise=0.5, seeds=32, records=60
)
figure = gap_figure(comparison.gap)
