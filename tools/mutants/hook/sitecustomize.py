"""Replaces the source of the packages at import, in this process and, found on PYTHONPATH, in every Python it starts.

No file is touched: two mutants can be tried at once, and an interrupted run leaves nothing behind.
"""

import ast
import atexit
import builtins
import json
import os
import re
from collections.abc import Collection
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

MUTANT = "QUADFLOW_MUTANT"  # a JSON list: path of a module, path of the text to take its place
WATCHED = "QUADFLOW_WATCHED"  # a JSON list: root, packages, folder for what subprocesses have called

COMPILERS = re.compile(r"\b(njit|cfunc)\b")

calls: dict[str, set[str]] = {}  # test and phase → functions called
_load = SourceFileLoader.get_code


def replace(path: str, text: bytes) -> None:
    """Import `text` where the module at `path` is asked for."""

    def get_code(self: Any, fullname: str) -> CodeType | None:
        if self.get_filename(fullname) == path:
            return self.source_to_code(text, path)
        return _load(self, fullname)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign]


def watch(root: str, packages: list[str]) -> None:
    """Note in `calls` which functions of the packages are called during which test, but for those that are compiled."""
    folders = tuple(f"{root}/{package}/" for package in packages)
    handed = _handed_to_compilers(folders)

    def note(name: str) -> None:
        calls.setdefault(os.environ.get("PYTEST_CURRENT_TEST", ""), set()).add(name)

    def get_code(self: Any, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        if not path.startswith(folders):
            return _load(self, fullname)
        file, source = path.removeprefix(root + "/"), Path(path).read_bytes()
        if COMPILERS.search(source.decode()):
            note(f"{file}::")  # who imports it may call what is compiled in it
        tree = _with_notes(ast.parse(source), file, handed)
        return compile(tree, path, "exec")

    vars(builtins)["__note_call__"] = note
    SourceFileLoader.get_code = get_code  # type: ignore[method-assign]


def _handed_to_compilers(folders: tuple[str, ...]) -> set[str]:
    """Names of functions that are compiled where they are used, njit(…)(name): no compiler knows `__note_call__`."""
    texts = (path.read_text(encoding="utf-8") for folder in folders for path in Path(folder).rglob("*.py"))
    return {name for text in texts if "njit" in text for name in re.findall(r"\bnjit\(.*\)\((\w+)\)", text)}


def _compiled(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(COMPILERS.match(ast.unparse(decorator)) for decorator in node.decorator_list)


def _with_notes(tree: ast.Module, file: str, handed: Collection[str] = ()) -> ast.Module:
    """The tree with a call of `__note_call__` at the start of every function, after its docstring."""

    def visit(node: ast.AST, names: list[str]) -> None:
        for child in ast.iter_child_nodes(node):
            inner = names
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inner = [*names, child.name]
            visit(child, inner)
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                if _compiled(child) or child.name in handed:
                    continue
                call = ast.parse(f"__note_call__({file + '::' + '.'.join(inner)!r})").body[0]
                child.body.insert(1 if ast.get_docstring(child) is not None else 0, call)

    visit(tree, [])
    return ast.fix_missing_locations(tree)


def _leave(folder: str) -> None:
    text = json.dumps({test: sorted(names) for test, names in calls.items()})
    Path(folder, f"{os.getpid()}.json").write_text(text)


if MUTANT in os.environ:
    original, replacement = json.loads(os.environ[MUTANT])
    replace(original, Path(replacement).read_bytes())
elif WATCHED in os.environ:
    root, packages, folder = json.loads(os.environ[WATCHED])
    watch(root, packages)
    atexit.register(_leave, folder)
