"""Polynomial activations: the population loss follows from φ alone.

For z_1, z_2 jointly Gaussian with variances q_1, q_2 and covariance s, pairing j factors of the one with j of the other
and the rest among themselves gives (Isserlis; n − j and m − j even)

    E z_1ⁿ z_2ᵐ = Σ_j n! m! / (j! n'! m'! 2^{n'+m'}) s^j q_1^{n'} q_2^{m'},   n' = (n − j)/2,  m' = (m − j)/2,

so that the kernel κ(q_1, s, q_2) = E φ(z_1, q_1) φ(z_2, q_2) of a polynomial φ is a polynomial as well.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from math import factorial
from typing import TYPE_CHECKING, Any

from dynamics.errors import ProblemError
from dynamics.population.pair_kernel import PairPopulation, PolynomialKernel

if TYPE_CHECKING:
    from dynamics.activations.base import Activation


def polynomial_loss(activation: Activation, V: Any, B: Any, covariance: Any = None) -> PairPopulation:
    """Population loss of a polynomial activation.

    Raises
    ------
    ProblemError
        If φ is no polynomial in z and q.
    """
    terms = polynomial_terms(activation)
    if terms is None:
        raise ProblemError(
            f"The activation {activation.name!r} is no polynomial and has no population loss: give it one."
        )
    return PairPopulation(V, B, covariance, pair_kernel(tuple(sorted(terms.items()))))


def polynomial_terms(activation: Activation) -> dict[tuple[int, int], float] | None:
    """Coefficients c_nm of φ = Σ c_nm zⁿ qᵐ, or None if φ is no polynomial."""
    import sympy

    z, q = sympy.symbols("z q", real=True)
    try:
        phi = sympy.Poly(activation.phi(z, q), z, q)
    except (TypeError, sympy.PolynomialError):  # comparisons of symbols, absolute values
        return None
    return {(int(n), int(m)): float(c) for (n, m), c in phi.terms() if c != 0}


def homogeneous_polynomial(activation: Activation) -> bool:
    """Whether φ is a homogeneous polynomial in z and √q: then f is known by a symmetric tensor."""
    return activation.degree is not None and polynomial_terms(activation) is not None


@lru_cache(maxsize=32)
def pair_kernel(terms: tuple[tuple[tuple[int, int], float], ...]) -> PolynomialKernel:
    """The kernel κ of φ = Σ c_nm zⁿ qᵐ."""
    total: Counter[tuple[int, int, int]] = Counter()
    for (n1, m1), c1 in terms:
        for (n2, m2), c2 in terms:
            for j in range(min(n1, n2), -1, -1):
                if (n1 - j) % 2 or (n2 - j) % 2:
                    continue
                u1, u2 = (n1 - j) // 2, (n2 - j) // 2
                pairings = (
                    factorial(n1)
                    * factorial(n2)
                    // (factorial(j) * factorial(u1) * factorial(u2) * 2 ** (u1 + u2))
                )
                total[m1 + u1, j, m2 + u2] += c1 * c2 * pairings
    return PolynomialKernel(tuple(sorted((powers, float(c)) for powers, c in total.items() if c)))
