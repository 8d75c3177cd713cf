"""How often two Gaussian forms have the same sign: the accuracy of a classifier, as an integral (derived here).

The network says f = zᵀMz − b, z ~ N(0, I), and answers 1 where f > 0; the labels follow g = zᵀM*z − b*. They are 1
where g > 0 (a threshold is part of b*), or drawn with the probability σ(g). With flips of probability p

    accuracy = ½ + ½ (1 − 2p) E[h(g) sgn f],   h = sgn, or h(g) = 2σ(g) − 1 = tanh(g/2).

Both functions are sums of sines, sgn f = (2/π) ∫₀^∞ sin(ωf) dω/ω and tanh(g/2) = 2 ∫₀^∞ sin(ωg)/sinh(πω) dω, and the
mean of an exponential is known, φ(ω, η) = E e^{i(ωf + ηg)} = e^{−i(ωb + ηb*)} det(1 − 2i(ωM + ηM*))^{−½}. In polar
coordinates ω = r cos α, η = r sin α, and with w = ln tan α, for which dω dη/ωη = dw dr/r,

    E[h(g) sgn f] = (2/π²) ∫_{−∞}^∞ [J₋(w) − J₊(w)] dw,   J_±(w) = ∫₀^∞ Re{φ(r cos α, ± r sin α) κ(r sin α)} dr/r,

where κ = 1, or κ(η) = πη/sinh(πη) of labels that are drawn: they are hard ones of g plus logistic noise, of which this
is the characteristic function. Each J diverges at r = 0, by the same constant.

Along a ray the matrix is r(M cos α ± M* sin α): one set of eigenvalues gives all r (`dynamics.population.form_rays`).

Across the rays J bends where one of them passes 0: at tan α = |q| for the real eigenvalues q of the pencil, Mv = qM*v,
and where b cos α = ∓ b* sin α. Complex q close to the axis mark rays on which the whole form almost vanishes, as where
f is almost a multiple of g. Between these rays the integrand is smooth but for what it does at the ends
(`dynamics.population.many_integrals`). As P(|f| < ε) ≤ Cε^{½} for every form, it falls off at least as e^{−|w|/2}, so
that in τ = tanh(w/4) it is bounded.

Answers and classes that are always the same need none of this (`dynamics.population.exceedance`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dynamics.aliases import Array
from dynamics.matrices import EPS
from dynamics.population.exceedance import exceedance
from dynamics.population.form_rays import ERROR, along_rays
from dynamics.population.label_moments import LabelMoments
from dynamics.population.many_integrals import Indices, integrals

FAR = 40.0  # of |w|: e^{−|w|/2} is 2e-9
NEAR_REAL = 0.5  # tangents of the arguments of eigenvalues of the pencil of which the rays are marked
TOLERANCE = 1e-5  # of a piece between two marks, by Gauss's rule: by Kronrod's it is some 1e-7
FLOOR = 2 * ERROR  # of the stated error: that along the rays
STATES, RAYS = 1000, 2048  # at once
SAME = 1e-14  # relative distance of two forms that are multiples of each other


def accuracies(M: Array, b: Array, target: Array, shift: float, labels: LabelMoments) -> tuple[Array, Array]:
    """How often networks f = zᵀMz − b are right, and estimates of the errors of these numbers, (T,) each.

    Parameters
    ----------
    M : (T, n, n) array
        Symmetric, whitened: z ~ N(0, I).
    b : (T,) array
    target, shift : (n, n) array and float
        M* and b* of the teacher's output zᵀM*z − b*, of which its threshold is no part.
    labels : LabelMoments
        With a threshold, or with the logistic loss as link.

    Notes
    -----
    NaN of forms that are not finite.
    """
    soft = labels.threshold is None
    level = shift + (labels.threshold or 0.0)
    products, errors = np.full(len(M), np.nan), np.full(len(M), np.nan)
    finite = np.flatnonzero(np.isfinite(M).all(axis=(1, 2)) & np.isfinite(b))
    ours = constant_signs(M[finite], b[finite])
    mean = 2 * replace(labels, flip=0.0).of(target, shift)[1] - 1  # E h(g)
    constant, rest = finite[ours != 0], finite[ours == 0]
    products[constant], errors[finite] = mean * ours[ours != 0], 0.0
    if not target.any() or (not soft and constant_signs(target[None], np.array([level]))[0]):
        for t in rest:
            products[t] = mean * (2 * exceedance(np.linalg.eigvalsh(M[t]), float(b[t]))[0] - 1)
    else:
        products[rest], errors[rest] = agreement(M[rest], b[rest], target, level, soft=soft)
    half = (1 - 2 * labels.flip) / 2
    return 0.5 + half * np.clip(products, -1, 1), half * errors


def constant_signs(M: Array, b: Array) -> Array:
    """Of forms zᵀMz − b that have the same sign for all z, or almost all, this sign, (T,): −1 of f = 0; 0 of others."""
    values = np.linalg.eigvalsh(M)
    low, high = values[:, 0], values[:, -1]
    rounding = 4 * M.shape[-1] * EPS * np.abs(values).max(axis=1)
    above = (low >= -rounding) & (b <= 0) & ((b < 0) | (high > 0))
    below = (high <= rounding) & (b >= 0)
    return np.where(above, 1, np.where(below, -1, 0))


def agreement(M: Array, b: Array, target: Array, shift: float, *, soft: bool) -> tuple[Array, Array]:
    """E[h(g) sgn f] of forms f = zᵀMz − b and g = zᵀM*z − b*, and estimates of the errors, (T,) each.

    Parameters
    ----------
    M, b : (T, n, n) and (T,) arrays
    target, shift : (n, n) array and float
        M* and b*; neither form is zero.
    soft : bool
        Whether h is tanh(·/2), and not the sign.
    """
    found, errors = np.empty(len(M)), np.empty(len(M))
    g = _root_mean_square(target[None], np.array([shift]))[0]
    scale = g + np.pi if soft else g
    f = _root_mean_square(M, b)
    pairs = _Pairs(M / f[:, None, None], b / f, target / scale, shift / scale, np.pi / scale if soft else 0.0)
    for start in range(0, len(M), STATES):
        part = slice(start, start + STATES)
        found[part], errors[part] = pairs.some(part).integrals()
    if not soft:
        signs = pairs.multiples()
        found, errors = np.where(signs, signs, found), np.where(signs, 0.0, errors)
    return found, errors


def _root_mean_square(M: Array, b: Array) -> Array:
    """(E f²)^{1/2} of f = zᵀMz − b, (T,)."""
    size = np.maximum(np.abs(M).max(axis=(1, 2)), np.abs(b))
    M, b = M / size[:, None, None], b / size
    mean = np.trace(M, axis1=1, axis2=2) - b
    return np.asarray(size * np.sqrt(2 * (M * M).sum(axis=(1, 2)) + mean**2))


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Forms M (T, n, n), b (T,) beside one form M* (n, n), b*, all of about the size 1, and κ's factor of sin α."""

    M: Array
    b: Array
    target: Array
    shift: float
    cut: float

    def some(self, part: slice) -> _Pairs:
        """A part of the states."""
        return replace(self, M=self.M[part], b=self.b[part])

    def multiples(self) -> Array:
        """1 or −1 of forms that are this sign times the other one, up to rounding, 0 of others, (T,)."""
        found = np.zeros(len(self.M))
        for sign in (1.0, -1.0):
            apart = np.abs(self.M - sign * self.target).max(axis=(1, 2)) + np.abs(self.b - sign * self.shift)
            found[apart <= SAME] = sign
        return found

    def integrals(self) -> tuple[Array, Array]:
        """E[h(g) sgn f] and its errors, (T,) each."""
        marks = [self.marks(t) for t in range(len(self.M))]
        state = np.repeat(np.arange(len(marks)), [len(m) - 1 for m in marks])
        start, end = np.concatenate([m[:-1] for m in marks]), np.concatenate([m[1:] for m in marks])
        parts = integrals(lambda tau, i: self.difference(tau, state[i]), start, end, TOLERANCE)
        value, error = (np.asarray(2 / np.pi**2 * np.bincount(state, part, len(marks))) for part in parts)
        return value, error + FLOOR

    def marks(self, t: int) -> Array:
        """τ where the integrand begins, bends and ends, ascending."""
        from scipy.linalg import eigvals

        M = self.M[t]
        U, size, _ = np.linalg.svd(np.hstack([M, self.target]))
        U = U[:, : len(size)][:, size > 1e-12 * size[0]]  # elsewhere both are zero
        above, below = eigvals(U.T @ M @ U, U.T @ self.target @ U, homogeneous_eigvals=True)
        above, below = np.append(above, self.b[t]), np.append(below, self.shift)
        with np.errstate(divide="ignore", invalid="ignore"):
            q = above / below
            near = np.abs(q.imag) <= NEAR_REAL * np.abs(q.real)
            w = np.log(np.abs(q[near]))
        inner = w[np.abs(w) < FAR].round(12)
        return np.tanh(np.unique(np.concatenate([[-FAR], inner, [FAR]])) / 4)

    def difference(self, tau: Array, state: Indices) -> Array:
        """(J₋ − J₊) dw/dτ at τ (m, k), of states (m,)."""
        w = 4 * np.arctanh(tau).ravel()
        states = np.repeat(state, tau.shape[1])
        found = np.empty(w.shape)
        for start in range(0, len(w), RAYS):
            part = slice(start, start + RAYS)
            found[part] = self._some_rays(w[part], states[part])
        return np.asarray(found.reshape(tau.shape) * 4 / (1 - tau * tau))

    def _some_rays(self, w: Array, state: Indices) -> Array:
        """J₋ − J₊ on rays w of states, (m,) each."""
        cos, sin = 1 / np.hypot(1, np.exp(w)), 1 / np.hypot(1, np.exp(-w))
        sides = []
        for sign in (-1, 1):
            A = cos[:, None, None] * self.M[state] + (sign * sin)[:, None, None] * self.target
            mu = np.asarray(np.linalg.eigvalsh(A), dtype=float)
            sides.append(along_rays(mu, cos * self.b[state] + sign * sin * self.shift, self.cut * sin))
        return np.asarray(sides[0] - sides[1])
