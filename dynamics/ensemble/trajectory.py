"""The result of integrating an ensemble: learning curves of all members, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.curves.decay_law import DecayLaw
from dynamics.curves.result import Result
from dynamics.curves.trajectory import LARGEST_STORED_W
from dynamics.curves.units import C_K, DRIFT, conserved_or_none, overlaps_and_norms, unit_variables
from dynamics.curves.variables import (
    LOSS,
    LOSS_UNIT,
    OBJECTIVE,
    TEST_LOSS,
    TIME_UNIT,
    Described,
    Meaning,
    Variable,
    Variables,
    measured_in,
)
from dynamics.ensemble.members import Members
from dynamics.errors import ProblemError
from dynamics.files.archives import Archive
from dynamics.problem.modes import EIGENVALUE
from dynamics.problem.storage import problem_attributes
from dynamics.versions import versions
from dynamics.words import counted


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


@dataclass(frozen=True, eq=False, repr=False)
class EnsembleTrajectory(Result):
    """Solutions of N flows at T common times. After a member's failure its arrays hold NaN.

    Parameters
    ----------
    members : Members
        The problems in reduced coordinates.
    basis : (N, d, r) array or None
        Lifts reduced coordinates to weights; None: they are the weights.
    times : (T,) array
        Of the flow (`dynamics.clock.Clock` counts them in steps of a descent).
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

    KIND = "ensemble"

    members: Members
    basis: Annotated[
        Array | None, Meaning("member input coordinate", "lifts reduced weights to weights", detail=True)
    ]
    times: Annotated[Array, Meaning("time", "time", TIME_UNIT, label=True)]
    coordinates: Annotated[
        Array, Meaning("member time unit coordinate", "reduced first-layer weights", detail=True)
    ]
    A: Annotated[Array, Meaning("member time output unit", "second-layer weights", detail=True)]
    messages: Annotated[
        tuple[str, ...], Meaning("member", "why the member failed; empty if it did not", kind=str)
    ]
    evaluations: Annotated[
        NDArray[np.int64], Meaning("member", "evaluations of the right-hand side", kind=int)
    ]
    time_reached: Annotated[Array, Meaning("member", "time at which the integration ended", TIME_UNIT)]
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
    def test_loss(self) -> Array | None:
        """Loss of the samples of a data set that were held out, (N, T); None if there are none."""
        return self.members.test_losses(self.coordinates, self.A)

    @property
    def objective(self) -> Array | None:
        """Loss with the penalty of the weight decay, (N, T); None without decay."""
        decay = self.members.weight_decay
        return self.loss + decay.penalty(self.coordinates, self.A) if decay else None

    @cached_property
    def modes(self) -> Array:
        """Learned part of each teacher mode, (N, T, modes), as in `Trajectory`.

        Members whose teacher has fewer modes than others have NaN in their place.
        """
        m = self.members
        if len(m.V) == 1:
            return m.problem(0).modes(self.coordinates, self.A)
        rows = [m.problem(i).modes(self.coordinates[i], self.A[i]) for i in range(len(self))]
        out = np.full((len(self), len(self.times), max(row.shape[1] for row in rows)), np.nan)
        for i, row in enumerate(rows):
            out[i, :, : row.shape[1]] = row
        return out

    @property
    def overlaps(self) -> Array:
        """Cosines of w_k with the teacher directions, in the metric of Σ, (N, T, K, R), as in `Trajectory`."""
        return self._units[0]

    @property
    def norms(self) -> Array:
        """Norms √(w_kᵀΣw_k) of the units, (N, T, K)."""
        return self._units[1]

    @cached_property
    def _units(self) -> tuple[Array, Array]:
        second = self.members.problem(0).second_moment
        return overlaps_and_norms(self.coordinates, self.members.V[:, None], second)

    @property
    def degree(self) -> int | None:
        """Degree of homogeneity of the activation, or None."""
        return self.members.activation.degree

    @cached_property
    def conserved(self) -> Array | None:
        """c_k(t) = ‖w_k‖² − h Σ_o A_ok², (N, T, K); constants of the flow if the second layer is trained.

        None where φ is not homogeneous.
        """
        return conserved_or_none(self.coordinates, self.A, self.degree)

    @property
    def conserved_drift(self) -> Array | None:
        """Largest |c_k(t) − c_k(0)| of each member, or deviation from its law where weights decay, (N,).

        Where layers decay differently the law has an integral, which here is as good as the sample times are close.
        """
        start = conserved_or_none(self.members.W, self.members.A, self.degree)
        if self.conserved is None or start is None:
            return None
        assert self.degree is not None
        law = DecayLaw.of_balance(self.members.weight_decay, self.degree, self.members.trainable)
        if law.closed:
            expected = start[:, None] * np.exp(-law.rate * self.times)[:, None]
        else:
            expected = np.stack([self._by_law(law, i, start[i]) for i in range(len(self))])
        return np.fmax.reduce(np.abs(self.conserved - expected), axis=(1, 2))  # passes over NaN

    def _by_law(self, law: DecayLaw, member: int, start: Array) -> Array:
        """c_k of one member from its start (K,), (T, K); NaN at time 0 and where it failed."""
        kept = np.isfinite(self.A[member]).all(axis=(1, 2)) & (self.times > 0)
        A = np.concatenate([self.members.A[member][None], self.A[member][kept]])
        found = np.full((len(kept), len(start)), np.nan)
        source = np.sum(A**2, axis=1)
        found[kept] = law.values(np.append(0.0, self.times[kept]), start, source)[0][1:]
        return found

    def variables(self) -> Variables:
        """Curves, weights and what became of each member; eigenvalues where all have one teacher."""
        members, found = self.members, super().variables()
        found["message"] = found.pop("messages")
        found |= {
            "status": Variable(("member",), np.array(self.status), "finished or failed"),
            "loss": Variable(("member", "time"), self.loss, LOSS, LOSS_UNIT),
        }
        if self.test_loss is not None:
            found["test_loss"] = Variable(("member", "time"), self.test_loss, TEST_LOSS, LOSS_UNIT)
        if self.objective is not None:
            found["objective"] = Variable(("member", "time"), self.objective, OBJECTIVE, LOSS_UNIT)
        found = measured_in(members.problem(0).loss.unit, found)
        inputs = self.coordinates.shape[-1] if self.basis is None else self.basis.shape[1]
        if self.coordinates[..., 0].size * inputs <= LARGEST_STORED_W:
            found["W"] = Variable(
                ("member", "time", "unit", "input"), self.W, "first-layer weights", detail=True
            )
            if self.basis is None:
                del found["coordinates"]  # the same numbers
        if self.conserved is not None:
            found["conserved"] = Variable(("member", "time", "unit"), self.conserved, C_K, detail=True)
            found["conserved_drift"] = Variable(("member",), self.conserved_drift, DRIFT)
        if not members.problem(0).has_modes:
            overlaps = self.overlaps if members.taught else None
            return found | unit_variables(overlaps, self.norms, ("member", "time"))
        if len(members.V) == 1:
            targets = members.problem(0).mode_targets
            found["eigenvalues"] = Variable(("mode",), targets, EIGENVALUE, label=True, detail=True)
        return found | {
            "modes": Variable(
                ("member", "time", "mode"), self.modes, "learned part vᵀMv of each teacher eigenvector"
            )
        }

    def attributes(self) -> dict[str, Any]:
        """Sizes and kind of the networks, solver, versions."""
        inputs = self.coordinates.shape[-1] if self.basis is None else self.basis.shape[1]
        about = problem_attributes(self.members.problem(0)) | {"inputs": inputs}
        return about | asdict(self.solver) | {"versions": self.versions}

    def summary(self) -> str:
        """What happened, in a few lines."""
        s, failed = self.solver, int(self.failed.sum())
        last = self.loss[~self.failed, -1]
        lines = [
            f"{counted(len(self), 'trajectory', 'trajectories')} of "
            f"{counted(len(self.times), 'sample')} up to t = {self.times[-1]:.6g}, {failed} failed"
        ]
        if last.size:
            low, middle, high = np.quantile(last, [0, 0.5, 1])
            lines.append(f"final loss {middle:.6g} (median), {low:.6g} … {high:.6g}")
        drifts = self.conserved_drift
        if self.members.trainable and last.size and drifts is not None:
            drift = np.max(drifts[~self.failed])
            lines.append(f"largest drift of a conserved quantity {drift:.2e}")
        lines.append(
            f"{s.engine} ({s.method}), {counted(s.threads, 'thread')}: {s.seconds:.3g} s after "
            f"{s.setup_seconds:.3g} s of setting up, {np.mean(self.evaluations):.0f} evaluations each"
        )
        lines += [f"{i}: {message}" for i, message in enumerate(self.messages) if message][:5]
        return "\n".join(lines)

    def _parts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return self.members.parts()

    @classmethod
    def _read_array(cls, f: Archive, name: str, field: Described) -> Any:
        """An array; messages are stored as "message", and weights instead of coordinates that are the same."""
        if name == "messages":
            return f.texts("message", field.meaning.axes)
        if name == "coordinates" and name not in f:
            return f.numbers("W", ("member", "time", "unit", "input"))
        return super()._read_array(f, name, field)

    @classmethod
    def _read_parts(cls, f: Archive, about: Mapping[str, Any]) -> dict[str, Any]:
        return {"members": Members.read(f, about)}
