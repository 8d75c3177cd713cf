"""The result of integrating an ensemble: learning curves of all members, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.curves.trajectory import unit_invariants, versions
from dynamics.ensemble.members import Members
from dynamics.errors import ProblemError
from dynamics.problem.modes import teacher_modes

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True, eq=False)
class EngineResult:
    """What an engine hands back; see `EnsembleTrajectory`. A message that is not empty is a failure."""

    W: Array
    A: Array
    evaluations: NDArray[np.int64]
    time_reached: Array
    messages: tuple[str, ...]
    method: str
    threads: int
    setup_seconds: float


@dataclass(frozen=True)
class EnsembleReport:
    """What the engine did.

    Parameters
    ----------
    engine : str
        "heyoka" or "scipy".
    method : str
        "Taylor", or a method of `dynamics.integration`.
    rtol : float
    atol : float or None
        Tolerances per step; None: each member its own default.
    threads : int
    setup_seconds, seconds : float
        Wall-clock time for compiling, which later ensembles of the same shape save, and for the integration.
    """

    engine: str
    method: str
    rtol: float
    atol: float | None
    threads: int
    setup_seconds: float
    seconds: float


@dataclass(frozen=True, eq=False)
class EnsembleTrajectory:
    """Solutions of N flows at T common times. After a member's failure its arrays hold NaN.

    Parameters
    ----------
    members : Members
        The problems in reduced coordinates.
    basis : (N, d, r) array or None
        Lifts reduced coordinates to weights; None: they are the weights.
    times : (T,) array
        In units of learning rate × steps.
    coordinates : (N, T, K, r) array
        First-layer weights in the reduced coordinates.
    A : (N, T, O, K) array
        Second-layer weights.
    messages : tuple of str
        Of each member: empty, or why it failed.
    evaluations : (N,) array
        Right-hand sides, or Taylor expansions, per member.
    time_reached : (N,) array
    solver : EnsembleReport
    versions : dict
    """

    members: Members
    basis: Array | None
    times: Array
    coordinates: Array
    A: Array
    messages: tuple[str, ...]
    evaluations: NDArray[np.int64]
    time_reached: Array
    solver: EnsembleReport
    versions: dict[str, str] = field(default_factory=versions)

    def __len__(self) -> int:
        return len(self.members)

    @property
    def status(self) -> tuple[str, ...]:
        """Of each member: "finished" or "failed"."""
        return tuple("failed" if message else "finished" for message in self.messages)

    @property
    def failed(self) -> NDArray[np.bool_]:
        """Which members failed, (N,)."""
        return np.array([bool(message) for message in self.messages])

    @property
    def W(self) -> Array:
        """First-layer weights (N, T, K, d). For a huge d ask `W_at` for single times instead."""
        return self.coordinates if self.basis is None else self.coordinates @ self._lift[:, None]

    def W_at(self, index: int) -> Array:
        """First-layer weights (N, K, d) at one sample time."""
        w = self.coordinates[:, index]
        return w if self.basis is None else w @ self._lift

    @property
    def _lift(self) -> Array:
        assert self.basis is not None
        return self.basis.swapaxes(1, 2)

    @property
    def a(self) -> Array:
        """Second-layer weights (N, T, K) of networks with one output."""
        if self.A.shape[2] != 1:
            raise ProblemError(
                f"These networks have {self.A.shape[2]} outputs: use `A`, of shape (N, T, O, K)."
            )
        return self.A[:, :, 0]

    @cached_property
    def loss(self) -> Array:
        """Population loss (N, T), in squared units of the output."""
        return self.members.losses(self.coordinates, self.A)

    @cached_property
    def modes(self) -> Array:
        """Learned part of each teacher mode, (N, T, modes), as in `Trajectory`.

        Members whose teacher has fewer modes than others have NaN in their place.
        """
        m = self.members
        if len(m.V) == 1:
            return teacher_modes(m.problem(0).teacher, self.coordinates, self.A, m.activation)
        rows = [
            teacher_modes(m.problem(i).teacher, self.coordinates[i], self.A[i], m.activation)
            for i in range(len(self))
        ]
        out = np.full((len(self), len(self.times), max(row.shape[1] for row in rows)), np.nan)
        for i, row in enumerate(rows):
            out[i, :, : row.shape[1]] = row
        return out

    @cached_property
    def conserved(self) -> Array:
        """c_k(t) = ‖w_k‖² − h Σ_o A_ok², (N, T, K); constants of the flow if the second layer is trained."""
        return unit_invariants(self.coordinates, self.A, self.members.activation.degree)

    @property
    def conserved_drift(self) -> Array:
        """Largest |c_k(t) − c_k(0)| of each member, (N,)."""
        degree = self.members.activation.degree
        start = unit_invariants(self.members.W, self.members.A, degree)
        return np.fmax.reduce(np.abs(self.conserved - start[:, None]), axis=(1, 2))  # passes over NaN

    def summary(self) -> str:
        """What happened, in a few lines."""
        s, failed = self.solver, int(self.failed.sum())
        last = self.loss[~self.failed, -1]
        lines = [
            f"{len(self)} trajectories of {len(self.times)} samples up to t = {self.times[-1]:.6g}, {failed} failed"
        ]
        if last.size:
            low, middle, high = np.quantile(last, [0, 0.5, 1])
            lines.append(f"final loss {middle:.6g} (median), {low:.6g} … {high:.6g}")
        if self.members.trainable and last.size:
            drift = np.max(self.conserved_drift[~self.failed])
            lines.append(f"largest drift of a conserved quantity {drift:.2e}")
        lines.append(
            f"{s.engine} ({s.method}), {s.threads} thread{'s' * (s.threads > 1)}: {s.seconds:.3g} s after "
            f"{s.setup_seconds:.3g} s of setting up, {np.mean(self.evaluations):.0f} evaluations each"
        )
        lines += [f"{i}: {message}" for i, message in enumerate(self.messages) if message][:5]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return "EnsembleTrajectory\n  " + self.summary().replace("\n", "\n  ")

    def _repr_html_(self) -> str:
        from dynamics.notebook import result_html

        return result_html("EnsembleTrajectory", self.summary())

    def to_xarray(self) -> xarray.Dataset:
        """Labelled data for xarray; see `dynamics.curves.labelled`. Needs the extra ``sweep``."""
        from dynamics.curves.labelled import ensemble_dataset

        return ensemble_dataset(self)
