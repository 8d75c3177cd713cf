"""HanNets: gradient norms through depth, and the checkerboard against a dense network."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from dynamics.aliases import Array
from empirical.hannet.check import HanCheck
from empirical.hannet.checkerboard import CheckerboardRun
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, PALETTE

STACKS = {
    "hannet": ("Han layers", PALETTE[0], "o"),
    "relu": ("ReLU layers, He initialisation", PALETTE[1], "s"),
    "relu-default": ("ReLU layers, PyTorch's default", PALETTE[2], "^"),
}
LABELS = {"hannet": "HanNet", "dense": "dense"}
CURVES = {"hannet": (PALETTE[0], "-"), "dense": (PALETTE[3], "--")}


def gradient_norms(check: HanCheck, *, axes: GivenAxes = None) -> Drawn:
    """Gradient with respect to each layer's output, relative to the last layer: median and 10–90 % of the stacks.

    Parameters
    ----------
    check : HanCheck
        See `empirical.hannet.check.check_hannet`.
    axes : Axes or sequence of Axes, optional
        To draw into instead, one; see `figures.canvas`.
    """
    with canvas(axes, (COLUMN_WIDTH, 2.6)) as drawing:
        axes = drawing.axes[0]
        for name, (label, colour, marker) in STACKS.items():
            norms = check.gradient_norms[name]
            layer = np.arange(norms.shape[1])
            low, median, high = np.quantile(norms, [0.1, 0.5, 0.9], axis=0)
            axes.fill_between(layer, low, high, color=colour, alpha=0.25, linewidth=0)
            axes.plot(
                layer,
                median,
                marker + "-",
                color=colour,
                markerfacecolor="white",
                markevery=max(1, len(layer) // 10),
                clip_on=False,
                label=label,
            )
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(numticks=6))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_xlim(0, check.about["layers"])
        axes.set_xlabel(r"layer $l$")
        axes.set_ylabel(r"$\|\partial L/\partial h_l\|$ relative to the last layer")
        axes.legend(loc="lower right")
    return drawing.result


def checkerboard(run: CheckerboardRun, *, axes: GivenAxes = None) -> Drawn:
    """Labels and training points, training losses; below the outputs of both networks, wrong test points in orange.

    Parameters
    ----------
    run : CheckerboardRun
        See `empirical.hannet.checkerboard.train_checkerboard`.
    axes : Axes or sequence of Axes, optional
        To draw into instead, four, for labels, losses and the outputs of both networks; see `figures.canvas`.
    """
    board = run.board
    n = int(np.sqrt(len(board.labels)))
    with canvas(axes, (COLUMN_WIDTH, 3.8), 2, 2) as drawing:
        labels, losses, *surfaces = drawing.axes
        _draw_plane(labels, board.labels.reshape(n, n).astype(float))
        labels.plot(*board.x[board.train].T, ".", color=PALETTE[0], markersize=0.8)
        labels.set_title(f"labels and\n{len(board.train):,} training points", fontsize=7)
        for panel, (name, label) in zip(surfaces, LABELS.items(), strict=True):
            network = run.networks[name]
            _draw_plane(panel, np.clip(network.surface, 0, 1))
            _draw_errors(panel, run, network.surface)
            panel.set_title(
                f"{label}, {network.parameters:,} parameters\n{100 * network.test_accuracy:.1f} % of test points",
                fontsize=7,
            )
            panel.set_xlabel("$x_1$")
            colour, line = CURVES[name]
            losses.plot(network.steps / 1000, network.loss, line, color=colour, label=label)
        for panel in (labels, surfaces[0]):
            panel.set_ylabel("$x_2$")
        losses.set_yscale("log")
        losses.set_ylim(top=1)
        losses.yaxis.set_major_locator(LogLocator(numticks=6))
        losses.yaxis.set_minor_formatter(NullFormatter())
        losses.set_xlabel("optimiser step / 1000")
        losses.set_title("training loss\n(mean square)", fontsize=7)
        losses.legend(loc="lower left", handlelength=1.5)
    return drawing.result


def _draw_plane(axes: Axes, values: Array) -> None:
    """Grid values on [−1, 1]² in grey; the first axis of the array is x₁."""
    half = 1 / (len(values) - 1)
    axes.imshow(
        values.T,
        origin="lower",
        extent=(-1 - half, 1 + half, -1 - half, 1 + half),
        cmap="gray_r",
        vmin=0,
        vmax=1.6,  # black points must stay visible on label 1
        interpolation="nearest",
    )
    axes.set_xticks([-1, 0, 1])
    axes.set_yticks([-1, 0, 1])
    axes.spines[:].set_visible(False)


def _draw_errors(axes: Axes, run: CheckerboardRun, surface: Array) -> None:
    board = run.board
    wrong = (surface.ravel() > 0.5) != (board.labels == 1)
    wrong[board.train] = False
    axes.plot(*board.x[wrong].T, ".", color=PALETTE[1], markersize=1.0)
