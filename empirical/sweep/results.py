"""What a sweep keeps of each kind of run: what its command prints, and ends of curves that figures can draw.

Nothing here depends on how fast or where a run was computed: repeating it gives the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dynamics.aliases import Array
from dynamics.curves.variables import LOSS_UNIT, TIME_UNIT, Variable, Variables, label_name, printed

if TYPE_CHECKING:
    from dynamics.integration import SolverReport
    from dynamics.outcome.verdict import Diagnosis

CONSERVED_AT_START = "c_k = ‖w_k‖² − h Σ_o A_ok² at the start"
ENDED = "time at which the run ended"


class Described(Protocol):
    """What is asked of every result."""

    def variables(self) -> Variables:
        """Its numbers by name."""


class Integrated(Described, Protocol):
    """What is asked of a curve of a theory, of two-layer networks or of others."""

    @property
    def solver(self) -> SolverReport:
        """Of its integration."""

    @property
    def stages(self) -> Sequence[Any]:
        """Its plateaus."""


class Trained(Described, Protocol):
    """What is asked of networks in training."""

    @property
    def times(self) -> Array:
        """Of their records."""


class Compared(Described, Protocol):
    """What is asked of a comparison."""

    @property
    def run(self) -> Trained:
        """The networks."""


def kept(variables: Mapping[str, Variable]) -> Variables:
    """What commands print, labels in the singular.

    Numbers are in double precision, so that NaN can stand for what is missing; texts are texts.
    """
    found = {}
    for name, variable in printed(variables).items():
        text = variable.array.dtype.kind == "U"
        array = variable.array if text else variable.array.astype(float)
        found[label_name(name, variable)] = replace(variable, array=array)
    return found


def of_trajectory(trajectory: Integrated) -> Variables:
    """Learning curve and end of a solution of the flow."""
    variables, solver = trajectory.variables(), trajectory.solver
    ends = {
        "time_reached": Variable((), solver.time_reached, ENDED, TIME_UNIT),
        "plateaus": Variable((), len(trajectory.stages), "number of plateaus of the loss"),
        "end": Variable((), solver.status, "why the integration ended"),
        "method": Variable((), solver.method, "solver"),
        "evaluations": Variable((), solver.evaluations, "evaluations of the right-hand side"),
    }
    return kept(variables | _ends(variables) | ends)


def of_training(run: Trained) -> Variables:
    """Learning curves and ends of the networks that were trained together."""
    variables = run.variables()
    end = {"time_reached": Variable((), run.times[-1], ENDED, TIME_UNIT)}
    return kept(variables | _ends(variables) | end)


def of_comparison(comparison: Compared) -> Variables:
    """Both sides of a comparison, and how far they are apart."""
    return kept(comparison.variables()) | of_training(comparison.run)


def of_diagnosis(diagnosis: Diagnosis, unit: str = LOSS_UNIT) -> Variables:
    """The verdict, losses in a unit; numbers that are not known are NaN."""
    loss, time, scale = (
        np.nan if value is None else value
        for value in (diagnosis.predicted_loss, diagnosis.decided_at, diagnosis.critical_scale)
    )
    return kept(
        {
            "verdict": Variable((), diagnosis.verdict, "succeeds, fails or undecided"),
            "explanation": Variable((), diagnosis.reason, "why"),
            "conserved": Variable(("unit",), diagnosis.conserved, CONSERVED_AT_START),
            "predicted_loss": Variable((), loss, "loss at which the flow ends", unit),
            "decided_at": Variable((), time, "time at which the verdict is reached", TIME_UNIT),
            "critical_scale": Variable(
                (), scale, "factor on the start below which decay lets nothing be learned"
            ),
        }
    )


def _ends(variables: Mapping[str, Variable]) -> Variables:
    """First and last loss, the last of samples held out, and c_k at the start where there is one."""
    found = {
        "initial_loss": _at(variables["loss"], 0, "loss at the start"),
        "final_loss": _at(variables["loss"], -1, "loss at the end"),
    }
    if "test_loss" in variables:
        found["final_test_loss"] = _at(variables["test_loss"], -1, "loss of the samples held out at the end")
    if "conserved" in variables:
        found["conserved"] = _at(variables["conserved"], 0, CONSERVED_AT_START)
    return found


def _at(variable: Variable, index: int, meaning: str) -> Variable:
    """A variable at one of its times."""
    axis = variable.dims.index("time")
    dims = variable.dims[:axis] + variable.dims[axis + 1 :]
    return Variable(dims, variable.array.take(index, axis), meaning, variable.unit)
