"""How notebooks show things: rows and formulas become small HTML without colours of its own, and LaTeX.

What is shown says what its rows are; this file knows none of it. Colours are those of the page, so that dark themes
stay readable; every text is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

SHOWN_ROWS = 40
LONGEST_LATEX = (
    20_000  # characters beyond which a notebook shows plain text instead: typesetting would take long
)

LATEX_NAMES = {
    **{"φ": r"\varphi ", "Σ": r"\Sigma ", "ᵀ": r"^{\top}", "²": "^2", "·": r" \cdot ", "−": "-"},
    "max": r"\max ",
}
WORDS = re.compile(r"(?<![\\\w])(?!max\b)[A-Za-z]{2,}(?: [A-Za-z]{2,})*")


def heading_html(text: str) -> str:
    """A line in bold."""
    return f"<div><b>{escape(text)}</b></div>"


def result_html(name: str, summary: str, plateaus: Sequence[Sequence[str]] = ()) -> str:
    """The lines of a summary, and the plateaus below (`dynamics.curves.stages.plateau_rows`)."""
    lines = "".join(f"<div>{escape(line)}</div>" for line in summary.splitlines())
    header = ("plateau, t", "loss", "predicted", "learned modes")
    return heading_html(name) + lines + (table(header, plateaus) if plateaus else "")


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
