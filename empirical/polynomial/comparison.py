"""Theory against practice for networks of one's own: the same start on both sides, and the gap explained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from dynamics.aliases import Array
from dynamics.curves.result import Result
from dynamics.curves.variables import Variable, Variables, prefixed, printed
from dynamics.errors import IntegrationError, ProblemError
from dynamics.networks import ModifiedNetworkFlow, NetworkFlow, NetworkProblem, NetworkTrajectory
from dynamics.schedules import Schedule
from dynamics.schedules.schedule import Spec
from dynamics.validation import validate_choice, validate_count
from dynamics.words import counted
from empirical.gap import LARGEST, ON_WHOLE_SETS, WITH_AND_WITHOUT, Gap
from empirical.optimizers import find_optimizer
from empirical.optimizers.base import Chosen
from empirical.polynomial.data import NetworkData
from empirical.polynomial.run import NetworkRun
from empirical.polynomial.training import begin, train_network
from empirical.trainer import descend, record_steps

THEORIES = ("flow", "modified")
LONGEST_MODIFIED = 30_000  # evaluations after which the modified flow is given up


@dataclass(frozen=True, eq=False, repr=False)
class NetworkComparison(Result):
    """A theory, a training run from the same parameters, and why the run differs from the gradient flow.

    Parameters
    ----------
    trajectory : NetworkTrajectory
        The theory at the times of the records.
    run : NetworkRun
    gap : Gap
    """

    KIND = "network comparison"

    trajectory: NetworkTrajectory
    run: NetworkRun
    gap: Gap

    @property
    def initial_loss(self) -> float:
        """What deviations of the loss are relative to."""
        return float(self.trajectory.loss[0]) or np.nan

    @property
    def relative_error(self) -> dict[str, float]:
        """Largest deviation of the mean over seeds from the theory, relative to the initial loss."""
        deviation = np.abs(self.run.loss.mean(axis=0) - self.trajectory.loss).max()
        return {"loss_sup": float(deviation / self.initial_loss)}

    def summary(self) -> str:
        """Error and its causes, in a few lines."""
        error, S = self.relative_error["loss_sup"], len(self.run.loss)
        return "\n".join(
            [
                self.trajectory.problem.network.summary(),
                self.trajectory.problem.described(),
                f"{counted(S, 'seed')}, {counted(self.run.steps[-1], 'step')}, t up to {self.trajectory.times[-1]:.6g}",
                f"largest deviation from theory: loss {error:.2%} of the initial loss",
                self.gap.summary(self.initial_loss),
            ]
        )

    def variables(self) -> Variables:
        """What the networks did, the theory at the same times, the largest parts of the gap."""
        ours = {name: v for name, v in self.trajectory.variables().items() if not (v.detail or v.label)}
        found = self.run.variables() | prefixed("theory", ours, "of the theory")
        found["error_loss_sup"] = Variable(
            (), self.relative_error["loss_sup"], "largest deviation from the theory"
        )
        parts = self.gap.largest(self.initial_loss)
        curves = printed(self.gap.variables())
        found |= {f"loss_{name}": curve for name, curve in curves.items()}
        return found | {
            f"gap_{name}": Variable((), parts[name], meaning) for name, meaning in LARGEST.items()
        }

    def attributes(self) -> dict[str, Any]:
        """Theory, network and the options of the training."""
        return {"theory": self.trajectory.theory} | self.run.attributes()


def compare_network(
    problem: NetworkProblem,
    *,
    steps: int,
    step: float,
    times: ArrayLike | None = None,
    records: int = 200,
    log_times: bool = False,
    momentum: float | None = None,
    optimizer: str = "sgd",
    betas: Any = None,
    epsilon: float | None = None,
    decoupled: bool | None = None,
    schedule: Spec = "constant",
    theory: str = "flow",
    solver: dict[str, Any] | None = None,
    progress: bool = False,
    **training: Any,
) -> NetworkComparison:
    """Train networks of one's own and integrate the theory from the same initial parameters.

    Parameters
    ----------
    problem : NetworkProblem
    steps, step, records, log_times, momentum, optimizer, betas, epsilon, decoupled, schedule
        See `empirical.polynomial.training.train_network`.
    times : (T,) array, optional
        Record at these times of the flow (rounded to whole steps) instead.
    theory : {"flow", "modified"}
        The gradient flow, or that of the finite step.
    solver : dict, optional
        `method`, `rtol`, `atol`, `max_evaluations` of the integration.
    progress : bool
        Show progress bars on standard error if that is a terminal.
    **training
        Everything else that `train_network` takes.

    Returns
    -------
    NetworkComparison

    Raises
    ------
    ProblemError
        If an argument is not usable, or no flow of these follows the optimiser.
    TrainingDiverged, IntegrationError
        As those do.
    """
    validate_choice("theory", theory, THEORIES)
    n_steps, entry = validate_count("steps", steps), find_optimizer(optimizer)
    settings = entry.choose(momentum, betas, epsilon, None, decoupled)
    chosen = Chosen(entry, settings, step, Schedule.of(schedule), n_steps)
    if "flow" not in entry.theories:
        raise ProblemError(
            f"`optimizer` is {entry.name}, but networks of one's own are compared with gradient flow and its finite"
            " step, which sgd, momentum and nesterov follow: `train_network` takes it without a theory."
        )
    if settings.decoupled and settings.momentum and problem.weight_decay:
        raise ProblemError(
            f"`decoupled` decay beside momentum {settings.momentum:g} follows no flow of a fixed decay: leave it out."
        )
    clock = chosen.clock
    at = record_steps(n_steps, validate_count("records", records, minimum=2), log_times)
    if times is not None:
        at = np.unique(np.minimum(clock.steps_at(times), n_steps))
    moves = np.diff(clock.times(at), append=np.inf) > 0  # steps of learning rate zero take no time
    at = np.append(0, at[moves & (clock.times(at) > 0)])
    arguments = {
        **{"steps": n_steps, "step": step, "record_at": at, "momentum": momentum, "optimizer": optimizer},
        **{"betas": betas, "epsilon": epsilon, "decoupled": decoupled, "schedule": chosen.schedule},
        **{"progress": progress, **training},
    }
    flow = NetworkFlow(problem)  # its objections come before the training
    run = train_network(problem, **arguments)
    how = {"progress": progress, **(solver or {})}
    curve = flow.integrate(times=run.times, **how)
    shown = curve if theory == "flow" else _modified(chosen, problem).integrate(times=run.times, **how)
    again = lambda: train_network(problem, **(arguments | {"batch": 0})).loss  # noqa: E731
    return NetworkComparison(shown, run, explain_gap(problem, run, chosen, curve.loss, again))


def _modified(chosen: Chosen, problem: NetworkProblem) -> ModifiedNetworkFlow:
    return ModifiedNetworkFlow(
        problem, chosen.rate, chosen.settings.momentum, **chosen.rates, form=chosen.entry.form
    )


def explain_gap(
    problem: NetworkProblem, run: NetworkRun, chosen: Chosen, flow: Array, whole_set: Callable[[], Array]
) -> Gap:
    """The four curves of `empirical.gap.Gap`, for a network of one's own.

    A finite step: the modified flow, or descent on the population loss where the step is too large for it. Finite data:
    the modified flow on the data set of each network. Sampling noise has no theory here: it is measured, by training
    with and without it.

    Parameters
    ----------
    problem : NetworkProblem
    run : NetworkRun
    chosen : Chosen
        Optimiser, step and schedule.
    flow : (T,) array
        Loss of the gradient flow at the records.
    whole_set : callable
        Trains the same networks on their whole sets, and gives their losses (S, T).
    """
    names = ("batch", "samples", "label_noise", "seeds", "seed")
    data = NetworkData(problem, **{name: run.about[name] for name in names})
    descent = descent_loss(problem, chosen, run.steps)
    form = {"form": chosen.entry.form, **chosen.rates}

    def modified(X: Array | None = None, y: Array | None = None) -> Array | None:
        try:
            with_step = ModifiedNetworkFlow(
                problem, chosen.rate, chosen.settings.momentum, data=X, labels=y, **form
            )
            return with_step.integrate(times=run.times, max_evaluations=LONGEST_MODIFIED).loss
        except IntegrationError:
            return None

    discretised, source = modified(), "modified flow"
    if discretised is None or not _corrects(discretised, flow, descent):
        discretised, source = (
            descent,
            "gradient descent on the population loss: the step is too large for the modified flow",
        )
    sources = {"discretisation": source, "finite_data": "none: fresh samples in every step"}
    on_data = discretised[None]
    if data.samples:
        X, Y = (part.cpu().numpy() for part in next(_whole(data).batches(torch.float64, run.about["device"])))
        curves = [modified(x, y) for x, y in zip(X, Y, strict=True)] if source == "modified flow" else [None]
        found = [curve for curve in curves if curve is not None]
        if len(found) == len(X):
            on_data, sources["finite_data"] = np.array(found), "modified flow on each network's data set"
        else:
            on_data = run.loss if data.whole_set else whole_set()
            sources["finite_data"] = ON_WHOLE_SETS
    mean, sources["sampling_noise"] = on_data.mean(axis=0), "none: the whole data set in every step"
    with_noise = mean
    if not data.whole_set:
        without = whole_set().mean(axis=0) if data.samples else descent
        with_noise, sources["sampling_noise"] = mean + run.loss.mean(axis=0) - without, WITH_AND_WITHOUT
    S = len(run.loss)
    error = (
        (run.loss - on_data).std(axis=0, ddof=1) / np.sqrt(S)
        if S > 1
        else np.full_like(flow, 0.0 if data.whole_set else np.nan)
    )
    return Gap(
        run.times,
        flow,
        discretised,
        mean,
        with_noise,
        run.loss.mean(axis=0),
        error,
        np.abs(descent - discretised),
        None,
        sources,
    )


def descent_loss(problem: NetworkProblem, chosen: Chosen, at: NDArray[np.int64]) -> Array:
    """Loss after given numbers of steps of a descent on the population loss itself, in double precision, (T,)."""
    network, population = problem.small, problem.population.with_decay(0.0)
    weights = [torch.from_numpy(np.array(w)) for w in network.unpack(problem.reduced(problem.theta0))]
    rule = begin(chosen.entry, chosen.settings, weights, problem)
    wanted, losses = {int(n) for n in at}, list[float]()

    def theta() -> Array:
        return network.pack([w.numpy() for w in weights])

    def record(n: int) -> None:
        if n in wanted:
            losses.append(population.loss(theta()))

    def gradient(n: int) -> tuple[None, list[torch.Tensor]]:
        slopes = network.unpack(population.gradient(theta()))
        return None, [torch.from_numpy(np.array(slope)) for slope in slopes]

    with np.errstate(over="ignore", invalid="ignore"):
        descend(gradient, rule, chosen.clock.rate, int(at[-1]), record=record)
    return np.array(losses)


def _whole(data: NetworkData) -> NetworkData:
    """The same data, all at once."""
    return NetworkData(data.problem, 0, data.samples, data.label_noise, data.seeds, data.seed)


def _corrects(discretised: Array, flow: Array, descent: Array) -> bool:
    """Whether the modified flow explains the effect of the finite step for the most part, or down to 1 %."""
    left, effect = (float(np.abs(descent - curve).max()) for curve in (discretised, flow))
    return left <= max(effect / 2, 0.01 * float(flow[0]))
