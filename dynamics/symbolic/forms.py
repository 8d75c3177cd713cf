"""Polynomials in x that symmetric tensors of symbols make, and their mean squares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations_with_replacement, product
from math import factorial, prod

import sympy
from sympy.polys.rings import PolyElement, PolyRing

from dynamics.symbolic.input_moments import ExactLaw
from dynamics.symbolic.moments import GaussianMoments, ring_expectation

Terms = Mapping[tuple[int, int], sympy.Rational]  # c_nm of Σ c_nm zⁿqᵐ


class Forms:
    """Polynomials Σ c_nm M[xⁿ, Σᵐ] in x_0, …, x_{d−1} of symmetric tensors M, n + 2m their orders.

    Coefficients are polynomials in the given symbols, expectations those of a law of covariance Σ. For n + 2m = 2:
    xᵀMx, less tr(MΣ) for centred units.
    """

    def __init__(
        self,
        d: int,
        symbols: Sequence[sympy.Symbol],
        Sigma: sympy.ImmutableMatrix | None,
        law: ExactLaw,
    ) -> None:
        ring = PolyRing(symbols, sympy.QQ)
        self.element = ring.from_expr  # element of the ring for a symbol or a number
        self._x = PolyRing([f"x_{i}" for i in range(d)], ring.to_domain())
        self._Sigma = None if Sigma is None else [list(map(ring.from_expr, row)) for row in Sigma.tolist()]
        covariance = [[self._covariance(i, j) for j in range(d)] for i in range(d)]
        gaussian = GaussianMoments(covariance, [ring.zero] * d, ring.one)
        self._moments, self._zero = law.moments(gaussian, self.element), ring.zero

    def student(
        self, w: Sequence[Sequence[sympy.Symbol]], A: Sequence[sympy.Expr], terms: Terms
    ) -> PolyElement:
        """f(x) = Σ_k A_k φ(w_k·x), multiplied out."""
        f = self._x.zero
        for w_k, A_k in zip(w, A, strict=True):
            z = sum(
                (self.element(w_ki) * x_i for w_ki, x_i in zip(w_k, self._x.gens, strict=True)), self._x.zero
            )
            q = ring_expectation(z**2, self._Sigma)
            phi = sum((self.element(c) * z**n * q**m for (n, m), c in terms.items()), self._x.zero)
            f += self.element(A_k) * phi
        return f

    def form(self, M: Mapping[tuple[int, ...], sympy.Symbol], terms: Terms) -> PolyElement:
        """Σ c_nm M[xⁿ, Σᵐ] for the symmetric tensors of symbols M_ij…, i ≤ j ≤ …."""
        x, total = self._x.gens, self._x.zero
        for (n, m), c in terms.items():
            for free in combinations_with_replacement(range(len(x)), n):
                power = prod((x[i] for i in free), start=self._x.one) * _arrangements(free)
                for pairs in self._contractions(m):
                    indices = tuple(sorted([*free, *(i for pair in pairs for i in pair)]))
                    weight = prod(
                        (self._covariance(*pair) for pair in pairs), start=self.element(sympy.S.One)
                    )
                    total += self.element(c) * weight * self.element(M[indices]) * power
        return total

    def _contractions(self, m: int) -> Iterator[tuple[tuple[int, int], ...]]:
        """Index pairs of m factors Σ_ij, those that vanish left out."""
        d = len(self._x.gens)
        pairs = [(i, j) for i in range(d) for j in range(d) if self._Sigma is not None or i == j]
        return product(pairs, repeat=m)

    def _covariance(self, i: int, j: int) -> PolyElement:
        """Σ_ij."""
        return self.element(sympy.Integer(i == j)) if self._Sigma is None else self._Sigma[i][j]

    def entry(self, form: PolyElement, indices: tuple[int, ...], terms: Terms) -> PolyElement:
        """Entry M_ij… of a form: its coefficient of x_i x_j …, shared with the entries that are equal to it."""
        x = self._x.gens
        power = prod((x[i] for i in indices), start=self._x.one)
        return form.coeff(power) / (_arrangements(indices) * self.element(terms[len(indices), 0]).LC)

    def half_mean_square(self, form: PolyElement) -> PolyElement:
        """½ E[form²]."""
        return sum((c * self._moments(alpha) for alpha, c in (form**2).terms()), self._zero) / 2


def _arrangements(indices: Sequence[int]) -> int:
    """Number of different orders of some indices."""
    return factorial(len(indices)) // prod(factorial(n) for n in Counter(indices).values())
