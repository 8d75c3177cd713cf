"""How trace polynomials are written: plain text, LaTeX and SymPy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import Any

import sympy
from sympy.printing.pretty.pretty_symbology import greek_unicode

from dynamics.symbolic.trace_words import Factor, Letter, Monomial, Word

_GREEK_NAMES = {letter: name for name, letter in greek_unicode.items()}


@dataclass(frozen=True)
class Style:
    """The few places where plain text and LaTeX differ."""

    name: Callable[[str], str]
    transposed: str
    trace: Callable[[str], str]
    power: Callable[[str, int], str]
    fraction: Callable[[Fraction], str]


def _text_name(name: str) -> str:
    return greek_unicode.get(name, name)


def _latex_name(name: str) -> str:
    return str(sympy.latex(sympy.Symbol(_GREEK_NAMES.get(name, name))))


TEXT = Style(
    name=_text_name,
    transposed="ᵀ",
    trace=lambda word: f"tr({word})",
    power=lambda base, n: f"{base}^{n}",
    fraction=str,
)
LATEX = Style(
    name=_latex_name,
    transposed=r"^{\top}",
    trace=lambda word: rf"\operatorname{{tr}}({word})",
    power=lambda base, n: f"{base}^{{{n}}}",
    fraction=lambda c: str(c) if c.denominator == 1 else rf"\frac{{{c.numerator}}}{{{c.denominator}}}",
)


def sum_of_terms(style: Style, terms: Iterable[tuple[Fraction, Monomial, Word | None]]) -> str:
    """Sum of coefficient · factors (· word, the empty one written I, for matrix polynomials)."""
    text = ""
    for coefficient, monomial, word in terms:
        alone = len(monomial) == 1 and word is None
        parts = [
            _power(style, _factor(style, factor, bare=alone or factor.is_trace), len(list(run)))
            for factor, run in groupby(monomial)
        ]
        if word is not None:
            parts.append(_word(style, word))
        if abs(coefficient) != 1 or not parts:
            parts.insert(0, style.fraction(abs(coefficient)))
        sign = "-" if coefficient < 0 else "+"
        text += (f" {sign} " if text else sign.strip("+")) + " ".join(parts)
    return text or "0"


def _factor(style: Style, factor: Factor, bare: bool) -> str:
    if factor.is_trace:
        return style.trace(_word(style, factor.word)) if factor.word else "d"
    left, right = style.name(factor.left) + style.transposed, style.name(factor.right)
    form = " ".join([left, _word(style, factor.word), right] if factor.word else [left, right])
    return form if bare else f"({form})"


def _word(style: Style, word: Word) -> str:
    """Product of letters with powers collapsed: A A B → A^2 B, A B A B → (A B)^2."""
    if not word:
        return "I"
    period = next(
        p for p in range(1, len(word) + 1) if len(word) % p == 0 and word[:p] * (len(word) // p) == word
    )
    if 1 < period < len(word):
        return _power(style, f"({_word(style, word[:period])})", len(word) // period)
    return " ".join(_run(style, letter, len(list(run))) for letter, run in groupby(word))


def _run(style: Style, letter: Letter, length: int) -> str:
    text = _letter(style, letter)
    return _power(style, f"({text})" if length > 1 and (letter.side == 2 or letter.partner) else text, length)


def _letter(style: Style, letter: Letter) -> str:
    if letter.partner:
        return f"{style.name(letter.name)} {style.name(letter.partner)}{style.transposed}"
    return style.name(letter.name) + (style.transposed if letter.side == 2 else "")


def _power(style: Style, base: str, exponent: int) -> str:
    return base if exponent == 1 else style.power(base, exponent)


def to_sympy(terms: Sequence[tuple[Monomial, Fraction]], dimension: Any = None) -> Any:
    """Sum of products of `Trace(MatMul(…))`; a bilinear form is the trace of its 1 × 1 matrix."""
    d = (
        sympy.Symbol("d", integer=True, positive=True)
        if dimension is None
        else sympy.sympify(dimension, strict=True)
    )

    def letter(item: Letter) -> Any:
        if item.partner:
            return vector(item.name) * vector(item.partner).T
        symbol = sympy.MatrixSymbol(item.name, d, d)
        return symbol.T if item.side == 2 else symbol

    def vector(name: str) -> Any:
        return sympy.MatrixSymbol(name, d, 1)

    def number(factor: Factor) -> Any:
        matrices = [letter(item) for item in factor.word]
        if factor.is_trace:
            return sympy.Trace(sympy.MatMul(*matrices).doit()) if matrices else d
        return sympy.Trace(sympy.MatMul(vector(factor.left).T, *matrices, vector(factor.right)).doit())

    return sympy.Add(
        *(
            sympy.Rational(c.numerator, c.denominator) * sympy.Mul(*(number(f) for f in monomial))
            for monomial, c in terms
        )
    )
