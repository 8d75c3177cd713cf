"""Flows integrated together give what each gives alone, within the tolerances; what is unusual is done alone."""

import numpy as np
import pytest

from dynamics import GradientFlow, ModifiedFlow, Problem, ProblemError, Student, Teacher
from dynamics.errors import IntegrationError
from dynamics.flows import in_bulk
from dynamics.flows.in_bulk import Integration, integrate_together
from dynamics.integration import Stop
from dynamics.requests import together

TEACHER = Teacher.from_eigenvalues([2.0, 1.0])


def flow(seed=0, scale=0.3, hidden=2, **more):
    return GradientFlow(Problem(TEACHER, Student.initialise(hidden, 2, scale=scale, seed=seed), **more))


def ask(flows, **arguments):
    return [Integration(each, arguments) for each in flows]


@pytest.fixture
def done_alone(monkeypatch):
    """Flows that were integrated alone."""
    found, own = [], GradientFlow.integrate

    def integrate(self, *args, **kwargs):
        found.append(self)
        return own(self, *args, **kwargs)

    monkeypatch.setattr(GradientFlow, "integrate", integrate)
    return found


WISHES = {
    "end": {"t_end": 2.0},
    "times": {"times": [0.0, 0.1, 0.7, 1.5]},
    "times and a later end": {"times": [0.2, 0.3], "t_end": 1.0},
    "logarithmic": {"t_end": 3.0, "samples": 20, "log_times": True},
    "loss": {"t_end": 20.0, "until_loss": 2.0},
    "loss, times": {"times": np.linspace(0.0, 20.0, 81), "until_loss": 2.0},
    "loss, two": {"t_end": 20.0, "until_loss": 2.0, "samples": 2},
    "loss that is not reached": {"t_end": 0.1, "until_loss": 1e-3},
    "open": {"samples": 30},
    "open, two": {"samples": 2},
    "tolerances": {"t_end": 1.0, "rtol": 1e-8, "atol": 1e-9},
    "Tsit5": {"t_end": 1.0, "method": "Tsit5", "rtol": 1e-8},
    "DOP853": {"t_end": 1.0, "method": "DOP853"},
    "hardly moves at the end": {"t_end": 1e4, "samples": 3},
}


VARIANTS = [(wish, {}) for wish in WISHES]
VARIANTS += [(wish, {"activation": "centred"}) for wish in ("end", "loss", "open")]
VARIANTS += [(wish, {"weight_decay": 0.1}) for wish in ("end", "loss")]


@pytest.mark.parametrize(("wish", "variant"), VARIANTS, ids=str)
def test_together_as_alone(wish, variant, done_alone):
    """Status, times and loss, from `integrate` of each.

    An open end is where the speed falls to 1e-9 of its unit. It falls as e^{−rt}, so that errors of the state that are
    1e-3 of what is left there, 1e-12, shift the end by 1e-3/r: losses before are compared to that accuracy.
    """
    arguments = WISHES[wish]
    flows = [flow(seed, **variant) for seed in range(3)]
    rtol = 1e-3 if wish.startswith("open") else 1e3 * arguments.get("rtol", 1e-12)
    curves = integrate_together(ask(flows, **arguments))
    usual = wish != "hardly moves at the end"
    assert len(done_alone) == 0 or not usual
    for each, curve in zip(flows, curves, strict=True):
        single = each.integrate(**arguments)
        report, expected = curve.solver, single.solver
        assert (report.status, report.message) == (expected.status, expected.message)
        assert report.time_reached == pytest.approx(expected.time_reached, rel=rtol)
        np.testing.assert_allclose(curve.times, single.times, rtol=rtol)
        np.testing.assert_allclose(curve.loss, single.loss, rtol=rtol, atol=rtol * single.loss[0])
        np.testing.assert_allclose(curve.W[0], single.W[0], rtol=0, atol=max(1e-9, rtol))
        assert report.method == arguments.get("method", "DOP853") or not usual
    if arguments.get("until_loss") == 2.0:
        assert "target loss reached" in {curve.solver.status for curve in curves}


def test_what_a_flow_gives_does_not_depend_on_the_others():
    """Bit for bit, also where its sample times depend on its end."""
    flows = [flow(seed, scale=0.1 * (1 + seed), hidden=4) for seed in range(5)]
    for arguments in ({"t_end": 2.0}, {"t_end": 20.0, "until_loss": 2.0, "samples": 9}):
        whole = integrate_together(ask(flows, **arguments))
        for i in (0, 3):
            (single,) = integrate_together(ask([flows[i]], **arguments))
            np.testing.assert_array_equal(single.loss, whole[i].loss)
            np.testing.assert_array_equal(single.times, whole[i].times)
            assert single.solver.evaluations == whole[i].solver.evaluations


def test_evaluations_count_both_ways_to_an_end_that_was_not_known():
    """Once to find it, and once more to the times up to there."""
    ends, curves = (
        integrate_together(ask([flow()], t_end=20.0, until_loss=2.0, samples=n))[0].solver for n in (2, 9)
    )
    (known,) = integrate_together(ask([flow()], times=np.linspace(0, ends.time_reached, 9)[1:-1]))
    assert curves.evaluations > known.solver.evaluations + 0.9 * ends.evaluations


def test_stops_of_the_caller(done_alone):
    """One that says at which loss it may hold is watched in bulk; any other is left to the flow itself."""
    flows = [flow(seed) for seed in range(2)]
    known = Stop("enough", lambda t, theta: flows[0].loss(theta) - 7.0, loss=7.0)
    unknown = Stop("enough", lambda t, theta: flows[0].loss(theta) - 7.0)
    for stop, times_alone in ((known, 0), (unknown, 2)):
        done_alone.clear()
        curves = integrate_together(ask(flows, samples=2, stops=[stop]))
        assert len(done_alone) == times_alone
        assert {curve.solver.status for curve in curves} == {"enough"}
        for curve in curves:
            assert curve.loss[-1] == pytest.approx(7.0, rel=1e-9)


def test_failures_are_those_of_the_flow_itself(done_alone):
    """One whose times are refused, one that may take few evaluations, and one that is well."""
    flows = [flow(0), flow(1), flow(2)]
    wishes = {"times": [1.0, 0.5]}, {"t_end": 1.0, "max_evaluations": 20}, {"t_end": 1.0}
    requests = [Integration(each, wish) for each, wish in zip(flows, wishes, strict=True)]
    found = integrate_together(requests)
    assert done_alone == flows[:2]
    for request, result, error in zip(requests[:2], found, (ProblemError, IntegrationError), strict=False):
        with pytest.raises(error) as refused:
            request.alone()
        assert type(result) is error
        assert str(result) == str(refused.value)
    assert found[2].solver.status == "finished"
    (kept,) = integrate_together(ask([flows[1]], t_end=1.0, max_evaluations=20, throw=False))
    assert kept.solver.failed


def test_one_that_has_ended_at_its_start(done_alone):
    (curve,) = integrate_together(ask([flow()], t_end=1.0, until_loss=1e6))
    assert (curve.solver.status, curve.times.tolist()) == ("target loss reached", [0.0])
    assert len(done_alone) == 1


def test_what_is_stiff_is_done_alone(done_alone, monkeypatch):
    monkeypatch.setattr(in_bulk, "MOST", 300)
    found = integrate_together(ask([flow(0), flow(1)], t_end=50.0))
    assert len(done_alone) == 2
    assert {curve.solver.method for curve in found} == {"LSODA"}
    found = integrate_together([Integration(flow(0), {"t_end": 50.0}, most=100_000)])
    assert found[0].solver.method == "DOP853"


def test_who_belongs_together():
    """Weights, teachers and rates may differ, and are numbers of one program; sizes and kinds may not."""
    one = Integration(flow(0), {"t_end": 1.0}).kin()
    other = GradientFlow(Problem(Teacher.from_eigenvalues([5.0, -1.0]), Student.initialise(2, 2, seed=3)))
    assert one == Integration(other, {"t_end": 4.0, "method": "auto"}).kin() is not None
    decays = [Integration(flow(0, weight_decay=rho), {}).kin() for rho in (0.1, 0.2)]
    assert decays[0] == decays[1] != one
    for different in (flow(0, hidden=3), flow(0, activation="centred")):
        assert Integration(different, {}).kin() not in (one, None)
    assert Integration(flow(0), {"method": "Tsit5"}).kin() not in (one, None)
    big = GradientFlow(Problem(Teacher.from_eigenvalues(np.ones(10)), Student.initialise(10, 10)))
    for alone in (flow(0, activation="relu"), big, ModifiedFlow(flow(0).problem, 0.01)):
        assert Integration(alone, {}).kin() is None
    assert Integration(flow(0), {"method": "LSODA"}).kin() is None


def test_many_computations_are_one_launch(monkeypatch):
    """Forty flows of two sizes: two launches."""
    sizes, own = [], in_bulk.integrate_in_bulk

    def launch(field, theta0, *args, **kwargs):
        sizes.append(len(theta0))
        return own(field, theta0, *args, **kwargs)

    monkeypatch.setattr(in_bulk, "integrate_in_bulk", launch)

    def last_loss(seed):
        curve = yield Integration(flow(seed, hidden=2 + seed % 2), {"t_end": 0.1, "samples": 2})
        return curve.loss[-1]

    found = dict(together([last_loss(seed) for seed in range(40)]))
    assert sorted(sizes) == [20, 20]
    assert found[7] == pytest.approx(flow(7, hidden=3).integrate(0.1).loss[-1], rel=1e-9)
