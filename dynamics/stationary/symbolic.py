"""The catalogue with symbolic eigenvalues, solved from the derived equations of the aligned modes.

For M* = diag(λ) and one unit per mode, the derived rates are p_i a_i and p_i² times a factor that is linear in the
residuals D_i. A stationary point therefore learns a set S of modes: p_j = 0 and D_j = λ_j off S, and the factors of the
modes in S vanish, which is a linear system for their D_i. Nothing of `dynamics.problem.levels` is used.
The tests hand the same equations, in the weights and without this argument, to SymPy's polynomial solver, and put the
points into the equations of all weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import sympy

from dynamics.errors import ProblemError
from dynamics.inputs.laws import GAUSSIAN, InputLaw
from dynamics.symbolic.derivation import Derivation, derive
from dynamics.validation import validate_count

LARGEST_SYMBOLIC = 8  # modes; there are 2^modes points


@dataclass(frozen=True)
class SymbolicFixedPoint:
    """A stationary point for eigenvalues λ_0, λ_1, … that are symbols.

    Parameters
    ----------
    learned_modes : tuple of int
    learned_values : tuple of expressions
        μ_i, in the order of `learned_modes`.
    gains : mapping int → expression
        λ̃_j = λ_j + T/(r+2) of the modes that are not learned: G has the eigenvalue 4γλ̃_j. The Hessian's signature
        depends on the eigenvalues through the signs of these and of the μ_i only, and where coordinates are independent
        through which μ_i/λ̃_j are at least γ.
    residual_trace : expression
    loss : expression
        A sum of squares.
    """

    learned_modes: tuple[int, ...]
    learned_values: tuple[sympy.Expr, ...]
    gains: Mapping[int, sympy.Expr]
    residual_trace: sympy.Expr
    loss: sympy.Expr

    def latex(self) -> str:
        """One line of LaTeX: set, learned values, loss."""
        names = ",".join(map(str, self.learned_modes))
        values = [
            rf"\mu_{{{i}}} = {sympy.latex(mu)}"
            for i, mu in zip(self.learned_modes, self.learned_values, strict=True)
        ]
        S = rf"\{{{names}\}}" if names else r"\varnothing"
        return rf"S = {S}: \quad " + r",\; ".join([*values, rf"L = {sympy.latex(self.loss)}"])

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"


def symbolic_fixed_points(
    modes: int, activation: str = "quadratic", distribution: InputLaw | str = GAUSSIAN
) -> tuple[SymbolicFixedPoint, ...]:
    """All stationary points for `modes` symbolic eigenvalues, one per set of learned modes, smallest sets first.

    Parameters
    ----------
    modes : int
        d; the eigenvalues are the symbols ``lambda_0``, ``lambda_1``, … of the derivation.
    activation : {"quadratic", "centred"}
    distribution : InputLaw or str
        Law of the inputs, as for `dynamics.symbolic.derivation.derive`: "independent:symbolic" has a symbol for its
        excess kurtosis. Under independent coordinates these are the points on the axes.

    Returns
    -------
    tuple of SymbolicFixedPoint

    Raises
    ------
    ProblemError
        For more than `LARGEST_SYMBOLIC` modes, or if some forms vanish for all inputs, so that M is not determined.
    """
    d = validate_count("modes", modes)
    if d > LARGEST_SYMBOLIC:
        raise ProblemError(
            f"`modes` is {d}, but the symbolic catalogue has 2^modes points: at most {LARGEST_SYMBOLIC}."
        )
    flow = derive(d, d, activation=activation, distribution=distribution).aligned()
    factors, gamma = _mode_factors(flow), _scale(flow)
    first = (_solve_set(flow, factors, gamma, tuple(range(r))) for r in range(d + 1))
    return tuple(
        _renamed(point, S, flow.targets) for r, point in enumerate(first) for S in combinations(range(d), r)
    )


def _scale(flow: Derivation) -> sympy.Expr:
    """γ of the loss γ[Σ D_i² + ½cτ²]; 1 for a single mode, in which γ and c are not told apart."""
    if flow.inputs == 1:
        return sympy.S.One
    loss = sympy.Poly(flow.residual_loss, *sympy.symbols(f"D_:{flow.inputs}"))
    square, mixed = [2, *[0] * (flow.inputs - 1)], [1, 1, *[0] * (flow.inputs - 2)]
    gamma = sympy.factor(loss.coeff_monomial(square) - loss.coeff_monomial(mixed) / 2)
    if gamma == 0:
        raise _undetermined(flow)
    return gamma


def _undetermined(flow: Derivation) -> ProblemError:
    return ProblemError(
        f"`distribution` is {flow.law.law.name!r} and units are {flow.units}, so that some forms vanish for all inputs,"
        " but stationary points have formulas only where none does."
    )


def _mode_factors(flow: Derivation) -> list[sympy.Expr]:
    """Factor of ṗ_i beside a_i p_i, the diagonal entry 4D_i + 2τ of G: linear in the residuals."""
    d = flow.inputs
    p, a = flow.parameters[:d], flow.parameters[d:]
    return [sympy.cancel(flow.residual_ode[p[i]] / (a[i] * p[i])) for i in range(d)]


def _solve_set(
    flow: Derivation, factors: list[sympy.Expr], gamma: sympy.Expr, S: tuple[int, ...]
) -> SymbolicFixedPoint:
    D, lam = sympy.symbols(f"D_:{flow.inputs}"), flow.targets
    rest = [j for j in range(flow.inputs) if j not in S]
    unlearned = {D[j]: lam[j] for j in rest}
    residual = dict(unlearned)
    if S:
        solutions = sympy.solve([factors[i].xreplace(unlearned) for i in S], [D[i] for i in S], dict=True)
        if len(solutions) != 1 or len(solutions[0]) < len(S):
            raise _undetermined(flow)
        residual |= solutions[0]
    T = sympy.Add(*(lam[j] for j in rest))
    values = tuple(_with_trace(lam[i] - residual[D[i]], lam[i], T) for i in S)
    gains = {j: _with_trace(factors[j].xreplace(residual) / (4 * gamma), lam[j], T) for j in rest}
    squares = sympy.Add(*(lam[j] ** 2 for j in rest))
    height = _with_trace(flow.residual_loss.xreplace(residual) / gamma, squares, T**2)
    return SymbolicFixedPoint(S, values, gains, T, gamma * height)


def _renamed(
    first: SymbolicFixedPoint, S: tuple[int, ...], lam: tuple[sympy.Symbol, ...]
) -> SymbolicFixedPoint:
    """The point of the modes S from that of the first |S| modes: coordinates of the inputs are exchangeable."""
    order = (*S, *(j for j in range(len(lam)) if j not in S))
    names = {lam[i]: lam[j] for i, j in enumerate(order)}
    return SymbolicFixedPoint(
        S,
        tuple(mu.xreplace(names) for mu in first.learned_values),
        {order[j]: gain.xreplace(names) for j, gain in first.gains.items()},
        first.residual_trace.xreplace(names),
        first.loss.xreplace(names),
    )


def _with_trace(expression: sympy.Expr, base: sympy.Expr, trace: sympy.Expr) -> sympy.Expr:
    """The expression as base + ratio · trace where it has that form, with a ratio that no eigenvalue is in."""
    excess = sympy.cancel(expression - base)
    if excess == 0:
        return base
    ratio = sympy.factor(excess / trace)
    return sympy.expand(expression) if ratio.free_symbols & trace.free_symbols else base + ratio * trace
