"""Gradients that are written out are those of automatic differentiation, in nine operations."""

import json
from functools import partial
from itertools import product

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.activations import ACTIVATIONS, Activation
from dynamics.losses import FAMILIES, LOSSES, Loss
from empirical import QuadraticNetwork, train, train_ensemble
from empirical.escape import train_escape
from empirical.experiments.grid_training import train_grid
from empirical.fused_gradient import FusedGradient
from empirical.gradients import choose_gradients, trained_weights
from empirical.optimizers import OPTIMIZERS
from empirical.trainer import gradient_of

NAMES = [*ACTIVATIONS, "polynomial:0.3,-1,0.7", "hermite:3", "leaky-relu:0.1"]
d, K, B = 3, 4, 7
SIGMA = np.array([[2.0, 0.3, 0.0], [0.3, 1.0, -0.4], [0.0, -0.4, 0.5]])


def network_of(rng, name, outputs=1, trainable=True, seeds=2, dtype=torch.float64, **bias):
    """An ensemble of different networks; the first unit is zero, so that all its samples are at a kink."""
    student = Student(np.zeros((K, d)), np.ones((outputs, K)), trainable)
    phi = Activation.parse(name)
    Sigma = SIGMA if phi.uses_variance else None
    network = QuadraticNetwork.from_student(
        student, activation=phi, covariance=Sigma, ensemble=seeds, dtype=dtype, **bias
    )
    with torch.no_grad():
        network.W[..., 1:, :] = torch.tensor(rng.standard_normal((K - 1, d)))
        network.W[-1:] *= 1.3
        network.A += torch.tensor(rng.standard_normal(network.A.shape))
    return network


def half_square(f, y):
    """½ (f − y)²."""
    return 0.5 * (f - y).square()


def reference(network, x, y, weights, value=half_square):
    """Losses Σ_b p_b Σ_o ℓ(f, y), and their gradients by automatic differentiation."""
    p = 1 / x.shape[-2] if weights is None else weights
    return gradient_of(
        lambda n: (p * value(network(x), y).sum(-1)).sum(-1).reshape(-1), trained_weights(network)
    )(0)


def assert_equal(found, expected, rtol=1e-12):
    """Losses and gradients, to rounding of the largest entries."""
    (losses, gradients), (losses0, gradients0) = found, expected
    torch.testing.assert_close(losses, losses0, rtol=rtol, atol=0)
    assert len(gradients) == len(gradients0)
    for g, g0 in zip(gradients, gradients0, strict=True):
        assert g.shape == g0.shape
        torch.testing.assert_close(g, g0, rtol=0, atol=rtol * float(g0.abs().max()))


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_those_of_automatic_differentiation(rng, name):
    """Of every activation, with one output and several, weights or none, one layer or both, data shared or own."""
    options = product((1, 3), (True, False), (True, False), ("own", "shared", "alone"))
    for outputs, trainable, weighted, whose in options:
        network = network_of(rng, name, outputs, trainable, seeds=1 if whose == "alone" else 2)
        S = len(network.W)
        x = torch.tensor(rng.standard_normal((S, d, B))).mT
        y = torch.tensor(rng.standard_normal((S, B, outputs)))
        if whose == "shared":
            x, y = x[:1].expand(S, -1, -1), y[:1].expand(S, -1, -1)
        weights = torch.tensor(rng.random((S, B))) if weighted else None
        with torch.no_grad():
            found = FusedGradient(network)(x, y, weights)
        assert_equal(found, reference(network, x, y, weights))


PYTORCH = {  # what PyTorch calls the losses of the table, of (f, y)
    "square": half_square,
    "log-cosh": lambda f, y: torch.log(torch.cosh(f - y)),
    "logistic": partial(nn.functional.binary_cross_entropy_with_logits, reduction="none"),
    "huber:1.3": partial(nn.functional.huber_loss, delta=1.3, reduction="none"),
}


@pytest.mark.parametrize("name", PYTORCH)
def test_gradients_of_every_loss(rng, name):
    """By the slope of the loss against automatic differentiation of PyTorch's own: with a bias, fixed or trained, and
    without, weights or none, one layer or both, one network or two; some residuals are beyond the corner of Huber's.
    """
    loss, size = Loss.parse(name), 3 if name == "huber:1.3" else 1
    biases = ({}, {"bias": 0.4}, {"bias": -0.3, "bias_trainable": True})
    for bias, trainable, weighted, seeds in product(biases, (True, False), (True, False), (1, 2)):
        network = network_of(rng, "quadratic", 2, trainable, seeds, **bias)
        x = torch.tensor(rng.standard_normal((seeds, d, B))).mT
        y = torch.tensor(size * rng.random((seeds, B, 2)))
        weights = torch.tensor(rng.random((seeds, B))) if weighted else None
        with torch.no_grad():
            found = FusedGradient(network, loss)(x, y, weights)
        assert len(found[1]) == 1 + trainable + ("bias_trainable" in bias)
        assert_equal(found, reference(network, x, y, weights, PYTORCH[name]))


def test_every_loss_is_held_against_pytorch():
    """Losses that are registered have a line above."""
    assert {name.partition(":")[0] for name in PYTORCH} == {*LOSSES, *FAMILIES}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_network_and_inputs_without_an_axis_of_networks(rng, dtype):
    """Weights (K, d), and samples (B, d) for an ensemble: the same numbers in other shapes."""
    x, y = torch.tensor(rng.standard_normal((B, d)), dtype=dtype), torch.ones(B, 1, dtype=dtype)
    ensemble = network_of(rng, "tanh", dtype=dtype)
    alone = QuadraticNetwork(d, K, activation="tanh", dtype=dtype)
    with torch.no_grad():
        alone.W.copy_(ensemble.W[1])
        alone.A.copy_(ensemble.A[1])
        (losses, (gW, gA)), (one, (hW, hA)) = (FusedGradient(n)(x, y) for n in (ensemble, alone))
    rtol = 20 * torch.finfo(dtype).eps
    for many, single in ((losses[1:], one), (gW[1], hW), (gA[1], hA)):
        torch.testing.assert_close(many, single, rtol=rtol, atol=rtol)
    assert_equal((one, (hW, hA)), reference(alone, x, y, None), rtol)


def test_batches_of_other_sizes_and_weights_that_have_moved(rng):
    """The memory follows the batch, and the weights are those of now."""
    network = network_of(rng, "centred")
    fused = FusedGradient(network)
    for size in (5, 2, 5, 9):
        x, y = torch.tensor(rng.standard_normal((2, size, d))), torch.zeros(2, size, 1, dtype=torch.float64)
        with torch.no_grad():
            network.W += 0.1
            network.A -= 0.2
            found = fused(x, y)
        assert_equal(found, reference(network, x, y, None))


class Launches(TorchDispatchMode):
    """Counts operations that are no views."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        found = operation(*args, **(kwargs or {}))
        if not operation.is_view:
            self.names.append(str(operation))
        return found


def test_gradients_are_nine_operations_in_memory_that_stays(rng):
    """Of one network as of 32, and the gradients stay where they were; by autograd more than twice as many."""
    for seeds in (1, 32):
        network = network_of(rng, "quadratic", seeds=seeds)
        x, y = torch.randn(seeds, d, B).double().mT, torch.randn(seeds, B, 1).double()
        fused, places = FusedGradient(network), []
        for _ in range(3):
            with torch.no_grad(), Launches() as launched:
                losses, gradients = fused(x, y)
            places.append([g.data_ptr() for g in gradients])
        assert len(launched.names) == 9, launched.names
        assert places[0] == places[2]
        with Launches() as launched:
            reference(network, x, y, None)
        assert len(launched.names) > 20
    assert losses.data_ptr() != fused(x, y)[0].data_ptr()  # the loop looks at losses later


def problem_of(name="quadratic", trainable=True, weight_decay=0.0):
    """Two modes to learn."""
    start = Student.initialise(K, d, scale=0.4, seed=1)
    student = Student(start.W, start.A, trainable)
    return Problem(Teacher.from_eigenvalues([2, 1], d), student, name, weight_decay=weight_decay)


RATES = {"gsgd": 1e-4, "natural": 0.05, "normalised": 1e-2, "sign": 1e-3, "muon": 1e-2}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_trajectories_are_those_of_automatic_differentiation(optimizer):
    """40 steps of every optimiser on the same batches: in double precision as close as rounding grows."""
    decay = 0.01 if OPTIMIZERS[optimizer].decays else 0.0
    problem = problem_of(trainable=optimizer != "muon", weight_decay=decay)
    options = {"steps": 40, "step": RATES.get(optimizer, 0.01), "batch": 8, "seeds": 2, "records": 5}
    fused, autograd = (
        train(problem, **options, optimizer=optimizer, dtype="float64", gradients=how)
        for how in ("fused", "autograd")
    )
    assert (fused.about["gradients"], autograd.about["gradients"]) == ("fused", "autograd")
    np.testing.assert_allclose(fused.W, autograd.W, rtol=0, atol=1e-13 * np.abs(autograd.W).max())
    np.testing.assert_allclose(fused.loss, autograd.loss, rtol=1e-11)


@pytest.mark.parametrize("name", ["quadratic", "centred", "relu", "tanh"])
def test_trajectories_in_single_precision(name):
    """100 steps of a stable descent: one part in a million, some ten roundings."""
    options = {"steps": 100, "step": 0.01, "batch": 32, "seeds": 2, "records": 5}
    fused, autograd = (train(problem_of(name), **options, gradients=how) for how in ("fused", "autograd"))
    np.testing.assert_allclose(fused.W, autograd.W, rtol=0, atol=1e-6 * np.abs(autograd.W).max())


@pytest.mark.parametrize("samples", [0, 12])
def test_members_of_an_ensemble_with_batches_of_different_sizes(samples):
    """Rows that fill up batches have no weight; a finite set ends with a smaller batch."""
    options = {"steps": 20, "step": [0.01, 0.02], "batch": [3, 5], "samples": samples, "dtype": "float64"}
    fused, autograd = (
        train_ensemble(problem_of(), **options, gradients=how) for how in ("fused", "autograd")
    )
    for one, other in zip(fused, autograd, strict=True):
        assert (one.about["gradients"], other.about["gradients"]) == ("fused", "autograd")
        np.testing.assert_allclose(one.W, other.W, rtol=0, atol=1e-13)


def test_networks_of_a_grid(rng):
    """One batch for all, weight decay of each; the first step is −η (∂L/∂θ + ρθ) by automatic differentiation."""
    W, A = rng.standard_normal((3, K, d)), rng.standard_normal((3, 2, K))
    teacher = Teacher(rng.standard_normal((2, d)), rng.standard_normal((2, 2)))
    rates = np.array([[0.0, 0.0], [0.3, 0.1], [1.0, 2.0]])
    options = {"step": 0.003, "batch": 5, "weight_decay": rates, "seed": 4, "dtype": torch.float64}
    fused, autograd = (
        train_grid(teacher, W, A, steps=30, **options, gradients=how) for how in ("fused", "autograd")
    )
    for name in ("W", "A"):
        one, other = getattr(fused, name), getattr(autograd, name)
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-13 * np.abs(other).max())
    x = torch.randn(5, d, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    M = torch.tensor(teacher.V), torch.tensor(teacher.B)
    w, a = torch.tensor(W, requires_grad=True), torch.tensor(A, requires_grad=True)
    residual = a @ (w @ x.T) ** 2 - M[1] @ (M[0] @ x.T) ** 2
    penalty = (
        torch.tensor(rates[:, 0]) * (w * w).sum((1, 2)) + torch.tensor(rates[:, 1]) * (a * a).sum((1, 2))
    ) / 2
    gW, gA = torch.autograd.grad(residual.square().sum() / 10 + penalty.sum(), (w, a))
    once = train_grid(teacher, W, A, steps=1, **options)
    np.testing.assert_allclose(once.W, W - 0.003 * gW.numpy(), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(once.A, A - 0.003 * gA.numpy(), rtol=1e-12, atol=1e-14)


def test_networks_on_the_sphere():
    """Times at which the overlap is reached: whole steps, which rounding moves by none here."""
    student = Student(np.eye(1, 8), np.ones((1, 1)), trainable=False)
    problem = Problem(Teacher(np.eye(1, 8), np.ones((1, 1))), student, "hermite:2")
    options = {"step": 0.01, "t_end": 9.0, "batch": 4, "overlap": 0.8, "seeds": 6, "dtype": torch.float64}
    fused, autograd = (train_escape(problem, **options, gradients=how) for how in ("fused", "autograd"))
    assert (fused.gradients, autograd.gradients) == ("fused", "autograd")
    assert np.isfinite(fused.times).all()
    np.testing.assert_array_equal(fused.times, autograd.times)


def test_which_way_is_taken():
    """Fused where slopes are said; automatic differentiation otherwise and on request; never what cannot be."""
    quadratic, own = Activation.parse("quadratic"), Activation("own", "z²", lambda z, q: z * z, 2, 1)
    assert choose_gradients(None, quadratic) == "fused"
    assert choose_gradients(None, own) == "autograd"
    assert choose_gradients("autograd", quadratic) == "autograd"
    with pytest.raises(
        ProblemError, match="`gradients` is 'fused', but the activation 'own' does not say its `slope`"
    ):
        choose_gradients("fused", own)
    with pytest.raises(ProblemError, match="`gradients` is 'fast', but must be one of: fused, autograd"):
        choose_gradients("fast", quadratic)


def test_an_activation_without_slopes_is_trained_as_one_with(rng):
    """φ = z² by another name: the same batches and, up to rounding, the same weights."""
    own = Activation("own square", "z²", lambda z, q: z * z, 2, 1)
    runs = [
        train(problem_of(phi), steps=20, step=0.01, batch=8, dtype="float64") for phi in (own, "quadratic")
    ]
    assert [run.about["gradients"] for run in runs] == ["autograd", "fused"]
    np.testing.assert_allclose(runs[0].W, runs[1].W, rtol=0, atol=1e-13)


@pytest.mark.parametrize("command", ["train", "compare"])
def test_results_say_how_gradients_were_taken(command, capsys):
    from quadflow.cli import run

    options = ["--teacher", "2,1", "--inputs", "3", "--hidden", "2", "--steps", "4", "--batch", "8"]
    for how in ("fused", "autograd"):
        assert run([command, *options, "--gradients", how, "--json"]) == 0
        printed = json.loads(capsys.readouterr().out)
        assert printed.get("training", printed)["gradients"] == how
