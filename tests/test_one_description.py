"""One description per result: a field that is declared once is everywhere, and whatever is saved is loaded again.

Expected values are the results themselves: saving, loading and labelling are identities on numbers.
"""

import io
import json
from dataclasses import dataclass, is_dataclass, replace
from typing import Annotated

import numpy as np
import pytest

from dynamics import (
    FlowEnsemble,
    GradientFlow,
    MeanSGD,
    Problem,
    ProblemError,
    Student,
    Teacher,
    Trajectory,
    fixed_points,
    gaussian_comparison,
)
from dynamics.activations import ACTIVATIONS, Activation
from dynamics.aliases import Array
from dynamics.curves.stages import find_stages
from dynamics.curves.units import OTHER_TEACHER
from dynamics.curves.variables import Meaning, described, printed
from dynamics.flows.path_space import PathFlow
from dynamics.neuron import NeuronFlow, Neurons, QuadraticTarget, Rates
from dynamics.saddle_to_saddle.staircase import staircase
from dynamics.sgd.fluctuations import FluctuatingSGD
from dynamics.sgd.trajectory import SGDTrajectory
from empirical import compare, train
from empirical.sweep.results import of_training, of_trajectory
from empirical.training_run import TrainingRun
from quadflow.output import to_json
from quadflow.results import run_json, trajectory_json

MIXED = Activation("mixed", "φ(w·x) = z + z²/2", lambda z, q: z + 0.5 * z**2, degree=None, parity=None)


def problem(d=3, K=2, outputs=1, scale=0.5, **options):
    teacher = Teacher.from_eigenvalues([2, -1], d, outputs)
    return Problem(teacher, Student.initialise(K, d, scale=scale, seed=1, outputs=outputs), **options)


def flow(*arguments, **options):
    return GradientFlow(problem(*arguments, **options)).integrate(times=[0, 0.1, 0.4])


def failed_member():
    """The second of two members has given up half-way: NaN from there on."""
    ensemble = FlowEnsemble([problem(), problem(scale=0.3)]).integrate(times=[0, 0.1, 0.4])
    coordinates = ensemble.coordinates.copy()
    coordinates[1, 1:] = np.nan
    return replace(ensemble, coordinates=coordinates, messages=("", "gave up: ε"))


RESULTS = {
    "trajectory": flow,
    "reduced": lambda: flow(d=9),
    "two outputs": lambda: flow(outputs=2),
    "correlated": lambda: flow(covariance=np.diag([1.0, 2, 0.5])),
    "not homogeneous": lambda: _mixed(GradientFlow),
    "SGD": lambda: MeanSGD(problem(), 0.01, 4, 0.1).integrate(times=[0, 0.1]),
    "fluctuations": lambda: FluctuatingSGD(problem(), 0.01, 4).integrate(times=[0, 0.1]),
    "ensemble": lambda: FlowEnsemble([problem(), problem(scale=0.3)]).integrate(times=[0, 0.1]),
    "reduced ensemble": lambda: FlowEnsemble([problem(9), problem(9, scale=0.3)]).integrate(times=[0, 0.1]),
    "failed member": failed_member,
    "neurons": lambda: NeuronFlow(
        QuadraticTarget.random(2), Neurons.initialise(3, 2), Rates(g=0.1), shrink=0.1
    ).integrate(t_end=0.5, samples=3),
    "path": lambda: PathFlow(problem(activation="relu")).integrate(0.1, samples=3),
    "run": lambda: train(problem(), steps=4, step=1e-2, batch=4, seeds=2, records=3),
    "run without weights": lambda: replace(train(problem(), steps=4, step=1e-2, batch=4, records=3), W=None),
    "run not homogeneous": lambda: _mixed(None),
    "beside Gaussian inputs": lambda: gaussian_comparison(problem(distribution="uniform"), times=[0, 0.1]),
    "comparison": lambda: compare(problem(), steps=4, step=1e-2, batch=4, seeds=2, records=3),
    "comparison with SGD": lambda: compare(problem(), steps=4, step=1e-2, batch=4, records=3, theory="sgd"),
}


def _mixed(theory):
    """Results of an activation that is not homogeneous."""
    one = problem(activation=MIXED)
    return (
        train(one, steps=4, step=1e-2, batch=4, records=3)
        if theory is None
        else theory(one).integrate(0.1, samples=3)
    )


@pytest.fixture(scope="module")
def results():
    """Each result once."""
    return {name: make() for name, make in RESULTS.items()}


def assert_same(one, other):
    """Equal fields, down to arrays."""
    if is_dataclass(one) and not isinstance(one, type):
        assert type(one) is type(other)
        for name in one.__dataclass_fields__.keys() - {"again"}:  # the flow, which no file keeps
            assert_same(getattr(one, name), getattr(other, name))
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    else:
        assert type(one) is type(other)
        assert one == other


@pytest.mark.parametrize("name", RESULTS)
def test_whatever_is_saved_is_loaded_again(results, name, monkeypatch):
    """Field by field; an activation is found by its name."""
    monkeypatch.setitem(ACTIVATIONS, "mixed", MIXED)
    result, file = results[name], io.BytesIO()
    result.save(file)
    file.seek(0)
    assert_same(result, type(result).load(file))


@pytest.mark.parametrize("name", RESULTS)
def test_files_hold_every_variable(results, name):
    """The arrays of the file against `variables`; second layers of one output are called `a`, parts have folders."""
    result, file = results[name], io.BytesIO()
    result.save(file)
    file.seek(0)
    stored = np.load(file)
    parts = (
        {"run": result.run, "trajectory": result.trajectory, "gap": result.gap}
        if "comp" in name
        else {"": result}
    )
    for folder, part in parts.items():
        for variable, held in part.variables().items():
            key = f"{folder}/{variable}".lstrip("/")
            if key not in stored:
                assert variable == "A"
                np.testing.assert_array_equal(stored[key[:-1] + "a"].reshape(held.array.shape), held.array)
            else:
                np.testing.assert_array_equal(stored[key], held.array)
    assert json.loads(str(stored["about"]))["format"] == f"quadflow {type(result).KIND} 2"


@pytest.mark.parametrize("name", RESULTS)
def test_labelled_data_hold_every_variable_with_its_meaning(results, name):
    """Against `variables`; NetCDF takes the data set."""
    pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    result = results[name]
    data = result.to_xarray()
    for variable, held in result.variables().items():
        found = data[variable.removesuffix("s") if held.label else variable]
        assert found.dims == held.dims
        np.testing.assert_array_equal(found.values, held.array)
        assert found.attrs == held.attributes
        assert held.meaning
    data.to_netcdf(engine="h5netcdf")


@dataclass(frozen=True, eq=False, repr=False)
class MoreTrajectory(Trajectory):
    """A trajectory with one more field, in one line."""

    sharpness: Annotated[Array | None, Meaning("time", "largest eigenvalue of the Hessian", "1/time")] = None


@dataclass(frozen=True, eq=False, repr=False)
class MoreRun(TrainingRun):
    """A run with one more field, in one line."""

    angle: Annotated[Array | None, Meaning("network time", "angle with the teacher")] = None


@pytest.mark.parametrize(
    ("name", "more", "field", "sweep", "printed_json"),
    [
        ("trajectory", MoreTrajectory, "sharpness", of_trajectory, trajectory_json),
        ("run", MoreRun, "angle", of_training, run_json),
    ],
)
def test_a_field_is_added_in_one_line(results, name, more, field, sweep, printed_json):
    """It is in files, loaded again, labelled, kept by sweeps and printed."""
    pytest.importorskip("xarray")
    plain = results[name]
    values = np.linspace(3.0, 5.0, plain.loss.size).reshape(plain.loss.shape)
    result = more(**{n: getattr(plain, n) for n in plain.__dataclass_fields__}, **{field: values})
    file = io.BytesIO()
    result.save(file)
    file.seek(0)
    np.testing.assert_array_equal(np.load(file)[field], values)
    file.seek(0)
    np.testing.assert_array_equal(getattr(more.load(file), field), values)
    labelled = result.to_xarray()[field]
    np.testing.assert_array_equal(labelled, values)
    meaning = result.variables()[field]
    assert labelled.attrs == meaning.attributes and meaning.meaning
    kept = sweep(result)[field]
    assert (kept.dims, kept.meaning, kept.unit) == (meaning.dims, meaning.meaning, meaning.unit)
    np.testing.assert_array_equal(kept.array, values)
    assert json.loads(to_json(printed_json(result)))[field] == values.tolist()
    assert field not in plain.variables()


def test_what_is_not_homogeneous_has_no_constants_and_no_modes(results):
    """Cosines of w_k with v_m and norms ‖w_k‖ from the weights instead; null in JSON, with the reason."""
    trajectory, run = results["not homogeneous"], results["run not homogeneous"]
    V = trajectory.problem.teacher.V
    for result, told in ((trajectory, trajectory_json(trajectory)), (run, run_json(run))):
        assert result.conserved is None and result.conserved_drift is None
        names = result.variables().keys()
        assert not names & {"conserved", "conserved_drift", "modes", "eigenvalues"}
        assert result.modes.shape == (*result.loss.shape, 0)
        norms, lengths = np.sqrt((result.W**2).sum(-1)), np.sqrt((V**2).sum(-1))
        cosines = result.W @ V.T / (norms[..., None] * lengths)
        np.testing.assert_allclose(result.variables()["overlaps"].array, cosines, atol=1e-14)
        np.testing.assert_allclose(result.variables()["norms"].array, norms, rtol=1e-12)
        data = json.loads(to_json(told))
        assert data["modes"] is data["conserved_drift"] is data["conserved"] is None
        assert np.shape(data["overlaps"]) == (*result.W.shape[:-1], 2)
        assert any("not homogeneous" in warning for warning in data["warnings"])
        assert "drift" not in result.summary() and "modes" not in result.summary()
        assert "norms (largest overlap) of the units" in result.summary()
        kept = of_training(result) if result is run else of_trajectory(result)
        assert kept.keys() >= {"overlaps", "norms"} and not kept.keys() & {
            "conserved",
            "conserved_drift",
            "modes",
        }
    assert all(stage.learned_modes == () for stage in trajectory.stages)


def test_an_ensemble_that_is_not_homogeneous_has_overlaps():
    """Of each member with its own teacher; the basis of the reduction does not matter."""
    rng = np.random.default_rng(1)
    student = Student.initialise(2, 9, seed=1)
    problems = [Problem(Teacher(rng.standard_normal((2, 9)), [1, 1]), student, MIXED) for _ in range(2)]
    ensemble = FlowEnsemble(problems).integrate(times=[0, 0.1])
    assert ensemble.basis is not None
    assert ensemble.conserved is ensemble.conserved_drift is None
    found = ensemble.variables()
    norms = np.sqrt((ensemble.W**2).sum(-1))
    products = np.stack([ensemble.W[i] @ p.teacher.V.T for i, p in enumerate(problems)])
    lengths = np.stack([np.sqrt((p.teacher.V**2).sum(-1)) for p in problems])
    expected = products / (norms[..., None] * lengths[:, None, None])
    np.testing.assert_allclose(found["overlaps"].array, expected, atol=1e-14)
    np.testing.assert_allclose(found["norms"].array, norms, rtol=1e-12)
    assert not found.keys() & {"modes", "conserved", "conserved_drift"}
    assert "drift" not in ensemble.summary()


def test_a_comparison_that_is_not_homogeneous_has_no_error_of_modes():
    one = compare(problem(activation=MIXED), steps=4, step=1e-2, batch=4, seeds=2, records=3)
    assert np.isnan(one.relative_error["modes_sup"])
    assert one.relative_error["loss_sup"] > 0
    assert "theory_modes" not in one.variables() and "theory_overlaps" in one.variables()
    assert "modes" not in one.summary()
    theory = one.trajectory
    far = np.abs(one.run.norms.mean(axis=0) - theory.norms).max() / theory.norms.max()
    assert one.relative_error["norms_sup"] == pytest.approx(far, rel=1e-12) and far > 0
    far = np.abs(one.run.overlaps.mean(axis=0) - theory.overlaps).max()
    assert one.relative_error["overlaps_sup"] == pytest.approx(far, rel=1e-12) and far > 0
    assert f"overlaps {far:.2g}" in one.summary()
    assert one.variables()["error_overlaps_sup"].array == one.relative_error["overlaps_sup"]


def test_another_teacher_has_no_modes_but_constants():
    """ReLU units that learn |·|: c_k is kept, per unit and whatever is learned; overlaps and norms stand for modes."""
    one = problem(activation="relu", teacher_activation="abs")
    trajectory = GradientFlow(one).integrate(0.1, samples=3)
    run = train(one, steps=4, step=1e-2, batch=4, records=3)
    for result, told in ((trajectory, trajectory_json(trajectory)), (run, run_json(run))):
        data = json.loads(to_json(told))
        assert data["modes"] is None and np.shape(data["overlaps"]) == (*result.W.shape[:-1], 2)
        assert data["conserved_drift"] == result.conserved_drift is not None
        assert [w for w in data["warnings"] if "modes" in w] == [OTHER_TEACHER]
        file = io.BytesIO()
        result.save(file)
        file.seek(0)
        assert_same(result, type(result).load(file))
    assert trajectory.conserved_drift < 1e-9
    assert trajectory.stages == find_stages(trajectory.times, trajectory.loss)
    ensemble = FlowEnsemble([one, one]).integrate(times=[0, 0.1])
    assert {"overlaps", "conserved"} <= ensemble.variables().keys() and "modes" not in ensemble.variables()


def test_tables_of_points_and_jumps():
    """λ = 4, 2, 1: 2³ points and some jumps; each column against the objects."""
    teacher = Teacher.from_eigenvalues([4, 2, 1])
    catalogue = fixed_points(teacher, 3)
    columns = catalogue.variables()
    assert columns["loss"].array.tolist() == [point.loss for point in catalogue.points]
    assert columns["learned_modes"].array.tolist() == [point.learned_modes for point in catalogue.points]
    assert all(variable.dims == ("point",) and variable.meaning for variable in columns.values())
    steps = staircase(Problem(teacher, Student.initialise(4, 3, scale=1e-3, seed=1)))
    jumps = steps.variables()
    assert jumps["time"].array.tolist() == [jump.time for jump in steps.jumps]
    assert jumps["mode"].array.tolist() == [0, 1]
    assert jumps["loss_after"].array.tolist() == [level.loss for level in steps.levels[1:]]
    assert jumps["uncertainty"].array.tolist() == [jump.uncertainty for jump in steps.jumps]
    assert jumps["level"].array.tolist() == [level.loss for level in steps.levels]


def test_details_are_neither_printed_nor_kept(results):
    """Weights and c_k at all times stay in files."""
    assert not printed(results["trajectory"].variables()).keys() & {"W", "A", "coordinates", "conserved"}
    assert not printed(results["SGD"].variables()).keys() & {"Q", "R", "A", "conserved"}


WRONG = [
    np.zeros(()),
    np.ones((2, 2)),
    np.ones((9, 9, 9, 9)),
    np.array("x"),
    np.full(3, 1j),
    np.zeros((0, 3)),
]


@pytest.mark.parametrize("name", ["SGD", "ensemble", "neurons", "path", "run not homogeneous", "comparison"])
def test_damaged_results_are_refused_in_one_sentence(results, name, monkeypatch):
    """Arrays and entries missing, of another shape or kind, every seventh case: a result, or a ProblemError."""
    monkeypatch.setitem(ACTIVATIONS, "mixed", MIXED)
    kind, file = type(results[name]), io.BytesIO()
    results[name].save(file)
    file.seek(0)
    stored = dict(np.load(file))
    about = json.loads(str(stored.pop("about")))
    cases = [(about, {k: v for k, v in stored.items() if k != key}) for key in stored]
    cases += [(about, stored | {key: wrong}) for key in stored for wrong in WRONG]
    cases += [({k: v for k, v in about.items() if k != key}, stored) for key in about]
    cases += [(about | {key: wrong}, stored) for key in about for wrong in (None, 3.5, [], "x", -1)]
    refused = 0
    for said, parts in cases[::7]:
        damaged = io.BytesIO()
        np.savez(damaged, about=json.dumps(said), **parts)
        damaged.seek(0)
        try:
            kind.load(damaged)
        except ProblemError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > len(cases[::7]) / 3


def test_what_must_be_there_is_missed_by_name(results):
    """Every field of SGD that cannot be None, left out of its file; spread over seeds and steps may be."""
    file = io.BytesIO()
    results["fluctuations"].save(file)
    for name, field in described(SGDTrajectory).items():
        if getattr(results["fluctuations"], name) is None:
            continue  # the objective: nothing decays
        file.seek(0)
        stored = dict(np.load(file))
        del stored[name]
        damaged = io.BytesIO()
        np.savez(damaged, **stored)
        damaged.seek(0)
        if name in ("loss_std", "modes_std"):
            assert field.optional and getattr(SGDTrajectory.load(damaged), name) is None
        elif name == "steps":  # files of version 0.1 have none: those of a constant rate
            found = SGDTrajectory.load(damaged)
            np.testing.assert_allclose(found.steps, found.times / found.step, rtol=1e-15)
        else:
            with pytest.raises(ProblemError, match=f"lacks the array '{name}'"):
                SGDTrajectory.load(damaged)
