"""The symmetric plateau of erf units: found, and visited by the flow and by networks."""

from dataclasses import replace

import numpy as np
import pytest

from dynamics import ComputationError, Problem, ProblemError, Student, Teacher
from empirical import train
from empirical.experiments.symmetric_plateau import symmetric_plateau

HOW = {"step": 0.2, "batch": 64, "seed": 1}


def committee(K=2, inputs=3, scale=1e-3, trainable=False):
    """K erf units that learn K, from small weights."""
    rng = np.random.default_rng(3)
    student = Student(scale * rng.standard_normal((K, inputs)), np.ones(K), trainable)
    return Problem(Teacher(np.eye(K, inputs), np.ones(K)), student, "erf")


@pytest.fixture(scope="module")
def curves():
    return symmetric_plateau(committee(), starts=5, t_end=40.0, seeds=3, **HOW)


def test_the_saddle_is_that_of_the_closed_form(curves):
    """K = 2: R² = 1/6, L = (2/π)(π/6 − 2 asin ¼) = 0.0116108403; overlaps are 1/√2 and one direction leads down."""
    assert curves.plateau.loss == pytest.approx(2 / np.pi * (np.pi / 6 - 2 * np.arcsin(0.25)), abs=1e-12)
    np.testing.assert_allclose(curves.overlaps, np.full((2, 2), 2**-0.5), atol=1e-12)
    assert curves.plateau.index == 1


def test_flow_and_networks_visit_it(curves):
    """Both come within a percent of its level and stay there for ten units of time, units alike.

    Noise of the gradient moves a network off by some √(η/batch) of a weight, 0.06, which raises the loss by its square.
    """
    level = curves.plateau.loss
    t, loss = curves.trajectory.times, curves.trajectory.loss
    near = (t > 15) & (t < 25)
    assert np.abs(loss[near] / level - 1).max() < 0.01
    assert curves.trajectory.overlaps[near] == pytest.approx(2**-0.5, abs=0.1)
    there = (curves.run.times > 15) & (curves.run.times < 25)
    assert there.sum() > 5
    assert np.abs(curves.run.loss[:, there] / level - 1).max() < 0.1
    assert curves.run.overlaps[:, there] == pytest.approx(2**-0.5, abs=0.15)
    assert curves.run.loss[:, 0].min() > 10 * level


def test_networks_are_those_of_train(curves):
    run = train(committee(), steps=200, seeds=3, **HOW)
    np.testing.assert_array_equal(curves.run.loss, run.loss)
    np.testing.assert_allclose(curves.trajectory.times, np.linspace(0, 40, 400), rtol=1e-12)


def test_where_there_is_no_such_saddle():
    """One unit that learns one like it has nothing to be alike with but the minimum."""
    with pytest.raises(ComputationError, match="Of 5 starts of the search none led to a saddle"):
        symmetric_plateau(committee(K=1, inputs=1), starts=5, t_end=1.0, seeds=1, **HOW)


@pytest.mark.parametrize("activation", ["centred", "relu"])
def test_units_that_are_described_by_modes_are_refused(activation):
    """Of homogeneous activations runs keep the learned part of each mode, not overlaps, which the figure shows."""
    problem = replace(committee(), activation=activation, teacher_activation=activation)
    with pytest.raises(ProblemError, match=f"`activation` is '{activation}', but overlaps"):
        symmetric_plateau(problem, starts=5, t_end=1.0, seeds=1, **HOW)


@pytest.mark.parametrize("name", ["batch", "seeds", "step", "t_end", "starts"])
def test_arguments_are_checked(name):
    arguments = {"starts": 5, "t_end": 1.0, "seeds": 1} | HOW | {name: 0}
    with pytest.raises(ProblemError, match=name):
        symmetric_plateau(committee(), **arguments)
