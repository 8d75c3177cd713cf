"""Blind search for critical subspaces: Levenberg–Marquardt steps on the Grassmannian, from random subspaces.

The steps are those of `dynamics.stationary.root_finding`, each in the chart around where it starts, for all starts at
once: ‖∇L*‖ falls, and near a non-degenerate critical subspace the steps are Newton's. Nothing is known of where
critical subspaces are. Every second start descends first, by a random number of steps −|H|⁻¹∇L*: in many dimensions
random subspaces alone lead to where M = 0, and descents end at minima and pass the saddles of low index.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dynamics.aliases import Array
from dynamics.budget import check_memory, check_number
from dynamics.progress import progress_bar
from dynamics.stationary.subspaces.form import FormLoss
from dynamics.stationary.subspaces.morse import MorseCount, isotropic_lines
from dynamics.stationary.subspaces.reduced_loss import ReducedLoss, framed, moved, reduced_loss
from dynamics.validation import validate_count

LARGEST_SEARCH = 1_000_000  # starts
STEPS = 200  # of a start
FIRST, LEAST, STALLED = 0.1, 1e-9, 1e13  # damping: of the first step, smallest, and where no step is left
CONVERGED = 1e-12  # ‖∇L*‖ of a root, relative to twice the largest drop of the loss
LONGEST = 1.0  # ‖X‖ of a step: the angle of 45°
SAME = 1e-5  # sine of the angle between subspaces that are one; relative difference of losses and values likewise
FLAT = 1e-7  # of twice the largest drop of the loss: smaller curvatures are zero
VANISHED = 1e-7  # of the natural size: a smaller eigenvalue of M is zero
DESCENT = 40  # steps down, at most, before one
CHUNK, MEMORY = 64, 2**28  # starts that are moved at a time, and bytes that they may take


@dataclass(frozen=True, eq=False)
class CriticalSubspace:
    """A critical subspace of L*.

    Parameters
    ----------
    basis : (d, r) array
        Orthonormal columns: eigenvectors of M.
    values : (r,) array
        Their eigenvalues, descending.
    loss : float
    curvatures : (r(d − r),) array
        Eigenvalues of the second derivative of L*, ascending.
    index : int
        How many of them are negative.
    deficient, degenerate : bool
        Whether M has a smaller rank; whether a curvature vanishes that `family` does not explain.
    family : tuple of int
        Betti numbers of the manifold of critical subspaces to which it belongs; (1,) if it is alone.
    vanished : float
        Size up to which an eigenvalue of M is zero.
    hits : int
        How many starts led to it.
    """

    basis: Array
    values: Array
    loss: float
    curvatures: Array
    index: int
    deficient: bool
    degenerate: bool
    family: tuple[int, ...]
    vanished: float
    hits: int = 1

    @property
    def M(self) -> Array:
        """M, (d, d)."""
        return (self.basis * self.values) @ self.basis.T


@dataclass(frozen=True, eq=False)
class SubspaceSearch:
    """What was found in one dimension.

    Parameters
    ----------
    subspaces : tuple of CriticalSubspace
        In order of their loss.
    count : MorseCount
    converged : int
        How many starts led to one.
    """

    subspaces: tuple[CriticalSubspace, ...]
    count: MorseCount
    converged: int


def search_subspaces(
    form: FormLoss, rank: int, starts: int, seed: int = 0, *, progress: bool = False
) -> SubspaceSearch:
    """Find the critical subspaces of dimension r from random ones, uniform on the Grassmannian.

    Parameters
    ----------
    form : FormLoss
        With a positive definite C.
    rank : int
        1 ≤ r ≤ d.
    starts : int
    seed : int
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Returns
    -------
    SubspaceSearch

    Raises
    ------
    ProblemError
        If starts or memory do not suffice.
    """
    check_number(
        f"`starts` {starts}", validate_count("starts", starts), LARGEST_SEARCH, "searches", "ask for fewer"
    )
    d, m = form.inputs, rank * (form.inputs - rank)
    starts = starts if m else 1  # all of it is one subspace
    each = 8 * (3 * (m + 1) * d**2 + 6 * m**2)
    check_memory(f"A search for subspaces of dimension {rank} in {d} inputs", each, "use fewer inputs")
    at_a_time = max(1, min(starts, CHUNK, MEMORY // each))
    rng = np.random.default_rng([validate_count("seed", seed, minimum=0), rank])
    found: list[CriticalSubspace] = []
    converged = 0
    chunks = range(0, starts, at_a_time)
    for start in progress_bar(chunks, f"rank {rank}", shown=progress, remedy="search from fewer starts"):
        Z = rng.standard_normal((min(at_a_time, starts - start), d, rank))
        at = reduced_loss(form, framed(Z), rank)
        lower = rng.integers(1, DESCENT + 1, len(Z)) * (np.arange(start, start + len(Z)) % 2)
        at, norm = _followed(form, _descended(form, at, lower))
        for n in np.flatnonzero(norm <= CONVERGED):
            converged += 1
            _merge(found, _described(form, at, int(n)), form.scale)
    found.sort(key=lambda subspace: (subspace.loss, subspace.index))
    count = MorseCount(
        rank,
        d,
        tuple((subspace.index, subspace.family) for subspace in found),
        sum(subspace.deficient for subspace in found),
        sum(subspace.degenerate for subspace in found),
        sum(subspace.hits == 1 for subspace in found) if m else 0,
        starts,
    )
    return SubspaceSearch(tuple(found), count, converged)


def _descended(form: FormLoss, at: ReducedLoss, steps: Array) -> ReducedLoss:
    """Where some steps (n,) down lead; one that leads up is not taken, and the next is shorter."""
    d, r = at.frame.shape[1], at.A.shape[1]
    reach = np.ones((len(at.loss), 1))
    for taken in range(steps.max(initial=0)):
        h, Q = np.linalg.eigh(at.hessian)
        slope = np.einsum("nij,ni->nj", Q, at.gradient)
        step = -np.einsum("nij,nj->ni", Q, slope / np.maximum(np.abs(h), FLAT * form.drop))
        trial = reduced_loss(form, moved(at.frame, (reach * _limited(step)).reshape(-1, d - r, r)), r)
        lower = trial.loss < at.loss
        at = at.where(lower & (taken < steps), trial)
        reach = np.where(lower[:, None], np.minimum(1, 2 * reach), reach / 4)
    return at


def _limited(step: Array) -> Array:
    """Steps (n, m) that are not too long."""
    length = np.linalg.norm(step, axis=1, keepdims=True)
    return step * np.minimum(1, LONGEST / np.maximum(length, LONGEST))


def _followed(form: FormLoss, at: ReducedLoss) -> tuple[ReducedLoss, Array]:
    """Where the steps lead, and the relative size of the gradient there, (n,)."""
    n, d, _ = at.frame.shape
    r = at.A.shape[1]
    size = form.drop
    norm = np.linalg.norm(at.gradient, axis=1) / size
    damping, unit = np.full(n, FIRST), np.zeros(n)
    for _ in range(STEPS):
        active = np.flatnonzero((norm > CONVERGED / 100) & (damping < STALLED))
        if not active.size:
            break
        now = ReducedLoss(*(part[active] for part in vars(at).values()))
        h, Q = np.linalg.eigh(now.hessian / size)
        unit[active] = np.where(unit[active] > 0, unit[active], np.abs(h).max(axis=1) ** 2 / norm[active])
        mu = (damping[active] * unit[active] * norm[active])[:, None]
        slope = np.einsum("nij,ni->nj", Q, now.gradient / size)
        step = -np.einsum("nij,nj->ni", Q, h / (h**2 + mu) * slope)
        trial = reduced_loss(form, moved(now.frame, _limited(step).reshape(-1, d - r, r)), r)
        trial_norm = np.linalg.norm(trial.gradient, axis=1) / size
        better = trial_norm < norm[active]
        good = trial_norm < norm[active] / 2
        moving = now.where(better, trial)
        for whole, part in zip(vars(at).values(), vars(moving).values(), strict=True):
            whole[active] = part
        norm[active] = np.where(better, trial_norm, norm[active])
        factor = np.where(good, 0.2, np.where(better, 1.0, 4.0))
        damping[active] = np.maximum(damping[active] * factor, LEAST)
    return at, norm


def _described(form: FormLoss, at: ReducedLoss, n: int) -> CriticalSubspace:
    """The n-th subspace."""
    r = at.A.shape[1]
    values, E = np.linalg.eigh(at.A[n])
    curvatures = np.linalg.eigvalsh(at.hessian[n])
    flat = FLAT * form.drop
    size = VANISHED * form.scale
    vanished = np.abs(values) <= size
    zeros = int(np.sum(np.abs(curvatures) <= flat))
    family = _family(form, at.M[n], r - int(vanished.sum())) if vanished.sum() == 1 else (1,)
    explained = zeros == len(family) - 1
    return CriticalSubspace(
        at.frame[n][:, :r] @ E[:, ::-1],
        values[::-1],
        float(at.loss[n]),
        curvatures,
        int(np.sum(curvatures < -flat)),
        bool(vanished.any()),
        not explained,
        family if explained else (1,),
        size,
    )


def _family(form: FormLoss, M: Array, rank: int) -> tuple[int, ...]:
    """Betti numbers of the lines v with vᵀGv = 0 beside the range of M, which has this rank."""
    d = form.inputs
    m, E = np.linalg.eigh(M)
    beside = E[:, np.argsort(-np.abs(m))[rank:]]
    g = np.linalg.eigvalsh(beside.T @ form.force(M) @ beside)
    zero = VANISHED * np.abs(g).max(initial=0.0)
    lines = isotropic_lines(int(np.sum(g > zero)), int(np.sum(g < -zero)))
    return lines if len(lines) == d - rank - 1 > 1 else (1,)


def _merge(known: list[CriticalSubspace], new: CriticalSubspace, scale: float) -> None:
    """Add a subspace, or count it where it is known."""
    for i, old in enumerate(known):
        if _same(old, new, scale):
            known[i] = replace(old, hits=old.hits + 1)
            return
    known.append(new)


def _same(one: CriticalSubspace, other: CriticalSubspace, scale: float) -> bool:
    """Whether two subspaces are one; those of a manifold, and degenerate ones, by the values of M."""
    if all(s.degenerate or len(s.family) > 1 for s in (one, other)):
        return bool(np.abs(one.values - other.values).max() <= SAME * scale)
    return sine(one.basis, other.basis) <= SAME


def sine(U: Array, V: Array) -> float:
    """Sine of the largest angle between the spans of orthonormal columns U and V (d, r)."""
    return float(np.linalg.norm(V - U @ (U.T @ V), 2))
