"""Pair kernels κ(p, c, q) = E φ(z_1) ψ(z_2) in symbols, z_1 and z_2 of variances p, q and covariance c.

Polynomials have the Hermite-mean series of `dynamics.symbolic.polynomials`. The smoothed kinks of
`dynamics.population.expansion` have one base kernel, that of two integrals of them, of which all others are derivatives
(derived here): with P = a² + p, Q = b² + q, σ = √(PQ − c²), θ = atan2(c, σ),

    E (∫S̃_a)(∫S̃_b) = [3cσ + (PQ + 2c²) θ]/8π,   ∂_c: a derivative of both factors, 2∂_P: two of the first one.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial

import sympy

from dynamics.activations import Activation
from dynamics.activations.base import ELEMENTARY
from dynamics.errors import ProblemError
from dynamics.population.expansion import Component
from dynamics.symbolic.exact import exact_number
from dynamics.symbolic.polynomials import ExactPolynomial, exact_polynomial

p, c, q, sigma, theta = sympy.symbols("p c q sigma theta", real=True)
_P, _Q = sympy.symbols("P Q", positive=True)
_BASE = (3 * c * sigma + (_P * _Q + 2 * c**2) * theta) / (8 * sympy.pi)
_SLOPES = {c: (-c / sigma, 1 / sigma), _P: (_Q / (2 * sigma), -c / (2 * _P * sigma))}  # of σ and θ
_SLOPES[_Q] = (_P / (2 * sigma), -c / (2 * _Q * sigma))


@dataclass(frozen=True)
class GramKernel:
    """A pair kernel and its derivatives by the covariance and by the first variance.

    Parameters
    ----------
    value, by_c, by_p : expression
        κ, ∂κ/∂c and ∂κ/∂p in p, c, q, and in σ and θ where `square` is given.
    square : expression or None
        σ² in p, c, q; θ = atan2(c, σ).
    """

    value: sympy.Expr
    by_c: sympy.Expr
    by_p: sympy.Expr
    square: sympy.Expr | None = None

    def plain(self, expression: sympy.Expr) -> sympy.Expr:
        """One of the three in p, c and q alone."""
        if self.square is None:
            return expression
        root = sympy.sqrt(self.square)
        return expression.subs({theta: sympy.atan2(c, root), sigma: root})


def gram_kernel(phi: Activation, psi: Activation) -> GramKernel:
    """The pair kernel of two activations.

    Raises
    ------
    ProblemError
        If one of them has none that is a short formula.
    """
    (left, kinks), (right, others) = _parts(phi), _parts(psi)
    series = sympy.S.Zero
    for n in range(max(left.powers + right.powers, default=0) + 1):
        means = left.mean(n, p) + _kink_means(kinks, n, p), right.mean(n, q) + _kink_means(others, n, q)
        both = _kink_means(kinks, n, p) * _kink_means(others, n, q)  # in closed form below
        series += c**n / factorial(n) * (means[0] * means[1] - both)
    series = sympy.expand(series)
    value, by_c, by_p, square = series, sympy.diff(series, c), sympy.diff(series, p), None
    for one in kinks:
        for other in others:
            kernel = _kink_pair(one, other)
            if kernel is not None:
                value, by_c, by_p = value + kernel.value, by_c + kernel.by_c, by_p + kernel.by_p
                square = kernel.square
    return GramKernel(value, by_c, by_p, square)


def _parts(phi: Activation) -> tuple[ExactPolynomial, tuple[Component, ...]]:
    """Polynomial and smoothed kinks."""
    if not phi.is_elementary:
        raise ProblemError(
            f"The activation {phi.name!r} has no derivation in symbols, but {ELEMENTARY}, have one: its kernels are"
            " long sums, or quadratures, which are exact in numbers only."
        )
    polynomial = exact_polynomial(phi)
    if polynomial is not None:
        return polynomial, ()
    assert phi.expansion is not None
    terms = {(n, 0): _exact(value) for (n, _), value in phi.expansion.terms.items()}
    return ExactPolynomial(terms), phi.expansion.components


def _exact(value: float) -> sympy.Rational:
    """The decimal of fifteen digits: sums such as 1 − 0.9 carry a rounding error in the sixteenth."""
    return exact_number("expansion", float(f"{value:.15g}"))


def _size(component: Component) -> tuple[sympy.Rational, sympy.Rational]:
    """a² and e."""
    ((a, e),) = component.sizes
    return _exact(a) ** 2, _exact(e)


def _kink_means(components: tuple[Component, ...], n: int, q: sympy.Expr) -> sympy.Expr:
    """E of the n-th derivative: E S̃_a = √(Q/2π), and two derivatives are 2∂_Q."""
    total = sympy.S.Zero
    for component in components:
        a2, e = _size(component)
        for m, power, weight in component.operation.terms:
            if (n + m) % 2 == 0:
                root = sympy.diff(sympy.sqrt(_Q / (2 * sympy.pi)), _Q, (n + m) // 2) * 2 ** ((n + m) // 2)
                total += e * _exact(weight) * a2**power * root.subs(_Q, a2 + q)
    return total


def _kink_pair(one: Component, other: Component) -> GramKernel | None:
    """Kernel of two smoothed kinks; None where it vanishes, one being even and the other odd."""
    if one.operation.parity != other.operation.parity:
        return None
    (a2, e), (b2, f) = _size(one), _size(other)
    value = sympy.S.Zero
    for m, i, x in one.operation.terms:
        for n, j, y in other.operation.terms:
            value += e * f * _exact(x) * _exact(y) * a2**i * b2**j * _derivative_kernel(m, n)
    widths = {_P: a2 + p, _Q: b2 + q}
    value, by_c, by_p = (_normal(form).subs(widths) for form in (value, _slope(value, c), _slope(value, _P)))
    return GramKernel(value, by_c, by_p, (_P * _Q - c**2).subs(widths))


def _derivative_kernel(m: int, n: int) -> sympy.Expr:
    """E S̃_a⁽ᵐ⁾ S̃_b⁽ⁿ⁾ from −1 on, m + n even."""
    kernel = _BASE
    for _ in range(min(m, n) + 1):
        kernel = _slope(kernel, c)
    variable = _P if m > n else _Q
    for _ in range(abs(m - n) // 2):
        kernel = 2 * _slope(kernel, variable)
    return _normal(kernel)


def _slope(kernel: sympy.Expr, x: sympy.Symbol) -> sympy.Expr:
    """Derivative of an expression in σ and θ."""
    of_sigma, of_theta = _SLOPES[x]
    total = sympy.diff(kernel, x) + sympy.diff(kernel, sigma) * of_sigma
    return total + sympy.diff(kernel, theta) * of_theta


def _normal(kernel: sympy.Expr) -> sympy.Expr:
    """Written as α + βσᵏ + γθ, with rational functions α, β, γ of P, Q, c and k as large as possible."""
    square = _P * _Q - c**2
    expanded = sympy.expand(kernel)
    total = theta * sympy.factor(expanded.coeff(theta, 1))
    parts = {0: sympy.S.Zero, 1: sympy.S.Zero}  # of even and of odd powers of σ, over σ to the power 0 and 1
    for term in sympy.Add.make_args(expanded.coeff(theta, 0)):
        rest, power = term.as_coeff_exponent(sigma)
        parts[power % 2] += rest * square ** (power // 2)
    total += sympy.factor(parts[0])
    numerator, denominator = sympy.fraction(sympy.factor(parts[1]))
    power = 1
    while True:
        quotient, remainder = sympy.div(denominator, square, c)
        if remainder != 0 or power < -9:
            return total + sympy.factor(numerator / denominator) * sigma**power
        denominator, power = quotient, power - 2
