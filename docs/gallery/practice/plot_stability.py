"""
Sharpness, and the largest stable step
======================================

``quadflow figure stability``

The sharpness, the largest eigenvalue of the Hessian, along the flow (black), and networks trained with steps
below and beyond η_max, the step that the sharpest point of the flow still allows. See that the network with
0.9 η_max follows the flow; the one with 1.1 η_max leaves it where the sharpness exceeds its own 2/η
(dotted), jumps to and fro between a sharper and a flatter place with every step, and learns nevertheless; the
one with 2 η_max is thrown back again and again and learns nothing.
"""

from dynamics import Problem, Student, Teacher
from empirical.experiments.edge_of_stability import edge_of_stability
from figures.stability import stability_figure

start = Problem(
    Teacher.from_eigenvalues([2, 1], inputs=4),
    Student.initialise(hidden=4, inputs=4, scale=0.3, seed=1),
)
edge = edge_of_stability(start, samples=400, t_end=6.0, factors=[0.9, 1.1, 2], seed=1)
figure = stability_figure(edge)
