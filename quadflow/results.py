"""Results as JSON objects: the keys that interface and README promise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from quadflow.provenance import problem_json

COUNTED = ("rebases",)  # of what a run says of itself, where its optimiser counts it

if TYPE_CHECKING:
    import xarray

    from dynamics.curvature import HessianSpectrum
    from dynamics.curves.stages import Stage
    from dynamics.curves.trajectory import Trajectory
    from dynamics.sgd.trajectory import SGDTrajectory
    from empirical.comparison import Comparison
    from empirical.gap import Gap
    from empirical.training_run import TrainingRun


def trajectory_json(trajectory: Trajectory | SGDTrajectory) -> dict[str, Any]:
    """The keys that interface and README promise."""
    s = trajectory.solver
    return curves_json(trajectory) | {
        "stages": [stage_json(stage) for stage in trajectory.stages],
        "solver": {
            "method": s.method,
            "evaluations": s.evaluations,
            "jacobian_evaluations": s.jacobian_evaluations,
            "seconds": s.seconds,
            "reduced_dimension": trajectory.reduced_dimension,
            "rtol": s.rtol,
            "atol": s.atol,
            "status": s.status,
            "time_reached": s.time_reached,
        },
        "problem": problem_json(trajectory.problem),
        "warnings": warnings(trajectory),
    }


def spectrum_json(spectrum: HessianSpectrum) -> dict[str, Any]:
    """What follows from the eigenvalues of the Hessian at some times; null for what is not known."""
    from dynamics.curves.variables import printed

    found = {name: variable.array for name, variable in printed(spectrum.variables()).items()}
    return {"index": None, "nullity": None} | found | {"tolerance": spectrum.tolerance}


def curves_json(result: Trajectory | SGDTrajectory | TrainingRun) -> dict[str, Any]:
    """The variables of a result that commands print, and c_k unit by unit; null for what does not exist."""
    from dynamics.curves.units import unit_drift
    from dynamics.curves.variables import printed

    found = {name: variable.array for name, variable in printed(result.variables()).items()}
    nothing: dict[str, Any] = {"times": None, "loss": None, "test_loss": None, "modes": None}
    nothing |= {"overlaps": None} if "norms" in found and "overlaps" not in found else {}
    return (
        nothing
        | found
        | {
            "conserved_drift": result.conserved_drift,
            "conserved": None if result.conserved is None else unit_drift(result.conserved),
        }
    )


def stage_json(stage: Stage) -> dict[str, Any]:
    """A plateau; where a predicted level matches, also its height and the relative deviation from it."""
    found: dict[str, Any] = {
        "start": stage.start,
        "end": stage.end,
        "loss": stage.loss,
        "learned_modes": stage.learned_modes,
    }
    if stage.level is not None:
        found |= {"predicted_loss": stage.level.loss, "deviation": stage.deviation}
    return found


def warnings(trajectory: Trajectory | SGDTrajectory) -> list[str]:
    """What a reader of the numbers should know."""
    from dynamics.closed_forms import growth_note
    from dynamics.curves.passing import passed_unseen
    from dynamics.curves.units import LAWLESS
    from dynamics.sgd.trajectory import NEGLECTED, ON_SPHERE

    found = []
    if getattr(trajectory, "lawless", False):
        found.append(LAWLESS)
    if getattr(trajectory, "neglects_fluctuations", False):
        found.append(NEGLECTED)
    if getattr(trajectory, "of_leading_order", False):
        found.append(ON_SPHERE)
    found += filter(None, (trajectory.solver.message, getattr(trajectory, "breakdown", "")))
    found += filter(None, (getattr(trajectory, "levels_missing", ""),))
    found += without_modes(trajectory)
    found += filter(None, (growth_note(trajectory.problem), passed_unseen(trajectory)))
    problem = trajectory.problem
    if problem.student.infinite:
        found.append(
            "`hidden` is null: the student is the limit of infinitely many units, its time that of the flow over K"
        )
    if trajectory.conserved is not None and not (problem.student.trainable or problem.constraint):
        found.append("the second layer is fixed: c_k is no constant of this flow, and its drift no error")
    return found


def without_modes(result: Trajectory | SGDTrajectory | TrainingRun) -> list[str]:
    """Why there are no modes, and no overlaps in their place; empty where there are modes."""
    from dynamics.curves.units import NO_TEACHER, NOT_CONSERVED, OTHER_TEACHER, TOO_MANY

    found = result.variables()
    if "norms" not in found:
        return []
    if not result.taught:
        return [NO_TEACHER] if result.conserved is not None else [NO_TEACHER, NOT_CONSERVED]
    why = NOT_CONSERVED if result.conserved is None else OTHER_TEACHER
    return [why] if "overlaps" in found else [why, TOO_MANY]


def run_json(run: TrainingRun) -> dict[str, Any]:
    """The keys that interface and README promise."""
    return curves_json(run) | {
        "loss_measured": run.loss_measured,
        "schedule": run.about.get("schedule", "constant"),
        # unknown of loops that are not ours
        "gradients": run.about.get("gradients"),
        "steps_per_second": run.about.get("steps_per_second"),
        "survives": run.about.get("survives"),
        "warnings": [*without_modes(run), *run.notes],
        **{name: run.about[name] for name in COUNTED if name in run.about},
    }


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """The keys that interface and README promise; what `simulate` and `train` print stands under their names."""
    import numpy as np

    theory, run = trajectory_json(comparison.trajectory), run_json(comparison.run)
    gap = comparison.gap
    unknown = gap is not None and not np.isfinite(gap.error_bar).all()
    why = ["the error bar of the gap is unknown: it takes several seeds"] if unknown else []
    if np.isnan(comparison.initial_loss):
        why.append("the initial loss is zero: what would be relative to it is null")
    why += instability_of(comparison)
    return {
        "relative_error": known(comparison.relative_error),
        "gap": None if gap is None else gap_json(gap, comparison.initial_loss),
        "times": comparison.run.times,
        "steps": comparison.run.steps,
        "theory": theory,
        "training": run,
        "warnings": list(dict.fromkeys([*theory["warnings"], *run["warnings"], *why])),
    }


def gap_json(gap: Gap, initial_loss: float) -> dict[str, Any]:
    """Largest part of each cause relative to the initial loss, where each comes from, and the curves."""
    from dynamics.curves.variables import printed

    return {
        **known(gap.largest(initial_loss)),
        "sources": gap.sources,
        "curves": {name: curve.array for name, curve in printed(gap.variables()).items()},
    }


def known(values: dict[str, float]) -> dict[str, float | None]:
    """Numbers for JSON, without those that are unknown; the warnings say why."""
    return {name: None if math.isnan(value) else value for name, value in values.items()}


def instability_of(comparison: Comparison) -> list[str]:
    """Warning about a step that is unstable or too large for the modified flow, where that is the theory."""
    from dynamics.stability import beyond_second_order, instability
    from empirical.optimizers import find_optimizer

    if comparison.theory != "modified":
        return []
    about = comparison.run.about
    rates = {"schedule": about.get("schedule", "constant"), "steps": about.get("steps")}
    form = find_optimizer(about["optimizer"]).form
    of: tuple[Any, ...] = (comparison.trajectory, about["step"], about["momentum"])
    unstable = instability(*of, **rates, form=form.name) or beyond_second_order(*of, **rates, form=form)
    return [] if unstable is None else [unstable]


def sweep_json(dataset: xarray.Dataset, kinds: tuple[str, ...], output: str) -> dict[str, Any]:
    """What was done; the numbers themselves are in the file."""
    failures = []
    done = 0
    for kind in kinds:
        status = dataset[f"{kind}_status"]
        done += int((status == "done").sum())
        failed = (status == "failed").stack(run=status.dims)
        for place in failed.run.values[failed.values]:
            at = dict(zip(status.dims, place, strict=True))
            failures.append({"kind": kind, **at, "reason": dataset[f"{kind}_reason"].sel(at).item()})
    return {
        "output": output,
        "runs": done + len(failures),
        "done": done,
        "failed": len(failures),
        "failures": failures,
        "dimensions": dict(dataset.sizes),
        "variables": list(dataset.data_vars),
        "warnings": [],
    }


def sweep_report_json(dataset: xarray.Dataset, output: str) -> dict[str, Any]:
    """What a report shows of a sweep: that, and every grid point."""
    from empirical.sweep.summary import grid_summary, kinds_of, median_curves

    return {
        **sweep_json(dataset, kinds_of(dataset), output),
        "grid": grid_summary(dataset),
        "median_curves": median_curves(dataset),
    }
