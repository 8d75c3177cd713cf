"""Figures of the Gaussian theory on other inputs: what is drawn is what was computed, read back from the artists."""

from types import SimpleNamespace

import numpy as np
import pytest
from drawn import assert_aligned, bands, names

from dynamics.gaussian_theory.universality import Universality
from figures.gaussianity import gaussianity_figure
from figures.universality import universality_figure

T = np.linspace(0.5, 3.0, 60)


def comparison(factor=1.0, lowest=0.0):
    """Curves that tell themselves apart; γ = 0.75."""
    loss = 8 * np.exp(-T)
    return SimpleNamespace(
        times=T,
        loss=factor * loss,
        gaussian=factor * 9 * np.exp(-2 * T) + lowest,
        rescaled=factor * 7 * np.exp(-1.5 * T),
        gaussianity=SimpleNamespace(gamma=0.75),
    )


def test_theories_and_networks():
    """Above the losses themselves, below their differences from the exact one over its first value; 10–90 % bands."""
    found = comparison()
    factors = np.array([0.5, 1.0, 3.0])[:, None]  # deciles of three numbers: 0.6, 1 and 2.6
    run = SimpleNamespace(times=T, loss=factors * found.loss)
    figure = gaussianity_figure(found, run)
    above, below = figure.axes
    exact, gaussian, rescaled, networks = above.lines
    for line, curve in ((exact, found.loss), (gaussian, found.gaussian), (rescaled, found.rescaled)):
        np.testing.assert_array_equal(line.get_xydata(), np.stack([T, curve], axis=1))
    assert [line.get_linestyle() for line in (exact, gaussian, rescaled)] == ["-", "--", "-."]
    zero, *differences, deviation = below.lines
    assert zero.get_ydata() == [0, 0]
    for line, curve in zip(differences, (found.gaussian, found.rescaled), strict=True):
        np.testing.assert_allclose(line.get_ydata(), (curve - found.loss) / found.loss[0], rtol=1e-14)
        np.testing.assert_array_equal(line.get_xdata(), T)
    medians, apart = dict(zip(T, found.loss, strict=True)), dict.fromkeys(T, 0.0)
    for line, expected in ((networks, medians), (deviation, apart)):
        assert 10 < len(line.get_xdata()) <= 24
        np.testing.assert_allclose([expected[t] for t in line.get_xdata()], line.get_ydata(), atol=1e-14)
        assert line.get_marker() == "o" and line.get_linestyle() == "None"
    (band,), (spread,) = bands(above), bands(below)
    share = found.loss / found.loss[0]
    for at, edges, expected in (
        ("above", band, found.loss[:, None] * [0.6, 2.6]),
        ("below", spread, share[:, None] * [-0.4, 1.6]),
    ):
        np.testing.assert_allclose([edges[t] for t in T.tolist()], expected, rtol=1e-12, err_msg=at)
    assert below.get_xlabel() == "time $t$ of the flow"
    assert above.get_ylabel() == "loss $L$ (squared output units)"
    assert below.get_ylabel() == r"$(L - L_{\mathrm{exact}})\,/\,L_0$"
    assert below.get_xlim() == (0.5, 3.0) and above.get_ylim()[0] == 0.0
    assert names(figure) == [
        "exact theory",
        "Gaussian theory",
        r"its clock times $\gamma = 0.750$",
        "networks: 10–90 %",
        "networks: median of 3",
    ]
    assert_aligned(figure, below, above)


def test_theory_alone_below_zero_and_nothing_to_learn():
    """A Gaussian loss below zero is seen; where the first loss is zero, differences are absolute."""
    figure = gaussianity_figure(comparison(lowest=-1.0))
    assert figure.axes[0].get_ylim()[0] == pytest.approx(9 * np.exp(-6.0) - 1)
    assert len(figure.axes[0].lines) == 3 and len(names(figure)) == 3
    nothing = comparison(0.0)
    nothing.gaussian = 0.5 * T
    np.testing.assert_array_equal(gaussianity_figure(nothing).axes[1].lines[1].get_ydata(), 0.5 * T)


@pytest.mark.parametrize("draws", [1, 4])
def test_universality(draws):
    """Means with standard errors (of one draw there is none), and |1 − 1/γ|."""
    d, rng = np.array([3, 6, 12]), np.random.default_rng(0)
    dense, parallel = rng.random((2, 3, draws)) + 0.1
    gamma = np.array([1.5, 1.25, 0.8])
    law = SimpleNamespace(name="student-t:7")
    figure = universality_figure(Universality(law, d, gamma, dense, parallel))
    (axes,) = figure.axes
    for container, values in zip(axes.containers, (parallel, dense), strict=True):
        line, _, (bars,) = container
        np.testing.assert_allclose(line.get_xydata(), np.stack([d, values.mean(axis=1)], axis=1), rtol=1e-14)
        error = values.std(axis=1, ddof=1) / 2 if draws == 4 else np.zeros(3)
        expected = values.mean(axis=1)[:, None] + np.outer(error, [-1, 1])
        np.testing.assert_allclose([path[:, 1] for path in bars.get_segments()], expected, rtol=1e-12)
    (guide,) = [line for line in axes.lines if line.get_label().startswith("$|1")]
    np.testing.assert_allclose(guide.get_xydata(), np.stack([d, [1 / 3, 0.2, 0.25]], axis=1), rtol=1e-14)
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert axes.get_xticks().tolist() == [3, 6, 12]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["3", "6", "12"]
    assert axes.get_xticks(minor=True).size == 0
    assert axes.get_xlabel() == "input dimension $d$"
    assert axes.get_ylabel() == r"largest $|L - L_{\mathrm{G}}|\,/\,L_0$"
    assert axes.get_title(loc="left") == "inputs: student-t:7"
    assert sorted(names(figure)) == sorted(
        [guide.get_label(), "teacher along the axes", "teacher in random directions"]
    )
