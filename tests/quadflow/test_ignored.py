"""Options without effect are said in a note, beside a result that is the same without them."""

import numpy as np
import pytest

from quadflow.options.ignored import given

SHORT = "--teacher 2,1 --times 0,0.1"


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Weights of two units in a file, in the current folder."""
    monkeypatch.chdir(tmp_path)
    W = np.array([[0.3, -0.2], [0.2, 0.5]])
    np.savez("start.npz", W=W, a=[0.4, -0.3])
    np.savez("alone.npz", W=W)


DRAWN = "`--init` and `--init-scale` have no effect beside `--init-file`"


@pytest.mark.parametrize(
    ("command", "options", "sentence"),
    [
        ("simulate --times 0,0.1", "--init balanced --init-scale 0.2", DRAWN),
        ("simulate --times 0,0.1", "--init-scale 0.1", "`--init-scale` has no effect beside `--init-file`"),
        ("simulate --times 0,0.1", "--seed 4", "`--seed` has no effect beside `--init-file`"),
        ("diagnose", "--seed 4", "`--seed` has no effect beside `--init-file`"),
        ("scope", "--seed 4", "`--seed` has no effect beside `--init-file`"),
        ("train --steps 2", "--init gaussian --init-scale 3", DRAWN),
        ("compare --steps 2 --seed 3", "--init balanced --init-scale 3", DRAWN),
        (
            "diagnose --second-layer fixed",
            "--second-layer-value 2",
            "`--second-layer-value` has no effect beside the second layer in 'start.npz'",
        ),
        (
            "diagnose",
            "--second-layer-value 2",
            "`--second-layer-value` has no effect unless `--second-layer` is fixed",
        ),
    ],
)
def test_what_has_no_effect_is_said(quadflow, start, command, options, sentence):
    """In one line on standard error and among the warnings; all else is the same."""
    name, *rest = command.split()
    arguments = [name, "--teacher", "2,1", "--init-file", "start.npz", *rest, "--json"]
    with_them, without = quadflow(*arguments, *options.split()), quadflow(*arguments)
    assert with_them.err == f"quadflow: note: {sentence}.\n"
    assert without.err == ""
    results = [with_them.json, without.json]
    if "warnings" in results[0]:
        assert sentence in results[0]["warnings"] and sentence not in results[1]["warnings"]
    for key in ("loss", "verdict", "scope", "relative_error"):
        assert results[0].get(key) == results[1].get(key)


@pytest.mark.parametrize(
    "arguments",
    [
        f"simulate {SHORT} --init balanced --init-scale 0.2 --seed 4",  # weights are drawn
        f"simulate {SHORT} --init-file alone.npz --second-layer fixed --second-layer-value 2",
        "train --teacher 2,1 --init-file start.npz --steps 2 --seed 4",  # which draws the data
    ],
)
def test_what_has_an_effect_is_not(quadflow, start, arguments):
    result = quadflow(*arguments.split())
    assert (result.status, result.err) == (0, "")


def test_a_configuration_counts_as_given(quadflow, start, tmp_path):
    (tmp_path / "x.toml").write_text('init-file = "start.npz"\ninit-scale = 0.1\n')
    result = quadflow("simulate", *SHORT.split(), "--config", "x.toml")
    assert result.err == "quadflow: note: `--init-scale` has no effect beside `--init-file`.\n"


def test_defaults_of_a_figure_do_not_count_as_given(quadflow, start, monkeypatch):
    """The figure has a seed and a size of the start of its own, which weights from a file replace."""
    monkeypatch.setattr("quadflow.gallery.conservation.draw_into", lambda path, make: make())
    monkeypatch.setattr("empirical.conserved.drift_scaling", lambda *_, **__: None)
    monkeypatch.setattr("figures.conserved.drift_against_step", lambda _: None)
    arguments = ["figure", "drift", "--teacher", "2,1", "--init-file", "start.npz"]
    assert quadflow(*arguments).err == ""
    assert quadflow(*arguments, "--seed", "1").err.startswith("quadflow: note: `--seed` has no effect")


def test_an_axis_of_a_sweep_without_effect(quadflow, start):
    sweep = ["sweep", "--teacher", "2,1", "--init-file", "start.npz", "--t-end", "0.1", "--workers", "0"]
    result = quadflow(*sweep, "--vary", "init-scale=0.1,0.2", "--output", "x.nc")
    assert result.status == 0
    assert result.err == "quadflow: note: `--vary init-scale` has no effect beside `--init-file`.\n"


def test_outside_the_command_line_nothing_is_given():
    assert given(["init", "seed"]) == []
