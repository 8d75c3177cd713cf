"""The mutations: small changes of a program's text that a good test notices.

Only the characters of the changed node are replaced, so that the lines of a mutant are those of the file. Left alone
are texts (docstrings, messages, f-strings), annotations, the arguments of `raise`, decorators but for the defaults of
options, and keywords named in `equivalent.toml`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", ">="),
    ast.LtE: ("<=", ">"),
    ast.Gt: (">", "<="),
    ast.GtE: (">=", "<"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
}
BUDGET = 100  # from here on whole numbers are sizes or patience, and doubled as floats are: nobody can tell one more
BOUNDARIES = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}  # of whole numbers; of floats nobody can tell
ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
}
NAMES = {
    "min": "max",
    "minimum": "maximum",
    "any": "all",
    "argmin": "argmax",
    "floor": "ceil",
    "zeros": "ones",
    "zeros_like": "ones_like",
    "sin": "cos",
    "triu": "tril",
    "append": "remove",
}
NAMES |= {new: old for old, new in NAMES.items() if old != "append"}
SYMMETRIC = {
    "allclose",
    "array_equal",
    "hypot",
    "isclose",
    "isinstance",
    "issubclass",
    "max",
    "maximum",
    "min",
}
SYMMETRIC |= {"minimum", "zip", "gcd", "together", "add", "multiply"}
ROUNDING = 1e-4  # smaller constants are tolerances


@dataclass(frozen=True)
class Mutation:
    """One change: `old`, the bytes from `start` to `stop` of the file, becomes `new`."""

    file: str
    line: int
    text: str  # the line
    function: str  # dotted, empty at the top level
    start: int
    stop: int
    old: str
    new: str

    @property
    def change(self) -> str:
        """The change as a name, independent of its place."""
        return f"{' '.join(self.old.split())} → {' '.join(self.new.split())}"

    def apply(self, source: bytes) -> bytes:
        """The mutant's text."""
        return source[: self.start] + self.new.encode() + source[self.stop :]


def mutations(source: bytes, file: str, keywords: frozenset[str] = frozenset()) -> list[list[Mutation]]:
    """All mutations of a module, those of the same node together; `keywords` are arguments to leave alone."""
    finder = _Finder(source, file, keywords)
    finder.visit(ast.parse(source))
    return [finder.found[place] for place in sorted(finder.found)]


class _Finder(ast.NodeVisitor):
    def __init__(self, source: bytes, file: str, keywords: frozenset[str]) -> None:
        self.source, self.file, self.keywords = source, file, keywords
        self.lines = source.splitlines(keepends=True)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))
        self.names: list[str] = []
        self.found: dict[tuple[int, int, str], list[Mutation]] = {}

    # ---- places in the text
    def span(self, node: ast.AST) -> tuple[int, int]:
        n: ast.expr = node  # type: ignore[assignment]
        assert n.end_lineno is not None and n.end_col_offset is not None
        return self.starts[n.lineno - 1] + n.col_offset, self.starts[n.end_lineno - 1] + n.end_col_offset

    def code(self, node: ast.AST) -> str:
        start, stop = self.span(node)
        return self.source[start:stop].decode()

    def add(self, node: ast.AST, new: str, kind: str) -> None:
        """Replace a node by a text; nodes of one place and kind are alternatives of each other."""
        start, stop = self.span(node)
        row: int = node.lineno  # type: ignore[attr-defined]
        mutation = Mutation(
            self.file,
            row,
            self.lines[row - 1].decode().strip(),
            ".".join(self.names),
            start,
            stop,
            self.source[start:stop].decode(),
            new,
        )
        self.found.setdefault((start, stop, kind), []).append(mutation)

    def between(self, node: ast.AST, left: ast.AST, right: ast.AST, old: str, new: str, kind: str) -> None:
        """Replace the operator that stands between two operands of a node."""
        start, stop = self.span(node)
        a, b = self.span(left)[1], self.span(right)[0]
        gap = self.source[a:b].decode()
        pattern = r"\b" + r"\s+".join(old.split()) + r"\b" if old[0].isalpha() else re.escape(old)
        changed, count = re.subn(pattern, new, gap, count=1)
        if count:
            head, tail = self.source[start:a].decode(), self.source[b:stop].decode()
            self.add(node, head + changed + tail, kind)

    # ---- where nothing is changed
    def skip(self, node: ast.AST) -> None:
        """Texts are not mutated."""

    visit_JoinedStr = skip
    visit_Import = skip
    visit_ImportFrom = skip

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_arguments(self, node: ast.arguments) -> None:
        for default in [*node.defaults, *node.kw_defaults]:
            if default is not None:
                self.visit(default)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg not in self.keywords:
            self.visit(node.value)

    def visit_Raise(self, node: ast.Raise) -> None:
        self.add(node, "pass", "statement")

    def visit_If(self, node: ast.If) -> None:
        if self.code(node.test) in ("TYPE_CHECKING", '__name__ == "__main__"'):
            return
        self.condition(node.test)
        self.generic_visit(node)

    # ---- scopes
    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.names.append(node.name)
        for child in node.body:
            self.visit(child)
        self.names.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for decorator in node.decorator_list:
            for call in ast.walk(decorator):
                if isinstance(call, ast.keyword) and call.arg == "default":
                    self.visit(call)
        if node.name in ("__repr__", "__str__"):
            return
        self.names.append(node.name)
        self.visit(node.args)
        for child in node.body:
            self.visit(child)
        self.names.pop()

    # ---- conditions
    def condition(self, test: ast.expr) -> None:
        """Negate a condition that holds no operator of its own."""
        if isinstance(test, ast.Name | ast.Attribute | ast.Call):
            self.add(test, f"(not {self.code(test)})", "condition")

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.condition(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self.condition(test)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        operands = [node.left, *node.comparators]
        for operator, left, right in zip(node.ops, operands[:-1], operands[1:], strict=True):
            old, new = COMPARISONS[type(operator)]
            self.between(node, left, right, old, new, "comparison")
            if old in BOUNDARIES and (_whole(left) or _whole(right)):
                self.between(node, left, right, old, BOUNDARIES[old], "comparison")
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values[:-1], node.values[1:], strict=True):
            self.between(node, left, right, old, new, "logic")
        for dropped in node.values:
            rest = [f"({self.code(value)})" for value in node.values if value is not dropped]
            self.add(node, f"({f' {old} '.join(rest)})", "logic")
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not | ast.USub):
            self.add(node, f"({self.code(node.operand)})", "sign")
        self.generic_visit(node)

    # ---- arithmetic
    def visit_BinOp(self, node: ast.BinOp) -> None:
        if not (_is_text(node.left) or _is_text(node.right)) and type(node.op) in ARITHMETIC:
            self.between(node, node.left, node.right, *ARITHMETIC[type(node.op)], "arithmetic")
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if type(node.op) in ARITHMETIC and not _is_text(node.value):
            old, new = (f"{sign}=" for sign in ARITHMETIC[type(node.op)])
            self.between(node, node.target, node.value, old, new, "arithmetic")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, bool):
            self.add(node, str(not value), "constant")
        elif isinstance(value, int):
            self.add(node, str(value + 1 if value < BUDGET else 2 * value), "constant")
        elif isinstance(value, float):
            factor = 1e6 if 0 < value < ROUNDING else 2.0
            self.add(node, repr(value * factor) if value else "1.0", "constant")

    def visit_Slice(self, node: ast.Slice) -> None:
        for bound in (node.lower, node.upper):
            if bound is not None:
                self.add(bound, "None", "slice")
        self.generic_visit(node)

    # ---- names, calls and statements
    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name in NAMES:
            self.add(function, self.code(function)[: -len(name)] + NAMES[name], "name")
        for first, second in zip(node.args[:-1], node.args[1:], strict=True):
            a, b = self.code(first), self.code(second)
            if name not in SYMMETRIC and a != b and _alike(first, second):
                start, (middle, right) = self.span(first)[0], (self.span(first)[1], self.span(second)[0])
                node_start, node_stop = self.span(node)
                text = self.source[node_start:start].decode() + b + self.source[middle:right].decode() + a
                self.add(node, text + self.source[self.span(second)[1] : node_stop].decode(), "swap")
        self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is None:
            return
        if not (isinstance(node.value, ast.Constant) and node.value.value is None):
            self.add(node.value, "None", "return")
        self.visit(node.value)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            self.add(node, "pass", "statement")
        self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        if all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets):
            self.add(node, "pass", "statement")
        self.generic_visit(node)

    def visit_Continue(self, node: ast.Continue) -> None:
        self.add(node, "pass", "statement")

    def visit_Break(self, node: ast.Break) -> None:
        self.add(node, "pass", "statement")


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _whole(node: ast.AST) -> bool:
    """Whether an operand is a whole number by its looks: a constant, a length, a size or a dimension."""
    if isinstance(node, ast.Constant):
        return type(node.value) is int
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "len"
    if isinstance(node, ast.Subscript):
        node = node.value
    return isinstance(node, ast.Attribute) and node.attr in ("size", "ndim", "shape")


def _alike(first: ast.AST, second: ast.AST) -> bool:
    """Whether two arguments can be mistaken for each other."""
    return all(isinstance(node, ast.Name | ast.Attribute) for node in (first, second))


def package_files(root: Path, packages: list[str]) -> Iterator[str]:
    """Modules of the packages, relative to the root."""
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            yield str(path.relative_to(root))
