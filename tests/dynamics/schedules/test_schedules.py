"""Schedules: the numbers of their definitions, what each parameter does, and what is refused."""

import numpy as np
import pytest

from dynamics import ProblemError
from dynamics.clock import Clock
from dynamics.schedules import FAMILIES, RateCurve, Schedule
from dynamics.schedules.schedule import jumps


@pytest.mark.parametrize(
    ("spec", "factors"),
    [
        ("constant", [1, 1, 1, 1, 1, 1, 1, 1]),
        ("linear", [1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8]),
        ("linear:0.2", 1 - 0.1 * np.arange(8)),
        ("cosine", np.cos(np.pi * np.arange(8) / 16) ** 2),  # ½(1 + cos 2x) = cos²x
        ("cosine:0.5", 0.5 + 0.5 * np.cos(np.pi * np.arange(8) / 16) ** 2),
        ("warmup-cosine:0.25", [0.5, 1, *np.cos(np.pi * np.arange(6) / 12) ** 2]),
        ("step", [1, 1, 1, 1, 1, 1, 0.1, 0.1]),  # from 5.6 on, rounded
        ("step:0.5:0.25", [1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]),
        ("inverse-time:0.5", 4 / (4 + np.arange(8))),
        ("wsd:0.5", [1, 1, 1, 1, 1, 3 / 4, 2 / 4, 1 / 4]),
        ("wsd:0.5:0.25:0.2", [0.5, 1, 1, 1, 1, 0.8, 0.6, 0.4]),
        ("wsd:1:0.5", [0.25, 0.5, 0.75, 1, 1, 0.75, 0.5, 0.25]),  # what is left after the warm-up
    ],
)
def test_factors_are_those_of_the_definition(spec, factors):
    np.testing.assert_allclose(Schedule.parse(spec).factors(8), factors, rtol=1e-14)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_schedule(name):
    """Rates in (0, 1] with the largest 1 (by far: a run's largest rate is its η), a name that is read back."""
    for N in (1, 2, 3, 10, 1000):
        schedule = Schedule.parse(name)
        factors = schedule.factors(N)
        assert factors.shape == (N,)
        assert (factors > 0).all()
        assert factors.max() == pytest.approx(1, abs=1e-12) or N < 10
    defaults = [p.default for p in schedule.family.parameters]
    assert schedule.name == name
    for k in range(len(defaults)):
        changed = [*defaults[:k], 0.37]
        other = Schedule.parse(":".join([name, *map(str, changed)]))
        assert other.name == ":".join([name, *(f"{v:g}" for v in changed)])
        assert Schedule.parse(other.name) == other != schedule
        assert not np.array_equal(other.factors(100), schedule.factors(100))


@pytest.mark.parametrize("spec", [*FAMILIES, "wsd:0.3:0.2", "cosine:0.1", "step:0.5:0.25"])
def test_between_its_breaks_a_schedule_is_smooth(spec):
    """Second differences, N² times: bounded by a curvature between the breaks, of the order of N across one."""
    N = 1000
    schedule = Schedule.parse(spec)
    s, breaks = schedule.factors(N), schedule.breaks(N)
    bend = np.abs(np.diff(s, 2)) * N**2
    across = np.zeros(N - 2, dtype=bool)
    for n in breaks:  # s_n − 2 s_{n+1} + s_{n+2} sees a break at n + 1 and at n + 2
        across[max(n - 2, 0) : n] = True
    assert bend[~across].max(initial=0.0) < 1000
    assert all(bend[max(n - 2, 0) : n].max() > 900 for n in breaks)


@pytest.mark.parametrize("momentum", [0.0, 0.6])
@pytest.mark.parametrize("spec", ["linear", "warmup-cosine", "step", np.arange(50), [0.0] * 10 + [1.0] * 40])
def test_the_clock_adds_up_rates_and_is_exact_both_ways(spec, momentum):
    clock = Clock(0.03, momentum, spec, 50)
    times = [sum(clock.rate(m) for m in range(n)) / (1 - momentum) for n in range(51)]
    np.testing.assert_allclose(clock.times(np.arange(51)), times, rtol=1e-13)
    moved = np.flatnonzero(np.append(1, clock.rates))  # a step of rate 0 takes no time
    np.testing.assert_allclose(clock.steps(clock.times(moved)), moved, rtol=1e-12)
    np.testing.assert_allclose(clock.times(clock.steps([0.1, 0.2])), [0.1, 0.2], rtol=1e-12)
    assert clock.end == pytest.approx(times[-1])
    assert clock.steps_until(clock.end) == 50
    assert clock.steps(2 * clock.end) == np.inf
    with pytest.raises(ProblemError, match="ends after 50"):
        clock.times(51)
    with pytest.raises(ProblemError, match=r"`t_end` is .*, but the schedule ends at"):
        clock.steps_until(2 * clock.end)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_length_of_a_schedule_up_to_a_time(name):
    """It ends within a step of the time."""
    clock, count = Clock.until(7.0, 0.01, 0.5, name)
    assert clock.times(count) == pytest.approx(7.0, abs=0.02)
    assert clock.length in (count, None)
    assert Clock.until(0.0, 0.01, 0.5, name)[1] == 1


@pytest.mark.parametrize("spec", ["cosine", "warmup-cosine:0.3", "step", "wsd:0.5:0.1", "inverse-time:1"])
@pytest.mark.parametrize("N", [7, 60, 4001])
def test_the_curve_of_rates_has_the_same_rates_half_way_and_the_same_integral(spec, N):
    """∫η(t) dt = Σ η_n²/(1 − β) up to the rounding of the ends.

    Beyond 2000 steps a stretch is drawn through means of three steps or less: within a tenth of what a step changes.
    """
    clock = Clock(0.1, 0.2, spec, N)
    curve, t = clock.rate_curve, clock.ticks
    middle = (t[:-1] + t[1:]) / 2
    drawn = np.array([curve(x) for x in middle])
    change = np.abs(np.diff(clock.rates)).max()
    np.testing.assert_allclose(drawn, clock.rates, atol=1e-13 if N < 2000 else change / 10)
    samples = max(2 * N, 2000)
    integral = np.mean([curve(x) for x in np.linspace(0, clock.end, samples + 1)[:-1]]) * clock.end
    assert integral == pytest.approx(np.sum(clock.rates**2) / 0.8, rel=0.02 if N < 10 else 2e-3)
    assert curve.ends.tolist() == [*t[[*clock.schedule.breaks(N)]], clock.end]


def test_at_a_jump_the_rate_is_the_one_that_follows():
    """And η(t) along each stretch goes on beyond it as if there were no jump."""
    curve = Clock(0.1, 0.0, "step:0.1:0.5", 20).rate_curve
    assert [curve(t) for t in (0.0, 1.0 - 1e-9, 1.0, 1.05)] == pytest.approx([0.1, 0.1, 0.01, 0.01])
    before, after = curve.pieces
    assert (before(1.0), after(1.0)) == pytest.approx((0.1, 0.01))


def test_rough_rates_keep_their_integral(rng):
    """10⁴ random rates in (½, 1), drawn through means over five: ∫η dt = Σ η_n², 4 % more than with the mean."""
    rates = rng.uniform(0.5, 1.0, 10_000)
    ticks = np.append(0.0, np.cumsum(rates))
    curve = RateCurve(ticks, rates)
    x = np.linspace(0, curve.end, 20_001)[:-1]
    assert np.mean([curve(t) for t in x]) == pytest.approx(np.sum(rates**2) / curve.end, rel=5e-3)


def test_jumps_of_given_rates():
    assert jumps(np.array([1, 1, 1, 0.1, 0.1, 0.01, 0.01])) == (3, 5)
    assert jumps(np.cos(np.linspace(0, 1.5, 50))) == ()
    assert jumps(np.where(np.arange(50) < 20, 1.0, 0.3) * np.cos(np.linspace(0, 1, 50))) == (20,)
    assert Schedule.of([1, 1, 0.1, 0.1]).breaks(4) == (2,)
    assert Schedule.of(lambda n: 1.0 if n < 3 else 0.5).breaks(6) == (3,)


@pytest.mark.parametrize("suffix", ["npy", "csv"])
def test_rates_from_a_file(tmp_path, suffix):
    path, rates = tmp_path / f"rates.{suffix}", np.array([0.1, 0.3, 0.2])
    if suffix == "npy":
        np.save(path, rates)
    else:
        path.write_text("rate\n0.1\n0.3\n0.2\n")
    schedule = Schedule.of(str(path))
    assert schedule.factors(3).tolist() == rates.tolist()
    assert schedule.name == str(path)
    with pytest.raises(ProblemError, match="has 3 rates, but `steps` is 4"):
        schedule.factors(4)
    np.save(tmp_path / "table.npy", np.ones((2, 2)))
    with pytest.raises(ProblemError, match="one row or column"):
        Schedule.of(str(tmp_path / "table.npy"))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Schedule.parse("cosin"), r"did you mean 'cosine'"),
        (lambda: Schedule.parse("cosine:2"), r"'cosine:2', but `end` must be a number between 0 and 1"),
        (lambda: Schedule.parse("cosine:nan"), "`end` must be"),
        (lambda: Schedule.parse("wsd:x"), "`decay` must be"),
        (lambda: Schedule.parse("constant:1"), "takes no more than constant"),
        (lambda: Schedule.parse("step:0.1:0.5:1"), "takes no more than step:FACTOR:AT"),
        (lambda: Schedule.of(lambda n: 1 - n).factors(3), "rate -1 at step 2"),
        (lambda: Schedule.of([1, np.nan]), "NaN"),
        (lambda: Schedule.of([0, 0]).factors(2), "no rate above zero"),
        (lambda: Schedule.parse("linear").factors(0), "at least 1"),
        (lambda: Clock(0.1, schedule="linear"), "`steps` is missing"),
    ],
)
def test_bad_schedules_are_refused(call, words):
    with pytest.raises(ProblemError, match=words):
        call()
