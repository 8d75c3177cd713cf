"""How learned modes balance under a strictly convex loss of the residual, L = E ℓ(e), e = xᵀDx, D = M* − M.

For inputs that rotations leave as they are G(D) = 2E[ℓ′(e) xxᵀ] has the eigenvectors of D, and of two eigenvalues of D
the larger has the larger eigenvalue of G (exchange z_i and z_j in the expectation). At rest G vanishes on the learned
subspace V, so that V lies in one eigenspace of D, and is spanned by eigenvectors of M* (derived here):

    M|_V = diag(λ_i − δ),   i ∈ S,   with one number δ,   E[ℓ′(δ χ²_r + Σ_{j∉S} λ_j z_j²) χ²_r] = 0,   r = |S|,

whose left side increases strictly: there is one δ for every S. (The square loss has δ = −T/(r+2).) Centred units have
z_i² − 1 in place of z_i² everywhere, to the same effect. With λ̃_j = λ_j − δ

    g_j = κ_j λ̃_j,   κ_j = 4E[ℓ″(e) z_i²z_j²] > 0   (i ∈ S, j ∉ S),

because the derivative of the spectral function G along D_ij is the divided difference (g_j − 0)/(λ_j − δ) (Daleckii and
Krein's formula). So all Hessian blocks are those of the square loss times κ_j/4, and index, nullity and positive
eigenvalues are counted alike (`dynamics.stationary.hessian`). Where ℓ″ may vanish, as in Huber's loss, κ_j > 0 still
holds, as long as ℓ″ > 0 with a positive probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from dynamics.aliases import Array
from dynamics.problem.balance import Balance
from dynamics.problem.expectations import Expect, Expectations

ROUNDING = 1e-15  # of the largest eigenvalue: δ is found to rounding


@dataclass(frozen=True, eq=False)
class ResidualLandscape:
    """The loss E ℓ(Σ δ_i z_i²) of a residual with the eigenvalues δ_i.

    Parameters
    ----------
    expect : Expect
        E ℓ and E ℓ′z_i² of the eigenvalues of −D: the output less its label.
    """

    expect: Expect

    coupling = None
    ratio = 1.0
    isotropic = True
    gain = "λ_j − δ"

    def unit(self, largest: float) -> float:
        """The loss of one mode of this size."""
        return self.expect(np.array([-largest]), 0.0).value

    def balance(self, values: Array, multiplicities: NDArray, counts: NDArray) -> Balance:
        """Learned values are λ_i − δ with the one root δ."""
        state = _Residual(self.expect, values, multiplicities - counts, int(np.sum(counts)))
        T = float(values @ state.rest)
        if not state.rank:
            return Balance(values, state.forces, 0.0, state.forces, state.loss, T)
        return Balance(values - state.delta, values, -state.delta, state.forces, state.loss, T)


@dataclass(frozen=True, eq=False)
class _Residual:
    """A residual with `rest` copies of the eigenvalues `values`, and r of one δ."""

    expect: Expect
    values: Array
    rest: NDArray
    rank: int

    @cached_property
    def delta(self) -> float:
        """δ, at which learned modes feel no force."""
        left = self._left
        size = float(np.abs(self.values) @ left)
        if size == 0:
            return 0.0
        kept = np.repeat(self.values, left)

        def pull(delta: float) -> float:
            D = np.append(kept, np.full(self.rank, delta))
            return -float(self.expect(-D, 0.0).moments[-1])

        low, high = -size, size
        while pull(low) > 0:
            low *= 2
        while pull(high) < 0:
            high *= 2
        return float(brentq(pull, low, high, xtol=ROUNDING * size, rtol=4 * np.finfo(float).eps))

    @cached_property
    def _left(self) -> NDArray:
        """How many copies of each eigenvalue have a part in the residual, (g,)."""
        return self.rest * (self.values != 0)

    @cached_property
    def _means(self) -> Expectations:
        learned = np.full(self.rank, self.delta if self.rank else 0.0)
        return self.expect(-np.concatenate([np.repeat(self.values, self._left), learned]), 0.0)

    @property
    def loss(self) -> float:
        """E ℓ."""
        return self._means.value

    @property
    def forces(self) -> Array:
        """g_j = 2E[ℓ′(e)z_j²]; 0 where all copies are learned, (g,)."""
        moments = np.where(self.rest > 0, self._means.aside, 0.0)
        last = np.cumsum(self._left) - 1
        moments[self._left > 0] = self._means.moments[last[self._left > 0]]
        return -2 * moments
