"""Every maker draws into axes of one's own what it draws into a figure of its own.

The data are those of the other tests of figures. A maker that takes `axes` and is not in the table is a failure.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from drawn import beside
from matplotlib.figure import Figure

import figures
from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.gaussian_theory.universality import Universality
from dynamics.neuron.function_space import FunctionSpace
from dynamics.phase_plane import phase_plane
from dynamics.saddle_to_saddle.staircase import staircase
from empirical.comparison import Comparison
from empirical.conserved import DriftScaling
from empirical.experiments.edge_of_stability import EdgeOfStability, TrainedBeside
from empirical.experiments.escape import EscapeTimes
from empirical.experiments.generalisation import Generalisation
from empirical.experiments.phase_diagram import ScaleDiagram
from empirical.experiments.staircase import StaircaseCurves
from empirical.neuron.collapse import CollapseStudy

test_activations = beside("test_activations")
test_atlas = beside("test_atlas")
test_escape_times = beside("test_escape_times")
test_exit_times = beside("test_exit_times")
test_gaussianity = beside("test_gaussianity")
test_overlay = beside("test_overlay")
test_practice_made_up = beside("test_practice_made_up")
test_published = beside("test_published")
test_sample_size = beside("test_sample_size")
test_schedules = beside("test_schedules")
test_study = beside("test_study")
test_sweep = beside("test_sweep")
test_weight_decay = beside("test_weight_decay")
DIAGRAM = beside("test_collapse").DIAGRAM
chains = beside("test_depth").chains
conserved_curves = beside("test_conserved").curves
gap = beside("test_gap").gap
check = beside("test_hannet").check
run = beside("test_hannet").run
result = beside("test_invariance").result
growth_curves = beside("test_growth").curves
late_curves = beside("test_late_time").curves
networks = beside("test_learning_curve_made_up").networks
trajectory = beside("test_learning_curve_made_up").trajectory
neuron_curves = beside("test_neuron").curves
single_mode = beside("test_phase_diagram").single_mode
training = beside("test_phase_diagram").training
counts = beside("test_pieces").counts
saddle_made_up = beside("test_saddle_graph").made_up
spectrum_curves = beside("test_spectrum").known.__wrapped__
own_comparison = beside("test_own_network").comparison
plateau_curves = beside("test_symmetric_plateau").curves

Fixtures = Callable[[str], Any]
T = np.linspace(0, 3, 20)


def staircase_curves() -> StaircaseCurves:
    problem = Problem(Teacher.from_eigenvalues([3, 1]), Student.initialise(4, 2, scale=0.01, seed=1))
    prediction = staircase(problem)
    return StaircaseCurves(prediction, GradientFlow(problem).integrate(prediction.jumps[-1].time, samples=20))


def scales() -> ScaleDiagram:
    scale, part = np.array([0.1, 0.3, 1.0]), np.full((3, 3), 0.5)
    few = np.array([2, -1.9])
    return ScaleDiagram(few, 4, 2, scale, scale, part, part, part, 10, True, 0, training(90))


def collapse_study() -> CollapseStudy:
    part = np.array([[0.0, 0.25, 1.0]] * 2)
    about = {"hidden": 2, "inputs": 3, "steps": 20, "batch": 4, "init_scale": 0.5, "teacher": "a teacher"}
    fractions = {"random": part, "relinear": part / 2}
    return CollapseStudy(np.array([0.1, 0.2, 0.4]), np.array([1.0, 0.1]), fractions, 40, about)


def stability() -> EdgeOfStability:
    one = TrainedBeside(0.5, 0.05, T[:9], np.exp(-T[:9]), 5 + T[:9], None)
    return EdgeOfStability(T, np.exp(-T), 12 + T, 0.1, (one,))


def noisy_escape() -> EscapeTimes:
    runs = test_escape_times.trained(7, 1.5, 1, 2), test_escape_times.trained(14, 3, 5, 4)
    one = test_escape_times.curve("hermite:2", 2)
    return EscapeTimes((one,), 0.5, test_escape_times.noise(*runs))


def universality() -> Universality:
    dense, parallel = np.random.default_rng(0).random((2, 3, 4)) + 0.1
    law, d, gamma = SimpleNamespace(name="student-t:7"), np.array([3, 6, 12]), np.array([1.5, 1.25, 0.8])
    return Universality(law, d, gamma, dense, parallel)


def atlas(f: Fixtures) -> tuple[Any, ...]:
    catalogue, match, _ = test_atlas.drawn.__wrapped__()
    return catalogue.feasible, match


MAKERS: dict[str, Callable[[Fixtures], tuple[Any, ...]]] = {
    "activations.activations_figure": lambda f: ([test_activations.result("quadratic")],),
    "atlas.atlas_figure": atlas,
    "collapse.collapse_figure": lambda f: (DIAGRAM,),
    "conserved.conserved_along_training": lambda f: (f("conserved_curves"),),
    "conserved.drift_against_step": lambda f: (
        DriftScaling(2.0, T[1:4], T[1:4, None], T[1:4, None], ("c",)),
    ),
    "depth.depth_figure": lambda f: (f("chains"),),
    "escape_times.escape_times_figure": lambda f: (noisy_escape(),),
    "exit_times.exit_times_figure": lambda f: (test_exit_times.times(),),
    "gap.gap_figure": lambda f: (f("gap"),),
    "gaussianity.gaussianity_figure": lambda f: (test_gaussianity.comparison(),),
    "generalisation.generalisation_figure": lambda f: (
        Generalisation(T, *np.exp(-np.outer([1.0, 0.5, 1.1, 0.4], T))[:, None], 50, 0.4),
    ),
    "hannet.gradient_norms": lambda f: (f("check"),),
    "hannet.checkerboard": lambda f: (f("run"),),
    "invariance.invariance_figure": lambda f: (f("result"),),
    "growth.growth_figure": lambda f: (f("growth_curves"),),
    "late_time.late_time_figure": lambda f: (f("late_curves"),),
    "own_network.network_curves": lambda f: (f("own_comparison"),),
    "learning_curve.learning_curves": lambda f: (f("trajectory"), networks(f("trajectory"))),
    "losses.losses_figure": lambda f: ([Comparison(f("trajectory"), networks(f("trajectory")), None)] * 2,),
    "neuron.neuron_curves": lambda f: (f("neuron_curves"),),
    "neuron.collapse_map": lambda f: (collapse_study(),),
    "neuron.function_space": lambda f: (
        FunctionSpace(2, np.array([1, 2, 3]), np.array([5, 6, 6]), np.array([3, 5, 6]), 6),
    ),
    "overlay.overlay_figure": lambda f: ([test_overlay.made_up("tanh")],),
    "phase_diagram.phase_diagram_figure": lambda f: (single_mode(np.array([0.3, 1.0, 1.6])),),
    "phase_diagram.scale_diagram": lambda f: (scales(),),
    "phase_portrait.phase_portrait_figure": lambda f: (phase_plane(1.0, extent=2.0, points=5),),
    "pieces.pieces_figure": lambda f: (f("counts"),),
    "published.published_figure": lambda f: (test_published.made_up(),),
    "saddle_graph.saddle_graph_figure": lambda f: (f("saddle_made_up"),),
    "sample_size.error_curves": lambda f: (test_sample_size.theory(),),
    "sample_size.sample_size_figure": lambda f: (test_sample_size.curves(),),
    "scaling_law.scaling_law_figure": lambda f: ([test_practice_made_up.law()],),
    "schedules.schedules_figure": lambda f: (test_schedules.CURVES,),
    "spectrum.spectrum_figure": lambda f: (spectrum_curves(),),
    "stability.stability_figure": lambda f: (stability(),),
    "staircase.staircase_figure": lambda f: (staircase_curves(),),
    "study.study_figure": lambda f: (test_study.against_rate(),),
    "sweep.phase_map": lambda f: (test_sweep.sweep_map(),),
    "sweep.scaling_curves": lambda f: (test_sweep.curves(),),
    "symmetric_plateau.symmetric_plateau_figure": lambda f: (f("plateau_curves"),),
    "universality.universality_figure": lambda f: (universality(),),
    "weight_decay.weight_decay_figure": lambda f: (test_weight_decay.made_up(),),
}


def test_the_table_has_every_maker():
    found = {
        f"{path.stem}.{node.name}"
        for path in Path(figures.__file__).parent.glob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and "axes" in [a.arg for a in node.args.kwonlyargs]
    }
    assert found == set(MAKERS)


def drawn(axes) -> list[Any]:
    """Everything that carries data, and what is written at the axes."""
    lines = [np.asarray(line.get_xydata(), dtype=float) for line in axes.lines]
    paths = [p.vertices for c in axes.collections for p in c.get_paths()]
    images = [np.asarray(image.get_array()) for image in axes.images]
    return [*lines, *paths, *images], [
        axes.get_ylabel(),
        axes.get_title(),
        axes.get_yscale(),
        len(axes.texts),
    ]


@pytest.mark.parametrize("name", MAKERS)
def test_axes_of_ones_own(name, request):
    """The same data, the axes returned as they were given, a legend where there was one, nothing else touched."""
    module, function = name.split(".")
    make = getattr(import_module(f"figures.{module}"), function)
    data = MAKERS[name](request.getfixturevalue)
    own = make(*data)
    panels = [axes for axes in own.axes if not axes.get_label().startswith("<colorbar")]
    theirs = Figure()
    beside = theirs.add_subplot(1, len(panels) + 1, 1)
    given = [theirs.add_subplot(1, len(panels) + 1, 2 + i) for i in range(len(panels))]
    handed = given[0] if len(given) == 1 else given
    assert make(*data, axes=handed) is handed
    for mine, other in zip(panels, given, strict=True):
        for one, two in zip(drawn(mine)[0], drawn(other)[0], strict=True):
            np.testing.assert_array_equal(one, two)
        assert drawn(mine)[1] == drawn(other)[1]
        np.testing.assert_allclose(mine.get_xlim(), other.get_xlim())
        np.testing.assert_allclose(mine.get_ylim(), other.get_ylim())
    assert not theirs.legends
    legends = [x for part in (own, *own.subfigs) for x in part.legends]
    assert bool(legends) <= any(axes.get_legend() is not None for axes in given)
    assert not beside.lines
    assert not theirs.get_supxlabel()
    theirs.draw_without_rendering()


@pytest.mark.parametrize("name", ["atlas.atlas_figure", "hannet.checkerboard"])
def test_another_number_of_axes_is_refused(name, request):
    module, function = name.split(".")
    make = getattr(import_module(f"figures.{module}"), function)
    with pytest.raises(
        ProblemError, match=r"`axes` are 2, but this figure has (1 panel|4 panels): give as many"
    ):
        make(*MAKERS[name](request.getfixturevalue), axes=Figure().subplots(1, 2))
