"""Networks trained on the sphere: every optimiser ends every step there, plain descent step by step, and the flow."""

from dataclasses import replace

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from empirical import compare, train
from empirical.optimizers import OPTIMIZERS
from empirical.training_ensemble import train_ensemble

W0 = np.random.default_rng(2).standard_normal((3, 4))


def problem(activation="quadratic", W=W0, **more):
    teacher = Teacher.from_eigenvalues([3, 2, 1, 0.3])
    return Problem(
        teacher, Student(W, [1.0, 0.6, -0.5], trainable=False), activation, constraint="sphere", **more
    )


NEEDS_LAYER = ("gsgd",)  # whose second layer is trained


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name not in NEEDS_LAYER])
def test_every_optimiser_stays_on_the_sphere(name):
    """Norms are 1 at every record, to the rounding of float64, and the weights move."""
    run = train(problem(), steps=20, step=1e-2, batch=32, optimizer=name, seeds=2, dtype="float64", records=5)
    np.testing.assert_allclose(np.linalg.norm(run.W, axis=-1), 1, rtol=1e-14)
    assert np.abs(run.W[:, -1] - run.W[:, 0]).max() > 1e-3


def test_what_trains_a_second_layer_refuses():
    with pytest.raises(ProblemError, match="second layer"):
        train(problem(), steps=1, step=1e-3, optimizer="gsgd")


@pytest.mark.parametrize("gradients", ["fused", "autograd"])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_descent_step_by_step(gradients, momentum):
    """In NumPy: v ← βv + ∇L on the whole set, W ← W − ηv, rows divided by their norms. Both ways of gradients."""
    X = np.random.default_rng(0).standard_normal((40, 4))
    start, eta = problem(data=(X, np.zeros(40))), 0.02
    run = train(
        start, steps=6, step=eta, batch=0, optimizer="momentum", momentum=momentum, dtype="float64",
        gradients=gradients, record_at=np.arange(7),
    )  # fmt: skip
    W, v, a = start.student.W, 0.0, start.student.A[0]
    y = X**2 @ [3, 2, 1, 0.3]
    for n in range(7):
        np.testing.assert_allclose(run.W[0, n], W, atol=1e-13)
        z = X @ W.T
        error = z**2 @ a - y
        v = momentum * v + 2 * a[:, None] * np.einsum("n,nk,nd->kd", error, z, X) / 40
        W = W - eta * v
        W = W / np.linalg.norm(W, axis=1)[:, None]


@pytest.mark.parametrize("activation", ["centred", "tanh"])
def test_descent_follows_the_flow(activation):
    """The distance from the flow falls with the step, to first order: halved steps halve it within a fifth."""
    X = np.random.default_rng(0).standard_normal((60, 4))
    start = problem(activation, data=(X, np.zeros(60)))
    flow = GradientFlow(start).integrate(times=[0, 1.0]).W[-1]
    distance = [
        np.abs(train(start, steps=n, step=1 / n, batch=0, dtype="float64").W[0, -1] - flow).max()
        for n in (200, 400)
    ]
    assert distance[0] / distance[1] == pytest.approx(2, rel=0.2)


def test_ensembles_and_what_cannot_be_one():
    """Each member as alone; problems with and without a constraint are not trained together."""
    other = problem(W=W0[::-1])
    runs = train_ensemble([problem(), other], steps=30, step=1e-2, batch=16, seed=[3, 4], dtype="float64")
    alone = train(other, steps=30, step=1e-2, batch=16, seed=4, dtype="float64")
    np.testing.assert_allclose(runs[1].W, alone.W, atol=1e-12)
    with pytest.raises(ProblemError, match="constraint and what is trained"):
        train_ensemble([problem(), replace(problem(), constraint="none")], steps=1, step=1e-2)


def test_a_comparison_and_its_gap():
    """Full batch on many samples: the overlay is on the sphere, and the measured parts of the gap are finite."""
    found = compare(problem(), steps=100, step=5e-3, batch=64, seeds=4)
    assert found.relative_error["loss_sup"] < 0.2
    np.testing.assert_allclose(np.linalg.norm(found.trajectory.W, axis=-1), 1, rtol=1e-13)
    np.testing.assert_allclose(np.linalg.norm(found.run.W, axis=-1), 1, rtol=1e-6)
