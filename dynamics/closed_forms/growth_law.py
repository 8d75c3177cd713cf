"""Growth for ever: how norms grow and the logistic loss falls where hard labels can be learned, and never are.

Labels y = 1{h > c} of a teacher h = xᵀM*x of Gaussian inputs are separated by every f = s(h − c), s > 0, at a loss
E ln(1 + e^{−s|h − c|}). Only inputs near the boundary h = c still count, of which there are p(c) per unit of h, so that

    L(s) = C/s,   C = p(c) ∫ ln(1 + e^{−|u|}) du = π² p(c)/6

(derived here), up to relative errors of order s^{−2}, or s^{−(r−2)/2} of r modes at c = 0, where p has a kink. All
else of M and β is stiff against s: forces on it are of order 1/s, on s of order 1/s². So the flow stays on the ray
M = sM*, β = sc, and moves on it by gradient flow in the metric that the weights give it,

    ṡ = −L′(s) / K(s),   K(s) = ‖dθ/ds‖²,   C t = ∫ s² K(s) ds.

With each mode in one unit, which ends up balanced (‖w‖² = 2a²), of a trained second layer, or in units of |a_k| = α,

    trained:  a_i = (sλ_i/2)^{1/3},       K = 2^{−2/3}/3 · Σ|λ_i|^{2/3} · s^{−4/3} (+ c² of a trained β)
    fixed:    ‖w_i‖² = s|λ_i|/α,          K = ¼ Σ|λ_i|/α · s^{−1}           (+ c²)

    C t = (3/5) k s^{5/3} + c²s³/3,    C t = ½ k s² + c²s³/3    with k = K s^{4/3}, K s without c².

    | second layer | boundary | s       | L        | ‖W‖     |
    |--------------|----------|---------|----------|---------|
    | trained      | c = 0    | t^{3/5} | t^{−3/5} | t^{1/5} |
    | fixed        | c = 0    | t^{1/2} | t^{−1/2} | t^{1/4} |
    | trained      | c ≠ 0    | t^{1/3} | t^{−1/3} | t^{1/9} |
    | fixed        | c ≠ 0    | t^{1/3} | t^{−1/3} | t^{1/6} |

A trained bias that has to grow is the slow weight. These are powers, not the logarithm of separable *data*: of a
density that does not vanish at the boundary there always are inputs closer to it. Of two units that share a mode, 1/a_k
differ by a constant for ever, so that the larger one alone grows: one unit a mode is what remains. (That the flow comes
to the ray is seen numerically, not proven.) Centred units have h = xᵀM*x − tr M*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.problem import Problem
from dynamics.problem.landscapes import boundary_of
from dynamics.problem.reduction import in_range
from dynamics.problem.scope import THEORIES, require

STEP = 0.02  # of the trapezoid rule in ln ω, on LOWEST … HIGHEST
LOWEST, HIGHEST = -40.0, 90.0  # beyond, less than 1e-16 of a density is left, of three modes or more
NEWTON = 60  # steps for s(t), from above, of a convex function


@dataclass(frozen=True, eq=False)
class GrowthLaw:
    """The law for late times.

    Parameters
    ----------
    eigenvalues : (r,) array
        λ_i of the teacher, those that are not zero.
    boundary : float
        c.
    constant : float
        C of L = C/s.
    second_layer : float or None
        α of a fixed second layer; None if it is trained.
    """

    eigenvalues: Array
    boundary: float
    constant: float
    second_layer: float | None

    @property
    def scale_exponent(self) -> float:
        """p of s ∝ t^p; the loss falls as t^(−p)."""
        if self.boundary:
            return 1 / 3
        return 3 / 5 if self.second_layer is None else 1 / 2

    @property
    def norm_exponent(self) -> float:
        """q of ‖W‖ ∝ t^q."""
        return self.scale_exponent / (3 if self.second_layer is None else 2)

    def time(self, s: ArrayLike) -> Array:
        """When a flow that had been on the ray from s = 0 on would be at s."""
        s, c = np.asarray(s, dtype=float), self.boundary
        return np.asarray((self._stretch * s**self._power / self._power + c**2 * s**3 / 3) / self.constant)

    def scale(self, times: ArrayLike) -> Array:
        """s at some times: M = sM*, β = sc."""
        t = np.asarray(times, dtype=float)
        C, p, c = self.constant, self._power, self.boundary
        s = (p * C * t / self._stretch) ** (
            1 / p
        )  # without the bias: from there Newton's method falls to the root
        for _ in range(NEWTON if c else 0):
            slope = (self._stretch * s ** (p - 1) + c**2 * s**2) / C
            s = s - np.divide(self.time(s) - t, slope, out=np.zeros_like(s), where=slope > 0)
        return s

    def loss(self, times: ArrayLike) -> Array:
        """C/s."""
        return np.asarray(self.constant / self.scale(times))

    def weight_norm(self, times: ArrayLike) -> Array:
        """‖W‖, the root of the sum of squares of all first-layer weights."""
        s = self.scale(times)[..., None] * np.abs(self.eigenvalues)
        squares = 2 * (s / 2) ** (2 / 3) if self.second_layer is None else s / self.second_layer
        return np.asarray(np.sqrt(squares.sum(axis=-1)))

    def bias(self, times: ArrayLike) -> Array:
        """β of a student that trains it."""
        return self.boundary * self.scale(times)

    @property
    def _power(self) -> float:
        """p of t ∝ s^p without a bias."""
        return 5 / 3 if self.second_layer is None else 2.0

    @property
    def _stretch(self) -> float:
        """k."""
        lam = np.abs(self.eigenvalues)
        if self.second_layer is None:
            return float(2 ** (-2 / 3) / 3 * np.sum(lam ** (2 / 3)))
        return float(0.25 * lam.sum() / self.second_layer)

    def summary(self) -> str:
        """The law in a line."""
        p, q = (f"{x:.4g}" for x in (self.scale_exponent, self.norm_exponent))
        return (
            "labels that can be separated are learned for ever: once all modes are learned, the loss falls as"
            f" t^(−{p}) and ‖W‖ grows as t^{q}, with L = {self.constant:.4g}/s on M = s·M*"
        )


def growth_law(problem: Problem) -> GrowthLaw:
    """The law of a problem with labels that its student separates.

    Parameters
    ----------
    problem : Problem
        Logistic loss, hard labels without flips, quadratic units, Gaussian inputs; boundary at 0 or a trained bias; as
        many units of either sign as the teacher has modes.

    Raises
    ------
    ProblemError
        For other problems, and where no such law holds: if all labels are equal, or the density of xᵀM*x is infinite at
        the boundary, as of two modes at c = 0.
    """
    require("growth law", problem)
    problem = in_range(problem)
    boundary = boundary_of(problem)
    assert boundary is not None  # the scope says so
    lam, at = boundary.eigenvalues, boundary.form
    if at == 0 and len(lam) == 2:
        raise ProblemError(
            f"`teacher` has the eigenvalues {lam.tolist()}, but of two modes so many inputs are near the boundary"
            " xᵀM*x = 0 that the loss follows no power: add a mode, or a threshold with a trained bias."
        )
    alpha = None if problem.student.trainable else float(np.abs(problem.student.A[0, 0]))
    return GrowthLaw(lam, boundary.threshold, np.pi**2 / 6 * density(lam, at), alpha)


def growth_note(problem: Problem) -> str:
    """What there is to say of weights that grow for ever; empty where they do not, or nothing is known."""
    if THEORIES["growth law"].gap(problem):
        return ""
    try:
        return growth_law(problem).summary()
    except ProblemError:
        return (
            "labels that can be separated are learned for ever: the loss falls towards 0, by no power of time"
        )


def density(eigenvalues: ArrayLike, at: float) -> float:
    """Density of Σ λ_i z_i², z_i independent standard normal variables, at a value.

    (1/π) Re ∫ e^{−iωc} Π(1 − 2iωλ_i)^{−½} dω along the ray arg ω = −π/4 for c > 0, +π/4 for c < 0, on which the
    integrand has no singularity and falls off; trapezoid rule in ln |ω|.

    Parameters
    ----------
    eigenvalues : (r,) array
        None of them zero; three or more if `at` is 0.
    at : float
        c.
    """
    lam = np.asarray(eigenvalues, dtype=float)
    turn = np.exp(-0.25j * np.pi * np.sign(at))
    size = np.abs(lam).max()
    r = np.exp(np.arange(LOWEST, HIGHEST, STEP)) / size
    omega = turn * r
    exponent = -1j * omega * at - 0.5 * np.log(1 - 2j * omega[:, None] * lam).sum(axis=1)
    return float(STEP / np.pi * np.sum((turn * r * np.exp(exponent)).real))
