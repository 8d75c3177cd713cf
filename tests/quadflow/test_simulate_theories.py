"""`simulate` and `compare` with the theories of real training."""

import numpy as np
import pytest

from dynamics import FluctuatingSGD, MeanSGD, Problem, Student, Teacher

START = ["--teacher", "2,1", "--inputs", "20", "--hidden", "2", "--init", "aligned", "--init-scale", "0.5"]


def problem():
    return Problem(Teacher.from_eigenvalues([2, 1], 20), Student.initialise(2, 20, init="aligned", scale=0.5))


def test_mean_dynamics_of_sgd(quadflow):
    """The command prints the curve of the Python class."""
    result = quadflow(
        *["simulate", *START, "--sgd", "--step", "1e-3", "--batch", "4", "--label-noise", "0.1"],
        *["--times", "0,0.5,1", "--json"],
    ).json
    run = MeanSGD(problem(), 1e-3, 4, 0.1).integrate(times=[0, 0.5, 1])
    np.testing.assert_allclose(result["loss"], run.loss, rtol=1e-12)
    assert "loss_std" not in result
    assert "real descent does not conserve c_k" in " ".join(result["warnings"])


def test_fluctuations(quadflow, tmp_path):
    output = tmp_path / "band.png"
    result = quadflow(
        *["simulate", *START, "--sgd", "--fluctuations", "--step", "1e-3", "--label-noise", "0.1"],
        *["--times", "0,0.5,1", "--json", "--output", output],
    ).json
    run = FluctuatingSGD(problem(), 1e-3, 1, 0.1).integrate(times=[0, 0.5, 1])
    np.testing.assert_allclose(result["loss"], run.loss, rtol=1e-10)
    np.testing.assert_allclose(result["loss_std"], run.loss_std, rtol=1e-10)
    assert np.shape(result["modes_std"]) == (3, 2)
    assert output.stat().st_size > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--sgd"], "--step"),
        (["--sgd", "--step", "0"], "positive"),
        (["--sgd", "--step", "1e-3", "--correction", "modified"], "without"),
        (["--sgd", "--step", "1e-3", "--momentum", "0.5"], "momentum"),
        (["--sgd", "--step", "1e-3", "--batch", "0"], "at least 1"),
        (["--batch", "4"], "--sgd"),
        (["--label-noise", "0.1"], "--sgd"),
        (["--fluctuations"], "--sgd"),
    ],
)
def test_options_that_do_not_fit(quadflow, arguments, words):
    result = quadflow("simulate", *START, "--t-end", "1", *arguments)
    assert result.status == 2
    assert words in result.err
    assert len(result.err.splitlines()) == 1


def test_a_diverging_mean_is_a_failed_computation(quadflow):
    result = quadflow("simulate", *START, "--sgd", "--step", "0.5", "--t-end", "100")
    assert result.status == 1
    assert "diverges" in result.err


def test_files_say_which_theory_they_hold(quadflow, tmp_path):
    """The legend of the figure and the warning in the JSON file."""
    options = ["simulate", *START, "--t-end", "1", "--correction", "modified", "--step", "1e-3"]
    quadflow(*options, "--output", tmp_path / "run.json")
    assert "real descent" in (tmp_path / "run.json").read_text()
    quadflow(*options, "--output", tmp_path / "run.svg")
    assert ">theory: modified flow<" in (tmp_path / "run.svg").read_text()


@pytest.mark.parametrize("theory", [["--correction", "modified"], ["--sgd"]])
def test_compare_draws_the_corrected_theory(quadflow, tmp_path, theory):
    output = tmp_path / "curves.svg"
    result = quadflow(
        *["compare", *START, "--step", "2e-3", "--steps", "50", "--batch", "8", "--seeds", "2"],
        *["--gap", "training", "--records", "11", "--json", "--output", output, *theory],
    ).json
    assert set(result["gap"]) >= {"discretisation", "finite_data", "sampling_noise", "remainder", "sources"}
    assert result["gap"]["remainder"] < 1e-12
    assert len(result["gap"]["curves"]["measured"]) == 11
    assert output.exists()


def test_compare_says_why_an_error_bar_is_missing(quadflow):
    """One network on mini-batches of a finite set: nothing is known about its spread."""
    result = quadflow(
        *["compare", *START, "--step", "2e-3", "--steps", "20", "--batch", "8", "--samples", "40"],
        *["--records", "3", "--json"],
    ).json
    assert result["gap"]["error_bar"] is None
    assert "several seeds" in " ".join(result["warnings"])
