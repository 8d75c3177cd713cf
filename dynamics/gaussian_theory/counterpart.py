"""The Gaussian problem that stands for one of other inputs.

Its inputs are x ~ N(0, Σ) with the second moment of the real ones. A teacher stays what it is. Of labels that come with
the inputs it takes over what a quadratic network can see of them, B_o = E y_o xxᵀ, and their size (derived here):

    L_G = Σ_o [½⟨M_o, C_G[M_o]⟩ − ⟨B_o, M_o⟩ + ½E y_o²],

the loss of the teacher M*_o = C_G^{−1}[B_o] up to a constant. The real loss has the same B_o: both flows start alike
from small weights, and differ by ½Σ_o⟨M_o, (C − C_G)[M_o]⟩ at the same weights. The constant may be negative, as no
labels need exist that have this B_o with Gaussian inputs.

A clock γ replaces C_G by γC_G: with a teacher, the flow runs γ times as fast and its loss is γ times as large.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dynamics.aliases import Array
from dynamics.flows.gradient import GradientFlow
from dynamics.inputs.gaussianity import whitening
from dynamics.inputs.laws import GAUSSIAN
from dynamics.integration import Method
from dynamics.problem import Problem, Teacher
from dynamics.problem.weight_decay import WeightDecay


@dataclass(frozen=True, eq=False)
class Counterpart:
    """A Gaussian problem, and how its loss becomes that of the counterpart.

    Parameters
    ----------
    problem : Problem
        Its inputs are Gaussian.
    clock : float
        γ.
    constant : float
        What is added to γ times its loss; 0 where there is a teacher.
    """

    problem: Problem
    clock: float
    constant: float

    def loss(self, W: Array, A: Array) -> float:
        """Loss at weights W (K, d), A (O, K)."""
        return self.clock * self.problem.population.loss(W, A) + self.constant

    def curve(
        self,
        times: Array,
        *,
        method: str | Method = "auto",
        rtol: float | None = None,
        atol: float | None = None,
        max_evaluations: int | None = None,
    ) -> Array:
        """Its loss at the times (T,); arguments as for `dynamics.flows.base.Flow.integrate`."""
        flow = GradientFlow(self.problem)
        trajectory = flow.integrate(
            times=self.clock * times, method=method, rtol=rtol, atol=atol, max_evaluations=max_evaluations
        )
        return self.clock * trajectory.loss + self.constant


def gaussian_counterpart(problem: Problem, clock: float = 1.0) -> Counterpart:
    """Put Gaussian inputs of the same second moment in the place of others.

    Parameters
    ----------
    problem : Problem
        With quadratic or centred units, in student and teacher alike.
    clock : float
        γ > 0.
    """
    teacher, constant = problem.teacher, 0.0
    if not teacher.given:
        teacher, constant = _teacher_of_labels(problem, clock)
    decay = problem.weight_decay
    gaussian = replace(
        problem,
        teacher=teacher,
        covariance=problem.second_moment,
        distribution=GAUSSIAN,
        data=None,
        labels=None,  # type: ignore[arg-type]  # those of this teacher
        weight_decay=WeightDecay(decay.first / clock, decay.second / clock),
    )
    return Counterpart(gaussian, clock, constant)


def _teacher_of_labels(problem: Problem, clock: float) -> tuple[Teacher, float]:
    """Teacher (γC_G)^{−1}[B] of labels, and ½E y² − ½⟨B, (γC_G)^{−1}[B]⟩."""
    forms = problem.population.forms
    assert forms is not None  # quadratic networks have one
    W, A = 0 * problem.student.W, 0 * problem.student.A
    B = 0.5 * forms.force(W, A)  # G_o = 2(B_o − C[M_o])
    second = problem.second_moment
    F = np.eye(problem.inputs) if second is None else whitening(second)
    white = F @ B @ F.T  # that of z = Fx
    r = len(F)
    inverse = white / 2
    if problem.activation.trace_coupling:
        trace = np.einsum("oii->o", white)
        np.einsum("oii->oi", inverse)[...] -= trace[:, None] / (2 * (2 + r))
    inverse /= clock
    seen = 0.5 * float(np.sum(white * inverse))
    return Teacher.from_matrix(F.T @ inverse @ F), problem.population.loss(W, A) - seen
