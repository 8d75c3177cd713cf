"""A derivation as plain text, LaTeX or JSON; as program code through :mod:`dynamics.symbolic.code_export`."""

from __future__ import annotations

from typing import Any

import sympy

from dynamics.symbolic.equations import ALIGNED_MODES, Equations
from dynamics.symbolic.printers import LatexPrinter, as_text, latex_align, latex_symbol

LATEX_LINE = 160  # characters of source after which a sum is broken; roughly a line of print


def to_text(derivation: Equations) -> str:
    """The derivation as plain text; every right-hand side can be parsed by SymPy."""
    r = derivation
    covariance = "I" if r.covariance is None else "Σ"
    laws = [(f"c_{k}", law) for k, law in enumerate(r.conserved)]
    sections = {
        "Covariance": _covariance_entries(r, "Σ"),
        "Residual, teacher minus student": list(r.residual.items()),
        "Loss": [("L", r.residual_loss)],
        "Objective": [("R", sympy.Symbol("L") + r.penalty)] if r.penalty else [],
        "Gradient flow": [(f"d{theta}/dt", rate) for theta, rate in r.residual_ode.items()],
        "Conserved": laws,
        "Conserved but for the decay": [(f"c_{k}", law) for k, (law, _) in enumerate(r.decaying)]
        + [(f"dc_{k}/dt", rate) for k, (_, rate) in enumerate(r.decaying)],
    }
    lines = [
        f"Two-layer network with {r.units}: {r.sizes};"
        f" second layer {r.second_layer}; {r.law.words(covariance)}.",
        *([f"Aligned modes: {ALIGNED_MODES}"] if r.aligned_modes else []),
    ]
    for title, equations in sections.items():
        if equations:
            lines += ["", title, *(f"  {left} = {as_text(right)}" for left, right in equations)]
    return "\n".join(lines) + "\n"


def _covariance_entries(r: Equations, name: str) -> list[tuple[str, sympy.Expr]]:
    """Upper triangle of Σ; nothing for the identity."""
    if r.covariance is None:
        return []
    return [(f"{name}_{i}_{j}", r.covariance[i, j]) for i in range(r.inputs) for j in range(i, r.inputs)]


def to_json_dict(derivation: Equations) -> dict[str, Any]:
    """The derivation as a JSON-ready dictionary; expressions are strings that SymPy parses.

    Keys: parameters, targets, loss, ode, conserved, and the description of the network: activation (teacher_activation
    where it is another one, distribution where that is not Gaussian), hidden, inputs, outputs, second_layer, covariance
    (null for the identity). With weight decay also weight_decay, objective and decaying, what is conserved without it
    and how it changes.
    """
    r = derivation
    return {
        "activation": r.activation.name,
        "hidden": r.hidden,
        "inputs": r.inputs,
        "outputs": r.outputs,
        "second_layer": r.second_layer,
        "covariance": None
        if r.covariance is None
        else [list(map(as_text, row)) for row in r.covariance.tolist()],
        "parameters": [str(theta) for theta in r.parameters],
        "targets": [str(m) for m in r.targets],
        "loss": as_text(r.loss),
        "ode": {str(theta): as_text(rate) for theta, rate in r.ode.items()},
        "conserved": [as_text(law) for law in r.conserved],
        **({} if r.law.law.gaussian else {"distribution": r.law.name}),
        **({} if r.teacher_activation is None else {"teacher_activation": r.teacher_activation.name}),
        **(_decay_entries(r) if r.penalty else {}),
    }


def _decay_entries(r: Equations) -> dict[str, Any]:
    """What weight decay adds to the JSON of a derivation."""
    return {
        "weight_decay": list(map(as_text, r.weight_decay)),
        "objective": as_text(r.loss + r.penalty),
        "decaying": [{"law": as_text(law), "derivative": as_text(rate)} for law, rate in r.decaying],
    }


def to_latex(derivation: Equations) -> str:
    """The derivation as LaTeX ``align*`` environments (package amsmath); long sums are broken into lines."""
    r = derivation
    symbols = {
        *r.residual,
        *r.parameters,
        *r.targets,
        *r.covariance_symbols,
        *r.decay_symbols,
        *r.law.symbols,
    }
    names = {symbol: latex_symbol(symbol.name) for symbol in symbols}
    printer = LatexPrinter({"symbol_names": names})

    def derivative(theta: sympy.Symbol) -> str:
        letter, indices = names[theta].split("_", 1)
        return rf"\dot{{{letter}}}_{indices}"

    blocks = [
        [(latex_symbol(name), entry) for name, entry in _covariance_entries(r, "Sigma")],
        [(names[name], entry) for name, entry in r.residual.items()],
        [("L", r.residual_loss)] + ([("R", sympy.Symbol("L") + r.penalty)] if r.penalty else []),
        [(derivative(theta), rate) for theta, rate in r.residual_ode.items()],
        [(f"c_{{{k}}}", law) for k, law in enumerate(r.conserved)],
        [(f"c_{{{k}}}", law) for k, (law, _) in enumerate(r.decaying)]
        + [(rf"\dot{{c}}_{{{k}}}", rate) for k, (_, rate) in enumerate(r.decaying)],
    ]
    break_line = " \\\\\n&\\quad "
    return "\n".join(
        latex_align(f"{left} &= {break_line.join(_lines(right, printer))}" for left, right in block)
        for block in blocks
        if block
    )


def _lines(expression: sympy.Expr, printer: LatexPrinter) -> list[str]:
    """LaTeX of an expression; if it is long, its sum, or the sum in its product, goes over several lines."""
    whole = str(printer.doprint(expression))
    sums = [factor for factor in sympy.Mul.make_args(expression) if factor.is_Add]
    if len(whole) <= LATEX_LINE or len(sums) != 1:
        return [whole]
    lines = [""]
    for term in printer.terms(sums[0]):
        first, *others = _lines(term, printer)
        signed = first if first.startswith("-") or lines == [""] else f"+ {first}"
        if lines[-1] and len(lines[-1]) + len(signed) > LATEX_LINE:
            lines.append(signed)
        else:
            lines[-1] += f" {signed}" if lines[-1] else signed
        lines += others
    common = expression / sums[0]
    if common != 1:
        lines[0] = rf"{printer.doprint(common)} \bigl({lines[0]}"
        lines[-1] += r"\bigr)"
    return lines
