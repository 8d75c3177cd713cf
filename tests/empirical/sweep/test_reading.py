"""Statistics of sweeps against made-up runs whose times, medians and exponents are known."""

import numpy as np
import pytest

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.curves.variables import LOSS_UNIT, TIME_UNIT, Variable
from dynamics.errors import DIVERGED
from empirical.sweep.dataset import assemble
from empirical.sweep.fits import power_law
from empirical.sweep.grid import Axis, SweepPlan
from empirical.sweep.reading import quantity, sweep_curves, sweep_map
from empirical.sweep.store import Piece
from empirical.trainer import TrainingDiverged
from empirical.training import train

LEVEL = 2.0


def dataset(x=(1.0, 2.0, 4.0), y=(1, 3), replicates=3, failed=(), lost=()):
    """Loss 10 − t (r + 1)/(x² y): it reaches the level at t = 8 x² y/(r + 1). Runs in `lost` stay at 10."""
    plan = SweepPlan(("simulate",), {}, (Axis("x", x), Axis("y", y)), replicates)
    pieces = []
    for run in plan.runs():
        _, (i, j, r) = plan.place(run.index)
        if (i, j, r) in failed:
            pieces.append(Piece(run.index, {}, "refused"))
            continue
        times = np.linspace(0.0, 1000.0, 7)
        speed = 0.0 if (i, j, r) in lost else (r + 1) / (x[i] ** 2 * y[j])
        loss = 10 - speed * times
        values = {
            "time": Variable(("time",), times, "time", TIME_UNIT),
            "loss": Variable(("time",), loss),
            "final_loss": Variable((), loss[-1], "loss at the end", LOSS_UNIT),
        }
        pieces.append(Piece(run.index, values))
    return assemble(plan, pieces)


def test_time_to_a_loss_and_its_exponent():
    """Median over r = 0, 1, 2 is that of r = 1, 4 x² y: exponent 2, exactly."""
    data = sweep_curves(dataset(), "x", "simulate_time_to_loss", curves="y", below=LEVEL, fit=True)
    x = np.array([1.0, 2.0, 4.0])
    np.testing.assert_allclose(data.median, [4 * x**2, 12 * x**2], rtol=1e-12)
    quantile = np.quantile([8, 4, 8 / 3], [0.1, 0.9])
    np.testing.assert_allclose([data.low[0], data.high[0]], np.outer(quantile, x**2), rtol=1e-12)
    for fit, factor in zip(data.fits, (4, 12), strict=True):
        assert fit.exponent == pytest.approx(2, abs=1e-12)
        assert fit.error < 1e-12
        assert fit.factor == pytest.approx(factor)
    assert data.label == "time to loss 2"


def test_runs_that_never_arrive_are_later_than_all_others():
    """One of three lost: the median is the slower of the two that arrive. Two lost: there is none."""
    lost = {(0, 0, 1), (1, 0, 1), (1, 0, 2)}
    data = sweep_map(dataset(lost=lost), "x", "y", "simulate_time_to_loss", below=LEVEL)
    np.testing.assert_allclose(data.values[0], [8, np.nan, 64])


def test_failed_runs_are_left_out():
    failed = {(0, 0, 1), *((2, 1, r) for r in range(3))}
    data = sweep_map(dataset(failed=failed), "x", "y", "simulate_time_to_loss", below=LEVEL)
    np.testing.assert_allclose(data.values, [[(8 + 8 / 3) / 2, 16, 64], [12, 48, np.nan]])


def ended(ends, reasons=None, initial=10.0, replicates=4):
    """A sweep over x of trainings that begin at a loss of 10 and end at these, or failed for a reason."""
    plan = SweepPlan(("train",), {}, (Axis("x", tuple(range(len(ends)))), Axis("y", (0,))), replicates)
    pieces = []
    for run in plan.runs():
        _, (i, _, r) = plan.place(run.index)
        if reasons and (i, r) in reasons:
            pieces.append(Piece(run.index, {}, reasons[i, r]))
            continue
        losses = {"initial_loss": initial, "final_loss": ends[i][r], "time_reached": 1.0}
        pieces.append(Piece(run.index, {name: Variable((), np.array(v)) for name, v in losses.items()}))
    return assemble(plan, pieces)


def test_runs_that_diverged_are_no_values():
    """Above twice the initial loss, 20, or broken off. Half of four diverged: the cell is; one did: the median of all
    four counts it as the highest. What failed for another reason does not count, nor does noise about the start.
    """
    broken, other = f"{DIVERGED} at step 3", "not enough memory"
    reasons = {(1, 0): broken, (2, 0): broken, (2, 1): broken, (3, 0): other, (3, 1): other, (3, 2): other}
    ends = [[1, 2, 3, 20.1], [0, 2, 3, 4], [0, 0, 3, 4], [0, 0, 0, 5], [1e9, 2, 3, 1e5], [10.1, 11, 12, 19.9]]
    data = sweep_map(ended(np.array(ends, dtype=float), reasons), "x", "y", "train_final_loss")
    assert data.diverged.tolist() == [[False, False, True, False, True, False]]
    np.testing.assert_allclose(data.values, [[2.5, 3.5, np.nan, 5, np.nan, 11.5]])
    later = sweep_map(ended(np.array(ends, dtype=float), reasons), "x", "y", "train_time_reached")
    assert later.diverged.tolist() == data.diverged.tolist()


def test_files_without_an_initial_loss_still_open():
    """Nothing is known to have diverged in them but what was broken off; a fraction has its own account of failures."""
    assert sweep_map(dataset(), "x", "y", "simulate_final_loss").diverged is None
    assert sweep_map(dataset(), "x", "y", "simulate_success", below=5).diverged is None
    plan = SweepPlan(("train",), {}, (Axis("x", (1,)), Axis("y", (2, 3))), 1)
    kept = Piece(0, {"final_loss": Variable((), np.array(4.0))})
    data = sweep_map(
        assemble(plan, [kept, Piece(1, {}, f"{DIVERGED} at step 3")]), "x", "y", "train_final_loss"
    )
    assert data.diverged.tolist() == [[False], [True]]


def test_the_reason_of_a_training_that_diverged_is_known():
    """What the sweep of a file knows it by is how `train` really says it."""
    problem = Problem(Teacher.from_eigenvalues([2.0, 1.0]), Student.initialise(2, 2, scale=1.0, seed=1))
    with pytest.raises(TrainingDiverged, match=f"^{DIVERGED}"):
        train(problem, steps=200, step=1.0, batch=8)


def test_fraction_of_successes():
    """At t = 1000 the losses are 10 − 1000 (r + 1)/(x² y); r ≥ 1 is below −10 only if x² y < 100."""
    data = sweep_map(dataset(x=(1.0, 8.0), lost={(0, 0, 2)}), "x", "y", "simulate_success", below=0.5)
    expected = np.array([[2 / 3, 1.0], [1.0, 2 / 3]])  # x = 8, y = 3: 10 − 5.2 (r + 1)
    np.testing.assert_allclose(data.values, expected)
    assert data.fraction


def test_diagnosed_fraction_counts_failures_of_the_program_out():
    plan = SweepPlan(("diagnose",), {}, (Axis("x", (1.0,)),), 4)
    verdicts = ["succeeds", "fails", "undecided"]
    pieces = [Piece(i, {"verdict": Variable((), np.array(v))}) for i, v in enumerate(verdicts)]
    data = sweep_curves(assemble(plan, [*pieces, Piece(3, {}, "refused")]), "x", "diagnose_success")
    assert data.median == pytest.approx(1 / 3)


def test_values_are_sorted_and_others_selected():
    data = sweep_map(dataset(x=(4.0, 1.0, 2.0), y=(3, 1)), "x", "y", "simulate_time_to_loss", below=LEVEL)
    assert data.x.tolist() == [1, 2, 4]
    assert data.y.tolist() == [1, 3]
    np.testing.assert_allclose(data.values, 4 * np.outer([1, 3], [1, 4, 16]))
    one = sweep_curves(dataset(), "y", "simulate_time_to_loss", below=LEVEL, chosen={"x": "2.0"})
    np.testing.assert_allclose(one.median, [[16, 48]])


def test_power_law_with_noise():
    """Exponent and standard error against the covariance that NumPy's own fit gives."""
    rng = np.random.default_rng(0)
    x = np.geomspace(1e-3, 1, 20)
    y = 3 * x**-1.5 * np.exp(0.1 * rng.standard_normal(20))
    fit = power_law(x, y)
    (slope, _), covariance = np.polyfit(np.log(x), np.log(y), 1, cov=True)
    assert fit.exponent == pytest.approx(slope)
    assert fit.error == pytest.approx(np.sqrt(covariance[0, 0]))
    assert abs(fit.exponent + 1.5) < 4 * fit.error


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda d: sweep_map(d, "x", "x", "simulate_final_loss"), "must be different"),
        (lambda d: sweep_curves(d, "x", "simulate_final_loss", curves="x"), "must be different"),
        (lambda d: sweep_curves(d, "x", "simulate_final_loss"), "'y' was varied too"),
        (lambda d: sweep_curves(d, "z", "simulate_final_loss"), "was not varied"),
        (lambda d: sweep_curves(d, "x", "simulate_success", curves="y"), "give `below`"),
        (lambda d: sweep_curves(d, "x", "final", curves="y"), "simulate_final_loss"),
        (lambda d: sweep_curves(d, "x", "simulate_loss", curves="y"), "simulate_final_loss"),
    ],
)
def test_bad_requests_are_refused(call, words):
    with pytest.raises(ProblemError, match=words):
        call(dataset())


def test_a_power_law_needs_positive_points():
    with pytest.raises(ProblemError, match="at least 3 positive points, but there are 2"):
        power_law(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 2.0]))


def test_points_that_diverged_or_never_arrived_are_counted_and_not_fitted():
    """One curve of five arrives at x = 1, 2, 4 (4 x², exponent 2), never at 8, and at 16 two of three diverged.

    The other arrives at 1 and 2 only, which is too few for a law.
    """
    x, y = (1.0, 2.0, 4.0, 8.0, 16.0), (1, 3)
    late = {(3, 0, r) for r in range(3)} | {(i, 1, r) for i in (2, 3, 4) for r in (0, 1)}
    data = dataset(x, y, lost=late)
    first = data["simulate_final_loss"].copy(data=np.full(data["simulate_final_loss"].shape, 10.0))
    last = data["simulate_final_loss"].copy()
    last.loc[{"x": 16.0, "y": 1, "replicate": [0, 1]}] = 20.1  # more than twice the first
    data = data.assign(simulate_initial_loss=first, simulate_final_loss=last)
    found = sweep_curves(data, "x", "simulate_time_to_loss", curves="y", below=LEVEL, fit=True)
    np.testing.assert_allclose(found.median[0, :3], [4, 16, 64])
    assert np.isnan(found.median[0, 3:]).all() and np.isnan(found.low[0, 4])
    assert found.fits[0].exponent == pytest.approx(2, abs=1e-12)
    assert found.fits[1] is None
    assert found.left_out == "not drawn of 10 points: 1 diverged, 4 never reached loss 2"
    losses = sweep_curves(data, "x", "simulate_final_loss", curves="y", fit=False)
    assert losses.left_out == "not drawn of 10 points: 1 diverged"
    with pytest.raises(ProblemError, match=r"at least 3 points .* no curve has more than 2"):
        sweep_curves(data, "x", "simulate_time_to_loss", below=LEVEL, fit=True, chosen={"y": 3})


def test_what_failed_or_is_not_positive_is_counted():
    """Three failed runs leave a point without a value; one of loss 0 has no place on a logarithmic axis."""
    data = dataset((1.0, 2.0, 3.0, 4.0, 5.0), (1,), failed={(0, 0, r) for r in range(3)})
    losses = data["simulate_final_loss"].copy(
        data=np.broadcast_to([[1.0], [2], [3], [4], [0]], (5, 3))[:, None]
    )
    data = data.assign(simulate_final_loss=losses.where(data["simulate_final_loss"].notnull()))
    assert sweep_curves(data, "x", "simulate_final_loss").left_out == (
        "not drawn of 5 points: 1 without a value"
    )
    found = sweep_curves(data, "x", "simulate_final_loss", fit=True)
    assert found.left_out == "not drawn of 5 points: 1 without a value, 1 not positive"
    assert found.fits[0].exponent == pytest.approx(1, abs=1e-12)
    assert sweep_curves(dataset(), "x", "simulate_final_loss", curves="y").left_out == ""


def test_escape_from_the_origin_takes_a_time_of_one_over_epsilon():
    """One aligned unit with a = p = ε, λ = 1: g = 6, ṗ = 6ap, ȧ = 3p² far from the minimum; both blow up after T/ε."""
    from dynamics import GradientFlow, Student, Teacher

    eps = np.geomspace(1e-4, 1e-3, 4)
    plan = SweepPlan(("simulate",), {}, (Axis("init_scale", tuple(eps)),))
    pieces = []
    for i, e in enumerate(eps):
        student = Student.initialise(1, 1, init="aligned", scale=e)
        times = np.geomspace(0.1, 1.0, 400) / e
        path = GradientFlow(Teacher.from_eigenvalues([1.0]), student).integrate(times=np.append(0, times))
        pieces.append(
            Piece(i, {"time": Variable(("time",), path.times), "loss": Variable(("time",), path.loss)})
        )
    data = sweep_curves(assemble(plan, pieces), "init_scale", "simulate_time_to_loss", below=0.75, fit=True)
    assert data.fits[0].exponent == pytest.approx(-1, abs=5e-3)  # corrections to T/ε are O(1), 1e-3 of it


def test_a_run_stopped_at_the_level_has_reached_it():
    """`--until-loss` ends at the level up to rounding, here one part in 10¹² above it, at t = 7."""
    plan = SweepPlan(("simulate",), {}, (Axis("x", (1.0, 2.0)),), 1)
    values = {
        "time": Variable(("time",), np.array([0.0, 7.0])),
        "loss": Variable(("time",), np.array([10.0, LEVEL * (1 + 1e-12)])),
    }
    data = sweep_curves(
        assemble(plan, [Piece(run.index, values) for run in plan.runs()]),
        "x",
        "simulate_time_to_loss",
        below=LEVEL,
    )
    np.testing.assert_allclose(data.median, 7.0, rtol=1e-9)


def varied(axis, values, replicates=1, kind="simulate"):
    """A sweep over one option; `values` gives the labelled arrays of the run of a number."""
    plan = SweepPlan((kind,), {}, (axis,), replicates)
    return assemble(plan, [Piece(run.index, values(run.index)) for run in plan.runs()])


def test_what_there_is_to_draw():
    """Numbers without times under their names and units; successes of losses and verdicts; times to a loss."""
    data = dataset()
    values, label, fraction = quantity(data, "simulate_final_loss")
    assert (label, fraction) == ("loss at the end (squared output units)", False)
    np.testing.assert_array_equal(values, data.simulate_final_loss)
    with pytest.raises(ProblemError) as caught:
        quantity(data, "simulate_end")
    allowed = "simulate_final_loss, simulate_success, simulate_time_to_loss"
    assert str(caught.value) == f"`value` is 'simulate_end', but must be one of: {allowed}."
    verdicts = {
        "verdict": Variable((), np.array("fails")),
        "decided_at": Variable((), np.array(2.0)),
        "other": Variable((), np.array(1.0)),
    }
    diagnosed = varied(Axis("x", (1, 2)), lambda i: verdicts, kind="diagnose")
    assert quantity(diagnosed, "diagnose_other")[1] == "diagnose_other"
    assert quantity(diagnosed, "diagnose_success")[1:] == ("fraction diagnosed to succeed", True)
    with pytest.raises(ProblemError, match=r"diagnose_decided_at, diagnose_other, diagnose_success\.$"):
        quantity(diagnosed, "diagnose_time_to_loss")
    nothing = assemble(SweepPlan(("train",), {}, (Axis("x", (1,)),)), [Piece(0, {}, "refused")])
    with pytest.raises(ProblemError, match="No run of 'train' in this sweep was done"):
        quantity(nothing, "train_success", 1.0)
    for level in (0.0, -1.0, np.nan, np.inf):
        for name in ("simulate_success", "simulate_time_to_loss", "simulate_final_loss"):
            with pytest.raises(ProblemError, match=r"`below` is "):
                quantity(data, name, level)


def test_networks_are_pooled_with_replicates():
    """Four losses of two networks in two runs, one of which is above: three quarters; quantiles of all four."""
    losses = [[1.0, 2.0], [3.0, 9.0]]
    data = varied(
        Axis("x", (1,)), lambda i: {"final_loss": Variable(("network",), np.array(losses[i]))}, replicates=2
    )
    found = sweep_curves(data, "x", "simulate_success", below=9.0)
    assert [c.tolist() for c in (found.median, found.low, found.high)] == [[[0.75]]] * 3
    assert (found.label, found.fraction) == ("fraction that ends below loss 9", True)
    found = sweep_curves(data, "x", "simulate_final_loss")
    expected = np.quantile([1, 2, 3, 9], [0.5, 0.1, 0.9])
    assert [c.item() for c in (found.median, found.low, found.high)] == pytest.approx(expected)
    assert (found.curve_name, found.curves.tolist(), found.fits) == ("", [""], ())


@pytest.mark.parametrize(
    ("loss", "time"),
    [
        ([10, 5, 1], 1 + 3 / 4),  # 5 → 1 passes 2 at three quarters of [1, 2]
        ([10, 2, 1], 1),
        ([1.5, 1, 0], 0),
        ([2, 2, 2], 0),
        ([10, 9, 8], np.inf),
        ([10, 1, 9], 8 / 9),
        ([np.nan] * 3, np.nan),
    ],
)
def test_the_first_time_at_a_level(loss, time):
    """The level 2, linear between samples at 0, 1 and 2."""
    values = {
        "time": Variable(("time",), np.arange(3.0), "time", TIME_UNIT),
        "loss": Variable(("time",), np.array(loss, dtype=float)),
    }
    found, label, fraction = quantity(
        varied(Axis("x", (1,)), lambda i: values), "simulate_time_to_loss", LEVEL
    )
    np.testing.assert_allclose(found.item(), time, rtol=1e-8)
    assert (label, fraction) == ("time to loss 2", False)


def test_what_is_at_a_level():
    """Rounding above it is there, a millionth is not; one sample is a curve as well."""
    for loss, time in ((LEVEL * (1 + 1e-10), 3.0), (LEVEL * (1 + 1e-6), np.inf)):
        values = {"time": Variable(("time",), [3.0]), "loss": Variable(("time",), [loss])}
        found, *_ = quantity(varied(Axis("x", (1,)), lambda i, v=values: v), "simulate_time_to_loss", LEVEL)
        assert found.item() == time


def test_options_that_are_texts():
    """They stay in their order, as curves, rows and positions, through which no law is fitted."""
    losses = [5.0, 3.0, 4.0, 1.0]
    plan = SweepPlan(
        ("simulate",), {}, (Axis("init", ("orthogonal", "gaussian")), Axis("x", (2.0, 1.0)), Axis("y", (7,)))
    )
    pieces = [Piece(r.index, {"final_loss": Variable((), np.array(losses[r.index]))}) for r in plan.runs()]
    data = assemble(plan, pieces)
    found = sweep_curves(data, "x", "simulate_final_loss", curves="init")
    assert (found.curves.tolist(), found.x.tolist()) == (["orthogonal", "gaussian"], [1, 2])
    assert found.median.tolist() == [[3, 5], [1, 4]]
    assert (found.curve_name, found.x_name) == ("init", "x")
    drawn = sweep_map(data, "x", "init", "simulate_final_loss")
    assert (drawn.y.tolist(), drawn.values.tolist()) == (["orthogonal", "gaussian"], [[3, 5], [1, 4]])
    assert (drawn.x_name, drawn.y_name, drawn.fraction) == ("x", "init", False)
    found = sweep_curves(data, "init", "simulate_final_loss", curves="x")
    assert (found.curves.tolist(), found.x.tolist()) == ([2, 1], ["orthogonal", "gaussian"])
    assert found.median.tolist() == [[5, 4], [3, 1]]
    with pytest.raises(
        ProblemError, match="`x` is 'init', whose values are no numbers, so that no power law"
    ):
        sweep_curves(data, "init", "simulate_final_loss", curves="x", fit=True)
    (one,) = sweep_curves(data, "x", "simulate_final_loss", chosen={"init": "gaussian"}).median.tolist()
    assert one == [1, 4]
    (one,) = sweep_curves(
        data, "y", "simulate_final_loss", chosen={"init": "gaussian", "x": "1.0000001"}
    ).median
    assert one.tolist() == [1]
    for chosen, words in (
        ({"init": "gauss"}, "`select` is init=gauss, but the sweep has: orthogonal, gaussian"),
        ({"x": "1.00001"}, "`select` is x=1.00001, but the sweep has: 2.0, 1.0"),
        ({"z": 1}, "'z' was not varied in this sweep: init, x, y"),
    ):
        with pytest.raises(ProblemError, match=words):
            sweep_curves(data, "y", "simulate_final_loss", chosen=chosen)
    unvaried = assemble(SweepPlan(("simulate",), {}), [])
    with pytest.raises(ProblemError, match="'x' was not varied in this sweep: nothing was"):
        sweep_curves(unvaried, "x", "simulate_final_loss")


def test_points_of_a_power_law():
    """Those that are no positive numbers are left out; two are too few."""
    x, y = np.array([-1.0, 0, 1, 2, 4, 8, 16]), np.array([1.0, 1, 3, 12, 48, np.inf, np.nan])
    fit = power_law(x, y)
    assert (fit.exponent, fit.factor) == (pytest.approx(2), pytest.approx(3))
    assert fit.error == pytest.approx(0, abs=1e-7)
    assert power_law(x[2:5], y[2:5]).exponent == pytest.approx(2)
    with pytest.raises(ProblemError, match="at least 3 positive points, but there are 2"):
        power_law(x[:4], y[:4])
