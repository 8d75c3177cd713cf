"""The path of a trained network through the saddle-to-saddle graph."""

import numpy as np

from dynamics import Problem, Student, Teacher
from dynamics.stationary import fixed_points
from dynamics.stationary.connections import saddle_graph
from empirical import train
from empirical.experiments.saddle_path import saddle_path


def test_a_network_takes_a_path_that_theory_knows():
    """From small weights: one of the ways down that the graph, built without training, calls generic."""
    problem = Problem(Teacher.from_eigenvalues([3, 1]), Student.initialise(2, 2, scale=0.03, seed=1))
    path = saddle_path(problem, step=0.02, batch=64, t_end=30.0, seed=3)
    graph = saddle_graph(fixed_points(problem))
    assert path.graph.to_dict() == graph.to_dict()
    assert path.visited == [(), (0,), (0, 1)]
    assert tuple(path.visited) in graph.generic_paths()
    run = train(problem, steps=1500, step=0.02, batch=64, records=400, seed=3)
    np.testing.assert_array_equal(path.run.loss, run.loss)
