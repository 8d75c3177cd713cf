"""The command line integrates and trains nothing by itself, but for the calls that commands of these names are."""

import ast
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import quadflow

ROOT = Path(quadflow.__file__).parent
STEPPING = (  # where something is integrated or trained
    *("dynamics.flows", "dynamics.integration", "dynamics.sgd.mean_sgd", "dynamics.sgd.fluctuations"),
    *("dynamics.neuron.flow", "dynamics.ensemble.flow_ensemble"),
    *("empirical.training", "empirical.trainer", "empirical.training_ensemble", "empirical.neuron.training"),
    *("empirical.descent", "empirical.gsgd"),
    *("dynamics.networks.flow", "dynamics.networks.modified", "empirical.polynomial.training"),
)
ALLOWED = {
    "simulation.py": "the one call of `quadflow simulate`, which its sweep makes too: it is integrating",
    "commands/train.py": "the one call of `quadflow train`, and what a diverged training has recorded is kept",
    "own_networks/simulate.py": "the one call of `quadflow simulate --network`",
    "own_networks/train.py": "the one call of `quadflow train --network`, and what a diverged training has recorded",
    "commands/neuron.py": "the calls of `quadflow neuron`: flow, and networks if steps are given",
}


def imported(source):
    """Where everything that a file imports comes from, types and imports in functions included."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module is not None
            found.add(node.module)
            found |= {home(node.module, alias.name) for alias in node.names}
    return found


def home(module, name):
    """The module of something that a package may hand on; a constant does not know its own."""
    if find_spec(module).submodule_search_locations and find_spec(f"{module}.{name}"):
        return f"{module}.{name}"
    return str(getattr(getattr(import_module(module), name), "__module__", module))


def stepping(source):
    """What of it integrates or trains."""
    return {m for m in imported(source) if any(m == part or m.startswith(f"{part}.") for part in STEPPING)}


def test_only_the_commands_of_that_name_integrate_and_train():
    """Whoever is allowed does it: the list holds nothing that is over."""
    files = {str(path.relative_to(ROOT)): path.read_text() for path in ROOT.rglob("*.py")}
    assert {name for name, source in files.items() if stepping(source)} == set(ALLOWED)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f():\n    from empirical import train", {"empirical.training"}),
        ("from dynamics import GradientFlow as G", {"dynamics.flows.gradient"}),
        ("import dynamics.flows.modified", {"dynamics.flows.modified"}),
        ("from dynamics import integration", {"dynamics.integration"}),
        ("from dynamics.integration import METHODS", {"dynamics.integration"}),
        ("from empirical import compare\nfrom dynamics import Problem", set()),
    ],
)
def test_imports_are_traced_home(source, found):
    """Through packages that hand on, and in functions."""
    assert stepping(source) == found
