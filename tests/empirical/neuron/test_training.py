"""Training of quadratic neurons: the cubature, the flow as its limit, stability of trained networks, collapse."""

import json

import numpy as np
import pytest
import torch

from dynamics import ProblemError
from dynamics.neuron import NeuronFlow, NeuronPopulation, Neurons, QuadraticTarget, Rates
from empirical.neuron.collapse import collapse_study
from empirical.neuron.training import (
    Relinear,
    batch_losses,
    gaussian_cubature,
    labels,
    outputs,
    train_neurons,
)
from empirical.trainer import TrainingDiverged, gradient_of

TARGET = QuadraticTarget.random(3, seed=1)
START = Neurons.initialise(3, 3, seed=1)


def tensors(neurons, lead=()):
    arrays = (neurons.R, neurons.G, neurons.B, neurons.a)
    return [torch.tensor(np.broadcast_to(w, (*lead, *w.shape))) for w in arrays]


def one_step(weights, x, y, step, rates, shrink=0.0, mass=None):
    """Losses before, and weights after a step."""
    weights = [w.clone().requires_grad_() for w in weights]
    losses, gradients = gradient_of(lambda n: batch_losses(weights, x, y, mass), weights)(0)
    with torch.no_grad():
        Relinear(weights, rates, shrink)(gradients, step)
    return losses, [w.detach() for w in weights]


def test_cubature_has_the_moments_of_the_gaussian():
    """E x_i = 0, E x_i² = 1, E x_i⁴ = 3, E x_i² x_j² = 1, and all probabilities together 1."""
    x, mass = (t.numpy() for t in gaussian_cubature(3, torch.float64))
    assert len(x) == 27
    assert mass.sum() == pytest.approx(1, rel=1e-14)
    np.testing.assert_allclose(mass @ x, 0, atol=1e-15)
    np.testing.assert_allclose((x.T * mass) @ x, np.eye(3), atol=1e-14)
    np.testing.assert_allclose((x.T**2 * mass) @ x**2, 1 + 2 * np.eye(3), atol=1e-14)
    with pytest.raises(ProblemError, match="d = 8"):
        gaussian_cubature(9, torch.float64)


def test_gradients_of_pytorch_are_the_theory():
    """One step on the cubature, rates and shrinking included, is one Euler step of the flow to rounding."""
    neurons = Neurons.initialise(3, 3, init="random", scale=1.0, seed=2)
    rates, shrink, eta = Rates(1, 0.3, 0.1, 0.7), 0.4, 0.01
    flow = NeuronFlow(TARGET, neurons, rates, shrink)
    x, mass = gaussian_cubature(3, torch.float64)
    y = labels(x, torch.from_numpy(TARGET.homogeneous.copy()))
    losses, new = one_step(tensors(neurons), x, y, eta, rates, shrink, mass)
    assert float(losses) == pytest.approx(
        NeuronPopulation(TARGET).loss(*(w.numpy() for w in tensors(neurons)))
    )
    theta = np.concatenate([w.numpy().ravel() for w in new])
    np.testing.assert_allclose(theta, flow.theta0 + eta * flow(0.0, flow.theta0), atol=1e-14)


def test_an_ensemble_is_its_members_one_by_one():
    """Outputs and a step with a learning rate for each network."""
    x = torch.randn(2, 7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    y = labels(x, torch.from_numpy(TARGET.homogeneous.copy()))
    np.testing.assert_allclose(outputs(x[0], tensors(START)).numpy(), START(x[0].numpy()), atol=1e-13)
    _, both = one_step(
        tensors(START, (2,)), x, y, torch.tensor([0.1, 0.2], dtype=torch.float64), Rates(g=0.3)
    )
    for i, eta in enumerate((0.1, 0.2)):
        _, one = one_step(tensors(START), x[i], y[i], eta, Rates(g=0.3))
        for w, v in zip(both, one, strict=True):
            torch.testing.assert_close(w[i], v, rtol=1e-12, atol=1e-14)


def test_training_tends_to_the_flow_linearly_in_the_step():
    """Whole population, η and η/2 and η/4: the largest deviation from the flow halves, and halves again."""
    rates = Rates(g=0.2, b=0.2)
    errors = []
    for steps in (200, 400, 800):
        run = train_neurons(TARGET, START, steps=steps, step=2 / steps, rates=rates, batch=0, records=11)
        flow = NeuronFlow(TARGET, START, rates).integrate(times=run.times)
        errors.append(np.abs(run.loss - flow.loss).max())
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.1)


def test_seeds_scatter_around_the_flow_and_repeat():
    """Fresh batches: the spread over seeds falls like batch^−½; the same seed gives the same numbers."""
    options = {"steps": 200, "step": 0.005, "seeds": 40, "records": 2}
    spread = [train_neurons(TARGET, START, batch=B, **options).loss[:, -1].std() for B in (64, 1024)]
    # standard deviations of 40 seeds have a relative error of 1/√78 each: four of them, combined
    assert spread[0] / spread[1] == pytest.approx(4, rel=4 * np.sqrt(2 / 78))
    one, two = (train_neurons(TARGET, START, batch=16, seed=s, **options).to_dict() for s in (5, 5))
    np.testing.assert_array_equal(one["loss"], two["loss"])


def test_a_trained_network_is_stable_below_and_unstable_above_the_predicted_step():
    """Trained to the end, perturbed along the sharpest direction, trained on at 0.98 and 1.02 of the predicted step."""
    rates = Rates(g=0.1, b=0.1)
    run = train_neurons(TARGET, START, steps=6000, step=0.1, rates=rates, batch=0, records=2)
    assert run.loss[0, -1] < 1e-12
    end = run.neurons_at(0, -1)
    flow = NeuronFlow(TARGET, end, rates)
    predicted, direction = flow.largest_stable_step(flow.theta0), flow.sharpest_direction(flow.theta0)
    theta = flow.theta0 + 1e-5 * direction
    sizes = np.cumsum([end.R.size] * 3)
    R, G, B, a = np.split(theta, sizes)
    shape = end.R.shape
    perturbed = Neurons(R.reshape(shape), G.reshape(shape), B.reshape(shape), a)
    for factor, grows in ((0.98, False), (1.02, True)):
        more = train_neurons(
            TARGET, perturbed, steps=60, step=factor * predicted, rates=rates, batch=0, records=2
        )
        after = np.concatenate([w[0, -1].ravel() for w in more.weights])
        assert (np.linalg.norm(after - flow.theta0) > 1e-5) == grows


def test_drift_of_the_laws_is_linear_in_the_step():
    """Gradient descent breaks Q1 and Q2 by η² a step, η in a given time."""
    drifts = []
    for steps in (400, 800):
        run = train_neurons(TARGET, START, steps=steps, step=2 / steps, batch=0)
        drifts.append(np.array([run.conserved_drift[name] for name in ("Q1", "Q2")]))
    np.testing.assert_allclose(drifts[0] / drifts[1], 2, rtol=0.1)


def test_divergence_names_the_step_the_theory_allows():
    """What was recorded before is kept."""
    with pytest.raises(TrainingDiverged, match=r"largest stable step of 0\.\d+ along") as caught:
        train_neurons(TARGET, START, steps=199, step=2.0, batch=32)
    error = caught.value
    assert f"diverged at step {error.step}:" in str(error)
    np.testing.assert_array_equal(error.run.steps, np.arange(error.step))
    short = train_neurons(TARGET, START, steps=error.step, step=2.0, batch=32, records=error.step + 1)
    np.testing.assert_array_equal(error.run.loss, short.loss[:, :-1])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steps": 0}, "steps"),
        ({"step": 0.0}, "step"),
        ({"batch": -1}, "batch"),
        ({"dtype": "int8"}, "float32"),
        ({"device": "abacus"}, "device"),
    ],
)
def test_refusals(options, words):
    with pytest.raises(ProblemError, match=words):
        train_neurons(TARGET, START, **{"steps": 1, "step": 0.1, **options})


def test_collapse_of_random_starts_and_not_of_relinear():
    """d = h = 6, η = 0.2: at least 30 % of random starts diverge with γ = 1, at most 5 % of ReLinear's with γ = 0.1."""
    study = collapse_study(learning_rates=[0.02, 0.2], gammas=[1.0, 0.1], starts=100)
    assert study.fractions["random"][0, 1] >= 0.3
    assert study.fractions["relinear"][1, 1] <= 0.05
    # a tenth of the rate, far below the largest stable step of any of them: nothing diverges
    assert study.fractions["random"][:, 0].max() == study.fractions["relinear"][:, 0].max() == 0
    assert json.dumps(study.summary())
    assert set(study.to_dict()) >= {"learning_rates", "gammas", "random", "relinear", "starts"}


def test_collapse_where_it_is_certain():
    """A step of 50 multiplies the loss at once: all runs diverge; one of 1e-4 hardly moves: none does."""
    target = QuadraticTarget.random(3, seed=4)
    study = collapse_study(
        target, inputs=3, hidden=3, learning_rates=[1e-4, 50.0], gammas=[1.0], starts=2, steps=30
    )
    np.testing.assert_array_equal(study.fractions["random"], [[0, 1]])
    np.testing.assert_array_equal(study.fractions["relinear"], [[0, 1]])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"learning_rates": []}, "empty"),
        ({"learning_rates": [0.0]}, "positive"),
        ({"gammas": [-0.1]}, "negative"),
        ({"starts": 0}, "starts"),
        ({"target": TARGET, "inputs": 4}, "3 inputs"),
    ],
)
def test_collapse_refuses(options, words):
    with pytest.raises(ProblemError, match=words):
        collapse_study(**{"starts": 1, "steps": 1, **options})
