"""A derivation as a standalone program: a Python module that needs NumPy alone, or a JavaScript module."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace

import sympy
from sympy.printing.codeprinter import CodePrinter

from dynamics.symbolic.equations import ALIGNED_MODES, Equations, straight_line
from dynamics.symbolic.printers import JavascriptPrinter, PythonPrinter, as_text

WIDTH = 100


@dataclass(frozen=True)
class _Language:
    """Where the two languages differ."""

    printer: CodePrinter
    indent: str
    export: str  # before a constant
    declare: str  # before a variable
    brackets: tuple[str, str]  # around a list
    end: str  # of a statement
    comment: str


PYTHON = _Language(PythonPrinter(), "    ", "", "", ("(", ")"), "", "#")
JAVASCRIPT = _Language(JavascriptPrinter(), "  ", "export const ", "const ", ("[", "]"), ";", "//")


def to_python(derivation: Equations) -> str:
    """Standalone Python module with PARAMETERS, TARGETS, ``loss(theta, m)`` and ``rhs(t, theta, m)``.

    It needs NumPy alone; `rhs` has the signature of SciPy's `solve_ivp`. Repeated subexpressions are computed
    once, the entries of the residual matrix keep their names. Where Σ is symbolic, both functions take its
    entries ``s`` as a further argument, and COVARIANCE names them; likewise rates ``rho`` of the weight decay and
    WEIGHT_DECAY, and a free κ, ``excess``, and KURTOSIS. With weight decay there is a function ``objective`` beside
    the loss, and ``decaying(theta)``, what is conserved without it; where something is conserved, ``conserved(theta)``.
    """
    extra = _extra(derivation)
    lines = [
        f'"""{_title(derivation)}',
        "",
        *_description(derivation),
        "",
        "Example, with NumPy arrays theta0 and m:",
        "",
        "    from scipy.integrate import solve_ivp",
        "    solution = solve_ivp(",
        f'        rhs, (0.0, 5.0), theta0, args=(m{extra or ","}), method="LSODA", rtol=1e-10, atol=1e-12',
        "    )",
        '"""',
        "",
        "import numpy as np",
        "",
        *_constants(derivation, PYTHON),
        "",
        "",
        f"def loss(theta, m{extra}):",
        '    """Population loss: half the mean square of teacher minus student, summed over the outputs."""',
        *_loss_body(derivation, PYTHON, derivation.residual_loss),
        *(
            [
                "",
                "",
                f"def objective(theta, m{extra}):",
                '    """Loss with the penalty of the weight decay."""',
                *_loss_body(derivation, PYTHON, derivation.residual_loss + derivation.penalty),
            ]
            if derivation.penalty
            else []
        ),
        "",
        "",
        f"def rhs(t, theta, m{extra}):",
        '    """Time derivative of theta under gradient flow, in the order of PARAMETERS."""',
        "    velocity = np.empty(np.shape(theta))",
        *_rhs_body(derivation, PYTHON),
        "    return velocity",
    ]
    for name, meaning, laws in _laws(derivation):
        lines += [
            "",
            "",
            f"def {name}(theta):",
            f'    """{meaning}"""',
            f"    values = np.empty(({len(laws)}, *np.shape(theta)[1:]))",
            *_laws_body(derivation, laws, PYTHON),
            "    return values",
        ]
    return "\n".join(lines) + "\n"


def to_javascript(derivation: Equations) -> str:
    """Standalone ES module exporting PARAMETERS, TARGETS, ``loss(theta, m)`` and ``rhs(t, theta, m)``.

    Arguments and results are arrays of numbers. Where Σ is symbolic, both functions take its entries ``s`` as a
    further argument, and COVARIANCE names them; likewise rates ``rho`` of the weight decay and WEIGHT_DECAY, and a free
    κ, ``excess``, and KURTOSIS. With weight decay there is a function ``objective`` beside the loss, and
    ``decaying(theta)``, what is conserved without it; where something is conserved, ``conserved(theta)``.
    """
    return _javascript(derivation, "export ")


def to_javascript_object(derivation: Equations) -> str:
    """The module of `to_javascript` as an expression whose value is an object with the same members.

    For pages that hold several derivations, and that browsers open from a file: there a page cannot import modules.
    """
    names = [*(constant for constant, _, _ in _arguments(derivation)), "loss", "rhs"]
    names += ["objective"] if derivation.penalty else []
    names += [name for name, _, _ in _laws(derivation)]
    return f"(() => {{\n{_javascript(derivation, '')}\nreturn {{ {', '.join(names)} }};\n}})()"


def _javascript(derivation: Equations, export: str) -> str:
    """The JavaScript program; `export` stands before what it defines."""
    language = replace(JAVASCRIPT, export=f"{export}const ")
    extra = _extra(derivation)
    lines = [
        "/**",
        *(f" * {line}".rstrip() for line in [_title(derivation), "", *_description(derivation)]),
        " */",
        "",
        *_constants(derivation, language),
        "",
        "/** Population loss: half the mean square of teacher minus student, summed over the outputs. */",
        f"{export}function loss(theta, m{extra}) {{",
        *_loss_body(derivation, JAVASCRIPT, derivation.residual_loss),
        "}",
        *(
            [
                "",
                "/** Loss with the penalty of the weight decay. */",
                f"{export}function objective(theta, m{extra}) {{",
                *_loss_body(derivation, JAVASCRIPT, derivation.residual_loss + derivation.penalty),
                "}",
            ]
            if derivation.penalty
            else []
        ),
        "",
        "/** Time derivative of theta under gradient flow, in the order of PARAMETERS. */",
        f"{export}function rhs(t, theta, m{extra}) {{",
        f"  const velocity = new Array({len(derivation.parameters)});",
        *_rhs_body(derivation, JAVASCRIPT),
        "  return velocity;",
        "}",
    ]
    for name, meaning, laws in _laws(derivation):
        lines += [
            "",
            f"/** {meaning} */",
            f"{export}function {name}(theta) {{",
            f"  const values = new Array({len(laws)});",
            *_laws_body(derivation, laws, JAVASCRIPT),
            "  return values;",
            "}",
        ]
    return "\n".join(lines) + "\n"


def _title(derivation: Equations) -> str:
    modes = ", restricted to aligned modes" if derivation.aligned_modes else ""
    return f"Gradient flow of a two-layer network with {derivation.units}{modes}."


def _network(r: Equations) -> str:
    """Student and teacher in words."""
    student = f"Student f_o(x) = Σ_k A_ok φ(w_k·x), {r.activation.formula}"
    if r.order is None:
        psi = r.teacher_activation or r.activation
        return (
            f"{student}; the teacher is f*_o(x) = Σ_r B_or ψ(v_r·x), {psi.formula.replace('φ', 'ψ')}, told by its"
            " symmetric tensors M*_o = Σ_r B_or v_r^⊗n, one for each order n that it needs."
        )
    if r.activation.trace_coupling is None:
        return (
            f"{student}; the teacher is the same function of a "
            f"symmetric tensor M*_o of order {r.order} in place of Σ_k A_ok w_k^⊗{r.order}."
        )
    lowered = "" if r.activation.trace_coupling else ", each less its mean"
    return f"Student f_o(x) = Σ_k A_ok (w_k·x)², teacher f*_o(x) = xᵀ M*_o x{lowered}."


def _residual(r: Equations) -> str:
    """What D is, in words."""
    if r.order is not None:
        return f"M*_o − Σ_k A_ok {'w_k w_kᵀ' if r.order == 2 else f'w_k^⊗{r.order}'}"
    if r.teacher_activation is None:
        return "M*_o − Σ_k A_ok w_k^⊗n of every order n"
    return "f*_o − f_o = Σ_n D[x, …, x] by its coefficients"


def _description(derivation: Equations) -> list[str]:
    """What the module computes and where it comes from, as lines of prose."""
    r = derivation
    covariance = (
        "I" if r.covariance is None else ("Σ (entries s)" if r.covariance_symbols else "Σ (given numbers)")
    )
    described = [
        f"{r.sizes}; second layer {r.second_layer}; inputs {r.law.words(covariance)}.",
        _network(r),
        "Loss L = ½ Σ_o E(f*_o − f_o)².",
        *([_decay(r)] if r.penalty else []),
        *([f"Aligned modes: {ALIGNED_MODES}"] if r.aligned_modes else []),
        "PARAMETERS names the entries of theta, TARGETS those of m, the upper triangle of the teacher M*.",
        f"In the code, D is the residual {_residual(r)} (upper triangle).",
        *([f"Conserved: {', '.join(map(as_text, r.conserved))}."] if r.conserved else []),
        "Written by quadflow from a symbolic derivation of the loss; not meant to be edited.",
    ]
    return [line for text in described for line in textwrap.wrap(text, WIDTH - 3)]


def _arguments(derivation: Equations) -> list[tuple[str, str, tuple[sympy.Symbol, ...]]]:
    """Name of the constant, name of the argument and symbols of each group."""
    r = derivation
    groups = [("PARAMETERS", "theta", r.parameters), ("TARGETS", "m", r.targets)]
    further = [
        ("COVARIANCE", "s", r.covariance_symbols),
        ("WEIGHT_DECAY", "rho", r.decay_symbols),
        ("KURTOSIS", "excess", r.law.symbols),
    ]
    return groups + [group for group in further if group[2]]


def _extra(derivation: Equations) -> str:
    """Further arguments of loss and right-hand side, after theta and m."""
    return "".join(f", {argument}" for _, argument, _ in _arguments(derivation)[2:])


def _decay(r: Equations) -> str:
    """The objective in words."""
    rates = " and ".join(
        f"{name} = {rho}" if rho != sympy.Symbol(name) else name
        for name, rho in zip(("rho_w", "rho_a"), r.weight_decay, strict=True)
        if rho
    )
    return f"Objective R = L + ½ rho_w ‖W‖² + ½ rho_a ‖A‖², weight decay {rates}."


def _constants(derivation: Equations, language: _Language) -> list[str]:
    opening, closing = language.brackets
    return [
        _wrapped(
            f"{language.export}{constant} = {opening}",
            ", ".join(f'"{symbol}"' for symbol in symbols) + ",",
            closing + language.end,
            "",
            language.indent,
        )
        for constant, _, symbols in _arguments(derivation)
    ]


def _preamble(derivation: Equations, language: _Language, arguments: int | None = None) -> list[str]:
    """Statements that unpack the arguments, or the first of them, into the symbols."""
    opening, closing = language.brackets
    return [
        _wrapped(
            language.declare + opening,
            ", ".join(map(str, symbols)) + ",",
            f"{closing} = {argument}{language.end}",
            language.indent,
            language.indent,
        )
        for _, argument, symbols in _arguments(derivation)[:arguments]
    ]


def _loss_body(derivation: Equations, language: _Language, value: sympy.Expr) -> list[str]:
    program, (loss,) = straight_line(derivation, [value])
    return [
        *_preamble(derivation, language),
        *(_assignment(f"{language.declare}{name} = ", part, language) for name, part in program),
        _assignment("return ", loss, language),
    ]


def _rhs_body(derivation: Equations, language: _Language) -> list[str]:
    program, rates = straight_line(derivation, list(derivation.residual_ode.values()))
    return [
        *_preamble(derivation, language),
        *(_assignment(f"{language.declare}{name} = ", value, language) for name, value in program),
        *(
            _assignment(f"velocity[{i}] = ", rate, language, f"  {language.comment} d{theta}/dt")
            for i, (theta, rate) in enumerate(zip(derivation.parameters, rates, strict=True))
        ),
    ]


def _laws(derivation: Equations) -> list[tuple[str, str, tuple[sympy.Expr, ...]]]:
    """Functions of what is conserved, with or but for the decay: name, what it returns, expressions."""
    decaying = tuple(law for law, _ in derivation.decaying)
    named = [
        (
            "conserved",
            "Values of the conserved quantities, which gradient flow does not change.",
            derivation.conserved,
        ),
        (
            "decaying",
            "Values of the quantities that gradient flow changes by the weight decay alone.",
            decaying,
        ),
    ]
    return [entry for entry in named if entry[2]]


def _laws_body(derivation: Equations, laws: Sequence[sympy.Expr], language: _Language) -> list[str]:
    return [
        *_preamble(derivation, language, arguments=1),
        *(_assignment(f"values[{i}] = ", law, language) for i, law in enumerate(laws)),
    ]


def _assignment(start: str, value: sympy.Expr, language: _Language, remark: str = "") -> str:
    code, end = language.printer.doprint(value), language.end + remark
    line = f"{language.indent}{start}{code}{end}"
    if len(line) <= WIDTH:
        return line
    return _wrapped(f"{start}(", code, f"){end}", language.indent, language.indent)


def _wrapped(start: str, value: str, end: str, indent: str, step: str) -> str:
    """The value between start and end on one line, or if that is too long on indented lines of its own."""
    line = f"{indent}{start}{value.rstrip(',') if value.count(',') > 1 else value}{end}"
    if len(line) <= WIDTH:
        return line
    margin = indent + step
    body = textwrap.fill(
        value,
        WIDTH,
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f"{indent}{start}\n{body}\n{indent}{end}"
