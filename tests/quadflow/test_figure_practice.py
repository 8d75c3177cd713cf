"""The three regimes of the gap: in each another cause dominates, and the parts add up to what is measured."""

import json

import numpy as np
import pytest

from quadflow.commands import figure_practice
from quadflow.commands.compare import command as compare
from quadflow.commands.figure_practice import REGIMES


@pytest.mark.parametrize(
    ("regime", "part"),
    [("gap-step", "discretisation"), ("gap-data", "finite_data"), ("gap-noise", "sampling_noise")],
)
def test_parts_add_up_in_every_regime(regime, part, capsys):
    """Remainder within 4.5 standard errors plus the truncation at every record, and small where the gap is large.

    4.5: quantile of Student's t with 7 degrees of freedom at 0.3 %, with 31 at 0.01 %; records are correlated over
    much of a run, so that the largest of them is not that of as many independent ones.
    """
    compare.main(["--json"], default_map=REGIMES[regime], standalone_mode=False)
    gap = json.loads(capsys.readouterr().out)["gap"]
    assert gap["sources"][part] in {
        "modified flow",
        "modified flow on each network's data set",
        "mean SGD dynamics with fluctuations",
    }
    others = {"discretisation", "finite_data", "sampling_noise"} - {part}
    assert gap[part] > 5 * max(gap[name] for name in others)
    curves = {name: np.array(values) for name, values in gap["curves"].items()}
    remainder = np.abs(curves["measured"] - curves["with_noise"])
    assert (remainder <= 2.25 * curves["error_bar"] + 1e-12).all()
    total = np.abs(curves["measured"] - curves["flow"])
    worst = total.argmax()
    assert remainder[worst] < 0.15 * total[worst]
    assert curves["error_bar"][worst] < 0.5 * total[worst]


@pytest.mark.parametrize("regime", REGIMES)
def test_a_drawn_gap_is_a_success(quadflow, tmp_path, monkeypatch, regime):
    """The status that a shell sees; what is drawn is looked at elsewhere."""
    drawn = []
    monkeypatch.setattr(figure_practice, "draw_into", lambda output, make: drawn.append(output))
    path = str(tmp_path / "gap.png")
    assert quadflow("figure", regime, "--output", path).status == 0
    assert drawn == [path]
