"""Polynomials in traces and bilinear forms of named matrices and vectors: arithmetic, derivatives, values.

Equal polynomials are equal objects, as their factors are (:mod:`dynamics.symbolic.trace_words`). How they are written
is in :mod:`dynamics.symbolic.trace_printing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.errors import ProblemError
from dynamics.symbolic import trace_printing
from dynamics.symbolic.trace_words import Factor, Letter, Monomial, Word, transpose
from dynamics.validation import validate_array, validate_symmetric

HALF = Fraction(1, 2)


Scalar = int | Fraction


@dataclass(frozen=True, repr=False)
class TracePolynomial:
    """Scalar polynomial Σ coefficient · ∏ factors, each factor a trace or a bilinear form.

    Attributes
    ----------
    terms : tuple of (monomial, coefficient)
        In canonical order, without zeros, so that equality of polynomials is ``==``.
    """

    terms: tuple[tuple[Monomial, Fraction], ...]

    @classmethod
    def collect(cls, terms: Iterable[tuple[Monomial, Scalar]]) -> TracePolynomial:
        """Sum of the given terms: like ones merged, zeros dropped, products of many factors first."""
        return cls(_collected(terms, key=lambda monomial: (-len(monomial), monomial)))

    def __add__(self, other: TracePolynomial) -> TracePolynomial:
        return TracePolynomial.collect(self.terms + other.terms)

    def __sub__(self, other: TracePolynomial) -> TracePolynomial:
        return self + (-1) * other

    def __neg__(self) -> TracePolynomial:
        return (-1) * self

    def __mul__(self, other: TracePolynomial | Scalar) -> TracePolynomial:
        if isinstance(other, TracePolynomial):
            return TracePolynomial.collect(
                (tuple(sorted(m + n)), b * c) for m, b in self.terms for n, c in other.terms
            )
        if isinstance(other, Scalar):
            return TracePolynomial.collect((m, other * c) for m, c in self.terms)
        return NotImplemented

    __rmul__ = __mul__

    def evaluate(self, values: Mapping[str, ArrayLike], dimension: int | None = None) -> float:
        """Number that the polynomial takes for given matrices and vectors.

        Parameters
        ----------
        values : mapping from name to array
            (d, d) arrays for matrices, (d,) for vectors; names that do not occur are ignored.
        dimension : int, optional
            d, needed only where no array says it.

        Raises
        ------
        ProblemError
            If a name is missing, shapes disagree or a matrix that counts as symmetric is not.
        """
        scalars = _Values(values, [(f.word, f) for m, _ in self.terms for f in m], dimension)
        return float(sum(float(c) * scalars.monomial(m) for m, c in self.terms))

    def gradient(self, symbol: str) -> MatrixPolynomial:
        """Derivative ∂/∂X with respect to the symmetric matrix X named `symbol`.

        The symmetric matrix-valued polynomial with d(self) = tr(gradient · dX) for every symmetric dX. An
        occurrence tr(X U) contributes ½(U + Uᵀ), an occurrence bᵀ U X V c contributes ½(V c bᵀ U + transpose).

        Raises
        ------
        ProblemError
            If the matrix was declared general (not symmetric).
        """
        terms: list[tuple[tuple[Monomial, Word], Scalar]] = []
        for monomial, coefficient in self.terms:
            for i, factor in enumerate(monomial):
                others = monomial[:i] + monomial[i + 1 :]
                for j, letter in enumerate(factor.word):
                    if letter.name != symbol or letter.partner:
                        continue
                    if letter.side:
                        raise ProblemError(f"`{symbol}` is general, but a gradient needs a symmetric matrix.")
                    dyad = () if factor.is_trace else (Letter(factor.right, 0, factor.left),)
                    cofactor = factor.word[j + 1 :] + dyad + factor.word[:j]
                    terms.append(((others, cofactor), coefficient * HALF))
                    terms.append(((others, transpose(cofactor)), coefficient * HALF))
        return MatrixPolynomial.collect(terms)

    def to_sympy(self, dimension: Any = None) -> Any:
        """SymPy expression in `Trace`, `MatMul` and `MatrixSymbol`, of symbolic dimension d unless given."""
        return trace_printing.to_sympy(self.terms, dimension)

    def latex(self) -> str:
        r"""LaTeX, for example ``\operatorname{tr}(A)^{2} + 2 \operatorname{tr}(A^{2})``."""
        return trace_printing.sum_of_terms(trace_printing.LATEX, [(c, m, None) for m, c in self.terms])

    def __str__(self) -> str:
        return trace_printing.sum_of_terms(trace_printing.TEXT, [(c, m, None) for m, c in self.terms])

    def __repr__(self) -> str:
        return f"<TracePolynomial: {self}>"

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"


@dataclass(frozen=True, repr=False)
class MatrixPolynomial:
    """Matrix-valued polynomial Σ coefficient · (∏ scalar factors) · word; the empty word is the identity.

    Attributes
    ----------
    terms : tuple of ((monomial, word), coefficient)
        In canonical order, without zeros.
    """

    terms: tuple[tuple[tuple[Monomial, Word], Fraction], ...]

    @classmethod
    def collect(cls, terms: Iterable[tuple[tuple[Monomial, Word], Scalar]]) -> MatrixPolynomial:
        """Sum of the given terms: like ones merged, zeros dropped, those without scalar factors first."""
        return cls(_collected(terms, key=lambda term: (len(term[0]), term)))

    def __add__(self, other: MatrixPolynomial) -> MatrixPolynomial:
        return MatrixPolynomial.collect(self.terms + other.terms)

    def __mul__(self, other: TracePolynomial | Scalar) -> MatrixPolynomial:
        if isinstance(other, TracePolynomial):
            return MatrixPolynomial.collect(
                ((tuple(sorted(m + n)), word), b * c) for (m, word), b in self.terms for n, c in other.terms
            )
        if isinstance(other, Scalar):
            return MatrixPolynomial.collect((key, other * c) for key, c in self.terms)
        return NotImplemented

    __rmul__ = __mul__

    def evaluate(self, values: Mapping[str, ArrayLike], dimension: int | None = None) -> NDArray[np.float64]:
        """(d, d) array that the polynomial takes for given matrices and vectors.

        Takes and refuses what `TracePolynomial.evaluate` does.
        """
        used: list[tuple[Word, Factor | None]] = [(word, None) for (_, word), _ in self.terms]
        used += [(f.word, f) for (m, _), _ in self.terms for f in m]
        numbers = _Values(values, used, dimension)
        total = np.zeros((numbers.dimension, numbers.dimension))
        for (monomial, word), c in self.terms:
            total += float(c) * numbers.monomial(monomial) * numbers.word(word)
        return total

    def latex(self) -> str:
        r"""LaTeX, for example ``4 D + 2 \operatorname{tr}(D) I``."""
        return trace_printing.sum_of_terms(trace_printing.LATEX, [(c, m, w) for (m, w), c in self.terms])

    def __str__(self) -> str:
        return trace_printing.sum_of_terms(trace_printing.TEXT, [(c, m, w) for (m, w), c in self.terms])

    def __repr__(self) -> str:
        return f"<MatrixPolynomial: {self}>"

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"


def _collected(terms: Iterable[tuple[Any, Scalar]], key: Any) -> tuple[tuple[Any, Fraction], ...]:
    total: dict[Any, Fraction] = {}
    for term, coefficient in terms:
        total[term] = total.get(term, Fraction(0)) + coefficient
    return tuple((term, total[term]) for term in sorted(total, key=key) if total[term])


class _Values:
    """Checked arrays for the letters and vectors of a polynomial; each factor is computed once."""

    def __init__(
        self,
        values: Mapping[str, ArrayLike],
        used: Sequence[tuple[Word, Factor | None]],
        dimension: int | None,
    ) -> None:
        letters = {letter for word, _ in used for letter in word}
        vectors = {name for _, f in used if f is not None and not f.is_trace for name in (f.left, f.right)}
        vectors |= {name for letter in letters if letter.partner for name in (letter.name, letter.partner)}
        general = {letter.name for letter in letters if letter.side}
        matrices = {letter.name for letter in letters if not letter.partner}
        for name in sorted(matrices | vectors):
            if name not in values:
                raise ProblemError(f"`values` lacks {name!r}, but must hold: {sorted(matrices | vectors)}.")
        self._arrays: dict[str, NDArray] = {n: validate_array(n, values[n], 1) for n in vectors}
        for n in matrices:
            check = validate_array(n, values[n], 2) if n in general else validate_symmetric(n, values[n])
            self._arrays[n] = check
        sizes = {size for array in self._arrays.values() for size in array.shape}
        sizes |= set() if dimension is None else {dimension}
        if len(sizes) > 1:
            raise ProblemError(
                f"`values` have the sizes {sorted(sizes)}, but must all have the same dimension."
            )
        self._d = sizes.pop() if sizes else None
        self._factors: dict[Factor, float] = {}

    @property
    def dimension(self) -> int:
        """The dimension d, where an identity needs it."""
        if self._d is None:
            raise ProblemError("`dimension` is needed, as no matrix or vector says what it is.")
        return self._d

    def monomial(self, monomial: Monomial) -> float:
        for factor in monomial:
            if factor not in self._factors:
                self._factors[factor] = self._factor(factor)
        return float(np.prod([self._factors[factor] for factor in monomial]))

    def _factor(self, factor: Factor) -> float:
        if factor.is_trace:
            return float(np.trace(self.word(factor.word)))
        return float(self._arrays[factor.left] @ self.word(factor.word) @ self._arrays[factor.right])

    def word(self, word: Word) -> NDArray[np.float64]:
        return reduce(np.matmul, [self._letter(letter) for letter in word], np.eye(self.dimension))

    def _letter(self, letter: Letter) -> NDArray[np.float64]:
        if letter.partner:
            return np.outer(self._arrays[letter.name], self._arrays[letter.partner])
        return self._arrays[letter.name].T if letter.side == 2 else self._arrays[letter.name]
