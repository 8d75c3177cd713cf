"""Weight decay as a part of the problem: how it is given, what it refuses, where it is kept."""

import io
import json

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.curves.trajectory import Trajectory
from dynamics.problem.storage import problem_attributes
from dynamics.problem.weight_decay import WeightDecay

TEACHER = Teacher.from_eigenvalues([2, 1])


def problem(decay, *, trainable=True):
    W = Student.initialise(3, 2, scale=0.4, seed=2).W
    return Problem(TEACHER, Student(W, np.full((1, 3), 0.5), trainable), weight_decay=decay)


@pytest.mark.parametrize(
    ("given", "trainable", "rates"),
    [
        (0.1, True, (0.1, 0.1)),
        (np.float64(0.1), True, (0.1, 0.1)),
        ((0.1, 0.2), True, (0.1, 0.2)),
        (np.array([0.1, 0.0]), True, (0.1, 0.0)),
        (WeightDecay(0.1, 0.2), True, (0.1, 0.2)),
        (0.1, False, (0.1, 0.0)),
        ((0.1, 0), False, (0.1, 0.0)),
    ],
)
def test_how_it_is_given(given, trainable, rates):
    decay = problem(given, trainable=trainable).weight_decay
    assert (decay.first, decay.second) == rates


@pytest.mark.parametrize(
    ("given", "trainable", "words"),
    [
        (-0.1, True, "`weight_decay` is -0.1, but must not be negative."),
        (np.nan, True, "`weight_decay` is nan, but must be finite."),
        ((0.1, 0.2, 0.3), True, "`weight_decay` has 3 entries, but must be one rate, or one of each layer."),
        (
            (0.1, 0.2),
            False,
            "`weight_decay` of the second layer is 0.2, but that is fixed: give that of the first.",
        ),
    ],
)
def test_what_is_refused(given, trainable, words):
    with pytest.raises(ProblemError) as refused:
        problem(given, trainable=trainable)
    assert str(refused.value) == words


def test_only_what_decays_counts_as_decay():
    assert not problem(0).weight_decay and problem((0, 0.1)).weight_decay and problem((0.1, 0)).weight_decay
    plain = problem(0)
    assert plain.objective is plain.population


def test_penalty_by_hand():
    """½ · 0.2 · (1 + 4 + 9 + 16) + ½ · 0.4 · (25 + 36) = 3 + 12.2, with and without axes in front."""
    W, A = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0]])
    assert WeightDecay(0.2, 0.4).penalty(W, A) == pytest.approx(15.2, rel=1e-15)
    many = WeightDecay(0.2, 0.4).penalty(np.stack([W, 2 * W]), np.stack([A, 2 * A]))
    np.testing.assert_allclose(many, [15.2, 60.8], rtol=1e-15)


def test_words():
    assert (str(WeightDecay(0.1, 0.1)), str(WeightDecay(0.1, 0.2))) == ("0.1", "0.1,0.2")
    assert "weight_decay=0.1,0.2" in repr(problem((0.1, 0.2))) and "decay" not in repr(problem(0))
    assert problem_attributes(problem((0.1, 0.2)))["weight_decay"] == "0.1,0.2"
    assert r"R &= L + \tfrac12 \cdot 0.1 \lVert W" in problem((0.1, 0))._repr_latex_()
    assert "0.1, 0.2" in problem((0.1, 0.2))._repr_html_() and "decay" not in problem(0)._repr_html_()


def test_trajectory_and_its_file():
    """R of the last state by the objective itself; the file gives back decay and curves."""
    flow = GradientFlow(problem((0.1, 0.2)))
    trajectory = flow.integrate(t_end=0.5, samples=6)
    by_hand = flow.problem.objective.loss(trajectory.W_at(-1), trajectory.A[-1])
    assert trajectory.objective[-1] == pytest.approx(by_hand, rel=1e-12)
    assert (np.diff(trajectory.objective) < 0).all()
    assert f"objective, with weight decay, {trajectory.objective[0]:.6g}" in trajectory.summary()
    file = io.BytesIO()
    trajectory.save(file)
    file.seek(0)
    again = Trajectory.load(file)
    assert again.problem.weight_decay == WeightDecay(0.1, 0.2)
    np.testing.assert_array_equal(again.objective, trajectory.objective)
    assert "objective" in trajectory.variables()


def test_a_file_without_decay_says_nothing_of_it():
    trajectory = GradientFlow(problem(0)).integrate(t_end=0.1, samples=3)
    about, arrays = trajectory.stored()
    assert (
        trajectory.objective is None and "objective" not in arrays and "weight_decay" not in json.dumps(about)
    )
