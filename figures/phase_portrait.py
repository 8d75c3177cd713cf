"""Phase portrait of one mode: flow, nullclines, fixed points, separatrix."""

from __future__ import annotations

import numpy as np

from dynamics.phase_plane import PhasePlane
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, PALETTE


def trajectory_name(k: int) -> str:
    """What the line of the k-th trajectory is called, for who looks for it: `matplotlib.artist.Artist.get_gid`."""
    return f"trajectory-{k}"


def phase_portrait_figure(plane: PhasePlane, *, axes: GivenAxes = None) -> Drawn:
    """Draw the plane (a, p) of one mode.

    Parameters
    ----------
    plane : PhasePlane
        See `dynamics.phase_plane.phase_plane`.
    axes : Axes or sequence of Axes, optional
        To draw into instead, one; see `figures.canvas`.
    """
    size = float(plane.a[-1])
    side = float(np.sign(plane.eigenvalue))
    arrows = plane.velocity / np.abs(plane.velocity).max()  # squares neither overflow nor vanish
    with canvas(axes, (COLUMN_WIDTH, 3.9)) as drawing:
        axes = drawing.axes[0]
        a, p = plane.separatrix
        axes.fill_betweenx(
            np.append(-p[::-1], p),
            np.append(a[::-1], a),
            -side * size,
            color="0.92",
            linewidth=0,
            zorder=0,
            label="initial states that fail",
        )
        axes.streamplot(
            plane.a,
            plane.p,
            arrows[0],
            arrows[1],
            density=0.9,
            color="0.6",
            linewidth=0.5,
            arrowsize=0.6,
            zorder=1,
        )
        axes.axvline(
            0, color=PALETTE[5], linewidth=1, linestyle=":", zorder=2, label=r"nullcline $\dot p = 0$"
        )
        for sign in (1, -1):
            (minima,) = axes.plot(
                plane.minima[0], sign * plane.minima[1], color=PALETTE[0], linewidth=2, zorder=3
            )
            (separatrix,) = axes.plot(a, sign * p, color=PALETTE[4], linestyle="-.", zorder=3)
        minima.set_label(r"global minima $a p^2 = \lambda$")
        separatrix.set_label(r"separatrix $p^2 = 2a^2$")
        axes.plot(
            [-side * size, 0],
            [0, 0],
            color=PALETTE[1],
            linewidth=2,
            zorder=3,
            label="stable, not minimal: $p = 0$",
        )
        axes.plot(
            [0, side * size],
            [0, 0],
            color=PALETTE[1],
            linewidth=1.2,
            linestyle="--",
            zorder=3,
            label="unstable: $p = 0$",
        )
        axes.plot(0, 0, "s", color="black", markersize=4, zorder=5, label="degenerate saddle")
        for k, path in enumerate(plane.paths):
            label = "trajectories" if k == 0 else None
            axes.plot(*path, color="black", linewidth=0.9, zorder=4, label=label, gid=trajectory_name(k))
            axes.plot(*path[:, 0], "o", color="black", markerfacecolor="white", zorder=5)
        axes.set_xlim(-size, size)
        axes.set_ylim(-size, size)
        axes.set_aspect("equal")
        axes.set_xlabel("second layer $a$")
        axes.set_ylabel("first layer $p$")
        drawing.legend(loc="outside lower center", beside=True, ncols=2, columnspacing=1.0)
    return drawing.result
