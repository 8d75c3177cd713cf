"""No unit of measurement is special: teachers c times as large give the same theory in other units.

One conformance test, looped over everything in `dynamics` that computes. With λ → cλ the residual D and G scale as c
and the loss as c². In ẇ_k = a_k G w_k, ȧ_k = ½ w_kᵀGw_k and M = Σ a_k w_k w_kᵀ all terms scale alike if

* second layer trained: W and a as c^{1/3}, so that time goes as c^{−4/3} and curvature, loss/weight², as c^{4/3};
* second layer fixed: W as c^{1/2}, so that time goes as 1/c and curvature as c.

A step of descent is a time, the variance of label noise a loss, c_k a squared weight. (A kinked unit, of degree 1, has
W and a as c^{1/2}, time as 1/c and curvature as c.) Whatever counts, names or decides must not change at all: an
absolute threshold anywhere breaks that, at c = 1e-6 or at 1e6. Starts near zero are part of the cases.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from dynamics import (
    FiniteDataFlow,
    FlowEnsemble,
    FluctuatingSGD,
    GradientFlow,
    MeanSGD,
    ModifiedFlow,
    Problem,
    Student,
    Teacher,
    conserved_quantities,
    diagnose,
    fixed_points,
)
from dynamics.closed_forms import (
    SingleMode,
    aligned_tail,
    one_unit_largest_step,
    one_unit_risk,
    riccati_solution,
)
from dynamics.conserved.drift import predicted_drift
from dynamics.conserved.inference import infer_quantities
from dynamics.curves.stages import find_drops
from dynamics.flows.path_space import PathFlow
from dynamics.neuron import NeuronFlow, Neurons, QuadraticTarget, Rates
from dynamics.outcome.invariant_manifolds import reach
from dynamics.phase_plane import phase_plane
from dynamics.saddle_to_saddle.staircase import staircase
from dynamics.stability import largest_stable_sgd_step, sharpness
from dynamics.stationary.certification import certify
from dynamics.stationary.connections import saddle_graph
from dynamics.stationary.matching import catalogue_flow, match_fixed_points
from dynamics.stationary.numerical import numerical_points
from dynamics.stationary.search import search_fixed_points

UNITS = (1e-6, 1e6)
EIGENVALUES, INPUTS, HIDDEN = np.array([2.0, 1.0, -0.6]), 4, 4


class Case:
    """One problem, measured in units that are c times as small, and these units."""

    def __init__(self, c: float, trainable: bool, activation: str) -> None:
        self.trainable, self.activation = trainable, activation
        self.eigenvalue, self.loss = c, c**2
        self.weight = c ** (1 / 3 if trainable and activation != "relu" else 1 / 2)  # of the first layer
        self.second = self.weight if trainable else 1.0
        self.square = self.weight**2
        self.curvature = self.loss / self.square
        self.time = 1 / self.curvature
        if activation == "relu":
            self.teacher = Teacher(np.eye(INPUTS)[:2], c * EIGENVALUES[:2])
        else:
            self.teacher = Teacher.from_eigenvalues(
                c * (EIGENVALUES if trainable else abs(EIGENVALUES)), INPUTS
            )

    def problem(self, size: float = 0.2, seed: int = 1) -> Problem:
        """With Gaussian weights of a size in units of the case."""
        student = Student.initialise(HIDDEN, INPUTS, scale=size, seed=seed)
        A = self.second * student.A if self.trainable else np.ones((1, HIDDEN))
        return Problem(self.teacher, Student(self.weight * student.W, A, self.trainable), self.activation)

    def aligned(self) -> Problem:
        """Two pairs of units, alike up to their signs, each on an axis of its own."""
        W = np.zeros((HIDDEN, INPUTS))
        W[[0, 1, 2, 3], [0, 0, 1, 1]] = 0.3, -0.3, 0.2, 0.2
        student = Student(self.weight * W, np.full(HIDDEN, 0.1 * self.second), self.trainable)
        return Problem(self.teacher, student, self.activation)

    def pair(self) -> Problem:
        """Two units for two modes, not small."""
        W = self.weight * np.array([[0.8, 0.16], [-0.24, 0.72]])
        student = Student(W, [0.6 * self.second] * 2, self.trainable)
        return Problem(Teacher.from_eigenvalues(self.eigenvalue * EIGENVALUES[:2]), student, self.activation)


Verb = Callable[["Case"], dict[str, object]]
TRAINED, CENTRED, FIXED = (True, "quadratic"), (True, "centred"), (False, "quadratic")
EXTREMES = (TRAINED, (False, "centred"))
QUADRATIC = (TRAINED, CENTRED, FIXED, (False, "centred"))
CASES: dict[Verb, tuple[tuple[bool, str], ...]] = {}


def of(*kinds: tuple[bool, str]) -> Callable[[Verb], Verb]:
    """Enter what computes into the table, with the kinds of problem that it is computed for."""

    def enter(verb: Verb) -> Verb:
        CASES[verb] = kinds
        return verb

    return enter


@of(*QUADRATIC)
def catalogue(case):
    pytest.importorskip("flint")
    points = certify(fixed_points(case.problem())).points
    lowest = fixed_points(case.problem(), lowest=4).points
    return {
        "loss": [p.loss for p in (*points, *lowest)],
        "eigenvalue": [(*p.learned_values, p.residual_trace) for p in points],
        "pure": [
            (
                p.learned_modes,
                p.feasible,
                p.signs,
                p.index,
                p.nullity,
                p.positive,
                p.kind,
                p.trapping,
                p.certified,
            )
            for p in (*points, *lowest)
        ],
    }


@of(TRAINED, FIXED)
def repeated(case):
    """Equal up to rounding is one eigenvalue."""
    lam = case.eigenvalue * np.array([2.0, 2.0, 1.0, 1.0 + 1e-15])
    points = fixed_points(
        Teacher.from_eigenvalues(lam, 5), 3, second_layer=("fixed", "trainable")[case.trainable]
    )
    return {
        "loss": [p.loss for p in points.points],
        "pure": [
            (p.learned_modes, p.multiplicity, p.family_dimension, p.index, p.kind) for p in points.points
        ],
    }


@of(FIXED)
def correlated(case):
    """Inputs of variance c and teachers of the order of one; only three directions matter.

    W is the whitened weight over √c, so that time, W²/loss, goes as 1/c².
    """
    Sigma = np.diag([2.0, 1.0, 0.6, 0.5, 0.8, 1.5])
    Sigma[0, 1] = Sigma[1, 0] = Sigma[1, 2] = Sigma[2, 1] = 0.3
    W = np.zeros((2, 6))
    W[:, :3] = 0.4 * case.weight / case.eigenvalue**0.5 * np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    R = np.linalg.qr(np.random.default_rng(6).standard_normal((6, 6)))[0]
    student = Student(W @ R.T, [0.3 * case.second] * 2, case.trainable)
    Sigma = case.eigenvalue * (R @ Sigma @ R.T + R @ Sigma.T @ R.T) / 2
    problem = Problem(Teacher(R[:, :2].T, [1.0, 0.5]), student, case.activation, Sigma)
    flow, points = GradientFlow(problem), fixed_points(problem).points
    return {
        "loss": [
            *flow.integrate(2.0 * case.time / case.eigenvalue, samples=5).loss,
            *[p.loss for p in points],
        ],
        "pure": [
            flow.reduction.dimension,
            [(p.learned_modes, p.multiplicity, p.index, p.kind) for p in points],
        ],
    }


@of(*QUADRATIC)
def representatives(case):
    found = fixed_points(case.problem())
    students = [found.representative(p) for p in found.feasible]
    return {"square": [(s.W**2).sum() for s in students], "second": [np.abs(s.A).sum() for s in students]}


@of(*QUADRATIC)
def search(case):
    found = fixed_points(case.problem())
    roots = search_fixed_points(catalogue_flow(found), 8)
    return {
        "loss": [r.loss + case.loss for r in roots.roots],  # c² more: a loss of zero is rounding
        "pure": [
            [(r.index, r.nullity, r.positive, r.kind, r.hits) for r in roots.roots],
            match_fixed_points(roots, found).matched,
        ],
    }


@of(*QUADRATIC)
def saddles(case):
    """As sets: two ways may be equally fast, or two saddles equally high."""
    edges = saddle_graph(fixed_points(case.problem())).edges
    return {
        "curvature": sorted(e.growth_rate for e in edges if e.kind == "linear"),
        "eigenvalue": sorted(e.growth_rate for e in edges if e.kind == "blow-up"),  # per unit of a
        "pure": sorted((e.source, e.target, e.kind, e.generic) for e in edges),
    }


@of(*QUADRATIC)
def stairs(case):
    found = staircase(case.problem(1e-3))
    return {
        "time": [j.time for j in found.jumps],
        "loss": [level.loss for level in found.levels],
        "pure": [[(j.unit, j.mode, j.learned_modes) for j in found.jumps], found.law, found.end],
    }


@of(*EXTREMES)
def conserved(case):
    problem = case.problem()
    flow = GradientFlow(problem)
    run = flow.integrate(2.0 * case.time, samples=9)
    inferred = infer_quantities(run.coordinates, run.A)
    return {
        "square": [q(problem.student.W, problem.student.A) for q in conserved_quantities(flow)],
        "pure": sorted((q.match, len(q.coefficients)) for q in inferred.quantities),
    }


@of(TRAINED)
def drift(case):
    step, times = 0.01 * case.time, np.linspace(0, case.time, 3)
    found = predicted_drift(case.problem(), step, times, batch=8, label_noise=0.1 * case.loss)
    return {"square": found.drift}


@of(*QUADRATIC)
def verdict(case):
    found = [diagnose(case.problem(size, seed)) for size, seed in ((0.5, 0), (0.5, 3), (0.02, 5))]
    return {
        "loss": [[*d.possible_losses, d.predicted_loss or 0.0] for d in found],
        "time": [d.decided_at or 0.0 for d in found],
        "pure": [(d.verdict, d.frozen_signs, d.inert, d.needed) for d in found],
    }


@of(*EXTREMES)
def manifolds(case):
    found = [reach(problem, np.arange(HIDDEN)) for problem in (case.problem(), case.aligned())]
    return {"pure": [(f.basis.shape, f.blocks, f.exchangeable) for f in found]}


@of(*EXTREMES)
def learning_curve(case):
    run = GradientFlow(case.problem()).integrate(4.0 * case.time, samples=13)
    stopped = GradientFlow(case.problem()).integrate(until_loss=2.0 * case.loss, samples=5)
    flows = FlowEnsemble([case.problem(seed=s) for s in (1, 2)])
    together = flows.integrate(2.0 * case.time, samples=5, engine="scipy")
    return {
        "loss": [*run.loss, *together.loss.ravel()],
        "eigenvalue": run.modes,
        "weight": run.W,
        "second": run.A,
        "time": [*run.times, *stopped.times],
        "pure": stopped.solver.status,
    }


@of(*QUADRATIC)
def stages(case):
    run = GradientFlow(case.problem(0.02)).integrate((40.0 if case.trainable else 3.0) * case.time)
    drops = find_drops(run.times, run.loss, run.stages)
    return {
        "loss": [s.loss + case.loss for s in run.stages],
        "time": [*[(s.start, s.end) for s in run.stages], *[d.time for d in drops]],
        "pure": [[s.learned_modes for s in run.stages], [d.learned_modes for d in drops]],
    }


@of(*QUADRATIC)
def until_converged(case):
    run = GradientFlow(case.pair()).integrate(samples=5)
    return {"pure": run.solver.status, "eigenvalue": run.modes[-1]}


@of(*EXTREMES)
def modified(case):
    run = ModifiedFlow(case.problem(), 0.01 * case.time, 0.5).integrate(2.0 * case.time, samples=5)
    return {"loss": run.loss, "weight": run.W}


@of(*EXTREMES)
def finite_data(case):
    problem, X = case.problem(), np.random.default_rng(0).standard_normal((40, INPUTS))
    labels = np.einsum("ni,ij,nj->n", X, problem.teacher.matrix(), X)
    run = FiniteDataFlow(problem, X, labels).integrate(2.0 * case.time, samples=5)
    return {"loss": run.loss}


@of(*EXTREMES)
def stability(case):
    flow = GradientFlow(case.problem())
    return {"curvature": sharpness(flow, flow.integrate(4.0 * case.time, samples=13), 5)}


@of(*QUADRATIC[:2])
def sgd_step(case):
    return {"time": largest_stable_sgd_step(case.pair())}


@of(*EXTREMES)
def mean_sgd(case):
    sgd = MeanSGD(case.problem(), 0.002 * case.time, 4, 0.1 * case.loss)
    run = sgd.integrate(2.0 * case.time, samples=5)
    return {"loss": run.loss, "eigenvalue": run.modes}


@of(*EXTREMES)
def fluctuations(case):
    student = Student(case.weight * np.eye(INPUTS)[:1] * 0.6, [0.5 * case.second], case.trainable)
    problem = Problem(case.teacher, student, case.activation)
    sgd = FluctuatingSGD(problem, 0.002 * case.time, 4, 0.1 * case.loss)
    run = sgd.integrate(0.1 * case.time, samples=2, rtol=1e-9)
    return {"loss": [run.loss, run.loss_std]}


@of(*QUADRATIC[2:])
def riccati(case):
    found = riccati_solution(case.problem(), case.time * np.array([0.0, 0.1, 1.0]))
    return {"loss": found.loss, "eigenvalue": found.M}


@of(*QUADRATIC[:2])
def single_mode(case):
    mode = SingleMode(1.5 * case.eigenvalue, 0.4 * case.weight, -0.2 * case.second, case.activation)
    p, a = mode.weights(case.time * np.array([0.0, 0.3, 1.0]))
    time = mode.time(0.1 * case.second)
    return {
        "weight": p,
        "second": [*a, mode.end],
        "square": mode.conserved,
        "time": time,
        "pure": mode.dies,
    }


@of(*QUADRATIC[:2])
def tails(case):
    lam, x = case.eigenvalue * EIGENVALUES[:2], case.activation
    powers = [aligned_tail(lam, INPUTS, c * case.square, x) for c in (0.0, -0.3)]
    return {
        "loss": [tail(7.0 * case.time) for tail in powers],
        "curvature": aligned_tail(lam, INPUTS, 0.3 * case.square, x).rate,
    }


@of(FIXED)
def one_unit(case):
    step = one_unit_largest_step(5, batch=2, eigenvalue=0.7 * case.eigenvalue)
    risk = one_unit_risk(step / 2, 5, 0.1 * case.loss, batch=2, eigenvalue=0.7 * case.eigenvalue)
    return {"time": step, "loss": risk}


@of(*QUADRATIC[:2])
def plane(case):
    size = 2.0 * case.weight
    starts = [(0.5 * case.weight, size)]
    found = phase_plane(case.eigenvalue, starts, activation=case.activation, extent=size, points=3)
    return {"weight": [found.minima, found.separatrix], "second": found.paths[0][:, -1]}


@of(TRAINED)
def path_space(case):
    """Path values are eigenvalues, so that their time, value²/loss, is a pure number."""
    return {"loss": PathFlow(case.pair()).integrate(0.1, samples=3, rtol=1e-9).loss}


@of(TRAINED)
def neurons(case):
    """R, G and a as quadratic units have them; biases and B start at zero and B does not learn."""
    d = INPUTS - 1
    R, G = np.random.default_rng(2).standard_normal((2, 2, d + 1)) * 0.5 * case.weight
    R[:, -1] = G[:, -1] = 0
    start = Neurons(R, G, np.zeros((2, d + 1)), 0.4 * case.weight * np.ones(2))
    target = QuadraticTarget(case.eigenvalue * np.diag([1.0, 0.5, -0.5]), np.zeros(d), 0.0)
    run = NeuronFlow(target, start, Rates(b=0)).integrate(2.0 * case.time, samples=4)
    return {"loss": run.loss, "time": run.largest_stable_step}


@of(
    (True, "relu"),
)
def kinked(case):
    problem = case.problem(0.5)
    flow = GradientFlow(problem)
    run = flow.integrate(3.0 * case.time, samples=5)
    points = numerical_points(problem, 4)
    return {
        "loss": [*run.loss, *(p["loss"] + case.loss for p in points["fixed_points"])],
        "curvature": sharpness(flow, run, 3),
        "pure": [(p["index"], p["kind"], p["hits"]) for p in points["fixed_points"]],
    }


def cases():
    """Every verb, kind and unit."""
    for verb, kinds in CASES.items():
        for kind in kinds:
            for c in UNITS:
                name = f"{verb.__name__}-{'trained' if kind[0] else 'fixed'}-{kind[1]}-{c:g}"
                yield pytest.param(verb, kind, c, id=name)


@cache
def reference(verb, kind):
    return verb(Case(1.0, *kind))


def numbers(values) -> np.ndarray:
    """All numbers in nested sequences of unequal lengths, flat."""
    if isinstance(values, list | tuple):
        return np.concatenate([np.empty(0), *map(numbers, values)])
    return np.ravel(np.asarray(values, dtype=float))


@pytest.mark.parametrize(("verb", "kind", "c"), list(cases()))
def test_theory_does_not_depend_on_the_unit(verb, kind, c):
    """To 1e-5, orders above the errors of what is integrated, orders below what a threshold would do."""
    case = Case(c, *kind)
    here, there = reference(verb, kind), verb(case)
    assert here.keys() == there.keys()
    assert here.get("pure") == there.get("pure")
    for dimension in here.keys() - {"pure"}:
        expected = numbers(here[dimension])
        found = numbers(there[dimension]) / getattr(case, dimension)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7 * np.abs(expected).max(initial=0.0))
