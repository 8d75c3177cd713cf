"""Curves of networks of one's own as JSON objects, with the keys of two-layer ones where they mean the same."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from quadflow.own_networks.building import network_json
from quadflow.results import gap_json, known, stage_json

if TYPE_CHECKING:
    from dynamics.networks import NetworkTrajectory
    from empirical.polynomial import NetworkComparison, NetworkRun

DRIFTS = "a finite step does not conserve the laws of the flow: their drift is predicted, no error"
NO_LAWS = "no conserved quantity of this network is known: expressions are searched up to 40 parameters"


def trajectory_json(trajectory: NetworkTrajectory) -> dict[str, Any]:
    """A curve, its plateaus and laws, and how it was integrated."""
    from dynamics.networks.trajectory import INEXACT

    s, drift = trajectory.solver, trajectory.conserved_drift
    warnings = list(filter(None, [s.message]))
    warnings += [INEXACT] if trajectory.loss_error is not None else []
    warnings += [DRIFTS] if trajectory.theory == "modified" and trajectory.laws else []
    warnings += [] if trajectory.laws else [NO_LAWS]
    return {
        "times": trajectory.times,
        "loss": trajectory.loss,
        "loss_error": trajectory.loss_error,
        "objective": trajectory.objective,
        "modes": None,
        "conserved_drift": None if drift is None or math.isnan(drift) else drift,
        "conserved": None,
        "conserved_laws": [
            {
                "law": law.text,
                "start": trajectory.conserved[law.text][0],
                "end": trajectory.conserved[law.text][-1],
                "drift": trajectory.drifts[law.text],
            }
            for law in trajectory.laws
        ],
        "stages": [stage_json(stage) for stage in trajectory.stages],
        "solver": {
            "method": s.method,
            "evaluations": s.evaluations,
            "jacobian_evaluations": s.jacobian_evaluations,
            "seconds": s.seconds,
            "reduced_dimension": trajectory.problem.free_directions,
            "rtol": s.rtol,
            "atol": s.atol,
            "status": s.status,
            "time_reached": s.time_reached,
        },
        "problem": network_json(trajectory.problem),
        "warnings": warnings,
    }


def run_json(run: NetworkRun) -> dict[str, Any]:
    """Trained networks."""
    return {
        "times": run.times,
        "steps": run.steps,
        "loss": run.loss,
        "modes": None,
        "conserved": None,
        "conserved_drift": run.conserved_drift,
        "loss_measured": "exactly, from the weights"
        if run.problem.nodes.exact
        else "over draws, from the weights",
        "schedule": run.about["schedule"],
        "steps_per_second": run.about["steps_per_second"],
        "survives": run.about["survives"],
        "problem": network_json(run.problem),
        "warnings": [],
    }


def comparison_json(comparison: NetworkComparison) -> dict[str, Any]:
    """Both sides, and the gap."""
    import numpy as np

    theory, run = trajectory_json(comparison.trajectory), run_json(comparison.run)
    unknown = not np.isfinite(comparison.gap.error_bar).all()
    why = ["the error bar of the gap is unknown: it takes several seeds"] if unknown else []
    return {
        "relative_error": known(comparison.relative_error),
        "gap": gap_json(comparison.gap, comparison.initial_loss),
        "times": comparison.run.times,
        "steps": comparison.run.steps,
        "theory": theory,
        "training": run,
        "warnings": list(dict.fromkeys([*theory["warnings"], *run["warnings"], *why])),
    }
