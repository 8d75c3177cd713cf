"""Train and test loss of networks on finite data sets, theory against practice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.flows.finite_data import FiniteDataFlow
from dynamics.flows.modified import ModifiedFlow
from dynamics.population.on_samples import sample_loss
from dynamics.problem import Problem
from dynamics.validation import validate_count
from empirical.practice import Practice, data_sets
from empirical.training import train


@dataclass(frozen=True, eq=False)
class Generalisation:
    """Learning curves on the data a network was trained on, and on fresh data, each (S, T).

    Parameters
    ----------
    times : (T,) array
        Of the flow.
    theory_train, theory_test : (S, T) arrays
        Of the modified flow on each network's data set.
    train, test : (S, T) arrays
        Of the trained networks. Test losses are exact expectations over noiseless fresh samples.
    samples : int
        N.
    label_noise : float
        Δ; half of it is what the train loss has in addition while nothing is fitted to the noise.
    """

    times: Array
    theory_train: Array
    theory_test: Array
    train: Array
    test: Array
    samples: int
    label_noise: float


def train_and_test(
    problem: Problem, *, samples: int, steps: int, step: float, label_noise: float = 0.0, **training: Any
) -> Generalisation:
    """Train networks with their whole data sets in every step, and integrate the theory on the same data.

    Further arguments go to `empirical.training.train`.

    Raises
    ------
    ProblemError, TrainingDiverged, IntegrationError
        As `train` and the flows do.
    """
    validate_count("samples", samples)
    run = train(
        problem,
        steps=steps,
        step=step,
        batch=0,
        samples=samples,
        label_noise=label_noise,
        **({"dtype": "float64"} | training),
    )
    practice = Practice.of(run)
    times = run.times
    theory_train, theory_test, measured = [], [], []
    for s, (X, Y) in enumerate(zip(*data_sets(problem, practice), strict=True)):
        flow = FiniteDataFlow(problem, X, Y)
        trajectory = ModifiedFlow(flow, practice.step, practice.momentum).integrate(times=times)
        theory_train.append(flow.train_loss(trajectory))
        theory_test.append(trajectory.loss)
        on_set = sample_loss(X, Y, problem.activation, problem.variance, problem.student.hidden, "samples")
        if run.W is None:
            raise ProblemError("The weights are too many to be kept: take fewer records, seeds or inputs.")
        weights = zip(run.W[s], run.A[s], strict=True)
        measured.append([on_set.loss(W, A) for W, A in weights])
    return Generalisation(
        times,
        np.array(theory_train),
        np.array(theory_test),
        np.array(measured),
        run.loss,
        samples,
        practice.label_noise,
    )
