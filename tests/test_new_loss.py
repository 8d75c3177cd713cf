"""A loss that is registered here, in one object, and what every floor then does with it.

√(1 + u²) − 1 of the residual u, the pseudo-Huber loss, which no file of ours knows. For one unit that learns one
direction, u = (a w² − λ) z² in one variable: loss and slope are quadratures over z.
"""

import json

import numpy as np
import pytest
from scipy import integrate

from dynamics import GradientFlow, Problem, Student, Teacher, Trajectory
from dynamics.losses import LOSSES, register, residual_loss
from empirical import compare
from quadflow.cli import run


@pytest.fixture(scope="module")
def pseudo_huber():
    """Registered for the tests of this file."""
    yield register(
        residual_loss(
            "pseudo-huber",
            "ℓ = √(1 + (f − y)²) − 1",
            lambda u: (1 + u * u) ** 0.5 - 1,
            lambda u: u / (1 + u * u) ** 0.5,
            lambda u: (1 + u * u) ** -1.5,
        )
    )
    del LOSSES["pseudo-huber"]


def mean(g):
    """E g(z²), z standard normal."""
    density = lambda z: 2 * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi) * g(z * z)  # noqa: E731
    return integrate.quad(density, 0, 12, epsabs=1e-13, epsrel=1e-12, limit=200)[0]


def test_one_unit_by_hand(pseudo_huber):
    """L = E ℓ(δz²) with δ = a w² − λ, and ẇ = −2a w E ℓ′(δz²) z², by quadrature over z."""
    lam, w, a = 2.0, 0.6, 0.5
    problem = Problem(Teacher.from_eigenvalues([lam]), Student([[w]], [a]), loss="pseudo-huber")
    delta = a * w * w - lam
    W, A = problem.student.W, problem.student.A
    loss = mean(lambda s: np.sqrt(1 + (delta * s) ** 2) - 1)
    assert problem.population.loss(W, A) == pytest.approx(loss, rel=1e-11)
    force = mean(lambda s: s * delta * s / np.sqrt(1 + (delta * s) ** 2))
    assert problem.population.velocity(W, A)[0][0, 0] == pytest.approx(-2 * a * w * force, rel=1e-11)


def test_networks_follow_its_flow(pseudo_huber):
    """Small steps on large batches: the mean of four within 2 % of the initial loss, all along."""
    problem = Problem(
        Teacher.from_eigenvalues([2, -1]), Student.initialise(4, 2, scale=0.8, seed=1), loss="pseudo-huber"
    )
    found = compare(problem, steps=400, step=0.005, batch=512, seeds=4)
    assert found.relative_error["loss_sup"] < 0.02


def test_commands_and_files_know_its_name(pseudo_huber, tmp_path, capsys):
    """`--loss` takes it, and a saved curve finds it again."""
    given = "--teacher 2,-1 --hidden 3 --init-scale 0.5 --t-end 2 --records 3 --loss pseudo-huber"
    path = tmp_path / "run.npz"
    assert run(["simulate", *given.split(), "--output", str(path), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    found = Trajectory.load(path)
    assert found.problem.loss is pseudo_huber
    np.testing.assert_array_equal(found.loss, result["loss"])
    assert run(["scope", *given.split()[:-6], "--loss", "pseudo-huber", "--json"]) == 0
    rows = {row["command"]: row for row in json.loads(capsys.readouterr().out)["scope"]}
    assert rows["simulate"]["status"] == "exact"


def test_data_sets_are_learned_by_it(pseudo_huber):
    """Of tanh units, whose population loss is not known: on samples it is."""
    X = np.random.default_rng(0).standard_normal((50, 2))
    student = Student.initialise(3, 2, scale=0.8, seed=2)
    problem = Problem(None, student, "tanh", data=(X, np.tanh(X[:, 0])), loss=pseudo_huber)
    curve = GradientFlow(problem).integrate(t_end=5.0, samples=3)
    u = curve.outputs(X)[-1, :, 0] - np.tanh(X[:, 0])
    assert curve.loss[-1] == pytest.approx(np.mean(np.sqrt(1 + u * u) - 1), rel=1e-12)
    assert curve.loss[-1] < curve.loss[0]
