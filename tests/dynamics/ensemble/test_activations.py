"""Ensembles of networks of any activation: every member is its own flow, whatever the teacher's units are."""

import numpy as np
import pytest

from dynamics import FlowEnsemble, GradientFlow, Problem, ProblemError, Student, Teacher

TIMES = [0.0, 0.5, 2.0]


@pytest.mark.parametrize(
    ("activation", "teacher", "inputs"),
    [("tanh", None, 6), ("erf", "gelu", 2), ("polynomial:0,1,0.3", "erf", 6)],
)
def test_members_are_their_own_flows(activation, teacher, inputs):
    """Weights, losses, overlaps and norms to the tolerance of both; with six inputs in the span of four vectors."""
    rng = np.random.default_rng(2)
    target = Teacher.from_eigenvalues([1.0, -0.7], inputs)
    problems = [
        Problem(
            target,
            Student(0.5 * rng.standard_normal((2, inputs)), 0.5 * rng.standard_normal(2)),
            activation,
            teacher_activation=teacher,
        )
        for _ in range(3)
    ]
    together = FlowEnsemble(problems).integrate(times=TIMES)
    assert together.status == ("finished",) * 3
    assert together.solver.engine == "scipy"
    labelled = together.variables()
    for i, problem in enumerate(problems):
        alone = GradientFlow(problem).integrate(times=TIMES)
        np.testing.assert_allclose(together.W[i], alone.W, atol=1e-6)
        np.testing.assert_allclose(together.A[i], alone.A, atol=1e-6)
        np.testing.assert_allclose(together.loss[i], alone.loss, atol=1e-6)
        np.testing.assert_allclose(labelled["overlaps"].array[i], alone.overlaps, atol=1e-5)
        np.testing.assert_allclose(labelled["norms"].array[i], alone.norms, atol=1e-6)


def test_taylors_method_is_for_polynomials_of_its_own():
    """A flow of tanh units has no such program: it is refused in a sentence, and not chosen by itself."""
    problem = Problem(Teacher.from_eigenvalues([1]), Student.initialise(1, 1), "tanh")
    with pytest.raises(ProblemError, match="Taylor"):
        FlowEnsemble([problem]).integrate(t_end=1.0, engine="heyoka")
    with pytest.raises(ProblemError, match="Taylor"):
        GradientFlow(problem).integrate(t_end=1.0, method="Taylor")


def test_members_have_one_activation_and_one_of_the_teacher():
    one, other = (
        Problem(Teacher.from_eigenvalues([1]), Student.initialise(1, 1), "tanh", teacher_activation=psi)
        for psi in (None, "erf")
    )
    with pytest.raises(ProblemError, match="Problem 1 differs from problem 0 in activation"):
        FlowEnsemble([one, other])
