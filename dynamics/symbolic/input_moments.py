"""Exact moments of the laws of the inputs, which a derivation takes its expectations from.

Gaussian ones come from Isserlis' theorem. Where rotations leave a law as it is, those of order 2h are γ_h times the
Gaussian ones. Those of independent symmetric coordinates are products, E x^α = Π E x_i^{α_i}, with E x² = 1,
E x⁴ = κ + 3 and higher ones that belong to the law at hand (derived here).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy

from dynamics.errors import ProblemError
from dynamics.inputs.laws import GAUSSIAN, Independent, InputLaw, parse_law
from dynamics.symbolic.exact import exact_number
from dynamics.symbolic.moments import Exponents

KAPPA = sympy.Symbol("kappa")
SYMBOLIC = "independent:symbolic"
KNOWN = "laws that rotations leave as they are and independent coordinates"
SUBJECT = "the symbolic flow of given sizes"

Moments = Callable[[Exponents], Any]


@dataclass(frozen=True)
class ExactLaw:
    """A law of the inputs and its moments.

    Parameters
    ----------
    law : InputLaw
        Bound to the number of inputs.
    kappa : expression, optional
        κ of independent coordinates, a number or the symbol ``kappa``; None of other laws.
    """

    law: InputLaw = GAUSSIAN
    kappa: sympy.Expr | None = None

    @classmethod
    def of(cls, distribution: InputLaw | str, inputs: int, correlated: bool) -> ExactLaw:
        """The law of a name in so many dimensions; "independent:symbolic" leaves κ free.

        Raises
        ------
        ProblemError
            If there is none, its moments are not known, or those of correlated inputs are not.
        """
        free = distribution == SYMBOLIC
        law = (Independent(0.0) if free else parse_law(distribution)).bound(inputs)
        if law.clock is not None:
            return cls(law)
        if law.kurtosis is None:
            raise ProblemError(f"`{law.option}` is {law.name!r}, but {SUBJECT} is known only for {KNOWN}.")
        if correlated:
            name = SYMBOLIC if free else law.name
            raise ProblemError(
                f"`distribution` is {name!r} and `covariance` is given, but {SUBJECT} is known only for uncorrelated"
                " independent coordinates."
            )
        return cls(law, KAPPA if free else exact_number("distribution", law.kurtosis))

    @property
    def symbols(self) -> tuple[sympy.Symbol, ...]:
        """``kappa`` where it is free."""
        return (KAPPA,) if self.kappa is KAPPA else ()

    @property
    def name(self) -> str:
        """As on the command line."""
        return SYMBOLIC if self.symbols else self.law.name

    def moments(self, gaussian: Moments, element: Callable[[sympy.Expr], Any]) -> Moments:
        """E x^α, an element of a ring, from the Gaussian ones and the ring's own way to read numbers.

        Raises
        ------
        ProblemError
            By the function that is returned, if the moment is infinite.
        """
        return self._products(element) if self.kappa is not None else self._scaled(gaussian, element)

    def _scaled(self, gaussian: Moments, element: Callable[[sympy.Expr], Any]) -> Moments:
        """γ_h times the Gaussian ones."""

        def moment(alpha: Exponents) -> Any:
            if sum(alpha) % 2:
                return element(sympy.S.Zero)
            gamma = self.law.radial(sum(alpha) // 2)
            if gamma is None:
                raise ProblemError(
                    f"`distribution` is {self.law.name!r}, but moments of order {sum(alpha)}, which the loss is made"
                    f" of, are finite only for NU above {sum(alpha)}."
                )
            return element(sympy.Rational(gamma)) * gaussian(alpha)

        return moment

    def _products(self, element: Callable[[sympy.Expr], Any]) -> Moments:
        """Products of the moments of single coordinates."""

        def moment(alpha: Exponents) -> Any:
            if any(n % 2 for n in alpha):
                return element(sympy.S.Zero)
            factors = (
                sympy.sympify(self.law.coordinate_moment(n, self.kappa), strict=True) for n in alpha if n
            )
            return element(sympy.Mul(*factors))

        return moment

    def words(self, covariance: str) -> str:
        """The law in a description, "x ~ N(0, I)" say."""
        if self.law.gaussian:
            return f"x ~ N(0, {covariance})"
        return f"x of the law {self.name}, covariance {covariance}"


GAUSSIAN_LAW = ExactLaw()
