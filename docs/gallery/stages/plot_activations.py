"""
Quadratic, ReLU and absolute value
==================================

``quadflow figure activations``

Networks with other activations have closed population flows too, through the kernels of Gaussian inputs; the
teacher is a network of the same kind, 4φ(x₁) + 2φ(x₂) + φ(x₃). All three start from the same small weights.
See that the networks (markers) follow the theory (lines), and that all learn the strongest mode first; at
this scale quadratic units rest on three plateaus (grey), ReLU units on two, absolute values on one, because
their waiting times grow as log(1/ε) only.
"""

from dynamics import Problem, Student, Teacher
from empirical.experiments.activations import activation_curves
from figures.activations import activations_figure

teacher = Teacher.from_eigenvalues([4, 2, 1], inputs=6)
student = Student.initialise(hidden=8, inputs=6, scale=0.01, seed=6)
starts = [Problem(teacher, student, name) for name in ("quadratic", "relu", "abs")]
curves = activation_curves(starts, [12, 15, 6], step=1e-3, batch=512, seeds=8, seed=6)
figure = activations_figure(curves)

# %%

for curve in curves:
    print(curve.summary())
