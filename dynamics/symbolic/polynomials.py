"""Polynomial activations with exact coefficients, and the Hermite means of which their kernels are made.

For φ = Σ c_nm zⁿqᵐ the mean of the k-th derivative at z of variance q is a polynomial in q (derived here),

    φ̄_k(q) = Σ c_nm qᵐ · n!/(2ʲ j!) qʲ,   j = (n − k)/2 whole,

and E φ(z_1) ψ(z_2) = Σ_k sᵏ/k! φ̄_k(q_1) ψ̄_k(q_2) for a covariance s: a finite sum if one of the two is a polynomial.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import factorial, sqrt

import sympy

from dynamics.activations import Activation
from dynamics.activations.families import Polynomial
from dynamics.activations.polynomial import polynomial_terms
from dynamics.symbolic.exact import exact_number


@dataclass(frozen=True)
class ExactPolynomial:
    """φ = Σ c_nm zⁿqᵐ/√N.

    Parameters
    ----------
    terms : mapping (n, m) → rational
        c_nm.
    norm : int
        N, a square in what comes of a pair of equal activations.
    """

    terms: Mapping[tuple[int, int], sympy.Rational]
    norm: int = 1

    @property
    def factor(self) -> sympy.Expr:
        """1/√N."""
        return 1 / sympy.sqrt(self.norm)

    @property
    def powers(self) -> list[int]:
        """Powers n of z."""
        return sorted({n for n, _ in self.terms})

    @property
    def orders(self) -> list[int]:
        """Orders n + 2m of the symmetric tensors M = Σ_k a_k w_k ⊗ … ⊗ w_k that say what Σ_k a_k φ(w_k·x) is."""
        return sorted({n + 2 * m for n, m in self.terms})

    def mean(self, k: int, q: sympy.Expr) -> sympy.Expr:
        """φ̄_k(q)."""
        total = sympy.S.Zero
        for (n, m), c in self.terms.items():
            j, odd = divmod(n - k, 2)
            if not odd and j >= 0:
                total += c * sympy.Rational(factorial(n), 2**j * factorial(j)) * q ** (m + j)
        return self.factor * total


def exact_polynomial(phi: Activation) -> ExactPolynomial | None:
    """The activation as a polynomial, or None if it is none.

    Decimals become the rational numbers that they are, 0.1 becomes 1/10; He_K/√K! keeps its root.
    """
    terms = polynomial_terms(phi.phi)
    if terms is None:
        return None
    norm = phi.phi.norm if isinstance(phi.phi, Polynomial) else 1
    if norm == 1:
        return ExactPolynomial({powers: exact_number("activation", c) for powers, c in terms.items()})
    whole = {powers: sympy.Integer(round(c * sqrt(norm))) for powers, c in terms.items()}
    return ExactPolynomial(whole, norm)
