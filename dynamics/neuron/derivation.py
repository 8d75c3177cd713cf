"""Loss and flow of quadratic neurons, derived from their definition by the moment engine.

Nothing is typed in: network and target are polynomials in x whose coefficients are polynomials in the weights, the
loss ½E(f* − f)² comes from :mod:`dynamics.symbolic.moments`, the equations θ̇ = −γ ∂L/∂θ from differentiation. As in
:mod:`dynamics.symbolic.derivation` the coefficients of the residual f* − f get names on the way, which keeps
expressions small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement

import sympy
from sympy.polys.rings import PolyElement, PolyRing

from dynamics.budget import check_number
from dynamics.progress import progress_bar
from dynamics.symbolic.exact import is_conserved
from dynamics.symbolic.moments import ring_expectation
from dynamics.validation import validate_count
from dynamics.words import counted

GROUPS = ("r", "g", "b", "a")
LARGEST_DERIVATION = 50_000  # derivatives of residual entries by parameters: about a minute


@dataclass(frozen=True, repr=False)
class NeuronDerivation:
    """Loss and gradient flow of K quadratic neurons with output weights and d inputs.

    Attributes
    ----------
    hidden, inputs : int
    parameters : tuple of symbols
        In the order of `dynamics.neuron.flow`: all (``wr_k_i``, ``br_k``) unit by unit, then (``wg_k_i``, ``bg_k``),
        then (``wb_k_i``, ``c_k``), then ``a_k``.
    targets : tuple of symbols
        ``m_i_j`` with i ≤ j, ``v_i`` and ``e`` of f*(x) = xᵀM*x + v·x + e.
    rates : tuple of symbols
        ``gamma_r``, ``gamma_g``, ``gamma_b``, ``gamma_a``.
    residual : mapping symbol → expression
        ``D_i_j`` (i ≤ j), ``delta_i``, ``epsilon``: f* − f = xᵀDx + δ·x + ε.
    residual_loss, residual_ode : expression; mapping symbol → expression
        Loss and equations in terms of the residual's symbols.
    conserved : tuple of expressions
        Q1 and Q2 of every unit; their time derivatives vanish identically, for all rates.
    """

    hidden: int
    inputs: int
    parameters: tuple[sympy.Symbol, ...]
    targets: tuple[sympy.Symbol, ...]
    rates: tuple[sympy.Symbol, ...]
    residual: Mapping[sympy.Symbol, sympy.Expr]
    residual_loss: sympy.Expr
    residual_ode: Mapping[sympy.Symbol, sympy.Expr]
    conserved: tuple[sympy.Expr, ...]

    @cached_property
    def loss(self) -> sympy.Expr:
        """Population loss in parameters and targets."""
        return self.residual_loss.xreplace(dict(self.residual))

    @cached_property
    def ode(self) -> dict[sympy.Symbol, sympy.Expr]:
        """Parameter → its time derivative, in parameters, targets and rates."""
        return {theta: rate.xreplace(dict(self.residual)) for theta, rate in self.residual_ode.items()}

    def to_dict(self) -> dict[str, object]:
        """Names and equations as text that SymPy parses."""
        return {
            "parameters": [str(theta) for theta in self.parameters],
            "targets": [str(symbol) for symbol in self.targets],
            "rates": [str(symbol) for symbol in self.rates],
            "loss": str(self.loss),
            "ode": {str(theta): str(rate) for theta, rate in self.ode.items()},
            "conserved": [str(law) for law in self.conserved],
        }

    def summary(self) -> str:
        """The derivation as plain text."""
        sections = {
            "Residual, target minus network": [f"{name} = {entry}" for name, entry in self.residual.items()],
            "Loss": [f"L = {self.residual_loss}"],
            "Gradient flow": [f"d{theta}/dt = {rate}" for theta, rate in self.residual_ode.items()],
            "Conserved": [str(law) for law in self.conserved],
        }
        blocks = ["\n".join([title, *(f"  {line}" for line in lines)]) for title, lines in sections.items()]
        return "\n\n".join(blocks)

    def __repr__(self) -> str:
        return (
            f"<NeuronDerivation: {counted(self.hidden, 'quadratic neuron')}, {counted(self.inputs, 'input')}>"
        )


def derive_neurons(hidden: int, inputs: int, *, progress: bool = False) -> NeuronDerivation:
    """Derive loss and gradient flow of f(x) = Σ_k a_k q_k(x) under x ~ N(0, I), with a rate for each group of weights.

    Parameters
    ----------
    hidden, inputs : int
        K and d, each at least 1.
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Returns
    -------
    NeuronDerivation

    Raises
    ------
    ProblemError
        For sizes below one, or too large.
    """
    K, d = validate_count("hidden", hidden), validate_count("inputs", inputs)
    check_number(
        f"A derivation for {K} quadratic neurons with {d} inputs",
        K * (3 * d + 4) * ((d + 1) * (d + 2) // 2),
        LARGEST_DERIVATION,
        "derivatives",
        "lower `inputs`, or `hidden`: the equations of one neuron look like those of the next",
    )
    groups = {group: list(_group_symbols(group, K, d)) for group in GROUPS}
    parameters = [symbol for group in GROUPS for symbol in groups[group]]
    target = _names("m_{}_{}", "v_{}", "e", d)
    weights = PolyRing([*parameters, *target], sympy.QQ)
    x = PolyRing([f"x_{i}" for i in range(d)], weights.to_domain())
    difference = _quadratic(x, list(map(weights.from_expr, target))) - _network(x, weights, groups, K, d)

    bar = progress_bar(parameters, "derivation", shown=progress, remedy="lower `inputs` or `hidden`")
    residual = _names("D_{}_{}", "delta_{}", "epsilon", d)
    entries = dict(zip(residual, _coefficients(difference), strict=True))
    named = PolyRing(residual, sympy.QQ)
    y = PolyRing(x.symbols, named.to_domain())
    loss = ring_expectation(_quadratic(y, list(named.gens)) ** 2) / 2
    slopes = {name: loss.diff(i).as_expr() for i, name in enumerate(residual)}

    rates = {group: sympy.Symbol(f"gamma_{group}") for group in GROUPS}
    rate_of = {symbol: rates[group] for group in GROUPS for symbol in groups[group]}
    ode = {
        theta: sympy.factor_terms(
            -rate_of[theta]
            * sympy.Add(*(slopes[n] * entry.diff(i).as_expr() for n, entry in entries.items()))
        )
        for i, theta in enumerate(bar)
    }
    laws = _candidates(groups, rates, K, d + 1)
    return NeuronDerivation(
        hidden=K,
        inputs=d,
        parameters=tuple(parameters),
        targets=tuple(target),
        rates=tuple(rates.values()),
        residual={name: entry.as_expr() for name, entry in entries.items()},
        residual_loss=loss.as_expr(),
        residual_ode=ode,
        conserved=tuple(law for law in laws if is_conserved(law, ode)),
    )


def _group_symbols(group: str, K: int, d: int) -> Iterator[sympy.Symbol]:
    """Symbols of a group, unit by unit."""
    for k in range(K):
        if group == "a":
            yield sympy.Symbol(f"a_{k}")
            continue
        yield from (sympy.Symbol(f"w{group}_{k}_{i}") for i in range(d))
        yield sympy.Symbol(f"c_{k}" if group == "b" else f"b{group}_{k}")


def _names(quadratic: str, linear: str, constant: str, d: int) -> list[sympy.Symbol]:
    """Symbols for the coefficients of a polynomial of degree 2, in the order of `_coefficients`."""
    pairs = combinations_with_replacement(range(d), 2)
    names = [*(quadratic.format(i, j) for i, j in pairs), *(linear.format(i) for i in range(d)), constant]
    return [sympy.Symbol(name) for name in names]


def _quadratic(x: PolyRing, coefficients: Sequence[PolyElement]) -> PolyElement:
    """xᵀMx + v·x + e, from M_ij (i ≤ j), v_i and e."""
    pairs = list(combinations_with_replacement(range(x.ngens), 2))
    M, v, e = coefficients[: len(pairs)], coefficients[len(pairs) : -1], coefficients[-1]
    total = x.ground_new(e)
    for (i, j), M_ij in zip(pairs, M, strict=True):
        total += (1 if i == j else 2) * M_ij * x.gens[i] * x.gens[j]
    return total + sum((v_i * x_i for v_i, x_i in zip(v, x.gens, strict=True)), x.zero)


def _coefficients(polynomial: PolyElement) -> list[PolyElement]:
    """M_ij (i ≤ j), v_i and e of a polynomial xᵀMx + v·x + e."""
    x = polynomial.ring.gens
    pairs = combinations_with_replacement(range(len(x)), 2)
    M = [polynomial.coeff(x[i] * x[j]) / (1 if i == j else 2) for i, j in pairs]
    return [*M, *(polynomial.coeff(x_i) for x_i in x), polynomial.coeff(1)]


def _network(
    x: PolyRing, weights: PolyRing, groups: Mapping[str, Sequence[sympy.Symbol]], K: int, d: int
) -> PolyElement:
    """f(x) = Σ_k a_k [(w^r·x + b^r)(w^g·x + b^g) + w^b·(x ⊙ x) + c], multiplied out."""
    symbol: Callable[[sympy.Symbol], PolyElement] = weights.from_expr
    linear = [*x.gens, x.one]  # (x, 1)
    f = x.zero
    for k in range(K):
        r, g, b = ([symbol(s) for s in groups[group][k * (d + 1) : (k + 1) * (d + 1)]] for group in "rgb")
        first, second = (sum((w_i * x_i for w_i, x_i in zip(w, linear, strict=True)), x.zero) for w in (r, g))
        squares = sum((b_i * x_i**2 for b_i, x_i in zip(b, linear, strict=True)), x.zero)
        f += symbol(groups["a"][k]) * (first * second + squares)
    return f


def _candidates(
    groups: Mapping[str, Sequence[sympy.Symbol]], gamma: Mapping[str, sympy.Symbol], K: int, n: int
) -> list[sympy.Expr]:
    """Q1 and Q2 of every unit; see `dynamics.neuron.conserved`."""
    laws = []
    for k in range(K):
        r, g, b = (
            sympy.Add(*(symbol**2 for symbol in groups[group][k * n : (k + 1) * n])) for group in "rgb"
        )
        a = groups["a"][k] ** 2
        laws.append(gamma["g"] * r - gamma["r"] * g)
        laws.append(gamma["a"] * gamma["b"] * r + gamma["a"] * gamma["r"] * b - gamma["r"] * gamma["b"] * a)
    return laws
