"""The result of the mean dynamics of stochastic gradient descent: learning curves without weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Annotated, Any, Self

import numpy as np

from dynamics.aliases import Array
from dynamics.curves.decay_law import balance_by_law
from dynamics.curves.followed import Followed
from dynamics.curves.stages import Stage, called, find_stages, plateau_rows
from dynamics.curves.units import C_K, DRIFT, unit_variables, units_summary
from dynamics.curves.variables import LOSS_UNIT, OBJECTIVE, TIME_UNIT, Described, Meaning, Variable, Variables
from dynamics.files.archives import Archive
from dynamics.integration import SolverReport
from dynamics.problem import Problem
from dynamics.problem.mode_numbers import mode_numbers
from dynamics.problem.modes import EIGENVALUE
from dynamics.problem.storage import problem_attributes, problem_parts, read_problem
from dynamics.versions import versions
from dynamics.words import counted, listed

ROUNDING = 1e-9  # of the initial loss
NEGLECTED = (
    "the mean of every step is exact, but the fluctuations over seeds, which are of order 1/d where the step is of "
    "that order, are neglected from one step to the next"
)


ON_SPHERE = (
    "on the sphere the mean is of leading order in the input dimension at fixed step times dimension; that of one "
    "quadratic unit and one teacher direction is exact to second order in the step"
)


@dataclass(frozen=True, eq=False, repr=False)
class SGDTrajectory(Followed):
    """Mean over seeds of one-pass SGD at its sample times (T of them), and its spread.

    Parameters
    ----------
    problem : Problem
    step, batch, label_noise
        η, B and Δ.
    times : (T,) array
        Of the flow: Σ η_n over the steps.
    Q, R : (T, K, K), (T, K, R) arrays
        Overlaps w_k·w_l and w_k·v_m of the mean-field solution.
    A : (T, O, K) array
        Second layer of the mean-field solution.
    loss : (T,) array
        Mean population loss.
    modes : (T, modes) array
        Mean of v_iᵀ M v_i for each teacher eigenvector, as in `dynamics.curves.trajectory.Trajectory`; where there
        are no modes, (T, 0), `overlaps` and `norms` stand for them.
    conserved : (T, K) array or None
        Mean of c_k = ‖w_k‖² − h Σ_o A_ok², which SGD does not conserve; None where φ is not homogeneous.
    mean_field_loss : (T,) array
        Loss of the mean-field solution Q, R, A. `loss` differs from it by the effect of the fluctuations, where these
        were computed; if not by little, they are too large to be computed in this way.
    loss_std, modes_std : (T,), (T, modes) arrays or None
        Standard deviation over seeds, where it was computed (`dynamics.sgd.fluctuations`).
    solver : SolverReport
    versions : dict
    steps : (T,) array
        Numbers of steps that the times correspond to; by default those of a constant rate.
    schedule : str
        Of the learning rate, whose largest value is the step.
    objective : (T,) array or None
        Mean of the loss with the penalty of the weight decay; None without decay.
    """

    KIND = "SGD trajectory"
    THEORY = "sgd"
    taught = True

    problem: Problem
    step: float
    batch: int
    label_noise: float
    times: Annotated[Array, Meaning("time", "time", TIME_UNIT, label=True)]
    Q: Annotated[Array, Meaning("time unit other_unit", "overlaps w_k·w_l", detail=True)]
    R: Annotated[
        Array,
        Meaning("time unit teacher_direction", "overlaps w_k·v_m with the teacher directions", detail=True),
    ]
    A: Annotated[Array, Meaning("time output unit", "second-layer weights", detail=True)]
    loss: Annotated[Array, Meaning("time", "population loss", LOSS_UNIT)]
    modes: Annotated[Array, Meaning("time mode", "learned part vᵀMv of each teacher eigenvector")]
    conserved: Annotated[Array | None, Meaning("time unit", C_K, detail=True)]
    mean_field_loss: Annotated[Array, Meaning("time", "loss of the mean-field solution", LOSS_UNIT)]
    loss_std: Annotated[Array | None, Meaning("time", "standard deviation of the loss over seeds", LOSS_UNIT)]
    modes_std: Annotated[Array | None, Meaning("time mode", "standard deviation of the modes over seeds")]
    solver: SolverReport
    versions: dict[str, str] = field(default_factory=versions)
    steps: Annotated[Array, Meaning("time", "number of training steps", label=True, detail=True)] = field(
        default_factory=lambda: np.empty(0)
    )
    schedule: str = "constant"
    objective: Annotated[Array | None, Meaning("time", OBJECTIVE, LOSS_UNIT)] = None

    def __post_init__(self) -> None:
        if not self.steps.size:
            object.__setattr__(self, "steps", self.times / self.step)

    @property
    def reduced_dimension(self) -> int:
        """Number of vectors, hidden units and teacher directions, whose overlaps were integrated."""
        return sum(self.R.shape[1:])

    @property
    def overlaps(self) -> Array:
        """Cosines w_k·v_m/(‖w_k‖‖v_m‖) of the mean-field solution, (T, K, R); 0 where a vector is."""
        lengths = self.norms[..., None] * np.linalg.norm(self.problem.teacher.V, axis=1)
        cosines = np.divide(self.R, lengths, out=np.zeros_like(self.R), where=lengths > 0)
        return np.clip(cosines, -1.0, 1.0)

    @property
    def norms(self) -> Array:
        """Norms √E‖w_k‖² of the units in the mean-field solution, (T, K)."""
        return np.sqrt(np.maximum(np.einsum("tkk->tk", self.Q), 0.0))

    @property
    def of_leading_order(self) -> bool:
        """Whether the curve is of leading order in the input dimension: on the sphere, but for one quadratic unit."""
        return bool(self.problem.constraint)

    @property
    def neglects_fluctuations(self) -> bool:
        """Whether the curve is without fluctuations because they are not known: of units other than quadratic ones."""
        return not self.of_leading_order and self.loss_std is None and self.problem.trace_coupling is None

    @property
    def breakdown(self) -> str:
        """A sentence where fluctuations are no small correction, so that the mean loss falls below zero; else empty."""
        lowest = int(self.loss.argmin())
        if self.loss[lowest] >= -ROUNDING * self.loss[0]:
            return ""
        return (
            f"the predicted mean loss falls to {self.loss[lowest]:.3g} at t = {self.times[lowest]:.3g}, below zero:"
            " fluctuations are no small correction here, and the mean of SGD is not to be trusted (take smaller"
            " steps, or larger batches)"
        )

    @property
    def conserved_drift(self) -> float | None:
        """Largest deviation of the mean of c_k(t) from c_k(0), or from its law under weight decay; None without c_k."""
        if self.conserved is None:
            return None
        expected = balance_by_law(self.problem, self.times, self.conserved, self.A)[0]
        return float(np.abs(self.conserved - expected).max())

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """Plateaus of the loss, in order of time; modes are called by their numbers."""
        problem = self.problem
        if not problem.has_modes:
            return find_stages(self.times, self.loss)
        targets = problem.mode_targets
        found = find_stages(self.times, self.loss, self.modes, targets)
        return called(found, mode_numbers(targets, problem.all_inputs, problem.teacher.outputs))

    def variables(self) -> Variables:
        """Curves, order parameters and what follows from them."""
        problem, found = self.problem, super().variables()
        if self.conserved is not None:
            found["conserved_drift"] = Variable((), self.conserved_drift, DRIFT)
        if problem.has_modes:
            targets = problem.mode_targets
            return found | {"eigenvalues": Variable(("mode",), targets, EIGENVALUE, label=True, detail=True)}
        for name in ("modes", "modes_std"):
            found.pop(name, None)
        return found | unit_variables(self.overlaps, self.norms, ("time",))

    def attributes(self) -> dict[str, Any]:
        """Sizes and kind of the network, options of the training, solver, versions."""
        training = {
            **{"step_size": self.step, "batch": self.batch, "label_noise": self.label_noise},
            "schedule": self.schedule,
        }
        return problem_attributes(self.problem) | training | asdict(self.solver) | {"versions": self.versions}

    def summary(self) -> str:
        """What happened, in a few lines."""
        s = self.solver
        schedule = "" if self.schedule == "constant" else f" ({self.schedule})"
        spread = "" if self.loss_std is None else f" ± {self.loss_std[-1]:.2g} over seeds"
        lines = [
            f"SGD, step {self.step:g}{schedule}, batch {self.batch}, label noise {self.label_noise:g}: "
            f"{counted(len(self.times), 'sample')} up to t = {self.times[-1]:.6g} ({s.ending})",
            f"mean loss {self.loss[0]:.6g} → {self.loss[-1]:.6g}{spread}",
            "modes " + listed(self.modes[-1])
            if self.problem.has_modes
            else units_summary(self.overlaps[-1], self.norms[-1]),
            f"{s.method}: {counted(s.evaluations, 'evaluation')}, {s.seconds:.3g} s, "
            f"{counted(self.reduced_dimension, 'vector')} in {counted(self.problem.all_inputs, 'dimension')}",
        ]
        if self.objective is not None:
            lines.insert(2, f"mean objective {self.objective[0]:.6g} → {self.objective[-1]:.6g}")
        return "\n".join([*lines, *filter(None, (s.message, self.breakdown))])

    def plateaus(self) -> list[tuple[str, ...]]:
        """Rows of the table of plateaus that a notebook shows."""
        return plateau_rows(self.stages, self.problem.has_modes)

    def _parts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return problem_parts(self.problem)

    @classmethod
    def read(cls, f: Archive, about: Mapping[str, Any], number: int) -> Self:
        """The result in an open archive; those of version 0.1 do not name the schedule, which was constant."""
        found = super().read(f, {"schedule": "constant"} | dict(about), number)
        if found.conserved is None and found.problem.activation.degree is not None:
            f.numbers("conserved")  # is missing, which it says
        return found

    @classmethod
    def _read_array(cls, f: Archive, name: str, field: Described) -> Any:
        """An array; those of version 0.1 do not hold the steps, which their times say, and some have no modes."""
        if name == "steps" and name not in f:
            return np.empty(0)
        if name == "conserved" and "norms" not in f:
            return f.numbers(name, field.meaning.axes)
        if name == "modes" and name not in f and "norms" in f:
            return np.empty((len(f.numbers("times")), 0))
        return super()._read_array(f, name, field)

    @classmethod
    def _read_parts(cls, f: Archive, about: Mapping[str, Any]) -> dict[str, Any]:
        return {"problem": read_problem(f, about)}
