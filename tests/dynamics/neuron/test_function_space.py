"""Dimension of the functions reached: the numbers of the theory, floating-point ranks, the formulas."""

import numpy as np
import pytest

from dynamics import ProblemError
from dynamics.neuron import Neurons, function_space_dimension, function_space_dimensions, quadratic_functions
from dynamics.neuron.function_space import predicted_dimension


def test_numbers_of_the_theory():
    """Section 8, d = 5: 17, 21 for quadratic neurons; 6, 11, 15, 18, 20, 21 for ordinary ones."""
    space = function_space_dimensions(5)
    assert space.quadratic.tolist() == [17, 21, 21, 21, 21, 21]
    assert space.ordinary.tolist() == [6, 11, 15, 18, 20, 21]
    assert space.everything == quadratic_functions(5) == 21
    assert space.to_dict()["all"] == 21
    assert "17, 21" in space.summary()


@pytest.mark.parametrize("inputs", range(1, 8))
def test_formulas_are_the_exact_ranks(inputs):
    """Every number of units up to d + 1; one quadratic neuron min(3d + 2, N) as in the theory."""
    for units in range(1, inputs + 2):
        for kind in ("quadratic", "ordinary"):
            assert function_space_dimension(kind, units, inputs) == predicted_dimension(kind, units, inputs)
    N = quadratic_functions(inputs)
    assert predicted_dimension("quadratic", 1, inputs) == min(3 * inputs + 2, N)
    for h in range(1, inputs + 2):
        assert predicted_dimension("ordinary", h, inputs) == min(h * (inputs + 1) - h * (h - 1) // 2, N)


@pytest.mark.parametrize(("units", "inputs"), [(1, 3), (1, 6), (2, 7)])
def test_rank_of_the_network_itself(units, inputs):
    """Rank, in floating point, of the derivatives of the outputs at 60 random points of a random network."""
    neurons = Neurons.initialise(units, inputs, init="random", scale=1.0, seed=1)
    x = np.random.default_rng(2).standard_normal((60, inputs))
    theta = np.concatenate([w.ravel() for w in (neurons.R, neurons.G, neurons.B, neurons.a)])
    sizes = np.cumsum([neurons.R.size] * 3)

    def outputs(theta):
        R, G, B, a = np.split(theta, sizes)
        shape = neurons.R.shape
        return Neurons(R.reshape(shape), G.reshape(shape), B.reshape(shape), a)(x)

    h = 1e-5  # central differences of a cubic polynomial: error h², far below the gap in the singular values
    J = np.stack([(outputs(theta + h * e) - outputs(theta - h * e)) / (2 * h) for e in np.eye(theta.size)])
    values = np.linalg.svd(J, compute_uv=False)
    assert np.sum(values > 1e-6 * values[0]) == function_space_dimension("quadratic", units, inputs)


def test_many_inputs_are_counted_by_the_formulas():
    """A rank of 40 inputs would take a day. Against the formulas of the module, with h units one by one."""
    space = function_space_dimensions(40, 60)
    n, N = 41, 41 * 42 // 2
    ordinary = [sum(range(n, n - min(h, n), -1)) for h in range(1, 61)]  # the h-th unit adds n − h + 1
    quadratic = [min(n + sum(range(n, n - min(2 * h, n), -1)), N) for h in range(1, 61)]
    assert space.ordinary.tolist() == ordinary
    assert space.quadratic.tolist() == quadratic
    assert space.everything == N


def test_few_inputs_are_counted_without_the_formulas(monkeypatch):
    monkeypatch.setattr("dynamics.neuron.function_space.predicted_dimension", None)
    assert function_space_dimensions(3).quadratic.tolist() == [10, 10, 10, 10]
    assert function_space_dimensions(4).quadratic.tolist() == [14, 15, 15, 15, 15]


def test_refusals():
    with pytest.raises(ProblemError, match="quadratic, ordinary"):
        function_space_dimension("cubic", 1, 2)
    with pytest.raises(ProblemError, match="at least 1"):
        function_space_dimensions(0)
    with pytest.raises(ProblemError, match="at most 100,000 are allowed: lower `inputs`"):
        function_space_dimensions(2**62)
