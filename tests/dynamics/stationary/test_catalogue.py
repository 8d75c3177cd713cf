"""The catalogue as a whole: worked examples, kinds, shortages, large spectra, refusals."""

import json

import numpy as np
import pytest
from scipy.optimize import minimize

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.stationary import fixed_points

KINDS = {"global minimum", "spurious minimum", "saddle", "degenerate saddle"}


def losses(catalogue):
    return [point.loss for point in catalogue.points]


def test_worked_example():
    """λ = (4, 2, 1): levels by hand from L_S = Σ λ_j² + T²/(r+2); indices from the counting rule with + units."""
    catalogue = fixed_points(Teacher.from_eigenvalues([4, 2, 1]), hidden=3)
    expected = [0, 5 / 4, 5, 8, 20, 76 / 3, 32, 91 / 2]
    np.testing.assert_allclose(losses(catalogue), expected, rtol=1e-14, atol=1e-14)
    assert [p.learned_modes for p in catalogue.points] == [
        (0, 1, 2),
        (0, 1),
        (0, 2),
        (0,),
        (1, 2),
        (1,),
        (2,),
        (),
    ]
    # three + units, less those held by modes at least as strong, summed over the unlearned modes
    assert [p.index for p in catalogue.points] == [0, 1, 2, 2 + 2, 3, 3 + 2, 3 + 3, 9]
    assert [p.kind for p in catalogue.points] == ["global minimum"] + 7 * ["saddle"]
    assert catalogue.point([0]).learned_values == (5.0,)
    assert all(p.index + p.nullity + p.positive == 12 for p in catalogue.points)
    assert catalogue.complete


def test_two_stable_levels_of_one_unit():
    """λ = (2, −1.9): 1.9² (1 + 1/3) and 2² (1 + 1/3); the learned unit has the wrong sign for the other mode."""
    catalogue = fixed_points(Teacher.from_eigenvalues([2, -1.9]), hidden=1)
    stable = [p for p in catalogue.points if p.kind in ("global minimum", "spurious minimum")]
    assert [p.learned_modes for p in stable] == [(0,), (1,)]
    np.testing.assert_allclose([p.loss for p in stable], [1.9**2 * 4 / 3, 16 / 3], rtol=1e-14)
    assert [p.kind for p in stable] == ["global minimum", "spurious minimum"]
    assert [p.index for p in stable] == [0, 0]
    assert "positive a, but there is none" in stable[1].reason
    exact = catalogue.point((0, 1))
    assert (exact.feasible, exact.kind, exact.index) == (False, None, None)
    assert "Needs 1 positive and 1 negative" in exact.reason


def test_origin_is_a_degenerate_saddle():
    """All parameters zero: the Hessian vanishes, the loss is third order; stated with its own signs, all 0."""
    catalogue = fixed_points(Teacher.from_eigenvalues([4, 2, 1]), hidden=3)
    origin = catalogue.origin
    assert (origin.index, origin.nullity, origin.positive) == (0, 12, 0)
    assert (origin.kind, origin.degenerate, origin.signs) == ("degenerate saddle", True, (0, 0, 0))
    same = fixed_points(Teacher.from_eigenvalues([4, 2, 1]), hidden=3, signs="0,0,0").point(())
    assert same == origin
    # with a fixed second layer the origin is an ordinary saddle: −½ wᵀGw per unit
    fixed = fixed_points(Teacher.from_eigenvalues([4, 2, 1]), hidden=3, second_layer="fixed")
    assert (fixed.origin.index, fixed.origin.kind) == (9, "saddle")
    assert fixed.origin == fixed.point(())


@pytest.mark.parametrize("value", [1.0, 0.3, -2.0])
def test_fixed_second_layer_keeps_the_points_of_its_sign(value):
    """μ_i/a > 0 decides (theory, section 3); the levels do not depend on the value."""
    lam = [2.0, 0.9, 0.0, -1.0]
    catalogue = fixed_points(Teacher.from_eigenvalues(lam), 4, second_layer="fixed", second_layer_value=value)
    trained = fixed_points(Teacher.from_eigenvalues(lam), 8)
    expected = [p.learned_modes for p in trained.points if all(mu * value > 1e-9 for mu in p.learned_values)]
    assert [p.learned_modes for p in catalogue.points] == expected
    assert 1 < len(expected) < 16
    for point in catalogue.points:
        assert point.loss == pytest.approx(trained.point(point.learned_modes).loss, rel=1e-14)


@pytest.mark.parametrize(
    ("lam", "hidden", "options"),
    [
        ([3, 2, 1], 2, {}),
        ([2, 1.2, -0.5, -1.8], 2, {}),
        ([2, 1.2, -0.5, -1.8], 3, {"activation": "centred"}),
        ([2, 1.2, -0.5, -1.8], 4, {"second_layer": "fixed"}),
        ([2, 1.2, -0.5, -1.8], 1, {"second_layer": "fixed", "second_layer_value": -0.7}),
    ],
)
def test_constrained_global_minimum_is_the_best_that_training_finds(lam, hidden, options):
    """A student that cannot represent the teacher: 40 descents reach the claimed least loss, and none goes below."""
    catalogue = fixed_points(Teacher.from_eigenvalues(lam), hidden, **options)
    (best,) = [p for p in catalogue.points if p.kind == "global minimum"]
    assert best.loss > 0.1
    rng = np.random.default_rng(0)
    second_layer = catalogue.second_layer or rng.standard_normal(hidden)
    ends = []
    for _ in range(40):
        student = Student(np.zeros((hidden, len(lam))), second_layer, trainable=catalogue.trainable)
        flow = GradientFlow(Problem(catalogue.teacher, student, catalogue.activation), reduce=False)
        start = rng.standard_normal(flow.theta0.size)
        ends.append(
            minimize(flow.loss, start, jac=lambda x, flow=flow: -flow(0, x), method="BFGS", tol=1e-10).fun
        )
    assert min(ends) == pytest.approx(best.loss, rel=1e-9)


def test_a_pair_of_units_is_needed_where_a_learned_value_vanishes():
    """λ = (2, 1, 0), centred, zero mode learned: μ = 0 takes two cancelling units, four in all."""
    teacher = Teacher.from_eigenvalues([2, 1, 0])
    for hidden, feasible in ((3, False), (4, True)):
        point = fixed_points(teacher, hidden, activation="centred").point((0, 1, 2))
        assert point.needed == (3, 1)
        assert point.feasible is feasible


def test_trapping_signs_are_spurious_minima_and_others_are_not():
    """λ = (2, 0.8, −0.3, −1.5), K = 4, n positive units: each sign has learned its strongest modes, or all of them.

    n = 2 learns everything. n = 0: with mode 3 learned T/3 = 2.5/3, so that mode 2 has the positive gain 0.53.
    """
    teacher = Teacher.from_eigenvalues([2, 0.8, -0.3, -1.5])
    trapped = {}
    for n in range(5):
        catalogue = fixed_points(teacher, 4, signs=[1] * n + [-1] * (4 - n))
        for point in catalogue.feasible:
            assert (point.trapping == (n, 4 - n)) == (point.kind == "spurious minimum")
            assert (point.kind == "spurious minimum") == (point.index == 0 and point.loss > 1e-9)
            if point.kind == "spurious minimum":
                trapped[n] = point.learned_modes
    assert trapped == {4: (0, 1), 3: (0, 1, 3), 1: (0, 2, 3), 0: (3,)}


def test_covariance_is_the_catalogue_of_the_whitened_teacher():
    """Same levels and signatures for (M*, Σ) and (FᵀM*F, I); Hessians are congruent (Sylvester)."""
    rng = np.random.default_rng(2)
    F = rng.standard_normal((4, 4))
    Sigma = F @ F.T + 0.1 * np.eye(4)
    Q = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    M = (Q * [2, 1, 0, -1]) @ Q.T
    L = np.linalg.cholesky(Sigma)
    correlated = fixed_points(Teacher.from_matrix(M), 4, covariance=Sigma)
    white = fixed_points(Teacher.from_matrix(L.T @ M @ L), 4)
    np.testing.assert_allclose(losses(correlated), losses(white), rtol=1e-10, atol=1e-10)
    for a, b in zip(correlated.points, white.points, strict=True):
        assert (a.learned_modes, a.index, a.nullity, a.kind) == (b.learned_modes, b.index, b.nullity, b.kind)


def test_repeated_eigenvalues_are_named_once():
    """λ = (1, 1, 1, 0.5): 4 × 2 entries for 16 subsets; c of m equal modes: C(m, c) subsets, a family of c(m − c)."""
    catalogue = fixed_points(Teacher.from_eigenvalues([1, 1, 1, 0.5]), 4)
    assert len(catalogue.points) == 8
    assert sum(p.multiplicity for p in catalogue.points) == 16
    point = catalogue.point((0, 1))
    assert (point.multiplicity, point.family_dimension) == (3, 2)


@pytest.mark.parametrize(
    "options", [{}, {"activation": "centred"}, {"second_layer": "fixed"}, {"signs": "+,+,-,-"}]
)
def test_lowest_is_the_head_of_the_full_list(options):
    teacher = Teacher.from_eigenvalues([3.1, 2, 0.7, -0.4, -1.3, -2.2])
    full = [p for p in fixed_points(teacher, 4, **options).points if p.feasible]
    lowest = fixed_points(teacher, 4, lowest=7, **options)
    assert list(lowest.points) == full[:7]
    assert not lowest.complete
    assert fixed_points(teacher, 4, lowest=1000, **options).complete


def test_large_spectra():
    """r = 40 lazily; d = 10⁵ with its kernel in one entry per number of learned zeros."""
    forty = fixed_points(Teacher.power_law(1, 40), 40, lowest=20)
    assert len(forty.points) == 20
    assert forty.points[0].loss == 0
    # unlearning the weakest mode alone is next: λ² (1 + 1/41)
    assert forty.points[1].loss == pytest.approx(40.0**-2 * (1 + 1 / 41), rel=1e-12)
    huge = fixed_points(Teacher.from_eigenvalues([2, 1], inputs=100_000), 3)
    # sets of non-zero modes, with up to 3 − |S| zeros as well
    assert len(huge.points) == 2 + 3 + 3 + 4
    assert huge.point((0, 2, 3)).multiplicity == 99_998 * 99_997 // 2


def test_json_is_plain_and_complete():
    data = fixed_points(Teacher.from_eigenvalues([2, -1.9]), hidden=1).to_dict()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data["count"] == len(data["fixed_points"]) == 4
    keys = {
        "learned_modes",
        "rank",
        "learned_values",
        "residual_trace",
        "loss",
        "index",
        "nullity",
        "positive",
    }
    keys |= {
        "kind",
        "feasible",
        "reason",
        "multiplicity",
        "family_dimension",
        "manifold_dimension",
        "needed",
        "trapping",
    }
    for entry in data["fixed_points"]:
        assert keys <= entry.keys()
        assert "certified" not in entry
        assert entry["kind"] in KINDS or not entry["feasible"]
    assert data["fixed_points"][1]["trapping"] is None
    assert data["fixed_points"][2]["trapping"] == {"positive": 0, "negative": 1}


def test_problem_and_keywords_agree():
    teacher = Teacher.from_eigenvalues([2, 1, -1])
    student = Student(np.zeros((3, 3)), [0.5] * 3, trainable=False)
    a = fixed_points(Problem(teacher, student, "centred"))
    b = fixed_points(teacher, 3, second_layer="fixed", second_layer_value=0.5, activation="centred")
    assert a.points == b.points
    assert "4 points" in repr(a) and "centred" in repr(a)
    assert len(a.summary().splitlines()) == 5


def test_zero_teacher():
    catalogue = fixed_points(Teacher.from_eigenvalues([0, 0]), 2)
    assert {p.kind for p in catalogue.feasible} == {"global minimum"}


def test_unknown_sets_are_refused():
    catalogue = fixed_points(Teacher.from_eigenvalues([1, 1]), 2)
    with pytest.raises(ProblemError, match="name the first copies"):
        catalogue.point([1])


TEACHER = Teacher.from_eigenvalues([2, 1])


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((TEACHER,), {}, "`hidden` is None"),
        ((TEACHER, 0), {}, "`hidden` is 0"),
        ((TEACHER, 2), {"signs": "+,x"}, "contains 'x'"),
        ((TEACHER, 2), {"signs": [1]}, "names 1 units"),
        ((TEACHER, 2), {"signs": "+,+", "second_layer": "fixed"}, "trained second layer"),
        ((TEACHER, 2), {"second_layer": "frozen"}, "must be one of: trainable, fixed"),
        ((TEACHER, 2), {"second_layer": "fixed", "second_layer_value": 0}, "must differ from 0"),
        ((TEACHER, 2), {"activation": "cubic"}, "`activation` is 'cubic'"),
        ((TEACHER, 2), {"covariance": np.eye(3)}, "dimension 2"),
        ((TEACHER, 2), {"lowest": 0}, "`lowest` is 0"),
        ((Teacher.from_eigenvalues([2, 1], outputs=2), 2), {}, "`outputs` is 2"),
        ((Teacher.power_law(1, 40), 40), {}, "with `lowest`"),
        ((Problem(TEACHER, Student(np.eye(2), [1, 1])), 2), {}, "already has hidden units"),
    ],
)
def test_refusals(arguments, options, message):
    with pytest.raises(ProblemError, match=message):
        fixed_points(*arguments, **options)


def test_table():
    """λ = (2, 1), one unit: L = λ_j² (1 + 1/3) for one mode that is missed, 2² + 1² + 3²/2 for both; in columns.

    (w, a) → (tw, a/t²) is a flat direction of what is learned.
    """
    table = fixed_points(Teacher.from_eigenvalues([2, 1]), 1).summary()
    assert [" ".join(line.split()) for line in table.split("\n")] == [
        "loss learned modes index nullity positive kind",
        "0 {0, 1} not feasible",
        "1.33333 {0} 0 1 2 global minimum",
        "5.33333 {1} 1 1 1 saddle",
        "9.5 {} 2 1 0 saddle",
    ]
    assert len({len(line[: line.find("{")]) for line in table.split("\n")[1:]}) == 1
