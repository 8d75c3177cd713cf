"""Quadratic neurons at several relative rates of their quadratic weights: flows, and networks trained beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dynamics.clock import Clock
from dynamics.neuron import NeuronFlow, Neurons, NeuronTrajectory, QuadraticTarget, Rates
from empirical.neuron.training import NeuronRun, train_neurons


@dataclass(frozen=True, eq=False)
class NeuronCurves:
    """The flow of quadratic neurons, and networks trained from the same initial weights.

    Parameters
    ----------
    trajectory : NeuronTrajectory
    run : NeuronRun or None
        None: theory alone.
    """

    trajectory: NeuronTrajectory
    run: NeuronRun | None = None


def neuron_rates(
    target: QuadraticTarget,
    start: Neurons,
    gammas: Sequence[float],
    *,
    t_end: float,
    step: float,
    batch: int,
    seeds: int,
    shrink: float = 0.0,
    seed: int = 0,
    progress: bool = False,
) -> tuple[NeuronCurves, ...]:
    """Follow quadratic neurons whose quadratic weights move at γ times the rate of the linear ones, for every γ.

    Parameters
    ----------
    target : QuadraticTarget
    start : Neurons
        Initial weights.
    gammas : sequence of float
        γ_g = γ_b; γ_r = 1.
    t_end : float
    step, batch, shrink, seed
        As for `empirical.neuron.training.train_neurons`.
    seeds : int
        Networks for each γ; 0: theory alone.
    progress : bool
        Show progress bars on standard error if that is a terminal.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    steps = Clock(step).steps_until(t_end)

    def follow(rates: Rates) -> NeuronCurves:
        trajectory = NeuronFlow(target, start, rates, shrink).integrate(t_end, progress=progress)
        if not seeds:
            return NeuronCurves(trajectory)
        run = train_neurons(
            target,
            start,
            steps=steps,
            step=step,
            rates=rates,
            shrink=shrink,
            batch=batch,
            seeds=seeds,
            seed=seed,
            progress=progress,
        )
        return NeuronCurves(trajectory, run)

    return tuple(follow(Rates(1.0, gamma, gamma)) for gamma in gammas)
