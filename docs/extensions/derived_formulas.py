"""The directive `derived`: a formula that the symbolic module prints while the documentation is built.

Its content is Python whose last line is an expression, the LaTeX of the formula. The page shows the formula and,
folded below it, the code that printed it.
"""

import ast
import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ENVIRONMENT = re.compile(r"\\begin\{align\*\}.*?\\end\{align\*\}", re.S)


def evaluate(code: str) -> Any:
    """Execute the lines and return the value of the last one, an expression."""
    *statements, last = ast.parse(code).body
    if not isinstance(last, ast.Expr):
        raise ValueError("the last line must be an expression")
    namespace: dict[str, Any] = {}
    exec(compile(ast.Module(statements, []), "<derived>", "exec"), namespace)
    return eval(compile(ast.Expression(last.value), "<derived>", "eval"), namespace)


class Derived(SphinxDirective):
    """`.. derived::` followed by Python."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Formula and folded code."""
        code = "\n".join(self.content)
        try:
            latex = evaluate(code)
        except Exception as error:
            raise self.error(f"derived: {type(error).__name__}: {error}") from error
        if not isinstance(latex, str):
            raise self.error(
                f"derived: the last line gave a {type(latex).__name__}, not LaTeX"
            )
        blocks = ENVIRONMENT.findall(latex) or [latex]
        listing = nodes.literal_block(code, code, language="python")
        return [
            *(self._formula(block) for block in blocks),
            nodes.raw(
                "",
                "<details class='printed'><summary>printed by</summary>",
                format="html",
            ),
            listing,
            nodes.raw("", "</details>", format="html"),
        ]

    def _formula(self, latex: str) -> nodes.Node:
        whole = latex.startswith(r"\begin{align*}")
        node = nodes.math_block(latex, latex, number=None, label=None)
        node["no-wrap"] = whole
        self.set_source_info(node)
        return node


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("derived", Derived)
    return {"parallel_read_safe": True}
