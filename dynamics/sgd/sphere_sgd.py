"""Mean dynamics of one-pass SGD on the sphere, w ← (w + ηg)/‖w + ηg‖, in the overlaps of the units.

For d → ∞ at fixed g' = ηd/B, with s_k = E g_k·w_k and ν_k = lim E‖g_k‖²/d (derived here)

    Q̇_kl = E g_k·w_l + E g_l·w_k − Q_kl(s_k + s_l) + g'[lim E g_k·g_l/d − ½Q_kl(ν_k + ν_l)],
    Ṙ_km = E g_k·v_m − s_kR_km − ½g'ν_kR_km,                                Q_kk = 1:

of a step the part across all units and directions, of squared norm η²ν_kd, takes from every overlap what putting back
on the sphere costs. The expectations are those of `dynamics.sgd.step_moments`, which are linear in d, so that any units
are known whose steps are; of quadratic ones E g_k·g_l → 4da_ka_lw_kᵀNw_l, N = (τ² + 2‖D‖² + Δ)I + 4τD + 8D². The next
order is 1/d: at d = 200 it shows.

One quadratic unit with one teacher direction is exact at every d to second order in the step
(`dynamics.sgd.sphere_step`). In both, fluctuations are neglected from one step to the next.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from dynamics.aliases import Array
from dynamics.flows.base import Run, Watch
from dynamics.flows.endings import STATIONARY
from dynamics.integration import Stop
from dynamics.problem import Problem
from dynamics.sgd.differentiation import jacobian
from dynamics.sgd.mean_sgd import MeanSGD
from dynamics.sgd.sphere_step import OneUnitStep


class SphereSGD(MeanSGD):
    """Mean dynamics of SGD on fresh samples, of units on the sphere.

    Parameters and errors as of `dynamics.sgd.mean_sgd.MeanSGD`, but for a problem with ``constraint="sphere"``.

    Examples
    --------
    >>> from dynamics import Problem, Student, Teacher
    >>> student = Student.initialise(1, 1000, second_layer="fixed")
    >>> problem = Problem(Teacher.from_eigenvalues([1], 1000), student, constraint="sphere")
    >>> curve = SphereSGD(problem, step=5e-5).integrate(t_end=3.0)
    """

    theory = "mean SGD on the sphere"

    @cached_property
    def exact(self) -> OneUnitStep | None:
        """The step of one unit, exact at this d; None of other networks."""
        return exact_step(self.problem, self.batch, self.label_noise)

    def drift(self, state: Array, eta: float | Array | None = None) -> Array:
        """Mean change of the state over η, for stacks of states (…, u) and of rates (…)."""
        rate = np.asarray(self.step if eta is None else eta)[..., None, None]
        Q, R, A = self.order.unpack(state)
        if self.exact is not None:
            length = float(np.sqrt(self.order.P[0, 0]))
            first, second = self.exact.mean(R / length)
            return self.order.pack(0 * Q, length * (first + rate * second), 0 * A)
        K, d = A.shape[-1], self.problem.all_inputs
        moments, twice = (self.order.step_moments(state, self.label_noise, n) for n in (d, 2 * d))
        across = (twice.squares(self.batch) - moments.squares(self.batch)) / d  # per dimension
        speed = moments.speed
        own = np.einsum("...kk->...k", speed[..., :K])[..., None]
        loss = own + rate * d / 2 * np.einsum("...kk->...k", across)[..., None]  # of length, over η
        dQ = speed[..., :K] + np.swapaxes(speed[..., :K], -1, -2) + rate * d * across
        dQ = dQ - Q * (loss + np.swapaxes(loss, -1, -2))
        units = np.arange(K)
        dQ[..., units, units] = 0.0
        return self.order.pack(dQ, speed[..., K:] - loss * R, 0 * A)

    def velocity_at(self, eta: float, theta: Array) -> Array:
        """The drift: what the recursion adds to it is of the next order in η."""
        return self.drift(theta, eta)

    def jacobian_at(self, eta: float, theta: Array) -> Array:
        """Its derivative, (u, u)."""
        return jacobian(lambda state: self.drift(state, eta), theta)

    def watch(self, run: Run) -> Watch:
        """Rest where the integration is open-ended; nothing explodes on the sphere."""
        return Watch(ends=(Stop(STATIONARY, self._distance_from_rest),) if run.open_ended else ())


def mean_sgd_of(problem: Problem) -> type[MeanSGD]:
    """The mean dynamics of SGD that a problem has: on the sphere its own."""
    return SphereSGD if problem.constraint else MeanSGD


def exact_step(problem: Problem, batch: int, label_noise: float) -> OneUnitStep | None:
    """The step of one quadratic or centred unit with one output and one teacher direction; None of other networks."""
    one = problem.student.hidden == len(problem.teacher.V) == problem.teacher.outputs == 1
    if not one or problem.trace_coupling is None:
        return None
    weight = float(problem.teacher.B[0, 0] * np.sum(problem.teacher.V**2))
    a = float(problem.student.A[0, 0])
    return OneUnitStep(problem.all_inputs, a, weight, not problem.trace_coupling, batch, label_noise)
