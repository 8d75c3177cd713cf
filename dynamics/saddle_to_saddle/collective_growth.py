"""Growth of all modes together while the second layer is fixed at one common value: the ln(1/ε) staircase."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.saddle_to_saddle.eigenframe import EigenFrame

NO_COMPONENT = 1e-12  # parts of a vector below this, relative to the whole, are rounding errors


@dataclass(frozen=True, eq=False)
class CollectiveGrowth:
    """The modes learned so far, when all units share one fixed a = α > 0.

    With W_j the (K,) column of mode j in whitened inputs, m_j = α‖W_j‖² obeys ṁ_j = 2α σ_j m_j (4(λ_j − m_j) + 2τ)
    as long as the columns are orthogonal; the part of W_j along the columns learned before decays, so that only its
    component orthogonal to them counts (for Σ = I this is the Schur complement in the matrix Riccati solution,
    theory: "closed forms"). Integrating ln m_i for the learned modes i ∈ S and summing over them gives the
    integral of τ on the plateau without any approximation of the jumps in between,

        ∫₀ᵗ τ = [4 T_S t + Σ_{i∈S} ln(μ_i/m_i(0)) / (2ασ_i)] / (2(r + 2)),

    and with it m_j(t) for every mode that is still small, constants included (derived here; without trace
    coupling the integral is 0). The jump is where this exponential reaches the mode's learned value: for the
    logistic growth of a single mode, the time at which half of it is learned.

    Weight decay takes 2ρ off every rate. That is the same as ν_j = λ_j − ρ/(4ασ_j) in place of λ_j in the growth, but
    not in the trace: T_S becomes Σ_j λ_j − Σ_{i∈S} ν_i (for Σ = I that is another teacher, theory 14.2).
    """

    frame: EigenFrame
    alpha: float
    learned: tuple[int, ...] = ()
    starts: tuple[float, ...] = ()  # m_i(0) of the learned modes, in the order of `learned`
    directions: tuple[Array, ...] = ()  # their columns, normalised, (K,) each

    def next(self) -> tuple[float, CollectiveGrowth] | None:
        """Time of the next jump and the modes learned after it; None if no mode can grow."""
        candidates = [c for j in range(len(self.frame.eigenvalues)) if (c := self._candidate(j)) is not None]
        if not candidates:
            return None
        # The first to reach one common size, not its own: a mode of small learned value would be there early,
        # and give way again to a faster one that is still on its way.
        common = max(c.value for c in candidates)
        first = min(candidates, key=lambda c: c.reaches(common))
        return first.reaches(first.value), first.growth

    def _candidate(self, mode: int) -> _Candidate | None:
        """A mode that could be next; None if it is learned, cannot grow, or has nothing to grow from."""
        free = np.setdiff1d(self.frame.alike(mode), self.learned)
        if mode in self.learned or mode != free[0] or self.frame.residual(self.learned)[mode] <= 0:
            return None  # of a repeated eigenvalue the first free index stands for all
        frame, column = self._largest_free_column(free)
        start = self.alpha * float(column @ column)
        if start == 0:
            return None
        learned = (*self.learned, mode)
        grown = replace(
            self,
            frame=frame,
            learned=learned,
            starts=(*self.starts, start),
            directions=(*self.directions, column / np.linalg.norm(column)),
        )
        value = float(frame.level(learned).values[sorted(learned).index(mode)])
        pace, offset = self._exponent(mode)
        return _Candidate(grown, value, float(np.log(start)) + offset, pace)

    def _largest_free_column(self, free: NDArray[np.int64]) -> tuple[EigenFrame, Array]:
        """The column of a mode orthogonal to the learned ones, turned inside a repeated eigenvalue to be longest."""
        columns = self.frame.W[:, free] * np.sqrt(self.frame.variances[free])  # (K, n)
        rest = columns.copy()
        for u in self.directions:
            rest -= np.outer(u, u @ rest)
        rest[:, np.linalg.norm(rest, axis=0) <= NO_COMPONENT * np.linalg.norm(columns, axis=0)] = 0.0
        if len(free) == 1:
            return self.frame, rest[:, 0]
        rotation = np.linalg.svd(rest)[2]  # rows: right singular vectors, largest first
        return self.frame.rotated(free, rotation), rest @ rotation[0]

    def _exponent(self, mode: int) -> tuple[float, float]:
        """(p, q) with ln m_j(t) = ln m_j(0) + p t + q for this mode j on the present plateau."""
        kappa, sigma = self.frame.trace_coupling, self.frame.variances
        level = self.frame.level(self.learned)
        values = dict(zip(level.learned, level.values, strict=True))
        logs = sum(
            np.log(values[i] / start) / (2 * self.alpha * sigma[i])
            for i, start in zip(self.learned, self.starts, strict=True)
        )
        share = kappa / (2 * kappa * len(self.learned) + 4)
        # ∫τ = share · (4 T t + logs); the rate of ln m_j is 2ασ_j (4ν_j + 2τ), of which 4ν_j + 8 share T = g_j/σ_j
        factor = 2 * self.alpha * sigma[mode]
        pace = 2 * self.alpha * self.frame.rates(self.learned)[mode]
        return float(pace), float(factor * 2 * share * logs)


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A mode that could be learned next: ln m(t) = offset + pace · t, up to its learned value."""

    growth: CollectiveGrowth
    value: float
    offset: float
    pace: float

    def reaches(self, size: float) -> float:
        """Time at which the mode would have this size."""
        return float((np.log(size) - self.offset) / self.pace)
