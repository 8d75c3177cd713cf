"""A page of the gallery and the command that it names compute the same: one function, with the same arguments.

Both are run up to the call of that function, which is then broken off.
"""

import ast
import inspect
import json
import re
import runpy
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from wiring import places, restore

from dynamics import Problem
from dynamics.activations import Activation
from dynamics.errors import ComputationError
from empirical.training import train
from quadflow.commands.figure import command as gallery

PAGES = Path(__file__).parents[2] / "docs" / "gallery"
DIAGRAMS = "empirical.experiments.phase_diagram"
COMPARE = "empirical.comparison:compare"
EXPERIMENTS = {  # what integrates, searches or trains for each figure
    "activations": "empirical.experiments.activations:activation_curves",
    "atlas": "dynamics.stationary.matching:search_catalogue",
    "classification": COMPARE,
    "collapse": "empirical.experiments.collapse:collapse_diagram",
    "conserved": "empirical.conserved:conserved_curves",
    "depth": "empirical.experiments.depth:depth_curves",
    "drift": "empirical.conserved:drift_scaling",
    "escape-times": "empirical.experiments.escape:escape_times",
    "exit-times": "empirical.experiments.exit_times:exit_times",
    "fluctuations": COMPARE,
    "gap-data": COMPARE,
    "gap-noise": COMPARE,
    "gap-step": COMPARE,
    "gaussianity": "empirical.experiments.gaussianity:gaussianity_curves",
    "growth": "empirical.experiments.growth:growth",
    "hannet": "empirical.hannet.check:check_hannet",
    "invariance": "empirical.experiments.invariance:invariance",
    "late-time": "empirical.experiments.late_time:late_time",
    "learning-curves": COMPARE,
    "losses": "empirical.experiments.losses:loss_curves",
    "neuron": "empirical.experiments.neuron_rates:neuron_rates",
    "neuron-collapse": "empirical.neuron.collapse:collapse_study",
    "neuron-functions": "dynamics.neuron.function_space:function_space_dimensions",
    "overlay": "empirical.experiments.overlay:overlays",
    "own-network": "empirical.polynomial.comparison:compare_network",
    "pieces": "dynamics.neuron.pieces.counts:count_pieces",
    "phase-diagram": f"{DIAGRAMS}:single_mode_diagram",
    "phase-portrait": "dynamics.phase_plane:phase_plane",
    "published": "empirical.published.reproduction:reproduce",
    "sample-size": "empirical.experiments.sample_size:sample_size_curves",
    "saddle-graph": "empirical.experiments.saddle_path:saddle_path",
    "scale-diagram": f"{DIAGRAMS}:scale_diagram",
    "scaling-law": "empirical.experiments.power_law:scaling_laws",
    "schedules": "empirical.experiments.schedules:schedule_curves",
    "spectrum": "dynamics.curvature.saddles:saddle_spectrum",
    "stability": "empirical.experiments.edge_of_stability:edge_of_stability",
    "staircase": "empirical.experiments.staircase:staircase_curves",
    "study": "empirical.studies.findings:read_findings",
    "sweep": "empirical.sweep.drawing:sweep_data",
    "symmetric-plateau": "empirical.experiments.symmetric_plateau:symmetric_plateau",
    "train-test": "empirical.experiments.generalisation:train_and_test",
    "universality": "dynamics.gaussian_theory.universality:universality",
    "weight-decay": "empirical.experiments.weight_decay:decayed_spectra",
}
# how a command says what is so without a word
SILENT = {"solver": {"method": "auto"}, "chosen": {}}


def plain(value):
    """An argument as lists, numbers and texts, so that `==` compares it."""
    if isinstance(value, Problem):
        student = value.student
        decay = value.weight_decay.rates
        parts = (value.teacher.matrix(), student.W, student.A, student.trainable, value.covariance, decay)
        learned = [value.loss.name, value.labels.name, value.flip, str(value.bias)]
        law = [value.law.name, {name: array.tolist() for name, array in value.law.arrays().items()}]
        return [str(value.activation), learned, law, *map(plain, parts)]
    if isinstance(value, Activation):
        return str(value)
    if hasattr(value, "to_dict"):  # a catalogue
        return json.loads(json.dumps(value.to_dict()))
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    return value


def arguments(function, args, kwargs):
    """Everything that a function is given, by name, defaults included; how progress is shown aside.

    What it hands on to `train` as further arguments has the defaults of that.
    """
    signature = inspect.signature(function)
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    found = {}
    for name, value in bound.arguments.items():
        if signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            further = {n: p.default for n, p in inspect.signature(train).parameters.items()}
            found |= {n: default for n, default in further.items() if n not in signature.parameters} | value
        else:
            found[name] = SILENT[name] if value is None and name in SILENT else value
    return {name: plain(value) for name, value in found.items() if name != "progress"}


# figures of which several pages show different examples
SEVERAL = {"study": ("study-relinear", "study-gsgd", "study-hannet")}
SHOWN = [(name, page) for name in EXPERIMENTS for page in SEVERAL.get(name, (name,))]


def page_of(page):
    """Its file, and the command that it names behind its title, as words."""
    (path,) = PAGES.glob(f"*/plot_{page.replace('-', '_')}.py")
    (command,) = re.findall(r"\n\n``quadflow ([^`]+)``\n", ast.get_docstring(ast.parse(path.read_text())))
    return path, command.split()


def test_every_figure_names_its_experiment():
    """The table above has all of them."""
    assert sorted(EXPERIMENTS) == sorted(gallery.commands)
    assert len(SHOWN) == len([*PAGES.glob("*/plot_*.py")])


@pytest.mark.parametrize(("name", "page"), SHOWN)
def test_page_and_command_compute_the_same(received, name, page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path, command = page_of(page)
    module, _, attribute = EXPERIMENTS[name].partition(":")
    function = getattr(import_module(module), attribute)
    by_command = arguments(function, *received(EXPERIMENTS[name], *command))

    found = []

    def keep(*args, **kwargs):
        found.append((args, kwargs))
        raise ComputationError("reached")

    with monkeypatch.context() as patch:
        patch.setattr("quadflow.cli.run", lambda _: 0)  # the sweep of a page, which takes its time
        for owner, attribute in places(EXPERIMENTS[name]):
            patch.setattr(owner, attribute, keep)
        with pytest.raises(ComputationError, match="reached"):
            runpy.run_path(str(path))
    restore(keep, function)
    assert arguments(function, *found[0]) == by_command


@pytest.mark.parametrize(("name", "page"), SHOWN)
def test_a_page_computes_nothing_else(name, page):
    """What it imports: parts of a problem, its experiment, what draws it."""
    path, _ = page_of(page)
    allowed = {
        *("Problem", "NetworkProblem", "Student", "Teacher", "Neurons", "QuadraticTarget"),
        *("fixed_points", "points_of_all_signs"),
        *(
            "grid_of_starts",
            "grid_of_scales",
            "load",
            "run",
            "find_drawable",
            EXPERIMENTS[name].partition(":")[2],
        ),
    }
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("figures"):
            assert {alias.name for alias in node.names} <= allowed
