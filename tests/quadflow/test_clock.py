"""One clock: whatever command prints or draws a time, it is that of the flow, η n/(1 − β), with the steps beside it."""

import numpy as np
import pytest

PROBLEM = [
    *("--teacher", "2,1", "--inputs", "3", "--hidden", "2", "--init-scale", "0.3"),
    *("--batch", "8", "--dtype", "float64", "--records", "6"),
]
HEAVY = [*PROBLEM, "--momentum", "0.9", "--step", "1e-3"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("clock")


def test_compare_trains_up_to_the_time_of_the_flow(quadflow):
    """t = 0.5 are 0.5 · (1 − 0.9)/0.001 = 50 steps, and both sides end there."""
    result = quadflow("compare", *HEAVY, "--t-end", 0.5, "--json").json
    assert result["theory"]["times"][-1] == result["training"]["times"][-1] == pytest.approx(0.5)
    assert result["steps"] == result["training"]["steps"] == [0, 10, 20, 30, 40, 50]
    for times in (result["times"], result["training"]["times"], result["theory"]["times"]):
        np.testing.assert_allclose(times, [0, 0.1, 0.2, 0.3, 0.4, 0.5], rtol=1e-14)


def test_compare_measures_at_times_of_the_flow(quadflow):
    result = quadflow("compare", *HEAVY, "--times", "0.1,0.35", "--json").json
    assert result["steps"] == [0, 10, 35]
    np.testing.assert_allclose(result["times"], [0, 0.1, 0.35], rtol=1e-14)


def test_train_prints_it(quadflow):
    """`--optimizer momentum` has β = 0.9: 100 steps of 0.001 are the time 1."""
    result = quadflow(
        "train", *PROBLEM, "--step", "1e-3", "--optimizer", "momentum", "--steps", 100, "--json"
    ).json
    np.testing.assert_allclose(result["times"], np.array(result["steps"]) * 1e-3 / (1 - 0.9), rtol=1e-14)
    assert (result["steps"][-1], result["times"][-1]) == (100, pytest.approx(1.0))


@pytest.mark.parametrize("length", [["--t-end", "0.5"], ["--times", "0.1,0.3,0.5"]])
def test_a_sweep_over_momenta_is_at_the_same_times(quadflow, folder, length):
    """Three kinds of runs, two momenta, one clock: the same flow in `simulate` and `compare`, the same networks too."""
    xarray = pytest.importorskip("xarray")
    file = folder / f"{length[0][2:]}.nc"
    options = [*PROBLEM, "--step", "1e-3", *length, "--vary", "momentum=0,0.9", "--workers", 0]
    assert quadflow("sweep", "simulate", "train", "compare", *options, "--output", file).status == 0
    with xarray.open_dataset(file) as data:
        assert data["train_time_reached"].values == pytest.approx([0.5, 0.5])
        assert data["compare_time_reached"].values == pytest.approx([0.5, 0.5])
        flow, held_against = data["simulate_loss"].values, data["compare_theory_loss"].values
        np.testing.assert_allclose(held_against[..., -3:], flow[..., -3:], rtol=1e-9)
        np.testing.assert_array_equal(data["train_loss"], data["compare_loss"])


def test_a_report_lays_all_runs_on_one_clock(quadflow, folder, monkeypatch):
    """Networks with momentum, the flow, and the flow of a comparison: what the page draws over each other."""
    pytest.importorskip("plotly")
    from figures import report_charts

    (folder / "flow.json").write_text(
        quadflow("simulate", *PROBLEM[:8], "--t-end", 0.5, "--records", 6, "--json").out
    )
    (folder / "train.json").write_text(quadflow("train", *HEAVY, "--steps", 50, "--json").out)
    (folder / "both.json").write_text(quadflow("compare", *HEAVY, "--t-end", 0.5, "--json").out)
    drawn, draw = {}, report_charts.overlay_chart

    def keep(curves):
        drawn.update(curves)
        return draw(curves)

    monkeypatch.setattr(report_charts, "overlay_chart", keep)
    files = [folder / name for name in ("flow.json", "train.json", "both.json")]
    assert quadflow("report", *files, "--output", folder / "report.html").status == 0
    assert len(drawn) >= 3
    for times, _ in drawn.values():
        np.testing.assert_allclose(times, [0, 0.1, 0.2, 0.3, 0.4, 0.5], rtol=1e-14)


def test_figures_lay_networks_on_the_theory_at_the_same_times(quadflow, monkeypatch, folder):
    """Theory and networks of `figure fluctuations` with momentum, as they are handed to the drawing."""
    shown = []

    def keep(comparison, **options):
        from figures.learning_curve import learning_curves

        shown.append(comparison)
        return learning_curves(comparison, **options)

    monkeypatch.setattr("figures.learning_curves", keep, raising=False)
    arguments = ["figure", "fluctuations", *HEAVY, "--correction", "modified", "--t-end", 0.5, "--seeds", 2]
    assert quadflow(*arguments, "--output", folder / "figure.png").status == 0
    (comparison,) = shown
    np.testing.assert_allclose(comparison.run.times, [0, 0.1, 0.2, 0.3, 0.4, 0.5], rtol=1e-14)
    np.testing.assert_array_equal(comparison.run.times, comparison.trajectory.times)
    np.testing.assert_array_equal(comparison.run.times, comparison.gap.times)
