"""Loss and flow of a network of one's own in symbols, by the moment engine: for small sizes, and as a check of grids.

The residual f* − f = Σ_α D_α x^α has coefficients that are polynomials in the parameters. They get names; the loss is a
quadratic form of the names, by Isserlis' theorem, and θ̇ = −Σ_α ∂L/∂D_α ∂D_α/∂θ − ρθ by the chain rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import sympy
from sympy import QQ
from sympy.polys.rings import PolyElement, PolyRing

from dynamics.aliases import Array
from dynamics.budget import check_number
from dynamics.errors import ProblemError
from dynamics.networks.network import Network, monomials
from dynamics.networks.problem import Target
from dynamics.symbolic.exact import exact_number
from dynamics.symbolic.moments import ring_expectation

MOST_MONOMIALS = 400  # coefficients of the residual; the loss has as many squared

Exponents = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class NetworkDerivation:
    """Equations of a network.

    Parameters
    ----------
    network : Network
    target : str
        As it was given; empty: its coefficients are symbols.
    parameters, targets : tuple of symbols
    residual : dict of symbol to expression
        D_α in parameters and targets.
    loss : expression
        In the D_α.
    ode : dict of symbol to expression
        θ̇ in parameters and D_α.
    weight_decay : rational
        ρ.
    """

    network: Network
    target: str
    parameters: tuple[sympy.Symbol, ...]
    targets: tuple[sympy.Symbol, ...]
    residual: dict[sympy.Symbol, sympy.Expr]
    loss: sympy.Expr
    ode: dict[sympy.Symbol, sympy.Expr]
    weight_decay: sympy.Expr

    def velocity(self, theta: Array, targets: Array | None = None) -> Array:
        """θ̇ (P,) as numbers, of parameters (P,) and, where they are symbols, coefficients of the target."""
        values = dict(zip(self.parameters, theta, strict=True))
        values |= dict(zip(self.targets, [] if targets is None else targets, strict=True))
        D = {name: float(expression.xreplace(values)) for name, expression in self.residual.items()}
        return np.array([float(rate.xreplace(values | D)) for rate in self.ode.values()])

    def text(self) -> str:
        """As plain text."""
        lines = [self.network.summary(), f"L = {self.loss}", "with f* − f = Σ D_α x^α:"]
        lines += [f"  {name} = {expression}" for name, expression in self.residual.items()]
        return "\n".join([*lines, *(f"d{theta}/dt = {rate}" for theta, rate in self.ode.items())])

    def latex(self) -> str:
        """As LaTeX."""
        rows = [rf"L &= {sympy.latex(self.loss)}"]
        rows += [rf"{sympy.latex(name)} &= {sympy.latex(e)}" for name, e in self.residual.items()]
        rows += [rf"\dot{{{sympy.latex(theta)}}} &= {sympy.latex(rate)}" for theta, rate in self.ode.items()]
        return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"

    def python(self) -> str:
        """As a Python module with `rhs(t, theta)` and `loss(theta)`."""
        unpack = [f"    {', '.join(map(str, self.parameters))}, = theta"]
        if self.targets:
            unpack.append(f"    {', '.join(map(str, self.targets))}, = m")
        shared = [*unpack, *(f"    {name} = {sympy.pycode(e)}" for name, e in self.residual.items())]
        extra = ", m" if self.targets else ""
        rates = [f"        {sympy.pycode(rate)}," for rate in self.ode.values()]
        return "\n".join(
            [
                f'"""Loss and gradient flow of {self.network.spec}, derived by quadflow."""',
                "",
                f"def rhs(t, theta{extra}):",
                f'    """Time derivative of theta = ({", ".join(map(str, self.parameters))})."""',
                *shared,
                "    return [",
                *rates,
                "    ]",
                "",
                f"def loss(theta{extra}):",
                '    """Population loss."""',
                *shared,
                f"    return {sympy.pycode(self.loss)}",
                "",
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON object."""
        return {
            "network": self.network.spec,
            "target": self.target or None,
            "parameters": [str(s) for s in self.parameters],
            "targets": [str(s) for s in self.targets],
            "residual": {str(s): str(e) for s, e in self.residual.items()},
            "loss": str(self.loss),
            "ode": {str(s): str(e) for s, e in self.ode.items()},
            "weight_decay": str(self.weight_decay),
        }


def derive_network(network: Network, target: str = "", weight_decay: float = 0.0) -> NetworkDerivation:
    """Derive loss and flow of a network under x ~ N(0, I).

    Parameters
    ----------
    network : Network
    target : str
        A polynomial in the inputs; empty: any one of the network's degree, its coefficients being symbols m_….
    weight_decay : float
        ρ.

    Raises
    ------
    ProblemError
        If there are too many parameters or monomials for formulas, or the target is none.

    Examples
    --------
    >>> from dynamics.networks import read_network
    >>> derivation = derive_network(read_network("a*(w*x_0)**2"), "x_0**2")
    >>> derivation.loss, derivation.ode
    (3*D_2**2/2, {a: 3*D_2*w**2, w: 6*D_2*a*w})
    """
    check_number(
        f"The network {network.spec[:60]!r} of degree {network.degree} in {network.inputs} inputs",
        monomials(network.degree, network.inputs) * network.outputs,
        MOST_MONOMIALS,
        "monomials",
        "use fewer inputs or a lower degree",
    )
    x, theta, f = network.symbolic()
    taught = _taught(network, target)
    if taught is None:
        m = _target_symbols(network)
        ours: tuple[sympy.Symbol, ...] = tuple(m.values())
        wanted: list[dict[Exponents, Any]] = [
            {alpha: s for (o, alpha), s in m.items() if o == output} for output in range(network.outputs)
        ]
    else:
        ours, wanted = (), taught
    ring = PolyRing([*theta, *ours], QQ)
    inner = PolyRing(list(x), ring)
    residual: dict[sympy.Symbol, sympy.Expr] = {}
    slopes: dict[sympy.Symbol, sympy.Expr] = {}
    parts: dict[sympy.Symbol, PolyElement] = {}
    loss = sympy.S.Zero
    for o, (output, target_of) in enumerate(zip(f, wanted, strict=True)):
        D = {alpha: ring.from_expr(c) for alpha, c in target_of.items()}
        for alpha, c in inner.from_expr(_exact(output)).terms():
            D[alpha] = D.get(alpha, ring.zero) - c
        names = {
            alpha: _name("D", o, network.outputs, alpha) for alpha in sorted(D, reverse=True) if D[alpha]
        }
        of_names = PolyRing(list(names.values()), QQ)
        over = PolyRing(list(x), of_names)
        form = over.from_dict({alpha: of_names.from_expr(name) for alpha, name in names.items()})
        half = ring_expectation(form**2) / 2
        loss += half.as_expr()
        for alpha, name in names.items():
            residual[name], parts[name] = D[alpha].as_expr(), D[alpha]
            slopes[name] = half.diff(of_names.from_expr(name)).as_expr()
    rho = exact_number("weight_decay", weight_decay)
    ode = {
        s: sympy.factor_terms(
            -sum((slopes[name] * part.diff(i).as_expr() for name, part in parts.items()), sympy.S.Zero)
        )
        - rho * s
        for i, s in enumerate(theta)
    }
    return NetworkDerivation(network, target, theta, ours, residual, loss, ode, rho)


def _taught(network: Network, target: str) -> list[dict[Exponents, Any]] | None:
    """Coefficients of each output of the target, by their exponents; None where they are symbols."""
    if not target:
        return None
    found = Target.of(target, network)
    x, symbols, outputs = found.network.symbolic()
    if symbols:
        raise ProblemError(
            f"`--target` is {target!r}, but formulas need a polynomial, or none at all for symbols in its place."
        )
    ring = PolyRing(list(x), QQ)
    return [{alpha: QQ.to_sympy(c) for alpha, c in ring.from_expr(_exact(g)).terms()} for g in outputs]


def _target_symbols(network: Network) -> dict[tuple[int, Exponents], sympy.Symbol]:
    """m_α of every monomial up to the network's degree."""
    return {
        (o, alpha): _name("m", o, network.outputs, alpha)
        for o in range(network.outputs)
        for alpha in _all_exponents(network.degree, network.inputs)
    }


def _all_exponents(degree: int, inputs: int) -> Iterator[Exponents]:
    return (alpha for alpha in product(range(degree, -1, -1), repeat=inputs) if sum(alpha) <= degree)


def _name(letter: str, output: int, outputs: int, alpha: Exponents) -> sympy.Symbol:
    index = [output] if outputs > 1 else []
    return sympy.Symbol("_".join([letter, *map(str, [*index, *alpha])]))


def _exact(f: sympy.Expr) -> sympy.Expr:
    """The expression with rational numbers."""
    return sympy.nsimplify(f, rational=True) if f.has(sympy.Float) else f
