"""What the learning-curve figure does with bands, floors, levels and markers: made-up curves, numbers known."""

from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from drawn import assert_aligned, assert_decades

from dynamics import GradientFlow, MeanSGD, Problem, Student, Teacher
from dynamics.activations import Activation
from dynamics.curves.passing import visited_sets
from dynamics.curves.stages import Stage
from dynamics.problem.mode_numbers import mode_numbers
from dynamics.problem.plateaus import plateaus
from empirical.comparison import Comparison
from empirical.training_run import TrainingRun
from figures.curve_names import clear_levels
from figures.learning_curve import learning_curves
from figures.markers import markers_along
from figures.plateau_levels import waiting_levels

T = np.linspace(0, 4, 41)
PROBLEM = Problem(Teacher.from_eigenvalues([4, 2, 1], 3), Student.initialise(3, 3, scale=0.1, seed=1))
SCALES = np.arange(1, 12)[:, None] / 6  # eleven networks: deciles are the 2nd, 6th and 10th
LEVELS = (45.5, 8.0, 1.25)  # L_∅, L_{1}, L_{1,2} (theory, section 3)


@pytest.fixture(scope="module")
def trajectory():
    """Modes reach 4, 2, 1 one after the other; the loss falls by a decade per unit of time."""
    flow = GradientFlow(PROBLEM).integrate(times=T)
    growth = np.clip(T[:, None] - [0, 1, 2], 0, 1)
    return replace(flow, loss=45.5 * 10.0**-T, modes=growth * [4, 2, 1])


def waiting(trajectory, *sets):
    """The same, found to wait at the levels of these sets of columns one after the other."""
    problem = trajectory.problem
    lam = problem.mode_targets
    numbers = mode_numbers(lam, problem.inputs)
    stages = []
    for n, columns in enumerate(sets):
        level = plateaus(problem)(lam, columns)
        level = replace(level, learned=tuple(int(numbers[i]) for i in columns))
        stages.append(Stage(n, n + 0.5, level.loss, level.learned, level, 0.0))
    found = replace(trajectory)
    found.__dict__["stages"] = tuple(stages)  # instead of those that are found on first use
    return found


ONE_BY_ONE = ((), (0,), (0, 1), (0, 1, 2))


def networks(trajectory, **about):
    loss, modes = SCALES * trajectory.loss, SCALES[..., None] * trajectory.modes
    return TrainingRun(
        np.arange(41), T, loss, modes, np.zeros((11, 41, 3)), None, np.ones((11, 41, 1, 3)), "x", about
    )


def labelled(axes, start):
    """The artist whose legend entry starts so."""
    (found,) = [a for a in [*axes.lines, *axes.collections] if str(a.get_label()).startswith(start)]
    return found


def band(collection):
    """Lower and upper edge at the times of the samples."""
    vertices = collection.get_paths()[0].vertices
    low, high = np.full(41, np.inf), np.full(41, -np.inf)
    for t, y in vertices:
        n = int(np.abs(T - t).argmin())
        low[n], high[n] = min(low[n], y), max(high[n], y)
    return low, high


def test_bands_are_deciles_and_markers_medians(trajectory):
    """Networks are 1/6, 2/6, …, 11/6 times the theory: 10 % is 2/6, the median 1, 90 % is 10/6; losses and modes."""
    above, below = learning_curves(trajectory, networks(trajectory)).axes
    low, high = band(labelled(above, "networks: 10–90 %"))
    np.testing.assert_allclose(low, trajectory.loss / 3)
    np.testing.assert_allclose(high, trajectory.loss * 10 / 6)
    t, median = labelled(above, "networks: median of 11").get_data()
    np.testing.assert_allclose(median, 45.5 * 10.0**-t)
    np.testing.assert_array_equal(t, T[markers_along(T, np.log10(trajectory.loss), 24)])
    for i, shade in enumerate(below.collections):
        low, high = band(shade)
        np.testing.assert_allclose(low, trajectory.modes[:, i] / 3, atol=1e-12)
        np.testing.assert_allclose(high, trajectory.modes[:, i] * 10 / 6, atol=1e-12)
    markers = [line for line in below.lines if line.get_linestyle() == "None"]
    assert len(below.collections) == len(markers) == 3
    assert len({line.get_marker() for line in markers}) == 3
    for i, line in enumerate(markers):
        t, y = line.get_data()
        np.testing.assert_array_equal(t, T[markers_along(T, trajectory.modes[:, i], 24)])
        np.testing.assert_allclose(y, trajectory.modes[np.searchsorted(T, t - 1e-9), i], atol=1e-12)


def test_modes_have_their_eigenvalues_beside_them(trajectory):
    below = learning_curves(trajectory).axes[1]
    heights = [line.get_ydata()[0] for line in below.lines if len(line.get_ydata()) == 2]
    assert heights == [4, 2, 1]
    assert [(t.get_text(), t.xy) for t in below.texts] == [
        ("$\\lambda_{1} = 4$", (1.0, 4)),
        ("$\\lambda_{2} = 2$", (1.0, 2)),
        ("$\\lambda_{3} = 1$", (1.0, 1)),
    ]
    assert below.get_ylabel() == r"teacher modes $v_i^\top M v_i$"


def test_the_six_largest_modes_are_shown():
    """Of eight eigenvalues the smallest two, ±½, are left out."""
    teacher = Teacher.from_eigenvalues([4, 3, 2, 1, 0.5, -0.5, -1.5, -5])
    flow = GradientFlow(teacher, Student.initialise(3, 8, scale=0.1)).integrate(times=[0, 0.1, 0.2])
    below = learning_curves(flow).axes[1]
    *shown, rest = [text.get_text() for text in below.texts]
    assert rest == "and 2 more"
    assert [text.split("= ")[1] for text in shown] == ["4$", "3$", "2$", "1$", "-1.5$", "-5$"]
    assert shown[-1].startswith("$\\lambda_{8}")


def test_axes_hold_six_decades_at_most(trajectory):
    """Room below and above: a factor 1.5, and 2. What networks have below the theory is shown too."""
    axes, below = learning_curves(trajectory).axes
    assert axes.get_ylim() == pytest.approx((45.5e-4 / 1.5, 2 * 45.5))
    assert below.get_xlim() == (0, 4)
    assert (axes.get_yscale(), axes.get_ylabel()) == ("log", "loss $L$ (squared output units)")
    run = networks(trajectory)
    better = replace(run, loss=run.loss / 10)
    assert learning_curves(trajectory, better).axes[0].get_ylim()[0] == pytest.approx(45.5e-5 / 1.5)
    deep = replace(trajectory, loss=45.5 * 10.0 ** (-2 * T))
    axes = learning_curves(deep, replace(run, loss=SCALES * deep.loss)).axes[0]
    assert axes.get_ylim() == pytest.approx((45.5e-6 / 1.5, 2 * 45.5))
    t, median = labelled(axes, "networks: median").get_data()
    assert t.max() == pytest.approx(3)  # where the loss has fallen by six decades
    assert median.min() == pytest.approx(45.5e-6)


def test_a_curve_that_waits_nowhere_has_no_levels(trajectory):
    """It passes 8 and 1.25 without a stop: a line there would be through empty space."""
    assert not trajectory.stages
    axes = learning_curves(trajectory).axes[0]
    assert not axes.texts
    assert not [line for line in axes.lines if len(line.get_ydata()) == 2]


def test_a_plateau_that_fits_no_level_has_the_nearest(trajectory):
    """Modes learn 4, 2, 1 in turn: 6.5 is nearer to L_{1} = 8 than to 1.25; 3.3 is a factor of 2.4 from either."""
    for height, names in ((6.5, ["$L_{\\{1\\}}$ = 8"]), (3.3, [])):
        found = replace(trajectory)
        found.__dict__["stages"] = (Stage(1.0, 1.5, height, (0,)),)
        assert [text.get_text() for text in learning_curves(found).axes[0].texts] == names


def test_the_level_on_which_a_curve_ends_is_drawn():
    """Four units learn two modes of three: the loss ends at 1.25 to eight digits, not below."""
    start = Student.initialise(4, 3, scale=0.03, seed=1)
    flow = GradientFlow(Teacher.from_eigenvalues([4, 2, 1]), start).integrate(t_end=14.0)
    assert flow.loss.min() == pytest.approx(1.25, rel=1e-6)
    names = [text.get_text() for text in learning_curves(flow).axes[0].texts]
    assert names == ["$L_{∅}$ = 45.5", "$L_{\\{1\\}}$ = 8", "$L_{\\{1,\\,2\\}}$ = 1.25"]


def test_levels_at_which_the_curve_waits(trajectory):
    """Dotted at L_S, named at the right; one nearer than a factor 1.5 to the one above has no room."""
    axes = learning_curves(waiting(trajectory, *ONE_BY_ONE)).axes[0]
    dotted = [line.get_ydata()[0] for line in axes.lines if len(line.get_ydata()) == 2]
    np.testing.assert_allclose(dotted, LEVELS)
    assert [text.get_text() for text in axes.texts] == [
        "$L_{∅}$ = 45.5",
        "$L_{\\{1\\}}$ = 8",
        "$L_{\\{1,\\,2\\}}$ = 1.25",
    ]
    assert [text.xy for text in axes.texts] == [(1.0, level) for level in LEVELS]
    shallow = waiting(replace(trajectory, loss=np.linspace(45.5, 7.9, 41)), *ONE_BY_ONE)
    assert len(learning_curves(shallow).axes[0].texts) == 2
    # λ = (4, 0.5, 0.4): L_{1,2} = 0.2133 beside L_{1} = 0.68; λ = (4, 0.4, 0.3): 0.12 beside 0.413
    close = Teacher.from_eigenvalues([4, 0.3, 0.29], 3)
    flow = GradientFlow(close, PROBLEM.student).integrate(times=T)
    both = np.clip(T[:, None] - [0, 1, 2], 0, 1) * [4, 0.3, 0.29]
    apart = waiting(replace(flow, loss=trajectory.loss, modes=both), *ONE_BY_ONE)
    names = [t.get_text() for t in learning_curves(apart).axes[0].texts]
    assert [name.split(" =")[0] for name in names] == [
        "$L_{∅}$",
        "$L_{\\{1\\}}$",
        "$L_{\\{1,\\,2\\}}$",
    ]


def test_levels_of_the_centred_activation(trajectory):
    """Without the coupling of traces L_S is the sum of λ² over what is not learned: 21, 5, 1 for λ = (4, 2, 1)."""
    centred = replace(
        trajectory, problem=replace(PROBLEM, activation="centred", teacher_activation="centred")
    )
    axes = learning_curves(waiting(centred, *ONE_BY_ONE)).axes[0]
    np.testing.assert_allclose([text.xy[1] for text in axes.texts], [21, 5, 1])
    assert [text.get_text().split("= ")[1] for text in axes.texts] == ["21", "5", "1"]


@pytest.mark.parametrize("activation", ["relu", "abs"])
def test_no_levels_where_none_are_known(trajectory, activation):
    other = replace(
        trajectory, problem=replace(PROBLEM, activation=activation, teacher_activation=activation)
    )
    assert not learning_curves(other).axes[0].texts


def test_sets_in_the_order_of_learning(trajectory):
    """Learned is what is above half of its eigenvalue."""
    assert visited_sets(trajectory) == [(), (0,), (0, 1), (0, 1, 2)]
    backwards = replace(trajectory, modes=trajectory.modes[:, ::-1] * [4, 1, 0.25])
    assert visited_sets(backwards) == [(), (2,), (1, 2), (0, 1, 2)]
    half = replace(trajectory, modes=np.array([[2, 1, 0.5], [2.1, 0, 0]] + [[0, 0, 0]] * 39))
    assert visited_sets(half) == [(), (0,)]


def test_predicted_spread_is_the_decile_of_a_normal_distribution():
    """Edges at ∓1.2816 standard deviations (the ninth decile), the lower one not below a tenth of the axis."""
    mean = MeanSGD(PROBLEM, 1e-3, 8).integrate(times=T)
    spread = np.where(T < 2, 0.1, 10.0)
    figure = learning_curves(replace(mean, loss=10 - T, loss_std=spread))
    axes = figure.axes[0]
    edges = [line for line in axes.lines if line.get_linestyle() == "--" or line.get_linewidth() == 0.7]
    edges = [line.get_ydata() for line in edges if len(line.get_ydata()) == 41]
    np.testing.assert_allclose(edges[0], np.maximum(10 - T - 1.2816 * spread, 0.6))
    np.testing.assert_allclose(edges[1], 10 - T + 1.2816 * spread)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["theory: mean of SGD", "theory: 10–90 %"]
    alone = learning_curves(mean).axes[0]
    assert not any(line.get_linewidth() == 0.7 and len(line.get_ydata()) == 41 for line in alone.lines)


@pytest.mark.parametrize("theory", ["flow", "modified", "sgd", "adam"])
def test_the_legend_names_the_theory(trajectory, theory):
    names = {
        "flow": "gradient flow",
        "modified": "modified flow",
        "sgd": "mean of SGD",
        "adam": "flow of Adam",
    }
    run = networks(trajectory)
    figure = learning_curves(Comparison(trajectory, run, None, theory))
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == [f"theory: {names[theory]}", "networks: 10–90 %", "networks: median of 11"]
    other = learning_curves(Comparison(trajectory, run, None, theory), theory="mine")
    assert other.legends[0].get_texts()[0].get_text() == "theory: mine"


def test_times_are_drawn_as_they_are(trajectory):
    """They are those of the flow, whatever the momentum; the axis says so."""
    axes, below = learning_curves(trajectory, networks(trajectory, momentum=0.5)).axes
    assert labelled(axes, "networks: median").get_xdata().max() == 4
    assert below.get_xlabel() == "time $t$ of the flow"


def test_markers_are_evenly_spaced_along_the_curve():
    """Half of the curve's length is a drop at t = ½: half of the markers are there, first and last always."""
    t = np.linspace(0, 1, 1001)
    y = np.where(t < 0.5, 1.0, 0.0)
    shown = markers_along(t, y, 9)
    np.testing.assert_array_equal(shown[[0, -1]], [0, 1000])
    assert len(shown) <= 7  # three of nine fall onto the sample after the drop
    straight = markers_along(t, t, 11)
    np.testing.assert_allclose(straight, np.arange(0, 1001, 100), atol=1)  # up to rounding
    flat = markers_along(t, 0 * t, 5)
    np.testing.assert_allclose(t[flat], [0, 0.25, 0.5, 0.75, 1], atol=1.1e-3)
    parabola = markers_along(t, 4 * t**2, 3)  # twice as steep: drawn to its own height all the same
    np.testing.assert_array_equal(parabola, markers_along(t, t**2, 3))
    longer = markers_along(64 * t, y + t, 9)  # nor does the unit of time matter: powers of 2 round alike
    np.testing.assert_array_equal(longer, markers_along(t, y + t, 9))


def test_linear_networks_have_linear_modes():
    problem = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(2, 2, scale=0.1), "linear")
    axes, below = learning_curves(GradientFlow(problem).integrate(times=[0, 1, 2])).axes
    assert below.get_ylabel() == r"teacher modes $v_i^\top \sum_k a_k w_k$"
    assert not axes.texts  # levels are known for quadratic units


def test_modes_are_called_by_their_places_among_all_eigenvalues():
    """λ = 4, −2 in five dimensions: the second one is the fifth; so is it in the names of the levels."""
    problem = Problem(Teacher.from_eigenvalues([4, -2], 5), Student.initialise(3, 5, scale=0.1, seed=1))
    flow = GradientFlow(problem).integrate(times=T)
    made_up = replace(flow, loss=45.5 * 10.0**-T, modes=np.clip(T[:, None] - [0, 1], 0, 1) * [4, -2])
    above, below = learning_curves(waiting(made_up, (), (0,), (0, 1))).axes
    assert [t.get_text() for t in below.texts] == ["$\\lambda_{1} = 4$", "$\\lambda_{5} = -2$"]
    names = [t.get_text().partition(" =")[0] for t in above.texts]
    assert names == ["$L_{∅}$", "$L_{\\{1\\}}$"]  # the last level, {1,5}, is zero
    assert visited_sets(made_up)[-1] == (0, 1)


def test_without_modes_overlaps_and_norms_are_shown():
    """Not homogeneous: the best |cosine| of any unit with either direction, and the largest and the smallest unit.

    Bands are the deciles of eleven networks; their overlaps are negative, but it is the size that counts.
    """
    mixed = Activation("mixed", "φ(w·x) = z + z²/2", lambda z, q: z + 0.5 * z**2, degree=None, parity=None)
    student = Student([[0.5, 0.0], [0.0, 0.1], [0.2, 0.2]], [0.1, 0.1, 0.1])
    flow = GradientFlow(Problem(Teacher.from_eigenvalues([2, 1]), student, mixed)).integrate(times=T)
    norms = np.linalg.norm(flow.W, axis=-1)
    cosines = flow.W / norms[..., None]  # the directions of the teacher are the axes
    of_networks = 1 + np.arange(11.0)[:, None, None] * np.ones((11, 41, 3))
    overlaps = -of_networks[..., None] * [0.05, 0.02] * np.array([0.3, 1, 0.9])[:, None]
    run = replace(
        networks(flow), modes=np.zeros((11, 41, 0)), conserved=None, norms=of_networks, overlaps=overlaps
    )
    _, middle, below = learning_curves(flow, run).axes
    theories = {
        middle: [np.abs(cosines[..., m]).max(axis=1) for m in range(2)],
        below: [norms[:, norms[-1].argmin()], norms[:, norms[-1].argmax()]],
    }
    assert norms[-1].argmax() != norms[-1].argmin()
    edges = {middle: [(2 * c, 6 * c, 10 * c) for c in (0.05, 0.02)], below: 2 * [(2, 6, 10)]}
    for panel, theory in theories.items():
        drawn = [line for line in panel.lines if len(line.get_ydata()) == 41]
        np.testing.assert_allclose([line.get_ydata() for line in drawn], theory, rtol=1e-12)
        markers = [line for line in panel.lines if line.get_linestyle() == "None"]
        assert len(panel.collections) == len(markers) == 2
        for shade, line, (low, median, high) in zip(panel.collections, markers, edges[panel], strict=True):
            np.testing.assert_allclose(band(shade), [np.full(41, low), np.full(41, high)])
            np.testing.assert_allclose(line.get_ydata(), median)
    assert [text.get_text() for text in middle.get_legend().get_texts()] == ["$v_{1}$", "$v_{2}$"]
    assert middle.get_ylabel() == "largest overlap"
    assert below.get_ylabel() == r"norms $\|w_k\|$"
    assert below.get_xlabel() == "time $t$ of the flow"
    assert [text.get_text() for text in below.get_legend().get_texts()] == [
        "smallest at the end",
        "largest at the end",
    ]
    alone = learning_curves(flow).axes
    assert not any(panel.collections for panel in alone[1:])


def test_a_single_unit_has_one_norm():
    """Largest and smallest are the same; a teacher with another activation has no modes either."""
    problem = Problem(
        Teacher.from_eigenvalues([2]), Student([[0.5]], [0.1]), "relu", teacher_activation="abs"
    )
    below = learning_curves(GradientFlow(problem).integrate(times=T)).axes[2]
    assert len(below.lines) == 1


def test_a_level_close_below_another_is_left_out():
    """Centred, so that L_S is the sum of λ² over what is not learned: of 0.3, …, 0.3 (seven) it falls by less than a
    factor of 1.5 at first. Measured from the last level that is drawn.
    """
    lam = np.array([4.0, *(0.3 - 0.001 * np.arange(7))])
    problem = Problem(Teacher.from_eigenvalues(lam), Student.initialise(3, 8, scale=0.1), "centred")
    growth = np.clip(2 * T[:, None] - np.arange(8), 0, 1)
    flow = replace(GradientFlow(problem).integrate(times=T), loss=16 * 10.0 ** (-2 * T), modes=growth * lam)
    levels = [np.sum(lam[n:] ** 2) for n in range(8)]
    drawn = [levels[0]]
    for level in levels[1:]:
        if level < drawn[-1] / 1.5:
            drawn.append(level)
    assert 3 < len(drawn) < 7  # some are left out, and one after them is not
    axes = learning_curves(waiting(flow, *(tuple(range(n)) for n in range(8)))).axes[0]
    np.testing.assert_allclose([text.xy[1] for text in axes.texts], drawn)
    dotted = [line.get_ydata()[0] for line in axes.lines if len(line.get_ydata()) == 2]
    np.testing.assert_allclose(dotted, drawn)


def test_bars_of_the_plateaus_that_are_known():
    """From start to end at the height of the theory; none for a stage that fits no level, or lies below the axis."""
    flow = GradientFlow(PROBLEM).integrate(t_end=40.0, samples=400)
    stages = [s for s in flow.stages if s.level is not None and s.level.loss > max(flow.loss[-1], 45.5e-6)]
    assert stages
    for result, expected in ((flow, stages), (replace(flow, loss=np.full(400, 30.0)), [])):
        axes = learning_curves(result).axes[0]
        bars = [c.get_segments()[0] for c in axes.collections if hasattr(c, "get_segments")]
        assert [bar.tolist() for bar in bars] == [
            [[s.start, s.level.loss], [s.end, s.level.loss]] for s in expected
        ]
        assert axes.get_legend_handles_labels()[1].count("theory: plateaus") == bool(
            expected
        )  # one entry for all


def test_panels_share_their_time_and_their_margin(trajectory):
    figure = learning_curves(trajectory, networks(trajectory))
    above, below = figure.axes
    assert_decades(above.yaxis)
    assert all(text.get_annotation_clip() is False for text in below.texts)
    lines = [line for line in below.lines if len(line.get_ydata()) == 41]
    assert len({str(line.get_linestyle()) for line in lines}) == 3
    assert_aligned(figure, above, below)
    above.set_xlim(1, 2)
    assert below.get_xlim() == (1, 2)


def test_curves_of_zero_loss(trajectory):
    """Everything is learned from the start, in theory and in training: a linear axis, no warning of a logarithm."""
    zero = replace(trajectory, loss=np.zeros(41), modes=np.full((41, 3), [4.0, 2, 1]))
    figure = learning_curves(zero, networks(zero))
    assert figure.axes[0].get_yscale() == "linear"
    figure.draw_without_rendering()


def test_a_single_sample_has_a_marker():
    np.testing.assert_array_equal(markers_along(np.array([3.0]), np.array([2.0]), 24), [0])
    np.testing.assert_array_equal(markers_along(np.array([3.0, 3.0]), np.array([2.0, 2.0]), 24), [0])


def extents(texts):
    return [text.get_window_extent() for text in texts]


def test_names_of_many_modes_keep_their_distance():
    """λ_j = 1/j, j = 1 … 12: the sixth, 1/6, and 1/5 are closer than the height of their names on the panel."""
    problem = Problem(Teacher.power_law(1.0, 12), Student.initialise(2, 12, scale=0.1))
    figure = learning_curves(GradientFlow(problem).integrate(times=[0, 0.5, 1]))
    figure.draw_without_rendering()
    below = figure.axes[1]
    boxes = extents(below.texts)
    assert [t.get_text() for t in below.texts][-2:] == ["$\\lambda_{6} = 0.1667$", "and 6 more"]
    assert all(upper.y0 > lower.y0 + 7 / 72 * figure.dpi for upper, lower in pairwise(boxes))
    assert (
        boxes[0].y0 < below.transData.transform((0, 1))[1] < boxes[0].y1
    )  # the first one stays where it belongs


def test_equal_eigenvalues_are_named_in_their_order():
    problem = Problem(Teacher.from_eigenvalues([1, 1, 1]), Student.initialise(2, 3, scale=0.1))
    below = learning_curves(GradientFlow(problem).integrate(times=[0, 0.5, 1])).axes[1]
    heights = [text.get_position()[1] for text in below.texts]
    np.testing.assert_allclose(heights, [8, 0, -8], atol=1e-9)


def test_names_of_levels_keep_off_the_curve(trajectory):
    """Levels that are passed late are named at the left, below; of a name that is too long the number is left."""
    late = replace(trajectory, loss=45.5 * 10.0 ** (-3 * (T / 4) ** 16), modes=trajectory.modes)
    figure = learning_curves(waiting(late, *ONE_BY_ONE))
    figure.draw_without_rendering()
    above = figure.axes[0]
    curve = above.transData.transform(np.column_stack([T, late.loss]))
    assert [text.get_ha() for text in above.texts] == ["right", "left", "left"]
    for box in extents(above.texts)[1:]:
        heights = curve[(curve[:, 0] > box.x0) & (curve[:, 0] < box.x1), 1]
        assert heights.size and heights.min() > box.y1
    middle = replace(trajectory, loss=np.where(T < 2, 45.5, 1e-3))
    narrow = learning_curves(waiting(middle, *ONE_BY_ONE))
    narrow.axes[0].texts[1].set_text("a name as long as two thirds of the axes = 8")
    clear_levels(narrow.axes[0], middle)
    assert narrow.axes[0].texts[1].get_text() == "8"


def test_names_of_levels_do_not_cover_each_other():
    """λ = (3, 2, 1), the last one learned before the second: L_{1} = 8 and L_{1,3} = 5, on six decades."""
    problem = Problem(Teacher.from_eigenvalues([3, 2, 1]), Student.initialise(3, 3, scale=0.1, seed=1))
    growth = np.clip(T[:, None] - [0, 2, 1], 0, 1)
    flow = GradientFlow(problem).integrate(times=T)
    made_up = replace(flow, loss=32 * 10.0 ** (-2 * T), modes=growth * [3, 2, 1])
    above = learning_curves(waiting(made_up, (), (0,), (0, 2), (0, 1, 2))).axes[0]
    assert [text.xy[1] for text in above.texts] == pytest.approx([32, 8, 5])
    shown = [text for text in above.texts if text.get_visible()]
    assert shown == above.texts[:2]
    assert not any(one.overlaps(other) for one, other in combinations(extents(shown), 2))


def test_levels_too_close_for_the_logarithm_are_drawn_where_the_curve_rests():
    """A loss that falls by a seventh may have no plateau in log(loss); it has two rests, and none on its way."""
    teacher, student = Teacher.from_eigenvalues([3, -2], 3), Student.initialise(4, 3, scale=0.03, seed=0)
    curve = GradientFlow(Problem(teacher, student, loss="huber:0.5")).integrate(140, samples=1000)
    curve.__dict__["stages"] = ()  # whether they are found depends on where the samples lie
    found = [loss for loss, _ in waiting_levels(curve, plateaus(curve.problem))]
    np.testing.assert_allclose(
        found, [1.50989, 1.30311], atol=1e-5
    )  # of `fixed-points`, the ends of the curve
    np.testing.assert_allclose(found, [curve.loss[0], curve.loss[-1]], rtol=1e-4)
