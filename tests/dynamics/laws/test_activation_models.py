"""Laws of any activation: found by algebra, kept by the flow, and by nothing else."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher, conserved_quantities
from dynamics.laws import count_laws
from dynamics.laws.activation_models import activation_network

HOMOGENEOUS = {"leaky-relu:0.1": 1, "relu2": 2, "polynomial:0,0,0,1": 3}


def flow_of(name):
    rng = np.random.default_rng(5)
    teacher = Teacher(rng.standard_normal((2, 3)) / 2, np.array([[0.7, -0.5]]))
    student = Student(rng.standard_normal((2, 3)) / 2, rng.standard_normal((1, 2)))
    return GradientFlow(Problem(teacher, student, name))


@pytest.mark.parametrize("name", HOMOGENEOUS)
def test_laws_are_kept_by_the_flow(name):
    """Laws of the algebra, evaluated along the flow of the population loss, move by its tolerance alone."""
    run = flow_of(name).integrate(t_end=2.0, rtol=1e-10, atol=1e-12)
    quantities = conserved_quantities(run)
    laws = count_laws(activation_network(name, 3, 2)).laws
    assert len(laws) == len(quantities) == 2
    theta = np.concatenate([run.W[-1].ravel(), run.A[-1].ravel()])
    for law, quantity in zip(laws, quantities, strict=True):
        values = quantity(run)
        assert np.ptp(values) < 1e-8
        expected = float(law.expression.subs(dict(zip(law.parameters, theta, strict=True))))
        assert expected == pytest.approx(values[-1], rel=1e-12)


@pytest.mark.parametrize("name", ["erf", "gelu", "polynomial:0,1,0.5"])
def test_other_activations_keep_no_balance(name):
    """ẇ_k·w_k and a_kȧ_k, found from the population: their ratio is no constant over states, so no h fits."""
    ratios = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        teacher = Teacher(rng.standard_normal((2, 3)), np.ones((1, 2)))
        student = Student(rng.standard_normal((1, 3)), np.ones((1, 1)))
        dW, dA = GradientFlow(Problem(teacher, student, name)).problem.population.velocity(
            student.W, student.A
        )
        ratios.append(np.sum(student.W * dW) / np.sum(student.A * dA))
    assert np.ptp(ratios) > 0.05
    with pytest.raises(
        ProblemError, match="is not homogeneous: no c_k is conserved, nor any other quantity of one unit"
    ):
        conserved_quantities(flow_of(name))


def test_a_network_without_algebra():
    assert activation_network("tanh", 2, 2) is None


def test_networks_that_nobody_could_wait_for_are_refused():
    with pytest.raises(ProblemError, match="monomials"):
        activation_network("hermite:12", 6, 4)


def test_members_of_families_are_known_to_modules():
    """A module that says its activation by name, such as leaky-relu:0.1, is one with that activation."""

    class Module:
        W, A, activation = np.ones((2, 3)), np.ones((1, 2)), "leaky-relu:0.1"

    assert [c.name for c in conserved_quantities(Module())] == ["‖w_0‖² − a_0²", "‖w_1‖² − a_1²"]
