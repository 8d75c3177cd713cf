"""Pair kernels of functions that have no closed form: by their Hermite coefficients, from quadrature.

With α_n(s) = E φ(sz) h_n(z), h_n = He_n/√n!, and r the cosine of two vectors of lengths s and t,

    K_ij = s⁻ⁱ t⁻ʲ Σ_n rⁿ [(n+1)…(n+i)]^{1/2} α_{n+i}(s) [(n+1)…(n+j)]^{1/2} β_{n+j}(t)

(integration by parts; derived here), so that gradient and Hessian need φ alone, no derivative of it. For φ analytic in
a strip |Im z| < δ some (11.5 s/δ)² terms give ten digits at |r| = 1, 23/ln(1/|r|) are always enough, and coefficients
come from a trapezoidal rule, which is exact to rounding for such functions. Where 800 terms do not do, as for long
vectors and for kinks, the kernel refuses. Short vectors lose digits: derivatives are divided by powers of their length.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ComputationError
from dynamics.population.gram_pairs import GramPairs, orders

TERMS = (60, 120, 240, 480, 800)
TOLERANCE = 1e-11  # of the terms that are left out, relative to the largest
LAST = 12  # terms by which they are judged
HIGHEST_ORDER = 4  # of a derivative

Phi = Callable[[Any, Any], Any]


@lru_cache(maxsize=len(TERMS))
def hermite_rule(terms: int) -> tuple[Array, Array]:
    """Nodes z (m,) and rows w h_n(z), n < terms (terms, m), for expectations with the first normalised polynomials."""
    reach, step = 2 * np.sqrt(terms) + 9, min(0.12, 1.6 / np.sqrt(terms))
    z = np.arange(-reach, reach + step, step)
    root = np.exp(-(z**2) / 4) * np.sqrt(step / np.sqrt(2 * np.pi))
    rows = [root, z * root]
    for n in range(1, terms - 1):
        rows.append((z * rows[n] - np.sqrt(n) * rows[n - 1]) / np.sqrt(n + 1))
    return z, np.array(rows[:terms]) * root


def hermite_coefficients(phi: Phi, sizes: Array, terms: int) -> Array:
    """α_n(s) of lengths s (m,), (terms, m)."""
    z, rule = hermite_rule(terms)
    x = z[:, None] * sizes
    return rule @ np.asarray(phi(x, sizes**2))


@dataclass(frozen=True)
class HermiteKernel:
    """κ of two functions φ(z, q) that do not depend on q.

    Parameters
    ----------
    left, right : callable (z, q) → φ
    names : (str, str)
        Of both, for messages.
    """

    left: Phi
    right: Phi
    names: tuple[str, str]

    def __call__(self, pairs: GramPairs, *by: str) -> list[Array]:
        """Derivatives of κ, see `dynamics.population.gram_pairs.PairKernel`.

        Raises
        ------
        ComputationError
            If 800 terms are not enough.
        """
        s, t = np.sqrt(pairs.q1[:, 0]), np.sqrt(pairs.q2)
        lengths = s[:, None] * t
        r = np.clip(np.divide(pairs.s, lengths, out=np.zeros_like(pairs.s), where=lengths > 0), -1, 1)
        wanted = [orders(name) for name in by]
        for terms in TERMS:
            alpha, beta = (
                hermite_coefficients(phi, x, terms + HIGHEST_ORDER)
                for phi, x in ((self.left, s), (self.right, t))
            )
            entries = [c * self._entry(alpha, beta, s, t, r, i, j, terms) for i, j, c in wanted]
            if all(_converged(entry) for entry in entries):
                return [entry.sum(axis=0) for entry in entries]
        raise ComputationError(
            f"The pair kernel of {self.names[0]!r} and {self.names[1]!r} needs more than {TERMS[-1]} Hermite terms for "
            f"weights of lengths up to {max(s.max(initial=0.0), t.max(initial=0.0)):.3g}: use shorter weights, or an "
            "activation with an expansion."
        )

    def _entry(
        self, alpha: Array, beta: Array, s: Array, t: Array, r: Array, i: int, j: int, terms: int
    ) -> Array:
        """The terms of K_ij, (terms, K, n)."""
        left, right = _derivative(alpha, s, i, terms), _derivative(beta, t, j, terms)
        return left[:, :, None] * right[:, None, :] * r ** np.arange(terms)[:, None, None]


def _derivative(alpha: Array, s: Array, order: int, terms: int) -> Array:
    """Coefficients of a derivative, (terms, m); zero for vectors of length zero."""
    n = np.arange(terms)[:, None]
    factor = np.ones_like(n, dtype=float)
    for k in range(1, order + 1):
        factor = factor * np.sqrt(n + k)
    inverse = np.divide(1.0, s, out=np.zeros_like(s), where=s > 0) if order else np.ones_like(s)
    return np.asarray(factor * alpha[order : order + terms] * inverse**order)


def _converged(entry: Array) -> bool:
    """Whether the last terms are negligible, for the largest of each pair and of all pairs."""
    sizes = np.abs(entry)
    return bool(sizes[-LAST:].sum(axis=0).max(initial=0.0) <= TOLERANCE * max(sizes.max(initial=0.0), 1e-300))
