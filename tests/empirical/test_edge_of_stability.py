"""Below the largest stable step networks follow the flow, beyond it they leave its plateau."""

import numpy as np
import pytest

from dynamics import Problem, ProblemError, Student, Teacher
from empirical.edge_of_stability import edge_of_stability


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


def test_bad_input():
    problem = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(2, 2))
    for bad in ({"factors": ()}, {"factors": (-1.0,)}, {"samples": 0}, {"t_end": 0.0}):
        with pytest.raises(ProblemError):
            edge_of_stability(problem, **({"samples": 10, "t_end": 1.0, "factors": (1.0,)} | bad))
