"""
Train and test loss on finite data
==================================

``quadflow figure train-test``

Sixty samples with noisy labels, ten inputs. Theory is the flow on exactly these data sets. See that the
networks (markers) follow it on both curves, and that the train loss falls below half the label noise, which
is all that could be explained: from there on the networks learn the noise, and the test loss stays far above.
Shaded is the range over the data sets.
"""

from dynamics import Problem, Student, Teacher
from empirical.experiments.generalisation import train_and_test
from figures.generalisation import generalisation_figure

start = Problem(
    Teacher.from_eigenvalues([2, 1], inputs=10),
    Student.initialise(hidden=6, inputs=10, scale=0.3, seed=1),
)
curves = train_and_test(
    start, samples=60, steps=6000, step=1e-3, label_noise=0.2, seeds=6, seed=1
)
figure = generalisation_figure(curves)
