"""The figure of collapse draws its boundaries and every network once, told apart by what it learned."""

from dataclasses import replace

import numpy as np

from dynamics import Problem, Student, Teacher
from empirical.experiments.collapse import CollapseDiagram
from empirical.experiments.grid_training import GridTraining
from figures.collapse import collapse_figure

NOBODY = GridTraining(np.zeros(6), np.zeros((6, 1, 2)), np.zeros((6, 1, 1)), 1e-3, 1, 1)
START = Problem(Teacher.from_eigenvalues([2, 1]), Student([[1.0, 1.0]], [1.0]), weight_decay=0.5)
DIAGRAM = CollapseDiagram(
    START,
    np.array([0.2, 0.4]),
    np.array([0.01, 0.1, 1.0]),
    np.array([[0.05, 0.1], [0.3, 0.6]]),
    np.array([[0, 1, 2], [0, 0, 2]]),
    NOBODY,
)


def test_boundaries_and_networks_are_drawn():
    """Rates on the axis are ρ = .1 and .2: factors on the decay ½ of the problem."""
    axes = collapse_figure(DIAGRAM).axes[0]
    lines = {line.get_label(): line.get_xydata() for line in axes.lines}
    np.testing.assert_allclose(lines.pop(r"theory: $\varepsilon^* = \rho T_1$"), [[0.1, 0.05], [0.2, 0.1]])
    np.testing.assert_allclose(lines.pop("theory: 2 modes"), [[0.1, 0.3], [0.2, 0.6]])
    np.testing.assert_allclose(lines.pop("trained: nothing"), [[0.1, 0.01], [0.2, 0.01], [0.2, 0.1]])
    np.testing.assert_allclose(lines.pop("trained: 1 mode"), [[0.1, 0.1]])
    np.testing.assert_allclose(lines.pop("trained: 2 modes"), [[0.1, 1.0], [0.2, 1.0]])
    assert not lines
    (region,) = axes.collections
    inside = region.get_paths()[0]
    assert inside.contains_point((0.15, 0.07)) and not inside.contains_point((0.15, 0.08))
    assert axes.get_xlim()[0] < 0.1 < 0.2 < axes.get_xlim()[1]
    assert axes.get_ylim()[0] < 0.01 < 1.0 < axes.get_ylim()[1]
    markers = {line.get_marker() for line in axes.lines if line.get_label().startswith("trained")}
    assert len(markers) == 3
    names = [text.get_text() for text in axes.figure.legends[0].get_texts()]
    assert len(names) == 5


def test_one_boundary_and_one_outcome():
    """Unequal decay has one line; where everything is learned nothing says that something was not."""
    one = replace(DIAGRAM, critical=DIAGRAM.critical[:1], learned=np.full((2, 3), 9))
    labels = [line.get_label() for line in collapse_figure(one).axes[0].lines]
    assert labels == [r"theory: $\varepsilon^* = \rho T_1$", "trained: 9 modes"]
