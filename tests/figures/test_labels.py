"""Labels keep their distance and cover nothing."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.optimize import minimize

from figures.labels import Room, from_points, in_points, spread


def test_labels_with_room_stay():
    np.testing.assert_allclose(spread([5.0, 0.0, 2.5], 2), [5.0, 0.0, 2.5])
    assert spread([], 2).shape == (0,)


def test_labels_that_collide_part_around_their_mean():
    """By hand: two at 1 go to ½ and 3/2; three of which the first two touch the third go around the mean of all."""
    np.testing.assert_allclose(spread([1.0, 1.0], 1), [0.5, 1.5])
    np.testing.assert_allclose(spread([2.0, 0.0, 1.5, 9.0], 2), [19 / 6, -5 / 6, 7 / 6, 9.0])


@pytest.mark.parametrize("seed", range(5))
def test_labels_move_as_little_as_possible(seed):
    """Against a quadratic programme, solved by SLSQP to 1e-6."""
    rng = np.random.default_rng(seed)
    wanted, distance = np.sort(rng.uniform(0, 10, 7)), 1.2
    constraints = {"type": "ineq", "fun": lambda y: np.diff(y) - distance}
    start = wanted[0] + distance * np.arange(7)
    solved = minimize(lambda y: np.sum((y - wanted) ** 2), start, constraints=constraints, tol=1e-12)
    np.testing.assert_allclose(spread(wanted, distance), solved.x, atol=1e-5)


def test_labels_stay_within_bounds():
    """By hand: pushed up from below, down from above; where there is no room for all they begin at the lower bound."""
    np.testing.assert_allclose(spread([0.0, 0.5], 2, low=0), [0, 2])
    np.testing.assert_allclose(spread([9.0, 10.0], 2, high=10), [8, 10])
    np.testing.assert_allclose(spread([1.0, 2.0, 3.0], 2, low=0, high=3), [0, 2, 4])


@pytest.fixture
def axes():
    """Four inches square, 100 pixels each, the axes in the middle half: data 0 … 1 are points 72 … 216."""
    figure = Figure(figsize=(4, 4), dpi=100)
    return figure.add_axes((0.25, 0.25, 0.5, 0.5), xlim=(0, 1), ylim=(0, 1))


def test_points_on_the_paper(axes):
    places = [(0.0, 1.0), (0.5, 0.25)]
    np.testing.assert_allclose(in_points(axes, places), [(72, 216), (144, 108)])
    np.testing.assert_allclose(from_points(axes, in_points(axes, places)), places, atol=1e-12)


def test_a_label_goes_where_it_covers_nothing(axes):
    room = Room(axes)
    first, second, third = (axes.text(0, 0, "name", fontsize=6, ha="center", va="center") for _ in range(3))
    room.put(first, [(0.5, 0.5)])
    room.put(second, [(0.5, 0.5), (0.5, 0.51), (0.5, 0.9), (0.9, 0.9)])
    assert second.get_position() == (0.5, 0.9)
    room.put(third, [(0.5, 0.5), (0.5, 0.9), (0.5, 0.56), (0.5, 0.91)])  # all covered, the third one least
    assert third.get_position() == (0.5, 0.56)
    room.take_points([(0.1, 0.1)], 6)
    (x0, y0), (x1, y1) = room.taken[-1].get_points()
    np.testing.assert_allclose([x1 - x0, y1 - y0, (x0 + x1) / 2], [6 / 72 * 100, 6 / 72 * 100, 120])
    room.put(first, [(0.1, 0.1), (0.9, 0.1)])
    assert first.get_position() == (0.9, 0.1)
