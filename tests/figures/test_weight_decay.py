"""The figure of the learned spectrum draws the laws, and medians and ranges of the networks."""

import numpy as np
import pytest

from dynamics import Problem, Student, Teacher
from empirical.experiments.weight_decay import DecayedSpectra, LearnedSpectrum
from figures.weight_decay import weight_decay_figure

SEEN = np.array([[0.9, 0.3], [0.9, 0.3], [0.9, 0.3]])
TRAINED = LearnedSpectrum(SEEN, np.array([[0.8, 0.1], [0.82, 0.2], [0.87, 0.11]]))
FIXED = LearnedSpectrum(SEEN + 0.01, np.array([[0.7, 0.2], [0.75, 0.22], [0.71, 0.21]]))


def made_up(worth=0.25):
    problem = Problem(
        Teacher.from_eigenvalues([0.9, 0.3]), Student.initialise(2, 2, scale=1.0), weight_decay=0.4
    )
    held, line = np.linspace(0.2, 1, 9), np.linspace(0, 1, 11)
    soft = np.maximum(line - 0.05, 0)
    return DecayedSpectra(problem, 2.0, TRAINED, FIXED, 0.2, worth, held, held - 0.1, held / 50, line, soft)


def test_laws_and_networks_are_drawn():
    spectra = made_up()
    figure = weight_decay_figure(spectra)
    (axes,) = figure.axes
    lines = {line.get_label(): line.get_xydata() for line in axes.lines}
    np.testing.assert_array_equal(
        lines["theory, $a$ trained"], np.stack([spectra.held, spectra.upper], axis=1)
    )
    np.testing.assert_array_equal(lines["theory, $a$ fixed"], np.stack([spectra.line, spectra.soft], axis=1))
    np.testing.assert_array_equal(lines["no decay"], [[0, 0], [1, 1]])
    drawn = {bars.get_label(): bars for bars in axes.containers}
    for name, median, low, high in (
        ("networks, $a$ trained", [0.82, 0.11], [0.8, 0.1], [0.87, 0.2]),
        ("networks, $a$ fixed", [0.71, 0.21], [0.7, 0.2], [0.75, 0.22]),
    ):
        points, _, (bars,) = drawn[name].lines
        np.testing.assert_allclose(points.get_ydata(), median)
        ends = np.array([segment[:, 1] for segment in bars.get_segments()])
        np.testing.assert_allclose(ends, np.stack([low, high], axis=1))
    np.testing.assert_allclose(drawn["networks, $a$ fixed"].lines[0].get_xdata(), [0.91, 0.31])
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert sorted(names) == sorted([*lines.keys() & set(names), *drawn])


@pytest.mark.parametrize("worth", [0.25, None])
def test_thresholds_are_named_where_they_are(worth):
    """m_θ at the fold, m_g where zero is the global minimum, ρ/4a = 0.4/8; with the trace no m_g and another axis."""
    axes = weight_decay_figure(made_up(worth)).axes[0]
    named = {text.get_text(): text.xy for text in axes.texts}
    expected = {r"$m_\theta$": 0.2, r"$\rho/4a$": 0.05} | ({} if worth is None else {"$m_g$": 0.25})
    assert named == {name: (x, 0) for name, x in expected.items()}
    assert (r"\tau/2" in axes.get_xlabel()) == (worth is None)
    assert axes.get_xlim() == (0, 1)
    assert axes.get_ylim() == pytest.approx((-0.1, 1))  # room for the names below zero
