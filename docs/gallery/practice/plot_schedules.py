"""
Learning-rate schedules, each at its best rate
==============================================

``quadflow figure schedules``

One unit near its fit, thirty inputs, noisy labels, one fresh sample per step. Above the learning rates: four
schedules at the rate that is best for each, and the optimal annealing η = r/(2d(6r + Δ)) along the risk r that
it leaves. Below that risk, by the exact map of a step (lines) and for trained networks. See that the optimal
rate starts at half of the one at which SGD diverges and falls like 1/(4n), so that the risk falls like
dΔ/(2n), which no estimator of the thirty weights can beat; and that a rate that ends at zero is not the point:
a cosine leaves more than a constant rate in so short a run.
"""

from dynamics import Problem, Student, Teacher
from empirical.experiments.schedules import schedule_curves
from figures.schedules import schedules_figure

start = Problem(
    Teacher.from_eigenvalues([1], inputs=30),
    Student.initialise(hidden=1, inputs=30, second_layer="fixed"),
)
curves = schedule_curves(start, steps=4000, label_noise=0.5)
figure = schedules_figure(curves)
