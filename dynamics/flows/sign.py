"""Sign flow, θ̇ = −sign ∇L, of centred quadratic units from an aligned start: exactly, piece by piece.

Every unit lies along an axis, w_k = p_k e_i, and the teacher is diagonal. Then a mode i feels its own units alone,

    ȧ_k = sign γ_i,   ṗ_k = sign(a_k γ_i p_k),   γ_i ∝ λ_i − Σ_{k∈i} a_k p_k²,

straight lines up to the next change of a sign. |p_k| − |a_k| stays while both grow, all modes start at once, and one
unit of a small start is done at (a₀ + t)(p₀ + t)² = λ, so that small modes finish first. A mode that has reached its
λ rests there; a unit whose p reaches zero before a has changed its sign stays dead. It is Adam's flow without
memories, and not invariant under rotations. (Derived here; theory: "normalised, sign, Adam, Muon, natural gradient".
Off aligned starts the flow chatters along the zeros of single entries of the gradient, and nothing is known to be
conserved.)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dynamics.aliases import Array
from dynamics.curves.trajectory import Trajectory
from dynamics.errors import ProblemError
from dynamics.flows.steered import Line, SteeredFlow
from dynamics.integration.contract import FINISHED, RUNNING, Method, VectorField
from dynamics.problem import Problem
from dynamics.problem.scope import require

DONE = 1e-13  # of the largest eigenvalue: so far from its λ a mode has reached it


class SignFlow(SteeredFlow):
    """Sign flow from an aligned start.

    Parameters
    ----------
    problem : Problem
        Of centred quadratic units, each with one input, and a teacher that is diagonal.

    Raises
    ------
    ProblemError
        If the start is not aligned, or the problem another one.
    """

    def __init__(self, problem: Problem) -> None:
        require("sign flow", problem)
        super().__init__(problem, reduce=False)
        W, M = problem.student.W, problem.teacher.matrix()
        if (np.count_nonzero(W, axis=1) > 1).any():
            raise ProblemError(
                "The weights of a unit have several entries, but the sign flow is known only from aligned starts."
            )
        self.targets = np.diag(M).copy()
        size = np.abs(self.targets).max(initial=0.0)
        if np.abs(M - np.diag(self.targets)).max() > DONE * size:
            raise ProblemError(
                "The teacher is not diagonal in the inputs, but the sign flow is known only for one that is."
            )
        self.tolerance = DONE * max(size, 1.0)
        self.axes = np.abs(W).argmax(axis=1)

    def pairs(self, theta: Array) -> tuple[Array, Array]:
        """p_k and a_k, each (K,)."""
        W, A = self.unpack(theta)
        return W[np.arange(len(W)), self.axes], A[0]

    def pull(self, p: Array, a: Array) -> Array:
        """λ_i − Σ a_k p_k² of every mode, zero where it is done, (d,)."""
        learned = np.bincount(self.axes, a * p**2, minlength=len(self.targets))
        gamma = self.targets - learned
        return np.where(np.abs(gamma) <= self.tolerance, 0.0, gamma)

    def speeds(self, theta: Array) -> tuple[Array, Array]:
        """ṗ_k and ȧ_k until the next change, each (K,)."""
        p, a = self.pairs(theta)
        gamma = np.sign(self.pull(p, a)[self.axes])
        rising = gamma * (p != 0) * self.trainable
        return np.sign(np.where(a == 0, rising, a) * gamma * p), rising

    def __call__(self, t: float, theta: Array) -> Array:
        """Right-hand side."""
        dp, da = self.speeds(theta)
        W, A = self.unpack(np.zeros(theta.size))
        W, A = W.copy(), A.copy()
        W[np.arange(len(W)), self.axes], A[0] = dp, da
        return self.pack(W, A)

    def next_change(self, theta: Array) -> float:
        """Time until some sign changes; infinite at rest."""
        (p, a), (dp, da) = self.pairs(theta), self.speeds(theta)
        with np.errstate(divide="ignore", invalid="ignore"):
            crossings = [np.where(x * dx < 0, np.abs(x), np.inf) for x, dx in ((p, dp), (a, da))]
        found = [float(np.min(crossings))]
        for i in np.unique(self.axes[(dp != 0) | (da != 0)]):
            units = self.axes == i
            lines = [
                np.poly1d([dx, x])
                for x, dx in zip((*p[units], *a[units]), (*dp[units], *da[units]), strict=True)
            ]
            K = int(units.sum())
            learned = sum(
                (a_ * p_ * p_ for p_, a_ in zip(lines[:K], lines[K:], strict=True)), np.poly1d([0.0])
            )
            roots = np.atleast_1d((learned - self.targets[i]).roots)
            real = roots[np.abs(roots.imag) <= 1e-9 * np.abs(roots)].real
            found += [float(root) for root in real if root > 0]
        return min(found)

    def integrate(
        self, t_end: float | None = None, *, method: str | Method = "auto", **arguments: Any
    ) -> Trajectory:
        """Follow the flow, exactly unless another method is asked for; see `dynamics.flows.base.Flow.integrate`."""
        return super().integrate(t_end, method=EXACT if method == "auto" else method, **arguments)


class _Pieces:
    """A solver that goes from one change of a sign to the next."""

    def __init__(self, flow: SignFlow, theta0: Array, t_bound: float) -> None:
        self.flow, self.y, self.t, self.t_bound = flow, theta0.copy(), 0.0, t_bound
        self.status, self.nfev, self.njev = RUNNING, 0, 0

    def step(self) -> str:
        """To the next change."""
        velocity, ahead = self.flow(self.t, self.y), self.flow.next_change(self.y)
        self.nfev += 1
        end = min(self.t + ahead, self.t_bound)
        self.line = Line(self.t, end, self.y, velocity)
        y = self.line(end)
        # what reaches zero is zero
        self.y, self.t = np.where(np.abs(y) <= DONE * np.abs(self.y), 0.0, y), end
        self.status = FINISHED if end >= self.t_bound else RUNNING
        return ""

    def within_step(self) -> Line:
        """The line."""
        return self.line

    def restart(self, t: float, y: Array) -> None:
        """Go on from another time and state."""
        self.t, self.y = t, y.copy()


def _pieces(field: VectorField, theta0: Array, t_end: float, rtol: float, atol: float) -> _Pieces:
    assert isinstance(field, SignFlow)
    return _Pieces(field, theta0, t_end)


EXACT = Method("exact", implicit=False, create=_pieces)
