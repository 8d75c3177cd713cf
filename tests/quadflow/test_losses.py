"""The options of the loss on the command line: what is printed and written, and what is refused."""

import json

import numpy as np
import pytest

CLASSES = [
    "simulate",
    "--teacher",
    "2,-1",
    "--hidden",
    "2",
    "--init-scale",
    "0.5",
    "--t-end",
    "2",
    "--records",
    "3",
]


def test_accuracy_and_bias_are_printed_and_written(quadflow, tmp_path, monkeypatch):
    """Lists over times in JSON, columns in a table; words say them too."""
    monkeypatch.chdir(tmp_path)
    arguments = [*CLASSES, "--loss", "logistic", "--bias", "trainable:0.4"]
    result = quadflow(*arguments, "--json", "--output", "run.csv").json
    assert len(result["accuracy"]) == len(result["calibration"]) == len(result["bias"]) == 3
    assert all(0 < error < 0.01 for error in result["accuracy_error"])
    assert result["bias"][0] == [0.0]
    assert result["problem"]["loss"] == "logistic"
    assert result["problem"]["labels"] == "bernoulli"
    assert result["problem"]["bias"] == "trainable:0.4"
    table = np.genfromtxt("run.csv", delimiter=",", names=True)
    np.testing.assert_array_equal(table["accuracy"], result["accuracy"])
    np.testing.assert_array_equal(table["bias_1"], np.ravel(result["bias"]))
    assert "accuracy" in quadflow(*arguments).out


def test_the_square_loss_prints_no_accuracy(quadflow):
    result = quadflow(*CLASSES, "--json").json
    assert "accuracy" not in result
    assert result["problem"]["loss"] == "square"


def test_a_data_set_of_two_classes(quadflow, tmp_path, monkeypatch):
    """Held-out samples have an accuracy too; it is counted, so there is no standard error."""
    monkeypatch.chdir(tmp_path)
    X = np.random.default_rng(0).standard_normal((60, 2))
    np.savez("two.npz", X=X, y=np.where(X[:, 0] ** 2 > X[:, 1] ** 2, 1.0, -1.0))
    given = ["--data", "two.npz", "--split", "0.25", "--loss", "logistic", "--bias", "trainable"]
    result = quadflow("simulate", *given, "--hidden", "3", "--t-end", "30", "--records", "3", "--json").json
    assert result["accuracy"][-1] > result["accuracy"][0]
    assert len(result["test_accuracy"]) == 3
    assert "accuracy_error" not in result


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--loss hinge", "`loss` is 'hinge', but must be one of"),
        ("--loss huber:x", "C must be a number between"),
        ("--loss log-cosh --labels hard", "which needs numbers"),
        ("--loss logistic --labels hard:nan", "THRESHOLD must be a number of at most 1e+50 in size"),
        ("--loss logistic --flip 0.5", "`flip` is 0.5, but must be below 0.5"),
        ("--loss logistic --bias x", "`bias` is 'x', but must be a number"),
        ("--bias 1", "but `loss` is 'square'"),
        ("--loss logistic --outputs 2", "of two classes: it has one output"),
        ("--loss logistic --bias trainable --second-layer fixed", "the second layer is fixed"),
        ("--loss log-cosh --activation tanh", "but the gradient flow is known only for"),
        ("--loss log-cosh --sgd --step 0.1", "is known only for the square loss"),
    ],
)
def test_what_is_refused(quadflow, arguments, message):
    refused = quadflow(*CLASSES, *arguments.split())
    assert refused.status == 2
    assert message in refused.err
    assert refused.err.count("\n") == 1


@pytest.mark.parametrize("form", ["text", "tensor"])
def test_formulas_are_of_the_square_loss(quadflow, form):
    refused = quadflow("derive", "--inputs", "2", "--loss", "log-cosh", "--format", form)
    assert refused.status == 2
    assert "`--loss` is 'log-cosh', but this is known only for the square loss" in refused.err
    refused = quadflow("derive", "--inputs", "2", "--bias", "0.4", "--format", form)
    assert "belong to other losses than the square" in refused.err


def test_scope_knows_every_loss(quadflow):
    """The flow of each is exact; a theory that is not known says why."""
    for loss in ("square", "log-cosh", "huber:1", "logistic"):
        rows = quadflow("scope", "--teacher", "2,-1", "--loss", loss, "--json").json["scope"]
        known = {row["command"]: row for row in rows}
        assert known["simulate"]["status"] == "exact"
        assert known["simulate --correction modified"]["status"] == "second order"
        assert (known["derive"]["status"] == "exact") == (loss == "square")
    assert "square loss" in known["derive"]["reason"]


def test_an_own_config_names_the_loss(quadflow, tmp_path, monkeypatch):
    """Options of a file are options."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text('loss = "huber:0.5"\n')
    result = quadflow(*CLASSES, "--config", "run.toml", "--json").json
    assert result["problem"]["loss"] == "huber:0.5"
    assert json.dumps(result["loss"])


def test_a_level_that_is_not_found_is_left_out(quadflow, monkeypatch):
    """The flow is right without it: the curve is the same, and a warning says why a plateau has no level."""
    from dynamics.errors import ComputationError
    from dynamics.problem.class_landscape import ClassLandscape

    arguments = ["simulate", "--teacher", "2,-1", "--hidden", "2", "--loss", "logistic", "--bias", "0.4"]
    arguments += ["--t-end", "400", "--init-scale", "0.01", "--seed", "2"]
    whole = quadflow(*arguments, "--json").json
    least = ClassLandscape._minimum

    def lost(self, B, counts, values):
        if len(B) == 1:
            raise ComputationError("The values were not found.")
        return least(self, B, counts, values)

    monkeypatch.setattr(ClassLandscape, "_minimum", lost)
    found = quadflow(*arguments, "--json").json
    assert found["loss"] == whole["loss"] and found["warnings"] != whole["warnings"]
    reason = "Some plateaus have no predicted level. The values were not found."
    assert reason in found["warnings"] and reason not in whole["warnings"]
    assert sum("predicted_loss" in p for p in found["stages"]) < sum(
        "predicted_loss" in p for p in whole["stages"]
    )
    text = quadflow(*arguments)
    assert text.status == 0 and f"warning: {reason}" in text.out


@pytest.mark.parametrize(
    ("loss", "unit"),
    [("square", "squared output units"), ("log-cosh", "log-cosh"), ("huber:2", "Huber, C = 2")],
)
def test_losses_are_measured_in_their_unit(loss, unit):
    """In what files and xarray say of flows, ensembles, stationary points and staircases; times have theirs."""
    from dynamics import FlowEnsemble, GradientFlow, Problem, Student, Teacher
    from dynamics.saddle_to_saddle.staircase import staircase
    from dynamics.stationary import fixed_points

    problem = Problem(Teacher.from_eigenvalues([1]), Student.initialise(1, 1, scale=1e-2, seed=1), loss=loss)
    flow = GradientFlow(problem).integrate(t_end=1, samples=3).variables()
    ensemble = FlowEnsemble([problem, problem]).integrate(t_end=1, samples=3).variables()
    jumps = staircase(problem).variables()
    units = [found["loss"].unit for found in (flow, ensemble, fixed_points(problem).variables())]
    units += [jumps[name].unit for name in ("loss_before", "loss_after", "level")]
    assert units == [unit] * 6
    assert flow["times"].unit == jumps["time"].unit == "time of the flow"
