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

from dynamics import GradientFlow, Problem, Student, Teacher
from empirical import train
from figures.activations import activations_figure

teacher = Teacher.from_eigenvalues([4, 2, 1], inputs=6)
student = Student.initialise(hidden=8, inputs=6, scale=0.01, seed=6)
results = []
for activation, t_end in {"quadratic": 12, "relu": 15, "abs": 6}.items():
    start = Problem(teacher, student, activation)
    trajectory = GradientFlow(start).integrate(t_end, samples=1000)
    run = train(start, steps=round(t_end / 4e-3), step=4e-3, batch=256, seeds=4, seed=6)
    results.append((trajectory, run))
figure = activations_figure(results)
