"""The loss of samples held out in learning curves, on paper and in reports: made-up curves, read back."""

from dataclasses import replace

import numpy as np
import pytest
from drawn import bands, names
from matplotlib.figure import Figure

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.inputs.data_set import DataSet
from empirical.training_run import TrainingRun
from figures.learning_curve import TESTED, TRAINED, learning_curves
from figures.style import paper, show_decades

T = np.linspace(0, 4, 41)
SCALES = np.arange(1, 12)[:, None] / 6  # eleven networks: deciles are the 2nd, 6th and 10th
RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((30, 3)), RNG.standard_normal(30)
DATA = DataSet(X[:20], Y[:20], X[20:], Y[20:])
STUDENT = Student.initialise(3, 3, scale=0.3, seed=1)
LOSS, HELD_OUT = 8 * np.exp(-T), 3 + 9 * np.exp(-2 * T)  # held out, the loss ends higher, and begins so


def curve(teacher=None, activation="quadratic"):
    found = GradientFlow(Problem(teacher, STUDENT, activation, data=DATA)).integrate(
        times=T, max_evaluations=5000
    )
    return replace(found, loss=LOSS, test_loss=HELD_OUT)


def networks(test_loss=HELD_OUT):
    """Eleven networks, 1/6 … 11/6 times the curves; norms as well."""
    return TrainingRun(
        np.arange(41),
        T,
        SCALES * LOSS,
        np.zeros((11, 41, 0)),
        None,
        None,
        np.ones((11, 41, 1, 3)),
        "x",
        {"labels": "given"},
        norms=SCALES[..., None] * np.ones((1, 41, 3)),
        test_loss=None if test_loss is None else SCALES * test_loss,
    )


def artist(axes, label):
    (found,) = [a for a in [*axes.lines, *axes.collections] if str(a.get_label()) == label]
    return found


def test_both_losses_are_drawn():
    """Theory and networks of both kinds: lines and medians at their numbers, bands from the second to the tenth."""
    figure = learning_curves(curve(), networks())
    above, norms = figure.axes
    for label, expected in (("theory: gradient flow", LOSS), ("theory: held out", HELD_OUT)):
        line = artist(above, label)
        np.testing.assert_array_equal(line.get_data(), (T, expected))
    assert artist(above, "theory: held out").get_linestyle() == "--"
    for who, expected, style in (("networks", LOSS, TRAINED), ("held out", HELD_OUT, TESTED)):
        t, median = artist(above, f"{who}: median of 11").get_data()
        np.testing.assert_allclose(median, np.interp(t, T, expected), rtol=1e-12)
        vertices = artist(above, f"{who}: 10–90 %").get_paths()[0].vertices
        for time, height in ((T[0], expected[0]), (T[-1], expected[-1])):
            edges = vertices[vertices[:, 0] == time, 1]
            np.testing.assert_allclose([edges.min(), edges.max()], [height / 3, height * 10 / 6])
        marks = artist(above, f"{who}: median of 11")
        assert (marks.get_color(), marks.get_marker()) == style
    assert TRAINED[0] != TESTED[0] and TRAINED[1] != TESTED[1]
    low, high = above.get_ylim()
    assert low < LOSS[-1] and high > HELD_OUT[0]  # all of both is inside
    assert norms.get_ylabel() == r"norms $\|w_k\|$"
    assert len(names(figure)) == 6


def test_a_curve_without_samples_held_out_has_none():
    """Of the theory, and of networks."""
    figure = learning_curves(replace(curve(), test_loss=None), networks(None))
    assert not [name for name in names(figure) if "held out" in name]


@pytest.mark.parametrize(
    ("teacher", "activation", "below"),
    [
        (None, "quadratic", [r"norms $\|w_k\|$"]),
        (None, "tanh", [r"norms $\|w_k\|$"]),
        (Teacher.from_eigenvalues([1.0], 3), "quadratic", [r"teacher modes $v_i^\top M v_i$"]),
        (Teacher.from_eigenvalues([1.0], 3), "tanh", ["largest overlap", r"norms $\|w_k\|$"]),
    ],
)
def test_panels_below(teacher, activation, below):
    """Modes of a teacher; overlaps with one, where there are no modes; without one the norms alone."""
    assert [axes.get_ylabel() for axes in learning_curves(curve(teacher, activation)).axes[1:]] == below


@pytest.mark.parametrize(
    ("low", "high", "named"),
    [
        (0.15, 0.8, ["0.2", "0.3", "0.5"]),
        (1.1, 3.4, ["2", "3"]),
        (0.3, 4.0, ["0.5", "1", "2"]),
        (0.05, 2.0, None),
    ],
)
def test_axes_of_less_than_two_decades_have_numbers(low, high, named):
    """Losses of real data fall little: 2 and 5 are named beside the one power of ten, 3 where those are less than three
    names, and every digit where that does not help; where there are two powers, nothing else is named.
    """
    with paper():
        axes = Figure().subplots()
    show_decades(axes, low, high)
    axes.figure.draw_without_rendering()
    minor = [t.get_text() for t in axes.get_yticklabels(minor=True)]
    if named is None:
        assert not any(minor)
        return
    places = [*axes.get_yticks(), *axes.get_yticks(minor=True)]
    texts = [t.get_text() for t in (*axes.get_yticklabels(), *axes.get_yticklabels(minor=True))]
    shown = sorted(
        (place, text) for place, text in zip(places, texts, strict=True) if low <= place <= high and text
    )
    assert [text for _, text in shown] == named
    assert all(float(text) == pytest.approx(place) for place, text in shown)


def test_each_column_of_the_legend_belongs_together():
    """It fills the first column before the second: training, then what is held out, blanks where one is shorter."""
    assert names(learning_curves(curve(), networks())) == [
        *("theory: gradient flow", "networks: 10–90 %", "networks: median of 11"),
        *("theory: held out", "held out: 10–90 %", "held out: median of 11"),
    ]
    of_theory_alone = learning_curves(curve(), networks(None))
    assert names(of_theory_alone)[3:] == ["theory: held out", "", ""]


@pytest.mark.parametrize("flat", [False, True])
def test_bands_that_cannot_be_seen_have_no_entry(flat):
    """Narrower than a line, on either axis: factors of 1 ± 5e-4 in two decades, or in a third of the loss."""
    theory = replace(curve(), loss=1 + LOSS / 24, test_loss=1.2 + LOSS / 24) if flat else curve()
    factors = 1 + 1e-4 * np.arange(-5, 6)[:, None]
    norms = np.ones((11, 41, 3))
    run = replace(networks(), loss=factors * theory.loss, test_loss=factors * theory.test_loss, norms=norms)
    within = [
        "networks: median of 11,\n10–90 % within the line",
        "held out: median of 11,\n10–90 % within the line",
    ]
    assert [name for name in names(learning_curves(theory, run)) if "10–90" in name] == within
    below = replace(
        run, norms=SCALES[..., None] * norms
    )  # bands of those trained are to be seen in the other panel
    assert [n for n in names(learning_curves(theory, below)) if "10–90" in n] == [
        "networks: 10–90 %",
        within[1],
    ]
    one = replace(run, loss=theory.loss[None], test_loss=theory.test_loss[None], norms=np.ones((1, 41, 3)))
    drawn = learning_curves(theory, one)
    assert [n for n in names(drawn) if n] == [
        *("theory: gradient flow", "networks: one seed"),
        *("theory: held out", "held out: one seed"),
    ]
    assert not any(bands(axes) for axes in drawn.axes)
    wide = replace(run, loss=(1 + 0.05 * np.arange(-5, 6)[:, None]) * theory.loss)
    assert [name for name in names(learning_curves(theory, wide)) if "10–90" in name] == [
        "networks: 10–90 %",
        within[1],
    ]


@pytest.mark.parametrize("drop", [1.5, 0.2, 1e-3, 0.0])
def test_flat_losses_fill_a_linear_axis(drop):
    """1 … 1 + drop of the networks' deciles and both curves fill most of the axis, with three ticks at least."""
    theory = replace(curve(), loss=1 + drop * np.exp(-T), test_loss=1 + 0.5 * drop * np.exp(-T))
    run = replace(
        networks(), loss=np.tile(theory.loss, (11, 1)), test_loss=np.tile(theory.test_loss, (11, 1))
    )
    axes = learning_curves(theory, run).axes[0]
    low, high = axes.get_ylim()
    top, bottom = 1 + drop, 1 + 0.5 * drop * np.exp(-4.0)
    assert axes.get_yscale() == "linear" and low < bottom and top < high
    room = max(1.16 * (top - bottom), 0.01 * top + 0.16 * (top - bottom))  # a hundredth of the loss at least
    assert high - low == pytest.approx(room)
    assert sum(low <= tick <= high for tick in axes.get_yticks()) >= 3
    assert (
        max(len(t.get_text()) for t in axes.get_yticklabels()) <= 6 and not axes.yaxis.offsetText.get_text()
    )


def test_deciles_and_steep_losses_decide_which_axis():
    """Beyond a factor of three it is logarithmic; networks beside the theory have room on a linear one."""
    level = replace(curve(), loss=1 + 0 * T, test_loss=None)
    spread = replace(networks(None), loss=np.linspace(0.75, 1.25, 11)[:, None] + 0 * T)
    low, high = learning_curves(level, spread).axes[0].get_ylim()
    assert (low, high) == pytest.approx((0.8 - 0.032, 1.2 + 0.032))  # deciles, and 8 % of what lies between
    wide = replace(networks(None), loss=np.linspace(0.25, 1.75, 11)[:, None] + 0 * T)
    assert learning_curves(level, wide).axes[0].get_yscale() == "log"
    steep = replace(level, loss=np.linspace(3.1, 1, 41))
    assert learning_curves(steep).axes[0].get_yscale() == "log"


def test_norms_have_other_markers_than_losses():
    above, norms = learning_curves(curve(), networks()).axes
    marks = [{line.get_marker() for line in axes.lines} - {"None"} for axes in (above, norms)]
    assert len(marks[1]) == 2 and not marks[0] & marks[1]
    assert not {line.get_color() for line in above.lines} & {line.get_color() for line in norms.lines}


def side(networks_too=False, **more):
    """What commands print of a problem without a teacher."""
    factors = [1.0, 2.0, 3.0] if networks_too else None

    def each(values):
        return (
            [(f * np.asarray(values)).tolist() for f in factors] if factors else np.asarray(values).tolist()
        )

    norms = np.outer(1 + T, [3.0, 1.0])
    empty = {"modes": None, "overlaps": None, "conserved": None}
    curves = {"loss": each(LOSS), "test_loss": each(HELD_OUT), "norms": each(norms)}
    return {"times": T.tolist()} | empty | curves | more


def test_reports_show_both():
    """Theory and median network on both kinds of samples, in two panels: the loss, and norms where overlaps were."""
    pytest.importorskip("plotly")
    from figures import report_charts as charts
    from figures.report_sections import section

    figure = charts.learning_chart(side(), side(True))
    traces = {t["name"]: t for t in figure.to_plotly_json()["data"]}
    found = traces["theory, held out"]
    np.testing.assert_allclose(found["y"], 3 + 9 * np.exp(-2 * np.array(found["x"])), rtol=1e-5)
    assert (found["line"]["dash"], traces["theory"]["line"]["dash"]) == ("dash", "solid")
    found = traces["median network, held out"]
    np.testing.assert_allclose(found["y"], 2 * (3 + 9 * np.exp(-2 * np.array(found["x"]))), rtol=1e-5)
    band = np.array(traces["10–90 % of 3 networks, held out"]["y"])
    np.testing.assert_allclose([band[0], band[-1]], [2.8 * HELD_OUT[0], 1.2 * HELD_OUT[0]], rtol=1e-5)
    assert traces["norm of unit 1"]["yaxis"] == "y2" and "overlap with v1" not in traces
    layout = figure.to_plotly_json()["layout"]
    assert layout["yaxis2"]["title"]["text"] == "norms of the units" and "yaxis3" not in layout
    assert layout["margin"]["b"] == 62 + 3 * 22  # a line of the legend more than without
    plain = charts.learning_chart(side(test_loss=None), side(True, test_loss=None))
    assert not [t for t in plain.to_plotly_json()["data"] if "held out" in t["name"]]
    assert plain.to_plotly_json()["layout"]["margin"]["b"] == 62 + 2 * 22
    assert "test loss" not in section(side(), "x").facts


def test_levels_under_other_laws():
    """Independent coordinates of excess 1, λ = (2, 1): (1 + κ/2)[Σλ² + T²/(2 + κ)] = 12 at the start, as a line."""
    problem = Problem(
        Teacher.from_eigenvalues([2, 1]), Student.initialise(2, 2, scale=0.01), distribution="independent:1"
    )
    above, _ = learning_curves(GradientFlow(problem).integrate(0.5, samples=5)).axes
    (text,) = [t.get_text() for t in above.texts]
    assert text == "$L_{∅}$ = 12"
