"""Fluctuations of stochastic gradient descent over seeds: the band about the mean, and what it does to the mean.

The state s of `dynamics.sgd.mean_sgd` is a Markov chain whose steps have the mean ηF(s) and a covariance η²C(s)/B.
Expanded in its fluctuations about the mean-field solution m, with ε = η/B (van Kampen, *Stochastic Processes in
Physics and Chemistry*, chapter X; derived here for this chain), covariance εΣ and mean m + εμ obey

    ṁ = F − (η/2) F′F,   Σ̇ = F′Σ + ΣF′ᵀ + C,   μ̇ = F′μ + ½ F″:Σ,

and an observable f has the mean f(m) + ε(∇f·μ + ½ f″:Σ) and the variance ε ∇f·Σ∇f. Where ηd is kept fixed as d
grows, these are the leading terms in 1/d, provided that C is the covariance of the whole step: of its part quadratic
in η too, which is as large as the linear one there, though only through ‖x‖² ≈ d. With a schedule F and C are those
of the rate η(t) of the moment, ε is that of the largest rate η, and C counts η(t)/η times.

The expansion is to leading order: it has no tails, which matter where a single sample can kick a network far (batch 1,
few inputs, large steps), and it fails while networks leave a saddle one by one, at random times. Both show: the
mean loss is then far from the mean-field loss, which the trajectory holds as well.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import block_diag

from dynamics.aliases import Array
from dynamics.problem import Problem
from dynamics.problem.scope import require
from dynamics.sgd.differentiation import along, derivatives, jacobian, second_along
from dynamics.sgd.mean_sgd import MeanSGD
from dynamics.sgd.tilted_gaussian import Outputs, PairMoments, TiltedGaussian

if TYPE_CHECKING:
    from dynamics.schedules.schedule import Spec


class FluctuatingSGD(MeanSGD):
    """Mean and spread over seeds of stochastic gradient descent on fresh samples.

    What is integrated is (m, μ, Σ), Σ in its upper triangle. Curves of its trajectories are means over seeds
    with their correction, together with standard deviations.

    Parameters
    ----------
    problem, step, batch, label_noise, schedule, steps
        As for `dynamics.sgd.mean_sgd.MeanSGD`, of quadratic or centred units.
    """

    default_rtol = 1e-7

    def __init__(
        self,
        problem: Problem,
        step: float,
        batch: int = 1,
        label_noise: float = 0.0,
        *,
        schedule: Spec = "constant",
        steps: int | None = None,
    ) -> None:
        require("spread of SGD", problem)
        super().__init__(problem, step, batch, label_noise, schedule=schedule, steps=steps)
        self._upper = np.triu_indices(len(self.theta0))
        self.theta0 = np.concatenate([self.theta0, np.zeros(len(self.theta0) + len(self._upper[0]))])

    def split(self, y: Array) -> tuple[Array, Array, Array]:
        """Mean-field state m (u,), its correction μ (u,) and covariance Σ (u, u), in units of η/B."""
        u = len(self.order.start)
        Sigma = np.zeros((u, u))
        Sigma[self._upper] = Sigma.T[self._upper] = y[2 * u :]
        return y[:u], y[u : 2 * u], Sigma

    def mean_state(self, y: Array) -> Array:
        """Order parameters m of the mean-field solution, (u,)."""
        return y[: len(self.order.start)]

    def expect(self, observable: Callable[[Array], Array], y: Array) -> Array:
        """Mean over seeds of a function of the order parameters."""
        m, mu, Sigma = self.split(y)
        correction = along(observable, m, mu) + bend(observable, m, Sigma) / 2
        return observable(m) + self.step / self.batch * correction

    def deviation(self, observable: Callable[[Array], Array], y: Array) -> Array:
        """Standard deviation over seeds of a function of the order parameters."""
        m, _, Sigma = self.split(y)
        slope = jacobian(observable, m)  # (f, u) or (u,)
        variance = self.step / self.batch * np.sum((slope @ Sigma) * slope, axis=-1)
        return np.sqrt(np.maximum(variance, 0.0))  # rounding, where nothing varies

    def velocity_at(self, eta: float, theta: Array) -> Array:
        """Right-hand side for a rate η."""
        m, mu, Sigma = self.split(theta)
        drift = partial(self.drift, eta=eta)
        F, (J, curved) = drift(m), derivatives(drift, m, Sigma)
        half = J @ Sigma
        C = eta / self.step * self.step_covariance(m, eta)
        return np.concatenate([F - eta / 2 * (J @ F), J @ mu + curved / 2, (half + half.T + C)[self._upper]])

    def jacobian_at(self, eta: float, theta: Array) -> Array:
        """Jacobian of the right-hand side, without how the equations of μ and Σ depend on m, and μ's on Σ.

        That changes no eigenvalue, and an implicit solver needs the Jacobian for its iteration only.
        """
        m = self.mean_state(theta)
        u, (i, j) = len(m), self._upper
        J, eye = jacobian(partial(self.drift, eta=eta), m), np.eye(u)
        # ∂(JΣ + ΣJᵀ)_ij/∂Σ_ab = J_ia δ_jb + J_jb δ_ia, and for a ≠ b also with a and b exchanged
        block = J[i[:, None], i] * eye[j[:, None], j] + J[j[:, None], j] * eye[i[:, None], i]
        exchanged = J[i[:, None], j] * eye[j[:, None], i] + J[j[:, None], i] * eye[i[:, None], j]
        return block_diag(super().jacobian_at(eta, m), J, block + np.where(i == j, 0.0, exchanged))

    def step_covariance(self, m: Array, eta: float | None = None) -> Array:
        """Covariance C of the change of the order parameters by one sample, over η², (u, u).

        In the part that is quadratic in η, ‖x‖² is replaced by d.
        """
        Omega, C = self.order.gram(m)
        A = self.order.unpack(m)[2]
        tilted = TiltedGaussian.create(Omega, C, self.order.trace_coupling, self.label_noise, order=4)
        moments = PairMoments(tilted, *self.order.pairs)
        terms = self._step_terms(A, self.step if eta is None else eta)
        means = [moments.mean(outputs, centred) for _, outputs, centred in terms]
        total = np.zeros((len(m), len(m)))
        for x, (a, outputs, left) in enumerate(terms):
            for y, (b, others, right) in enumerate(terms[: x + 1]):
                product = moments.product(outputs + others, left, right) - np.outer(means[x], means[y])
                product *= np.outer(a, b)
                total += product if x == y else product + product.T
        return total

    def _step_terms(self, A: Array, eta: float) -> list[tuple[Array, Outputs, bool]]:
        """The step of one sample as Σ coefficient · ∏ e_o · (ζ_iζ_j or ζ_iζ_j − tΩ_ij), one pair per unknown."""
        (O, K), (i, j) = A.shape, self.order.pairs
        r, q = len(self.order.P), K * (K + 1) // 2
        centred = self.order.trace_coupling == 0
        in_Q, in_A = np.arange(len(i)) < q, np.arange(len(i)) >= q + K * r
        terms: list[tuple[Array, Outputs, bool]] = []
        for o in range(O):
            linear = 2 * (A[o][i] + np.where(in_Q, A[o][j.clip(max=K - 1)], 0.0))
            linear *= np.where(in_Q, 1 - eta * self.problem.weight_decay.first, 1.0)
            linear[in_A] = np.repeat(np.arange(O) == o, K)[: in_A.sum()]
            terms.append((linear, (o,), centred))
            for p in range(o + 1):
                products = A[o][i[:q]] * A[p][j[:q]] + A[p][i[:q]] * A[o][j[:q]]
                quadratic = np.zeros(len(i))
                quadratic[:q] = (2 if o == p else 4) * eta * self.problem.all_inputs / self.batch * products
                terms.append((quadratic, (o, p), False))
        return terms


def bend(function: Callable[[Array], Array], state: Array, S: Array) -> Array:
    """Second derivative f″:S = Σ_ab S_ab ∂_a∂_b f at a state (u,), for symmetric S."""
    return second_along(function, state, np.eye(len(state)), S).sum(axis=0)
