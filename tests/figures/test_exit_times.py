"""The figure of exit times draws laws and networks that are given."""

import numpy as np

from dynamics.activations import Activation
from dynamics.escape.exit_law import ExitLaw
from empirical.escape import TrainedEscape
from empirical.experiments.exit_times import Exits, ExitTimes
from figures.exit_times import BINS, SHOWN, exit_times_figure


def exits(d, S=100, growth=2.8, unfinished=0, seed=0):
    """Networks whose times are draws of their law."""
    law = ExitLaw(growth, 1.0, 0.0, (1.4 / d) ** 0.5, True)
    m = law.start_deviation * np.abs(np.random.default_rng(seed).standard_normal(S))
    times = np.log(1 / m) / growth
    times[np.argsort(times)[S - unfinished :]] = np.inf
    return Exits(TrainedEscape(d, times, 0.05 / d, 1, 9.0, "fused"), law)


def times(**options):
    parts = exits(200, **options), exits(2000, seed=1)
    return ExitTimes(Activation.parse("quadratic"), 0.05, 0.3, 0.5**0.5, parts)


def test_laws_and_networks():
    """Lines are distributions of the laws, markers sorted times at their ranks, in the colour of their law."""
    found = times()
    above, _ = exit_times_figure(found).axes
    lines = [line for line in above.lines if len(line.get_xdata()) > SHOWN]
    networks = [line for line in above.lines if len(line.get_xdata()) == SHOWN]
    assert len(lines) == len(networks) == 2
    for part, law, marks in zip(found.exits, lines, networks, strict=True):
        t, y = law.get_xydata().T
        np.testing.assert_allclose(y, part.law.distribution(t))
        at, rank = marks.get_xydata().T
        np.testing.assert_allclose(rank, (np.searchsorted(np.sort(part.run.times), at) + 0.5) / 100)
        assert np.isin(at, part.run.times).all()
        assert law.get_color() == marks.get_color()
    assert lines[0].get_linestyle() != lines[1].get_linestyle()
    assert networks[0].get_marker() != networks[1].get_marker()


def test_scaled_times():
    """Densities in bins with the error of a count; the line is the density of −ln χ²₁, by differences of its law."""
    from scipy.stats import chi2

    found = times(S=400)
    _, below = exit_times_figure(found).axes
    part, container = found.exits[0], below.containers[0]
    x, y = container.lines[0].get_xydata().T
    counts, _ = np.histogram(part.scaled, BINS)
    np.testing.assert_allclose(y, counts / 400 / np.diff(BINS))
    assert np.abs(x - (BINS[1:] + BINS[:-1]) / 2).max() < np.diff(BINS)[0] / 2
    lengths = [np.ptp(bar[:, 1]) / 2 for bar in container.lines[2][0].get_segments()]
    np.testing.assert_allclose(lengths, np.sqrt(counts) / 400 / np.diff(BINS))
    (line,) = [line for line in below.lines if len(line.get_xdata()) == 300]
    s, density = line.get_xydata().T
    h = 1e-5
    np.testing.assert_allclose(
        density, (chi2.sf(np.exp(-s - h), 1) - chi2.sf(np.exp(-s + h), 1)) / (2 * h), rtol=1e-6
    )


def test_words_and_networks_that_are_not_there():
    """Rate, noise and overlap on the figure; infinite times are not drawn, and count in the ranks of the others."""
    found = times(unfinished=10)
    figure = exit_times_figure(found)
    above = figure.axes[0]
    assert any(
        "0.05" in t.get_text() and "0.3" in t.get_text() and "0.707" in t.get_text() for t in above.texts
    )
    marks = next(line for line in above.lines if 0 < len(line.get_xdata()) < SHOWN)
    assert marks.get_ydata().max() < 0.9 and np.isfinite(marks.get_xdata()).all()
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["$d = 200$", "$d = 2000$", r"law: $-\ln\chi^2_1$", "trained"]
    quiet = ExitTimes(found.activation, 0.05, 0.0, 0.5, found.exits)
    assert all("Delta" not in t.get_text() for t in exit_times_figure(quiet).axes[0].texts)
