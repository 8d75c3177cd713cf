"""The directive `derived`: a formula that the symbolic module prints while the documentation is built.

Its content is Python whose last line is an expression, the LaTeX of the formula. The page shows the formula and,
folded below it, the code that printed it, under the call that derived it: the first one of something imported that does
more than to render LaTeX. `:by:` names another one.
"""

import ast
import re
from collections.abc import Iterator
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from folded import fold

ENVIRONMENT = re.compile(r"\\begin\{align\*\}.*?\\end\{align\*\}", re.S)


def evaluate(code: str) -> Any:
    """Execute the lines and return the value of the last one, an expression."""
    *statements, last = ast.parse(code).body
    if not isinstance(last, ast.Expr):
        raise ValueError("the last line must be an expression")
    namespace: dict[str, Any] = {}
    exec(compile(ast.Module(statements, []), "<derived>", "exec"), namespace)
    return eval(compile(ast.Expression(last.value), "<derived>", "eval"), namespace)


def derivation(code: str) -> str:
    """The call that derives, as it is written in the code; LaTeX is made of it by functions called *latex."""
    tree = ast.parse(code)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names = {alias.asname or alias.name for node in imports for alias in node.names}
    for call in outermost_calls(
        tree, {name for name in names if not name.endswith("latex")}
    ):
        return ast.unparse(call).replace("'", '"')
    raise ValueError(
        "no call of something imported: name what derives the formula by :by:"
    )


def outermost_calls(tree: ast.AST, names: set[str]) -> Iterator[ast.Call]:
    """Calls of some names, in the order of the code, without those in the arguments of others."""
    for node in ast.iter_child_nodes(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in names
        ):
            yield node
        else:
            yield from outermost_calls(node, names)


class Derived(SphinxDirective):
    """`.. derived::` followed by Python."""

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {"by": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Formula and folded code."""
        code = "\n".join(self.content)
        try:
            latex = evaluate(code)
            call = self.options.get("by") or derivation(code)
        except Exception as error:
            raise self.error(f"derived: {type(error).__name__}: {error}") from error
        if not isinstance(latex, str):
            raise self.error(
                f"derived: the last line gave a {type(latex).__name__}, not LaTeX"
            )
        blocks = ENVIRONMENT.findall(latex) or [latex]
        listing = nodes.literal_block(code, code, language="python")
        title = [nodes.Text("printed by "), nodes.literal(call, call)]
        return [
            *(self._formula(block) for block in blocks),
            fold(title, [listing], "printed"),
        ]

    def _formula(self, latex: str) -> nodes.Node:
        whole = latex.startswith(r"\begin{align*}")
        node = nodes.math_block(latex, latex, number=None, label=None)
        node["no-wrap"] = whole
        self.set_source_info(node)
        return node


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.setup_extension("folded")
    app.add_directive("derived", Derived)
    return {"parallel_read_safe": True}
