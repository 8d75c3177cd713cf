"""Experiments with small networks are trained by one thread, and leave the number of threads as it was."""

import numpy as np
import pytest
import torch

from dynamics import Teacher
from dynamics.neuron import Neurons, QuadraticTarget
from empirical.experiments import grid_training, invariance
from empirical.hannet import check
from empirical.neuron import collapse, training


def grid():
    grid_training.train_grid(
        Teacher.from_eigenvalues([1.0]), np.ones((2, 1, 1)), np.ones((2, 1)), step=0.01, steps=1
    )


def neurons():
    target = QuadraticTarget.random(2, seed=0)
    training.train_neurons(target, Neurons.initialise(2, 2), steps=1, step=0.01, batch=4)


EXPERIMENTS = {
    "grid": (grid_training, grid),
    "neurons": (training, neurons),
    "collapse": (
        collapse,
        lambda: collapse.collapse_study(inputs=2, hidden=2, starts=2, steps=1, batch=2),
    ),
    "invariance": (invariance, lambda: invariance.invariance(steps=1)),
    "HanNets": (check, lambda: check.check_hannet(2, 3, samples=4, repeats=1, steps=1)),
}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_one_thread(monkeypatch, name):
    """Two threads are allowed; a step of a few hundred multiplications sees one."""
    module, run = EXPERIMENTS[name]
    descend, seen, before = module.descend, [], torch.get_num_threads()

    def watched(*arguments, **options):
        seen.append(torch.get_num_threads())
        return descend(*arguments, **options)

    monkeypatch.setattr(module, "descend", watched)
    torch.set_num_threads(2)
    try:
        run()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert set(seen) == {1}
