"""
Handwritten digits: exact theory, Gaussian theory, trained networks
===================================================================

``quadflow figure gaussianity``

Inputs are the 1797 handwritten digits of scikit-learn, by their first eight principal components, whitened; a teacher
labels them. For quadratic networks the theory is exact on any inputs, since all it needs is their fourth moment. See
that trained networks (markers) lie on the exact curve (black), while the theory of Gaussian inputs with the same
covariance (dashed) is off by a third of the initial loss, and by a fifth where its clock is corrected by the factor γ
that fits the fourth moment best (dash-dotted).
"""

from dynamics import Problem, Student, Teacher
from empirical.datasets import load
from empirical.experiments.gaussianity import gaussianity_curves
from figures.gaussianity import gaussianity_figure

digits = load("digits", components=8, whiten=True, taught=True)
teacher = Teacher.from_eigenvalues([4, 2, 1], inputs=8)
start = Problem(
    teacher, Student.initialise(hidden=4, inputs=8, scale=0.3, seed=1), data=digits
)

curves = gaussianity_curves(start, 2.0, step=2.5e-4, batch=512, seeds=8, seed=1)
figure = gaussianity_figure(curves.comparison, curves.run)

# %%

print(curves.summary())
