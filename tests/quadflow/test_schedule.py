"""`quadflow schedule`, and `--schedule` of the other commands."""

import json

import numpy as np
import pytest

from dynamics import ModifiedFlow, Problem, Student, Teacher
from dynamics.clock import Clock
from dynamics.schedule_choice import choose_schedule
from empirical.experiments.schedules import TrainedSchedule, train_schedules
from quadflow.commands.schedule import describe, with_training

UNIT = [
    "--teacher",
    "1",
    "--inputs",
    "30",
    "--hidden",
    "1",
    "--second-layer",
    "fixed",
    "--label-noise",
    "0.5",
]
SMALL = ["--teacher", "2,1", "--hidden", "2", "--init-scale", "0.4", "--seed", "1"]


def unit():
    return Problem(
        Teacher.from_eigenvalues([1.0], 30), Student.initialise(1, 30, scale=0.1, second_layer="fixed")
    )


def test_one_unit(quadflow, tmp_path):
    """The keys of the contract, the numbers of the Python function, and the same object in a file."""
    options = ["--steps", "2000", "--schedules", "linear,wsd:0.5"]
    result = quadflow("schedule", *UNIT, *options, "--json", "--output", tmp_path / "s.json").json
    choice = choose_schedule(unit(), 2000, label_noise=0.5, schedules=["linear", "wsd:0.5"])
    assert [entry["name"] for entry in result["schedules"]] == ["linear", "wsd:0.5"]
    for entry, own in zip(result["schedules"], choice.schedules, strict=True):
        assert entry == {
            "name": own.name,
            "best_rate": own.best_rate,
            "predicted_risk": own.predicted_risk,
            "gain": own.gain,
            "at_bound": own.at_bound,
        }
    assert result["optimal"]["predicted_risk"] == pytest.approx(3.1298e-3, rel=1e-5)
    assert len(result["optimal"]["rates"]) == 2000
    assert result["largest_stable_step"] == choice.largest_stable_step
    assert set(result["stable_steps"]) == {"gradient descent", "heavy ball", "nesterov"}
    assert set(result["stable_steps"]["nesterov"]) == {"start", "path"}
    assert json.loads((tmp_path / "s.json").read_text())["optimal"] == result["optimal"]
    text = quadflow("schedule", *UNIT, *options).out
    assert choice.summary() in text


def test_trained_networks_stand_beside(quadflow):
    options = ["--steps", "30", "--schedules", "linear", "--seeds", "3", "--seed", "4"]
    result = quadflow("schedule", *UNIT, *options, "--json").json
    choice = choose_schedule(unit(), 30, label_noise=0.5, schedules=["linear"])
    linear, optimal = train_schedules(choice, 3, seed=4)
    for entry, networks in ((result["schedules"][0], linear), (result["optimal"], optimal)):
        assert entry["trained_risk"] == pytest.approx(networks.risk[-1], rel=1e-6)
        assert entry["standard_error"] == pytest.approx(networks.standard_error[-1], rel=1e-6)
    text = quadflow("schedule", *UNIT, *options).out
    assert f"trained: linear           risk {linear.risk[-1]:.5g} ± {linear.standard_error[-1]:.2g}" in text
    assert f"(predicted {optimal.predicted[-1]:.5g})" in text


def test_networks_that_diverged_are_null_and_said():
    networks = TrainedSchedule("cosine", np.arange(3), np.ones(2), np.ones(3), None, None)
    result = {"schedules": [{"name": "cosine"}], "optimal": None, "warnings": []}
    assert with_training(result, (networks,)) == {
        "schedules": [{"name": "cosine", "trained_risk": None, "standard_error": None}],
        "optimal": None,
        "warnings": ["under cosine networks diverged"],
    }
    assert describe(networks) == "trained: cosine           diverged"


def test_other_problems(quadflow):
    result = quadflow(
        "schedule", *SMALL, "--steps", "20", "--schedules", "cosine", "--start-risk", "0.1", "--json"
    )
    assert result.json["optimal"] is None
    assert "the optimal schedule is not known" in result.json["warnings"][0]
    assert "`--start-risk` has no effect unless one unit" in result.err


def test_weights_of_one_unit_do_not_matter(quadflow):
    result = quadflow("schedule", *UNIT, "--steps", "20", "--init-scale", "0.5", "--json")
    assert result.status == 0
    assert "`--init-scale` has no effect" in result.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*UNIT, "--schedules", "linear,cosin"], "did you mean 'cosine'"),
        ([*UNIT, "--steps", "0"], "`steps` is 0"),
        ([*UNIT, "--seeds", "1"], "`seeds` is 1"),
        ([*UNIT, "--seeds", "-1"], "`seeds` is -1"),
        ([*SMALL, "--activation", "relu"], "mean dynamics of SGD is known only"),
    ],
)
def test_bad_options(quadflow, arguments, words):
    result = quadflow("schedule", *arguments)
    assert (result.status, len(result.err.splitlines())) == (2, 1)
    assert words in result.err


def test_training_names_its_schedule(quadflow):
    result = quadflow("train", *SMALL, "--steps", "20", "--schedule", "step:0.1:0.5", "--json").json
    assert result["schedule"] == "step:0.1:0.5"
    assert result["times"][-1] == pytest.approx(1e-3 * (10 + 1))
    assert quadflow("train", *SMALL, "--steps", "2", "--json").json["schedule"] == "constant"


def test_rates_in_a_file(quadflow, tmp_path):
    """In units of the step, one for each step."""
    np.save(tmp_path / "rates.npy", np.linspace(1, 0.5, 20))
    arguments = ["train", *SMALL, "--steps", "20", "--schedule", tmp_path / "rates.npy"]
    assert quadflow(*arguments, "--json").json["times"][-1] == pytest.approx(1e-3 * 15)
    result = quadflow(*arguments, "--steps", "21")
    assert (result.status, result.err.count("\n")) == (2, 1)
    assert "has 20 rates, but `steps` is 21" in result.err


def test_simulate_along_a_schedule(quadflow):
    """Over the whole schedule; or up to an end time, to which the length is chosen."""
    modified = [
        "simulate",
        *SMALL,
        "--correction",
        "modified",
        "--step",
        "0.01",
        "--schedule",
        "cosine",
        "--json",
    ]
    problem = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(2, 2, scale=0.4, seed=1))
    curve = ModifiedFlow(problem, 0.01, schedule="cosine", steps=80).integrate()
    result = quadflow(*modified, "--steps", "80").json
    np.testing.assert_allclose(result["loss"], curve.loss, rtol=1e-9)
    for t_end in ("0.403", "0.396"):  # cosines end at 0.005(N + 1)
        result = quadflow(*modified, "--t-end", t_end).json
        assert result["times"][-1] == pytest.approx(0.405 if t_end == "0.403" else 0.395, rel=1e-12)
    sgd = ["simulate", *SMALL, "--sgd", "--step", "0.001", "--schedule", "linear", "--steps", "50", "--json"]
    end = Clock(0.001, schedule="linear", length=50).end
    assert quadflow(*sgd).json["times"][-1] == pytest.approx(end, rel=1e-12)


@pytest.mark.parametrize(
    ("optimizer", "beta", "per_step"),
    [(["nesterov"], 0.9, 10), (["sgd", "--momentum", "0.5"], 0.5, 2), (["normalised"], 0.0, 1)],
)
def test_a_flow_whose_path_is_the_same_ends_with_the_schedule(quadflow, optimizer, beta, per_step):
    """A linear schedule of N steps ends at η(N + 1)/2 on the clock of the optimiser, as that of `compare` does."""
    options = [
        *SMALL,
        "--optimizer",
        *optimizer,
        "--step",
        "0.001",
        "--schedule",
        "linear",
        "--steps",
        "50",
        "--json",
    ]
    result = quadflow("simulate", *options).json
    assert result["times"][-1] == pytest.approx(per_step * 0.0255, rel=1e-12)
    compared = quadflow("compare", *options, "--batch", "2", "--records", "2").json["theory"]
    assert compared["times"][-1] == pytest.approx(result["times"][-1], rel=1e-12)
    assert compared["loss"][-1] == pytest.approx(result["loss"][-1], rel=1e-7)
    inside = quadflow("simulate", *options, "--times", f"0,{per_step * 0.02}").json
    assert inside["times"][-1] == per_step * 0.02
    for late in ("--t-end", "--times"):
        refused = quadflow("simulate", *options, late, "9")
        assert (refused.status, len(refused.err.splitlines())) == (2, 1)
        assert f"The schedule ends at t = {per_step * 0.0255:g}, but" in refused.err


def test_momentum_beyond_the_second_order_is_said(quadflow):
    """h = 190 × 0.01 = 1.9, at a curvature above 1: by the modified flow and by its comparison; not for η = 1e-5."""
    options = [
        *SMALL,
        "--correction",
        "modified",
        "--optimizer",
        "momentum",
        "--schedule",
        "cosine",
        "--json",
    ]
    for command in (["simulate"], ["compare", "--batch", "2", "--records", "2"]):
        for step, said in (("0.01", True), ("0.00001", False)):
            result = quadflow(*command, *options, "--step", step, "--steps", "40").json
            found = [words for words in result["warnings"] if "corrects the steepest slope by" in words]
            assert len(found) == said
            assert not said or found[0].startswith(
                "The learning rate is 0.01 with momentum 0.9, so that at t = "
            )


def test_a_rate_too_large_for_the_correction_is_said(quadflow):
    arguments = [
        "simulate",
        *SMALL,
        "--correction",
        "modified",
        "--step",
        "0.3",
        "--schedule",
        "warmup-cosine:0.9",
    ]
    result = quadflow(*arguments, "--steps", "40", "--json").json
    assert any(
        "The learning rate is " in words and "leaves the modified flow" in words
        for words in result["warnings"]
    )
    calm = quadflow(*arguments, "--step", "0.003", "--steps", "40", "--json").json
    assert not any("leaves the modified flow" in words for words in calm["warnings"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--schedule", "cosine", "--steps", "9"],
            "`--schedule` belongs to `--correction modified` or `--sgd`",
        ),
        (
            ["--correction", "modified", "--step", "0.1", "--steps", "9"],
            "`--steps` is the length of a `--schedule`",
        ),
        (["--correction", "modified", "--step", "0.1", "--schedule", "cosine"], "`steps` is missing"),
        (["--sgd", "--step", "0.1", "--schedule", "cosine:x", "--steps", "9"], "`end` must be a number"),
        (
            [
                "--correction",
                "modified",
                "--step",
                "0.1",
                "--schedule",
                "linear",
                "--steps",
                "9",
                "--t-end",
                "2",
            ],
            "The schedule ends at t = 0.5",
        ),
    ],
)
def test_options_that_do_not_fit(quadflow, arguments, words):
    result = quadflow("simulate", *SMALL, *arguments)
    assert (result.status, len(result.err.splitlines())) == (2, 1)
    assert words in result.err


def test_a_sweep_over_schedules(quadflow, tmp_path):
    """Networks and theory at every point; runs up to a time end there, whatever the schedule."""
    xarray = pytest.importorskip("xarray")
    sweep = [
        "sweep",
        "train",
        "simulate",
        *SMALL,
        "--correction",
        "modified",
        "--step",
        "0.01",
        "--t-end",
        "0.3",
    ]
    result = quadflow(
        *[*sweep, "--vary", "schedule=constant,cosine,step:0.1:0.5", "--records", "5", "--workers", "0"],
        *["--output", tmp_path / "s.nc"],
    )
    assert result.status == 0, result.err
    with xarray.open_dataset(tmp_path / "s.nc") as data:
        assert data["schedule"].values.tolist() == ["constant", "cosine", "step:0.1:0.5"]
        ends = data["train_times"].max("time") if "train_times" in data else None
        assert ends is None or np.allclose(ends, 0.3, atol=0.011)
        losses = data["simulate_loss"].values
        assert len({round(float(curve.ravel()[2]), 10) for curve in losses}) == 3
