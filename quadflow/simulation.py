"""From the options of `quadflow simulate` to its call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dynamics.errors import ProblemError
from quadflow.options import OptimizerOptions, SolverOptions, TheoryOptions, option, parse_numbers

if TYPE_CHECKING:
    from dynamics.curves.trajectory import Trajectory
    from dynamics.flows.gradient import GradientFlow
    from dynamics.problem import Problem
    from dynamics.sgd.mean_sgd import MeanSGD
    from dynamics.sgd.trajectory import SGDTrajectory


@dataclass(frozen=True)
class SimulationOptions:
    """How far, and at which times."""

    t_end: float | None = option(type=float, help="End time of the flow [default: until convergence].")
    times: str | None = option(metavar="T1,T2,…", help="Sample times.")
    records: int = option(type=int, default=201, show_default=True, help="Number of evenly spaced times.")
    log_times: bool = option(is_flag=True, help="Space them evenly in log time.")
    until_loss: float | None = option(type=float, help="Stop where the loss falls to this value.")


@dataclass(frozen=True)
class TheoryDetails(OptimizerOptions):
    """What the theories need to know of the training."""

    step: float | None = option(
        type=float,
        metavar="η",
        help="Learning rate of the correction, of SGD, or of memories; without effect on other flows.",
    )
    batch: int | None = option(type=int, help="Batch size of SGD [default: 1].")
    label_noise: float | None = option(type=float, help="Variance of the label noise of SGD [default: 0].")
    fluctuations: bool = option(is_flag=True, help="With --sgd: also the spread over seeds (small networks).")


def integrate(
    problem: Problem,
    simulation: SimulationOptions,
    theory: TheoryOptions,
    details: TheoryDetails,
    solver: SolverOptions,
    progress: bool = False,
) -> Trajectory | SGDTrajectory:
    """Integrate what the options say."""
    times = simulation.times
    return choose_theory(problem, theory, details).integrate(
        simulation.t_end,
        times=None if times is None else parse_numbers("--times", times),
        samples=simulation.records,
        log_times=simulation.log_times,
        until_loss=simulation.until_loss,
        progress=progress,
        **solver.arguments(),
    )


def choose_theory(problem: Problem, theory: TheoryOptions, details: TheoryDetails) -> GradientFlow | MeanSGD:
    """The flow of the optimiser, the one corrected for a finite step, or the mean dynamics of SGD."""
    from dynamics.sgd.fluctuations import FluctuatingSGD
    from dynamics.sgd.mean_sgd import MeanSGD
    from empirical.optimizers.base import Chosen
    from empirical.theories import choose_theory, follow

    kind, step, momentum = theory.name, details.step, details.momentum
    if kind == "sgd" and momentum:
        raise ProblemError(f"`--momentum` is {momentum:g}, but the theory of `--sgd` is of plain SGD.")
    if kind != "flow" and step is None:
        raise ProblemError(
            f"`{'--sgd' if kind == 'sgd' else '--correction modified'}` needs the learning rate `--step`."
        )
    for name in ("batch", "label_noise", "fluctuations"):
        if getattr(details, name) and kind != "sgd":
            raise ProblemError(f"`--{name.replace('_', '-')}` belongs to `--sgd`: give that as well.")
    if kind == "flow" and momentum:
        raise ProblemError("`--momentum` belongs to `--correction modified`: give that as well.")
    chosen = Chosen(details.entry, details.settings, step)
    if kind == "sgd" and kind in chosen.entry.theories:
        assert step is not None
        mean = FluctuatingSGD if details.fluctuations else MeanSGD
        batch = 1 if details.batch is None else details.batch
        return mean(problem, step, batch, details.label_noise or 0.0)
    name = choose_theory(chosen.entry.theories, None if kind == "flow" else kind)
    return follow(problem, chosen, name, {})
