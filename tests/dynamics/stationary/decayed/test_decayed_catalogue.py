"""The catalogue under weight decay as a result: JSON, table, sizes, what is refused, families, repeated eigenvalues."""

import json
from collections import Counter
from itertools import product

import numpy as np
import pytest

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.stationary import fixed_points
from dynamics.stationary.connections import saddle_graph
from dynamics.stationary.decayed.trained import _aligned_number
from dynamics.stationary.spectrum import Spectrum

KEYS = {"objective", "branch", "units", "frame", "threshold", "loss", "index", "nullity", "positive", "kind"}


def test_json_of_every_point():
    catalogue = fixed_points(Teacher.from_eigenvalues([2, 1, -1]), 3, weight_decay=(0.1, 0.2))
    data = json.loads(json.dumps(catalogue.to_dict()))
    assert data["count"] == len(catalogue.points) > 20
    for entry, point in zip(data["fixed_points"], catalogue.points, strict=True):
        assert set(entry) >= KEYS
        assert entry["index"] + entry["nullity"] + entry["positive"] == 3 * 4
        learned = entry["learned_modes"]
        assert (
            len(entry["branch"]) == len(entry["units"]) == len(entry["second_layer_values"]) == len(learned)
        )
        assert sorted(i for block in entry["blocks"] for i in block["modes"]) == learned
        assert sum(block["units"] for block in entry["blocks"]) + entry["signs"].count(0) == 3
        signs = np.sign(catalogue.representative(point).a).astype(int)
        assert signs.tolist() == entry["signs"]
        assert entry["needed"] == {"positive": int((signs > 0).sum()), "negative": int((signs < 0).sum())}
        assert entry["residual_trace"] == pytest.approx(
            sum([2, 1, -1][i] for i in range(3) if i not in learned)
        )
        assert entry["trace"] == pytest.approx(2 - sum(entry["learned_values"]))


def test_table_and_columns():
    pd = pytest.importorskip("pandas")
    catalogue = fixed_points(Teacher.from_eigenvalues([2, 1]), 2, weight_decay=0.1)
    head, first, *_ = catalogue.summary().splitlines()
    columns = ["objective", "loss", "learned", "modes,", "units", "index", "nullity", "positive", "kind"]
    assert head.split() == columns
    assert first.split()[:2] == [f"{catalogue.points[0].objective:.6g}", f"{catalogue.points[0].loss:.6g}"]
    frame = catalogue.to_dataframe()
    assert isinstance(frame, pd.DataFrame)
    assert frame["objective"].tolist() == [point.objective for point in catalogue.points]
    assert frame["units"].tolist() == [point.units for point in catalogue.points]
    variables = catalogue.variables()
    assert variables["objective"].unit == variables["loss"].unit != ""
    assert "Catalogue(" in repr(catalogue) and len(repr(catalogue)) < 200
    assert "objective" in catalogue._repr_html_()


def test_points_with_the_same_modes_are_named_by_the_lowest():
    catalogue = fixed_points(Teacher.from_eigenvalues([2, 1]), 2, weight_decay=0.1)
    same = [point.objective for point in catalogue.points if point.learned_modes == (0,)]
    assert catalogue.point([0]).objective == min(same) < max(same)


def test_lowest():
    whole = fixed_points(Teacher.from_eigenvalues([2, 1]), 2, weight_decay=0.1)
    four = fixed_points(Teacher.from_eigenvalues([2, 1]), 2, weight_decay=0.1, lowest=4)
    assert four.points == whole.points[:4]
    assert (whole.complete, four.complete) == (True, False)
    minima = fixed_points(Teacher.from_eigenvalues([2, 1]), 2, weight_decay=0.1, minima=True, lowest=2)
    assert [point.learned_modes for point in minima.points] == [(0, 1), (0,)]
    assert four.origin == whole.origin == minima.origin


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_lowest_of_a_fixed_second_layer(activation):
    """Equal a_k: best first by the shifted teacher, the same as from the whole list; unequal ones from the list."""
    teacher = Teacher.from_eigenvalues([2, 1, 0.3, 0.05, -1])
    for a in ([1.0] * 3, [-0.5] * 2, [1.0, 1.0, 0.0], [1.0, 0.5]):
        student = Student(np.zeros((len(a), 5)), np.array(a), trainable=False)
        problem = Problem(teacher, student, activation, weight_decay=0.3)
        whole = fixed_points(problem)
        for number in (1, 3, 100):
            some = fixed_points(problem, lowest=number)
            assert [p.learned_modes for p in some.points] == [p.learned_modes for p in whole.points[:number]]
            assert some.complete == (number > len(whole.points))
            assert some.origin == whole.origin
    large = fixed_points(
        Teacher.power_law(1, 60), 60, second_layer="fixed", weight_decay=0.11, activation=activation, lowest=3
    )
    assert large.points[0].learned_modes == tuple(range(large.points[0].rank))
    s = 0.11 / (2 * 62) if activation == "quadratic" else 0.11 / 4  # of 14.2
    assert large.points[0].rank == sum(1 / j > s for j in range(1, 61))


def test_reasons():
    """Each kind of descent is named: unlearned modes, exchange, shared modes, lower roots, frames."""
    catalogue = fixed_points(Teacher.from_eigenvalues([2, 1]), 2, weight_decay=0.1)

    def reason(modes, branch, units):
        wanted = (modes, branch, units)
        return next(p for p in catalogue.points if (p.learned_modes, p.branch, p.units) == wanted).reason

    assert reason((1,), ("upper",), (1,)) == "Descends along unlearned modes {0}."
    assert reason((0,), ("upper",), (2,)) == (
        "Descends along unlearned modes {1}. Of the units that share modes {0} one grows, the others decay."
    )
    assert (
        reason((0, 1), ("upper", "lower"), (1, 1)) == "Units on the lower root, of modes {1}, grow or decay."
    )
    exchanged = reason((0, 1), ("lower", "upper"), (1, 1))
    assert exchanged.startswith(
        "Units descend by turning towards modes that others hold. Units on the lower root"
    )
    assert "turning apart" in reason((0, 1), ("upper", "upper"), (2, 2))
    assert "trap" in catalogue.origin.reason


def test_repeated_eigenvalues_are_families():
    """One of two equal modes learned: a circle of directions, two sets of indices; both: rotations of their units."""
    catalogue = fixed_points(Teacher.from_eigenvalues([1, 1]), 2, weight_decay=0.1)
    one, both = catalogue.point([0]), catalogue.point([0, 1])
    assert (one.multiplicity, one.family_dimension, one.manifold_dimension, one.nullity) == (2, 1, 1, 1)
    assert (both.multiplicity, both.manifold_dimension, both.nullity) == (1, 1, 1)
    assert (both.kind, one.kind) == ("global minimum", "spurious minimum")
    lists = [(p.learned_modes, p.branch, p.units) for p in catalogue.points]
    assert len(lists) == len(set(lists))


def test_multiplicity_counts_who_is_on_which_root():
    """λ = (1, 1, 1, 1/2), brute force: all ways to put the three equal modes on no root, the lower or the upper one."""
    catalogue = fixed_points(
        Teacher.from_eigenvalues([1, 1, 1, 0.5]), 4, activation="centred", weight_decay=0.1
    )
    ways = Counter(tuple(sorted(roots)) for roots in product(("", "lower", "upper"), repeat=3))
    seen = set()
    for point in catalogue.points:
        if not point.frame and max(point.units, default=1) == 1:
            of_three = [root for i, root in zip(point.learned_modes, point.branch, strict=True) if i < 3]
            roots = tuple(sorted(of_three + [""] * (3 - len(of_three))))
            assert point.multiplicity == ways[roots]
            seen.add(point.multiplicity)
    assert seen == {1, 3, 6}


@pytest.mark.parametrize(("copies", "hidden"), [(2, 4), (4, 6)])
def test_units_that_share_an_eigenspace_are_listed_once(copies, hidden):
    """Units of one γ on equal eigenvalues are one entry, however they are split: no two entries are alike.

    Entries differ in R by the choice of roots and units, on lower roots by 1e-11; two names of one do by 1e-15.
    """
    teacher = Teacher.from_eigenvalues([1.0] * copies)
    points = fixed_points(teacher, hidden, activation="centred", weight_decay=0.2).points
    objectives = np.array([point.objective for point in points])
    assert np.diff(objectives).min() > 1e-13
    assert any(point.frame for point in points)


def test_two_roots_that_meet():
    """λ = θ: s = 0, one zero eigenvalue beside no negative one, and R descends at third order along it."""
    theta = (12 * 2 * 0.1**3) ** 0.25 / 3
    catalogue = fixed_points(Teacher.from_eigenvalues([theta]), 1, activation="centred", weight_decay=0.1)
    folds = [point for point in catalogue.points if point.learned_modes]
    assert {(point.index, point.nullity, point.kind) for point in folds} == {(0, 1, "degenerate saddle")}
    assert all(point.degenerate and "third order" in point.reason for point in folds)
    student = catalogue.representative(folds[0])
    objective = Problem(catalogue.teacher, student, "centred", weight_decay=0.1).objective
    h, Q = np.linalg.eigh(objective.hessian(student.W, student.A))
    slow = Q[:, np.argmin(np.abs(h))]
    changes = [
        objective.loss(student.W + t * slow[0], student.A + t * slow[1]) - folds[0].objective
        for t in (0.02, -0.02)
    ]
    assert min(changes) < -1e-9 < 1e-9 < max(changes)


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_a_minimum_that_is_hardly_worse_is_a_spurious_one(decay, unit):
    """One unit of λ = (1, −1 + δ): to learn the other sign costs 2δ more, which is not rounding; nothing leads back.

    Whatever the units of the teacher are: λ → cλ with ρ → c^{4/3}ρ.
    """
    teacher = Teacher.from_eigenvalues([unit, unit * (-1 + 5e-12)])
    catalogue = fixed_points(teacher, 1, activation="centred", weight_decay=decay * unit ** (4 / 3))
    found = {
        (p.learned_modes, p.kind) for p in catalogue.points if p.learned_modes and "minimum" in (p.kind or "")
    }
    assert found == {((0,), "global minimum"), ((1,), "spurious minimum")}


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
def test_a_saddle_that_is_hardly_above_the_minimum_is_a_saddle(unit):
    """Two units of λ = (1, 1e-6): the weak mode adds 1e-12 to the loss, from which there is a way down to 0."""
    catalogue = fixed_points(Teacher.from_eigenvalues([unit, 1e-6 * unit]), 2, activation="centred")
    assert {(p.learned_modes, p.kind) for p in catalogue.points} == {
        ((0, 1), "global minimum"),
        ((0,), "saddle"),
        ((1,), "saddle"),
        ((), "saddle"),
    }


def test_a_tight_frame_of_equal_modes():
    """Three units on two equal modes: the Mercedes star, ‖w‖² and Σ a wwᵀ = μI; a family of one angle."""
    catalogue = fixed_points(Teacher.from_eigenvalues([1, 1]), 3, weight_decay=0.1)
    (frame,) = [p for p in catalogue.points if p.frame and set(p.branch) == {"upper"} and set(p.units) == {3}]
    for seed in (None, 0, 1):
        student = catalogue.representative(frame, seed)
        norms = np.sum(student.W**2, axis=1)
        np.testing.assert_allclose(norms, norms[0])
        cosines = student.W @ student.W.T / norms[0]
        np.testing.assert_allclose(np.abs(cosines[np.triu_indices(3, 1)]), 0.5, atol=1e-12)
        np.testing.assert_allclose(
            (student.W.T * student.a) @ student.W, frame.learned_values[0] * np.eye(2), atol=1e-12
        )
    assert frame.manifold_dimension == frame.nullity == 1


def test_zero_eigenvalues_and_large_kernels():
    """Modes of eigenvalue 0 see the trace too; a kernel of 10⁵ directions costs nothing, and counts in the index."""
    teacher = Teacher.from_eigenvalues([1.0], inputs=100_000)
    catalogue = fixed_points(teacher, 1, weight_decay=0.1)
    held = [p for p in catalogue.points if p.learned_modes == (1,)]
    assert {p.branch for p in held} == {("upper",), ("lower",)}
    for point in held:
        # descends towards mode 0; on the lower root also by its size; rotations in the kernel leave it alone
        assert point.index == 1 + (point.branch == ("lower",))
        assert point.nullity == 99_998
        assert point.multiplicity == 99_999


def test_units_of_a_fixed_second_layer_at_zero():
    """a_k = 0: the unit decays, w = 0, and adds d positive eigenvalues ρ."""
    teacher, a = Teacher.from_eigenvalues([2.0, 1.0]), np.array([1.0, 0.0])
    student = Student(np.zeros((2, 2)), a, trainable=False)
    catalogue = fixed_points(Problem(teacher, student, weight_decay=0.1))
    alone = fixed_points(teacher, 1, second_layer="fixed", weight_decay=0.1)
    assert [(p.learned_modes, p.index) for p in catalogue.points] == [
        (p.learned_modes, p.index) for p in alone.points
    ]
    assert [p.positive for p in catalogue.points] == [p.positive + 2 for p in alone.points]


def test_sizes_are_refused_before_they_are_tried():
    for call in (
        {"teacher": Teacher.power_law(1, 100), "hidden": 100},
        {"teacher": Teacher.power_law(1, 8), "hidden": 8},
        {"teacher": Teacher.from_eigenvalues([1.0]), "hidden": 10**7},
        {"teacher": Teacher.power_law(1, 30), "hidden": 4, "second_layer": "fixed"},
    ):
        with pytest.raises(ProblemError, match=r"more than 20000 (types of points|sets of modes)"):
            fixed_points(**call, weight_decay=0.1)
    with pytest.raises(ProblemError, match="The list of minima"):
        fixed_points(Teacher.power_law(1, 1000), 1000, weight_decay=0.1, minima=True)


def test_minima_of_a_large_student():
    """d = K = 12: one minimum for each number of learned modes, down to those too weak to be learned."""
    catalogue = fixed_points(
        Teacher.power_law(1, 12), 12, activation="centred", weight_decay=0.15, minima=True
    )
    threshold = (12 * 2 * 0.15**3) ** 0.25 / 3
    learnable = sum(1 / j >= threshold for j in range(1, 13))
    assert 0 < learnable < 12
    assert sorted(p.learned_modes for p in catalogue.points) == [
        tuple(range(r)) for r in range(learnable + 1)
    ]


def test_minima_without_decay():
    catalogue = fixed_points(Teacher.from_eigenvalues([2, -1.9]), 1, minima=True)
    assert [(p.learned_modes, p.kind) for p in catalogue.points] == [
        ((0,), "global minimum"),
        ((1,), "spurious minimum"),
    ]
    assert not catalogue.complete


def test_what_is_refused():
    teacher = Teacher.from_eigenvalues([2, 1])
    with pytest.raises(ProblemError, match="`signs` is '\\+,\\+', but with weight decay every spare unit"):
        fixed_points(teacher, 2, weight_decay=0.1, signs="+,+")
    with pytest.raises(ProblemError, match="`covariance` is given beside `weight_decay`"):
        fixed_points(teacher, 2, weight_decay=0.1, covariance=np.diag([1.0, 2.0]))
    with pytest.raises(ProblemError, match="`lowest`"):
        fixed_points(teacher, 2, weight_decay=0.1, lowest=0)
    with pytest.raises(ProblemError, match=r"`weight_decay` is 0\.1, but connections are known only without"):
        saddle_graph(fixed_points(teacher, 2, weight_decay=0.1))
    with pytest.raises(ProblemError, match="second layer"):
        fixed_points(teacher, 2, second_layer="fixed", weight_decay=(0.1, 0.1))


@pytest.mark.parametrize("rates", [1e-100, 1e100, (1e-200, 0.1), (1e10, 1e240)])
def test_rates_that_double_precision_cannot_hold(rates):
    with pytest.raises(ProblemError, match=r"must be 0 or lie between 1e-50 and 1e\+50"):
        fixed_points(Teacher.from_eigenvalues([2, 1]), 2, weight_decay=rates)


@pytest.mark.parametrize("rho", [1e-40, 1e-12, 1e-6])
def test_tiny_rates(rho):
    """One global minimum, though frames are higher by less than rounding; every plateau of the largest λ a minimum."""
    catalogue = fixed_points(Teacher.from_eigenvalues([2, 1]), 2, weight_decay=rho)
    minima = [(p.learned_modes, p.kind) for p in catalogue.points if "minimum" in p.kind]
    assert sorted(minima) == [
        ((), "spurious minimum"),
        ((0,), "spurious minimum"),
        ((0, 1), "global minimum"),
    ]
    assert all(point.index >= 1 for point in catalogue.points if point.frame)


@pytest.mark.parametrize("c", [1e-9, 1e9])
@pytest.mark.parametrize(("lam", "hidden"), [([4, 2, 1], 3), ([2, -1.9], 2), ([1, 1, 0], 2)])
def test_units_of_the_teacher_do_not_matter(c, lam, hidden):
    """λ → cλ, θ → c^{1/3}θ: L → c²L, and so is the penalty with ρ → c^{4/3}ρ."""
    plain = fixed_points(Teacher.from_eigenvalues(lam), hidden, weight_decay=0.1)
    scaled = fixed_points(
        Teacher.from_eigenvalues((c * np.array(lam)).tolist()), hidden, weight_decay=0.1 * c ** (4 / 3)
    )
    # Points of nearly equal objective may change places.
    names = [
        sorted((p.learned_modes, p.branch, p.units, p.index, p.kind) for p in k.points)
        for k in (plain, scaled)
    ]
    assert names[0] == names[1]
    objectives = [sorted(p.objective for p in k.points) for k in (plain, scaled)]
    np.testing.assert_allclose(np.array(objectives[1]) / c**2, objectives[0], rtol=1e-12)


@pytest.mark.parametrize("hidden", [1, 2, 4])
def test_number_of_aligned_choices_by_hand(hidden):
    """Centred, one λ > 0: none, or n ≤ K units at one of two roots, 1 + 2K; λ = (1, −1): pairs with n + m ≤ K."""
    one = Spectrum.of(Teacher.from_eigenvalues([1.0]))
    assert _aligned_number(one, [1], 0.0, hidden) == 1 + 2 * hidden
    pairs = sum((2 if n else 1) * (2 if m else 1) for n in range(hidden + 1) for m in range(hidden + 1 - n))
    assert _aligned_number(Spectrum.of(Teacher.from_eigenvalues([1.0, -1.0])), [1, 1], 0.0, hidden) == pairs


def test_the_table_says_which_units_hold_the_modes():
    """Of λ = (2, 1) and two units: one each, one unit on the lower root, both for one mode, both turned between two."""
    table = fixed_points(Teacher.from_eigenvalues([2, 1]), 2, weight_decay=0.05).summary().splitlines()
    assert "learned modes, units" in table[0]
    cells = [line.partition("{")[2].rpartition("  0  ")[0].split("  ", 1) for line in table[1:]]
    held = {("{" + modes.strip(), units.split("   ")[0].strip()) for modes, units in cells}
    assert {
        ("{0, 1}", "1 + 1"),
        ("{0, 1}", "2 shared"),
        ("{0, 1}", "1 lower + 1"),
        ("{0}", "2 lower"),
    } <= held
    assert table[9].split("{")[1].split()[0] == "}"
