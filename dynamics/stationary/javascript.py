"""The symbolic catalogue of stationary points as a JavaScript function."""

from __future__ import annotations

from collections.abc import Iterable

from dynamics.stationary.symbolic import SymbolicFixedPoint, symbolic_fixed_points
from dynamics.symbolic.printers import JavascriptPrinter


def fixed_points_to_javascript(modes: int, activation: str = "quadratic") -> str:
    """The stationary points for `modes` eigenvalues as a JavaScript function expression.

    Parameters
    ----------
    modes : int
        d.
    activation : {"quadratic", "centred"}

    Returns
    -------
    str
        A function of the array of eigenvalues. It returns a list of
        ``{learned, values, unlearned, gains, residualTrace, loss}``: the learned modes and their values μ_i, the
        other modes and their gains λ̃_j, T and the loss. One entry per set of modes, smallest sets first.

    Raises
    ------
    ProblemError
        As `symbolic_fixed_points`, from which every formula is taken.
    """
    points = symbolic_fixed_points(modes, activation)
    names = ", ".join(f"lambda_{i}" for i in range(modes))
    body = ",\n".join(f"    {_literal(point)}" for point in points)
    return f"([{names}]) => {{\n  return [\n{body},\n  ];\n}}"


def _literal(point: SymbolicFixedPoint) -> str:
    """Object literal of one point."""
    code = JavascriptPrinter().doprint
    entries = {
        "learned": _list(point.learned_modes),
        "values": _list(code(mu) for mu in point.learned_values),
        "unlearned": _list(point.gains),
        "gains": _list(code(gain) for gain in point.gains.values()),
        "residualTrace": code(point.residual_trace),
        "loss": code(point.loss),
    }
    return "{ " + ", ".join(f"{name}: {value}" for name, value in entries.items()) + " }"


def _list(items: Iterable[object]) -> str:
    return f"[{', '.join(map(str, items))}]"
