"""Training runs and comparisons as labelled data, recomputed from the weights in them."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from empirical import compare
from empirical.gap import PARTS

xarray = pytest.importorskip("xarray")


@pytest.fixture(scope="module")
def comparison():
    problem = Problem(Teacher.from_eigenvalues([2, -1]), Student.initialise(3, 2, scale=0.5, seed=1))
    return compare(problem, steps=40, step=5e-3, batch=8, seeds=3, records=5, dtype="float64")


def test_every_network_has_its_own_curve(comparison):
    """L = ‖D‖² + ½ (tr D)² from the weights of each network at each time."""
    data = comparison.run.to_xarray()
    assert dict(data.sizes) == {"network": 3, "time": 5, "mode": 2, "unit": 3, "output": 1, "input": 2}
    for network in range(3):
        for step in (0, 40):
            at = data.sel(network=network, time=5e-3 * step, method="nearest")
            W, a = at.W.values, at.A.sel(output=0).values
            D = np.diag([2.0, -1]) - (W.T * a) @ W
            assert float(at.loss) == pytest.approx(np.sum(D**2) + 0.5 * np.trace(D) ** 2, rel=1e-12)
            assert int(at.step) == step
    assert data.attrs["batch"] == 8
    assert data.attrs["step_size"] == 5e-3


def test_a_comparison_holds_theory_and_gap(comparison):
    """The theory is the flow integrated anew; the largest deviation is recomputed from the curves."""
    data = comparison.to_xarray()
    flow = GradientFlow(comparison.trajectory.problem).integrate(times=data.time.values)
    np.testing.assert_allclose(data.theory_loss, flow.loss, rtol=1e-7)
    np.testing.assert_allclose(data.theory_modes.sel(mode=1), flow.modes[:, 1], rtol=1e-6, atol=1e-9)
    mean = data.loss.mean("network")
    np.testing.assert_allclose(data.loss_measured, mean, rtol=1e-12)
    deviation = abs(mean - data.theory_loss).max() / data.theory_loss[0]
    assert float(data.error_loss_sup) == pytest.approx(float(deviation), rel=1e-12)
    assert float(data.gap_total) == pytest.approx(float(deviation), rel=1e-6)
    assert data.eigenvalue.values.tolist() == [2, -1]
    assert data.attrs["theory"] == "flow"
    curves = {"loss_flow", "loss_discretised", "loss_on_data", "loss_with_noise", "loss_measured"}
    numbers = {
        "error_loss_sup",
        "error_modes_sup",
        *(f"gap_{name}" for name in (*PARTS, "total", "error_bar")),
    }
    theory = {"theory_loss", "theory_modes", "theory_conserved"}
    measured = {"loss", "modes", "conserved", "A", "W"}
    assert {*data.data_vars} == curves | numbers | theory | measured | {"loss_error_bar"}
    assert {*data.coords} - {*data.sizes} == {"step", "eigenvalue"}
    assert data.loss_flow.attrs["units"] == data.loss.attrs["units"]


def test_a_comparison_with_sgd_has_the_spread_where_it_is_known(comparison):
    problem = comparison.trajectory.problem
    data = compare(problem, steps=20, step=5e-3, batch=8, seeds=2, records=3, theory="sgd").to_xarray()
    assert data.theory_loss_std.dims == ("time",)
    assert data.theory_modes_std.dims == ("time", "mode")
    assert float(data.theory_loss_std[0]) == pytest.approx(0, abs=1e-12)
    assert float(data.theory_loss_std[-1]) > 0


def test_data_sets_survive_their_files(comparison, tmp_path):
    """NetCDF refuses attributes that are not numbers or text."""
    pytest.importorskip("h5netcdf")
    for result in (comparison, comparison.run):
        data = result.to_xarray()
        data.to_netcdf(tmp_path / "x.nc", engine="h5netcdf")
        again = xarray.load_dataset(tmp_path / "x.nc", engine="h5netcdf")
        xarray.testing.assert_identical(again, data)


def test_momentum_has_one_clock(comparison):
    """Heavy ball: time of the flow is η × steps / (1 − β), for the networks and the theory."""
    problem = comparison.trajectory.problem
    data = compare(problem, steps=20, step=1e-3, batch=8, momentum=0.5, records=3).to_xarray()
    np.testing.assert_allclose(data.time, 2e-3 * data.step)
    assert data.theory_loss.dims == ("time",)


def test_notebooks_show_runs_and_comparisons(comparison):
    """The lines of the summaries."""
    assert "3 seeds, 40 steps" in comparison._repr_html_()
    assert "3 seeds, 40 steps" in comparison.run._repr_html_()
