"""Small results to animate, with numbers known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from filmed import Frames

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.curves.stages import Stage
from dynamics.phase_plane import phase_plane
from dynamics.stationary import fixed_points
from dynamics.stationary.connections import saddle_graph
from empirical.experiments.saddle_path import SaddlePath
from empirical.training_run import TrainingRun
from figures import paper

T = np.linspace(0, 4, 41)


@pytest.fixture(scope="session")
def frames(tmp_path_factory):
    """All frames of an animation, in the style of the project or as it stands."""

    def taken(animation, style=paper) -> list[np.ndarray]:
        writer = Frames()
        with style():
            animation.save(str(tmp_path_factory.mktemp("film") / "x"), writer, dpi="figure")
        return writer.frames

    return taken


@pytest.fixture(scope="session")
def trajectory():
    """The loss falls by a decade per unit of time."""
    problem = Problem(Teacher.from_eigenvalues([4, 2, 1]), Student.initialise(3, 3, scale=0.1, seed=1))
    flow = GradientFlow(problem).integrate(times=T)
    growth = np.clip(T[:, None] - [0, 1, 2], 0, 1)
    return replace(flow, loss=45.5 * 10.0**-T, modes=growth * [4, 2, 1])


def run_of(loss, modes) -> TrainingRun:
    """Networks (S, T)."""
    weights = np.zeros((*loss.shape, 3)), None, np.ones((*loss.shape, 1, 3))
    return TrainingRun(np.arange(len(T)), T, loss, modes, *weights, "x", {})


@pytest.fixture(scope="session")
def networks(trajectory):
    """Eleven of them, 1/6 to 11/6 times the theory."""
    scales = np.arange(1, 12)[:, None] / 6
    return run_of(scales * trajectory.loss, scales[..., None] * trajectory.modes)


@pytest.fixture(scope="session")
def plane():
    """One mode; the first trajectory fails, the others learn."""
    return phase_plane(1.0, [(-1.2, 1.0), (-1.0, 1.6), (1.6, -1.8)], points=9)


@pytest.fixture(scope="session")
def walk():
    """Path ∅ → {1} → {1,2} → {1,2,3}: plateaus of one unit of time, and between them the loss falls exponentially."""
    graph = saddle_graph(fixed_points(Teacher.from_eigenvalues([4, 2, 1]), hidden=3))
    times = [0.0, 0.8, 1.2, 1.8, 2.2, 2.8, 3.2, 4.0]
    levels = [45.5, 45.5, 8.0, 8.0, 1.25, 1.25, 1e-12, 1e-12]
    loss = np.exp(np.interp(T, times, np.log(levels)))
    learned = ((), (0,), (0, 1), (0, 1, 2))
    stages = tuple(
        Stage(times[2 * n], times[2 * n + 1], levels[2 * n], modes) for n, modes in enumerate(learned)
    )
    return SaddlePath(graph, run_of(loss[None], np.zeros((1, 41, 3))), stages)
