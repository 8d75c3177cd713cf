"""Classifiers on the command line: what is printed of them, and from somebody's own table to the figure."""

import csv
import json

import numpy as np
import pytest

SHORT = [
    "--hidden",
    "2",
    "--steps",
    "6",
    "--step",
    "0.1",
    "--batch",
    "8",
    "--records",
    "3",
    "--seeds",
    "2",
    "--json",
]
TEACHER = ["--teacher", "2,-1", "--loss", "logistic", "--bias", "trainable:0.4"]


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Forty rows, three of four with the text "yes"."""
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(0).standard_normal((40, 2))
    with open("own.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["first", "second", "answer"])
        writer.writerows([*row, "yes" if n % 4 else "no"] for n, row in enumerate(rows.round(3)))
    return [
        "--data",
        "own.csv",
        "--target",
        "answer",
        "--split",
        "0.25",
        "--loss",
        "logistic",
        "--bias",
        "trainable",
    ]


def printed(result):
    assert result.status == 0, result.err
    return json.loads(result.out)


@pytest.mark.parametrize("command", ["train", "compare"])
def test_accuracy_stands_beside_the_loss(quadflow, command):
    """Of each network at each record; `compare` has the theory's too. The bias starts at 0, and moves."""
    said = printed(quadflow(command, *TEACHER, *SHORT))
    run = said["training"] if command == "compare" else said
    for name in ("loss", "accuracy", "calibration"):
        assert np.shape(run[name]) == (2, 3)
        assert (np.array(run[name]) >= 0).all()
    assert np.max(run["accuracy"]) <= 1
    assert np.shape(run["bias"]) == (2, 3, 1)
    assert run["bias"][0][0] == [0.0] != run["bias"][0][-1]
    problem = (said["theory"] if command == "compare" else said)["problem"]
    assert (problem["loss"], problem["labels"], problem["bias"]) == ("logistic", "bernoulli", "trainable:0.4")
    if command == "compare":
        theory = said["theory"]
        assert np.shape(theory["accuracy"]) == np.shape(theory["calibration"]) == (3,)
        assert theory["accuracy"][0] == pytest.approx(run["accuracy"][0][0], abs=0.01)


def test_other_losses_print_no_accuracy(quadflow):
    said = printed(quadflow("train", "--teacher", "2,-1", "--loss", "huber:1", *SHORT))
    assert not {"accuracy", "calibration", "bias"} & set(said)
    assert said["problem"]["loss"] == "huber:1"


def test_a_table_with_a_text_of_two_classes(quadflow, table):
    """Texts in their order are 0 and 1, of which a note tells; thirty rows are trained on, ten held out."""
    result = quadflow("train", *table, *SHORT)
    said = printed(result)
    assert "the labels 'no' and 'yes' of 'own.csv' are taken as 0 and 1" in result.err
    assert np.shape(said["test_accuracy"]) == np.shape(said["test_calibration"]) == (2, 3)
    for name, rows in (("accuracy", 30), ("test_accuracy", 10)):  # shares of whole rows
        right = np.array(said[name]) * rows
        np.testing.assert_allclose(right, np.round(right), atol=1e-9)


def test_one_command_from_the_table_to_the_figure(received, table):
    """A quarter is held out and a bias trained where nothing is said; `--bias` and `--split` beat that."""
    words = [
        "figure",
        "classification",
        "--data",
        "own.csv",
        "--target",
        "answer",
        "--steps",
        "5",
        "--step",
        "0.1",
    ]
    problem = received("empirical.comparison:compare", *words)[0][0]
    assert (problem.loss.name, problem.bias.trainable) == ("logistic", True)
    assert (len(problem.data.X), len(problem.data.X_test)) == (30, 10)
    assert sorted(set(problem.data.Y.ravel())) == [0.0, 1.0]
    problem = received("empirical.comparison:compare", *words, "--bias", "0.2", "--split", "0.5")[0][0]
    assert (problem.bias.start, len(problem.data.X_test)) == (0.2, 20)


def test_a_length_of_ones_own_leaves_the_step_to_the_problem(received, table):
    """As without it: at most 20,000 steps, no hundred thousand of the default 0.001; a step that is given is taken."""
    words = ["figure", "classification", "--data", "own.csv", "--target", "answer", "--t-end", "100"]
    step = received("empirical.comparison:compare", *words)[1]["step"]
    assert step >= 100 / 20_000 > 0.001
    said = received("empirical.comparison:compare", *words[:-1], "1", "--step", "0.01")[1]
    assert said["step"] == 0.01


@pytest.mark.slow
def test_predicted_and_measured_accuracy_of_digits(quadflow, tmp_path):
    """Two digits in one figure by one command: networks end where the flow on the data does, and tell them apart."""
    file = tmp_path / "digits.png"
    result = quadflow("figure", "classification", "--data", "digits", "--classes", "3,8", "--output", file)
    assert result.status == 0, result.err
    assert file.stat().st_size > 20_000
    assert "accuracy" not in result.err
    data = "--data digits --classes 3,8 --split 0.25 --loss logistic --bias trainable"
    how = "--hidden 6 --init-scale 0.1 --step 6e-4 --steps 1000 --seeds 4 --records 5 --json"
    said = printed(quadflow("compare", *data.split(), *how.split()))
    for name in ("accuracy", "test_accuracy"):
        measured, predicted = np.mean(said["training"][name], axis=0), said["theory"][name]
        assert predicted[-1] > 0.95
        np.testing.assert_allclose(measured, predicted, atol=0.02)


def test_noise_of_classes_is_flips(quadflow):
    result = quadflow("train", *TEACHER, *SHORT, "--label-noise", "0.3")
    assert result.status == 2
    assert "let `flip` turn some of them round" in result.err
