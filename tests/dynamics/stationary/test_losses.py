"""The catalogue under losses other than the square: counted signatures against numerical Hessians, levels, growth.

The Hessians are those of `SpectralPopulation`, which is held against automatic differentiation on a grid elsewhere and
knows nothing of the balances, the index formula or δ.
"""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Teacher
from dynamics.errors import ProblemError
from dynamics.problem.bias import Bias
from dynamics.stationary import Catalogue, FixedPoint, fixed_points, search_catalogue
from dynamics.stationary.connections import saddle_graph

LAMBDA = Teacher.from_eigenvalues([4, 2, 1])
LOGISTIC = Teacher.from_eigenvalues([2, -1, 0.5])


def random_catalogue(rng: np.random.Generator, kind: str, law: str | None = None) -> Catalogue:
    """Eigenvalues of any signs, repeated, zero, rotated; spare and missing units, fixed layers, covariances."""
    d, K = int(rng.integers(2, 4)), int(rng.integers(1, 5))
    lam = rng.standard_normal(d) * 2
    if rng.random() < 0.3:
        lam = rng.integers(-1, 3, d).astype(float)
        lam[0] = lam[0] or 1.0
    Q = np.linalg.qr(rng.standard_normal((d, d)))[0]
    how: dict = {"loss": kind, "activation": str(rng.choice(["quadratic", "centred"], p=[0.75, 0.25]))}
    if rng.random() < 0.25:
        how |= {"second_layer": "fixed", "second_layer_value": float(rng.choice([1, -0.5]))}
    elif rng.random() < 0.7:
        how["signs"] = rng.choice([1, -1, 0], K, p=[0.45, 0.45, 0.1]).tolist()
    if law is not None:
        how |= {"distribution": law, "activation": "quadratic"}
    if rng.random() < 0.3:
        F = rng.standard_normal((d, d))
        how["covariance"] = F @ F.T / d + 0.3 * np.eye(d)
    if kind == "logistic":
        labels = str(rng.choice(["bernoulli", "hard", "hard:-0.7"]))
        flip = float(rng.choice([0.0, 0.1])) if labels == "bernoulli" else 0.1
        trained = "second_layer" not in how and rng.random() < 0.4
        bias = f"trainable:{rng.uniform(-1, 1)!r}" if trained else float(rng.choice([0.0, 0.4, -0.8]))
        how |= {"labels": labels, "flip": flip, "bias": bias}
    return fixed_points(Teacher.from_matrix((Q * lam) @ Q.T), K, **how)


def flow_at(catalogue: Catalogue, point: FixedPoint, seed: int | None) -> GradientFlow:
    """The flow at a representative of a point."""
    problem = replace(catalogue.problem, student=catalogue.representative(point, seed=seed))
    if point.bias is not None:
        problem = replace(problem, bias=Bias(problem.bias.teacher, point.bias, True))
    return GradientFlow(problem, reduce=False)


def compare_random_points(kind: str, number: int, seed: int, law: str | None = None) -> None:
    """Gradient, loss and signature of so many random states, unbalanced, units redundant, dead and at the origin."""
    rng, compared = np.random.default_rng(seed), 0
    while compared < number:
        catalogue = random_catalogue(rng, kind, law)
        for i in rng.permutation(len(catalogue.feasible))[:5]:
            point = catalogue.feasible[i]
            flow = flow_at(catalogue, point, int(rng.integers(2**31)) if rng.random() < 0.8 else None)
            size = max(catalogue.spectrum.scale, 1) ** 2
            assert np.abs(flow(0, flow.theta0)).max() < 1e-9 * size
            assert abs(flow.loss(flow.theta0) - point.loss) < 1e-11 * size
            h = np.linalg.eigvalsh(flow.hessian(flow.theta0))
            zero = (
                1e-10 * np.abs(h).max()
            )  # zeros come out as errors of the root, some 1e-12, times derivatives
            found = int(np.sum(h < -zero)), int(np.sum(np.abs(h) <= zero)), int(np.sum(h > zero))
            assert found == (point.index, point.nullity, point.positive), (catalogue, point, h)
            compared += 1


@pytest.mark.parametrize("kind", ["log-cosh", "logistic", "huber:1.3"])
def test_signatures_of_random_points(kind: str) -> None:
    compare_random_points(kind, 12, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "number"), [("log-cosh", 150), ("logistic", 200), ("huber:1.3", 40)])
def test_signatures_of_many_random_points(kind: str, number: int) -> None:
    compare_random_points(kind, number, seed=0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["log-cosh", "logistic"])
def test_signatures_under_another_law_that_rotations_leave_alone(kind: str) -> None:
    """Student's law of 8 degrees of freedom, a mixture of Gaussian laws of all lengths."""
    compare_random_points(kind, 6, seed=2, law="student-t:8")


def test_worked_levels_of_log_cosh() -> None:
    """λ = (4, 2, 1): the values of the derivation, found there by another quadrature."""
    catalogue = fixed_points(LAMBDA, 3, loss="log-cosh")
    heights = {(): 6.337771, (0,): 2.110999, (0, 1): 0.558880, (0, 1, 2): 0.0}
    for modes, height in heights.items():
        assert catalogue.point(modes).loss == pytest.approx(height, abs=6e-7)
    for modes, delta in {(0,): -0.875404830640, (0, 1): -0.187129887785}.items():
        learned = LAMBDA.eigen[0][0][list(modes)] - np.array(catalogue.point(modes).learned_values)
        np.testing.assert_allclose(learned, delta, atol=6e-13)


def test_a_residual_loss_that_is_square_has_the_levels_of_the_square_loss() -> None:
    """Huber's loss far beyond all residuals, 4χ² ≤ 400 but for a part of e^(−50), against the closed form."""
    square, huber = fixed_points(LAMBDA, 3), fixed_points(LAMBDA, 3, loss="huber:400")
    for point in square.points:
        other = huber.point(point.learned_modes)
        np.testing.assert_allclose(other.learned_values, point.learned_values, atol=1e-9)
        assert other.loss == pytest.approx(point.loss, abs=1e-9)


def test_worked_minimum_of_the_logistic_loss() -> None:
    """Teacher (2, −1, .5), β = .4: M = M* with a fixed bias and with a trained one, which then is the teacher's."""
    fixed, trained = (
        fixed_points(LOGISTIC, 3, loss="logistic", bias=bias) for bias in (0.4, "trainable:0.4")
    )
    for catalogue in (fixed, trained):
        best = catalogue.points[0]
        assert (best.kind, best.learned_modes) == ("global minimum", (0, 1, 2))
        assert best.loss == pytest.approx(0.44045, abs=5e-6)
        np.testing.assert_allclose(best.learned_values, [2, 0.5, -1], atol=1e-10)
    assert trained.points[0].bias == pytest.approx(0.4, abs=1e-10)
    assert trained.points[0].positive == fixed.points[0].positive + 1
    assert (
        trained.points[0].to_dict()["bias"] == trained.points[0].bias
        and "bias" not in fixed.points[0].to_dict()
    )


@pytest.mark.parametrize("how", [{"bias": 0.4}, {"labels": "hard"}, {"bias": "trainable:0.4"}])
def test_a_search_finds_nothing_else(how: dict) -> None:
    """A numerical search that knows nothing of the catalogue ends on its levels alone, from all starts."""
    match = search_catalogue(fixed_points(LOGISTIC, 2, loss="logistic", **how), 12, seed=2)
    assert not match.unmatched and match.matched == match.search.converged >= 10
    for root, point in zip(match.search.roots, match.points, strict=True):
        assert point is not None and root.loss == pytest.approx(point.loss, abs=1e-9)


def test_separable_labels_have_no_minimum_with_all_modes() -> None:
    """Full set only, where the boundary is at 0 or the bias is trained; the other sets have minima."""
    catalogue = fixed_points(LOGISTIC, 3, loss="logistic", labels="hard")
    assert catalogue.growing == (0, 1, 2) and len(catalogue.points) == 7
    assert not any(point.kind == "global minimum" for point in catalogue.points)
    assert (
        catalogue.to_dict()["growing"] == [0, 1, 2] and "grow for ever" in catalogue.to_dict()["warnings"][0]
    )
    assert "grow for ever" in catalogue.summary()
    moved = fixed_points(LOGISTIC, 3, loss="logistic", labels="hard:0.3", bias="trainable")
    assert moved.growing == (0, 1, 2) and len(moved.points) == 7
    for how in ({"labels": "hard:0.3"}, {"labels": "hard", "flip": 0.05}, {"labels": "hard", "bias": 0.3}):
        other = fixed_points(LOGISTIC, 3, loss="logistic", **how)
        assert other.growing is None and len(other.points) == 8 and other.points[0].kind == "global minimum"
        assert "growing" not in other.to_dict()


def test_a_boundary_elsewhere_has_a_minimum_on_the_ray_of_the_teacher() -> None:
    """L(sM*) rises again beyond some s if the boundary is at c ≠ 0 and no bias can follow it."""
    square = fixed_points(LOGISTIC, 3)
    student = square.representative(square.points[0])
    problem = Problem(LOGISTIC, student, loss="logistic", labels="hard:0.3")
    along = [problem.population.loss(student.W, s * student.A) for s in (1.0, 10.0, 100.0)]
    assert along[0] > along[1] < along[2]


def test_too_few_units_rest() -> None:
    """Two units cannot separate three modes: the lowest point is a minimum, and global."""
    catalogue = fixed_points(LOGISTIC, 2, loss="logistic", labels="hard")
    assert catalogue.growing is None and catalogue.points[0].kind == "global minimum"


@pytest.mark.parametrize(
    ("how", "names"),
    [
        ({"loss": "log-cosh", "weight_decay": 0.1}, "`loss` is 'log-cosh' beside `weight_decay`"),
        ({"loss": "log-cosh", "distribution": "independent:1"}, "`loss` is 'log-cosh'"),
        ({"loss": "log-cosh", "bias": "trainable"}, "`bias` is 'trainable'"),
        ({"loss": "logistic", "labels": "hard:-1"}, "the same label"),
    ],
)
def test_what_is_not_derived_is_refused(how: dict, names: str) -> None:
    """In one sentence; the last teacher is positive definite, and xᵀM*x > −1 always."""
    with pytest.raises(ProblemError, match=names):
        fixed_points(LAMBDA, 3, **how)


def test_levels_under_students_law_approach_those_of_gaussian_inputs() -> None:
    """By 1/ν, as moments do: ten times the degrees of freedom, a tenth of the distance."""
    teacher = Teacher.from_eigenvalues([2, 1])

    def height(law: str) -> float:
        return fixed_points(teacher, 1, loss="log-cosh", distribution=law).point((0,)).loss

    few, many, gaussian = height("student-t:100"), height("student-t:1000"), height("gaussian")
    assert (few - gaussian) / (many - gaussian) == pytest.approx(10, rel=0.1)


def test_the_lowest_come_without_the_others() -> None:
    """In the order of their loss, the same as in the whole list."""
    every, few = (fixed_points(LAMBDA, 4, loss="log-cosh", lowest=lowest) for lowest in (None, 3))
    assert [p.learned_modes for p in few.points] == [p.learned_modes for p in every.feasible[:3]]
    assert not few.complete and every.complete


def test_connections_have_the_rates_of_the_flow() -> None:
    """Blow-up rates are eigenvalues of G, linear ones of minus the Hessian with a balanced unit."""
    catalogue = fixed_points(LOGISTIC, 2, loss="logistic", bias=0.4)
    graph = saddle_graph(catalogue)
    assert graph.unit == "logistic" and saddle_graph(fixed_points(LOGISTIC, 2)).unit == "squared output units"
    loss = {node.learned_modes: node.loss for node in graph.nodes}
    force = flow_at(catalogue, catalogue.point(()), None).population.force
    assert force is not None
    gains = np.linalg.eigvalsh(force(np.zeros((2, 3)), np.zeros((1, 2)))[0])[::-1]
    held = catalogue.point((1,))
    flow = flow_at(catalogue, held, None)
    curvatures = np.linalg.eigvalsh(flow.hessian(flow.theta0))
    for edge in graph.edges:
        assert loss[edge.target] < loss[edge.source]
        if edge.source == ():
            assert edge.growth_rate == pytest.approx(abs(gains[edge.mode]), rel=1e-10)
        if edge.source == (1,) and edge.kind == "linear":
            assert np.abs(curvatures + edge.growth_rate).min() < 1e-10  # beside those of the spare unit


def test_a_landscape_goes_to_another_process() -> None:
    """As sweeps send what they have computed; the loss of a name stays that loss."""
    landscape = fixed_points(LAMBDA, 3, loss="log-cosh").landscape
    other = pickle.loads(pickle.dumps(landscape))
    assert other.expect.rule.loss is landscape.expect.rule.loss
    assert other.unit(2.0) == landscape.unit(2.0)
