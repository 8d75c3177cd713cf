"""`quadflow neuron` and its figures, and the gallery's figures of the other companions."""

import json

import numpy as np
import pytest

from dynamics import ProblemError
from dynamics.neuron import QuadraticTarget
from quadflow.options.neuron import NeuronOptions, build_target

NEURON = ["neuron", "--inputs", "3", "--hidden", "3"]


def test_json_of_the_flow(quadflow):
    """Keys of the contract; Q1 and Q2 drift below 1e-9; d = 3: 10 functions of degree 2."""
    result = quadflow(*NEURON, "--rates", "1,0.1,0.1", "--json").json
    assert result["times"][0] == 0
    assert len(result["times"]) == len(result["loss"]) == 201
    assert set(result["conserved_drift"]) == {"Q1", "Q2"}
    assert max(result["conserved_drift"].values()) < 1e-9
    assert result["largest_stable_step"] > 0
    assert result["function_space"]["all"] == 10
    assert "collapse" not in result and "trained" not in result
    assert result["solver"]["status"] == "converged"


def test_frozen_quadratic_weights_end_at_the_best_affine_loss(quadflow):
    """λ = (4, 2, 1): ‖M*‖² = 21, to 1e-8."""
    arguments = ["neuron", "--teacher", "4,2,1", "--teacher-linear", "1,-1", "--teacher-constant", "2"]
    result = quadflow(*arguments, "--hidden", "2", "--rates", "1,0,0", "--json").json
    assert result["best_affine_loss"] == 21
    assert result["loss"][-1] == pytest.approx(21, abs=1e-8)


def test_training_and_collapse(quadflow, tmp_path):
    """Trained networks end where the flow does; the study has both kinds of start; the files are written."""
    path = tmp_path / "neuron.json"
    arguments = ["--steps", "200", "--step", "0.005", "--batch", "0", "--seeds", "1", "--shrink", "0.1"]
    result = quadflow(*NEURON, *arguments, "--collapse", "--starts", "2", "--json", "--output", path).json
    assert result["trained"]["loss"][0][-1] == pytest.approx(result["loss"][-1], rel=0.05)
    assert result["times"][-1] == pytest.approx(1.0)
    collapse = result["collapse"]
    assert np.shape(collapse["random"]) == np.shape(collapse["relinear"])
    assert np.shape(collapse["random"]) == (len(collapse["gammas"]), len(collapse["learning_rates"]))
    assert collapse["starts"] == 2
    assert "Q1 and Q2 are not conserved" in result["warnings"][0]
    assert json.loads(path.read_text())["collapse"] == collapse


def test_the_study_is_summed_up_in_words(quadflow):
    """After the flow and the function space."""
    flow = ["neuron", "--inputs", "1", "--hidden", "1", "--t-end", "0.1", "--records", "3"]
    alone = quadflow(*flow).out
    studied = quadflow(*flow, "--collapse", "--starts", "1").out
    assert "ReLinear start, γ = 0.1 " not in alone
    assert "ReLinear start, γ = 0.1 " in studied


@pytest.mark.parametrize("suffix", ["npz", "png"])
def test_files(quadflow, tmp_path, suffix):
    path = tmp_path / f"neuron.{suffix}"
    result = quadflow(*NEURON, "--t-end", "0.5", "--init", "random", "--output", path)
    assert result.status == 0
    assert "3 quadratic neurons, 3 inputs" in result.out
    assert path.stat().st_size > 1000


def test_equations(quadflow):
    """--derive prints them, as text and as JSON that names every parameter."""
    result = quadflow("neuron", "--inputs", "1", "--hidden", "1", "--derive")
    assert "dwr_0_0/dt" in result.out
    as_json = quadflow("neuron", "--inputs", "1", "--hidden", "1", "--derive", "--json").json
    assert set(as_json["ode"]) == set(as_json["parameters"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rates", "1,2"], "three numbers"),
        (["--rates", "1,x,1"], "commas"),
        (["--rates", "1,-1,0"], "rates.g"),
        (["--hidden", "0"], "at least 1"),
        (["--init", "he"], "relinear, random"),
        (["--shrink", "-1"], "shrink"),
        (["--teacher-linear", "1"], "--teacher"),
        (["--teacher", "2,1", "--teacher-linear", "1,2,3"], "3 entries"),
        (["--output", "x.txt"], "must end in"),
        (["--derive", "--inputs", "1", "--hidden", "1", "--output", "x.png"], ".json"),
    ],
)
def test_bad_input(quadflow, arguments, words):
    result = quadflow("neuron", *arguments)
    assert result.status == 2
    assert words in result.err
    assert result.err.count("\n") == 1


def test_divergence_is_a_failed_computation(quadflow):
    result = quadflow(*NEURON, "--t-end", "0.1", "--steps", "100", "--step", "5")
    assert result.status == 1
    assert "largest stable step" in result.err


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("neuron", ["--t-end", "0.5", "--seeds", "1"]),
        ("neuron-collapse", ["--inputs", "3", "--hidden", "2", "--starts", "2", "--steps", "20"]),
        ("neuron-functions", ["--inputs", "3"]),
        ("pieces", ["--hidden", "2", "--starts", "2"]),
        ("invariance", ["--inputs", "3", "--hidden", "3", "--steps", "20"]),
        ("hannet", ["--layers", "5", "--width", "4"]),
    ],
)
def test_gallery(quadflow, tmp_path, name, arguments):
    path = tmp_path / f"{name}.svg"
    assert quadflow("figure", name, *arguments, "--output", path).status == 0
    assert path.stat().st_size > 1000
    assert name in quadflow("figure", "--list").out


def test_targets():
    """M* by its eigenvalues, v filled up with zeros; a random one of 6 inputs if nothing is said."""
    full = build_target(NeuronOptions(teacher="2,1", teacher_linear="5,6", teacher_constant=7.0))
    np.testing.assert_allclose(full.M, np.diag([2, 1]), atol=1e-12)
    assert (full.v.tolist(), full.e) == ([5, 6], 7)
    part = build_target(NeuronOptions(teacher="2,1", teacher_linear="5", inputs=3))
    assert (part.v.tolist(), part.e) == ([5, 0, 0], 0)
    for inputs, d in ((None, 6), (2, 2)):
        np.testing.assert_array_equal(
            build_target(NeuronOptions(inputs=inputs, seed=3)).M, QuadraticTarget.random(d, seed=3).M
        )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("teacher_linear", "1"),
        ("teacher_constant", 0.0),
        ("rank", 1),
        ("tolerance", 0.0),
        ("symmetrize", True),
    ],
)
def test_parts_of_a_target_need_a_teacher(name, value):
    with pytest.raises(ProblemError) as refused:
        build_target(NeuronOptions(**{name: value}))
    option = name.replace("_", "-")
    assert str(refused.value) == f"`--{option}` needs a `--teacher`: without it all of it is random."


def test_words_of_flow_networks_and_functions(quadflow):
    """In this order, each as it sums itself up; without networks the second is missing."""
    flow = ["neuron", "--inputs", "2", "--hidden", "1", "--t-end", "0.1", "--records", "3"]
    alone = quadflow(*flow).out
    trained = quadflow(*flow, "--steps", "4", "--seeds", "1", "--batch", "4").out
    assert trained.startswith(alone.rstrip("\n")) and len(trained) > len(alone)
    result = quadflow(*flow, "--steps", "4", "--step", "0.05", "--seeds", "1", "--batch", "4", "--json").json
    assert result["times"][-1] == 0.1  # the time that was asked for, not that of the training
    timeless = [a for a in flow if a not in ("--t-end", "0.1")]
    result = quadflow(
        *timeless, "--steps", "4", "--step", "0.05", "--seeds", "1", "--batch", "4", "--json"
    ).json
    assert result["times"][-1] == pytest.approx(0.2)
    assert result["function_space"]["all"] == 6 and "trained" in result
