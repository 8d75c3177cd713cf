"""
Conserved quantities, and how training moves them
=================================================

``quadflow figure conserved``

The flow keeps c = ‖w‖² − 2a² of every unit for ever. Training in steps, on few samples with noisy labels,
moves it: slowly, and by a rate that theory knows. Every unit has a panel, numbered from 1, with a scale of its
own. See that the mean over the networks (markers) drifts along
the predicted line, for the unit that does the learning (in the middle) and for the two that still sleep beside
it, which drift some hundred and some thousand times less: their gradients are small.
"""

from dynamics import Problem, Student, Teacher
from empirical.conserved import conserved_curves
from figures.conserved import conserved_along_training

teacher = Teacher.from_eigenvalues([2, 1], inputs=3)
start = Problem(teacher, Student.initialise(hidden=3, inputs=3, scale=0.5, seed=2))
curves = conserved_curves(
    start, steps=3000, step=2e-3, batch=32, label_noise=0.1, seeds=32, seed=2
)
figure = conserved_along_training(curves)
