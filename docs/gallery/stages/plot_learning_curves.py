"""
Learning curves on the curves of the theory
===========================================

``quadflow figure learning-curves``

Eight networks are trained from the same small weights, each on data of its own; the symbolic theory is
integrated from these weights. See how the loss rests on plateaus and falls between them, and that the
plateaus lie on the dotted levels, which the catalogue of stationary points gives without any integration.
Below, one teacher mode is learned at each drop, and *overshoots*: with the other modes missing, mode 1 stays
at 5 instead of 4, then at 4.25. Grey are the stretches that the detector of plateaus recognised on the curve.
"""

from dynamics import Problem, Student, Teacher
from empirical import compare
from figures import animate, learning_curves

teacher = Teacher.from_eigenvalues([4, 2, 1], inputs=6)
student = Student.initialise(hidden=8, inputs=6, scale=0.05, seed=3)
comparison = compare(
    Problem(teacher, student), steps=14_000, step=5e-4, batch=512, seeds=8, seed=3
)
figure = learning_curves(comparison)

# %%
# As it happens; on the command line ``--output curves.gif``, or ``.mp4`` where ffmpeg is installed:

animation = animate("learning-curves", comparison, frames_per_second=15)

# %%
# How far theory and networks are apart, and why: see :doc:`/auto_gallery/practice/plot_gap_step`.

print(comparison.summary())
