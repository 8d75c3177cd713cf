"""What an option is that is left out: a promise of `--help` and of the manual, which changes with these tables."""

import click
import pytest

from quadflow.cli import cli
from quadflow.commands.init import find_command, names

ROOT = click.Context(cli, info_name="quadflow")

# What an option is that is left out, at every command that has it; for some commands, in the second table, another.
EVERYWHERE = {
    **{"second_layer": "trainable", "second_layer_value": 1.0, "init": "gaussian", "init_scale": 0.1},
    **{"activation": "quadratic", "seed": 0, "device": "cpu", "dtype": "float32", "optimizer": "sgd"},
    **{"correction": "none", "method": "auto", "gap": "theory", "label_noise": 0.0, "shrink": 0.0},
    **{"test_samples": 0, "eigenvalue": 1.0, "spread": 2.0, "outputs": 1, "degree": 2, "width": 30},
}
APART = {
    "sample-size": {"activation": "centred", "width": 1.0},
    "figure sample-size": {"label_noise": 0.5},
    "invariance": {"activation": "relu", "outputs": 2},
    "figure invariance": {"activation": "relu", "outputs": 2},
    "neuron": {"init": "relinear", "init_scale": 0.7},
    "figure neuron": {"init": "relinear", "init_scale": 0.7},
    "figure conserved": {"label_noise": 0.1},
    "figure train-test": {"label_noise": 0.2},
    "figure universality": {"init_scale": 1.0},
    "figure losses": {"init_scale": 0.03},
}
# Others that a command has for itself.
SIZES = {
    "train": {"step": 0.001, "batch": 256, "seeds": 1, "samples": 0, "records": 200},
    "compare": {"step": 0.001, "batch": 256, "seeds": 1, "samples": 0, "records": 200},
    "simulate": {"records": 201},
    "gaussianity": {"records": 201, "seeds": 0, "step": 2.5e-4, "batch": 512},
    "conserved": {"hidden": 2},
    "invariance": {"inputs": 6, "hidden": 8, "layers": 2, "steps": 300, "batch": 64},
    "hannet": {"layers": 200, "steps": 15_000},
    "neuron": {"hidden": 6, "starts": 100, "seeds": 4, "step": 0.01, "records": 201, "rates": "1,1,1"},
    "sweep": {"replicates": 1, "step": 0.001, "batch": 256},
    "figure activations": {"batch": 512, "seeds": 8, "step": 0.001, "t_end": "12,15,6"},
    "figure atlas": {"search": 400},
    "escape": {"overlap": 0.5, "batch": 1, "seeds": 0},
    "figure exit-times": {"overlap": 0.5**0.5, "seeds": 400, "inputs": "200,2000", "rate": 0.05},
    "sample-size": {"alpha": "0.1:1:10", "weight_decay_order": 0.0},
    "figure sample-size": {"inputs": 30, "points": 31, "seeds": 4, "kappa": 0.5, "clean_kappa": 0.2},
    "figure escape-times": {"overlap": 0.5, "seeds": 16, "largest": "896,112,28"},
    "figure conserved": {"batch": 32, "seeds": 32, "step": 0.002, "steps": 3000},
    "figure hannet": {"layers": 100},
    "figure growth": {"batch": 512, "seeds": 4, "step": 0.05, "teacher": "2,-1,0.5"},
    "figure losses": {"bias": 2.0, "batch": 256, "inputs": 3, "hidden": 6, "seeds": 6, "teacher": "4,2,1"},
    "figure late-time": {"batch": 512, "inputs": 5, "step": 0.002},
    "figure neuron": {"hidden": 6, "seeds": 4, "step": 0.01, "t_end": 20.0, "gammas": "1,0.1,0"},
    "figure neuron-collapse": {"inputs": 6, "hidden": 6, "batch": 32, "steps": 200, "starts": 100},
    "figure neuron-functions": {"inputs": 5},
    "figure pieces": {"hidden": 5, "layers": 2, "starts": 10},
    "figure overlay": {"batch": 512, "seeds": 16, "step": "0.02,0.02,0.02,0.005", "t_end": "30,40,30,15"},
    "figure phase-diagram": {"extent": 1.5, "points": 31, "step": 0.005},
    "figure phase-portrait": {"extent": 2.0},
    "figure scale-diagram": {"hidden": 4, "points": 9, "replicates": 16, "teacher": "2,-1.9"},
    "figure scaling-law": {
        "count": 1_000_000,
        "trained_modes": 100,
        "step": 0.004,
        "exponents": "0.75,1,1.5",
    },
    "figure spectrum": {"points": 200, "zero": 5e-3},
    "figure stability": {"samples": 400, "t_end": 6.0, "factors": "0.9,1.1,2"},
    "figure staircase": {"batch": 512, "seeds": 6},
    "figure train-test": {"samples": 60, "seeds": 6, "steps": 6000},
    "figure collapse": {
        "rates": "0.05,0.5,8",
        "points": 10,
        "step": 0.005,
        "batch": 64,
        "patience": 6.0,
    },
    "figure gaussianity": {"step": 2.5e-4, "batch": 512, "seeds": 8, "t_end": 2.0},
    "figure universality": {
        **{"teacher": "4,2,1", "distribution": "independent:3", "dimensions": "6,12,24,48,96"},
        **{"hidden": 6, "init_scale": 1.0, "t_end": 6.0, "draws": 6},
    },
    "figure weight-decay": {"value": 1.0, "step": 0.01, "batch": 256, "t_end": 200.0, "seeds": 3},
}


@pytest.mark.parametrize("name", [*names(ROOT)])
def test_options_that_are_left_out(name):
    """As the help and the manual print them; what is not in these tables has none, or came later."""
    declared = {p.name: p.default for p in find_command(ROOT, name).params}
    given = {n for n, value in declared.items() if value is not None and isinstance(value, int | float | str)}
    expected = EVERYWHERE | APART.get(name, {})
    shared = expected.keys() & given
    assert {n: declared[n] for n in shared} == {n: expected[n] for n in shared}
    sizes = SIZES.get(name, {})
    assert {n: declared[n] for n in sizes} == sizes
