"""Every variable that a sweep keeps of a run, against the run itself."""

from types import SimpleNamespace

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.outcome.diagnosis import diagnose
from empirical import compare, train
from empirical.sweep.results import (
    of_comparison,
    of_diagnosis,
    of_training,
    of_trajectory,
)

PROBLEM = Problem(Teacher.from_eigenvalues([2, 1], 3), Student.initialise(4, 3, scale=0.4, seed=1))


def check(found, expected):
    """Names, dimensions and values are exactly these, and every name is explained in the file."""
    assert found.keys() == expected.keys()
    for name, (dims, value) in expected.items():
        got = found[name]
        assert got.dims == tuple(dims.split())
        assert got.array.ndim == len(got.dims)
        np.testing.assert_array_equal(got.array, value, err_msg=name)
        assert got.array.dtype.kind == "U" or got.array.dtype == float
        assert got.meaning


def test_trajectory():
    """Plateaus, status and time reached of a flow that is stopped at a loss on its way."""
    t = GradientFlow(PROBLEM).integrate(t_end=40.0, samples=60, until_loss=1e-3)
    assert 0 < t.times[-1] < 40
    assert t.loss[0] > t.loss[-1]
    assert len(t.stages) > 0
    check(
        of_trajectory(t),
        {
            "time": ("time", t.times),
            "loss": ("time", t.loss),
            "modes": ("time mode", t.modes),
            "initial_loss": ("", t.loss[0]),
            "final_loss": ("", t.loss[-1]),
            "conserved": ("unit", t.conserved[0]),
            "conserved_drift": ("", np.abs(t.conserved - t.conserved[0]).max()),
            "time_reached": ("", t.times[-1]),
            "plateaus": ("", len(t.stages)),
            "end": ("", "target loss reached"),
            "method": ("", "LSODA"),
            "evaluations": ("", t.solver.evaluations),
        },
    )


def expected_of_training(run):
    drift = [max(np.abs(c - c[0]).max() for c in [conserved]) for conserved in run.conserved]
    return {
        "time": ("time", run.times),
        "step": ("time", run.steps),
        "loss": ("network time", run.loss),
        "modes": ("network time mode", run.modes),
        "initial_loss": ("network", [curve[0] for curve in run.loss]),
        "final_loss": ("network", [curve[-1] for curve in run.loss]),
        "conserved": ("network unit", [c[0] for c in run.conserved]),
        "conserved_drift": ("network", drift),
        "time_reached": ("", run.times[-1]),
    }


def test_training():
    """Three networks whose drifts differ, step 0.02, 30 steps."""
    run = train(PROBLEM, steps=30, step=0.02, batch=8, seeds=3, records=4)
    found = of_training(run)
    check(found, expected_of_training(run))
    assert found["time_reached"].array == pytest.approx(0.6)
    assert len(set(found["conserved_drift"].array.tolist())) == 3


def test_comparison():
    """What training gives, theory, errors and parts of the gap, with the gap's own curves as the second source."""
    c = compare(PROBLEM, steps=30, step=0.02, batch=64, seeds=2, records=4)
    first = c.trajectory.loss[0]
    parts = {
        "discretisation": c.gap.discretised - c.gap.flow,
        "finite_data": c.gap.on_data - c.gap.discretised,
        "sampling_noise": c.gap.with_noise - c.gap.on_data,
        "remainder": c.gap.measured - c.gap.with_noise,
        "total": c.gap.measured - c.gap.flow,
    }
    worst = np.abs(parts["remainder"]).argmax()
    bar = (2 * c.gap.standard_error + c.gap.truncation)[worst]
    largest = {f"gap_{name}": ("", np.abs(part).max() / first) for name, part in parts.items()}
    expected = expected_of_training(c.run) | {
        "theory_loss": ("time", c.trajectory.loss),
        "theory_modes": ("time mode", c.trajectory.modes),
        "theory_conserved_drift": ("", np.abs(c.trajectory.conserved - c.trajectory.conserved[0]).max()),
        "error_loss_sup": ("", np.abs(c.run.loss.mean(0) - c.trajectory.loss).max() / first),
        "error_modes_sup": ("", np.abs(c.run.modes.mean(0) - c.trajectory.modes).max() / 2),
        **largest,
        "gap_error_bar": ("", bar / first),
    }
    check(of_comparison(c), expected)


def test_diagnosis():
    """A start that fails, its one unit frozen at a sign that no mode has; and one about which nothing is known."""
    problem = Problem(PROBLEM.teacher, Student([[0.3, 0.1, 0.2]], [-0.8]))
    d = diagnose(problem)
    check(
        of_diagnosis(d),
        {
            "verdict": ("", "fails"),
            "explanation": ("", d.reason),
            "conserved": ("unit", [0.3**2 + 0.1**2 + 0.2**2 - 2 * 0.8**2]),
            "predicted_loss": ("", d.predicted_loss),
            "decided_at": ("", np.nan if d.decided_at is None else d.decided_at),
            "critical_scale": ("", np.nan),
        },
    )
    unknown = SimpleNamespace(
        verdict="undecided",
        reason="why",
        conserved=np.zeros(1),
        predicted_loss=None,
        decided_at=None,
        critical_scale=None,
    )
    found = of_diagnosis(unknown)
    assert np.isnan(found["predicted_loss"].array)
    assert np.isnan(found["decided_at"].array)
    assert np.isnan(found["critical_scale"].array)
    known = SimpleNamespace(
        verdict="fails",
        reason="why",
        conserved=np.zeros(1),
        predicted_loss=1.25,
        decided_at=3.0,
        critical_scale=0.5,
    )
    assert of_diagnosis(known)["predicted_loss"].array == 1.25
    assert of_diagnosis(known)["predicted_loss"].unit == "squared output units"
    assert of_diagnosis(known, "log-cosh")["predicted_loss"].unit == "log-cosh"
    assert of_diagnosis(known)["decided_at"].array == 3.0
    assert of_diagnosis(known)["critical_scale"].array == 0.5
