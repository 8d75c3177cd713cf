"""Networks as polynomials f(x; θ): the symbolic form from which laws are found and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sympy
from sympy import QQ, ZZ
from sympy.polys.rings import PolyElement, PolyRing

from dynamics.errors import ProblemError
from dynamics.laws.law import Law


@dataclass(frozen=True)
class PolynomialNetwork:
    """A network f_o(x; θ), polynomial in inputs and parameters with rational coefficients.

    Parameters
    ----------
    name : str
        What the model is called.
    parameters : tuple of D symbols
        The trained parameters θ, in the order of flat parameter vectors (W row by row, then A row by row).
    inputs : tuple of symbols
        The inputs x.
    outputs : tuple of O expressions
        f_o(x; θ); decimal numbers are read as the rationals they spell.
    rates : tuple of D numbers, optional
        Learning rates η_j, rational and positive; all 1 if left out.
    family : callable, optional
        Returns the laws that are known explicitly.

    Raises
    ------
    ProblemError
        If the outputs are not such polynomials, do not depend on the parameters, or the symbols or rates do
        not fit.
    """

    name: str
    parameters: tuple[sympy.Symbol, ...]
    inputs: tuple[sympy.Symbol, ...]
    outputs: tuple[sympy.Expr, ...]
    rates: tuple[Any, ...] = ()
    family: Callable[[], list[Law]] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        symbols = (*self.inputs, *self.parameters)
        if not self.parameters or not all(isinstance(s, sympy.Symbol) for s in symbols):
            raise ProblemError(
                f"`parameters` are {self.parameters}, but must be one or more SymPy symbols, like the inputs."
            )
        if len(set(map(str, symbols))) < len(symbols):
            raise ProblemError("`inputs` and `parameters` share a name, but all symbols must be distinct.")
        rates = tuple(exact_rational("rates", rate) for rate in self.rates or [1] * len(self.parameters))
        if len(rates) != len(self.parameters) or min(rates) <= 0:
            raise ProblemError(
                f"`rates` are {', '.join(map(str, rates))}, but must be {len(self.parameters)} positive"
                " numbers, one per parameter."
            )
        object.__setattr__(self, "rates", rates)
        if not self.potentials:
            raise ProblemError("`outputs` do not depend on the parameters, so there is nothing to train.")

    @cached_property
    def coefficients(self) -> dict[tuple[int, tuple[int, ...]], PolyElement]:
        """The coefficient map φ(θ): (output, exponents of x) ↦ polynomial in the parameters over ℚ."""
        joint = PolyRing([*self.inputs, *self.parameters], QQ)
        ring = PolyRing(self.parameters, QQ)
        split = len(self.inputs)
        terms: dict[tuple[int, tuple[int, ...]], dict] = {}
        for o, output in enumerate(self.outputs):
            for exponents, value in polynomial_in("outputs", output, joint).items():
                terms.setdefault((o, exponents[:split]), {})[exponents[split:]] = value
        return {key: ring.from_dict(coefficient) for key, coefficient in terms.items()}

    @cached_property
    def potentials(self) -> tuple[PolyElement, ...]:
        """The distinct φ_i up to factors and constants, with coprime integer coefficients."""
        return integer_potentials(self.coefficients.values())


def polynomial_in(name: str, expression: Any, ring: PolyRing) -> PolyElement:
    """Element of a polynomial ring over ℚ, or `ProblemError`; decimal numbers are read as they are spelt."""
    try:
        exact = sympy.sympify(expression, strict=True)
        return ring.from_expr(sympy.nsimplify(exact, rational=True) if exact.has(sympy.Float) else exact)
    except (sympy.SympifyError, ValueError, TypeError, AttributeError):
        raise ProblemError(
            f"`{name}` is {expression}, but must be a polynomial with rational coefficients in"
            f" {', '.join(map(str, ring.symbols))}."
        ) from None


def integer_potentials(polynomials: Iterable[PolyElement]) -> tuple[PolyElement, ...]:
    """Non-constant polynomials scaled to coprime integers, without their constant terms, each once."""
    kept: dict[PolyElement, None] = {}
    for polynomial in polynomials:
        varying = polynomial - polynomial.coeff(1)
        if varying:
            integral = varying.clear_denoms()[1].set_ring(varying.ring.clone(domain=ZZ))
            primitive = integral.primitive()[1]
            kept[primitive if primitive.LC > 0 else -primitive] = None
    return tuple(kept)


def exact_rational(name: str, value: Any) -> sympy.Rational:
    """Exact rational number; a decimal is read as it is spelt, so 0.1 is 1/10."""
    try:
        number = sympy.nsimplify(sympy.sympify(value, strict=True), rational=True)
    except (sympy.SympifyError, TypeError, ValueError, AttributeError):
        number = sympy.nan
    if not number.is_Rational:
        raise ProblemError(f"`{name}` contains {value!r}, but must hold finite rational numbers.")
    return number
