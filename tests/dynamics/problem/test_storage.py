"""What files keep of the inputs of a problem: samples to train on, and held out ones only where there are some."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student
from dynamics.curves.trajectory import Trajectory
from dynamics.inputs.data_set import DataSet


@pytest.mark.parametrize("held_out", [False, True])
def test_a_data_set_comes_back_with_its_held_out_samples(held_out, rng, tmp_path):
    X, Y, X_test, Y_test = (rng.standard_normal(shape) for shape in ((6, 2), (6, 1), (4, 2), (4, 1)))
    data = DataSet(X, Y, X_test, Y_test) if held_out else DataSet(X, Y)
    problem = Problem(None, Student.initialise(2, 2, scale=0.1), data=data)
    GradientFlow(problem).integrate(0.1, samples=2).save(tmp_path / "run.npz")
    found = Trajectory.load(tmp_path / "run.npz").problem.data
    np.testing.assert_array_equal(found.X, X)
    np.testing.assert_array_equal(found.Y, Y)
    if held_out:
        np.testing.assert_array_equal(found.X_test, X_test)
        np.testing.assert_array_equal(found.Y_test, Y_test)
    else:
        assert found.X_test is found.Y_test is None
