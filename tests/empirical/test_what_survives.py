"""What each optimiser keeps of the conserved quantities, as its entry and the documentation's table say.

Measured on descents along the exact gradient of the population loss at steps that halve: what survives drifts in
proportion to the step, what does not changes by the same whatever the step.
"""

from pathlib import Path

import numpy as np
import pytest

from dynamics import Problem, Student, Teacher
from empirical.descent import population_descent
from empirical.optimizers import OPTIMIZERS

TEACHER = Teacher.from_eigenvalues([2, 1], 3)
START = Student(
    np.array([[0.5, -0.3, 0.2], [0.1, 0.6, -0.4], [-0.3, 0.2, 0.5], [0.4, 0.1, 0.1]]), [0.6, 0.4, 0.5, -0.3]
)
INSIDE = Student(
    np.eye(3) + 0.1 * np.arange(9).reshape(3, 3) / 9, [0.6, 0.4, 0.5]
)  # where path coordinates go on
KEPT = ("sgd", "momentum", "nesterov", "normalised", "natural")
LOST = ("adam", "adamw", "rmsprop", "sign", "gsgd")
TIME = 0.4
STEP = 2e-3
MEMORIES = np.array([0.1, 0.2])


def descend(name, step, problem):
    """Weights at the end of a descent up to the same time."""
    entry = OPTIMIZERS[name]
    beta = 0.5 if entry.momentum else None
    betas = tuple(np.exp(-step / MEMORIES[-len(entry.betas) :])) if entry.betas else None
    last = entry.clock(step, beta or 0.0).steps_until(TIME)
    path = population_descent(problem, step, [0, last], optimizer=name, momentum=beta, betas=betas)
    return path.W, path.A


def drifts(name):
    """Change of each c_k = ‖w_k‖² − 2 a_k² at three steps that halve, (3, K)."""
    found = []
    for half in range(3):
        start = INSIDE if name == "gsgd" else START
        W, A = descend(name, STEP / 2**half, Problem(TEACHER, start))
        c = np.sum(W**2, axis=2) - 2 * A[:, 0] ** 2
        found.append(c[1] - c[0])
    return np.array(found)


@pytest.mark.parametrize("name", KEPT)
def test_all_survive_up_to_a_drift_in_proportion_to_the_step(name):
    size = np.abs(drifts(name)).max(axis=1)
    assert 1e-6 < size[-1] < 0.1
    np.testing.assert_allclose(size[:-1] / size[1:], 2, atol=0.3)
    assert OPTIMIZERS[name].survives.startswith("all as the step goes to zero")


@pytest.mark.parametrize("name", LOST)
def test_c_k_is_lost_whatever_the_step(name):
    """The change hardly depends on the step, and is no small one."""
    found = drifts(name)
    assert np.abs(found[-1]).max() > 0.05
    assert np.abs(found[-1] - found[0]).max() < 0.15 * np.abs(found[-1]).max()
    assert OPTIMIZERS[name].survives.startswith("none")


def test_muon_keeps_the_columns_of_w():
    """With equal a: the projector on the span of the columns of W (4, 3), exactly at any step; with others it moves."""

    def moved(a):
        W, _ = descend("muon", STEP, Problem(TEACHER, Student(START.W, a, False)))
        bases = [np.linalg.svd(w, full_matrices=False)[0] for w in W]
        return np.abs(bases[1] @ bases[1].T - bases[0] @ bases[0].T).max()

    assert moved(np.ones(4)) < 1e-12
    assert moved([1.0, 0.5, -0.3, 0.8]) > 1e-3


def test_an_aligned_sign_descent_keeps_p_minus_a():
    """Exactly, at any step, while both grow."""
    start = Student(np.diag([0.3, 0.2, 0.1]), [0.2, 0.4, 0.1])
    problem = Problem(Teacher.from_eigenvalues([4, 2, 1]), start, "centred")
    path = population_descent(problem, 1e-2, [0, 20, 40], optimizer="sign")
    p = np.diagonal(path.W, axis1=1, axis2=2)
    np.testing.assert_allclose(p - path.A[:, 0], np.broadcast_to((p - path.A[:, 0])[0], p.shape), atol=1e-14)
    assert (p[-1] > p[0] + 0.3).all()


def test_every_optimiser_is_classified_and_on_the_page():
    """By one of the tests above; and the table of the documentation names it."""
    assert {*KEPT, *LOST, "muon"} == set(OPTIMIZERS)
    page = (Path(__file__).parents[2] / "docs" / "learn" / "optimisers.rst").read_text()
    assert all(f"``{name}``" in page for name in OPTIMIZERS)
