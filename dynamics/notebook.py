"""How notebooks show problems, results, catalogues and laws: small HTML without colours of its own, and LaTeX.

Colours are those of the page, so that dark themes stay readable; every text is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from dynamics.problem.modes import mode_targets
from dynamics.stationary.points import set_name

if TYPE_CHECKING:
    from dynamics.curves.stages import Stage
    from dynamics.problem import Problem
    from dynamics.stationary.catalogue import Catalogue

SHOWN_ROWS = 40
SHOWN_EIGENVALUES = 8
LONGEST_LATEX = (
    20_000  # characters beyond which a notebook shows plain text instead: typesetting would take long
)

LATEX_NAMES = {
    **{"φ": r"\varphi ", "Σ": r"\Sigma ", "ᵀ": r"^{\top}", "²": "^2", "·": r" \cdot ", "−": "-"},
    "max": r"\max ",
}
WORDS = re.compile(r"(?<![\\\w])(?!max\b)[A-Za-z]{2,}(?: [A-Za-z]{2,})*")


def problem_html(problem: Problem) -> str:
    """Table of what learns what."""
    student = problem.student
    phi = problem.activation.formula
    layer = "trained" if student.trainable else "fixed"
    sigma = "I" if problem.covariance is None else "Σ"
    rows = [
        ("student", f"f(x) = Σ_k a_k φ(w_k·x), {phi}"),
        ("hidden units K", str(student.hidden)),
        ("inputs d", f"{problem.inputs}, x ~ N(0, {sigma})"),
        ("outputs", str(student.outputs)),
        ("second layer", layer),
        ("teacher", "eigenvalues " + _eigenvalues(problem)),
        ("initial size", f"‖W‖ = {np.linalg.norm(student.W):.4g}, ‖a‖ = {np.linalg.norm(student.A):.4g}"),
    ]
    if problem.covariance is not None:
        low, high = np.linalg.eigvalsh(problem.covariance)[[0, -1]]
        rows.insert(3, ("eigenvalues of Σ", f"{low:.4g} … {high:.4g}"))
    return _heading("Problem") + table((), rows)


def problem_latex(problem: Problem) -> str:
    """Student, teacher, inputs and loss as formulas."""
    index, output = ("_o", "o") if problem.student.outputs > 1 else ("", "")
    sigma = f"I_{{{problem.inputs}}}" if problem.covariance is None else r"\Sigma"
    phi = formula_latex(problem.activation.formula)
    return equations_latex(
        [
            rf"f{index}(x) &= \sum_{{k=1}}^{{{problem.student.hidden}}} a_{{{output}k}}\, \varphi(w_k \cdot x),"
            rf" \quad {phi}",
            rf"f^*{index}(x) &= \sum_m b_{{{output}m}}\, \varphi(v_m \cdot x), \quad \lambda = {_eigenvalues(problem)}",
            r"L &= \tfrac12 \mathbb{E} \lVert f^* - f \rVert^2, \quad x \sim \mathcal{N}(0, " + sigma + ")",
        ]
    )


def _eigenvalues(problem: Problem) -> str:
    """Eigenvalues of the teacher, one output after the other, as text."""
    values = mode_targets(problem.teacher, problem.activation)
    more = ", …" if len(values) > SHOWN_EIGENVALUES else ""
    return ", ".join(f"{x:.4g}" for x in values[:SHOWN_EIGENVALUES]) + more


def result_html(name: str, summary: str, stages: Sequence[Stage] = ()) -> str:
    """The lines of a summary, and the plateaus below."""
    lines = "".join(f"<div>{escape(line)}</div>" for line in summary.splitlines())
    rows = [
        (
            f"{s.start:.4g} … {s.end:.4g}",
            f"{s.loss:.6g}",
            "" if s.level is None else f"{s.level.loss:.6g}",
            set_name((i, i + 1) for i in s.learned_modes),
        )
        for s in stages
    ]
    plateaus = table(("plateau, t", "loss", "predicted", "learned modes"), rows) if rows else ""
    return _heading(name) + lines + plateaus


def catalogue_html(catalogue: Catalogue) -> str:
    """Table of the stationary points; the reason of each shows when the mouse rests on it."""
    rows, reasons = [], []
    for point in catalogue.points:
        counts = ["" if n is None else str(n) for n in (point.index, point.nullity, point.positive)]
        modes = set_name((i, i + 1) for i in point.learned_modes)
        rows.append((f"{point.loss:.6g}", modes, *counts, point.kind or "not feasible"))
        reasons.append(point.reason)
    header = ("loss", "learned modes", "index", "nullity", "positive", "kind")
    return _heading(repr(catalogue)) + table(header, rows, reasons)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], titles: Sequence[str] = ()) -> str:
    """HTML table of texts; with a title, a row has a tooltip. What is too much is counted."""
    cell = '<{0} style="text-align:left;padding-right:1em">{1}</{0}>'
    lines = ["<table>"]
    if header:
        lines.append("<tr>" + "".join(cell.format("th", escape(name)) for name in header) + "</tr>")
    for n, row in enumerate(rows[:SHOWN_ROWS]):
        title = f' title="{escape(titles[n])}"' if titles else ""
        lines.append(f"<tr{title}>" + "".join(cell.format("td", escape(text)) for text in row) + "</tr>")
    lines.append("</table>")
    if len(rows) > SHOWN_ROWS:
        lines.append(f"<div>… and {len(rows) - SHOWN_ROWS} more</div>")
    return "".join(lines)


def _heading(text: str) -> str:
    return f"<div><b>{escape(text)}</b></div>"


def formula_latex(text: str) -> str:
    """LaTeX of a formula in plain text such as "‖w_0‖² − 2a_0²"; words between are set upright."""
    text = WORDS.sub(lambda words: rf"\text{{ {words.group()} }}", text)
    text = re.sub(r"_([0-9A-Za-z]+)", r"_{\1}", re.sub(r"‖([^‖]*)‖", r"\\lVert \1 \\rVert ", text))
    for plain, latex in LATEX_NAMES.items():
        text = text.replace(plain, latex)
    return text


def equations_latex(rows: Iterable[str]) -> str:
    """Aligned display of equations."""
    return "$$\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}$$"


def short_latex(latex: str) -> str | None:
    """LaTeX that can be typeset at once; None makes a notebook fall back on the plain text."""
    return latex if len(latex) <= LONGEST_LATEX else None


def laws_latex(laws: Sequence[str], more: str = "") -> str | None:
    """Laws one below the other, and a remark."""
    rows = [f"& {law}" for law in laws[:SHOWN_ROWS]]
    if len(laws) > SHOWN_ROWS:
        rows.append(rf"& \text{{… and {len(laws) - SHOWN_ROWS} more}}")
    if more:
        rows.append(rf"& \text{{{more}}}")
    return short_latex(equations_latex(rows)) if rows else None
