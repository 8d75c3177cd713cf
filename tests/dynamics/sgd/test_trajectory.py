"""What the mean dynamics of SGD says: made-up curves, exact words, and what it leaves in a file."""

import dataclasses
import json

import numpy as np
import pytest

from dynamics import Problem, Student, Teacher
from dynamics.integration import SolverReport
from dynamics.sgd.trajectory import SGDTrajectory

PROBLEM = Problem(Teacher.from_eigenvalues([2, -1], 9), Student.initialise(3, 9, seed=1))
REPORT = SolverReport("DOP853", 1e-9, 1e-12, 80, 0, 0.5, "finished", 0.2)


def made_up(**changes):
    values = {
        **{
            "problem": PROBLEM,
            "step": 0.1,
            "batch": 4,
            "label_noise": 0.25,
            "times": np.array([0, 0.1, 0.2]),
        },
        **{"Q": np.arange(27.0).reshape(3, 3, 3), "R": np.arange(18.0).reshape(3, 3, 2)},
        **{"A": np.arange(9.0).reshape(3, 1, 3), "loss": np.array([8, 4, 0.5]), "modes": np.ones((3, 2))},
        **{"conserved": np.array([[1.0, 2], [1.5, -1], [0, 3]]), "mean_field_loss": np.array([8, 4, 0.25])},
        **{"loss_std": None, "modes_std": None, "solver": REPORT, "versions": {"numpy": "9"}},
    }
    return SGDTrajectory(**(values | changes))


def test_what_a_solution_says():
    """c drifts by 3; 3 units and 2 directions are integrated; the spread where it is known; the message last."""
    lines = [
        "SGD, step 0.1, batch 4, label noise 0.25: 3 samples up to t = 0.2 (end time reached)",
        "mean loss 8 → 0.5",
        "modes 1, 1",
        "DOP853: 80 evaluations, 0.5 s, 5 vectors in 9 dimensions",
    ]
    found = made_up()
    assert found.summary().split("\n") == lines
    assert repr(found).split("\n") == ["SGDTrajectory", *(f"  {line}" for line in lines)]
    np.testing.assert_allclose(found.steps, [0, 1, 2])
    assert (found.conserved_drift, found.reduced_dimension) == (3, 5)
    spread = made_up(loss_std=np.array([0, 0.1, 0.02])).summary().split("\n")
    assert spread == [lines[0], "mean loss 8 → 0.5 ± 0.02 over seeds", *lines[2:]]
    cosine = made_up(schedule="cosine", steps=np.array([0, 3, 9]))
    assert cosine.summary().startswith("SGD, step 0.1 (cosine), batch 4")
    assert cosine.variables()["steps"].array.tolist() == [0, 3, 9]
    failed = made_up(solver=dataclasses.replace(REPORT, message="It gave up."))
    assert failed.summary().split("\n") == [*lines, "It gave up."]
    many = made_up(modes=np.tile(np.arange(10.0), (3, 1)))
    assert many.summary().split("\n")[2] == "modes 0, 1, 2, 3, 4, 5, 6, …, 9 (10 in all)"


@pytest.mark.parametrize("spread", [None, np.array([0, 0.1, 0.2])])
def test_a_file_holds_all_of_it(tmp_path, spread):
    found = made_up(loss_std=spread)
    found.save(tmp_path / "x.npz")
    curves = {"times", "Q", "R", "A", "loss", "modes", "conserved", "mean_field_loss", "steps"}
    curves |= set() if spread is None else {"loss_std"}
    start = {
        "teacher_V": PROBLEM.teacher.V,
        "teacher_B": PROBLEM.teacher.B,
        "initial_W": PROBLEM.student.W,
        "initial_A": PROBLEM.student.A,
    }
    with np.load(tmp_path / "x.npz") as arrays:
        assert {*arrays} == curves | {*start, "about", "eigenvalues", "conserved_drift"}
        for name in curves:
            np.testing.assert_array_equal(arrays[name], getattr(found, name))
        for name, array in start.items():
            np.testing.assert_array_equal(arrays[name], array)
        assert json.loads(str(arrays["about"])) == {
            **{"format": "quadflow SGD trajectory 2", "activation": "quadratic", "trainable": True},
            **{"step": 0.1, "batch": 4, "label_noise": 0.25, "versions": {"numpy": "9"}},
            "schedule": "constant",
            "solver": dataclasses.asdict(REPORT),
        }


def test_a_mean_loss_below_zero_is_not_to_be_trusted():
    """No average of losses is negative; −1e-9 of the initial one is rounding."""
    assert made_up().breakdown == made_up(loss=np.array([8, -8e-9, 1])).breakdown == ""
    found = made_up(loss=np.array([8, -1.25, -0.5]))
    words = "the predicted mean loss falls to -1.25 at t = 0.1, below zero: fluctuations are no small correction here"
    assert found.breakdown.startswith(words)
    assert found.summary().split("\n")[-1] == found.breakdown
    told = made_up(loss=found.loss, solver=dataclasses.replace(REPORT, message="Stopped."))
    assert told.summary().split("\n")[-2:] == ["Stopped.", found.breakdown]
