"""Signature of the Hessian at a stationary point, and the units that the point needs: counted, not computed.

Setting (whitened coordinates; derived here). S is the set of learned modes, r = |S|, ν = T/(r+2) the overshoot,
μ_i = λ_i + ν the learned values, λ̃_j = λ_j + ν for j ∉ S; G = 4 diag(λ̃_j) off V, G V = 0. Write the weights in the
eigenbasis as Y (K, r) on the learned modes and x_j ∈ R^K on the unlearned mode j, so that x_j = 0 at the point,
and let a = diag(a_k). Then YᵀaY = diag(μ).

*Units needed.* Y has rank r, so diag(μ) is the restriction of the form a to an r-dimensional subspace of R^K. With
p positive, q negative and z vanishing μ_i that needs p + z positive and q + z negative units, and no more: a
vanishing μ_i takes a pair of units of opposite sign that cancel.

*Hessian.* The reflections e_j → −e_j, j ∉ S, are symmetries that fix the point: the Hessian splits into one block
for (Y, a) and one K × K block for every j. The first is the square of the differential of YᵀaY, which is onto
because rank(aY) = r: r(r+1)/2 positive eigenvalues, the rest zero. The block of mode j is

    Q_j = 4 (a Y Yᵀ a − λ̃_j a).

For a_k ≠ 0 two Schur complements of [[−a⁻¹λ̃_j, Y], [Yᵀ, −1]] give (Haynsworth's inertia formula)

    negative: #{k: a_k λ̃_j > 0} − #{i: μ_i/λ̃_j ≥ 1},    positive: #{k: a_k λ̃_j < 0} + #{i: μ_i/λ̃_j > 1},

and r positive, no negative ones if λ̃_j = 0. A unit at the origin (0, 0) adds only zeros. Because μ_i − λ̃_j = λ_i − λ_j,
the condition μ_i/λ̃_j ≥ 1 reads λ_i ≥ λ_j if λ̃_j > 0 and λ_i ≤ λ_j if λ̃_j < 0: *mode j is a descent direction once for
every unit of its sign that is not held by a learned mode at least as strong.* The same holds for a fixed second
layer, where only the parameters a are missing.

*Other laws of the inputs* (`dynamics.problem.aligned_loss`). With γ, c and ρ the first block stays the square of a map
onto, Q_j = 4 (γ/ρ) (a Y Yᵀ a − ρ λ̃_j a), and μ_i/λ̃_j is compared with ρ instead of 1. Where ρ ≠ 1 no rotation is a
symmetry: equal eigenvalues are then told apart, and μ_i = ρλ̃_j is a point at which others are born off the axes.

*Minima.* All a_k ≠ 0: the point is a local minimum if and only if no Q_j has a negative eigenvalue. For with
P = YᵀaY, c_j = Yᵀa x_j, E_jl = x_jᵀa x_l at a nearby state,

    L − L_S = ‖P − diag μ‖² + ‖E‖² + ½ (tr P − Σμ + tr E)² + Σ_j (2‖c_j‖² − 2 λ̃_j E_jj)  ≥  ½ Σ_j x_jᵀ Q_j x_j,

with Q_j taken at the nearby state; for λ̃_j = 0 the term is a square, otherwise Q_j stays positive definite nearby,
but for the directions Y e_i with λ_i = λ_j, which a rotation inside the eigenspace removes. So λ̃_j = 0 leaves the
Hessian flat along mode j, yet never spoils a minimum.
A trained a_k = 0 with L > 0: never a minimum. Changing this unit alone to (a', w') changes the loss by
−½ a' w'ᵀGw' + O(a'²); G ≠ 0, so w'ᵀGw' ≠ 0 for some w' as near to w_k as we like, and a small a' of its sign descends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.stationary.spectrum import Spectrum


class Units(NamedTuple):
    """Numbers of hidden units with a_k > 0, a_k < 0 and a_k = 0 (a unit at the origin)."""

    positive: int
    negative: int
    zero: int = 0

    @property
    def total(self) -> int:
        """Number of hidden units K."""
        return self.positive + self.negative + self.zero

    def suffice(self, needed: Units) -> bool:
        """Whether these units can realise a point that needs the given ones."""
        return self.positive >= needed.positive and self.negative >= needed.negative


@dataclass(frozen=True)
class Signature:
    """Numbers of negative, zero and positive Hessian eigenvalues.

    Parameters
    ----------
    index, nullity, positive : int
    manifold_dimension : int
        Dimension of the manifold of stationary points around the point: all weights with the same learned
        subspace and values, and its rotations inside eigenspaces. A larger nullity means that the Hessian
        does not decide.
    descending : tuple of int
        Groups of eigenvalues whose modes are descent directions.
    flat : tuple of int
        Groups of unlearned eigenvalues with λ̃_j = 0.
    """

    index: int
    nullity: int
    positive: int
    manifold_dimension: int
    descending: tuple[int, ...]
    flat: tuple[int, ...]


def needed_units(spectrum: Spectrum, counts: tuple[int, ...], shift: float) -> Units:
    """Fewest units that realise the stationary point with `counts[g]` learned modes of each eigenvalue.

    Parameters
    ----------
    spectrum : Spectrum
    counts : tuple of int
    shift : float
        Overshoot ν.
    """
    c, mu = np.array(counts), spectrum.values + shift
    vanishing = int(c[np.abs(mu) <= spectrum.tolerance].sum())
    above = int(c[mu > spectrum.tolerance].sum())
    below = int(c[mu < -spectrum.tolerance].sum())
    return Units(above + vanishing, below + vanishing)


def signature(
    spectrum: Spectrum,
    counts: tuple[int, ...],
    shift: float,
    units: Units,
    trainable: bool,
    ratio: float = 1.0,
) -> Signature:
    """Signature of the Hessian at a stationary point (see the module's notes).

    Parameters
    ----------
    spectrum : Spectrum
    counts : tuple of int
        Learned modes of each eigenvalue.
    shift : float
        Overshoot ν.
    units : Units
        All hidden units; they must suffice for the point.
    trainable : bool
        Whether the second layer is trained.
    ratio : float
        ρ.
    """
    c: NDArray[np.int64] = np.array(counts, dtype=np.int64)
    K, r = units.total, int(c.sum())
    unlearned = spectrum.multiplicities - c
    index, positive = 0, r * (r + 1) // 2
    descending, flat = [], []
    for g in np.flatnonzero(unlearned):
        lam_tilde = spectrum.values[g] + shift
        if abs(lam_tilde) <= spectrum.tolerance:
            flat.append(int(g))
            negative_g, positive_g = 0, r
        else:
            excess = np.sign(lam_tilde) * _lead(spectrum, int(g), lam_tilde, ratio)
            own, other = units[:2] if lam_tilde > 0 else (units.negative, units.positive)
            negative_g = own - int(c[excess >= 0].sum())
            positive_g = other + int(c[excess > 0].sum())
        if negative_g > 0:
            descending.append(int(g))
        index += negative_g * int(unlearned[g])
        positive += positive_g * int(unlearned[g])
    parameters = K * (spectrum.inputs + trainable)
    fibre = K * (r + trainable) - r * (r + 1) // 2
    rotations = rotation_dimension(spectrum, counts) if ratio == 1 else 0
    return Signature(
        index, parameters - index - positive, positive, fibre + rotations, tuple(descending), tuple(flat)
    )


def _lead(spectrum: Spectrum, g: int, lam_tilde: float, ratio: float) -> Array:
    """μ_i − ρλ̃_g of every eigenvalue i if it is learned, (groups,): exactly λ_i − λ_g for ρ = 1."""
    return spectrum.values - spectrum.values[g] - (ratio - 1) * lam_tilde


def ratios_passed(
    spectrum: Spectrum, counts: tuple[int, ...], shift: float, ratio: float
) -> tuple[bool, bool]:
    """Whether some μ_i/λ̃_j of a point lies between 1 and ρ, and whether some is ρ up to rounding.

    Where one passes ρ, and by symmetry where equal eigenvalues have the ratio 1, points off the axes are born.
    """
    c = np.array(counts)
    passed = at = False
    for g in np.flatnonzero(spectrum.multiplicities - c):
        lam_tilde = spectrum.values[g] + shift
        if abs(lam_tilde) <= spectrum.tolerance:
            continue
        learned = c > 0
        lead = np.sign(lam_tilde) * _lead(spectrum, int(g), lam_tilde, ratio)[learned]
        before = np.sign(lam_tilde) * (spectrum.values - spectrum.values[g])[learned]
        at |= bool((np.abs(lead) <= spectrum.tolerance).any())
        passed |= bool((before * lead <= 0).any())
    return passed, at


def rotation_dimension(spectrum: Spectrum, counts: tuple[int, ...]) -> int:
    """Dimension of the family of learned subspaces: choices of `counts[g]` directions in every eigenspace."""
    c = np.array(counts)
    return int(np.sum(c * (spectrum.multiplicities - c)))
