"""A command and the function behind it agree on what is left out."""

import inspect
from importlib import import_module

import click
import pytest

from quadflow.cli import cli
from quadflow.commands.init import find_command

ROOT = click.Context(cli, info_name="quadflow")

# command, function, and the names on which they differ for a reason
PAIRS = [
    ("train", "empirical.training:train", {}),
    ("compare", "empirical.training:train", {}),
    ("compare", "empirical.comparison:compare", {}),
    ("simulate", "dynamics.flows.gradient:GradientFlow.integrate", {}),
    ("simulate", "dynamics.problem:Student.initialise", {"init_scale": "scale is needed in Python too"}),
    ("invariance", "empirical.experiments.invariance:invariance", {}),
    ("figure invariance", "empirical.experiments.invariance:invariance", {}),
    ("hannet", "empirical.hannet.check:check_hannet", {"steps": "those of the other of its two tasks"}),
    ("hannet", "empirical.hannet.checkerboard:train_checkerboard", {}),
    ("figure hannet", "empirical.hannet.check:check_hannet", {"layers": "a figure of half the depth"}),
    (
        "neuron",
        "empirical.neuron.training:train_neurons",
        {"seeds": "one network is enough for a function", "records": "of the flow"},
    ),
    (
        "neuron",
        "empirical.neuron.collapse:collapse_study",
        {"steps": "of another training", "batch": "of another"},
    ),
    ("neuron", "dynamics.neuron.problem:Neurons.initialise", {}),
    ("figure neuron-collapse", "empirical.neuron.collapse:collapse_study", {}),
    ("figure phase-diagram", "empirical.experiments.phase_diagram:single_mode_diagram", {}),
    (
        "figure scale-diagram",
        "empirical.experiments.phase_diagram:scale_diagram",
        {"replicates": "a figure in less time"},
    ),
    ("schedule", "dynamics.schedule_choice:choose_schedule", {"schedules": "as text"}),
    ("schedule", "empirical.experiments.schedules:train_schedules", {}),
    (
        "figure schedules",
        "empirical.experiments.schedules:schedule_curves",
        {"schedules": "as text", "label_noise": "noise is its point"},
    ),
    ("figure drift", "empirical.conserved:drift_scaling", {}),
    ("figure scaling-law", "empirical.experiments.power_law:scaling_laws", {}),
    ("figure growth", "empirical.experiments.growth:growth", {}),
    ("figure late-time", "empirical.experiments.late_time:late_time", {}),
    (
        "figure train-test",
        "empirical.experiments.generalisation:train_and_test",
        {"label_noise": "noise is its point"},
    ),
    (
        "figure stability",
        "empirical.experiments.edge_of_stability:edge_of_stability",
        {"seed": "a start that shows it well"},
    ),
    ("gaussianity", "dynamics.gaussian_theory.comparison:gaussian_comparison", {"samples": "of data"}),
    (
        "gaussianity",
        "empirical.experiments.gaussianity:gaussianity_curves",
        {"seeds": "none is trained unless it is asked for", "records": "201, as of flows"},
    ),
    (
        "figure gaussianity",
        "empirical.experiments.gaussianity:gaussianity_curves",
        {"seed": "one that shows it"},
    ),
    ("figure universality", "dynamics.gaussian_theory.universality:universality", {}),
    ("escape", "dynamics.escape.prediction:escape_time", {}),
    ("escape", "empirical.escape:train_escape", {"seeds": "none is trained unless it is asked for"}),
    (
        "figure escape-times",
        "empirical.experiments.escape:escape_times",
        {"activations": "as text", "largest": "as text", "rates": "as text"},
    ),
    ("sample-size", "dynamics.sample_size.prediction:state_evolution", {}),
    (
        "figure sample-size",
        "empirical.experiments.sample_size:sample_size_curves",
        {"decays": "as text", "alphas": "as text", "clean_alphas": "as text"},
    ),
    ("conserved", "dynamics.laws.report:conserved_report", {"weight_decay": "0 as text"}),
]


@pytest.mark.parametrize(("name", "target", "apart"), PAIRS)
def test_defaults_agree(name, target, apart):
    """Wherever both have a default of the same name; None means that the other side decides."""
    module, _, path = target.partition(":")
    function = import_module(module)
    for part in path.split("."):
        function = getattr(function, part)
    theirs = {
        parameter.name: parameter.default
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is not inspect.Parameter.empty
    }
    ours = find_command(ROOT, name).make_context(name, [], resilient_parsing=True).params
    shared = {n for n in theirs.keys() & ours.keys() if None not in (theirs[n], ours[n])} - apart.keys()
    assert {n: ours[n] for n in shared} == {n: theirs[n] for n in shared}
    assert shared or apart
