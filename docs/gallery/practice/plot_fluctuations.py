"""
The spread of SGD over seeds
============================

``quadflow figure fluctuations``

Beside the mean of SGD, theory gives its fluctuations: the band in which 80 % of the networks should lie (thin
dashes). See that the band of the trained networks (shaded) fills it, in its growth during the drop as in its
final width.
"""

from dynamics import Problem, Student, Teacher
from empirical import compare
from figures import learning_curves

start = Problem(
    Teacher.from_eigenvalues([2, 1], inputs=50),
    Student.initialise(
        hidden=2, inputs=50, scale=0.5, init="aligned", second_layer="fixed"
    ),
)
comparison = compare(
    start,
    steps=1500,
    step=1e-3,
    batch=4,
    label_noise=0.5,
    seeds=32,
    records=60,
    theory="sgd",
    gap="training",
)
figure = learning_curves(comparison)
