"""Polynomial activations: the population loss follows from φ alone.

For z_1, z_2 jointly Gaussian with variances q_1, q_2 and covariance s, pairing j factors of the one with j of the other
and the rest among themselves gives (Isserlis; n − j and m − j even)

    E z_1ⁿ z_2ᵐ = Σ_j n! m! / (j! n'! m'! 2^{n'+m'}) s^j q_1^{n'} q_2^{m'},   n' = (n − j)/2,  m' = (m − j)/2,

so that the kernel κ(q_1, s, q_2) = E φ(z_1, q_1) ψ(z_2, q_2) of two polynomials is a polynomial as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from math import factorial
from typing import Any

from dynamics.population.polynomial_kernel import PolynomialKernel

Phi = Callable[[Any, Any], Any]
Terms = dict[tuple[int, int], float]


@lru_cache(maxsize=256)
def polynomial_terms(phi: Phi) -> Terms | None:
    """Coefficients c_nm of φ = Σ c_nm zⁿ qᵐ, or None if φ is no polynomial."""
    import sympy

    z, q = sympy.symbols("z q", real=True)
    try:
        polynomial = sympy.Poly(phi(z, q), z, q)
    except (TypeError, sympy.PolynomialError):  # comparisons of symbols, absolute values
        return None
    return {(int(n), int(m)): float(c) for (n, m), c in polynomial.terms() if c != 0}


def highest_power(phi: Phi) -> int:
    """Highest power of z in a polynomial φ(z, q)."""
    return max((n for n, _ in polynomial_terms(phi) or ()), default=0)


def _one(h: int) -> float:
    """γ_h of Gaussian inputs."""
    return 1.0


def pair_kernel(left: Terms, right: Terms, radial: Callable[[int], float] = _one) -> PolynomialKernel:
    """The kernel κ of φ = Σ c_nm zⁿ qᵐ and another polynomial ψ.

    Of inputs that rotations leave as they are products z_1ⁿz_2ᵐ have γ_h times the Gaussian mean, h = (n + m)/2: the
    function `radial`.
    """
    total: Counter[tuple[int, int, int]] = Counter()
    for (n1, m1), c1 in left.items():
        for (n2, m2), c2 in right.items():
            gamma = radial((n1 + n2) // 2) if (n1 + n2) % 2 == 0 else 0.0
            for j in range(min(n1, n2), -1, -1):
                if (n1 - j) % 2 or (n2 - j) % 2:
                    continue
                u1, u2 = (n1 - j) // 2, (n2 - j) // 2
                pairings = (
                    factorial(n1)
                    * factorial(n2)
                    // (factorial(j) * factorial(u1) * factorial(u2) * 2 ** (u1 + u2))
                )
                total[m1 + u1, j, m2 + u2] += c1 * c2 * pairings * gamma
    return PolynomialKernel(tuple(sorted((powers, float(c)) for powers, c in total.items() if c)))
