"""
Units that are alike until they specialise
==========================================

``quadflow figure symmetric-plateau``

Three erf units with equal second-layer weights learn three others. Above, the loss: the dashed line is the saddle that
a blind search finds, at which all units are alike and see the sum of the teacher's directions alone (the symmetric
plateau of Saad and Solla; its loss is known in closed form, 0.0202966 here). Below, the cosines of units and teacher
directions. See that flow and trained networks wait on the line, all nine overlaps at 1/√3, until the units part: each
turns to a teacher unit of its own.
"""

from dynamics import Problem, Student, Teacher
from empirical.experiments.symmetric_plateau import symmetric_plateau
from figures.symmetric_plateau import symmetric_plateau_figure

teacher = Teacher.from_eigenvalues([1, 1, 1], inputs=6)
student = Student.initialise(hidden=3, inputs=6, scale=0.03, seed=1, second_layer="fixed")
start = Problem(teacher, student, "erf")

curves = symmetric_plateau(
    start, starts=10, step=0.1, batch=1024, t_end=220, seeds=8, seed=1
)
figure = symmetric_plateau_figure(curves)
