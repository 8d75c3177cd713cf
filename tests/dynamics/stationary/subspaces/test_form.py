"""The loss as a form in M is the loss of the network, on every state and for every law."""

from __future__ import annotations

import numpy as np
import pytest

from dynamics.errors import ProblemError
from dynamics.problem import Problem, Student, Teacher
from dynamics.stationary.subspaces.form import FormLoss

LAWS = ["gaussian", "sphere", "student-t:12", "uniform", "rademacher", "independent:1.5"]


def agrees(problem: Problem) -> None:
    """Loss and force of random states, which the population computes from W and a."""
    form, rng = FormLoss.of(problem), np.random.default_rng(3)
    for _ in range(5):
        W, a = rng.standard_normal((4, problem.inputs)), rng.standard_normal(4)
        M = (W.T * a) @ W
        loss = problem.population.loss(W, a[None])
        assert form.loss(M) == pytest.approx(loss, rel=1e-12)
        assert problem.population.forms is not None
        G = problem.population.forms.force(W, a[None])[0]
        np.testing.assert_allclose(form.force(M), G, atol=1e-12 * np.abs(G).max())


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize("law", LAWS)
def test_of_a_law(under, law: str, activation: str) -> None:
    agrees(under([3.0, -1.0, 0.5], law, activation=activation))


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize("samples", [30, 4000])
def test_of_labels_on_data(labelled, activation: str, samples: int) -> None:
    agrees(labelled(3, 4, activation, samples))


@pytest.mark.parametrize("unit", [1e-40, 1e40])
def test_in_any_unit(under, unit: float) -> None:
    """C does not depend on the teacher, and B = C[M*] is proportional to it."""
    form = FormLoss.of(under([3.0 * unit, -1.0 * unit], "uniform"))
    expected = FormLoss.of(under([3.0, -1.0], "uniform"))
    np.testing.assert_allclose(form.C, expected.C, atol=1e-13)
    np.testing.assert_allclose(form.B, unit * expected.B, rtol=1e-13)
    assert form.definite and form.best[0, 0] == pytest.approx(3 * unit)


def test_best_form_is_the_teacher(under) -> None:
    """A teacher that the student can be has loss zero: M = M* is the minimum over all M."""
    form = FormLoss.of(under([3.0, -1.0, 0.5], "uniform"))
    np.testing.assert_allclose(form.best, np.diag([3.0, -1.0, 0.5]), atol=1e-13)
    assert form.inputs == 3


def test_signs_do_not_determine_a_form(under) -> None:
    """x_i² = 1 for signs: diag(1, −1) vanishes on all inputs. For uniform coordinates no form does."""
    assert not FormLoss.of(under([2.0, 1.0], "rademacher")).definite
    assert FormLoss.of(under([2.0, 1.0], "uniform")).definite


def test_other_units_are_refused() -> None:
    relu = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(2, 2), "relu")
    with pytest.raises(ProblemError, match="`activation` is 'relu' with 1 outputs"):
        FormLoss.of(relu)


def test_the_fourth_moment_is_budgeted_before_it_is_computed(under, monkeypatch) -> None:
    """Five matrices of p × p doubles, p = d(d + 1)/2 = 6 of three inputs."""
    asked: list[float] = []
    monkeypatch.setattr(
        "dynamics.stationary.subspaces.form.check_memory", lambda what, nbytes, remedy: asked.append(nbytes)
    )
    FormLoss.of(under([3.0, -1.0, 0.5], "uniform"))
    assert asked == [5 * 8 * 6**2]
