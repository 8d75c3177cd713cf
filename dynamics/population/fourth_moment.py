"""The fourth moment of inputs as an operator on symmetric matrices, C[D] = E (xᵀDx) xxᵀ.

For quadratic networks it is all that the law of the inputs has to do with learning (derived here): with the residual
form D = M* − M

    L = ½⟨D, C[D]⟩,   G = 2C[D],   ẇ_k = a_k G w_k,   ȧ_k = ½ w_kᵀ G w_k.

It is applied, never written down: its matrix would have d⁴ entries.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np

from dynamics.aliases import Array
from dynamics.population.samples import batches

SAME = 1e-12  # of the largest entry of a covariance: what two of them may differ by


@dataclass(frozen=True, eq=False)
class Coordinates:
    """C as γ F C_z[FᵀDF] Fᵀ with C_z[D] = 2D + c tr(D) I + κ diag D.

    Parameters
    ----------
    F : (d, r) array or None
        None is the identity.
    kurtosis, coupling, scale : float
        κ, c and γ.
    """

    F: Array | None
    kurtosis: float
    coupling: float = 1.0
    scale: float = 1.0


class FourthMoment(ABC):
    """C, positive semidefinite."""

    @property
    def coordinates(self) -> Coordinates | None:
        """What it is in independent coordinates; None if it is not."""
        return None

    @property
    @abstractmethod
    def inputs(self) -> int:
        """d."""

    @abstractmethod
    def __call__(self, D: Array) -> Array:
        """C[D] of symmetric matrices D (…, d, d)."""


@dataclass(frozen=True, eq=False)
class IndependentMoment(FourthMoment):
    """C[D] = 2D + tr(D) I + κ diag D of independent symmetric coordinates of variance 1 with the excess κ.

    κ = 0 is the standard Gaussian. Off the diagonal E x_i²x_j² = 1 pairs with D_ij twice, on it E x_i⁴ = 3 + κ
    (derived here).

    Parameters
    ----------
    dimension : int
    kurtosis : float
    """

    dimension: int
    kurtosis: float = 0.0

    @property
    def inputs(self) -> int:
        """d."""
        return self.dimension

    @property
    def coordinates(self) -> Coordinates:
        """Itself."""
        return Coordinates(None, self.kurtosis)

    def __call__(self, D: Array) -> Array:
        """C[D]."""
        diagonal = np.einsum("...ii->...i", D)
        C = 2.0 * D
        np.einsum("...ii->...i", C)[...] += (
            diagonal.sum(axis=-1, keepdims=True) + self.kurtosis * diagonal
        )  # einsum gives the diagonals as a view
        return C


@dataclass(frozen=True, eq=False)
class ScaledMoment(FourthMoment):
    """γ C.

    Parameters
    ----------
    base : FourthMoment
    factor : float
        γ.
    """

    base: FourthMoment
    factor: float

    @property
    def inputs(self) -> int:
        """d."""
        return self.base.inputs

    @property
    def coordinates(self) -> Coordinates | None:
        """Those of C, times γ."""
        base = self.base.coordinates
        return None if base is None else replace(base, scale=self.factor * base.scale)

    def __call__(self, D: Array) -> Array:
        """γ C[D]."""
        return self.factor * self.base(D)


@dataclass(frozen=True, eq=False)
class MappedMoment(FourthMoment):
    """That of x = Fz, F C[FᵀDF] Fᵀ.

    Parameters
    ----------
    base : FourthMoment
        That of z.
    F : (d, r) array
    """

    base: FourthMoment
    F: Array

    @property
    def inputs(self) -> int:
        """d."""
        return len(self.F)

    @property
    def coordinates(self) -> Coordinates | None:
        """Those of z, seen through F."""
        base = self.base.coordinates
        if base is None:
            return None
        return replace(base, F=self.F if base.F is None else self.F @ base.F)

    def __call__(self, D: Array) -> Array:
        """C[D]."""
        return np.asarray(self.F @ self.base(self.F.T @ D @ self.F) @ self.F.T)


@dataclass(frozen=True, eq=False)
class CentredMoment(FourthMoment):
    """C[D] − ⟨D, Σ⟩Σ, the covariance of the products x_a x_b: that of centred units, φ = z² − wᵀΣw.

    Parameters
    ----------
    base : FourthMoment
        C.
    second : (d, d) array
        Σ = E xxᵀ.
    """

    base: FourthMoment
    second: Array

    @property
    def inputs(self) -> int:
        """d."""
        return self.base.inputs

    @property
    def coordinates(self) -> Coordinates | None:
        """Those of C without the trace, where Σ = FFᵀ."""
        base = self.base.coordinates
        if base is None:
            return None
        second = np.eye(self.inputs) if base.F is None else base.F @ base.F.T
        if np.abs(second - self.second).max() > SAME * np.abs(second).max():
            return None
        return replace(base, coupling=base.coupling - 1 / base.scale)

    def __call__(self, D: Array) -> Array:
        """C[D] − ⟨D, Σ⟩Σ."""
        trace = np.einsum("...ij,ij->...", D, self.second)
        return self.base(D) - trace[..., None, None] * self.second


@dataclass(frozen=True, eq=False)
class SampleMoment(FourthMoment):
    """The mean of (xᵀDx) xxᵀ over samples, in O(nd²) operations and O(d² + 4096 d) memory beside the samples.

    Parameters
    ----------
    X : (n, d) array
    """

    X: Array

    @property
    def inputs(self) -> int:
        """d."""
        return self.X.shape[1]

    def __call__(self, D: Array) -> Array:
        """C[D]."""
        flat = D.reshape(-1, *D.shape[-2:])
        found = np.empty_like(flat)
        for form, C in zip(flat, found, strict=True):
            C[...] = 0.0
            for (X,) in batches(self.X):
                weights = np.sum((X @ form) * X, axis=1)
                C += (X.T * weights) @ X / len(self.X)
        return found.reshape(D.shape)
