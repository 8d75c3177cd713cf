"""How long to train on a problem of one's own, and with which step."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.flows.learning_time import LEARNED
from empirical.experiments.learning_span import BEYOND, learning_span


def problem(scale):
    return Problem(
        Teacher.from_eigenvalues([1.0], 3), Student.initialise(2, 3, scale=scale, seed=1), "centred"
    )


@pytest.mark.parametrize("scale", [0.1, 0.01])
def test_the_end_is_where_nearly_everything_is_learned(scale):
    """At the time itself the loss of a finer integration has fallen by 99 % of its fall, and not much before."""
    span = learning_span(problem(scale))
    flow = GradientFlow(problem(scale))
    learned = span.t_end / BEYOND
    first, before, at = flow.integrate(times=[0, 0.97 * learned, learned]).loss
    assert at <= (1 - LEARNED) * first * 1.01 < before


def test_the_step_is_a_part_of_the_stable_one():
    """A twentieth of 2 over the largest eigenvalue of the dense Hessian, which is at the end of the flow."""
    span = learning_span(problem(0.01))
    flow = GradientFlow(problem(0.01))
    end = flow.integrate(max_evaluations=20_000)
    theta = flow.pack(end.coordinates[-1], end.A[-1])
    sharpest = np.linalg.eigvalsh(flow.hessian(theta))[-1]
    assert span.step == pytest.approx(0.05 * 2 / sharpest, rel=1e-3)


def test_what_is_given_is_kept():
    span = learning_span(problem(0.1), step=1e-3)
    assert span.step == 1e-3
    assert learning_span(problem(0.1), t_end=2.0).t_end == 2.0


def test_the_number_of_steps_is_bounded():
    """Of a short span at least a thousand."""
    span = learning_span(problem(0.1), t_end=1e-3)
    assert span.t_end / span.step == pytest.approx(1000)
