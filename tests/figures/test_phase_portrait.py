"""The phase portrait of one mode: every curve and region where the theory has it, in the axes (a, p)."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import same_color

from dynamics.phase_plane import phase_plane
from figures.phase_portrait import phase_portrait_figure
from figures.style import PALETTE

SIZE = 2.0


@pytest.fixture(scope="module", params=[1.0, -1.5])
def drawn(request):
    """Plane and axes of a positive and a negative mode; one trajectory that fails, one that learns."""
    s = np.sign(request.param)
    plane = phase_plane(request.param, [(-s * 1.0, 1.2), (-s * 1.0, 1.6)], extent=SIZE, points=5)
    (axes,) = phase_portrait_figure(plane).axes
    return plane, axes


def lines_of(axes, colour, style="-"):
    return [
        line.get_xydata()
        for line in axes.lines
        if same_color(line.get_color(), colour) and line.get_linestyle() == style
    ]


def fails(eigenvalue, a, p):
    """Theory, section 2: learning fails iff a₀ has the wrong sign and p₀² ≤ 2a₀²."""
    return a * eigenvalue < 0 and p**2 <= 2 * a**2


def test_the_grey_region_is_where_learning_fails(drawn):
    """A grid of points, none of them on the separatrix, against the rule."""
    plane, axes = drawn
    (shade,) = [c for c in axes.collections if c.get_label() == "initial states that fail"]
    region = shade.get_paths()[0]
    for a in np.linspace(-1.9, 1.9, 14):
        for p in np.linspace(-1.83, 1.83, 13):
            assert region.contains_point((a, p)) == fails(plane.eigenvalue, a, p), (a, p)


def test_separatrix_and_minima(drawn):
    """p² = 2a² on the failing side up to the frame, a p² = λ; both for both signs of p."""
    plane, axes = drawn
    s = np.sign(plane.eigenvalue)
    separatrix = lines_of(axes, PALETTE[4], "-.")
    assert len(separatrix) == 2
    for (a, p), sign in zip((line.T for line in separatrix), (1, -1), strict=True):
        np.testing.assert_allclose(p, sign * np.sqrt(2) * np.abs(a), atol=1e-12)
        assert (a * s <= 0).all()
        assert np.abs(p).max() == pytest.approx(SIZE)
    minima = lines_of(axes, PALETTE[0])
    assert len(minima) == 2
    for (a, p), sign in zip((line.T for line in minima), (1, -1), strict=True):
        np.testing.assert_allclose(a * p**2, plane.eigenvalue)
        assert (sign * p > 0).all()
        assert np.abs(a).max() == pytest.approx(SIZE) and np.abs(p).max() == pytest.approx(SIZE)


def test_the_stable_half_of_the_line_of_silent_units(drawn):
    """p = 0 grows at the rate 2κaλ: stable where aλ < 0, drawn solid; unstable where aλ > 0, dashed."""
    plane, axes = drawn
    s = np.sign(plane.eigenvalue)
    (stable,), (unstable,) = lines_of(axes, PALETTE[1]), lines_of(axes, PALETTE[1], "--")
    assert sorted(stable[:, 0] * s) == [-SIZE, 0]
    assert sorted(unstable[:, 0] * s) == [0, SIZE]
    assert not stable[:, 1].any() and not unstable[:, 1].any()


def test_the_degenerate_saddle_is_the_origin(drawn):
    """All derivatives of first order vanish at a = p = 0: ȧ ∝ p², ṗ ∝ a p (theory, section 2)."""
    _, axes = drawn
    (saddle,) = [line for line in axes.lines if line.get_label() == "degenerate saddle"]
    np.testing.assert_array_equal(saddle.get_xydata(), [[0, 0]])


def test_trajectories_from_their_starts(drawn):
    plane, axes = drawn
    paths = [line for line in lines_of(axes, "black") if len(line) > 2]
    assert len(paths) == 2
    for path, expected in zip(paths, plane.paths, strict=True):
        np.testing.assert_array_equal(path, expected.T)
    starts = [line.get_xydata() for line in axes.lines if line.get_marker() == "o"]
    np.testing.assert_array_equal(np.concatenate(starts), [path[:, 0] for path in plane.paths])
    ends = np.array([path[-1] for path in paths])
    assert fails(plane.eigenvalue, *ends[0]) and not fails(plane.eigenvalue, *ends[1])


def test_frame_and_names(drawn):
    _, axes = drawn
    assert axes.get_xlim() == axes.get_ylim() == (-SIZE, SIZE)
    assert axes.get_aspect() == 1
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("second layer $a$", "first layer $p$")
    (nullcline,) = lines_of(axes, PALETTE[5], ":")
    assert not nullcline[:, 0].any()
    (legend,) = axes.figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == [
        "initial states that fail",
        r"nullcline $\dot p = 0$",
        r"global minima $a p^2 = \lambda$",
        r"separatrix $p^2 = 2a^2$",
        "stable, not minimal: $p = 0$",
        "unstable: $p = 0$",
        "degenerate saddle",
        "trajectories",
    ]


def test_arrows_follow_the_flow():
    """Velocities are handed to the stream plot as (ȧ, ṗ), in this order, in units of the largest."""
    plane = phase_plane(1.0, extent=SIZE, points=5)
    seen = {}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Axes, "streamplot", lambda _, *arguments, **options: seen.update(streamplot=arguments))
        phase_portrait_figure(plane)
    arrows = plane.velocity / np.abs(plane.velocity).max()
    for given, expected in zip(seen["streamplot"], (plane.a, plane.p, *arrows), strict=True):
        np.testing.assert_array_equal(given, expected)
