"""Stationary points of quadratic networks whose units are kept on the sphere, ‖w_k‖ = 1, with fixed a_k of one sign.

Each w_k is an eigenvector of D = M* − M, so that units of one eigenvalue γ_g form a *group*: n_g units that span a
space of r_g ≤ n_g eigenvectors S_g of M*, disjoint for different groups, on which M has the eigenvalues μ_i and D is
γ_g:

    γ_g = (Σ_{i∈S_g} λ_i − Σ_{k∈g} a_k)/r_g,   μ_i = λ_i − γ_g > 0,   L = Σ_g r_gγ_g² + Σ_{j∉S} λ_j² + ½cτ²,

τ = tr M* − Σ a_k. Such a group exists iff (a_k) is majorised by (μ, 0, …) (Schur, Horn), for equal a always. Groups of
equal γ are one.

The index, exactly (derived here). Move the units of a group g towards a unit vector u of a space in which D is δ, by
x_k: to second order L changes by −2(δ − γ_g) Σ a_kx_k² + 2‖Σ a_kx_kw_k‖². On the n_g − r_g combinations that leave M
alone the second term is zero; on the others, with the eigenvalue μ_v of the group, it is 2μ_v, and 2(μ_v − δ + γ_g) =
2(λ_v − δ) is left. If δ = γ_h belongs to a group, its units can move the other way; the two together have the
determinant (γ_h − γ_g)(λ_v − λ_u). Hence, over groups with γ_h > γ_g and modes j that no unit holds,

    index = Σ_{g,h} [(n_g − r_g) r_h + #{v∈S_g, u∈S_h: λ_v < λ_u}]
          + Σ_{g,j} [(n_g − r_g) 1{γ_g < λ_j} + #{v∈S_g: λ_v < λ_j}],

and within its space a group changes L by 2‖δM‖² ≥ 0. For equal a this proves that there is one minimum, the global one,
and that all other points are strict saddles: let γ_g < γ_h. If n_g > r_g the index is positive. If n_g = r_g then
mean(λ_{S_g}) = γ_g + a < γ_h + a n_h/r_h = mean(λ_{S_h}), so that some λ_v < λ_u. And a single group from which nothing
descends is the water filling of its modes, μ_i = max(λ_i − γ, 0), the least of all forms of its rank and trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, product
from math import factorial, prod

import numpy as np

from dynamics.aliases import Array
from dynamics.budget import check_number
from dynamics.errors import ProblemError
from dynamics.problem.levels import Level

MOST_GROUPS, MOST_POINTS = 200_000, 20_000  # that are looked at, and listed
MOST_UNITS = 3_000_000  # groups times units: of more, pairs of groups take minutes
SAME = 1e-10  # of the size of the problem: eigenvalues and multipliers that differ by less are equal
Counts = tuple[int, ...]


@dataclass(frozen=True)
class Group:
    """Units that share a multiplier.

    Parameters
    ----------
    modes : tuple of int
        How many modes of each distinct eigenvalue they hold.
    units : tuple of int
        How many units of each distinct second-layer weight there are.
    multiplier : float
        γ.
    """

    modes: Counts
    units: Counts
    multiplier: float

    @property
    def rank(self) -> int:
        """r."""
        return sum(self.modes)

    @property
    def spare(self) -> int:
        """n − r."""
        return sum(self.units) - self.rank


@dataclass(frozen=True, eq=False)
class SphereProblem:
    """Eigenvalues and second-layer weights, each value once.

    Parameters
    ----------
    eigenvalues : (d,) array
        Of M*, zeros included, in any order; −λ where the a_k are negative.
    weights : (K,) array
        |a_k| > 0.
    """

    eigenvalues: Array
    weights: Array

    @cached_property
    def size(self) -> float:
        """What rounding is relative to."""
        return float(max(np.abs(self.eigenvalues).max(), self.weights.max()))

    @cached_property
    def modes(self) -> tuple[Array, Counts]:
        """Distinct eigenvalues, descending, and how often each occurs."""
        return _distinct(self.eigenvalues, SAME * self.size)

    @cached_property
    def units(self) -> tuple[Array, Counts]:
        """Distinct weights, descending, and how often each occurs."""
        return _distinct(self.weights, SAME * self.size)

    @property
    def equal(self) -> bool:
        """Whether all weights are the same."""
        return len(self.units[0]) == 1

    def groups(self) -> Iterator[Group]:
        """All groups that can exist by themselves."""
        (lam, copies), (alpha, numbers) = self.modes, self.units
        for units in product(*(range(n + 1) for n in numbers)):
            n = sum(units)
            if not n:
                continue
            total = float(np.dot(units, alpha))
            a = np.repeat(alpha, units)
            for modes in _choices(copies, n):
                gamma = (float(np.dot(modes, lam)) - total) / sum(modes)
                mu = np.repeat(lam - gamma, modes)
                if mu.min() > SAME * self.size and majorised(a, mu, SAME * self.size):
                    yield Group(modes, units, gamma)

    def points(self) -> list[tuple[Group, ...]]:
        """All stationary points: sets of groups of different multipliers that use every unit and no mode twice.

        Raises
        ------
        ProblemError
            If there are too many.
        """
        copies, numbers = self.modes[1], self.units[1]
        number = _number_of_groups(copies, numbers)
        remedy = "use fewer hidden units, fewer different second-layer weights or fewer different eigenvalues"
        check_number("The catalogue on the sphere", number, MOST_GROUPS, "groups of units", remedy)
        work = number * sum(numbers)
        check_number("The catalogue on the sphere", work, MOST_UNITS, "units in all its groups", remedy)
        groups = list(self.groups())
        found: list[tuple[Group, ...]] = []

        def extend(first: int, chosen: tuple[Group, ...], modes: Counts, units: Counts) -> None:
            if not any(units):
                found.append(chosen)
                if len(found) > MOST_POINTS:
                    raise ProblemError(
                        f"There are more than {MOST_POINTS:,} stationary points on the sphere, which is the most that"
                        f" is listed: {remedy}."
                    )
                return
            if not any(modes):  # that the units which are left could hold
                return
            for i in range(first, len(groups)):
                g = groups[i]
                left, free = _less(modes, g.modes), _less(units, g.units)
                if min(left, default=0) < 0 or min(free, default=0) < 0:
                    continue
                if all(abs(g.multiplier - h.multiplier) > SAME * self.size for h in chosen):
                    extend(i + 1, (*chosen, g), left, free)

        extend(0, (), copies, numbers)
        return found

    def lowest(self) -> float:
        """Σ D_i² of the global minimum for equal weights: water filling, λ projected on the simplex Σ μ = Ka, μ ≥ 0."""
        lam = np.sort(self.eigenvalues)[::-1]
        held = lam[: len(self.weights)]
        water = (np.cumsum(held) - self.weights.sum()) / np.arange(1, len(held) + 1)
        r = int(np.flatnonzero(held > water)[-1]) + 1
        return float(
            np.sum((lam - np.append(np.maximum(held - water[r - 1], 0), np.zeros(len(lam) - len(held)))) ** 2)
        )


@dataclass(frozen=True, eq=False)
class SphereLevel(Level):
    """A stationary point on the sphere.

    Parameters
    ----------
    groups : tuple of Group
    index : int
        Of the Hessian on the product of spheres.
    flat : int
        Directions between spaces along which the Hessian is zero: rotations among equal eigenvalues, and ties.
    ties : int
        Those of them that are no rotations: a mode that no unit holds has λ_j = γ of a group with units to spare.
    multiplicity : int
        Number of sets of eigenvectors and of units that are alike.
    """

    groups: tuple[Group, ...]
    index: int
    flat: int
    ties: int
    multiplicity: int


def sphere_level(
    problem: SphereProblem, groups: Sequence[Group], scale: float, coupling: float, sign: float
) -> SphereLevel:
    """The level of some groups.

    Parameters
    ----------
    problem : SphereProblem
    groups : sequence of Group
    scale, coupling : float
        γ and c of the loss γ[Σ D_i² + ½cτ²] (`dynamics.problem.aligned_loss`).
    sign : float
        Of the second-layer weights, by which eigenvalues were multiplied.
    """
    (lam, copies), (_, numbers) = problem.modes, problem.units
    held = np.sum([g.modes for g in groups], axis=0)
    free = np.array(copies) - held
    index, flat, ties = _signs(problem, groups, free)
    tau = float(problem.eigenvalues.sum() - problem.weights.sum())
    squares = sum(g.rank * g.multiplier**2 for g in groups) + float(free @ lam**2)
    starts = np.cumsum([0, *copies])
    learned: list[int] = []
    values: list[float] = []
    used = np.zeros(len(lam), dtype=int)
    for g in groups:
        for j, count in enumerate(g.modes):
            first = int(starts[j] + used[j])
            learned += range(first, first + count)
            values += [lam[j] - g.multiplier] * count
            used[j] += count
    d = len(problem.eigenvalues)
    numbered = learned if sign > 0 else [d - 1 - i for i in learned]
    order = np.argsort(numbered)
    ways = prod(
        factorial(m) // (prod(factorial(g.modes[j]) for g in groups) * factorial(int(free[j])))
        for j, m in enumerate(copies)
    ) * prod(factorial(n) // prod(factorial(g.units[j]) for g in groups) for j, n in enumerate(numbers))
    return SphereLevel(
        tuple(int(numbered[i]) for i in order),
        sign * np.array([values[i] for i in order]),
        float(sign * (free @ lam)),
        scale * (squares + coupling / 2 * tau**2),
        tuple(groups),
        index,
        flat,
        ties,
        ways,
    )


def _signs(problem: SphereProblem, groups: Sequence[Group], free: Array) -> tuple[int, int, int]:
    """Index, zeros between the spaces of groups and modes, and those of them that are ties; see the head."""
    lam, zero = problem.modes[0], SAME * problem.size
    index = flat = ties = 0
    for g in groups:
        for h in groups:
            if h.multiplier - g.multiplier > zero:
                index += g.spare * h.rank
                for (v, n), (u, m) in product(enumerate(g.modes), enumerate(h.modes)):
                    index += n * m * (v > u)  # eigenvalues descend
                    flat += n * m * (v == u)
        for j, m in enumerate(free):
            index += int(g.spare * m * (lam[j] - g.multiplier > zero))
            ties += int(g.spare * m * (abs(lam[j] - g.multiplier) <= zero))
            index += int(m * sum(n for v, n in enumerate(g.modes) if v > j))
            flat += int(m * g.modes[j])
    return index, flat + ties, ties


def majorised(a: Array, mu: Array, tolerance: float) -> bool:
    """Whether a (n,) is majorised by (μ, 0, …), up to rounding; their sums being equal."""
    larger = np.cumsum(np.sort(np.pad(mu, (0, len(a) - len(mu))))[::-1])
    return bool((np.cumsum(np.sort(a)[::-1]) <= larger + len(a) * tolerance).all())


def frame(a: Array, mu: Array) -> Array:
    """Units w_k (n, r) of norm 1, in the basis of the modes, with Σ a_kw_kw_kᵀ = diag(μ); a majorised by (μ, 0, …).

    By rotations in planes an orthogonal Q is built for which QᵀΛQ, Λ = diag(μ, 0, …), has the diagonal a: then the rows
    √Λ Q have the norms √a_k (N. N. Chan, K.-H. Li, J. Math. Anal. Appl. 91 (1983) 562, not consulted; derived here).
    """
    n, order = len(a), np.argsort(-a, kind="stable")
    Lam = np.pad(mu, (0, n - len(mu)))
    Q, diagonal, left = np.eye(n), Lam.copy(), list(np.argsort(-Lam, kind="stable"))
    rows = []
    for target in a[order]:
        i = max((p for p, at in enumerate(left) if diagonal[at] >= target - 1e-13 * mu.max()), default=0)
        p, q = left[i], left[min(i + 1, len(left) - 1)]
        gap = diagonal[p] - diagonal[q]
        c2 = np.clip((target - diagonal[q]) / gap, 0.0, 1.0) if gap > 0 else 1.0
        c, s = np.sqrt(c2), np.sqrt(1 - c2)
        if p != q:
            Q[:, [p, q]] = np.stack([c * Q[:, p] + s * Q[:, q], c * Q[:, q] - s * Q[:, p]], axis=1)
            diagonal[q] = diagonal[p] + diagonal[q] - target
        diagonal[p] = target
        rows.append(p)
        left.remove(p)
        left.sort(key=lambda at: -diagonal[at])
    units = (np.sqrt(Lam)[:, None] * Q)[: len(mu), rows].T / np.sqrt(a[order])[:, None]
    back = np.empty_like(order)
    back[order] = np.arange(n)
    return np.asarray(units[back])


def _distinct(values: Array, tolerance: float) -> tuple[Array, Counts]:
    """Values that differ by more than a tolerance, descending, and how many there are of each."""
    ordered = np.sort(values)[::-1]
    starts = np.flatnonzero(np.append(True, ordered[:-1] - ordered[1:] > tolerance))
    return ordered[starts], tuple(np.diff([*starts, len(values)]).tolist())


def _choices(copies: Counts, most: int) -> Iterator[Counts]:
    """How many of each are taken, at least one and at most so many in all."""

    def extend(j: int, left: int) -> Iterator[Counts]:
        if j == len(copies):
            yield ()
            return
        for n in range(min(copies[j], left) + 1):
            for rest in extend(j + 1, left - n):
                yield (n, *rest)

    return (modes for modes in extend(0, most) if any(modes))


def _number_of_groups(copies: Counts, numbers: Counts) -> int:
    """How many groups there are to look at, by convolution: choices of units times choices of so many modes."""
    up_to = list(accumulate(_sizes(copies)))
    return sum(count * (up_to[min(n, len(up_to) - 1)] - 1) for n, count in enumerate(_sizes(numbers)))


def _sizes(counts: Counts) -> list[int]:
    """How many choices have n elements, n = 0 … Σ counts; exact integers."""
    found = [1]
    for m in counts:
        size, below = len(found), [0, *accumulate(found)]
        found = [below[min(i + 1, size)] - below[max(i - m, 0)] for i in range(size + m)]
    return found


def _less(a: Counts, b: Counts) -> Counts:
    return tuple(x - y for x, y in zip(a, b, strict=True))
