"""Seconds that a result reports are those that somebody waited: setting up and preparing included."""

import time

import numpy as np
import pytest

from dynamics import GradientFlow, MeanSGD, ModifiedFlow, Problem, Student, Teacher
from dynamics.flows import base, finite_data, gradient
from dynamics.flows.finite_data import FiniteDataFlow
from dynamics.sgd import mean_sgd

ASLEEP = 0.06  # seconds, at least; the integrations below take a tenth of that

PROBLEM = Problem(Teacher.from_eigenvalues([2.0, 1.0]), Student.initialise(2, 2, seed=1))
X = np.random.default_rng(0).standard_normal((8, 2))
FLOWS = {
    "flow": (lambda: GradientFlow(PROBLEM), gradient, "reduce_problem"),
    "modified": (lambda: ModifiedFlow(PROBLEM, 0.01), gradient, "reduce_problem"),
    "data": (lambda: FiniteDataFlow(PROBLEM, X, np.ones(8)), finite_data, "_reduce"),
    "sgd": (lambda: MeanSGD(PROBLEM, 0.01), mean_sgd, "OrderParameters"),
}


def slowed(function):
    def slow(*arguments, **settings):
        time.sleep(ASLEEP)
        return function(*arguments, **settings)

    return slow


@pytest.mark.parametrize("name", FLOWS)
def test_setting_up_counts(name, monkeypatch):
    """The reduction, slowed by 60 ms, is part of the seconds of an integration, and of those of the set-up."""
    make, module, part = FLOWS[name]
    monkeypatch.setattr(module, part, slowed(getattr(module, part)))
    flow = make()
    assert flow.setup_seconds >= ASLEEP
    assert flow.integrate(0.05).solver.seconds >= flow.setup_seconds


def test_preparing_counts(monkeypatch):
    """What is built for an integration, slowed by 60 ms, is part of its seconds."""
    monkeypatch.setattr(base, "choose_method", slowed(base.choose_method))
    flow = GradientFlow(PROBLEM)
    assert flow.integrate(0.05).solver.seconds >= ASLEEP + flow.setup_seconds
