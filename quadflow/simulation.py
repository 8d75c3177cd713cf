"""From the options of `quadflow simulate` to its call."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from dynamics.errors import ProblemError
from quadflow import groups
from quadflow import options as opt
from quadflow.options import OptimizerOptions, SolverOptions, TheoryOptions, option, parse_numbers

if TYPE_CHECKING:
    from dynamics.curvature import HessianSpectrum
    from dynamics.curves.trajectory import Trajectory
    from dynamics.flows.gradient import GradientFlow
    from dynamics.flows.in_bulk import Integration
    from dynamics.problem import Problem
    from dynamics.sgd.mean_sgd import MeanSGD
    from dynamics.sgd.trajectory import SGDTrajectory

SECONDS = 1000  # rows of the Hessian up to which all eigenvalues at 60 times take no longer than some 20 s


@dataclass(frozen=True)
class SimulationOptions:
    """How far, and at which times."""

    GROUP: ClassVar[str] = groups.TIMES

    t_end: float | None = option(type=float, help="End time of the flow [default: until convergence].")
    times: str | None = option(metavar="T1,T2,…", help="Sample times.")
    records: int = option(type=int, default=201, show_default=True, help="Number of evenly spaced times.")
    log_times: bool = option(is_flag=True, help="Space them evenly in log time.")
    until_loss: float | None = option(type=float, help="Stop where the loss falls to this value.")


@dataclass(frozen=True)
class TheoryDetails(OptimizerOptions):
    """What the theories need to know of the training."""

    GROUP: ClassVar[str] = groups.THEORY

    step: float | None = option(
        type=float,
        metavar="η",
        help="Learning rate of the correction, of SGD, of memories, or of a --schedule; without effect on other flows.",
    )
    schedule: str = option(
        default="constant",
        show_default=True,
        metavar="NAME[:PARAMETER…]",
        shell_complete=opt.complete_from("dynamics.schedules", "FAMILIES"),
        help="Learning rates over the training, as for `quadflow train`: of the correction, or of SGD; other flows "
        "only end with it.",
    )
    steps: int | None = option(
        type=int, help="Number of steps of the schedule [default: so many that it ends at --t-end]."
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
    return integration(problem, simulation, theory, details, solver, progress).alone()


def integration(
    problem: Problem,
    simulation: SimulationOptions,
    theory: TheoryOptions,
    details: TheoryDetails,
    solver: SolverOptions,
    progress: bool = False,
) -> Integration[Any]:
    """The request for it."""
    from dynamics.flows.in_bulk import Integration

    times = None if simulation.times is None else parse_numbers("--times", simulation.times)
    details, t_end = with_length(details, simulation.t_end)
    flow = choose_theory(problem, theory, details)
    if flow.last_time is None and details.schedule != "constant":
        t_end = _checked_end(details, t_end, times)
    wanted = {
        "t_end": t_end,
        "times": times,
        "samples": simulation.records,
        "log_times": simulation.log_times,
        "until_loss": simulation.until_loss,
        "progress": progress,
        **solver.arguments(),
    }
    return Integration(flow, wanted)


def spectrum_along(trajectory: Trajectory) -> HessianSpectrum:
    """The Hessian along a curve: of many weights its largest and smallest eigenvalue alone."""
    from dynamics.curvature import hessian_spectrum
    from dynamics.curvature.whole import Whole

    count = 1 if len(Whole.of(trajectory).inner) > SECONDS else None
    return hessian_spectrum(trajectory, count=count, progress=True)


def theory_title(theory: TheoryOptions, details: TheoryDetails) -> str:
    """What the theory is called in a figure."""
    from empirical.theories import THEORIES, choose_theory

    name = choose_theory(details.entry.theories, None if theory.name == "flow" else theory.name)
    return THEORIES[name].title


def with_length(details: TheoryDetails, t_end: float | None) -> tuple[TheoryDetails, float | None]:
    """The details with the number of steps of a schedule that ends at `t_end`, where only that is said.

    Nothing is left of the end time then: the flow ends where its schedule does, less than a step away.
    """
    from dynamics.clock import Clock

    if details.schedule == "constant" or details.steps is not None or None in (details.step, t_end):
        return details, t_end
    assert details.step is not None
    beta = details.entry.clock(details.step, details.settings.momentum).momentum
    _, steps = Clock.until(t_end, details.step, beta, details.schedule)
    return replace(details, steps=steps), None


def _checked_end(details: TheoryDetails, t_end: float | None, times: list[float] | None) -> float | None:
    """End time of a flow whose path does not depend on the rates, but ends where their schedule does."""
    assert details.step is not None  # or it is refused
    from dynamics.flows.base import ROUNDING

    clock = details.entry.clock(details.step, details.settings.momentum, details.schedule, details.steps)
    last = max(times, default=0.0) if t_end is None and times is not None else t_end
    if last is None:
        return clock.end
    if last > clock.end * (1 + ROUNDING):
        raise ProblemError(f"The schedule ends at t = {clock.end:g}, but `t_end` is {last:g}.")
    return t_end


def choose_theory(problem: Problem, theory: TheoryOptions, details: TheoryDetails) -> GradientFlow | MeanSGD:
    """The flow of the optimiser, the one corrected for a finite step, or the mean dynamics of SGD."""
    from dynamics.sgd.fluctuations import FluctuatingSGD
    from dynamics.sgd.sphere_sgd import mean_sgd_of
    from dynamics.validation import validate_real
    from empirical.optimizers.base import Chosen
    from empirical.theories import THEORIES, choose_theory, follow

    kind, entry, settings = theory.name, details.entry, details.settings
    step = None if details.step is None else validate_real("step", details.step, positive=True)
    name = choose_theory(entry.theories, None if kind == "flow" else kind)
    if kind == "sgd" and details.momentum:
        raise ProblemError(
            f"`--momentum` is {details.momentum:g}, but the theory of `--sgd` is of plain SGD."
        )
    if kind != "flow" and step is None:
        raise ProblemError(
            f"`{'--sgd' if kind == 'sgd' else '--correction modified'}` needs the learning rate `--step`."
        )
    if details.schedule != "constant" and not THEORIES[name].rated and step is None:
        raise ProblemError(
            "`--schedule` belongs to `--correction modified` or `--sgd`: give one of them, or `--step`, with which it "
            "says where the flow ends."
        )
    if details.steps is not None and details.schedule == "constant":
        raise ProblemError("`--steps` is the length of a `--schedule`: give that as well, or `--t-end`.")
    for extra in ("batch", "label_noise", "fluctuations"):
        if getattr(details, extra) and kind != "sgd":
            raise ProblemError(f"`--{extra.replace('_', '-')}` belongs to `--sgd`: give that as well.")
    if kind == "flow" and details.momentum and details.schedule == "constant":
        raise ProblemError("`--momentum` belongs to `--correction modified`: give that as well.")
    chosen = Chosen(entry, settings, step, details.schedule, details.steps)
    if kind == "sgd" and kind in entry.theories:
        mean = FluctuatingSGD if details.fluctuations else mean_sgd_of(problem)
        batch = 1 if details.batch is None else details.batch
        return mean(problem, chosen.rate, batch, details.label_noise or 0.0, **chosen.rates)
    return follow(problem, chosen, name, {})
