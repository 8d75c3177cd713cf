"""Systems integrated in bulk: closed forms, ends of their own, and independence of those beside them."""

import numpy as np
import pytest

from dynamics.integration.bulk import GiveUp, Watching, integrate_in_bulk
from dynamics.integration.bulk_steps import BulkMethod
from dynamics.integration.dop853 import TABLEAU as DOP853
from dynamics.integration.step_size import next_factor, shorter_factor
from dynamics.integration.tsit5 import TABLEAU as TSIT5

TABLEAUS = pytest.mark.parametrize("tableau", [DOP853, TSIT5], ids=lambda tableau: tableau.name)


class Growth:
    """ẋ = r x^p and ẏ = −r y of N systems: x = x₀ e^{rt} for p = 1, x₀/(1 − r x₀ t) for p = 2; the "loss" is y."""

    def __init__(self, rates, power=1):
        self.rates, self.power, self.calls = np.asarray(rates, dtype=float), power, []

    def __call__(self, theta, out):
        self.calls.append(theta.shape[1])
        out[0] = self.rates * theta[0] ** self.power
        out[1] = -self.rates * theta[1]

    def losses(self, theta):
        return theta[1]

    def kept(self, columns):
        some = type(self)(self.rates[columns], self.power)
        some.calls = self.calls
        return some


def bulk(field, times, tableau=DOP853, rtol=1e-10, most=10**6, watching=None):
    N = len(field.rates)
    return integrate_in_bulk(
        field,
        np.ones((N, 2)),
        times,
        tableau=tableau,
        rtol=np.broadcast_to(rtol, N),
        atol=np.full(N, 1e-14),
        most=np.full(N, most),
        watching=watching,
    )


@TABLEAUS
def test_closed_form_at_times_of_its_own(tableau):
    """e^{±rt} to some tolerances; the third system is asked for its start alone."""
    rates, times = np.array([1.0, 0.3, 2.0, 1.7]), [[0.0, 0.5, 2.0], [7.0], [0.0], [0.1, 0.2, 0.3, 1.0]]
    found = bulk(Growth(rates), [np.array(t) for t in times], tableau)
    assert found.states.shape == (4, 4, 2)
    assert not found.given_up.any()
    np.testing.assert_array_equal(found.reached, [2.0, 7.0, 0.0, 1.0])
    for i, t in enumerate(times):
        exact = np.exp(np.outer(t, [rates[i], -rates[i]]))
        np.testing.assert_allclose(found.states[i, : len(t)], exact, rtol=1e-8)
        assert np.isnan(found.states[i, len(t) :]).all()
        np.testing.assert_array_equal(found.last[i], found.states[i, len(t) - 1])


@TABLEAUS
def test_each_has_a_tolerance_of_its_own(tableau):
    """The error stays below a hundred of it, and is the smaller the smaller it is."""
    rtol = np.array([1e-4, 1e-7, 1e-10])
    found = bulk(Growth([1.0] * 3), [np.array([3.0])] * 3, tableau, rtol)
    errors = np.abs(found.last[:, 0] / np.exp(3) - 1)
    assert (errors < 100 * rtol).all()
    assert (errors[1:] < errors[:-1] / 10).all()
    assert (np.diff(found.evaluations) > 0).all()


@TABLEAUS
def test_what_a_system_gives_depends_on_it_alone(tableau):
    """Bit for bit: alone, as one of two, in another order, and beside one that explodes at t = ½."""
    rates, times = (
        np.array([1.0, 0.2, 3.0, 0.7, 2.0]),
        [np.linspace(0, t, 5) for t in (1.0, 4.0, 0.4, 2.0, 1.0)],
    )
    times[4] = np.array([0.3, 1.0])
    whole = bulk(Growth(rates, 2), [t / (3 * r) for t, r in zip(times, rates, strict=True)], tableau)
    for which in ([0], [1, 0], [4, 3, 2, 1, 0], [2, 2, 4]):
        some = [times[i] / (3 * rates[i]) for i in which]
        found = bulk(Growth(rates[which], 2), some, tableau)
        for row, i in enumerate(which):
            known = len(times[i])
            np.testing.assert_array_equal(found.states[row, :known], whole.states[i, :known])
            assert found.evaluations[row] == whole.evaluations[i]


def test_one_that_explodes_is_given_up():
    """x = 1/(1 − rt): up to t = 1/r; the other one gets to its end."""
    found = bulk(Growth([1.0, 0.1], 2), [np.array([0.5, 3.0]), np.array([0.5, 3.0])])
    assert found.given_up.tolist() == [True, False]
    assert found.reached[0] == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_allclose(found.states[:, 0, 0], [2.0, 1 / 0.95], rtol=1e-9)
    assert np.isnan(found.states[0, 1]).all()
    assert found.last[1, 0] == pytest.approx(1 / 0.7, rel=1e-9)


def test_one_that_leaves_the_numbers_is_given_up():
    """e^{50 t} at t = 3 is 1e65: losses, which are higher powers, would overflow."""
    found = bulk(Growth([50.0, 1.0]), [np.array([3.0])] * 2)
    assert found.given_up.tolist() == [True, False]
    assert np.isnan(found.states[0]).all()


@TABLEAUS
def test_evaluations_are_counted_and_shared(tableau):
    """s a step and two at first; as many calls for all as the slowest needs alone. Without a sample time in its way a
    system whose only time is the end needs no more than alone.
    """
    alone = bulk(Growth([2.0]), [np.array([3.0])], tableau)
    assert (alone.evaluations[0] - 2) % tableau.stages == 0
    together = Growth(np.linspace(0.1, 2.0, 40))
    found = bulk(together, [np.array([3.0])] * 40, tableau)
    assert found.evaluations[-1] == alone.evaluations[0]
    assert len(together.calls) == found.evaluations.max()
    assert together.calls[0] == 40
    assert together.calls[-1] <= 3  # the others have left


def test_too_many_evaluations():
    found = bulk(Growth([1.0, 50.0]), [np.array([2.0])] * 2, most=200)
    assert found.given_up.tolist() == [False, True]
    assert 200 < found.evaluations[1] <= 212


def test_a_loss_ends_a_system_within_its_step():
    """y = e^{−rt} falls to ¼ at ln 4/r; who looks is asked from there on, and told the solution within the step."""
    asked = []

    def look(i, step):
        asked.append(i)
        assert step(step.t_old).tobytes() == step.before.tobytes()
        assert step(step.t).tobytes() == step.after.tobytes()
        middle = (step.t_old + step.t) / 2
        np.testing.assert_allclose(step(middle)[1], np.exp(-rates[i] * middle), rtol=1e-9)
        return np.log(4) / rates[i]

    rates = np.array([1.0, 0.5, 2.0])
    watching = Watching(look, np.array([0.25, -np.inf, 0.25]), np.full(3, -np.inf))
    found = bulk(Growth(rates), [np.array([1.0, 5.0])] * 3, watching=watching)
    assert sorted(asked) == [0, 2]
    np.testing.assert_allclose(found.reached, [np.log(4), 5.0, np.log(4) / 2], rtol=1e-14)
    np.testing.assert_allclose(found.last[[0, 2], 1], 0.25, rtol=1e-9)
    assert np.isfinite(found.states[0, 0]).all() and np.isnan(found.states[2]).all()


def test_who_looks_can_give_up():
    def look(i, step):
        raise GiveUp

    watching = Watching(look, np.array([0.5, -np.inf]), np.full(2, -np.inf))
    found = bulk(Growth([1.0, 1.0]), [np.array([3.0])] * 2, watching=watching)
    assert found.given_up.tolist() == [True, False]


class Decay(Growth):
    """ẋ = −r x, ẏ = −r y: the speed is r√2 e^{−rt}."""

    def __call__(self, theta, out):
        out[...] = -self.rates * theta


def test_slow_systems_are_looked_at():
    """From the first step at whose end the speed is below the threshold; nobody is asked before."""
    seen = []

    def look(i, step):
        seen.append(np.exp(-step.t) * np.sqrt(2))
        return None

    bulk(
        Decay([1.0, 1.0]),
        [np.array([5.0])] * 2,
        watching=Watching(look, np.full(2, -np.inf), np.array([0.1, -np.inf])),
    )
    assert seen and max(seen) <= 0.1


@TABLEAUS
def test_errors_and_factors_are_those_of_single_steps(tableau):
    """`Tableau.error` and the factors of `dynamics.integration.step_size`, entry by entry."""
    method, rng = BulkMethod(tableau), np.random.default_rng(0)
    slopes = rng.standard_normal((method.stages + 1, 3, 4))
    scale, h = rng.uniform(0.5, 2, (3, 4)), rng.uniform(0.5, 2, 4)
    found = method.errors(h, slopes, scale, np.empty((3, 4)))
    natural = slopes[method.place]  # slopes in the order of the tableau
    order = tableau.order
    for i in range(4):
        estimates = tableau.estimates @ natural[: tableau.estimates.shape[1], :, i] / scale[:, i]
        assert found[i] == pytest.approx(h[i] * tableau.error(np.mean(estimates**2, axis=1)), rel=1e-12)
    error, before = np.array([0.3, 0.9, 1e-9, 0.0]), np.array([0.2, 1e-7, 0.5, 0.5])
    expected = [next_factor(order, e, b) for e, b in zip(error, before, strict=True)]
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(method.factors(error, before), expected, rtol=1e-13)
        rejected = np.array([1.1, 50.0, np.inf, np.nan])
        wanted = [shorter_factor(order, e) for e in rejected]
        np.testing.assert_allclose(method.factors(rejected, np.ones(4)), wanted, rtol=1e-13)
