"""The right-hand sides that peers are given are those of the problem."""

import numpy as np
import pytest
import torch

from benchmarks import jacobians
from benchmarks.formulations import GRAM, REDUCED, TEXTBOOK, formulations, state
from benchmarks.textbook import problem_of, problem_of_outputs, single_mode_jacobian, single_mode_side
from dynamics import Problem, Student, Teacher

PROBLEMS = {
    "reduced": problem_of(9, 3),
    "nothing to reduce": problem_of(4, 3),
    "three outputs": problem_of_outputs(9, 3, 2, 3),
}


def slope(problem: Problem) -> np.ndarray:
    """Of all weights, by the population loss, whose gradient the tests of the theory hold to its derivation."""
    return np.concatenate(
        [x.ravel() for x in problem.population.velocity(problem.student.W, problem.student.A)]
    )


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("library", ["numpy", "torch", pytest.param("jax", marks=pytest.mark.slow)])
def test_every_formulation_is_the_flow(name, library):
    """All three give the slope of the population loss once they are lifted, which is linear."""
    xp = np if library == "numpy" else pytest.importorskip({"jax": "jax.numpy"}.get(library, library))
    convert = {"numpy": np.asarray, "torch": torch.tensor}.get(library, getattr(xp, "asarray", None))
    if library == "jax":
        pytest.importorskip("jax").config.update("jax_enable_x64", True)
    for given in formulations(PROBLEMS[name]):
        found = np.asarray(given.side(xp, convert)(0.0, convert(given.theta)))
        np.testing.assert_allclose(given.lift(found[None])[0], slope(PROBLEMS[name]), rtol=0, atol=1e-14)
        np.testing.assert_allclose(given.lift(given.theta[None])[0], state(PROBLEMS[name]), atol=1e-15)


def test_there_is_a_reduced_form_where_there_is_something_to_reduce():
    assert [given.name for given in formulations(PROBLEMS["reduced"])] == [TEXTBOOK, REDUCED, GRAM]
    assert [given.name for given in formulations(PROBLEMS["nothing to reduce"])] == [TEXTBOOK, GRAM]
    assert [given.inputs for given in formulations(PROBLEMS["reduced"])] == [9, 6, 6]


@pytest.mark.slow
@pytest.mark.parametrize("size", [(4, 3), (60, 5)])
def test_compiled_forms_equal_the_others(size):
    """Of few unknowns in loops, of many by BLAS."""
    pytest.importorskip("numba")
    for given in formulations(problem_of(*size)):
        expected = given.side(np)(0.0, given.theta)
        np.testing.assert_allclose(given.compiled()(0.0, given.theta), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("kind", ["dense", pytest.param("compiled", marks=pytest.mark.slow)])
def test_the_jacobian_is_the_derivative(kind):
    """Against minus the Hessian of the population loss, which automatic differentiation holds up."""
    if kind == "compiled":
        pytest.importorskip("numba")
    rng = np.random.default_rng(0)
    W, a = rng.standard_normal((3, 4)), rng.standard_normal(3)
    problem = Problem(Teacher.from_eigenvalues([4, 2, -1], 4), Student(W, a))
    found = getattr(jacobians, kind)(3, 4, problem.teacher.matrix())(0.0, state(problem))
    np.testing.assert_allclose(found, -problem.population.hessian(W, a[None]), rtol=0, atol=1e-12)


def test_the_single_mode_is_the_dense_form_of_one_unit():
    p, a, eigenvalue = 0.7, 0.4, 1.5
    problem = Problem(Teacher.from_eigenvalues([eigenvalue]), Student(np.array([[p]]), np.array([a])))
    theta = np.array([p, a])
    np.testing.assert_allclose(single_mode_side(eigenvalue)(0.0, theta), slope(problem), rtol=1e-14)
    expected = -problem.population.hessian(problem.student.W, problem.student.A)
    np.testing.assert_allclose(single_mode_jacobian(eigenvalue)(0.0, theta), expected, rtol=1e-13)
