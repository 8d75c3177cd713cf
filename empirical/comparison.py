"""Theory against practice: the same initial weights on both sides, and where they differ, why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.clock import Clock
from dynamics.curves.result import Result
from dynamics.curves.trajectory import Trajectory
from dynamics.curves.variables import Variable, Variables, prefixed, printed
from dynamics.files.archives import Archive
from dynamics.files.formats import format_name, format_number, kind_of
from dynamics.flows.gradient import GradientFlow
from dynamics.problem import Problem
from dynamics.problem.storage import problem_attributes
from dynamics.schedules import Schedule
from dynamics.schedules.schedule import Spec
from dynamics.sgd.trajectory import SGDTrajectory
from dynamics.validation import validate_choice, validate_count
from dynamics.words import counted
from empirical.gap import LARGEST, Gap
from empirical.optimizers import find_optimizer
from empirical.optimizers.base import Chosen
from empirical.theories import THEORIES, choose_theory, follow
from empirical.training_run import TrainingRun

GAPS = ("theory", "training")
ROUNDING = 1e-14  # of the residual of a student that is the teacher, relative to the teacher
ERRORS = {
    "loss_sup": "largest deviation from the flow, relative to the initial loss",
    "modes_sup": "largest deviation of a mode from the flow, relative to the largest eigenvalue",
    "overlaps_sup": "largest deviation of the overlap of a unit from the flow",
    "norms_sup": "largest deviation of the norm of a unit from the flow, relative to the largest norm",
}


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Result):
    """A theory, a training run from the same weights, and why the run differs from the gradient flow.

    Parameters
    ----------
    trajectory : Trajectory or SGDTrajectory
        The theory at the times of the records.
    run : TrainingRun
    gap : Gap or None
        None where it is not known what the networks were trained on: in a loop of somebody's own.
    theory : str
        Which of `empirical.theories.THEORIES` the trajectory is of.
    """

    KIND = "comparison"

    trajectory: Trajectory | SGDTrajectory
    run: TrainingRun
    gap: Gap | None
    theory: str = "flow"

    @property
    def initial_loss(self) -> float:
        """What deviations of the loss are relative to; NaN for a start at the teacher, where that is rounding."""
        problem, start = self.trajectory.problem, float(self.trajectory.loss[0])
        flow = GradientFlow(problem)
        without_student = flow.loss(0 * flow.theta0)
        return start if start > ROUNDING**2 * without_student else np.nan

    @property
    def relative_error(self) -> dict[str, float]:
        """Largest deviation of the mean over seeds from the theory.

        ``loss_sup`` is relative to the initial loss (NaN if that is zero), ``modes_sup`` to the largest teacher
        eigenvalue. Where there are no modes (`dynamics.problem.problem.Problem.has_modes`) that is NaN, and
        ``overlaps_sup`` (NaN where they were too many to keep) and ``norms_sup``, relative to the largest norm of the
        theory, stand beside.
        """
        theory = self.trajectory
        loss = np.abs(self.run.loss.mean(axis=0) - theory.loss).max() / self.initial_loss
        found = {"loss_sup": float(loss), "modes_sup": np.nan}
        if self.run.norms is not None:
            overlaps, longest = np.nan, theory.norms.max() or 1.0  # units that stay at zero have no length
            if self.run.overlaps is not None:
                overlaps = np.abs(self.run.overlaps.mean(axis=0) - theory.overlaps).max(initial=0.0)
            norms = np.abs(self.run.norms.mean(axis=0) - theory.norms).max() / longest
            return found | {"overlaps_sup": float(overlaps), "norms_sup": float(norms)}
        sizes = theory.problem.mode_targets
        modes = np.abs(self.run.modes.mean(axis=0) - theory.modes).max(initial=0.0)
        return found | {"modes_sup": float(modes / np.abs(sizes).max()) if sizes.size else float(modes)}

    def summary(self) -> str:
        """Errors and their causes, in a few lines."""
        error, S, start = self.relative_error, len(self.run.loss), self.initial_loss
        loss = f"{error['loss_sup']:.2%} of the initial loss"
        if np.isnan(start):
            deviation = np.abs(self.run.loss.mean(axis=0) - self.trajectory.loss).max()
            loss = f"{deviation:.3g} (the initial loss is zero: nothing to be relative to)"
        modes = "" if np.isnan(error["modes_sup"]) else f", modes {error['modes_sup']:.2%} of the largest"
        if "norms_sup" in error:
            known = np.isfinite(error["overlaps_sup"])
            modes = f", overlaps {error['overlaps_sup']:.2g}" if known else ""
            modes += f", norms {error['norms_sup']:.2%} of the largest"
        return "\n".join(
            [
                f"{counted(S, 'seed')}, {counted(self.run.steps[-1], 'step')}, t up to {self.trajectory.times[-1]:.6g}",
                f"largest deviation from theory: loss {loss}{modes}",
                *([] if self.gap is None else [self.gap.summary(start)]),
                *filter(None, [getattr(self.trajectory, "breakdown", "")]),
            ]
        )

    def variables(self) -> Variables:
        """What the networks did, the theory at the same times, the gap's curves and largest parts.

        The variables theory_…, error_… and gap_… are called as in the files of `quadflow sweep`.
        """
        theory = self.trajectory.variables()
        ours = {name: v for name, v in theory.items() if name == "conserved" or not (v.detail or v.label)}
        found = self.run.variables() | prefixed("theory", ours, "of the theory")
        if "eigenvalues" in theory:
            found["eigenvalues"] = theory["eigenvalues"]
        error = self.relative_error
        found |= {f"error_{name}": Variable((), value, ERRORS[name]) for name, value in error.items()}
        if self.gap is None:
            return found
        curves, parts = printed(self.gap.variables()), self.gap.largest(self.initial_loss)
        found |= {f"loss_{name}": replace(v, detail=True) for name, v in curves.items()}
        return found | {
            f"gap_{name}": Variable((), parts[name], meaning) for name, meaning in LARGEST.items()
        }

    def attributes(self) -> dict[str, Any]:
        """Theory, sizes and kind of the network, and the options of the training."""
        problem = problem_attributes(self.trajectory.problem)
        return {"theory": self.theory} | problem | self.run.attributes()

    def stored(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a file holds: each part in a folder of its own."""
        about: dict[str, Any] = {"theory": self.theory}
        arrays: dict[str, Any] = {}
        for name in PARTS:
            part = getattr(self, name)
            if part is None:
                continue
            said, held = part.stored()
            about[name] = {"format": format_name(part.KIND)} | said
            arrays |= {f"{name}/{key}": array for key, array in held.items()}
        return about, arrays

    @classmethod
    def read(cls, f: Archive, about: Mapping[str, Any], number: int) -> Self:
        """The comparison in an open archive."""
        found: dict[str, Any] = {}
        for name, kinds in PARTS.items():
            if name not in about and name == "gap":
                found[name] = None
                continue
            said = dict(f.part(about, name, dict))
            format = said.pop("format", None)
            kind = next((kind for kind in kinds if kind_of(format) == kind.KIND), kinds[0])
            found[name] = kind.read(f.folder(name), said, format_number(format, kind.KIND, f.what))
        return cls(**found, theory=f.part(about, "theory", str))


PARTS: dict[str, tuple[type[Result], ...]] = {
    "trajectory": (Trajectory, SGDTrajectory),
    "run": (TrainingRun,),
    "gap": (Gap,),
}


def compare(
    problem: Problem,
    *,
    steps: int,
    step: float,
    times: ArrayLike | None = None,
    records: int = 200,
    log_times: bool = False,
    momentum: float | None = None,
    optimizer: str = "sgd",
    betas: Sequence[float] | None = None,
    epsilon: float | None = None,
    damping: float | None = None,
    decoupled: bool | None = None,
    schedule: Spec = "constant",
    theory: str | None = None,
    gap: str = "theory",
    solver: dict[str, Any] | None = None,
    progress: bool = False,
    **training: Any,
) -> Comparison:
    """Train networks and integrate the theory from the same initial weights.

    Times are those of the flow, on the clock of the optimiser (`dynamics.clock.Clock`).

    Parameters
    ----------
    problem : Problem
    steps, step, records, log_times, optimizer, momentum, betas, epsilon, damping, decoupled, schedule
        See `empirical.training.train`.
    times : (T,) array, optional
        Record at these times (rounded to whole steps) instead.
    theory : str, optional
        What the networks are held against, one of `empirical.theories.THEORIES` that follows the optimiser; by default
        the flow that it follows as its step goes to zero. Of gradient descent that is "flow"; "modified" is
        `dynamics.flows.modified.ModifiedFlow` for the step (and momentum) of the training, and "sgd" the mean dynamics
        of SGD, `dynamics.sgd.mean_sgd.MeanSGD`.
    gap : {"theory", "training"}
        Explain the difference from the flow of small steps by theory curves, or by further training runs
        (`empirical.gap_account`).
    solver : dict, optional
        `method`, `rtol`, `atol`, `max_evaluations` of `dynamics.flows.gradient.GradientFlow.integrate`.
    progress : bool
        Show progress bars on standard error if that is a terminal.
    **training
        Everything else that `train` takes: batch, samples, label_noise, seeds, seed, device, dtype …

    Returns
    -------
    Comparison

    Raises
    ------
    ProblemError, TrainingDiverged, IntegrationError
        As `train` and `GradientFlow.integrate` do.
    """
    # where it is needed: the result has no use of PyTorch, nor have figures of it
    from empirical.gap_account import explain_gap
    from empirical.trainer import record_steps
    from empirical.training import train

    entry = find_optimizer(optimizer)
    theory, limit = choose_theory(entry.theories, theory), choose_theory(entry.theories, None)
    validate_choice("theory", theory, THEORIES)
    validate_choice("gap", gap, GAPS)
    n_steps = validate_count("steps", steps)
    settings = entry.choose(momentum, betas, epsilon, damping, decoupled)
    rates = Schedule.of(schedule)
    clock = entry.clock(step, settings.momentum, rates, n_steps)
    eta = clock.step
    at = record_steps(n_steps, validate_count("records", records, minimum=2), log_times)
    if times is not None:
        at = np.unique(np.minimum(clock.steps_at(times), n_steps))
    at = _moving(at, clock)
    shared = {
        "steps": n_steps,
        "step": eta,
        "record_at": at,
        "optimizer": optimizer,
        "momentum": momentum,
        "betas": betas,
        "epsilon": epsilon,
        "damping": damping,
        "decoupled": decoupled,
        "schedule": rates,
        "progress": progress,
        **training,
    }
    chosen = Chosen(entry, settings, eta, rates, n_steps)
    ahead = follow(problem, chosen, theory, training)  # its objections come before the training
    run = train(problem, **shared)
    trajectory = ahead.integrate(times=run.times, progress=progress, **(solver or {}))
    longest = (solver or {}).get("max_evaluations")
    if theory == limit:
        flow = trajectory
    else:
        small = follow(problem, chosen, limit, training)
        flow = small.integrate(times=run.times, max_evaluations=longest, progress=progress)
    explained = explain_gap(
        problem,
        run,
        flow.loss,
        lambda: train(problem, **(shared | {"batch": 0})).loss,
        schedule=rates,
        by=gap,
        max_evaluations=longest,
        flow_name=THEORIES[limit].title,
        progress=progress,
    )
    return Comparison(trajectory, run, explained, theory)


def _moving(steps: NDArray[np.int64], clock: Clock) -> NDArray[np.int64]:
    """The records at which time has moved on, and the start: steps of learning rate zero take none."""
    moves = np.diff(clock.times(steps), append=np.inf) > 0
    return np.append(0, steps[moves & (clock.times(steps) > 0)])
