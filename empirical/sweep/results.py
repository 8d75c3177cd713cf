"""What a sweep keeps of each kind of run: labelled arrays, and what they are.

Nothing here depends on how fast or where a run was computed: repeating it gives the same bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.sweep.store import Labelled

if TYPE_CHECKING:
    from dynamics.curves.trajectory import Trajectory
    from dynamics.outcome.diagnosis import Diagnosis
    from dynamics.sgd.trajectory import SGDTrajectory
    from empirical.comparison import Comparison
    from empirical.recorder import TrainingRun

LOSS_UNIT, TIME_UNIT = "squared output units", "learning rate × steps"

# name → attributes in the file; every name is preceded by the kind of run, as in simulate_loss
ATTRIBUTES: dict[str, dict[str, str]] = {
    "time": {"long_name": "time", "units": TIME_UNIT},
    "loss": {"long_name": "population loss", "units": LOSS_UNIT},
    "initial_loss": {"long_name": "loss at the start", "units": LOSS_UNIT},
    "final_loss": {"long_name": "loss at the end", "units": LOSS_UNIT},
    "modes": {"long_name": "learned part vᵀMv of each teacher eigenvector"},
    "conserved_drift": {"long_name": "largest |c_k(t) − c_k(0)| over units and times"},
    "conserved": {"long_name": "c_k = ‖w_k‖² − h Σ_o A_ok² at the start"},
    "time_reached": {"long_name": "time at which the run ended", "units": TIME_UNIT},
    "plateaus": {"long_name": "number of plateaus of the loss"},
    "end": {"long_name": "why the integration ended"},
    "method": {"long_name": "solver"},
    "evaluations": {"long_name": "evaluations of the right-hand side"},
    "theory_loss": {"long_name": "loss of the flow", "units": LOSS_UNIT},
    "theory_modes": {"long_name": "learned modes of the flow"},
    "error_loss_sup": {"long_name": "largest deviation from the flow, relative to the initial loss"},
    "error_modes_sup": {
        "long_name": "largest deviation of a mode from the flow, relative to the largest eigenvalue"
    },
    "gap_discretisation": {"long_name": "largest part of the deviation due to the finite step (relative)"},
    "gap_finite_data": {"long_name": "largest part of the deviation due to finite data (relative)"},
    "gap_sampling_noise": {"long_name": "largest part of the deviation due to sampling noise (relative)"},
    "gap_remainder": {"long_name": "largest part of the deviation that no cause explains (relative)"},
    "gap_error_bar": {"long_name": "error bar where the remainder is largest (relative)"},
    "gap_total": {"long_name": "largest deviation of the loss from the flow (relative)"},
    "verdict": {"long_name": "succeeds, fails or undecided"},
    "explanation": {"long_name": "why"},
    "predicted_loss": {"long_name": "loss at which the flow ends", "units": LOSS_UNIT},
    "decided_at": {"long_name": "time at which the verdict is reached", "units": TIME_UNIT},
    "status": {"long_name": "done or failed"},
    "reason": {"long_name": "why the run failed; empty if it did not"},
}


def _labelled(**values: tuple[tuple[str, ...], Any]) -> dict[str, Labelled]:
    """Numbers as double precision, so that NaN can stand for what is missing; text as text."""
    found = {}
    for name, (dims, value) in values.items():
        array = np.asarray(value)
        found[name] = dims, array if array.dtype.kind == "U" else array.astype(float)
    return found


def of_trajectory(trajectory: Trajectory | SGDTrajectory) -> dict[str, Labelled]:
    """Learning curve and end of a solution of the flow."""
    return _labelled(
        time=(("time",), trajectory.times),
        loss=(("time",), trajectory.loss),
        modes=(("time", "mode"), trajectory.modes),
        initial_loss=((), trajectory.loss[0]),
        final_loss=((), trajectory.loss[-1]),
        conserved=(("unit",), trajectory.conserved[0]),
        conserved_drift=((), trajectory.conserved_drift),
        time_reached=((), trajectory.solver.time_reached),
        plateaus=((), len(trajectory.stages)),
        end=((), trajectory.solver.status),
        method=((), trajectory.solver.method),
        evaluations=((), trajectory.solver.evaluations),
    )


def of_training(run: TrainingRun) -> dict[str, Labelled]:
    """Learning curves and ends of the networks that were trained together."""
    drift = np.abs(run.conserved - run.conserved[:, :1]).max(axis=(1, 2))
    return _labelled(
        time=(("time",), run.times),
        loss=(("network", "time"), run.loss),
        modes=(("network", "time", "mode"), run.modes),
        initial_loss=(("network",), run.loss[:, 0]),
        final_loss=(("network",), run.loss[:, -1]),
        conserved=(("network", "unit"), run.conserved[:, 0]),
        conserved_drift=(("network",), drift),
        time_reached=((), run.times[-1]),
    )


def of_comparison(comparison: Comparison) -> dict[str, Labelled]:
    """Both sides of a comparison, and how far they are apart."""
    error = {f"error_{name}": ((), value) for name, value in comparison.relative_error.items()}
    gap = comparison.gap.largest(comparison.initial_loss)
    theory = {
        "theory_loss": (("time",), comparison.trajectory.loss),
        "theory_modes": (("time", "mode"), comparison.trajectory.modes),
    }
    parts = {f"gap_{name}": ((), value) for name, value in gap.items()}
    return of_training(comparison.run) | _labelled(**theory, **error, **parts)


def of_diagnosis(diagnosis: Diagnosis) -> dict[str, Labelled]:
    """The verdict; numbers that are not known are NaN."""
    known = {
        name: np.nan if value is None else value
        for name, value in (
            ("predicted_loss", diagnosis.predicted_loss),
            ("decided_at", diagnosis.decided_at),
        )
    }
    return _labelled(
        verdict=((), diagnosis.verdict),
        explanation=((), diagnosis.reason),
        conserved=(("unit",), diagnosis.conserved),
        **{name: ((), value) for name, value in known.items()},
    )
