"""Population losses of quadratic networks under every convex loss, for Gaussian inputs: spectral functions of a form.

For f_o = xᵀM_ox − β_o, in whitened coordinates x = Fz and with z ~ N(0, I), the argument u_o = zᵀE_oz − b_o of ℓ is

    of the residual:   E = M − M*,  b = β − β*;        of two classes:   E = M,  b = β,

and centred units add tr E to b. Then (derived here) L = Σ_o E ℓ(u_o) − ⟨B_o, M_o⟩ + ȳ_oβ_o, where of two classes
B = E y zzᵀ and ȳ = E y are constants of the labels, and of residuals zero, and

    ∂L/∂M = S − B,  S = E ℓ′(u) zzᵀ,   ∂L/∂β = ȳ − E ℓ′(u),
    ẇ_k = Σ_o A_ok G_o w_k,   Ȧ_ok = ½ w_kᵀG_ow_k,   G = −2 ∂L/∂M.

S has the eigenvectors of E, and its eigenvalues are sums over exponentials (`dynamics.population.exponentials`); so are
the second derivatives E ℓ″(u) (zᵀXz) zzᵀ, in which no differences of eigenvalues occur. Of centred units every zzᵀ
that comes from a derivative by M is zzᵀ − I.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dynamics.aliases import Array
from dynamics.covariance import covariance_factor
from dynamics.population.base import Population
from dynamics.population.biased import biases, with_bias
from dynamics.population.exponentials import Curvatures
from dynamics.population.label_moments import LabelMoments
from dynamics.population.samples import bending
from dynamics.population.slope_rules import Convex, SlopeRule


@dataclass(frozen=True, eq=False)
class SpectralPopulation(Population):
    """Loss of f_o = Σ_k A_ok φ(w_k·x) − β_o with quadratic or centred units, x ~ N(0, Σ).

    Weights A are (O, K), or (O, K + 1) where the last column is β (`dynamics.population.biased`).

    Parameters
    ----------
    targets : (O, d, d) array
        M*_o.
    convex : Convex
        ℓ(f, y), a function of f − f*, or else ℓ(f) − yf of labels with the moments `labels`.
    covariance : (d, d) array or None
        Σ; None is the identity.
    coupling : float
        1 of φ(z) = z², 0 of centred units.
    bias, teacher_bias : float
        β where A does not say it, and β*.
    trains_bias : bool
        Whether β is trained: the loss then is no function of the forms alone.
    labels : LabelMoments or None
        B and ȳ of two classes.
    """

    targets: Array
    convex: Convex
    covariance: Array | None = None
    coupling: float = 1.0
    bias: float = 0.0
    teacher_bias: float = 0.0
    trains_bias: bool = False
    labels: LabelMoments | None = None

    def __post_init__(self) -> None:
        if not self.trains_bias:
            object.__setattr__(self, "force", self._force)

    @cached_property
    def rule(self) -> SlopeRule:
        """ℓ′ as sums of exponentials."""
        return SlopeRule(self.convex)

    @cached_property
    def _factor(self) -> Array | None:
        """F with Σ = FFᵀ."""
        return None if self.covariance is None else covariance_factor(self.covariance)

    def _white(self, M: Array) -> Array:
        """FᵀMF."""
        return M if self._factor is None else self._factor.T @ M @ self._factor

    def _back(self, G: Array) -> Array:
        """FGFᵀ."""
        return G if self._factor is None else self._factor @ G @ self._factor.T

    @cached_property
    def _origin(self) -> Array:
        """What E is counted from, (O, d, d): M* of residuals, whitened, zero of two classes."""
        white = self._white(self.targets)
        return white if self.convex.of_residual else 0 * white

    @cached_property
    def _label_moments(self) -> tuple[Array, float]:
        """B, (d, d), whitened, and ȳ."""
        d = self._origin.shape[-1]
        if self.labels is None:
            return np.zeros((d, d)), 0.0
        moment, mean = self.labels.of(self._white(self.targets[0]), self._own_shift(self.targets[0]))
        return moment - (1 - self.coupling) * mean * np.eye(d), mean

    def _own_shift(self, M: Array) -> float:
        """b of the teacher's output."""
        return self.teacher_bias + (1 - self.coupling) * float(np.trace(self._white(M)))

    def _arguments(self, W: Array, A: Array) -> tuple[Array, Array, Array]:
        """Whitened M_o, E_o (…, O, d, d) and b_o (…, O), of weights W (…, K, d) and A (…, O, K or K + 1)."""
        units, beta = biases(W, A, self.bias)
        w = W if self._factor is None else W @ self._factor
        M = (w.mT[..., None, :, :] * units[..., None, :]) @ w[..., None, :, :]
        E = M - self._origin
        shift = (
            beta
            - self.teacher_bias * self.convex.of_residual
            + (1 - self.coupling) * np.trace(E, axis1=-2, axis2=-1)
        )
        return M, E, shift

    def invariants(self, W: Array, A: Array) -> Array:
        """Eigenvalues of the whitened residuals M*_o − M_o, one output after the other, each ascending, (O d,)."""
        M, _, _ = self._arguments(W, A)
        return np.asarray(np.linalg.eigvalsh(self._white(self.targets) - M).ravel())

    def loss(self, W: Array, A: Array) -> float:
        """Loss L."""
        return float(self.losses(W[None], A[None])[0])

    def losses(self, W: Array, A: Array) -> Array:
        """Losses (T,) of weights W (T, K, d) and A (T, O, K), all that have their exponentials in common at once."""
        M, E, shift = self._arguments(W, A)
        delta = np.asarray(np.linalg.eigvalsh(E), dtype=float).reshape(-1, E.shape[-1])
        found = np.empty(len(delta))
        groups: dict[int, tuple[list[int], list[float]]] = {}
        rules = {}
        for n, (d, b) in enumerate(zip(delta, shift.ravel(), strict=True)):
            rule, moved = self.rule.at(float(b), d[0], d[-1])
            rules[id(rule)] = rule
            rows, shifts = groups.setdefault(id(rule), ([], []))
            rows.append(n)
            shifts.append(moved)
        for key, (rows, shifts) in groups.items():
            found[rows] = rules[key].values(delta[rows], np.asarray(shifts, dtype=float))
        B, mean = self._label_moments
        _, beta = biases(W, A, self.bias)
        linear = mean * beta - np.einsum("...ij,ij->...", M, B)
        total = np.asarray((found.reshape(shift.shape) + linear).sum(axis=-1))
        return np.maximum(total, 0.0) if self._bounded else total

    @property
    def _bounded(self) -> bool:
        """Whether ℓ is nowhere negative, so that rounding alone would take the loss below 0."""
        zero = np.zeros(1)
        return bool(
            self.convex.value(zero, 0.0)[0] >= 0
            and (not self.convex.of_residual or self.convex.slope(zero, 0.0)[0] == 0)
        )

    def _outputs(self, W: Array, A: Array, bent: bool) -> Iterator[tuple[Array, float, _Bend | None]]:
        """∂L/∂M_o, whitened, and ∂L/∂β_o of every output, with second derivatives where they are asked for."""
        _, E, shift = self._arguments(W, A)
        B, mean = self._label_moments
        for form, b in zip(E, shift, strict=True):
            delta, R = np.linalg.eigh(form)
            rule, moved = self.rule.at(float(b), delta[0], delta[-1])
            whole, single = rule.slope_means(delta, moved)
            S = (R * (single - (1 - self.coupling) * whole)) @ R.T
            bend = _Bend(R, rule.curvatures(delta, moved), 1 - self.coupling) if bent else None
            yield S - B, mean - whole, bend

    def _force(self, W: Array, A: Array) -> Array:
        """G_o = −2 ∂L/∂M_o, (O, d, d)."""
        return np.stack([self._back(-2 * slope) for slope, _, _ in self._outputs(W, A, bent=False)])

    def graded_force(self, W: Array, A: Array) -> Array:
        """The same, entry by entry: of weights of which most components are tiny, theirs keep their digits.

        That takes some µs for every eigenvalue, and one product of matrices.
        """
        _, E, shift = self._arguments(W, A)
        B, _ = self._label_moments
        found = []
        for form, b in zip(E, shift, strict=True):
            delta, R = np.linalg.eigh(form)
            rule, moved = self.rule.at(float(b), delta[0], delta[-1])
            whole, S = rule.slope_matrix(form, delta, R, moved)
            found.append(self._back(-2 * (S - (1 - self.coupling) * whole * np.eye(len(S)) - B)))
        return np.stack(found)

    def velocity(self, W: Array, A: Array) -> tuple[Array, Array]:
        """Minus the gradient, (K, d), and (O, K) or (O, K + 1)."""
        units, _ = biases(W, A, self.bias)
        slopes, pulls = zip(*((s, p) for s, p, _ in self._outputs(W, A, bent=False)), strict=True)
        GW = W @ self._back(-2 * np.stack(slopes))  # (O, K, d)
        vW = np.einsum("ok,oki->ki", units, GW)
        return vW, with_bias(0.5 * np.einsum("oki,ki->ok", GW, W), -np.array(pulls), A)

    def hessian_vector(self, W: Array, A: Array, dW: Array, dA: Array) -> tuple[Array, Array]:
        """Hessian times (dW, dA)."""
        units, _ = biases(W, A, self.bias)
        more, dbeta = biases(dW, dA, 0.0)
        half = (W.T * units[:, None, :]) @ dW
        dM = self._white((W.T * more[:, None, :]) @ W + half + half.transpose(0, 2, 1))
        slopes, turns, pulls = [], [], []
        for X, db, (slope, _, bend) in zip(dM, dbeta, self._outputs(W, A, bent=True), strict=True):
            assert bend is not None
            turn, pull = bend(X[None], np.array([db]))
            slopes.append(slope)
            turns.append(turn[0])
            pulls.append(pull[0])
        G, dG = self._back(-2 * np.stack(slopes)), self._back(-2 * np.stack(turns))
        GW, GdW, dGW = W @ G, dW @ G, W @ dG
        hW = np.einsum("ok,oki->ki", more, GW) + np.einsum("ok,oki->ki", units, dGW + GdW)
        return -hW, with_bias(-0.5 * np.einsum("oki,ki->ok", dGW + 2 * GdW, W), np.array(pulls), A)

    def hessian(self, W: Array, A: Array) -> Array:
        """Dense Hessian, for θ = (W row by row, A row by row)."""
        (K, d), (O, columns) = W.shape, A.shape
        units, _ = biases(W, A, self.bias)
        H = np.zeros((K * d + O * columns,) * 2)
        half = W[:, None, :, None] * np.eye(d)[None, :, None, :]  # w_k e_iᵀ, (K, d, d, d)
        by_W = (half + half.swapaxes(-1, -2)).reshape(K * d, d, d)
        by_A = W[:, :, None] * W[:, None, :]
        slopes = []
        for o, (slope, _, bend) in enumerate(self._outputs(W, A, bent=True)):
            assert bend is not None
            slopes.append(self._back(slope))
            own = K * d + o * columns + np.arange(columns)
            at = np.concatenate([np.arange(K * d), own])
            X = np.zeros((K * d + columns, d, d))
            X[: K * d] = by_W * np.repeat(units[o], d)[:, None, None]
            X[K * d : K * (d + 1)] = by_A
            db = np.zeros(len(X))
            db[K * (d + 1) :] = 1.0
            X = self._white(X)
            turns, pulls = bend(X, db)
            part = X.reshape(len(X), -1) @ turns.reshape(len(X), -1).T
            part += np.outer(db, pulls)
            H[np.ix_(at, at)] += part
        bent = bending(np.stack(slopes), W, units)
        kept = np.arange(K * d + O * columns)
        kept = np.concatenate([kept[: K * d], kept[K * d :].reshape(O, columns)[:, :K].ravel()])
        H[np.ix_(kept, kept)] += bent
        return H


@dataclass(frozen=True, eq=False)
class _Bend:
    """Second derivatives of E ℓ(zᵀEz − b) by E and β.

    Parameters
    ----------
    R : (d, d) array
        Eigenvectors of E as columns.
    means : Curvatures
    centring : float
        1 of centred units, else 0.
    """

    R: Array
    means: Curvatures
    centring: float

    def __call__(self, X: Array, db: Array) -> tuple[Array, Array]:
        """Changes (n, d, d) of ∂L/∂M and (n,) of ∂L/∂β with M by X (n, d, d) and β by db (n,)."""
        turned = self.R.T @ X @ self.R
        moved = db + self.centring * np.einsum("nii->n", X)  # of b
        single, whole = self.means.single, self.means.whole
        pull = np.einsum("nii->ni", turned) @ single - moved * whole  # E ℓ″ du
        change = self.means(turned)
        np.einsum("nii->ni", change)[...] -= np.outer(moved, single) + self.centring * pull[:, None]
        return self.R @ change @ self.R.T, -pull
