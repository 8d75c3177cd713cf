"""The aligned mode system: the derived equations restricted to units that lie along the teacher's axes."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import sympy

from dynamics.errors import ProblemError
from dynamics.symbolic.equations import Equations, network_symbols, tensor_symbols
from dynamics.symbolic.exact import is_conserved, vanishes

E = TypeVar("E", bound=Equations)


def aligned(full: E) -> E:
    """Reduced equations; see `dynamics.symbolic.derivation.Derivation.aligned`.

    The restriction is a substitution, w_ki → p_k δ_ki and so on, in the derived equations. It is allowed when the
    rate of every parameter that it sets to zero vanishes identically.
    """
    K, d, O = full.hidden, full.inputs, full.outputs
    if full.aligned_modes:
        return full
    if d < K or (O > 1 and not K <= O <= d):
        raise ProblemError(
            f"Alignment of {K} hidden units with {d} inputs and {O} outputs is impossible: each unit needs an input"
            " direction and, with several outputs, an output of its own (hidden ≤ outputs ≤ inputs)."
        )
    if full.order is None:
        raise ProblemError(
            f"The equations are those of {full.units}, but aligned modes are known only for homogeneous polynomials"
            " with a teacher of the same activation."
        )
    values = _aligned_values(K, d, O, full.order)
    residual: dict[sympy.Symbol, sympy.Expr] = {}
    for name, entry in full.residual.items():
        reduced = entry.xreplace(values)
        short = _diagonal_name(name) if O == 1 else name
        values[name] = sympy.S.Zero if reduced == 0 else short
        residual |= {} if reduced == 0 else {short: reduced}

    ode: dict[sympy.Symbol, sympy.Expr] = {}
    for theta, rate in full.residual_ode.items():
        reduced = rate.xreplace(values)
        if values[theta] != 0:
            ode[values[theta]] = reduced
        elif not vanishes(reduced.xreplace(residual)):
            raise ProblemError(
                f"Alignment is not invariant here, because d{theta}/dt = {reduced} does not vanish on it:"
                " use the centred activation for several outputs, and uncorrelated inputs."
            )
    laws = [law.xreplace(values) for law in full.conserved]
    return replace(
        full,
        parameters=tuple(ode),
        targets=tuple(lam for lam in dict.fromkeys(values[m] for m in full.targets) if lam != 0),
        residual=residual,
        residual_loss=full.residual_loss.xreplace(values),
        residual_ode=ode,
        conserved=tuple(law for law in laws if is_conserved(law, ode)),
        decaying=tuple((law.xreplace(values), rate.xreplace(values)) for law, rate in full.decaying),
        aligned_modes=True,
    )


def _aligned_values(K: int, d: int, O: int, order: int) -> dict[sympy.Symbol, sympy.Expr]:
    """w_ki = p_k δ_ki; one output: M* = diag(λ); several: A_ok = a_k δ_ok and M*_o = λ_o e_o e_oᵀ."""
    (w, a), m = network_symbols(K, d, O), tensor_symbols("m", d, O, [order])
    values: dict[sympy.Symbol, sympy.Expr] = {}
    for k in range(K):
        values |= {w[k][i]: sympy.Symbol(f"p_{k}") if i == k else sympy.S.Zero for i in range(d)}
        values |= {a[o][k]: sympy.Symbol(f"a_{k}") if O == 1 or o == k else sympy.S.Zero for o in range(O)}
    for o in range(O):
        for (i, *others), m_ij in m[o].items():
            present = all(j == i for j in others) and (O == 1 or i == o)
            values[m_ij] = sympy.Symbol(f"lambda_{i}") if present else sympy.S.Zero
    return values


def _diagonal_name(name: sympy.Symbol) -> sympy.Symbol:
    """D_i for the diagonal entry D_i_i of the only output; other names unchanged."""
    letter, *indices = name.name.split("_")
    return sympy.Symbol(f"{letter}_{indices[0]}") if len(set(indices)) == 1 else name
