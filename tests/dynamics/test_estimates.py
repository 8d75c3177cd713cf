"""Sizes are refused by estimates of memory and by numbers of things: each is counted here by hand, to the last one.

The memory of the machine, or the number that is allowed, is made just large enough, which is no reason to refuse, and
smaller by one, which is.
"""

from __future__ import annotations

import io
from importlib import import_module

import numpy as np
import pytest

import dynamics
from dynamics import (
    FlowEnsemble,
    GradientFlow,
    Problem,
    ProblemError,
    Student,
    Teacher,
    budget,
    derive,
    fixed_points,
)
from dynamics.curvature.hessian import check_size
from dynamics.curvature.tangent_kernel import tangent_kernel
from dynamics.files.named_tables import read_table
from dynamics.flows.natural_gradient import check_metric
from dynamics.inputs.gaussianity import gaussianity
from dynamics.integration import Sampling, VectorField, integrate
from dynamics.laws.activation_models import activation_network
from dynamics.laws.discovery import discover_laws
from dynamics.laws.model_table import build_model
from dynamics.laws.teacher_laws import laws_for_teacher
from dynamics.networks import NetworkFlow, NetworkProblem, derive_network, read_network
from dynamics.networks.laws import polynomial_network
from dynamics.networks.nodes import draws, grid
from dynamics.neuron import NeuronFlow, Neurons, QuadraticTarget
from dynamics.neuron.derivation import derive_neurons
from dynamics.neuron.function_space import function_space_dimensions
from dynamics.neuron.pieces.bounds import most_pieces_on_line
from dynamics.neuron.pieces.counts import count_pieces
from dynamics.neuron.pieces.network import Layer, Network
from dynamics.neuron.pieces.plane import pieces_in_plane
from dynamics.population.fourth_moment import SampleMoment
from dynamics.problem.realisation import realise_beside
from dynamics.sample_size.atoms import Atoms
from dynamics.schedules import Schedule
from dynamics.stationary.all_signs import points_of_all_signs
from dynamics.stationary.search import search_fixed_points
from dynamics.stationary.subspaces.form import FormLoss
from dynamics.stationary.subspaces.search import search_subspaces
from tests.conftest import callers_in, callers_while

DEEP = NetworkProblem("deep-linear:2,2,1", "x_0")  # 2 × 2 + 2 = 6 parameters
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


def members():
    """Sixty starts of the nine unknowns."""
    start = FLOW.problem.student
    return FlowEnsemble.from_weights(FLOW.problem.teacher, np.stack([start.W] * 60), np.stack([start.A] * 60))


def table(size):
    """As many bytes of digits and commas."""
    return io.BytesIO(b"1," * (size // 2 - 1) + b"1\n")


def plane(units):
    """A network of ReLUs in the plane."""
    rows = tuple((1, k, k * k) for k in range(units))
    return Network((Layer.ordinary(rows, "relu"), Layer.ordinary(((1,) * units + (0,),))))


FORM = FormLoss.of(Problem(Teacher.from_eigenvalues([4.0, 3.0, 2.0, 1.0]), Student.initialise(2, 4)))
NORMAL = np.random.default_rng(0).standard_normal((40, 24))

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
    # weights beside a teacher: what they are a sum of, and the factors of it
    "weights of given overlaps": (
        lambda: realise_beside(np.eye(2), np.zeros((2, 1)), np.eye(1, 30)),
        "A student of 2 hidden units with 30 inputs",
        8 * 8 * 2 * 30,
    ),
    "infinitely many units": (
        lambda: Student.mean_field(20, outputs=5),
        "The limit of infinitely many units in 20 inputs, a matrix of 20 × 20 numbers,",
        4 * 8 * 20 * (20 + 5),
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
    # an ensemble: states and two losses, of every member at every time
    "ensemble": (
        lambda: members().integrate(0.1, samples=5, engine="numpy"),
        "An ensemble of 60 trajectories of 9 unknowns at 5 times",
        8 * 60 * 5 * (9 + 2),
    ),
    # a table: its bytes, its text, its numbers
    "table": (lambda: read_table(table(600), "the table"), "The text of the table, 600 bytes,", 3 * 600),
    # a metric: four matrices
    "metric": (lambda: check_metric(30), "The metric of 30 weights", 4 * 8 * 30**2),
    # 24 · 25/2 = 300 products have all their eigenvalues computed, 325 those at the ends, from 40 vectors and 8 beside
    "ends of a spectrum": (
        lambda: gaussianity(SampleMoment(np.hstack([NORMAL, NORMAL[::-1, :1]])), None),
        "The spectrum over 325 products of inputs",
        8 * (40 + 8) * 325,
    ),
    # a fourth moment: five matrices over the pairs of inputs
    "form": (lambda: FormLoss.of(FLOW.problem), "The fourth moment of 2 inputs", 5 * 8 * 3**2),
    # a Hessian: four matrices
    "whole Hessian": (
        lambda: check_size(30, "The Hessian", "give `count`"),
        "The Hessian, of 30 rows,",
        4 * 8 * 30**2,
    ),
    # a kernel: three matrices, of 5 · 2 by 3 · 2 outputs
    "kernel": (
        lambda: tangent_kernel(Student.initialise(2, 4, outputs=2), np.ones((5, 4)), np.ones((3, 4))),
        "A kernel of 10 × 6 entries",
        3 * 8 * 10 * 6,
    ),
    # a search for subspaces: of the (4 − 1) · 1 tangents and the frame three forms, of the tangents six matrices
    "subspaces": (
        lambda: search_subspaces(FORM, 1, 2),
        "A search for subspaces of dimension 1 in 4 inputs",
        8 * (3 * (3 + 1) * 4**2 + 6 * 3**2),
    ),
    # nodes and weights; draws and what they are made of; four Hessians
    "grid": (lambda: grid(2, 2), "The grid of 3 nodes in each of 2 directions", 8 * 9 * (2 + 1)),
    "draws": (lambda: draws(16, 2, 0), "16 draws of 2 inputs", 3 * 8 * 16 * 2),
    # a spectrum: of 4096 nodes at a time and its different eigenvalues, eight matrices
    "spectrum": (
        lambda: Atoms([0.0, 1.0, 1.0, 2.0]),
        "A spectrum of 3 different eigenvalues",
        8 * 8 * 4096 * 3,
    ),
    "network's Hessian": (
        lambda: NetworkFlow(DEEP).integrate(0.1, samples=2),
        "The Hessian of the network 'deep-linear:2,2,1'",
        4 * 8 * 6**2,
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
    "catalogue of another loss": (
        "stationary.catalogue.LARGEST_SOLVED",
        lambda: fixed_points(Teacher.from_eigenvalues([2.0, 1.0]), 2, loss="log-cosh"),
        "4 points",
        "2,048",
    ),
    # the first to come is {0, 1}; its two neighbours below make three
    "descent from everything learned": (
        "stationary.enumeration.LARGEST_DESCENT",
        lambda: fixed_points(Teacher.from_eigenvalues([2.0, 1.0]), 2, loss="log-cosh", lowest=2),
        "3 sets",
        "4,096",
    ),
    "lowest points": (
        "stationary.catalogue.LARGEST_CATALOGUE",
        lambda: fixed_points(Teacher.from_eigenvalues([2.0, 1.0]), 2, lowest=3),
        "3 points",
        "20,000",
    ),
    # of one unit two sets of modes, of two units three
    "groups on the sphere": (
        "problem.sphere_levels.MOST_GROUPS",
        lambda: fixed_points(
            Problem(
                Teacher.from_eigenvalues([2.0, 1.0]),
                Student(np.eye(2), [1.0, 1.0], trainable=False),
                constraint="sphere",
            )
        ),
        "5 groups of units",
        "200,000",
    ),
    # of two units: six numbers of +, − and 0, for each of the four sets of modes
    "points of all signs": (
        "stationary.all_signs.LARGEST",
        lambda: points_of_all_signs(fixed_points(Teacher.from_eigenvalues([2.0, 1.0]), 2)),
        "24 points",
        "200,000",
    ),
    # x_0², x_0 x_1, x_1² of the network, squared
    "loss of a teacher": (
        "laws.teacher_laws.LARGEST_LOSS",
        lambda: laws_for_teacher(build_model("quadratic", 2, 1), np.eye(2), 1),
        "9 products of monomials",
        "150,000",
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
    # of degree 3 in 4 inputs: 4 · 5 · 6/6, for each unit and output
    "monomials of an activation": (
        "laws.activation_models.LARGEST_POLYNOMIAL",
        lambda: activation_network("hermite:3", 4, 3, 2),
        f"{2 * 3 * (20 + 4)} monomials",
        "3,000",
    ),
    "units": ("neuron.pieces.counts.LARGEST_LAYER", lambda: count_pieces(2, 1, starts=1), "2 units", "20"),
    "layers": ("neuron.pieces.counts.DEEPEST", lambda: count_pieces(1, 2, starts=1), "2 layers", "10"),
    # squares of one unit in two layers of ReLUs: 3 pieces, each of them 3 at most; of 3 lines, for 1 unit and 2 layers
    "pieces": (
        "neuron.pieces.counts.MOST",
        lambda: count_pieces(1, 2, starts=3),
        f"{most_pieces_on_line('relu-quadratic', (1, 1)) * 3 * 1 * 2} pieces",
        "300,000",
    ),
    "units in the plane": (
        "neuron.pieces.plane.LARGEST_LAYER",
        lambda: pieces_in_plane(plane(3)),
        "3 units",
        "20",
    ),
    "rates": (
        "schedules.schedule.MOST",
        lambda: Schedule.parse("cosine").factors(7),
        "7 rates",
        "100,000,000",
    ),
    # r₊ + r₋ ≤ 2: six pairs; with trace coupling each with one of at most two modes on a lower root, or none
    "minima": (
        "stationary.decayed.minima.LARGEST_DECAYED",
        lambda: fixed_points(FLOW.problem.teacher, 2, weight_decay=0.01, minima=True),
        f"{6 * 3} sets of modes",
        "20,000",
    ),
    "searches for subspaces": (
        "stationary.subspaces.search.LARGEST_SEARCH",
        lambda: search_subspaces(FORM, 1, 2),
        "2 searches",
        "1,000,000",
    ),
    "parameters of a network": (
        "networks.network.MOST_PARAMETERS",
        lambda: read_network("deep-linear:2,2,1"),
        "6 parameters",
        "200,000",
    ),
    "inputs of a network": (
        "networks.network.MOST_INPUTS",
        lambda: read_network("deep-linear:2,2,1"),
        "2 inputs",
        "1,000",
    ),
    "parameters of a formula": (
        "networks.network.LARGEST_SYMBOLIC",
        lambda: DEEP.network.symbolic(),
        "6 parameters",
        "200",
    ),
    "monomials of a network": (
        "networks.laws.LARGEST_POLYNOMIAL",
        lambda: polynomial_network(DEEP.network),
        "3 monomials",
        "3,000",
    ),
    # 1, x_0, x_1
    "monomials of a residual": (
        "networks.derivation.MOST_MONOMIALS",
        lambda: derive_network(DEEP.network),
        "3 monomials",
        "400",
    ),
    "nodes": ("networks.nodes.LARGEST_GRID", lambda: grid(2, 2), "9 nodes", "4,000,000"),
    "draws": ("networks.nodes.LARGEST_DRAWS", lambda: draws(16, 2, 0), "16 draws", "4,194,304"),
    "dimensions": ("networks.nodes.MOST_DIMENSIONS", lambda: draws(16, 2, 0), "2 dimensions", "1,000"),
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


def test_every_check_of_a_size_is_among_these():
    """But for derivations, whose sizes are counted in `symbolic/test_size.py`."""
    calls = [case[0] for case in ESTIMATES.values()] + [case[1] for case in NUMBERS.values()]
    checks = (budget.check_memory, budget.check_number)
    assert callers_in(dynamics, checks) == callers_while([*calls, lambda: derive(1, 1)], checks)
