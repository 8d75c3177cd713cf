"""Words of named matrices, and what is read off them: traces tr(A B …) and bilinear forms bᵀ A B … c.

A matrix is a *letter*, a product of matrices a *word*. Traces are equal under cyclic rotation and reversal of
their word, tr(ABC) = tr(BCA) = tr(CᵀBᵀAᵀ), bilinear forms under reversal: each is kept as its smallest form, so
that equal ones are equal objects.
"""

from __future__ import annotations

from typing import NamedTuple


class Letter(NamedTuple):
    """A matrix in a word: symmetric (side 0), as given (side 1), transposed (side 2), or the dyad b cᵀ."""

    name: str
    side: int = 0
    partner: str = ""  # c, where the letter is the dyad b cᵀ and `name` is b

    @property
    def T(self) -> Letter:
        """The transposed matrix."""
        return Letter(self.partner, 0, self.name) if self.partner else Letter(self.name, (0, 2, 1)[self.side])


Word = tuple[Letter, ...]


def transpose(word: Word) -> Word:
    """(AB)ᵀ = BᵀAᵀ."""
    return tuple(letter.T for letter in reversed(word))


class Factor(NamedTuple):
    """A trace tr(word), when `left` and `right` are empty, or the bilinear form leftᵀ word right."""

    left: str
    word: Word
    right: str

    @classmethod
    def trace(cls, word: Word) -> Factor:
        """tr(word), the smallest of all rotations of the word and of its transpose."""
        rotations = (w[i:] + w[:i] for w in (word, transpose(word)) for i in range(max(len(w), 1)))
        return cls("", min(rotations), "")

    @classmethod
    def form(cls, left: str, word: Word, right: str) -> Factor:
        """leftᵀ word right, or its transpose if that is smaller."""
        factor = cls(left, word, right)
        return min(factor, factor.reversed())

    def reversed(self) -> Factor:
        """The same number, read from right to left."""
        return Factor(self.right, transpose(self.word), self.left)

    @property
    def is_trace(self) -> bool:
        """Whether this is tr(word) rather than a bilinear form."""
        return not self.left


Monomial = tuple[Factor, ...]  # sorted; the empty monomial is the number 1
