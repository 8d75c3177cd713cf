"""The figure of depth draws the chains that it is given; made-up data, so that every point is known."""

import numpy as np
import pytest
from matplotlib.colors import same_color

from empirical.experiments.depth import DepthCurve
from figures.depth import DASHED, depth_figure
from figures.style import COLUMN_WIDTH, PALETTE

SIZES = np.array([0.01, 0.1, 0.3])


@pytest.fixture(scope="module")
def chains():
    """Powers of ε, and one logarithm; practice 10 % later."""
    made = [
        ("2 quadratic layers", True, -5, True),
        ("3 quadratic layers", True, -13, False),
        ("2 linear layers", False, 0, True),
    ]
    return [
        DepthCurve(name, quadratic, k, SIZES, SIZES**k + 1, SIZES[1:], 1.1 * (SIZES[1:] ** k + 1), sampled)
        for name, quadratic, k, sampled in made
    ]


@pytest.fixture(scope="module")
def figure(chains):
    return depth_figure(chains)


def test_every_chain_is_a_line_and_its_markers(chains, figure):
    (axes,) = figure.axes
    for chain, colour in zip(chains, PALETTE, strict=False):
        theory, practice = (line for line in axes.lines if same_color(line.get_color(), colour))
        np.testing.assert_array_equal(theory.get_xydata().T, [chain.sizes, chain.times])
        np.testing.assert_array_equal(practice.get_xydata().T, [chain.trained_sizes, chain.trained_times])
        assert practice.get_marker() == ("o" if chain.sampled else "s")
        assert theory.get_linestyle() == ("-" if chain.quadratic else "--")
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert DASHED[0] == 0 and figure.get_size_inches()[0] == COLUMN_WIDTH


def test_the_legend_names_powers_and_practice(figure):
    (legend,) = figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts[0] == r"2 quadratic layers: $\varepsilon^{-5}$"
    assert r"2 linear layers: $\ln 1/\varepsilon$" in texts
    assert texts[-2:] == ["trained networks", "noiseless descent"]
    figure.canvas.draw()
    box = legend.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width


def test_without_descents_none_is_named(chains):
    texts = [text.get_text() for text in depth_figure(chains[:1]).legends[0].get_texts()]
    assert "noiseless descent" not in texts and "trained networks" in texts
