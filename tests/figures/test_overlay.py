"""The overlay figure: losses on the left, deviations in units of their error bar on the right, one row each."""

from types import SimpleNamespace

import numpy as np
from drawn import assert_aligned, bands, names

from dynamics.activations import Activation
from empirical.experiments.overlay import Overlay
from empirical.gap import Gap
from figures.overlay import overlay_figure
from figures.style import COLUMN_WIDTH

T = np.linspace(0, 4, 41)


def made_up(activation):
    """Networks 0.3 above a theory of 10^−t, standard error 0.1, truncation 0.05 after the start."""
    theory, after = 10.0**-T, (T > 0).astype(float)
    measured = theory + 0.3 * after
    gap = Gap(
        *(T, 2 * theory, theory, theory, measured, measured),
        *(0.1 * after, 0.05 * after, None, {}),
    )
    run = SimpleNamespace(times=T, loss=np.tile(measured, (4, 1)))
    trajectory = SimpleNamespace(
        problem=SimpleNamespace(activation=Activation.parse(activation)), times=T, loss=2 * theory, stages=()
    )
    return Overlay(SimpleNamespace(gap=gap, run=run, trajectory=trajectory))


def test_rows():
    """Deviation 0.3 over a bar of 2·0.1 + 0.05; light band Student's t (scipy's table in the experiment's test)."""
    shown = [made_up("tanh"), made_up("polynomial:0,1,0.3,0.1")]
    figure = overlay_figure(shown)
    assert figure.get_size_inches()[0] == COLUMN_WIDTH
    rows = np.reshape(figure.axes, (2, 2))
    for (left, right), one in zip(rows, shown, strict=True):
        drawn = next(line for line in left.lines if line.get_color() == "black")
        np.testing.assert_allclose(drawn.get_xydata(), np.stack([T, 10.0**-T], axis=1))
        zero, line = right.lines
        assert set(zero.get_ydata()) == {0}
        np.testing.assert_array_equal(line.get_xdata(), T[1:])
        np.testing.assert_allclose(line.get_ydata(), 0.3 / 0.25)
        (band,) = bands(right)
        chance = one.simultaneous_bar[1:] / 0.25
        np.testing.assert_allclose([band[t] for t in T[1:].tolist()], np.stack([-chance, chance], axis=1))
        (errors,) = [patch for patch in right.patches if patch.get_label() == "2 standard errors"]
        assert (errors.get_y(), errors.get_height()) == (-1, 2)
        assert left.get_xlim() == right.get_xlim() == (0, 4)
    assert names(figure) == [
        *("gradient flow", "4 networks"),
        *("left by ≤ 1% of runs", "2 standard errors", "mean − theory"),
    ]
    titles = [axes.get_title(loc="left") for axes in rows[:, 0]]
    assert titles == ["tanh", r"$z + 0.3\,z^{2} + 0.1\,z^{3}$"]
    for column in rows.T:
        assert_aligned(figure, *column)
