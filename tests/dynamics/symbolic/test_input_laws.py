"""Derivations under laws that are not Gaussian, against losses through the fourth moment and quadrature."""

import json

import numpy as np
import pytest
import sympy

from dynamics import Problem, ProblemError, Student, Teacher, derive
from dynamics.activations import Activation
from dynamics.problem.scope import THEORIES
from dynamics.symbolic import code_export, export
from dynamics.symbolic.input_moments import KAPPA
from oracles.input_rules import CLUSTERS, DATA, RULES

DERIVED = [(law, rule) for law, rule in RULES if law.standard]
NAMES = [law.name for law, _ in DERIVED]
SIGMA = np.array([[1.0, 0.3, 0.0], [0.3, 0.8, -0.2], [0.0, -0.2, 1.3]])


def random_problem(rng, activation, law, covariance=None, K=2, O=2):
    teacher = Teacher(rng.standard_normal((2, 3)), rng.standard_normal((O, 2)))
    student = Student(rng.standard_normal((K, 3)), rng.standard_normal((O, K)))
    return Problem(teacher, student, activation, covariance, distribution=law)


def values(problem):
    """Parameters and the upper triangles of the teacher's matrices."""
    upper = np.triu_indices(3)
    targets = [problem.teacher.matrix(o)[upper] for o in range(problem.teacher.outputs)]
    return np.concatenate([problem.student.W.ravel(), problem.student.A.ravel()]), np.concatenate(targets)


def assert_same(problem, derivation, **constants):
    """Loss and velocity of the derivation and of the closed form, to 1e-12."""
    rhs, loss = derivation.numeric()
    theta, m = values(problem)
    W, A = problem.student.W, problem.student.A
    assert loss(theta, m, **constants) == pytest.approx(problem.population.loss(W, A), rel=1e-12)
    velocity = np.concatenate([part.ravel() for part in problem.population.velocity(W, A)])
    np.testing.assert_allclose(rhs(0.0, theta, m, **constants), velocity, atol=1e-12 * abs(velocity).max())


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize("law", [law for law, _ in DERIVED], ids=NAMES)
def test_derivations_are_the_closed_forms(law, activation, rng):
    problem = random_problem(rng, activation, law, O=1)
    derivation = derive(2, 3, 1, activation, distribution=law.name)
    assert_same(problem, derivation)
    assert len(derivation.conserved) == 2
    if law.kurtosis is None:
        correlated = derive(1, 3, 1, activation, covariance=SIGMA, distribution=law)
        assert_same(random_problem(rng, activation, law, SIGMA, K=1, O=1), correlated)


@pytest.mark.parametrize("kappa", [-2.0, -1.2, 0.0, 3.5])
def test_a_free_kurtosis_takes_any_value(kappa, rng):
    derivation = derive(2, 3, 2, distribution="independent:symbolic")
    assert_same(random_problem(rng, "quadratic", f"independent:{kappa}"), derivation, excess=[kappa])


def test_the_kurtosis_weighs_the_diagonal():
    """L = L_Gauss + ½ κ Σ D_ii², as an identity of polynomials."""
    free, gaussian = derive(1, 3, distribution="independent:symbolic"), derive(1, 3)
    diagonal = sum(sympy.Symbol(f"D_{i}_{i}") ** 2 for i in range(3))
    assert sympy.expand(free.residual_loss - gaussian.residual_loss - KAPPA * diagonal / 2) == 0
    assert sympy.expand(free.residual_loss.subs(KAPPA, 0) - gaussian.residual_loss) == 0


def test_aligned_modes_run_by_two_plus_kappa():
    """ṗ = a p [(4 + 2κ) D + 2 Σ_others D]: 2 → 2 + κ in the Gaussian equations."""
    modes = derive(1, 2, distribution="independent:symbolic").aligned()
    p, a, D, E = sympy.symbols("p_0 a_0 D_0 D_1")
    expected = a * p * ((4 + 2 * KAPPA) * D + 2 * (D + E))
    assert sympy.expand(modes.residual_ode[p] - expected) == 0


def test_clocks_multiply_the_gaussian_equations():
    """γ_2 = d/(d + 2) = 3/5 on the sphere, 5/4 of ν = 12; exact fractions."""
    gaussian = derive(1, 3).residual_loss
    assert sympy.expand(derive(1, 3, distribution="sphere").residual_loss - gaussian * 3 / 5) == 0
    heavy = derive(1, 3, distribution="student-t:12").residual_loss
    assert sympy.expand(heavy - gaussian * sympy.Rational(5, 4)) == 0


@pytest.mark.parametrize("activation", ["hermite:3", "polynomial:0.2,-1,0.5,0.3"])
@pytest.mark.parametrize(("law", "rule"), DERIVED, ids=NAMES)
def test_polynomials_of_higher_degree(law, rule, activation, rng):
    """Moments up to the sixth: the loss against a sum over nodes, teacher and student being networks."""
    phi = Activation.parse(activation)
    derivation = derive(1, 3, 1, phi, distribution=law.name)
    w, v, a = rng.standard_normal(3), rng.standard_normal(3), 0.7
    entries = {}
    for symbol in derivation.targets:  # the teacher is one unit: m_ij… = v_i v_j …
        indices = symbol.name.split("_")[1:]
        entries[symbol] = 1.0 if indices == ["c"] else np.prod([v[int(i)] for i in indices])
    _, loss = derivation.numeric()
    x, p = rule(3, 6)
    residual = phi.phi(x @ v, None) - a * phi.phi(x @ w, None)
    found = loss(np.append(w, a), [entries[m] for m in derivation.targets])
    assert found == pytest.approx(0.5 * p @ residual**2, rel=1e-10)


def test_programs_take_the_kurtosis(rng):
    derivation = derive(2, 3, 2, distribution="independent:symbolic")
    space: dict = {}
    exec(code_export.to_python(derivation), space)
    assert space["KURTOSIS"] == ("kappa",)
    problem = random_problem(rng, "quadratic", "independent:0.7")
    theta, m = values(problem)
    expected = problem.population.loss(problem.student.W, problem.student.A)
    assert space["loss"](theta, m, (0.7,)) == pytest.approx(expected, rel=1e-12)
    rhs, _ = derivation.numeric()
    np.testing.assert_allclose(
        space["rhs"](0.0, theta, m, (0.7,)), rhs(0.0, theta, m, excess=[0.7]), rtol=1e-12
    )
    assert 'KURTOSIS = ["kappa",];' in code_export.to_javascript(derivation)
    assert "function rhs(t, theta, m, excess)" in code_export.to_javascript(derivation)


def test_what_is_written_says_the_law():
    free, uniform, plain = (
        derive(1, 2, distribution=name) for name in ("independent:symbolic", "uniform", "gaussian")
    )
    assert "x of the law independent:symbolic, covariance I" in export.to_text(free)
    assert r"\kappa" in export.to_latex(free)
    assert r"\kappa_" not in export.to_latex(free)
    assert export.to_json_dict(uniform)["distribution"] == "uniform"
    assert "of the law uniform" in code_export.to_python(uniform)
    assert "x ~ N(0, I)" in export.to_text(plain)
    assert "distribution" not in json.dumps(export.to_json_dict(plain))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            {"distribution": CLUSTERS},
            "`distribution` is 'mixture', but the symbolic flow of given sizes is known",
        ),
        ({"distribution": DATA}, "`data` is 'data', but the symbolic flow of given sizes is known"),
        ({"distribution": "uniform", "covariance": SIGMA}, "'uniform' and `covariance` is given, but"),
        (
            {"distribution": "independent:symbolic", "covariance": "symbolic"},
            "'independent:symbolic' and `cov",
        ),
        (
            {"distribution": "student-t:4"},
            "moments of order 4, which the loss is made of, are finite only for NU",
        ),
        ({"distribution": "student-t:6", "activation": "hermite:3"}, "moments of order 6"),
    ],
)
def test_laws_without_moments_are_refused(arguments, words):
    with pytest.raises(ProblemError) as refused:
        derive(1, 3, **arguments)
    assert words in str(refused.value)


def test_an_excess_of_another_length_is_refused():
    _, loss = derive(1, 1, distribution="independent:symbolic").numeric()
    with pytest.raises(ProblemError, match="`excess` has shape"):
        loss([1.0, 1.0], [1.0])


@pytest.mark.parametrize("covariance", [None, SIGMA])
@pytest.mark.parametrize("activation", ["quadratic", "hermite:3", "tanh"])
@pytest.mark.parametrize("law", [law for law, _ in RULES], ids=[law.name for law, _ in RULES])
def test_scope_says_what_is_derived(law, activation, covariance):
    """The guard refuses a problem if and only if the derivation does."""
    if covariance is not None and not law.standard:
        return
    teacher = None if law.labelled else Teacher.from_eigenvalues([1.0], 3)
    student = Student.initialise(1, 3, outputs=law.outputs if law.labelled else 1)
    given = {"data": law} if law.labelled else {"distribution": law}
    gap = THEORIES["derivation"].gap(Problem(teacher, student, activation, covariance, **given))
    try:
        derive(1, 3, 1, activation, covariance=covariance, distribution=law)
    except ProblemError:
        assert gap
    else:
        assert not gap
