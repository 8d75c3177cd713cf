"""The same quantity on arrays, trajectories, training runs and modules; and that it is conserved, or only just not."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.conserved.quantities import (
    ProjectorQuantity,
    QuadraticQuantity,
    conserved_quantities,
    weights,
)
from dynamics.laws import bilinear, quadratic


def drift(quantities, source):
    """Largest movement of each quantity along a trajectory."""
    return np.array([np.ptp(q(source)) for q in quantities])


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_balances_along_the_flow(activation, make_problem, rng):
    """c_k of the definition, constant to the solver's accuracy; h = 1 in its place moves."""
    problem = make_problem(rng, O=2, covariance=True, activation=activation, scale=0.5)
    path = GradientFlow(problem).integrate(t_end=1.0, samples=20)
    quantities = conserved_quantities(problem)
    assert [q.name for q in quantities][:2] == ["‖w_0‖² − 2‖a_0‖²", "‖w_1‖² − 2‖a_1‖²"]
    expected = np.sum(path.W**2, axis=2) - 2 * np.sum(path.A**2, axis=1)
    np.testing.assert_allclose(np.stack([q(path) for q in quantities], axis=-1), expected, atol=1e-13)
    assert drift(quantities, path).max() < 1e-10
    wrong = QuadraticQuantity("", ((0, 0, 1.0),), ((0, 0, -1.0),))
    assert drift([wrong], path) > 1e-3


def test_unequal_learning_rates(make_problem, rng):
    """θ̇ = −R∇L integrated by hand (Heun, η = 1e-4, error η²): ‖w‖²/η_w − 2a²/η_a stays, without rates it moves."""
    problem = make_problem(rng, scale=0.5)
    flow, rates, eta = GradientFlow(problem, reduce=False), (1.0, 0.25), 1e-4
    W, A = problem.student.W.copy(), problem.student.A.copy()
    states = [(W, A)]
    for _ in range(5000):
        one = flow.population.velocity(W, A)
        two = flow.population.velocity(W + eta * rates[0] * one[0], A + eta * rates[1] * one[1])
        W = W + eta * rates[0] * (one[0] + two[0]) / 2
        A = A + eta * rates[1] * (one[1] + two[1]) / 2
        states.append((W, A))
    Ws, As = (np.stack(x) for x in zip(*states, strict=True))
    kept = conserved_quantities(problem, rates=rates)
    assert kept[0].name == "‖w_0‖² − 2a_0²/0.25"
    assert max(np.ptp(q(Ws, As)) for q in kept) < 1e-6
    assert max(np.ptp(q(Ws, As)) for q in conserved_quantities(problem)) > 1e-2


def test_fixed_second_layer(rng):
    """Products of opposite units and, for more equal units than inputs, the projector in neuron space."""
    a = np.array([1.0, 1.0, 1.0, -1.0, 0.5])
    problem = Problem(Teacher.from_eigenvalues([2, -1]), Student(rng.normal(size=(5, 2)), a, trainable=False))
    quantities = conserved_quantities(problem)
    assert [q.name for q in quantities[:3]] == ["w_0·w_3", "w_1·w_3", "w_2·w_3"]
    assert [isinstance(q, ProjectorQuantity) for q in quantities] == [False] * 3 + [True] * 2
    path = GradientFlow(problem).integrate(t_end=1.0, samples=10)
    assert drift(quantities, path).max() < 1e-10
    X = path.W[-1, :3]
    P = X @ np.linalg.inv(X.T @ X) @ X.T
    assert quantities[3](path)[-1] == pytest.approx(P[2, 0], abs=1e-12)


def test_units_without_output_do_not_move(rng):
    problem = Problem(
        Teacher.from_eigenvalues([2, -1]), Student(rng.normal(size=(2, 2)), [0.0, 1.0], trainable=False)
    )
    (name,) = (q.name for q in conserved_quantities(problem))
    assert name == "w_0·w_0"


def test_symbolic_laws_evaluate_on_weights(rng):
    """The laws of the algebra and the numeric quantities agree; sources of every shape broadcast."""
    W, A = rng.normal(size=(7, 4, 2, 3)), rng.normal(size=(7, 4, 1, 2))
    laws = conserved_quantities(quadratic(3, 2))
    numeric = conserved_quantities(Problem(Teacher.from_eigenvalues([1], 3), Student(W[0, 0], A[0, 0])))
    for law, q in zip(laws, numeric, strict=True):
        assert law(W, A).shape == (7, 4)
        np.testing.assert_allclose(law(W, A), q(W, A), rtol=1e-12)
        np.testing.assert_allclose(q(W, A[..., 0, :]), q(W, A))
    fixed = conserved_quantities(quadratic(3, 2, second_layer=(1, -1)))
    np.testing.assert_allclose(fixed[0](W, A), np.einsum("...i,...i->...", W[..., 0, :], W[..., 1, :]))
    assert len(conserved_quantities(bilinear(2, 2, output_weight=False))) == 4


def test_models_that_are_refused(rng):
    with pytest.raises(ProblemError, match="`model` is a list"):
        conserved_quantities([1.0])
    with pytest.raises(ProblemError, match="must have"):
        weights(rng.normal(size=(2, 3)), rng.normal(size=(1, 4)))
    with pytest.raises(ProblemError, match="no weights"):
        weights(object())
    with pytest.raises(ProblemError, match="positive"):
        conserved_quantities(
            Problem(Teacher.from_eigenvalues([1]), Student(np.ones((1, 1)), np.ones(1))), rates=(0, 1)
        )
