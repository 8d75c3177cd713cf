"""From text to an expression without running it: arithmetic on names and numbers, and nothing else.

SymPy's own reader hands text to Python, which does whatever the text says. Here Python's grammar only takes it apart;
names become symbols, numbers become rationals, the operators + - * / ** (or ^) join them, and all else is refused. What
would grow without end is refused before anything is multiplied out: number of terms, degree and digits of the expanded
polynomial are bounded on the way up.
"""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy

from dynamics.errors import ProblemError

LONGEST = 20_000  # characters
LARGEST_EXPONENT = 64
LARGEST_DEGREE = 256
MOST_TERMS = 20_000  # of the expanded polynomial
LARGEST_BITS = 4096  # of numerators and denominators
SHOWN = 60  # characters of the text that a message repeats

CONSTANTS = {"E", "I", "pi", "oo", "zoo", "nan"}  # SymPy reads these names as numbers, none of them rational


@dataclass(frozen=True)
class _Part:
    """An expression, and bounds of its expanded form.

    ``height`` / ``denominator`` bounds the sum of the sizes of the coefficients, which is submultiplicative, over a
    common denominator of them all.
    """

    value: sympy.Expr
    terms: int
    degree: int
    height: int
    denominator: int

    def __post_init__(self) -> None:
        _check(self.terms, self.degree, max(self.height.bit_length(), self.denominator.bit_length()))


class _Refused(ValueError):
    """Why a text is no expression, as the end of a sentence."""


def parse_expression(name: str, text: str) -> sympy.Expr:
    """Polynomial expression in a text such as ``a*(w*x_0)**2``.

    Parameters
    ----------
    name : str
        What the text is called in messages.
    text : str
        Names, numbers, + - * / ** (or ^ for a power) and parentheses; decimals are read as they are spelt, and only
        numbers may divide.

    Raises
    ------
    ProblemError
        If it is anything else, or its expanded form would be huge.
    """
    source = text.strip().replace("^", "**")
    try:
        if len(source) > LONGEST:
            raise _Refused(f"it has {len(source)} characters, and at most {LONGEST} are allowed")
        if "#" in source:  # Python would take the rest for a comment
            raise _Refused("'#' is none of these")
        return _part(ast.parse(source, mode="eval").body, source).value
    except _Refused as error:
        why = str(error)
    except (RecursionError, MemoryError):  # Python's parser raises the second where its stack is full
        why = "it is nested too deeply, or one sum of too many terms"
    except (SyntaxError, ValueError):
        why = "it does not follow the rules of arithmetic"
    shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    raise ProblemError(
        f"`{name}` is {shown!r}, but must be a polynomial made of names, numbers, + - * / ** and parentheses: {why}."
    )


def symbolic_matrix(value: Any) -> sympy.Matrix:
    """SymPy matrix of numbers and expressions; an entry that is text raises SympifyError, since SymPy would run it."""
    if not isinstance(value, sympy.MatrixBase):
        for entry in np.array(value, dtype=object).flat:
            sympy.sympify(entry, strict=True)
    return sympy.Matrix(value)


def _part(node: ast.expr, source: str) -> _Part:
    match node:
        case ast.Name(id=name):
            if name in CONSTANTS:
                raise _Refused(f"{name} is no rational number, and no name for a parameter")
            return _Part(sympy.Symbol(name), 1, 1, 1, 1)
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return _number(value, ast.get_source_segment(source, node) or "")
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _part(operand, source)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            part = _part(operand, source)
            return replace(part, value=-part.value)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_part(left, source), _part(right, source))
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _quotient(_part(left, source), _part(right, source))
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _product(_part(left, source), _part(right, source))
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
            return _sum(_part(left, source), _part(right, source), 1 if isinstance(op, ast.Add) else -1)
    raise _Refused(f"{_shown(ast.get_source_segment(source, node))} is none of these")


def _shown(text: str | None) -> str:
    return repr(text if text and len(text) <= SHOWN else f"{(text or '')[:SHOWN]}…")


def _number(value: float, spelling: str) -> _Part:
    """Integer, or decimal as it is spelt; beyond the range of doubles its exponent would mean endless digits."""
    if isinstance(value, int):
        exact = sympy.Integer(value)
    else:
        exact = sympy.Rational(spelling.replace("_", "")) if 1e-300 < value < 1e300 else sympy.nan
        if value == 0 and not any(digit in spelling.lower().partition("e")[0] for digit in "123456789"):
            exact = sympy.Integer(0)
    if not exact.is_Rational:
        raise _Refused(f"{_shown(spelling)} is beyond the range of numbers")
    return _Part(exact, 1, 0, abs(exact.p), exact.q)


def _sum(a: _Part, b: _Part, sign: int) -> _Part:
    common = math.lcm(a.denominator, b.denominator)
    height = a.height * (common // a.denominator) + b.height * (common // b.denominator)
    return _Part(a.value + sign * b.value, a.terms + b.terms, max(a.degree, b.degree), height, common)


def _product(a: _Part, b: _Part) -> _Part:
    terms, degree = a.terms * b.terms, a.degree + b.degree
    _check(terms, degree, 1)  # before SymPy multiplies anything out
    return _Part(a.value * b.value, terms, degree, a.height * b.height, a.denominator * b.denominator)


def _quotient(a: _Part, b: _Part) -> _Part:
    if not b.value.is_Rational or b.value == 0:
        raise _Refused(f"it divides by {_shown(str(b.value))}, but only numbers other than 0 may divide")
    p, q = abs(b.value.p), b.value.q
    return _Part(a.value / b.value, a.terms, a.degree, a.height * q, a.denominator * p)


def _power(base: _Part, exponent: _Part) -> _Part:
    n = exponent.value
    if not (n.is_Integer and 0 <= n <= LARGEST_EXPONENT):
        raise _Refused(f"the exponent {_shown(str(n))} is no whole number from 0 to {LARGEST_EXPONENT}")
    n = int(n)
    terms, degree = math.comb(base.terms + n - 1, n), base.degree * n
    _check(terms, degree, n * max(base.height.bit_length(), base.denominator.bit_length()))
    return _Part(base.value**n, terms, degree, base.height**n, base.denominator**n)


def _check(terms: int, degree: int, bits: int) -> None:
    if terms > MOST_TERMS:
        raise _Refused(f"multiplied out it could have more than {MOST_TERMS} terms")
    if degree > LARGEST_DEGREE:
        raise _Refused(f"its degree could exceed {LARGEST_DEGREE}")
    if bits > LARGEST_BITS:
        raise _Refused(f"its numbers could have more than {LARGEST_BITS * 3 // 10} digits")
