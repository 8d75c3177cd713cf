"""What could turn text or a file into running code, and the places where each may stand.

The sources are searched by their syntax trees, so neither a comment nor another name of a module hides a call.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("quadflow", "figures", "empirical", "dynamics")

# name of the function → (file → why it may stand there); the last part of a dotted name counts
ALLOWED = {
    "eval": {},
    "exec": {},
    "__import__": {},
    "system": {},
    "popen": {},
    "Popen": {},
    "sympify": {
        "dynamics/symbolic/expressions.py": "strict",
        "dynamics/symbolic/input_moments.py": "strict",
        "dynamics/symbolic/moments.py": "strict",
        "dynamics/symbolic/trace_printing.py": "strict",
        "dynamics/laws/polynomial_network.py": "strict",
    },
    "parse_expr": {},
    "S": {},  # sympy.S("text") is sympify
    "lambdify": {
        "dynamics/symbolic/derivation.py": "of expressions that were derived here",
        "dynamics/laws/law.py": "of a law, whose symbols are parameters",
    },
    "Matrix": {
        "dynamics/symbolic/expressions.py": "after every entry was checked",
        "dynamics/symbolic/moments.py": "of rows that are expressions already",
        "dynamics/laws/teacher_laws.py": "of the symbols of a network",
        "dynamics/laws/families.py": "of rates that are rationals already",
    },
}
MODULES = {
    "pickle": {},
    "subprocess": {"figures/animation/files.py": "the error of ffmpeg, which Matplotlib starts"},
    "marshal": {},
    "shelve": {},
    "yaml": {},
    "dill": {},
    "joblib": {},
    "runpy": {},
}


def sources():
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def name_of(call: ast.Call) -> str:
    return getattr(call.func, "attr", None) or getattr(call.func, "id", "")


CALLS = [(file, node) for file, tree in sources() for node in ast.walk(tree) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("name", ALLOWED)
def test_calls_stand_where_they_may(name):
    """Both ways: no other file has one, and no reason is left over from a call that is gone."""
    assert {file for file, call in CALLS if name_of(call) == name} == set(ALLOWED[name])


@pytest.mark.parametrize("module", MODULES)
def test_modules_are_imported_where_they_may(module):
    found = set()
    for file, tree in sources():
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] == module for name in names):
                found.add(file)
    assert found == set(MODULES[module])


def keyword(call: ast.Call, name: str) -> object:
    value = next((k.value for k in call.keywords if k.arg == name), None)
    return value.value if isinstance(value, ast.Constant) else value


def test_sympify_is_strict():
    """Only strict, it refuses text."""
    loose = [(file, call.lineno) for file, call in CALLS if name_of(call) == "sympify"]
    strict = [
        (file, call.lineno)
        for file, call in CALLS
        if name_of(call) == "sympify" and keyword(call, "strict") is True
    ]
    assert loose == strict != []


def test_files_are_read_without_objects():
    """`torch.load` takes weights only, and no NumPy array may hold pickled objects."""
    for file, call in CALLS:
        if name_of(call) == "load" and getattr(call.func, "value", None) is not None:
            owner = getattr(call.func.value, "id", "")
            assert owner != "torch" or keyword(call, "weights_only") is True, (file, call.lineno)
        assert keyword(call, "allow_pickle") in (None, False), (file, call.lineno)
        assert keyword(call, "shell") is None, (file, call.lineno)
