"""Networks of every kind, for tests that hold of all: an expression, tied weights, families, pieces with biases."""

from __future__ import annotations

import numpy as np
import sympy

from dynamics.networks import Network, NetworkProblem, read_network

CASES = {
    "expression": ("a*(w*x_0 + v*x_1)**2 + 3*b*x_0 - c/2 + x_1", "x_0**2*x_1 - x_1/3"),
    "tied outputs": ("(a*x_0 + b)*(b*x_1)**3; 2*x_0*a", "x_0; x_1**2"),
    "deep quadratic": ("deep-quadratic:2,2,2,1", "x_0**2*x_1**2 - 2*x_1**4"),
    "deep linear": ("deep-linear:3,2,2", "x_0 - 3*x_1; x_2"),
    "bilinear": ("bilinear:2,3,2", "teacher:1"),
    "attention": ("attention:2,2,2", "x_0*x_2**2; x_1*x_3*x_0 - x_2"),
    "biases": ("linear:2,3,bias >> square >> linear:3,1,bias", "x_0*x_1 + x_0"),
    "a factor between": (
        "linear:2,3 >> square >> linear:3,2 >> linear:2,3 >> square >> linear:3,1",
        "x_0**4",
    ),
}
NAMES = list(CASES)


def problem(name: str, scale: float = 0.8, **more: object) -> NetworkProblem:
    """A problem of the table."""
    return NetworkProblem(*CASES[name], init_scale=scale, seed=3, **more)  # type: ignore[arg-type]


def network(name: str) -> Network:
    """Its network."""
    return read_network(CASES[name][0])


def symbolic_loss(given: NetworkProblem, free: int) -> tuple[sympy.Symbol, sympy.Expr]:
    """½ E‖f − f*‖² as a polynomial in one parameter, the others at the start: Isserlis' theorem, and no grid."""
    from dynamics.symbolic.moments import expectation

    x, theta, f = given.network.symbolic()
    _, taught, g = given.target.network.symbolic()
    t = sympy.Symbol("t")
    ours = dict(zip(theta, map(sympy.Rational, given.theta0.tolist()), strict=True)) | {theta[free]: t}
    theirs = dict(zip(taught, map(sympy.Rational, given.target.theta.tolist()), strict=True))
    errors = [a.xreplace(ours) - b.xreplace(theirs) for a, b in zip(f, g, strict=True)]
    square = sympy.Poly(sum(sympy.Poly(e, *x, t, domain="QQ") ** 2 for e in errors).as_expr(), *x)
    return t, expectation(square.as_expr(), x) / 2


def differences(function, theta: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Slopes by central differences, (P, …)."""
    return np.array(
        [(function(theta + step * e) - function(theta - step * e)) / (2 * step) for e in np.eye(len(theta))]
    )
