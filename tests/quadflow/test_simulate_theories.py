"""`simulate` and `compare` with the theories of real training."""

import numpy as np
import pytest

from dynamics import FluctuatingSGD, MeanSGD, Problem, Student, Teacher
from dynamics.curves.units import NOT_CONSERVED
from dynamics.sgd.trajectory import NEGLECTED, SGDTrajectory

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


def test_mean_dynamics_of_other_activations(quadflow, tmp_path):
    """Units of two kinds: overlaps and norms in place of modes, what is neglected is said; in every format."""
    output = tmp_path / "run.npz"
    units = ["--activation", "erf", "--teacher-activation", "tanh"]
    sgd = ["--sgd", "--step", "1e-2", "--batch", "4", "--label-noise", "0.1", "--times", "0,0.5,1"]
    result = quadflow("simulate", *START, *units, *sgd, "--json", "--output", output).json
    start = problem()
    other = Problem(start.teacher, start.student, "erf", teacher_activation="tanh")
    run = MeanSGD(other, 1e-2, 4, 0.1).integrate(times=[0, 0.5, 1])
    np.testing.assert_allclose(result["loss"], run.loss, rtol=1e-9)
    lengths = np.linalg.norm(other.teacher.V, axis=1)
    norms = np.sqrt(np.einsum("tkk->tk", run.Q))
    np.testing.assert_allclose(result["norms"], norms, rtol=1e-9)
    np.testing.assert_allclose(result["overlaps"], run.R / norms[..., None] / lengths, rtol=1e-9)
    assert (result["modes"], result["conserved"], result["conserved_drift"]) == (None, None, None)
    assert [stage["learned_modes"] for stage in result["stages"]] in ([], [[]])
    assert (NOT_CONSERVED in result["warnings"], NEGLECTED in result["warnings"]) == (True, True)
    assert "real descent does not conserve c_k" not in " ".join(result["warnings"])
    loaded = SGDTrajectory.load(output)
    np.testing.assert_array_equal(loaded.overlaps, run.overlaps)
    assert (loaded.conserved, loaded.modes.shape) == (None, (3, 0))
    assert "norms (largest overlap) of the units" in loaded.summary()
    quadflow("simulate", *START, *units, *sgd, "--output", tmp_path / "run.png")
    assert (tmp_path / "run.png").stat().st_size > 0
    table = tmp_path / "run.csv"
    quadflow("simulate", *START, *units, *sgd, "--output", table)
    assert table.read_text().startswith("time,loss,norm_1,norm_2,overlap_1_1,")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["simulate", "--sgd", "--step", "0.01", "--activation", "gelu"], "mean dynamics of SGD"),
        (["simulate", "--sgd", "--step", "0.01", "--activation", "relu"], "one hidden and one teacher unit"),
        (
            ["simulate", "--sgd", "--step", "0.01", "--activation", "erf", "--fluctuations"],
            "the spread of SGD",
        ),
        (
            ["schedule", "--steps", "20", "--activation", "tanh"],
            "so that every mean step is a sum of 4.8e+06 terms",
        ),
    ],
)
def test_activations_that_are_refused(quadflow, arguments, words):
    command, *options = arguments
    result = quadflow(command, *START, *options)
    assert result.status == 2 and words in result.err
    assert len(result.err.splitlines()) == 1


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


def test_a_mean_of_sgd_that_breaks_down_says_so(quadflow, tmp_path):
    """Batches of 4 in 50 inputs: where units turn to the teacher, fluctuations are larger than what they correct."""
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(50, 3)))[0]
    np.save(tmp_path / "M.npy", (Q * [3.0, 2.0, 1.0]) @ Q.T)
    start = ["--teacher", tmp_path / "M.npy", "--hidden", "2"]
    start += [
        "--init",
        "aligned",
        "--init-scale",
        "0.5",
        "--second-layer",
        "fixed",
        "--step",
        "1e-3",
        "--batch",
        "4",
        "--label-noise",
        "0.5",
    ]
    start += ["--steps", "600", "--seeds", "2"]
    result = quadflow("compare", *start, "--sgd", "--json")
    assert min(result.json["theory"]["loss"]) < 0
    assert len([warning for warning in result.json["warnings"] if "is not to be trusted" in warning]) == 1
    drawn = quadflow("figure", "fluctuations", *start, "--output", tmp_path / "x.png")
    assert drawn.out.count("is not to be trusted") == 1
