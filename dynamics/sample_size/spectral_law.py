"""What is asked of the limiting spectrum of a teacher S*, d large.

A law is a probability measure μ* on [0, ∞), seen through its Stieltjes transform G(z) = ∫ dμ*(λ)/(z − λ) in the upper
half-plane and on the real axis outside of its support. It hands in the intervals of its support and, between two of
them, where −G′ is least: whether a semicircle of standard deviation σ joins them is a comparison with 1/σ².
"""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import NDArray

from dynamics.aliases import Array

ComplexArray = NDArray[Any]


class SpectralLaw(Protocol):
    """A spectrum of S* in the limit of large dimension.

    Attributes
    ----------
    name : str
        How it is written on the command line, or what it is.
    mean, second : float
        m₁ = ∫λ dμ* and m₂ = ∫λ² dμ*.
    rank : float
        Mass κ* of the eigenvalues that are not zero.
    atoms : (k,) array
        Masses of single points, zero included: what is left is a density.
    clusters : (c, 2) array
        Ends of the intervals of the support, in increasing order; a point has both ends equal.
    gaps : (c − 1, 2) array
        Between them, where −G′ is least, and its value there.
    """

    name: str
    mean: float
    second: float
    rank: float
    atoms: Array
    clusters: Array
    gaps: Array

    def transform(self, u: Array, v: Array) -> tuple[ComplexArray, ComplexArray]:
        """G and G′ at z = u + iv, v ≥ 0, shapes as u."""
        ...

    def height(self, u: Array, sigma: float) -> Array:
        """The v > 0 with ∫ dμ*(λ)/((u − λ)² + v²) = 1/σ², for u where there is one."""
        ...
