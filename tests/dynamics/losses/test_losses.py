"""Conformance of the table of losses: a loss is tested by being there, and refused where it is not what it says."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.losses import FAMILIES, LOSSES, Loss, register, residual_loss
from dynamics.losses import base as losses

TABLE = [*LOSSES.values(), *(Loss.parse(f"{family.name}:{family.example}") for family in FAMILIES.values())]
OUTPUTS = np.concatenate([-np.logspace(-4, 2, 25), np.logspace(-4, 2, 25)]) + 0.30001


def pseudo_huber(name="pseudo-huber", **changes):
    """√(1 + u²) − 1."""
    parts = {
        "value": lambda u: (1 + u * u) ** 0.5 - 1,
        "slope": lambda u: u / (1 + u * u) ** 0.5,
        "curvature": lambda u: (1 + u * u) ** -1.5,
    }
    return residual_loss(name, "ℓ = √(1 + (f − y)²) − 1", **(parts | changes))


@pytest.mark.parametrize("loss", [*TABLE, pseudo_huber()], ids=str)
def test_derivatives_are_those_of_automatic_differentiation(loss):
    """Of tensors, twice; arrays give the same numbers."""
    f = torch.tensor(OUTPUTS, requires_grad=True)
    y = torch.full_like(f, 0.3)
    value = loss.value(f, y)
    (slope,) = torch.autograd.grad(value.sum(), f, create_graph=True)
    (bend,) = torch.autograd.grad(slope.sum(), f)
    f, y = f.detach().numpy(), 0.3
    np.testing.assert_allclose(loss.value(f, y), value.detach(), rtol=1e-14)
    np.testing.assert_allclose(loss.slope(f, y), slope.detach(), rtol=1e-13)
    np.testing.assert_allclose(loss.curvature(f, y), bend, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("loss", TABLE, ids=str)
def test_a_loss_comes_back_from_another_process(loss):
    again = pickle.loads(pickle.dumps(loss))
    assert again == loss == Loss.parse(loss.name)
    assert str(loss) == loss.name
    assert loss.formula in repr(loss)


@pytest.mark.parametrize("loss", TABLE, ids=str)
def test_the_transform_is_that_of_the_slope(loss):
    """∫ρ sin(ωu) dω by the trapezoidal rule in ln ω, whose error is below 1e-12 for these u."""
    if loss.transform is None:
        return
    omega = np.exp(np.arange(-38.0, 3.6, 0.05))
    u = np.array([0.01, 0.7, 3.0])
    weights = 0.05 * omega * loss.transform(omega)
    slope = loss.slope(u, 0.0) - 0.5 * loss.classifies
    np.testing.assert_allclose(np.sin(np.outer(u, omega)) @ weights, slope, atol=1e-12)


def test_what_the_names_mean():
    """Values at a few points, by hand."""
    assert LOSSES["square"].value(3.0, 1.0) == 2.0
    assert LOSSES["square"].is_square
    assert LOSSES["log-cosh"].value(np.array([1.5]), 0.5)[0] == pytest.approx(np.log(np.cosh(1.0)), rel=1e-15)
    assert LOSSES["logistic"].value(0.0, 1.0) == pytest.approx(np.log(2))
    assert LOSSES["logistic"].classifies
    huber = Loss.parse("huber:0.5")
    np.testing.assert_allclose(huber.value(np.array([0.4, 3.0]), 0.0), [0.08, 1.375])
    assert not Loss.parse("huber:1e9").is_square
    assert Loss.parse("huber:1e-9").value(np.array([3.0]), 0.0)[0] == pytest.approx(3e-9)


def test_small_residuals_keep_their_digits():
    """ln cosh u = u²/2 − u⁴/12 + …"""
    u = np.array([1e-8, 1e-5, 1e-3])
    np.testing.assert_allclose(LOSSES["log-cosh"].value(u, 0.0), u**2 / 2 - u**4 / 12, rtol=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"slope": lambda u: 2 * u / (1 + u * u) ** 0.5},
            "The slope of the loss 'mine' is not its derivative",
        ),
        ({"curvature": lambda u: 0 * u + 1}, "The curvature of the loss 'mine' is not its derivative"),
        (
            {"value": lambda u: -0.5 * u * u, "slope": lambda u: -u, "curvature": lambda u: 0 * u - 1},
            "The loss 'mine' is not convex",
        ),
        (
            {"value": lambda u: u, "slope": lambda u: 0 * u + 1, "curvature": lambda u: 0 * u},
            "The loss 'mine' is not convex",
        ),
    ],
)
def test_what_is_no_loss_is_refused(changes, message):
    with pytest.raises(ProblemError, match=message):
        pseudo_huber("mine", **changes)


def test_a_loss_of_the_wrong_kind_is_refused():
    """f⁴ + f² − yf is no function of f − y, and ½(f − y)² none of f less yf."""
    slope = lambda f, y: 4 * f**3 + 2 * f - y  # noqa: E731
    value, bend = lambda f, y: f**4 + f**2 - y * f, lambda f, y: 12 * f**2 + 2 + 0 * y
    assert Loss("quartic", "", value, slope, bend, of_residual=False).classifies
    with pytest.raises(ProblemError, match="not a function of f − y"):
        Loss("quartic", "", value, slope, bend)
    square = LOSSES["square"]
    with pytest.raises(ProblemError, match="not a function of f less yf"):
        Loss(
            "half",
            "",
            lambda f, y: (f - y) ** 2,
            lambda f, y: 2 * (f - y),
            lambda f, y: 2 + 0 * f,
            of_residual=False,
        )
    assert square.of_residual


def test_a_registered_loss_is_known_by_its_name(monkeypatch):
    monkeypatch.setattr(losses, "NAMES", replace(losses.NAMES, single=dict(LOSSES)))
    mine = register(pseudo_huber())
    assert Loss.parse("pseudo-huber") is mine
    assert register(mine) is mine
    with pytest.raises(ProblemError, match="'pseudo-huber' belongs to another loss"):
        register(residual_loss("pseudo-huber", "", lambda u: u * u, lambda u: 2 * u, lambda u: 2 + 0 * u))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hinge", "`loss` is 'hinge', but must be one of: square, log-cosh, logistic, huber:C"),
        ("huber:", "C must be a number between 1e-20 and 1e\\+20"),
        ("huber:0", "C must be a number"),
        ("huber:nan", "C must be a number"),
        ("huber:-1", "C must be a number"),
        (3, "must be one of"),
    ],
)
def test_other_names_are_refused(name, message):
    with pytest.raises(ProblemError, match=message):
        Loss.parse(name)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"loss": "huber:0.7"},
        {"loss": "logistic", "labels": "hard:0.2", "flip": 0.1, "bias": "trainable:0.4"},
        {"constraint": "sphere"},
    ],
    ids=str,
)
def test_problems_travel_to_other_processes(how: dict) -> None:
    """With the loss, the labels and the constraint that they have here, and the same number for the loss."""
    student = Student(np.eye(2), np.array([0.5, 0.5]), trainable="constraint" not in how)
    problem = Problem(Teacher.from_eigenvalues([1.0, -0.5]), student, **how)
    again = pickle.loads(pickle.dumps(problem))
    assert (again.loss, again.labels, again.bias, again.constraint) == (
        *(problem.loss, problem.labels, problem.bias, problem.constraint),
    )
    W, A = problem.student.W, problem.student.A
    A = np.append(A, [[0.2]], axis=1) if problem.bias.trainable else A
    assert again.population.loss(W, A) == problem.population.loss(W, A)
