"""The problems of an ensemble as arrays with one leading axis, exactly reduced together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from dynamics.activations import Activation
from dynamics.aliases import Array
from dynamics.covariance import covariance_factor
from dynamics.errors import ProblemError
from dynamics.files.archives import Archive
from dynamics.inputs.data_set import DataSet
from dynamics.inputs.laws import GAUSSIAN, InputLaw
from dynamics.population.base import Population
from dynamics.problem import Problem, Student, Teacher
from dynamics.problem.constraint import NONE, Constraint
from dynamics.problem.storage import law_parts, learned_parts, read_inputs, read_learned
from dynamics.problem.weight_decay import NO_DECAY, WeightDecay

FEWER = "ask for fewer starts, or a shorter time"  # what makes an ensemble smaller
ENTRIES_AT_ONCE = 2_000_000  # of residual matrices that are held at a time


@dataclass(frozen=True, eq=False)
class Members:
    """N problems that differ in their weights or teachers only.

    Parameters
    ----------
    V : (N, R, d) or (1, R, d) array
        Teacher directions; of one teacher for all, or of each.
    B : (N, O, R) or (1, O, R) array
    W : (N, K, d) array
        Initial first-layer weights.
    A : (N, O, K) array
    trainable : bool
    activation : Activation
    covariance : (d, d) array or None
    weight_decay : WeightDecay
    teacher_activation : Activation or None
        None: that of the student.
    distribution : InputLaw
    data : DataSet or None
        Of all; labels are the teacher's of each, if there are teachers.
    taught : bool
        Whether there are.
    constraint : Constraint
    learned : mapping
        Loss, labels, flips and bias, see `dynamics.problem.problem.Problem.learned`; empty for the square loss.
    """

    V: Array
    B: Array
    W: Array
    A: Array
    trainable: bool
    activation: Activation
    covariance: Array | None
    weight_decay: WeightDecay = NO_DECAY
    teacher_activation: Activation | None = None
    distribution: InputLaw = GAUSSIAN
    data: DataSet | None = None
    taught: bool = True
    constraint: Constraint = NONE
    learned: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.W)

    def problem(self, index: int) -> Problem:
        """One of the problems."""
        which = index if len(self.V) > 1 else 0
        return Problem(
            Teacher(self.V[which], self.B[which]) if self.taught else None,
            Student(self.W[index], self.A[index], self.trainable),
            self.activation,
            self.covariance,
            self.weight_decay,
            self.teacher_activation,
            self.distribution,
            self.data,
            constraint=self.constraint,
            **self.learned,
        )

    def part(self, which: NDArray[np.int64]) -> Members:
        """Some of the members."""
        V, B = (self.V[which], self.B[which]) if len(self.V) > 1 else (self.V, self.B)
        return replace(self, V=V, B=B, W=self.W[which], A=self.A[which])

    def start(self) -> Array:
        """Initial states θ (N, n): W row by row, then A row by row if it is trained."""
        blocks = [self.W.reshape(len(self), -1), self.A.reshape(len(self), -1)]
        return np.concatenate(blocks if self.trainable else blocks[:1], axis=1)

    def unpack(self, states: Array) -> tuple[Array, Array]:
        """Weights (N, T, K, r) and (N, T, O, K) of states (N, T, n), as views."""
        size, (N, T) = self.W[0].size, states.shape[:2]
        W = states[..., :size].reshape(N, T, *self.W.shape[1:])
        if not self.trainable:
            return W, np.broadcast_to(self.A[:, None], (N, T, *self.A.shape[1:]))
        return W, states[..., size:].reshape(N, T, *self.A.shape[1:])

    def parts(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """What a file says of the problems, and their arrays; in reduced coordinates if they are reduced."""
        arrays = {f"members_{name}": getattr(self, name) for name in "VBWA"}
        if self.covariance is not None:
            arrays["covariance"] = self.covariance
        about = {"activation": self.activation.name, "trainable": self.trainable}
        if self.teacher_activation is not None and self.teacher_activation != self.activation:
            about["teacher_activation"] = self.teacher_activation.name
        said, held = law_parts(self.distribution if self.data is None else self.data)
        decay = {"weight_decay": [*self.weight_decay.rates]} if self.weight_decay else {}
        if self.constraint:
            about["constraint"] = self.constraint.name
        taught = {} if self.taught else {"taught": False}
        return about | said | decay | taught | learned_parts(self.problem(0)), arrays | held

    @classmethod
    def read(cls, f: Archive, about: Mapping[str, Any]) -> Self:
        """The problems that `parts` stored."""
        distribution, data = read_inputs(f, about)
        found = cls(
            f.numbers("members_V", ("teacher", "teacher_direction", "coordinate")),
            f.numbers("members_B", ("teacher", "output", "teacher_direction")),
            f.numbers("members_W", ("member", "unit", "coordinate")),
            f.numbers("members_A", ("member", "output", "unit")),
            f.part(about, "trainable", bool),
            Activation.parse(f.part(about, "activation", str)),
            f.numbers("covariance", ("coordinate", "coordinate")) if "covariance" in f else None,
            WeightDecay.of(f.part(about, "weight_decay", list), f.part(about, "trainable", bool))
            if "weight_decay" in about
            else NO_DECAY,
            Activation.parse(
                f.part(about, "teacher_activation" if "teacher_activation" in about else "activation", str)
            ),
            distribution,
            data,
            f.part(about, "taught", bool) if "taught" in about else True,
            Constraint.of(f.part(about, "constraint", str) if "constraint" in about else NONE),
            read_learned(f, about),
        )
        if len(found.V) not in (1, len(found)):
            raise ProblemError(f"{f.what} holds {len(found.V)} teachers of {len(found)} members.")
        for index in range(len(found) if len(found.V) > 1 else min(1, len(found))):
            found.problem(index)  # refuses what is no problem
        return found

    def population(self) -> Population:
        """Population loss of the first problem, which tells what kind they are of."""
        return self.problem(0).population

    def objective(self) -> Population:
        """Likewise what is minimised: that, with the penalty of the weight decay."""
        return self.problem(0).objective

    def targets(self) -> Array:
        """Teacher matrices M*_o, (N, O, d, d) or (1, O, d, d)."""
        V = self.V[:, None]
        return (V.swapaxes(-1, -2) * self.B[:, :, None, :]) @ V

    def reduced(self) -> tuple[Members, Array | None]:
        """The span reduction of `dynamics.problem.reduction` for all members, with bases (N, d, r).

        Nothing is reduced, and None returned, where that would not help or where inputs are not standard normal.
        """
        N, K, d = self.W.shape
        standard = self.covariance is None and self.distribution.gaussian and self.data is None
        if self.V.shape[1] + K >= d or not standard:
            return self, None
        V = np.broadcast_to(self.V, (N, *self.V.shape[1:]))
        Q = np.linalg.qr(np.concatenate([V, self.W], axis=1).swapaxes(1, 2))[0]  # (N, d, R + K)
        B = np.broadcast_to(self.B, (N, *self.B.shape[1:]))
        return replace(self, V=V @ Q, B=B, W=self.W @ Q), Q

    def losses(self, W: Array, A: Array) -> Array:
        """Population loss (N, T) of all members at T states each, W (N, T, K, d) and A (N, T, O, K).

        As `QuadraticPopulation.loss`: differences are taken entry by entry before they are squared.
        """
        coupling = self.population().trace_coupling
        if coupling is None:
            return self._losses_one_by_one(W, A)
        M = self.targets()
        if self.covariance is not None:
            L = covariance_factor(self.covariance)
            W, M = W @ L, L.T @ M @ L
        out = np.empty(W.shape[:2])
        size = max(1, ENTRIES_AT_ONCE // (W.shape[1] * M[0].size))
        for start in range(0, len(W), size):
            part = slice(start, start + size)
            target = M[part] if len(M) > 1 else M
            out[part] = _losses(target, W[part], A[part], coupling)
        return out

    def test_losses(self, W: Array, A: Array) -> Array | None:
        """Likewise the loss of samples that were held out; None if there are none."""
        held_out = [p.test_population for p in self._problems()]
        found = [population for population in held_out if population is not None]
        return self._along(found, W, A) if found else None

    def _losses_one_by_one(self, W: Array, A: Array) -> Array:
        """The same for any activation and any inputs; NaN where a state is."""
        return self._along([p.population for p in self._problems()], W, A)

    def _problems(self) -> list[Problem]:
        """One for each teacher."""
        return [self.problem(i) for i in range(len(self) if len(self.V) > 1 else 1)]

    def _along(self, populations: Sequence[Population], W: Array, A: Array) -> Array:
        """A loss for each teacher, or one for all, along the states."""
        out = np.full(W.shape[:2], np.nan)
        for i in range(len(self)):
            loss = populations[i if len(populations) > 1 else 0].loss
            for t in np.flatnonzero(np.isfinite(W[i]).all(axis=(1, 2))):
                out[i, t] = loss(W[i, t], A[i, t])
        return out


def _losses(M: Array, W: Array, A: Array, trace_coupling: float) -> Array:
    """Σ_o tr(D_o²) + ½ τ_o², (n, T), from M (n or 1, O, d, d), W (n, T, K, d), A (n, T, O, K)."""
    loss = np.zeros(W.shape[:2])
    with np.errstate(over="ignore", invalid="ignore"):  # of members that failed
        for o in range(A.shape[2]):
            D = M[:, None, o] - np.einsum("ntk,ntki,ntkj->ntij", A[:, :, o], W, W, optimize=True)
            tau = trace_coupling * np.einsum("ntii->nt", D)
            loss += np.einsum("ntij,ntij->nt", D, D) + 0.5 * tau**2
    return loss


def stack_teachers(teachers: Sequence[Teacher]) -> tuple[Array, Array]:
    """Directions (N, R, d) and weights (N, O, R) of teachers, padded with zeros to the largest R."""
    R = max(len(teacher.V) for teacher in teachers)
    V = [np.pad(t.V, ((0, R - len(t.V)), (0, 0))) for t in teachers]
    B = [np.pad(t.B, ((0, 0), (0, R - len(t.V)))) for t in teachers]
    return np.stack(V), np.stack(B)
