"""Sizes are refused by estimates of memory and by numbers of things: each is counted here by hand, to the last one.

The memory of the machine, or the number that is allowed, is made just large enough, which is no reason to refuse, and
smaller by one, which is.
"""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

from dynamics import GradientFlow, ProblemError, Student, Teacher, budget, fixed_points
from dynamics.integration import Sampling, VectorField, integrate
from dynamics.laws.discovery import discover_laws
from dynamics.laws.model_table import build_model
from dynamics.neuron import NeuronFlow, Neurons, QuadraticTarget
from dynamics.neuron.derivation import derive_neurons
from dynamics.neuron.function_space import function_space_dimensions
from dynamics.stationary.search import search_fixed_points

FLOW = GradientFlow(
    Teacher.from_eigenvalues([2.0, 1.0]), Student.initialise(3, 2)
)  # 3 × (2 + 1) = 9 unknowns
NEURONS = NeuronFlow(
    QuadraticTarget.random(2), Neurons.initialise(3, 2)
)  # 3 × (3 · (2 + 1) + 1) = 30 unknowns


class Decay(VectorField):
    """θ̇ = −θ."""

    def __call__(self, t, theta):
        return -theta

    def jacobian(self, t, theta):
        return -np.eye(theta.size)


def solve(method):
    """Forty unknowns at five times."""
    return integrate(Decay(), np.ones(40), Sampling.create(1.0, None, 5, False, 1.0), method=method)


ESTIMATES = {
    # a curve: 500 bytes a time for what belongs to it
    "curve": (lambda: Sampling.create(1.0, None, 50, False, 1.0), "A curve at 50 times", 500 * 50),
    # a solution: its states, twice
    "solution": (lambda: solve("RK45"), "A solution of 40 unknowns at 5 times", 5 * (2 * 8 * 40 + 500)),
    # implicit methods: four matrices
    "implicit": (lambda: solve("Radau"), "The method Radau with 40 unknowns", 4 * 8 * 40**2),
    # a teacher: directions, eigenvectors, two matrices; as much for every output
    "teacher": (
        lambda: Teacher.from_eigenvalues([1.0, 2], 30, 5),
        "A teacher of 2 directions in 30 dimensions with 5 outputs",
        4 * 8 * 2 * 30 * 5,
    ),
    "teacher of zero": (
        lambda: Teacher.from_eigenvalues([0.0], 30),
        "A teacher of 0 directions in 30 dimensions with 1 outputs",
        4 * 8 * 30,
    ),
    # a student: both layers, four times
    "student": (
        lambda: Student.initialise(20, 30, outputs=5),
        "A student of 20 hidden units with 30 inputs and 5 outputs",
        4 * 8 * 20 * (30 + 5),
    ),
    "search": (
        lambda: search_fixed_points(FLOW, 1),
        "A search among 9 unknowns, by their Hessian,",
        6 * 8 * 9**2,
    ),
    "neurons' Hessian": (
        lambda: NEURONS.integrate(0.1, samples=2),
        "The Hessian of 3 quadratic neurons with 2 inputs",
        4 * 8 * 30**2,
    ),
    "quadratic target": (
        lambda: QuadraticTarget.random(9),
        "A random quadratic function of 9 inputs",
        4 * 8 * 81,
    ),
    # three groups of d + 1 weights and an output weight, less than 3 (d + 2), four times
    "neurons": (
        lambda: Neurons.initialise(20, 9),
        "Weights of 20 quadratic neurons with 9 inputs",
        4 * 8 * 3 * 20 * (9 + 2),
    ),
    # terms: of every output, unit and pair of inputs, with two exponents of 8 bytes for each symbol
    "symbolic model": (
        lambda: build_model("quadratic", 4, 3, 2),
        "A network with inputs = 4, hidden = 3 and outputs = 2",
        2 * 3 * (4 * 5 // 2) * (2 * 8 * (3 * (4 + 2) + 4) + 500),
    ),
}


@pytest.mark.parametrize("name", ESTIMATES)
def test_estimate(name, monkeypatch):
    call, what, nbytes = ESTIMATES[name]
    monkeypatch.setattr(budget, "LEAST", 0)
    monkeypatch.setattr(budget, "memory_budget", lambda: nbytes)
    try:
        call()
    except ProblemError as error:  # what comes afterwards may need more
        assert what not in str(error)
    monkeypatch.setattr(budget, "memory_budget", lambda: np.nextafter(nbytes, 0))
    with pytest.raises(ProblemError, match="would take about") as caught:
        call()
    assert str(caught.value).startswith(f"{what} would take")


NUMBERS = {
    "starts of a search": (
        "stationary.search.LARGEST_SEARCH",
        lambda: search_fixed_points(FLOW, 2),
        "2 searches",
        "1,000,000",
    ),
    # sets of modes for a teacher of two: 4
    "catalogue": (
        "stationary.catalogue.LARGEST_CATALOGUE",
        lambda: fixed_points(Teacher.from_eigenvalues([2.0, 1.0]), 2),
        "4 points",
        "20,000",
    ),
    "lowest points": (
        "stationary.catalogue.LARGEST_CATALOGUE",
        lambda: fixed_points(Teacher.from_eigenvalues([2.0, 1.0]), 2, lowest=3),
        "3 points",
        "20,000",
    ),
    # parameters: three groups of d + 1 for each neuron and an output weight; coefficients of a quadratic function
    "neurons": (
        "neuron.derivation.LARGEST_DERIVATION",
        lambda: derive_neurons(2, 1),
        f"{2 * 7 * 3} derivatives",
        "50,000",
    ),
    "functions": (
        "neuron.function_space.MOST_UNITS",
        lambda: function_space_dimensions(3),
        "4 numbers of units",
        "100,000",
    ),
    # of degree 2 in 3 parameters: 1 + 3 + 6
    "monomials": (
        "laws.discovery.LARGEST_SEARCH",
        lambda: discover_laws(build_model("quadratic", 2, 1), 2),
        "10 monomials",
        "50,000",
    ),
    "parameters": (
        "laws.model_table.LARGEST_NETWORK",
        lambda: build_model("quadratic", 4, 3, 2),
        f"{3 * (4 + 2)} parameters",
        "300",
    ),
    "parameters of two layers": (
        "laws.model_table.LARGEST_NETWORK",
        lambda: build_model("bilinear", 4, 3),
        f"{3 * (2 * 4 + 1)} parameters",
        "300",
    ),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_number(name, monkeypatch):
    """The second text is the documented limit."""
    limit, call, number, usual = NUMBERS[name]
    module, _, constant = f"dynamics.{limit}".rpartition(".")
    assert f"{getattr(import_module(module), constant):,}" == usual
    allowed = int(number.split()[0])
    monkeypatch.setattr(import_module(module), constant, allowed)
    call()
    monkeypatch.setattr(import_module(module), constant, allowed - 1)
    with pytest.raises(ProblemError, match=f"means {number}, but at most {allowed - 1} are allowed"):
        call()
