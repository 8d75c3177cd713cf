"""Figures about real training draw what they are given."""

import numpy as np
import pytest

from empirical.experiments.edge_of_stability import EdgeOfStability, TrainedBeside
from empirical.experiments.generalisation import Generalisation
from empirical.experiments.power_law import ScalingLaw
from figures.generalisation import generalisation_figure
from figures.scaling_law import count, scaling_law_figure
from figures.stability import stability_figure

T = np.linspace(0, 2, 30)


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_train_and_test(noise, rng):
    losses = np.exp(-T) * rng.uniform(0.9, 1.1, size=(4, 3, 1))
    axes = generalisation_figure(Generalisation(T, *losses, samples=50, label_noise=noise)).axes[0]
    curves = [line for line in axes.lines if len(line.get_xdata()) == 30]
    np.testing.assert_allclose(curves[0].get_ydata(), losses[1].mean(axis=0))  # test theory
    np.testing.assert_allclose(curves[3].get_ydata(), losses[2].mean(axis=0))  # train, measured
    assert curves[0].get_linestyle() != curves[2].get_linestyle()
    assert [t.get_text() for t in axes.texts] == (["half the label noise"] if noise else [])


def test_scaling_law():
    t = np.geomspace(0.01, 100, 40)
    law = ScalingLaw(
        1.0, 1000, t, 1 / (1 + t), 1.0, 1.0, 50, t[:20], 1.01 / (1 + t[:20]), 1 / (1 + t[:20]), 1 / (1 + t)
    )
    figure = scaling_law_figure([law])
    axes = figure.axes[0]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), law.loss)
    x, y = axes.lines[1].get_data()
    np.testing.assert_allclose(y, 1 / x)
    np.testing.assert_allclose(axes.lines[2].get_ydata(), law.trained_loss)
    figure.canvas.draw()


@pytest.mark.parametrize(("n", "text"), [(1_000_000, "$10^{6}$"), (2500, "2500"), (10, "10")])
def test_counts(n, text):
    assert count(n) == text


def test_stability():
    descents = tuple(
        TrainedBeside(f, 0.1 * f, T, np.exp(-T), 10 + T, end) for f, end in ((0.9, None), (3.0, 1.5))
    )
    figure = stability_figure(EdgeOfStability(T, np.exp(-T), 12 + T, 0.1, descents))
    above, below = figure.axes
    np.testing.assert_allclose(above.lines[0].get_ydata(), 12 + T)
    np.testing.assert_allclose(below.lines[1].get_ydata(), np.exp(-T))
    heights = {
        round(float(line.get_ydata()[0]), 6) for line in above.lines if len(set(line.get_ydata())) == 1
    }
    assert heights == {round(2 / 0.09, 6), round(2 / 0.3, 6)}
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "diverges" in labels[2]
