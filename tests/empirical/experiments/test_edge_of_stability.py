"""Below the largest stable step networks follow the flow, beyond it they leave its plateau."""

import numpy as np
import pytest

from dynamics import FiniteDataFlow, Problem, ProblemError, Student, Teacher
from empirical.experiments.edge_of_stability import edge_of_stability
from empirical.practice import Practice, data_sets


@pytest.fixture(scope="module")
def edge():
    problem = Problem(Teacher.from_eigenvalues([2, 1], 4), Student.initialise(4, 4, scale=0.3, seed=1))
    return edge_of_stability(problem, samples=400, t_end=6, factors=(0.5, 1.1, 20.0))


def test_below_the_largest_step_nothing_oscillates(edge):
    """Sharpness stays below 2/η, the loss falls at every record, and ends where the flow's does, to first order."""
    below = edge.descents[0]
    assert below.step == pytest.approx(0.5 * edge.largest_step)
    assert below.sharpness.max() < 2 / below.step
    assert (np.diff(below.loss) <= 0).all()
    assert below.diverged_at is None
    assert below.sharpness[-1] == pytest.approx(edge.sharpness[-1], rel=0.1)


def test_beyond_it_the_plateau_is_left(edge):
    """At 1.1 times the step the flow's sharpness exceeds 2/η on its plateau, and the network's loss rises again."""
    beyond = edge.descents[1]
    assert edge.sharpness.max() > 2 / beyond.step
    assert (np.diff(beyond.loss) > 1e-3 * beyond.loss[0]).any()


def test_far_beyond_it_training_explodes(edge):
    assert edge.descents[2].diverged_at is not None
    assert len(edge.descents[2].times) < len(edge.descents[0].times)


def data_loss(X, Y, W, A):
    """½ E (f − y)² over the data, from the definition of the network."""
    return 0.5 * np.mean(((X @ W.T) ** 2 @ A.T - Y) ** 2)


def test_time_is_learning_rate_times_steps(edge):
    """Networks end at t_end = 6 up to half a step; the one that explodes does so at a whole number of steps."""
    for descent in edge.descents[:2]:
        assert descent.times[-1] == pytest.approx(6, abs=0.5 * descent.step)
    exploded = edge.descents[2]
    steps = exploded.diverged_at / exploded.step
    assert steps == pytest.approx(round(steps), abs=1e-9)
    assert 1 <= round(steps) <= round(6 / exploded.step)
    assert exploded.times[-1] < exploded.diverged_at
    assert edge.times[-1] == 6
    assert edge.largest_step == pytest.approx(2 / edge.sharpness.max())


def test_what_is_measured(edge):
    """Sixty times of the flow, at most 240 records of networks; loss and sharpness by the flow on the same data."""
    problem = Problem(Teacher.from_eigenvalues([2, 1], 4), Student.initialise(4, 4, scale=0.3, seed=1))
    X, Y = (array[0] for array in data_sets(problem, Practice(1.0, 0.0, 0, 400, 0.0, 1, 0)))
    flow = FiniteDataFlow(problem, X, Y)
    path = flow.integrate(times=edge.times)
    assert len(edge.times) == len(edge.sharpness) == 60
    np.testing.assert_allclose(edge.loss[[0, -1]], flow.train_loss(path)[[0, -1]], rtol=1e-6)
    assert [d.factor for d in edge.descents] == [0.5, 1.1, 20.0]
    for descent in edge.descents:
        assert len(descent.times) == len(descent.loss) == len(descent.sharpness) <= 240
    below = edge.descents[0]
    assert len(below.times) == 240 < round(6 / below.step)  # of more steps some, else every one
    assert len(edge.descents[1].times) == round(6 / edge.descents[1].step) + 1
    start = problem.student
    assert below.loss[0] == pytest.approx(data_loss(X, Y, start.W, start.A), rel=1e-12)
    assert below.sharpness[0] == pytest.approx(edge.sharpness[0], rel=1e-9)
    assert (below.loss > 0).all() and below.loss[-1] < 1e-3 * below.loss[0]


def test_networks_with_more_inputs_than_samples_and_units_span():
    """3 samples, 2 units and 1 teacher direction in 9 inputs: the flow lives in 6 dimensions, networks in all 9.

    At the start both have the loss and the sharpness of the same weights: the loss from its definition, the sharpness
    from the Gauss–Newton and curvature parts of the Hessian over all 9 inputs, by differences of the gradient.
    """
    student = Student.initialise(2, 9, scale=0.5, seed=3)
    problem = Problem(Teacher.from_eigenvalues([1.0], 9), student)
    edge = edge_of_stability(problem, samples=3, t_end=1.0, factors=(0.25,), seed=5)
    (below,) = edge.descents
    X, Y = (array[0] for array in data_sets(problem, Practice(1.0, 0.0, 0, 3, 0.0, 1, 5)))
    assert FiniteDataFlow(problem, X, Y).reduction.dimension == 6
    expected = data_loss(X, Y, student.W, student.A)
    assert edge.loss[0] == pytest.approx(expected, rel=1e-12)
    assert below.loss[0] == pytest.approx(expected, rel=1e-12)

    def loss(theta):
        return data_loss(X, Y, theta[:18].reshape(2, 9), theta[None, 18:])

    theta, h = np.append(student.W.ravel(), student.a), 1e-3
    shifts = h * np.eye(20)
    hessian = [
        [
            (loss(theta + i + j) - loss(theta + i - j) - loss(theta - i + j) + loss(theta - i - j))
            / (4 * h**2)
            for j in shifts
        ]
        for i in shifts
    ]
    # the loss is of sixth order in θ: differences of step 1e-3 err by some 1e-6 of it
    assert np.linalg.eigvalsh(hessian)[-1] == pytest.approx(below.sharpness[0], rel=1e-4)
    assert edge.sharpness[0] == pytest.approx(below.sharpness[0], rel=1e-9)
    # a step of ¼ of the largest follows the flow to first order in the step
    flow = np.interp(below.times, edge.times, edge.loss)
    assert np.abs(below.loss - flow).max() < 0.25 * edge.loss[0]


def test_bad_input():
    problem = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(2, 2))
    for bad in ({"factors": ()}, {"factors": (-1.0,)}, {"samples": 0}, {"t_end": 0.0}):
        with pytest.raises(ProblemError, match=next(iter(bad))):
            edge_of_stability(problem, **({"samples": 10, "t_end": 1.0, "factors": (1.0,)} | bad))


def test_the_flattest_start_that_has_a_largest_step():
    """Near zero the Hessian is of first order in the weights: at 1e-48 the sharpness is 1e-43 times that at 1e-5.

    Corrections are of the relative size of the weights, 1e-5. Steps end at 1e50, and at 1e-104 there is none.
    """

    def started(scale):
        student = Student(scale * np.array([[1.0, 2.0], [-1.0, 0.5]]), scale * np.array([1.0, -2.0]))
        problem = Problem(Teacher.from_eigenvalues([2, 1]), student)
        return edge_of_stability(problem, samples=10, t_end=1.0, factors=(0.5,))

    tiny, small = started(1e-48), started(1e-5)
    assert 1e-50 < tiny.sharpness.max() < 1e-45
    assert tiny.sharpness[0] == pytest.approx(1e-43 * small.sharpness[0], rel=1e-3)
    assert tiny.largest_step == pytest.approx(2 / tiny.sharpness.max())
    with pytest.raises(ProblemError, match=r"must be at most 1e\+50"):
        started(1e-98)
    with pytest.raises(ProblemError, match="so flat that no step is too large"):
        started(1e-104)
