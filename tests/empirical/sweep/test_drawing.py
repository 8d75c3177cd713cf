"""What a figure of a sweep shows where nothing, or something, is said: axes, value and kind of picture."""

import numpy as np
import pytest

from dynamics import ProblemError
from dynamics.curves.variables import Variable
from empirical.sweep import drawing
from empirical.sweep.dataset import assemble
from empirical.sweep.drawing import sweep_data
from empirical.sweep.grid import Axis, SweepPlan
from empirical.sweep.reading import SweepCurves, SweepMap
from empirical.sweep.store import Piece

X, Y = Axis("x", (1.0, 2.0)), Axis("y", (3.0, 5.0, 7.0))


@pytest.fixture
def sweep(monkeypatch):
    """Stand-ins for files: x·y for the final loss of a training, over the given axes."""

    def written(*axes, values=lambda found: {"final_loss": Variable((), np.prod(found))}, kind="train"):
        plan = SweepPlan((kind,), {}, axes, 2)
        pieces = []
        for run in plan.runs():
            place = plan.place(run.index)[1]
            found = [axis.values[i] for axis, i in zip(axes, place, strict=False)]
            pieces.append(Piece(run.index, values(found)))
        monkeypatch.setattr(drawing, "read_dataset", lambda file: assemble(plan, pieces))
        return "made-up.nc"

    return written


def test_two_options_are_a_map(sweep):
    """The first along x, the second along y, and the other way round; the value is the only final loss."""
    data = sweep_data(sweep(X, Y))
    assert isinstance(data, SweepMap)
    assert (data.x_name, data.y_name) == ("x", "y")
    np.testing.assert_array_equal(data.values, np.outer(Y.values, X.values))
    turned = sweep_data(sweep(X, Y), x="y")
    assert (turned.x_name, turned.y_name) == ("y", "x")
    np.testing.assert_array_equal(turned.values, data.values.T)
    up = sweep_data(sweep(X, Y), y="x")
    assert (up.x_name, up.y_name) == ("y", "x")


def test_curves_are_drawn_where_they_are_asked_for(sweep):
    """One for every value of `curves`, along the other option; or one, where a single option is left."""
    data = sweep_data(sweep(X, Y), curves="x", fit=True)
    assert isinstance(data, SweepCurves)
    assert (data.x_name, data.curve_name) == ("y", "x")
    np.testing.assert_array_equal(data.median, np.outer(X.values, Y.values))
    assert [fit.exponent for fit in data.fits] == pytest.approx([1, 1])
    alone = sweep_data(sweep(X))
    assert isinstance(alone, SweepCurves) and (alone.curve_name, alone.fits) == ("", ())
    one = sweep_data(sweep(X, Y), chosen={"y": "5"})
    np.testing.assert_array_equal(one.median, [5 * np.array(X.values)])


def test_diagnosed_success_goes_before_losses(sweep):
    """0 or 1 in place of the final loss."""
    verdict = {"verdict": Variable((), np.array("fails")), "final_loss": Variable((), np.array(3.0))}
    data = sweep_data(sweep(X, values=lambda _: verdict, kind="diagnose"))
    np.testing.assert_array_equal(data.median, [[0, 0]])
    assert data.fraction


def test_what_cannot_be_drawn_is_said(sweep):
    with pytest.raises(ProblemError, match=r"'made-up\.nc' holds a sweep of replicates only"):
        sweep_data(sweep())
    with pytest.raises(ProblemError, match=r"'x' was varied alone in 'made-up\.nc'"):
        sweep_data(sweep(X), curves="x")
    with pytest.raises(ProblemError, match="No run of this sweep was done"):
        sweep_data(sweep(X, values=lambda _: {}))
