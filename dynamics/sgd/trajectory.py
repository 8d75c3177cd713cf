"""The result of the mean dynamics of stochastic gradient descent: learning curves without weights."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from dynamics.aliases import Array
from dynamics.curves.stages import Stage, find_stages
from dynamics.curves.trajectory import versions
from dynamics.integration import SolverReport
from dynamics.problem import Problem

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True, eq=False)
class SGDTrajectory:
    """Mean over seeds of one-pass SGD at its sample times (T of them), and its spread.

    Parameters
    ----------
    problem : Problem
    step, batch, label_noise
        η, B and Δ.
    times : (T,) array
        η × steps.
    Q, R : (T, K, K), (T, K, R) arrays
        Overlaps w_k·w_l and w_k·v_m of the mean-field solution.
    A : (T, O, K) array
        Second layer of the mean-field solution.
    loss : (T,) array
        Mean population loss.
    modes : (T, modes) array
        Mean of v_iᵀ M v_i for each teacher eigenvector, as in `dynamics.curves.trajectory.Trajectory`.
    conserved : (T, K) array
        Mean of c_k = ‖w_k‖² − 2 Σ_o A_ok², which SGD does not conserve.
    mean_field_loss : (T,) array
        Loss of the mean-field solution Q, R, A. `loss` differs from it by the effect of the fluctuations, where these
        were computed; if not by little, they are too large to be computed in this way.
    loss_std, modes_std : (T,), (T, modes) arrays or None
        Standard deviation over seeds, where it was computed (`dynamics.sgd.fluctuations`).
    solver : SolverReport
    versions : dict
    """

    problem: Problem
    step: float
    batch: int
    label_noise: float
    times: Array
    Q: Array
    R: Array
    A: Array
    loss: Array
    modes: Array
    conserved: Array
    mean_field_loss: Array
    loss_std: Array | None
    modes_std: Array | None
    solver: SolverReport
    versions: dict[str, str] = field(default_factory=versions)

    @property
    def steps(self) -> Array:
        """Numbers of steps that the times correspond to, (T,)."""
        return self.times / self.step

    @property
    def reduced_dimension(self) -> int:
        """Number of vectors, hidden units and teacher directions, whose overlaps were integrated."""
        return sum(self.R.shape[1:])

    @property
    def conserved_drift(self) -> float:
        """Largest |c_k(t) − c_k(0)|."""
        return float(np.abs(self.conserved - self.conserved[0]).max())

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """Plateaus of the loss, in order of time."""
        targets = np.concatenate([lam for lam, _ in self.problem.teacher.eigen])
        return find_stages(self.times, self.loss, self.modes, targets)

    def summary(self) -> str:
        """What happened, in a few lines."""
        s = self.solver
        spread = "" if self.loss_std is None else f" ± {self.loss_std[-1]:.2g} over seeds"
        lines = [
            f"SGD, step {self.step:g}, batch {self.batch}, label noise {self.label_noise:g}: "
            f"{len(self.times)} samples up to t = {self.times[-1]:.6g} ({s.status})",
            f"mean loss {self.loss[0]:.6g} → {self.loss[-1]:.6g}{spread}",
            "modes " + ", ".join(f"{m:.4g}" for m in self.modes[-1][:8]),
            f"{s.method}: {s.evaluations} evaluations, {s.seconds:.3g} s, {self.reduced_dimension} vectors in "
            f"{self.problem.inputs} dimensions",
        ]
        return "\n".join([*lines, s.message] if s.message else lines)

    def __repr__(self) -> str:
        return "SGDTrajectory\n  " + self.summary().replace("\n", "\n  ")

    def _repr_html_(self) -> str:
        from dynamics.notebook import result_html

        return result_html("SGDTrajectory", self.summary(), self.stages)

    def to_xarray(self) -> xarray.Dataset:
        """Labelled data for xarray; see `dynamics.curves.labelled`. Needs the extra ``sweep``."""
        from dynamics.curves.labelled import sgd_dataset

        return sgd_dataset(self)

    def save(self, file: str | Path | IO[bytes]) -> None:
        """Write everything to an `.npz` file."""
        problem = self.problem
        curves = [
            "times",
            "Q",
            "R",
            "A",
            "loss",
            "modes",
            "conserved",
            "mean_field_loss",
            "loss_std",
            "modes_std",
        ]
        arrays = {name: getattr(self, name) for name in curves if getattr(self, name) is not None}
        arrays |= {
            "teacher_V": problem.teacher.V,
            "teacher_B": problem.teacher.B,
            "initial_W": problem.student.W,
            "initial_A": problem.student.A,
        }
        about = {
            "format": "quadflow SGD trajectory 1",
            "activation": problem.activation.name,
            "trainable": problem.student.trainable,
            "step": self.step,
            "batch": self.batch,
            "label_noise": self.label_noise,
            "solver": asdict(self.solver),
            "versions": self.versions,
        }
        np.savez_compressed(file, about=json.dumps(about), **arrays)
