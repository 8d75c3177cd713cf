"""What is said of a network's path through the graph: where it ended, and why."""

from dataclasses import replace

from dynamics import Problem, Student, Teacher
from dynamics.curves.stages import Stage
from dynamics.stationary import fixed_points
from dynamics.stationary.connections import saddle_graph
from empirical import train
from empirical.experiments.saddle_path import SaddlePath, saddle_path


def path_until(t_end, eigenvalues=(3, 1), student=None):
    student = Student.initialise(2, 2, scale=0.03, seed=1) if student is None else student
    problem = Problem(Teacher.from_eigenvalues(eigenvalues), student)
    return saddle_path(problem, step=0.02, batch=64, t_end=t_end, seed=3)


def test_a_path_to_the_end():
    assert (
        path_until(30.0)
        .summary()
        .startswith("network: {} → {0} → {0, 1}; nothing lies lower, at t = 30, with")
    )


def test_time_that_is_over_on_a_saddle():
    """In the middle of the second plateau of the same training."""
    first, second, _ = path_until(30.0).stages
    said = path_until(0.5 * (second.start + second.end)).summary()
    assert said.startswith("network: {} → {0}; its time was over there, at t = ")
    assert said.endswith("a saddle, which units of the signs of its arrows leave")
    assert first.end < second.start


def test_time_that_is_over_between_plateaus():
    path = path_until(30.0)
    cut = SaddlePath(path.graph, path.run, path.stages[:1])
    assert cut.summary().startswith("network: {}; its time was over on the way down from there, at t = 30")
    assert (
        SaddlePath(path.graph, path.run, ()).summary().startswith("network: no plateau; its time was over at")
    )


def test_stuck_above_the_minimum():
    """One unit, its second layer fixed at 1, for λ = (1, −3): what it can learn is {0}, with loss 3² = 9."""
    student = Student([[0.1, 0.05]], [1.0], trainable=False)
    problem = Problem(Teacher.from_eigenvalues([1, -3]), student, "centred")
    graph = saddle_graph(fixed_points(problem))
    run = train(problem, steps=500, step=0.02, batch=64, records=100, seed=3)
    lower = fixed_points(Teacher.from_eigenvalues([1, -3]), hidden=2).point((0, 1))
    last = Stage(5.0, 10.0, 9.0, (0,))
    assert graph.node((0,)).loss == 9
    said = SaddlePath(replace(graph, nodes=(lower, *graph.nodes)), run, (last,)).summary()
    assert said.startswith("network: {0}; it is stuck there, at t = 10, with loss 9.0")
    assert said.endswith("nothing leads further down")
    assert "nothing lies lower" in SaddlePath(graph, run, (last,)).summary()  # of what the student can have
