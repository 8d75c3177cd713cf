"""Labelled data: what a label points at, recomputed from the weights or known in closed form."""

import io
import json
import sys

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
    fixed_points,
)

xarray = pytest.importorskip("xarray")
pandas = pytest.importorskip("pandas")


@pytest.fixture(scope="module")
def trajectory():
    """A diagonal teacher in four dimensions, M* = diag(3, −1, 0, 0)."""
    teacher = Teacher.from_eigenvalues([3, -1], 4)
    return GradientFlow(teacher, Student.initialise(3, 4, scale=0.5, seed=1)).integrate(times=[0, 0.1, 0.4])


def test_trajectory_labels_point_at_the_right_numbers(trajectory):
    """M = Σ a_k w_k w_kᵀ and L = ‖D‖² + ½ (tr D)² from the weights in the data set; modes are M_00 and M_11."""
    data = trajectory.to_xarray()
    assert dict(data.sizes) == {"time": 3, "mode": 2, "unit": 3, "output": 1, "input": 4}
    now = data.sel(time=0.4)
    W, a = now.W.transpose("unit", "input").values, now.A.sel(output=0).values
    M = (W.T * a) @ W
    D = np.diag([3.0, -1, 0, 0]) - M
    assert float(now.loss) == pytest.approx(np.sum(D**2) + 0.5 * np.trace(D) ** 2, rel=1e-12)
    assert data.eigenvalue.values.tolist() == [3, -1]
    for mode in (0, 1):
        assert float(now.modes.sel(mode=mode)) == pytest.approx(M[mode, mode], rel=1e-12)
    c = now.conserved.sel(unit=2)
    assert float(c) == pytest.approx(W[2] @ W[2] - 2 * a[2] ** 2, rel=1e-10)


def test_trajectory_attributes(trajectory):
    data = trajectory.to_xarray()
    assert data.attrs["activation"] == "quadratic"
    assert data.attrs["method"] == trajectory.solver.method
    assert json.loads(data.attrs["versions"]) == trajectory.versions
    assert data.time.attrs["units"] == "time of the flow"
    assert data.loss.attrs["units"] == "squared output units"
    assert all(variable.attrs["long_name"] for variable in data.data_vars.values())


def test_a_data_set_survives_its_file(trajectory):
    """NetCDF refuses attributes that are not numbers or text."""
    pytest.importorskip("h5netcdf")
    data = trajectory.to_xarray()
    again = xarray.load_dataset(io.BytesIO(bytes(data.to_netcdf(engine="h5netcdf"))), engine="h5netcdf")
    xarray.testing.assert_identical(again, data)


def test_weights_of_a_huge_input_space_are_left_out(monkeypatch):
    """As in files; a limit of ten entries stands in for millions."""
    monkeypatch.setattr("dynamics.curves.trajectory.LARGEST_STORED_W", 10)
    flow = GradientFlow(Teacher.from_eigenvalues([1.0], 3), Student.initialise(2, 3, seed=1))
    assert "W" not in flow.integrate(times=[0, 1]).to_xarray()
    assert "W" in flow.integrate(times=[1]).to_xarray()


@pytest.mark.parametrize("activation", ["centred", "linear", "relu", "abs"])
def test_eigenvalues_of_other_activations_are_what_is_learned(activation):
    """The teacher Σ λ_m φ(x_m), λ = 2, 1; a student that is the teacher has these modes (theory of the modes)."""
    teacher = Teacher.from_eigenvalues([2, 1])
    flow = GradientFlow(teacher, Student(np.eye(2), [2.0, 1.0]), activation=activation)
    data = flow.integrate(times=[0, 0.1]).to_xarray()
    targets = data.eigenvalue.values
    np.testing.assert_allclose(data.modes.sel(time=0), targets, atol=1e-12)
    assert targets.tolist() == pytest.approx([2, 1])


def test_sgd_is_labelled_with_its_steps_and_overlaps():
    """Q and R at the start from their definition; steps = time / η."""
    problem = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(3, 2, scale=0.5, seed=2))
    data = MeanSGD(problem, step=0.01, batch=4).integrate(times=[0, 0.1]).to_xarray()
    W = problem.student.W
    np.testing.assert_allclose(data.Q.sel(time=0), W @ W.T, atol=1e-12)
    np.testing.assert_allclose(data.R.sel(time=0), W @ problem.teacher.V.T, atol=1e-12)
    np.testing.assert_allclose(data.step, [0, 10])
    assert (data.attrs["step_size"], data.attrs["batch"]) == (0.01, 4)
    assert "loss_std" not in data
    assert data.Q.dims == ("time", "unit", "other_unit")


def test_members_of_an_ensemble_are_the_single_flows():
    """Against each member integrated on its own."""
    teacher = Teacher.from_eigenvalues([2, 1], 3)
    problems = [Problem(teacher, Student.initialise(2, 3, scale=0.4, seed=s)) for s in range(3)]
    data = FlowEnsemble(problems).integrate(times=[0, 0.5]).to_xarray()
    for member, problem in enumerate(problems):
        alone = GradientFlow(problem).integrate(times=[0, 0.5])
        np.testing.assert_allclose(data.loss.sel(member=member), alone.loss, rtol=1e-7)
        np.testing.assert_allclose(data.W.sel(member=member, time=0.5), alone.W[1], atol=1e-7)
    assert data.status.values.tolist() == ["finished"] * 3
    assert "atol" not in data.attrs  # each member has its own
    assert data.eigenvalue.values.tolist() == [2, 1]


def test_members_with_different_teachers_have_no_common_eigenvalues():
    student = Student.initialise(2, 2, scale=0.4)
    problems = [Problem(Teacher.from_eigenvalues(lam), student) for lam in ([2, 1], [3.0, 1])]
    data = FlowEnsemble(problems).integrate(times=[0, 0.1]).to_xarray()
    assert "eigenvalue" not in data.coords
    assert data.attrs["inputs"] == 2


def test_catalogue_table_can_be_asked():
    """λ = 4, 2, 1 with three units: 2³ points, the losses those of L = Σ λ̃² over unlearned modes (README table)."""
    frame = fixed_points(Teacher.from_eigenvalues([4, 2, 1]), 3).to_dataframe()
    assert len(frame) == 8
    assert frame["loss"].tolist() == pytest.approx([0, 1.25, 5, 8, 20, 76 / 3, 32, 45.5])
    minimum = frame[frame["kind"] == "global minimum"]
    assert minimum["learned_modes"].tolist() == [(0, 1, 2)]
    assert frame.groupby("kind").size().to_dict() == {"global minimum": 1, "saddle": 7}
    assert frame.attrs["second_layer"] == "trainable"


def test_what_is_not_feasible_is_missing_and_counts_stay_whole():
    """One unit cannot learn two modes of different sign: the global solution is not feasible."""
    frame = fixed_points(Teacher.from_eigenvalues([2, -1.9]), 1).to_dataframe()
    first = frame.iloc[0]
    assert not first["feasible"]
    assert first[["index", "nullity", "positive", "degenerate"]].isna().all()
    assert (first["needed_positive"], first["needed_negative"]) == (1, 1)
    assert frame["index"].tolist()[1:] == [0, 0, 1]
    assert pandas.api.types.is_integer_dtype(frame["index"])
    assert list(frame["kind"][1:]) == ["global minimum", "spurious minimum", "saddle"]


@pytest.mark.parametrize("library", ["xarray", "pandas"])
def test_a_missing_library_is_named_with_its_extra(monkeypatch, trajectory, library):
    """None in `sys.modules` is how Python marks what must not be imported."""
    monkeypatch.setitem(sys.modules, library, None)
    ask = (
        trajectory.to_xarray
        if library == "xarray"
        else fixed_points(Teacher.from_eigenvalues([1]), 1).to_dataframe
    )
    with pytest.raises(ProblemError, match=rf"needs {library}.*quadflow\[sweep\]"):
        ask()
