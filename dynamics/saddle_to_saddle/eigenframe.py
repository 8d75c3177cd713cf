"""Common eigenbasis of teacher and inputs, in which the plateaus of a problem and their growth rates are diagonal.

On a plateau with learned modes S every other direction grows with an eigenvalue of G = 4ΣDΣ + 2τΣ. If Σ commutes
with M* both are diagonal in one basis: with variances σ_j and whitened eigenvalues λ_j = σ_j · (eigenvalue of M*),

    g_j = 4 σ_j λ̃_j,   λ̃_j = λ_j + T/(r+2)  (j ∉ S),   g_j = 0  (j ∈ S),

r = |S|, T = Σ_{j∉S} λ_j (derived here; for Σ = I see `dynamics.problem.levels`, centred activation: T → 0).

Under a law of the inputs that rotations leave as it is, the flow is that of the loss divided by γ, by a clock γ times
as fast (`dynamics.problem.aligned_loss`): here all rates and levels are those of the slow clock, and T/(r+2) is
cT/(2+cr) with the c of that law.

Under another loss (`dynamics.problem.landscapes`) gains λ̃_j and forces g_j are those of its balance, the latter times
σ_j; both layers are trained, and nothing decays.

Under weight decay (`dynamics.problem.decayed_levels`) λ̃_j = λ_j + τ/2 with the τ of that plateau, and learned modes
keep a force g_i = γ_i. With a fixed second layer α, decay takes ρ/α off all g_j: there λ̃_j is what is left for growth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.errors import ComputationError, ProblemError
from dynamics.inputs.spectral import spectral_loss
from dynamics.problem import Problem
from dynamics.problem.balance import Balance, Landscape
from dynamics.problem.decayed_levels import DecayedLevel, Shrinkage, decayed_level, shrinkage
from dynamics.problem.landscapes import landscape_of
from dynamics.problem.levels import Level, plateau_level
from dynamics.problem.mode_numbers import mode_numbers
from dynamics.problem.reduction import in_range, reduce_problem
from dynamics.problem.scope import require
from dynamics.problem.weight_decay import NO_DECAY, WeightDecay
from dynamics.words import listed

SAME = 1e-9  # eigenvalues closer than this, relative to the largest, are one repeated eigenvalue
NEGLIGIBLE = 1e-12  # rates and residual eigenvalues below this, relative to the largest, are rounding errors


@dataclass(frozen=True, eq=False)
class EigenFrame:
    """Eigenbasis of a problem with one output.

    Its r directions are those that the flow can reach: all eigenvectors of non-zero eigenvalue, and what the student
    starts with outside of them.

    Parameters
    ----------
    eigenvalues : (r,) array
        Whitened eigenvalues λ_j = σ_j · (eigenvalue of M*), descending.
    variances : (r,) array
        σ_j; all 1 for Σ = I.
    W : (K, r) array
        First-layer weights in the basis.
    a : (K,) array
        Second-layer weights.
    trace_coupling : float
        c: under Gaussian inputs 1 for the quadratic activation, 0 for the centred one.
    inputs : int
        Input dimension d.
    trainable : bool
        Whether the second layer is trained.
    decay : WeightDecay
    clock : float
        γ.
    landscape : Landscape or None
        Of a loss that is not square.
    forces : callable (W, A) → (1, r, r), or None
        G of such a loss in this basis; None where it also depends on a trained bias.
    """

    eigenvalues: Array
    variances: Array
    W: Array
    a: Array
    trace_coupling: float
    inputs: int
    trainable: bool = True
    decay: WeightDecay = NO_DECAY
    clock: float = 1.0
    landscape: Landscape | None = None
    forces: Callable[[Array, Array], Array] | None = None

    @property
    def numbers(self) -> NDArray[np.int64]:
        """Names of the directions, (r,): their places among all d eigenvalues, as in the catalogue."""
        return mode_numbers(self.eigenvalues, self.inputs)

    @cached_property
    def _shrinkage(self) -> Shrinkage | None:
        return shrinkage(self.decay, None if self.trainable else float(self.a[0]))

    def _decayed_level(self, learned: Sequence[int]) -> DecayedLevel | None:
        if self._shrinkage is None:
            return None
        return decayed_level(self.eigenvalues, learned, self._shrinkage, self.trace_coupling, self.variances)

    def holds(self, learned: Sequence[int]) -> bool:
        """Whether there is such a plateau: decay may leave none."""
        return self._shrinkage is None or self._decayed_level(learned) is not None

    def held(self, learned: Sequence[int]) -> DecayedLevel:
        """Plateau with these modes learned, under decay.

        Raises
        ------
        ComputationError
            If decay leaves none.
        """
        level = self._decayed_level(learned)
        if level is None:
            raise ComputationError(
                f"Under a weight decay of {self.decay} there is no plateau on which the modes"
                f" {listed(self.numbers[list(learned)], 'd')} are learned: it leaves nothing of one of them."
            )
        return level

    def balance(self, learned: Sequence[int]) -> Balance | None:
        """Balance on a plateau under a loss that is not square, eigenvalue by eigenvalue; None under a square loss.

        Where the weights of learned modes grow for ever, there stands the infimum 0 of the loss, with values as of
        the teacher, with which labels are as good as explained.
        """
        if self.landscape is None:
            return None
        ones = np.ones(len(self.eigenvalues), dtype=np.int64)
        counts = np.isin(np.arange(len(ones)), list(learned)).astype(np.int64)
        found = self.landscape.balance(self.eigenvalues, ones, counts)
        nothing = np.zeros(len(ones))
        return Balance(self.eigenvalues, nothing, 0.0, nothing, 0.0, 0.0) if found is None else found

    def grows(self, learned: Sequence[int]) -> bool:
        """Whether weights that have learned these modes grow for ever."""
        return self.landscape is not None and not self.balance(learned).base.any()  # type: ignore[union-attr]

    def level(self, learned: Sequence[int]) -> Level:
        """Plateau with these modes learned; raises as `held` does."""
        if (balance := self.balance(learned)) is not None:
            S = tuple(sorted(int(i) for i in learned))
            return Level(S, balance.values[list(S)], balance.residual_trace, balance.loss)
        if self._shrinkage is None:
            return plateau_level(self.eigenvalues, learned, self.trace_coupling)
        return self.held(learned)

    def named(self, learned: Sequence[int]) -> Level:
        """The same with the modes called by their names."""
        level = self.level(learned)
        return replace(level, learned=tuple(int(i) for i in self.numbers[list(level.learned)]))

    def residual(self, learned: Sequence[int]) -> Array:
        """Effective eigenvalues λ̃_j that are left on a plateau, (r,); zero for the learned modes."""
        S = list(learned)
        lam = self.eigenvalues.copy()
        balance = self.balance(learned)
        if balance is not None:
            lam = balance.gains.copy()
        elif self._shrinkage is None:
            lam[S] = 0.0
            lam += self.trace_coupling * lam.sum() / (2 + self.trace_coupling * len(S))
        else:
            lam += self.held(learned).trace / 2
            if not self.trainable:
                lam -= self.decay.first / (4 * self.a[0] * self.variances)
        lam[S] = 0.0
        of = self.eigenvalues if balance is None else balance.base
        return np.where(np.abs(lam) > NEGLIGIBLE * np.abs(of).max(initial=0.0), lam, 0.0)

    def rates(self, learned: Sequence[int]) -> Array:
        """Eigenvalues g_j of G on a plateau, (r,); less the decay if the second layer is fixed."""
        if (balance := self.balance(learned)) is not None:
            return np.where(self.residual(learned) == 0, 0.0, self.variances * balance.forces)
        rates = 4 * self.variances * self.residual(learned)
        if self._shrinkage is not None and self.trainable:
            level = self.held(learned)
            rates[list(level.learned)] = level.forces
        return np.asarray(rates)

    def turning(self, learned: Sequence[int], mode: int) -> tuple[Array, Array, float]:
        """What a unit that holds a learned mode does with its other components, on a plateau.

        Returns
        -------
        stiffness : (r,) array
            What a force is in units of its gain: 4 under a square loss.
        lead : (r,) array
            Gain of the mode less those of the others: where it is positive, components decay.
        share : float
            Of the stiffness, in the answer of G_ij to an entry M_ij.
        """
        level = self.level(learned)
        value = float(level.values[level.learned.index(mode)])
        if (balance := self.balance(learned)) is not None:
            gain = float(balance.gains[mode])
            return balance.stiffness, gain - balance.gains, gain / value
        return np.full(len(self.eigenvalues), 4.0), value - self.residual(learned), 1.0

    def alike(self, mode: int) -> NDArray[np.int64]:
        """Modes of the same eigenvalue and variance, `mode` included: their eigenvectors are arbitrary."""
        near = np.ones(len(self.eigenvalues), dtype=bool)
        for values in (self.eigenvalues, self.variances):
            near &= np.abs(values - values[mode]) <= SAME * np.abs(values).max()
        return np.flatnonzero(near)

    def rotated(self, modes: NDArray[np.int64], rotation: Array) -> EigenFrame:
        """The same with other eigenvectors (rows of `rotation`, in the present ones) for a repeated eigenvalue."""
        part = self.W[:, modes] @ rotation.T
        size = np.linalg.norm(part, axis=1, keepdims=True)
        W = self.W.copy()
        W[:, modes] = np.where(np.abs(part) > NEGLIGIBLE * size, part, 0.0)
        return replace(self, W=W)


def eigenframe(problem: Problem) -> EigenFrame:
    """Eigenbasis of a problem, in the subspace that its flow can reach.

    Raises
    ------
    ProblemError
        If there are several outputs, if φ is not quadratic, or if Σ and M* have no common eigenbasis.
    """
    require("staircase", problem)
    problem = in_range(problem)
    small = reduce_problem(problem).problem
    landscape = landscape_of(problem)
    assert landscape is not None  # the scope says so
    M = small.teacher.matrix()
    Sigma = np.eye(small.inputs) if small.covariance is None else small.covariance
    values, basis = _common_eigenbasis(M, Sigma)
    variances = np.einsum("ji,jk,ki->i", basis, Sigma, basis)
    order = np.argsort(-values * variances, kind="stable")
    frame = EigenFrame(
        (values * variances)[order],
        variances[order],
        np.asarray(small.student.W @ basis[:, order]),
        small.student.a.copy(),
        landscape.coupling or 0.0,
        problem.inputs,
        problem.student.trainable,
        problem.weight_decay,
    )
    if landscape.coupling is not None:
        return replace(frame, clock=landscape.unit(1.0))
    if small.population.force is None:  # a trained bias
        return replace(frame, landscape=landscape)
    return replace(frame, landscape=landscape, forces=_forces(small, values[order], variances[order]))


def _forces(problem: Problem, values: Array, variances: Array) -> Callable[[Array, Array], Array] | None:
    """G in the eigenbasis; None of a mixture of laws.

    Nothing is turned there, so that tiny weights have forces with the digits of their own.
    """
    loss = spectral_loss(problem, problem.covariance) if problem.law.gaussian else None
    if loss is None:
        return None
    Sigma = None if problem.covariance is None else np.diag(variances)
    return replace(loss, targets=np.diag(values)[None], covariance=Sigma).graded_force


def _common_eigenbasis(M: Array, Sigma: Array) -> tuple[Array, Array]:
    """Eigenvalues of M and common eigenvectors as columns."""
    values, basis = np.linalg.eigh(M)
    size = np.abs(values).max(initial=0.0)
    values[np.abs(values) <= 1e-13 * size] = 0.0
    start = 0
    for end in range(1, len(values) + 1):  # inside each eigenspace of M, the basis that diagonalises Σ
        if end == len(values) or values[end] - values[start] > SAME * size:
            block = basis[:, start:end]
            variances, inner = np.linalg.eigh(block.T @ Sigma @ block)
            if np.ptp(variances) > SAME * variances[-1]:
                basis[:, start:end] = block @ inner[:, ::-1]
            start = end
    Sigma_in_basis = basis.T @ Sigma @ basis
    mixing = np.abs(Sigma_in_basis - np.diag(Sigma_in_basis.diagonal())).max()
    if mixing > SAME * Sigma_in_basis.diagonal().max():
        raise ProblemError(
            f"`covariance` mixes eigenvectors of the teacher (largest entry {mixing:.3g} between two of them), but"
            " plateaus and jumps are known in closed form only where the two commute."
        )
    return values, basis
