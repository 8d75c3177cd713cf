"""Activations with parameters: polynomials, Hermite polynomials, leaky ReLUs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from math import factorial, sqrt
from typing import Any

import numpy as np

from dynamics.activations import functions
from dynamics.activations.base import Activation, register_family
from dynamics.errors import ProblemError
from dynamics.named import Family, NoMember
from dynamics.population.expansion import KINK, Expansion
from dynamics.population.kernels import Kernel
from dynamics.population.piecewise_linear import PiecewiseLinearPopulation

LARGEST = 1e20  # coefficient; their squares are multiplied by those of weights
HIGHEST = 20  # degree; expectations of two such polynomials have factors up to 20!


@dataclass(frozen=True)
class Polynomial:
    """Σ_n p_n zⁿ, by Horner's rule.

    Parameters
    ----------
    coefficients : tuple of float
        p_0, p_1, …
    norm : int
        K! for He_K/√K!, whose coefficients are whole numbers over √K!; else 1, and they are decimals.
    """

    coefficients: tuple[float, ...]
    norm: int = 1

    def __call__(self, z: Any, q: Any) -> Any:
        """Its value at z; the variance q has no part in it."""
        return _horner(self.coefficients, z)

    def slope(self, z: Any, q: Any, phi: Any) -> Any:
        """Its derivative at z."""
        return _horner([n * p for n, p in enumerate(self.coefficients)][1:], z)


def _horner(coefficients: Sequence[float], z: Any) -> Any:
    """Σ_n p_n zⁿ."""
    total = 0 * z
    for p in reversed(coefficients):
        total = total * z + p
    return total


@dataclass(frozen=True)
class Leaky:
    """max(z, 0) + κ min(z, 0).

    Parameters
    ----------
    slope : float
        κ.
    """

    slope: float

    def __call__(self, z: Any, q: Any) -> Any:
        """Its value at z; its derivative at zero, by automatic differentiation, is κ."""
        return self.slope * z + (1 - self.slope) * functions.relu(z)

    def derivative(self, z: Any, q: Any, phi: Any) -> Any:
        """Its derivative at z, κ at zero."""
        return self.slope + (1 - self.slope) * functions.sign(functions.relu(z))


def polynomial(
    name: str, formula: str, coefficients: tuple[float, ...], label: str = "", norm: int = 1
) -> Activation:
    """The activation Σ p_n zⁿ, see `Polynomial`.

    Raises
    ------
    ProblemError
        If it is constant, or of a degree above 20.
    """
    powers = [n for n, p in enumerate(coefficients) if p]
    if not powers or powers == [0]:
        raise ProblemError(f"The activation {name!r} is constant, but units must depend on their inputs.")
    if powers[-1] > HIGHEST:
        raise ProblemError(
            f"The activation {name!r} has the degree {powers[-1]}, but the highest is {HIGHEST}."
        )
    parities = {n % 2 for n in powers}
    function = Polynomial(coefficients, norm)
    return Activation(
        name,
        formula,
        function,
        degree=powers[0] if len(powers) == 1 else None,
        parity=None if len(parities) == 2 else 1 - 2 * parities.pop(),
        label=label,
        expansion=Expansion(coefficients),
        slope=function.slope,
    )


def _number(text: str, needed: str) -> float:
    """A number of at most 1e20 in size."""
    try:
        value = float(text)
    except ValueError:
        raise NoMember(needed) from None
    if not abs(value) <= LARGEST:
        raise NoMember(f"{needed}, finite and at most {LARGEST:g} in size")
    return value


@lru_cache(maxsize=64)
def _given_polynomial(parameters: str) -> Activation:
    needed = "coefficients must be numbers, as in polynomial:0,1,0.5"
    coefficients = tuple(_number(p, needed) for p in parameters.split(","))
    terms = " + ".join(f"{p:g}" + ("" if n == 0 else f" z^{n}") for n, p in enumerate(coefficients) if p)
    label = (
        "$"
        + " + ".join(_term_latex(p, n) for n, p in enumerate(coefficients) if p).replace("+ -", "- ")
        + "$"
    )
    return polynomial(f"polynomial:{parameters}", f"φ(w·x) = {terms}, z = w·x", coefficients, label)


def _term_latex(p: float, n: int) -> str:
    """The term p zⁿ as figures write it."""
    power = "" if n == 0 else "z" if n == 1 else f"z^{{{n}}}"
    number = f"{p:g}" if n == 0 or abs(p) != 1 else "-" if p < 0 else ""
    return number + (r"\," if number and power and number != "-" else "") + power


@lru_cache(maxsize=64)
def _hermite(parameters: str) -> Activation:
    if not parameters.isdecimal() or not 1 <= int(parameters) <= HIGHEST:
        raise NoMember(f"the order must be between 1 and {HIGHEST}")
    k = int(parameters)
    coefficients = np.polynomial.hermite_e.herme2poly([0] * k + [1]) / sqrt(factorial(k))
    return polynomial(
        f"hermite:{k}",
        f"φ(w·x) = He_{k}(w·x)/√{k}!",
        tuple(coefficients.tolist()),
        rf"$\mathrm{{He}}_{{{k}}}/\sqrt{{{k}!}}$",
        factorial(k),
    )


@lru_cache(maxsize=64)
def _leaky_relu(parameters: str) -> Activation:
    slope = _number(parameters, "its slope must be a number, as in leaky-relu:0.1")
    odd, even = (1 + slope) / 2, (1 - slope) / 2
    function = Leaky(slope)
    return Activation(
        f"leaky-relu:{parameters}",
        f"φ(w·x) = max(w·x, 0) + {slope:g} min(w·x, 0)",
        function,
        degree=1,
        parity=-1 if even == 0 else 1 if odd == 0 else None,
        population=partial(PiecewiseLinearPopulation, kernel=Kernel(odd**2, even**2)),
        label=f"leaky ReLU, slope {slope:g}",
        expansion=Expansion((0.0, odd), [(KINK, [0], [2 * even])]),
        kink=(odd, even),
        slope=function.derivative,
    )


POLYNOMIAL = register_family(Family("polynomial", "c0,c1,…", _given_polynomial))
HERMITE = register_family(Family("hermite", "K", _hermite))
LEAKY_RELU = register_family(Family("leaky-relu", "SLOPE", _leaky_relu))
