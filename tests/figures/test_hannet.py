"""The figures of the HanNet, from made-up data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn import assert_decades
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import same_color
from matplotlib.figure import Figure

from empirical.hannet.check import HanCheck
from empirical.hannet.checkerboard import GRID, Board, CheckerboardRun, TrainedClassifier
from figures.hannet import checkerboard, gradient_norms
from figures.style import COLUMN_WIDTH, PALETTE


@pytest.fixture
def check() -> HanCheck:
    """Twenty layers, five stacks each, exponents known."""
    layer = np.arange(21)
    spread = np.linspace(-1, 1, 5)[:, None]
    norms = {
        name: 10.0 ** ((layer - 20) * (rate + 0.1 * rate * spread))
        for name, rate in (("hannet", 0.0), ("relu", 0.1), ("relu-default", 0.4))
    }
    return HanCheck(
        np.ones(3), 1e-16, np.array([2e-7, 1e-7]), {"hannet": 1, "dense": 2}, {}, norms, {"layers": 20}
    )


@pytest.fixture
def run() -> CheckerboardRun:
    """A perfect HanNet, and a dense network that is wrong for x₁ > ½ and nowhere else."""
    board = Board.create()
    labels = board.labels.reshape(GRID, GRID).astype(float)
    wrong = labels.copy()
    wrong[61:] = 1 - wrong[61:]
    steps = np.arange(100, 1001, 100)

    def network(surface: np.ndarray, accuracy: float, parameters: int) -> TrainedClassifier:
        return TrainedClassifier(surface, 1.0, accuracy, steps, 1.0 / steps, parameters, 0.05, 1.0)

    return CheckerboardRun(
        board, {"hannet": network(labels, 1.0, 3032), "dense": network(wrong, 0.75, 51002)}, {}
    )


def assert_inside_column(figure: Figure) -> None:
    """Nothing is cut off at single-column width, and no two titles or labels overlap."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    assert figure.get_size_inches()[0] == COLUMN_WIDTH
    tight = figure.get_tightbbox(canvas.get_renderer())
    assert tight.x0 >= -0.01 and tight.x1 <= COLUMN_WIDTH + 0.01
    boxes = [
        text.get_window_extent()
        for axes in figure.axes
        for text in (axes.title, axes.xaxis.label, axes.yaxis.label)
        if text.get_text()
    ]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[i + 1 :])


def test_gradient_norms_are_medians(check: HanCheck) -> None:
    """The middle stack of each kind is the drawn line; the band has its quantiles."""
    figure = gradient_norms(check)
    (axes,) = figure.axes
    for line, name in zip(axes.lines, ("hannet", "relu", "relu-default"), strict=True):
        np.testing.assert_allclose(line.get_ydata(), check.gradient_norms[name][2])
    assert len(axes.collections) == 3 and axes.get_yscale() == "log"
    assert len({line.get_marker() for line in axes.lines}) == 3  # told apart without colour
    assert len({line.get_color() for line in axes.lines}) == 3  # and with it
    for band, line in zip(axes.collections, axes.lines, strict=True):
        assert same_color(band.get_facecolor()[0, :3], line.get_color())
    assert_inside_column(figure)


def test_checkerboard_shows_labels_surfaces_and_errors(run: CheckerboardRun) -> None:
    """Pictures are indexed (x₂, x₁) with the origin below; wrong test points are those with x₁ > ½."""
    figure = checkerboard(run)
    labels, losses, hannet, dense = figure.axes
    expected = run.board.labels.reshape(GRID, GRID).T
    np.testing.assert_array_equal(labels.images[0].get_array(), expected)
    np.testing.assert_array_equal(hannet.images[0].get_array(), expected)
    assert hannet.lines[0].get_xdata().size == 0
    x = run.board.x[run.board.test]
    right_of_half = x[np.round((x[:, 0] + 1) * 40) >= 61]
    np.testing.assert_array_equal(np.stack(dense.lines[0].get_data(), axis=1), right_of_half)
    assert losses.get_title() == "training loss\n(mean square)"
    assert losses.get_xlabel() == "optimiser step / 1000"
    assert losses.get_yscale() == "log"
    assert losses.get_ylim()[1] == 1
    steps, loss = losses.lines[0].get_data()
    np.testing.assert_allclose(steps, np.arange(0.1, 1.01, 0.1))
    np.testing.assert_allclose(loss, 1 / np.arange(100, 1001, 100))
    assert [line.get_linestyle() for line in losses.lines] == ["-", "--"]
    assert labels.get_title() == "labels and\n1,640 training points"
    x = run.board.x[run.board.train]
    np.testing.assert_array_equal(np.stack(labels.lines[0].get_data(), axis=1), x)
    for axes in (labels, hannet, dense):
        image = axes.images[0]
        assert image.get_clim() == (0, 1.6)
        assert image.get_extent() == [-1.0125, 1.0125, -1.0125, 1.0125]  # half a point beyond the square
        assert axes.get_xticks().tolist() == axes.get_yticks().tolist() == [-1, 0, 1]
    assert (hannet.get_xlabel(), hannet.get_ylabel(), labels.get_ylabel()) == ("$x_1$", "$x_2$", "$x_2$")
    assert "3,032" in hannet.get_title() and "75.0 %" in dense.get_title()
    assert_inside_column(figure)


def test_depth_of_few_layers(check: HanCheck) -> None:
    """Up to twenty layers each has its marker, of thirty every third."""
    for layers, marked in ((5, 1), (19, 1), (20, 2), (30, 3)):
        few = {name: np.ones((2, layers)) for name in check.gradient_norms}
        (axes,) = gradient_norms(replace(check, gradient_norms=few)).axes
        assert {line.get_markevery() for line in axes.lines} == {marked}
    assert_decades(axes.yaxis, 6)
    assert [line.get_color() for line in axes.lines] == list(PALETTE[:3])


def test_surfaces_are_cut_at_the_labels(run: CheckerboardRun) -> None:
    """Outputs below 0 and above 1 are drawn as 0 and 1; one half and less is the label 0."""
    surface = np.linspace(-1, 2, GRID * GRID).reshape(GRID, GRID)
    networks = run.networks | {"dense": replace(run.networks["dense"], surface=surface)}
    figure = checkerboard(replace(run, networks=networks))
    labels, losses, hannet, dense = figure.axes
    np.testing.assert_array_equal(dense.images[0].get_array(), np.clip(surface, 0, 1).T)
    wrong = (surface.ravel() > 0.5) != (run.board.labels == 1)
    wrong[run.board.train] = False
    np.testing.assert_array_equal(dense.lines[0].get_xydata(), run.board.x[wrong])
    assert hannet.get_title() == "HanNet, 3,032 parameters\n100.0 % of test points"
    assert dense.get_title() == "dense, 51,002 parameters\n75.0 % of test points"
    assert dense.get_xlabel() == "$x_1$"
    assert_decades(losses.yaxis, 6)
    assert [text.get_text() for text in losses.get_legend().get_texts()] == ["HanNet", "dense"]
    assert [line.get_color() for line in losses.lines] == [PALETTE[0], PALETTE[3]]
    assert labels.lines[0].get_color() == PALETTE[0] != dense.lines[0].get_color() == PALETTE[1]
    for axes in (labels, hannet, dense):
        assert not any(spine.get_visible() for spine in axes.spines.values())
