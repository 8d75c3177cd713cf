"""SymPy printers with the project's taste: positive terms first, exact fractions where they are exact."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy
from sympy.printing import latex as sympy_latex
from sympy.printing.jscode import JavascriptCodePrinter
from sympy.printing.latex import LatexPrinter as SympyLatexPrinter
from sympy.printing.pycode import PythonCodePrinter
from sympy.printing.str import StrPrinter

EXACT = 2**53  # whole numbers below are doubles


class PositiveFirst:
    """Mixin: sums begin with their positive terms, as one writes by hand."""

    def _as_ordered_terms(self, expr: sympy.Expr, order: Any = None) -> list[sympy.Expr]:
        terms = super()._as_ordered_terms(expr, order)  # type: ignore[misc]
        return sorted(terms, key=lambda term: bool(term.could_extract_minus_sign()))


class TextPrinter(PositiveFirst, StrPrinter):
    """Strings that SymPy parses."""


class LatexPrinter(PositiveFirst, SympyLatexPrinter):
    """LaTeX; symbol names through the setting `symbol_names`."""

    def terms(self, total: sympy.Add) -> list[sympy.Expr]:
        """The terms of a sum in the order in which they are printed."""
        return self._as_ordered_terms(total)


class PythonPrinter(PositiveFirst, PythonCodePrinter):
    """Python arithmetic on numbers and NumPy arrays alike."""

    def _print_Pow(self, expr: sympy.Pow, rational: bool = False) -> str:
        return str(super()._print_Pow(expr, rational=True))  # roots as x**(1/2)

    def _print_Pi(self, expr: sympy.Expr) -> str:
        return "np.pi"

    def _print_Rational(self, expr: sympy.Rational) -> str:
        return _rational(expr)


class JavascriptPrinter(PositiveFirst, JavascriptCodePrinter):
    """JavaScript arithmetic."""

    def _print_Rational(self, expr: sympy.Rational) -> str:
        return _rational(expr)

    def _print_Pow(self, expr: sympy.Pow) -> str:
        # x*x is quicker than Math.pow(x, 2) and, with a minus sign before it, legal where x**2 is not.
        if expr.base.is_Symbol and expr.exp == 2:
            return f"{expr.base}*{expr.base}"
        return str(super()._print_Pow(expr))


def as_text(expression: sympy.Expr) -> str:
    """Plain text that SymPy parses."""
    return str(TextPrinter().doprint(expression))


def latex_symbol(name: str) -> str:
    """Letter with indices, if it has any: w_0_1 gives w_{0,1}, lambda_0 a Greek letter."""
    letter, *indices = name.split("_")
    return sympy_latex(sympy.Symbol(letter)) + (f"_{{{','.join(indices)}}}" if indices else "")


def latex_align(rows: Iterable[str]) -> str:
    """Rows of aligned equations as an ``align*`` environment (package amsmath)."""
    return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}\n"


def _rational(value: sympy.Rational) -> str:
    """p/q where both are doubles, otherwise the nearest double, written shortest."""
    return f"{value.p}/{value.q}" if max(abs(value.p), value.q) < EXACT else repr(float(value))
