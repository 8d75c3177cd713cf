"""`import quadflow as qf`: every public name of the floors, lazily."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

import quadflow as qf

ROOT = Path(qf.__file__).parent


def names_of(stub: Path) -> list[tuple[str, str]]:
    """(module, name) of everything that a stub imports."""
    body = ast.parse(stub.read_text()).body
    return [(str(s.module), a.name) for s in body if isinstance(s, ast.ImportFrom) for a in s.names]


def test_every_public_name_is_there_and_is_the_same_object():
    for floor in qf.FLOORS:
        package = import_module(floor)
        assert package.__all__
        for name in package.__all__:
            assert getattr(qf, name) is getattr(package, name)
            assert name in dir(qf)


def test_no_two_floors_share_a_name():
    """Or the import of one would hide the other."""
    names = [name for floor in qf.FLOORS for name in import_module(floor).__all__]
    assert len(names) == len(set(names))


def test_the_stub_for_type_checkers_lists_the_same():
    listed = {(floor, name) for floor, name in names_of(ROOT / "__init__.pyi")}
    assert listed == {(floor, name) for floor in qf.FLOORS for name in import_module(floor).__all__}


def test_the_version_is_that_of_the_distribution():
    assert qf.__version__ == version("quadflow")


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Studnt'"):
        qf.Studnt  # noqa: B018


def test_nothing_is_loaded_before_it_is_asked_for():
    heavy = "print([m for m in ('numpy', 'torch', 'sympy', 'matplotlib') if m in sys.modules])"
    code = f"import sys, quadflow as qf; {heavy}; qf.Teacher; {heavy}; qf.paper; {heavy}"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    first, theory, figures = map(ast.literal_eval, shown.splitlines())
    assert first == []
    assert "torch" not in theory
    assert "matplotlib" not in theory
    assert "matplotlib" in figures


def test_every_maker_of_figures_is_public():
    """What takes `axes=` draws figures, and `dir` shows it: nobody has to know the module."""
    makers = {
        node.name
        for path in (ROOT.parent / "figures").glob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and "axes" in [a.arg for a in node.args.kwonlyargs]
    }
    assert len(makers) > 30
    assert makers <= set(dir(qf))


@pytest.mark.parametrize("floor", qf.FLOORS)
def test_no_public_name_is_that_of_a_module(floor):
    """An import of the module would take its place: `figures.atlas` is a module, its maker is `atlas_figure`."""
    package = Path(import_module(floor).__file__).parent
    modules = {path.stem for path in package.glob("*.py")} | {
        path.parent.name for path in package.glob("*/__init__.py")
    }
    assert not modules & set(import_module(floor).__all__)
