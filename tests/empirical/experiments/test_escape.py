"""What the figure of escape times shows: lines that are the theory, networks from where it starts, as quiet as said."""

import numpy as np
import pytest

from dynamics import ProblemError
from dynamics.escape.prediction import escape_time
from empirical.escape import train_escape
from empirical.experiments.escape import (
    ENDLESS,
    INPUTS,
    PATIENCE,
    QUIET,
    TRAINED,
    EscapeTimes,
    escape_times,
    noise_curve,
    one_unit,
)


def test_dimensions():
    """Two decades and more, and networks stand on points of the lines."""
    assert (INPUTS[0], INPUTS[-1]) == (7, 1792)
    assert set(TRAINED) < set(INPUTS)


def test_lines_are_the_theory():
    times = escape_times(["hermite:3", "relu"], [0, 0], [])
    assert times.noise is None and times.overlap == 0.5
    for curve, name, k in zip(times.curves, ("hermite:3", "relu"), (3, 1), strict=True):
        assert (curve.activation.name, curve.exponent, curve.runs) == (name, k, ())
        np.testing.assert_array_equal(curve.inputs, INPUTS)
        for n in (0, 20, -1):
            theory = escape_time(one_unit(name, int(INPUTS[n])))
            assert curve.flow[n] == pytest.approx(theory.flow_time, rel=1e-12)
            if k == 3:
                assert curve.leading[n] == pytest.approx(theory.leading_time, rel=1e-12)
    assert times.curves[1].leading is None


def test_networks_start_where_the_lines_do():
    """Those of gradient descent, at d = 7 and 14: the same training, called here, as quiet as said."""
    times = escape_times(["hermite:2"], [20], [], seeds=2, seed=4)
    (curve,) = times.curves
    assert [run.inputs for run in curve.runs] == [7, 14]
    theory = escape_time(one_unit("hermite:2", 14))
    run = curve.runs[1]
    assert run.step == pytest.approx(theory.flow_time / 300)
    assert run.batch == np.ceil(run.step / (QUIET * theory.largest_step))
    again = train_escape(
        one_unit("hermite:2", 14),
        step=run.step,
        t_end=PATIENCE * theory.flow_time,
        batch=run.batch,
        overlap_at_start=14**-0.5,
        seeds=2,
        seed=4,
    )
    np.testing.assert_array_equal(run.times, again.times)
    assert f"  flow {theory.flow_time:.4g}, {run.summary()}" in times.summary().split("\n")
    assert times.summary().startswith("hermite:2: information exponent 2\n")


def test_noise_against_the_step():
    """Ratios 1/(1 − 3ηd) (theory, exactly) for He₂ up to the end at 1/3; where nothing is predicted, ten flow times."""
    curve = noise_curve("hermite:2", [0.2, 0.5], inputs=20, seeds=3, seed=2)
    assert curve.largest == pytest.approx(1 / 3, rel=1e-9)
    np.testing.assert_allclose(curve.ratio, 1 / (1 - 3 * curve.rates), rtol=1e-8)
    assert curve.rates[-1] < 1 / 3 and (curve.start, curve.overlap, curve.inputs) == (0.3, 0.8, 20)
    slow, never = curve.runs
    assert (slow.step, slow.batch, len(slow.times)) == (0.01, 1, 3)
    assert slow.t_end == pytest.approx(PATIENCE * curve.flow_time / 0.4)
    assert never.t_end == pytest.approx(ENDLESS * curve.flow_time)
    same = train_escape(
        one_unit("hermite:2", 20),
        step=0.01,
        t_end=slow.t_end,
        overlap=0.8,
        overlap_at_start=0.3,
        seeds=3,
        seed=2,
    )
    np.testing.assert_array_equal(slow.times, same.times)
    lines = EscapeTimes((), 0.5, curve).summary().split("\n")
    assert lines[0] == f"hermite:2: one-pass SGD, flow {curve.flow_time:.4g}"
    assert lines[1] == f"  ηd = 0.2, {slow.summary()}"


def test_the_noise_is_that_of_the_first_activation(monkeypatch):
    given = {}
    monkeypatch.setattr(
        "empirical.experiments.escape.noise_curve",
        lambda phi, rates, **how: given.update(how, phi=phi, rates=rates),
    )
    escape_times(["abs", "relu"], [0, 0], [0.1], seeds=3, seed=5, device="cpu", progress=True)
    assert str(given.pop("phi")) == "abs"
    assert given == {"rates": [0.1], "seeds": 12, "seed": 5, "device": "cpu", "progress": True}


@pytest.mark.slow
def test_networks_lie_on_the_laws():
    """Medians of 16 networks by gradient descent for He₂ up to d = 112, He₃ up to 28, He₄ up to 14.

    Within four standard errors of the median, from its order statistics, and the part of the signal that noise takes, a
    twentieth at the start, which delays by at most a tenth.
    """
    times = escape_times(largest=[112, 28, 14], rates=[], seeds=16, seed=1)
    for curve in times.curves:
        for run in curve.runs[1:]:
            predicted = curve.flow[curve.inputs == run.inputs][0]
            assert abs(np.median(run.times) - predicted) < 4 * run.median_error + 0.1 * predicted


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["relu"], [1, 2], []), "`largest` has 2 entries, but there are 1 activations"),
        ((["relu"], [-1], []), "`largest` is -1"),
        ((["relu"], [0], [-0.1]), "`rates` is -0.1"),
        ((["polynomial:1,1e-15"], [0], []), "'polynomial:1,1e-15' never reaches the overlap 0.5"),
        ((["nothing"], [0], []), "`activation` is 'nothing'"),
    ],
)
def test_what_is_refused(arguments, message):
    with pytest.raises(ProblemError, match=message):
        escape_times(*arguments)


def test_an_overlap_that_is_there_at_once_is_refused():
    """1/√7 = 0.378."""
    with pytest.raises(ProblemError, match="which 1/√d exceeds for d = 7"):
        escape_times(["relu"], [7], [], overlap=0.3)
    with pytest.raises(ProblemError, match=r"`overlap` is 1\.5, but"):
        escape_times(["relu"], [0], [], overlap=1.5)


def test_a_series_that_ends_before_is_refused():
    with pytest.raises(ProblemError, match="the Hermite series of these activations ends before"):
        escape_times(["relu"], [0], [], overlap=0.99)
