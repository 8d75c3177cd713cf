"""`staircase`, `diagnose` and `simulate` with `--weight-decay`: keys, warnings, and what they agree on."""

import numpy as np
import pytest

START = ["--teacher", "4,2,1", "--init-file", "start.npz"]


@pytest.fixture
def start(tmp_path, monkeypatch):
    """The start of theory 14.6, ε = 1e-3."""
    monkeypatch.chdir(tmp_path)
    W = 1e-3 * np.array([[1, 0.3, 0.2], [0.2, 0.8, -0.4], [-0.3, 0.1, 0.7]])
    np.savez("start.npz", W=W, a=1e-3 * np.array([0.7, 0.5, 0.4]))


def test_three_commands_agree_on_a_trap(quadflow, start):
    """ρ = .006: two jumps, the verdict that it fails, and a flow that rests there and says so."""
    decay = [*START, "--weight-decay", "0.006", "--json"]
    steps = quadflow("staircase", *decay).json
    assert [jump["learned_modes"] for jump in steps["jumps"]] == [[0], [0, 1]]
    assert steps["missing"] == pytest.approx(1.495, abs=1e-3)
    assert all(jump["sensitivity"] > 1 for jump in steps["jumps"])
    verdict = quadflow("diagnose", *decay).json
    assert (verdict["verdict"], verdict["resting_modes"]) == ("fails", [0, 1])
    assert verdict["critical_scale"] == pytest.approx(0.006 * 46.434, rel=1e-3)
    run = quadflow("simulate", *decay).json
    assert run["solver"]["status"] == "converged"
    assert run["loss"][-1] == pytest.approx(1.2500017, abs=5e-8)
    assert run["loss"][-1] == pytest.approx(verdict["predicted_loss"], rel=1e-9)
    assert any(text.startswith("Resting at the minimum {0, 1}") for text in run["warnings"])
    assert "Resting at the minimum {0, 1}" in quadflow("simulate", *decay[:-1]).out


def test_without_decay_nothing_is_added(quadflow, start):
    steps = quadflow("staircase", *START, "--json").json
    assert "missing" not in steps
    assert all("sensitivity" not in jump for jump in steps["jumps"])
    verdict = quadflow("diagnose", *START, "--json").json
    assert not {"critical_scale", "resting_modes", "minima"} & set(verdict)


def test_a_late_jump_is_said_to_be_sensitive(quadflow, start):
    """ρ = .004: ρs = .996."""
    steps = quadflow("staircase", *START, "--weight-decay", "0.004", "--json").json
    assert any("a start larger by 0.1% brings it" in text for text in steps["warnings"])
    assert steps["jumps"][2]["uncertainty"] > 0.02 * steps["jumps"][2]["time"]


def test_a_fixed_second_layer(quadflow, start):
    """Null, with the reason among the warnings."""
    fixed = ["--second-layer", "fixed", "--teacher", "4,2,1", "--hidden", "3", "--init-scale", "1e-3"]
    verdict = quadflow("diagnose", *fixed, "--weight-decay", "0.4", "--json").json
    assert verdict["critical_scale"] is None
    assert any("no scale of the start is critical" in text for text in verdict["warnings"])
    assert verdict["predicted_loss"] == pytest.approx(0.012, rel=1e-9)


def test_collapse_figure(quadflow, tmp_path):
    """Drawn in a moment, with its account of the networks."""
    path = tmp_path / "collapse.pdf"
    quick = ["--rates", "0.3,0.5,2", "--points", "2", "--patience", "1", "--output", path]
    result = quadflow("figure", "collapse", *quick)
    assert path.exists()
    assert "of 4 networks learned nothing" in result.out
    wrong = quadflow("figure", "collapse", "--rates", "0.5,0.3,2", "--output", path)
    assert wrong.status == 2
    assert "lowest rate" in wrong.err
