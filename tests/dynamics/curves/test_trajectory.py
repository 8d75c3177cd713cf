"""What solutions of the flow say: made-up curves, exact words; what is read back from files."""

import json

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.curves.trajectory import Trajectory
from dynamics.integration import SolverReport

REPORT = SolverReport("LSODA", 1e-9, 1e-12, 120, 7, 0.25, "finished", 2.0)
PROBLEM = Problem(Teacher.from_eigenvalues([2, -1], 3), Student(np.ones((1, 3)), [2.0]))


def made_up(problem=PROBLEM, report=REPORT, modes=((0, 0), (1, 0), (1.5, -0.5))):
    W = np.array([[[1.0, 1, 1]], [[2, 1, 1]], [[1, 0, 0]]])
    A = np.array([2.0, 1, 0.5]).reshape(3, 1, 1)
    return Trajectory(
        problem, np.array([0, 1, 2.0]), W, A, None, np.array([8, 4, 0.5]), np.array(modes), report, {}
    )


def test_summary():
    """c = ‖w‖² − 2a² is −5, 4 and ½: it drifts by 9. Eight modes at most; the solver's message last."""
    lines = [
        "3 samples up to t = 2 (end time reached)",
        "loss 8 → 0.5",
        "modes 1.5, -0.5",
        "largest drift of a conserved quantity 9.00e+00",
        "LSODA: 120 evaluations, 0.25 s, 3 of 3 inputs after reduction",
    ]
    found = made_up()
    assert found.summary().split("\n") == lines
    assert repr(found).split("\n") == ["Trajectory", *(f"  {line}" for line in lines)]
    np.testing.assert_allclose(found.conserved[:, 0], [-5, 4, 0.5])
    assert found.conserved_drift == 9
    fixed = Problem(PROBLEM.teacher, Student(np.ones((1, 3)), [2.0], trainable=False))
    assert made_up(fixed).summary().split("\n") == lines[:3] + lines[4:]
    failed = SolverReport("LSODA", 1e-9, 1e-12, 120, 7, 0.25, "failed", 2.0, "It gave up.")
    assert made_up(report=failed).summary().split("\n")[-1] == "It gave up."
    many = made_up(modes=np.tile(np.arange(10.0), (3, 1)))
    assert many.summary().split("\n")[2] == "modes 0, 1, 2, 3, 4, 5, 6, …, 9 (10 in all)"


def test_second_layer_of_one_output():
    assert made_up().a.tolist() == [[2], [1], [0.5]]
    two = Problem(Teacher(np.ones((1, 3)), np.ones((2, 1))), Student.initialise(2, 3, outputs=2))
    flow = GradientFlow(two).integrate(0.01, samples=2)
    with pytest.raises(ProblemError, match="This network has 2 outputs: use `A`"):
        _ = flow.a


@pytest.mark.parametrize("inputs", [3, 9])
def test_weights_are_those_of_all_inputs(inputs):
    """With and without a reduction: one unit and two modes in nine inputs span three of them."""
    problem = Problem(Teacher.from_eigenvalues([2, -1], inputs), Student.initialise(1, inputs, scale=0.5))
    path = GradientFlow(problem).integrate(0.1, samples=3)
    full = GradientFlow(problem, reduce=False).integrate(0.1, samples=3)
    assert path.reduced_dimension == 3
    np.testing.assert_allclose(path.W, full.W, rtol=1e-7, atol=1e-9)
    np.testing.assert_array_equal(path.W_at(1), path.W[1])
    np.testing.assert_array_equal(path.W_at(-1), path.W[-1])


@pytest.mark.parametrize("inputs", [3, 9])
@pytest.mark.parametrize("outputs", [1, 2])
def test_a_file_holds_all_of_it(tmp_path, inputs, outputs):
    teacher = Teacher.from_eigenvalues([2, -1], inputs, outputs)
    start = Student.initialise(1, inputs, scale=0.5, outputs=outputs)
    Sigma = np.diag(np.arange(1.0, inputs + 1))
    path = GradientFlow(Problem(teacher, start, "centred", Sigma)).integrate(0.02, samples=3)
    path.save(tmp_path / "x.npz")
    back = Trajectory.load(tmp_path / "x.npz")
    for name in ("times", "coordinates", "A", "loss", "modes", "W", "conserved"):
        np.testing.assert_array_equal(getattr(back, name), getattr(path, name))
    assert (back.solver, back.versions) == (path.solver, path.versions)
    for name in ("V", "B"):
        np.testing.assert_array_equal(getattr(back.problem.teacher, name), getattr(teacher, name))
    np.testing.assert_array_equal(back.problem.student.W, start.W)
    np.testing.assert_array_equal(back.problem.covariance, Sigma)
    assert (back.problem.activation.name, back.problem.student.trainable) == ("centred", True)
    with np.load(tmp_path / "x.npz") as arrays:
        assert ("basis" in arrays) == (path.basis is not None)
        assert arrays["a"].ndim == (2 if outputs == 1 else 3)
        about = json.loads(str(arrays["about"]))
    assert about["format"] == "quadflow trajectory 2"


def test_long_paths_are_stored_without_their_weights(tmp_path, monkeypatch):
    """Three times of nine weights are 27 numbers: more than are stored beside the coordinates if 26 is the limit."""
    problem = Problem(Teacher.from_eigenvalues([2, -1], 9), Student.initialise(1, 9, scale=0.5))
    path = GradientFlow(problem).integrate(0.01, samples=3)
    for limit, stored in ((27, True), (26, False)):
        monkeypatch.setattr("dynamics.curves.trajectory.LARGEST_STORED_W", limit)
        path.save(tmp_path / "x.npz")
        with np.load(tmp_path / "x.npz") as arrays:
            assert ("W" in arrays) == stored
        np.testing.assert_array_equal(Trajectory.load(tmp_path / "x.npz").W, path.W)
