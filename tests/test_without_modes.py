"""Overlaps and norms at their limits: teachers without directions, units without length, more overlaps than fit.

Expected values follow from the definitions: a teacher that is zero has R = 0 directions, weights that are zero stay so.
"""

import io
import json

import numpy as np
import pytest

from dynamics import GradientFlow, MeanSGD, Problem, Student, Teacher
from dynamics.curves import units
from dynamics.curves.trajectory import Trajectory
from dynamics.curves.units import TOO_MANY
from empirical import compare, measured_weights, train
from empirical.memory import training_memory
from empirical.training_run import TrainingRun
from figures import learning_curves
from figures.report_input import validate_result
from quadflow.output import to_json
from quadflow.results import comparison_json, run_json, trajectory_json

SHORT = {"steps": 4, "step": 1e-2, "batch": 4, "records": 3}


def problem(eigenvalues, scale=0.5, **options):
    return Problem(
        Teacher.from_eigenvalues(eigenvalues, 2),
        Student.initialise(3, 2, scale=scale, seed=1),
        "erf",
        **options,
    )


def told(result):
    """As a command prints it."""
    return json.loads(to_json(result))


def test_a_teacher_without_directions():
    """Overlaps (…, 3, 0) and norms alone in words; drawn, printed, compared."""
    zero = problem([0.0])
    flow = GradientFlow(zero).integrate(0.1, samples=3)
    mean = MeanSGD(zero, 0.01).integrate(times=[0, 0.1])
    run = train(zero, seeds=2, **SHORT)
    for result, json_of in ((flow, trajectory_json), (mean, trajectory_json), (run, run_json)):
        assert np.shape(told(json_of(result))["overlaps"])[-2:] == (3, 0)
        assert "norms of the units" in result.summary() and "overlap" not in result.summary()
    assert compare(zero, **SHORT).relative_error["overlaps_sup"] == 0
    above, *_ = learning_curves(flow, run).axes
    assert above.get_yscale() == "linear"  # the loss hardly moves


def test_units_without_length():
    """Weights that are zero are at a saddle and stay: neither overlaps nor norms differ; nothing is divided by 0."""
    still = compare(problem([1.0], scale=0.0), **SHORT)
    assert still.relative_error == pytest.approx(
        {"loss_sup": 0, "modes_sup": np.nan, "overlaps_sup": 0, "norms_sup": 0}, nan_ok=True
    )
    assert not still.trajectory.overlaps.any() and not still.run.norms.any()


def test_too_many_overlaps_are_left_out_and_said_to_be(monkeypatch):
    """3 records of 3 units and 2 directions are 18 overlaps: with room for 17 there are norms alone, everywhere."""
    start = problem([2.0, 1.0])
    monkeypatch.setattr(units, "LARGEST_OVERLAPS", 17)
    monkeypatch.setattr(measured_weights, "LARGEST_OVERLAPS", 17)
    compared = compare(start, **SHORT)
    assert compared.run.overlaps is None and compared.run.norms.shape == (1, 3, 3)
    assert np.isnan(compared.relative_error["overlaps_sup"]) and compared.relative_error["norms_sup"] > 0
    assert "overlaps" not in compared.summary() and "norms" in compared.summary()
    for result, json_of, kind in (
        (compared.trajectory, trajectory_json, Trajectory),
        (compared.run, run_json, TrainingRun),
    ):
        data = told(json_of(result))
        assert data["overlaps"] is data["modes"] is None and np.shape(data["norms"])[-1] == 3
        assert TOO_MANY in data["warnings"]
        validate_result(data, "it")
        file = io.BytesIO()
        result.save(file)
        file.seek(0)
        again = kind.load(file)
        np.testing.assert_array_equal(again.norms, result.norms)
        assert again.modes.shape == result.modes.shape
    assert told(comparison_json(compared))["relative_error"]["overlaps_sup"] is None
    learning_curves(compared)
    monkeypatch.setattr(units, "LARGEST_OVERLAPS", 18)
    assert np.shape(trajectory_json(compared.trajectory)["overlaps"]) == (3, 3, 2)


def test_memory_counts_what_is_recorded():
    """Twice in double precision: per record 3 × 2 overlaps and 3 norms stand for 2 modes and 3 c_k."""
    of = {"batch": 4, "samples": 0, "records": 1, "itemsize": 4}
    erf = training_memory(problem([2.0, 1.0]), **of).records
    other = Problem(Teacher.from_eigenvalues([2.0, 1.0], 2), problem([2.0, 1.0]).student)
    assert erf - training_memory(other, **of).records == 2 * 8 * (3 * 2 - 2)


@pytest.mark.parametrize("wrong", ["x", [[1.0]], [[["x"]]]])
def test_a_report_refuses_other_overlaps(wrong):
    """Of a theory they are [time][unit][teacher direction]."""
    from dynamics import ProblemError

    data = told(trajectory_json(GradientFlow(problem([1.0])).integrate(0.1, samples=3)))
    validate_result(data, "it")
    with pytest.raises(ProblemError, match="`overlaps"):
        validate_result(data | {"overlaps": wrong}, "it")
