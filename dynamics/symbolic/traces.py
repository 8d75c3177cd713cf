"""Gaussian moments without indices: E[∏ xᵀA_i x · ∏ b_j·x] as traces of products and bilinear forms.

Isserlis' theorem pairs up the legs (the factors x) of a product of forms. Following the pairing from form to
form, every form lies on a closed cycle, which gives the trace of a word tr(A Σ B Σ …), or on an open chain that
ends in vectors, which gives a bilinear form bᵀ Σ A Σ c. The result holds for every dimension d.

The polynomials themselves, with their arithmetic, derivative and values, are in :mod:`dynamics.symbolic.trace_algebra`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction

from dynamics.errors import ProblemError
from dynamics.symbolic.trace_algebra import TracePolynomial
from dynamics.symbolic.trace_words import Factor, Letter, Monomial, Word

OPEN = ""  # the end of a strand that still is a leg x; otherwise the name of the vector that closes it

Strands = tuple[Factor, ...]  # with open ends: the integrand, partly contracted


def form_moment(
    quadratics: Sequence[str | Sequence[str]] = (),
    vectors: Sequence[str] = (),
    *,
    covariance: str | None = None,
    mean: str | None = None,
    general: Collection[str] = (),
) -> TracePolynomial:
    """Moment E[∏_i xᵀA_i x · ∏_j b_j·x] under x ~ N(μ, Σ), valid for every dimension.

    Parameters
    ----------
    quadratics : sequence of str or of sequences of str
        Names of the matrices A_i; a sequence of names is a product, ``("A", "B")`` meaning xᵀABx and ``()``
        meaning xᵀx. Repeating a name gives powers.
    vectors : sequence of str
        Names of the vectors b_j.
    covariance : str, optional
        Name of Σ; left out, Σ = I and no letter is written for it.
    mean : str, optional
        Name of μ; left out, μ = 0.
    general : collection of str
        Those matrices that are not symmetric; all others are. Their transposes are kept apart.

    Returns
    -------
    TracePolynomial
        With whole coefficients, which add up to the number of (with a mean: partial) pairings of the legs.

    Raises
    ------
    ProblemError
        If a name is not an identifier or stands for both a matrix and a vector.

    Notes
    -----
    Stein's form of Isserlis' theorem, one leg at a time, as in :mod:`dynamics.symbolic.moments`; joining two legs joins
    two strands. Equal strands are met once only: the recursion is remembered.

    Examples
    --------
    >>> print(form_moment(["A", "A"]))
    tr(A)^2 + 2 tr(A^2)
    """
    words = [(name,) if isinstance(name, str) else tuple(name) for name in quadratics]
    matrices = {name for word in words for name in word} | ({covariance} if covariance is not None else set())
    ends = set(vectors) | ({mean} if mean is not None else set())
    _validate_names(matrices, ends, set(general), covariance)

    def letter(name: str) -> Letter:
        return Letter(name, 1 if name in general else 0)

    strands = [Factor(OPEN, tuple(letter(name) for name in word), OPEN) for word in words]
    strands += [Factor(name, (), OPEN) for name in vectors]
    link = () if covariance is None else (Letter(covariance),)
    return TracePolynomial.collect(_Contraction(link, mean)(_sorted(strands)).items())


class _Contraction:
    """Stein's recursion on strands, remembering the moment of every set of strands met."""

    def __init__(self, link: Word, mean: str | None) -> None:
        self._link = link  # Σ, written where two legs meet; the empty word for Σ = I
        self._mean = mean
        self._known: dict[Strands, dict[Monomial, Fraction]] = {(): {(): Fraction(1)}}

    def __call__(self, strands: Strands) -> dict[Monomial, Fraction]:
        if strands not in self._known:
            self._known[strands] = self._contract(strands[0], strands[1:])
        return self._known[strands]

    def _contract(self, first: Factor, rest: Strands) -> dict[Monomial, Fraction]:
        """Pair one open leg of the first strand with the mean and with every other leg in turn."""
        strand = first if first.right == OPEN else first.reversed()
        left, word = strand.left, strand.word
        total: dict[Monomial, Fraction] = {}
        if self._mean is not None:
            self._add(total, Factor(left, word, self._mean), rest)
        if left == OPEN:  # both ends of the strand meet: a cycle
            self._close(total, Factor.trace(word + self._link), rest)
        for i, other in enumerate(rest):
            remaining = rest[:i] + rest[i + 1 :]
            for partner in (other, other.reversed()):
                if partner.left == OPEN:
                    joined = Factor(left, word + self._link + partner.word, partner.right)
                    self._add(total, joined, remaining)
        return total

    def _add(self, total: dict[Monomial, Fraction], strand: Factor, rest: Strands) -> None:
        if OPEN in (strand.left, strand.right):
            for monomial, count in self(_sorted([strand, *rest])).items():
                total[monomial] = total.get(monomial, Fraction(0)) + count
        else:
            self._close(total, Factor.form(strand.left, strand.word, strand.right), rest)

    def _close(self, total: dict[Monomial, Fraction], factor: Factor, rest: Strands) -> None:
        for monomial, count in self(rest).items():
            product = tuple(sorted((*monomial, factor)))
            total[product] = total.get(product, Fraction(0)) + count


def _sorted(strands: Sequence[Factor]) -> Strands:
    """One representative of all orders and orientations of the strands."""
    return tuple(sorted(min(strand, strand.reversed()) for strand in strands))


def _validate_names(matrices: set[str], vectors: set[str], general: set[str], covariance: str | None) -> None:
    for name in matrices | vectors:
        if not isinstance(name, str) or not name.isidentifier():
            raise ProblemError(f"{name!r} is no name for a matrix or vector: use letters, digits and _.")
    for name in matrices & vectors:
        raise ProblemError(f"`{name}` names both a matrix and a vector, but must be one of them.")
    if covariance in general:
        raise ProblemError(
            f"`{covariance}` is the covariance, which is symmetric: do not list it as general."
        )
    for name in general - matrices:
        raise ProblemError(f"`general` names {name!r}, which is not among the matrices {sorted(matrices)}.")
