"""The result of an integration: a learning curve with everything that can be read off it."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass, field, fields
from functools import cache, cached_property
from importlib import metadata
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import scipy

from dynamics.aliases import Array
from dynamics.curves.stages import Stage, find_stages, levels_passed
from dynamics.errors import ProblemError
from dynamics.files.archives import Archive, open_archive
from dynamics.files.opening import name_of
from dynamics.integration import SolverReport
from dynamics.problem import Problem, Student, Teacher
from dynamics.problem.levels import Level
from dynamics.problem.modes import mode_targets, teacher_modes
from dynamics.problem.reduction import Reduction
from dynamics.validation import validate_times

if TYPE_CHECKING:
    import xarray


LARGEST_STORED = (
    1e50  # entries of a trajectory; losses beyond its square are refused before they are integrated
)
LARGEST_STORED_W = 50_000_000  # entries of W(t) beyond which a file keeps reduced coordinates only


def unit_invariants(W: Array, A: Array, degree: int | None) -> Array:
    """c_k = ‖w_k‖² − h Σ_o A_ok² of every hidden unit, (…, K); W (…, K, d), A (…, O, K). NaN where there is no h."""
    if degree is None:
        return np.full(W.shape[:-1], np.nan)
    return np.sum(W**2, axis=-1) - degree * np.sum(A**2, axis=-2)


@cache
def _own_version() -> str:
    """Of the installed distribution; looking it up takes longer than a short integration."""
    try:
        return metadata.version("quadflow")
    except metadata.PackageNotFoundError:
        return "not installed"


def versions() -> dict[str, str]:
    """Versions of what computed a result."""
    return {
        "quadflow": _own_version(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
    }


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A solution of the flow at its sample times (T of them).

    Parameters
    ----------
    problem : Problem
    times : (T,) array
        In units of learning rate × steps.
    coordinates : (T, K, r) array
        First-layer weights in the reduced coordinates.
    A : (T, O, K) array
        Second-layer weights.
    basis : (d, r) array or None
        Lifts reduced coordinates to weights, W = coordinates @ basisᵀ; None: they are the weights.
    loss : (T,) array
        Population loss, in squared units of the output.
    modes : (T, modes) array
        v_iᵀ M v_i for each teacher eigenvector of non-zero eigenvalue, eigenvalues descending, outputs
        one after the other; for other activations than the quadratic ones see `dynamics.problem.modes`.
    solver : SolverReport
    versions : dict
    """

    problem: Problem
    times: Array
    coordinates: Array
    A: Array
    basis: Array | None
    loss: Array
    modes: Array
    solver: SolverReport
    versions: dict[str, str] = field(default_factory=versions)

    @classmethod
    def from_states(
        cls, problem: Problem, reduction: Reduction, times: Array, W: Array, A: Array, solver: SolverReport
    ) -> Trajectory:
        """Measure loss and modes along the states W (T, K, r), A (T, O, K) of a reduced problem."""
        small = reduction.problem
        loss = np.array([small.population.loss(w, a) for w, a in zip(W, A, strict=True)])
        modes = teacher_modes(small.teacher, W, A, problem.activation)
        return cls(problem, times, W, np.array(A), reduction.basis, loss, modes, solver)

    @property
    def W(self) -> Array:
        """First-layer weights (T, K, d). For a huge d ask `W_at` for single times instead."""
        return self.coordinates if self.basis is None else self.coordinates @ self.basis.T

    def W_at(self, index: int) -> Array:
        """First-layer weights (K, d) at one sample time."""
        w = self.coordinates[index]
        return w if self.basis is None else w @ self.basis.T

    @property
    def a(self) -> Array:
        """Second-layer weights (T, K) of a network with one output."""
        if self.A.shape[1] != 1:
            raise ProblemError(f"This network has {self.A.shape[1]} outputs: use `A`, of shape (T, O, K).")
        return self.A[:, 0]

    @property
    def reduced_dimension(self) -> int:
        """Inputs r of the problem that was really integrated."""
        return self.coordinates.shape[2]

    @cached_property
    def conserved(self) -> Array:
        """c_k(t) = ‖w_k‖² − h Σ_o A_ok², (T, K); a constant of the flow if the second layer is trained."""
        return unit_invariants(self.coordinates, self.A, self.problem.activation.degree)

    @property
    def conserved_drift(self) -> float:
        """Largest |c_k(t) − c_k(0)|. Not small, and not meant to be, if the second layer is fixed."""
        return float(np.abs(self.conserved - self.conserved[0]).max())

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """Plateaus of the loss, in order of time, with the fixed points they belong to where a catalogue exists."""
        problem = self.problem
        targets = mode_targets(problem.teacher, problem.activation)
        coupling = problem.activation.trace_coupling
        levels: tuple[Level, ...] = ()
        if coupling is not None and problem.covariance is None and problem.teacher.outputs == 1:
            levels = levels_passed(self.modes, targets, coupling)
        return find_stages(self.times, self.loss, self.modes, targets, levels=levels)

    def summary(self) -> str:
        """What happened, in a few lines."""
        s = self.solver
        lines = [
            f"{len(self.times)} samples up to t = {self.times[-1]:.6g} ({s.status})",
            f"loss {self.loss[0]:.6g} → {self.loss[-1]:.6g}",
            "modes " + ", ".join(f"{m:.4g}" for m in self.modes[-1][:8]),
            f"largest drift of a conserved quantity {self.conserved_drift:.2e}",
            f"{s.method}: {s.evaluations} evaluations, {s.seconds:.3g} s, {self.reduced_dimension} of "
            f"{self.problem.inputs} inputs after reduction",
        ]
        if not self.problem.student.trainable:
            lines.pop(3)
        if s.message:
            lines.append(s.message)
        return "\n".join(lines)

    def __repr__(self) -> str:
        return "Trajectory\n  " + self.summary().replace("\n", "\n  ")

    def _repr_html_(self) -> str:
        from dynamics.notebook import result_html

        return result_html("Trajectory", self.summary(), self.stages)

    def to_xarray(self) -> xarray.Dataset:
        """Labelled data for xarray; see `dynamics.curves.labelled`. Needs the extra ``sweep``."""
        from dynamics.curves.labelled import trajectory_dataset

        return trajectory_dataset(self)

    def save(self, file: str | Path | IO[bytes]) -> None:
        """Write everything to an `.npz` file; W(t) itself is left out beyond 50 million entries."""
        problem = self.problem
        arrays = {
            "times": self.times,
            "loss": self.loss,
            "modes": self.modes,
            "conserved": self.conserved,
            "a": self.A[:, 0] if self.A.shape[1] == 1 else self.A,
            "teacher_V": problem.teacher.V,
            "teacher_B": problem.teacher.B,
            "initial_W": problem.student.W,
            "initial_A": problem.student.A,
        }
        if self.basis is not None:
            arrays |= {"coordinates": self.coordinates, "basis": self.basis}
        if self.basis is None or len(self.times) * problem.student.W.size <= LARGEST_STORED_W:
            arrays["W"] = self.W
        if problem.covariance is not None:
            arrays["covariance"] = problem.covariance
        about = {
            "format": "quadflow trajectory 1",
            "activation": problem.activation.name,
            "trainable": problem.student.trainable,
            "solver": asdict(self.solver),
            "versions": self.versions,
        }
        np.savez_compressed(file, about=json.dumps(about), **arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, file: str | Path | IO[bytes]) -> Trajectory:
        """Read a trajectory written by `save`.

        Raises
        ------
        ProblemError
            If the file cannot be read, is damaged or was written by something else.
        """
        with open_archive(file, name_of(file)) as f:
            about = f.document("about") if "about" in f else {}
            if not str(about.get("format")).startswith("quadflow trajectory"):
                raise ProblemError(f"{f.what} is not a trajectory saved by quadflow.")
            try:
                return cls._read(f, about)
            except ProblemError as error:
                where = "" if str(error).startswith(f.what) else f"{f.what}: "
                raise ProblemError(f"{where}{error}") from None

    @classmethod
    def _read(cls, f: Archive, about: dict[str, Any]) -> Trajectory:
        """The trajectory in an open archive, every part checked against the others."""

        def read(name: str, axes: str) -> Array:
            array = f.numbers(name, axes)
            if not (np.abs(array) <= LARGEST_STORED).all():
                raise ProblemError(f"`{name}` contains NaN, infinity or numbers beyond {LARGEST_STORED:.0e}.")
            return array

        reduced = "basis" in f
        times = validate_times(read("times", "T"))
        problem = Problem(
            Teacher(read("teacher_V", "Rd"), read("teacher_B", "OR")),
            Student(read("initial_W", "Kd"), read("initial_A", "OK"), f.part(about, "trainable", bool)),
            f.part(about, "activation", str),
            read("covariance", "dd") if "covariance" in f else None,
        )
        modes = read("modes", "Tm")
        if modes.shape[1] != len(mode_targets(problem.teacher, problem.activation)):
            raise ProblemError(f"`modes` has shape {modes.shape}, which does not fit the teacher.")
        return cls(
            problem,
            times,
            read("coordinates", "TKr") if reduced else read("W", "TKd"),
            read("a", "TK")[:, None] if problem.student.outputs == 1 else read("a", "TOK"),
            read("basis", "dr") if reduced else None,
            read("loss", "T"),
            modes,
            SolverReport(**_solver(f, f.part(about, "solver", dict))),
            f.part(about, "versions", dict),
        )


def _solver(f: Archive, stored: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a `SolverReport`, each of its own type."""
    types: dict[str, type | tuple[type, ...]] = {"str": str, "int": int, "float": (int, float)}
    return {field.name: f.part(stored, field.name, types[str(field.type)]) for field in fields(SolverReport)}
