"""What a user writes first: it runs, and type-checks strictly, where the wheel alone is installed."""

from __future__ import annotations

import quadflow as qf

teacher = qf.Teacher.from_eigenvalues([2, 1], inputs=3)
student = qf.Student.initialise(hidden=3, inputs=3, scale=0.1, seed=0)
trajectory = qf.GradientFlow(teacher, student).integrate(t_end=2.0)
last: float = trajectory.loss[-1]
run = qf.train(qf.Problem(teacher, student), steps=20, step=1e-3, seeds=2)
qf.save_figure(qf.learning_curves(trajectory, run), "curves.png")
print(qf.__version__, last, run.loss.shape, student([1.0, 0.0, 0.0]))
