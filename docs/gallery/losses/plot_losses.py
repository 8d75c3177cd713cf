"""
One teacher under four losses
=============================

``quadflow figure losses``

The same small start, the same inputs and the same teacher under the square loss, log-cosh, Huber's loss and the
logistic loss of two classes. Every strictly convex loss has its plateaus where the square loss has them: one for
each set of modes that are learned, at a height of its own, which one equation for one number gives (dotted). See that
the flow rests on them, that six networks trained under each loss lie on the flow, and that robust losses, whose slope
is bounded, take their time. The logistic loss ends above zero: labels are drawn, and nobody can foresee the coin.
"""

from dynamics import Problem, Student, Teacher
from empirical.experiments.losses import loss_curves
from figures.losses import losses_figure

teacher = Teacher.from_eigenvalues([4, 2, 1], inputs=3)
student = Student.initialise(hidden=6, inputs=3, scale=0.03, seed=0)
names = ["square", "log-cosh", "huber:1", "logistic"]
comparisons = loss_curves(Problem(teacher, student), names, bias=2.0, batch=256, seeds=6)
figure = losses_figure(comparisons)

# %%
# Plateaus as the detector of stages finds them on each curve, beside the levels that are predicted:

for name, comparison in zip(names, comparisons, strict=True):
    for stage in comparison.trajectory.stages:
        level = "" if stage.level is None else f", predicted {stage.level.loss:.5g}"
        print(
            f"{name}: {stage.loss:.5g} with {len(stage.learned_modes)} modes learned{level}"
        )
