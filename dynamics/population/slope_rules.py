"""The slope of a convex function as a sum of exponentials, in two ways (both derived here).

**Frequencies.** Where ℓ′(u) = ℓ′(0) + ∫₀^∞ ρ(ω) sin(ωu) dω and ρ falls off exponentially, the trapezoidal rule in ln ω
of step 0.2 errs by 3e-14, for eigenvalues of every size: 200 exponentials e^{±iωu}, and
11 more for every power of ten above 1, as the lowest ω must be far below 1/δ. A shift b of u narrows the strip in
which the integrand is analytic from |Im ln ω| < π/2 to less than arctan(α/|b|), where ρ ~ e^{−αω}: the step is as much
shorter.

**Contours.** For every ℓ, with ℓ″ on both sides of −b,

    ℓ′(Q − b) = ℓ′(−b) + ∫₀^∞ ℓ″(e − b) 1{Q > e} de − ∫₀^∞ ℓ″(−e − b) 1{−Q > e} de,
    E 1{Q > e} = (1/2πi) ∫ e^{−se} M(s) ds/s,

so that the exponentials are those on a contour, weighted by Laplace transforms of ℓ″. The contour passes between the
pole at 0 and the cut of M, which begins at 1/2δ for the largest eigenvalue δ > 0, and bends around the cut: on the
hyperbola s = γ(cosh v + i sinh v) everything is analytic for |Im v| < π/4, e^{−se} falls off, and the trapezoidal rule
in v errs by e^{−π²/2h}. With γ a power of 2 between 0.35/2δ and 0.71/2δ the Laplace transforms are computed once for
an octave of eigenvalues: Gauss–Legendre panels that halve towards 0, and end where ℓ″ breaks. Negative eigenvalues have
a contour of their own, and where there are none of a sign its half is missing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ComputationError
from dynamics.population.exponentials import Complex, Exponentials

STEP = 0.2  # of ln ω
LOWEST, HIGHEST = -38.0, 12.0  # ln ω; the latter where ρ is looked for
NEGLIGIBLE = 1e-17
FURTHER = 4.0  # steps in which frequencies go further down for large eigenvalues
FINEST = 6  # halvings of the step for the largest shift
CONTOUR_STEP, CONTOUR_END = 0.12, 25.0  # of v
HALVINGS, POINTS = 45, 16  # panels towards 0, and nodes in each
NEAR = 8.0  # of the argument 0 of ℓ, from which panels halve towards it as well
FAR = 45.0  # e-foldings after which the integrand of a Laplace transform is over
SMALLEST = 1e-290  # of eigenvalues: smaller ones are zero
RESOLVED = 1e-14  # of the largest ℓ″
DEEPEST, MOST_PANELS = 60, 2000  # bisections of panels, and how many of them


class Convex(Protocol):
    """What is asked of a loss, see `dynamics.losses.base.Loss`."""

    @property
    def name(self) -> str:
        """As on the command line."""

    @property
    def value(self) -> Callable[[Array, float], Array]:
        """ℓ(f, y)."""

    @property
    def slope(self) -> Callable[[Array, float], Array]:
        """∂ℓ/∂f."""

    @property
    def curvature(self) -> Callable[[Array, float], Array]:
        """∂²ℓ/∂f²."""

    @property
    def of_residual(self) -> bool:
        """Whether ℓ is a function of f − y."""

    @property
    def transform(self) -> Callable[[Array], Array] | None:
        """ρ."""

    @property
    def pieces(self) -> tuple[tuple[float, float, float], ...]:
        """Intervals and the constant that ℓ″ is in each, if it is zero elsewhere."""

    @property
    def breaks(self) -> tuple[float, ...]:
        """Where ℓ″ jumps or bends."""


@dataclass(frozen=True, eq=False)
class SlopeRule:
    """The exponentials of ℓ(u − b), for forms u with eigenvalues in a range.

    Parameters
    ----------
    loss : Convex
        Of which ℓ(u) is the value at the label 0.
    """

    loss: Convex
    _known: dict[object, Exponentials] = field(default_factory=dict)

    def at(self, shift: float, low: float, high: float) -> tuple[Exponentials, float]:
        """The exponentials for eigenvalues from low to high, and the shift that is not in them.

        Raises
        ------
        ComputationError
            If ℓ″ is no function that its quadrature resolves.
        """
        finer = 0 if self.loss.transform is None else self._halvings(shift)
        if self.loss.transform is not None and finer <= FINEST:
            below = FURTHER * math.ceil(math.log(max(high, -low, 1.0)) / FURTHER)
            return self._kept((finer, below), lambda: frequencies(self.loss, STEP / 2**finer, below)), shift
        octaves = octave(high), octave(-low)
        return self._kept((shift, octaves), lambda: contours(self.loss, shift, octaves)), 0.0

    def _halvings(self, shift: float) -> int:
        """Halvings of the step in ln ω that a shift needs."""
        strip = math.atan2(self._decay, abs(shift))
        return max(0, math.ceil(0.3 - math.log2(strip)))

    @cached_property
    def _decay(self) -> float:
        """α."""
        assert self.loss.transform is not None
        near, far = self.loss.transform(np.array([10.0, 12.0]))
        return float(np.log(near / far) / 2)

    def _kept(self, key: object, build: Callable[[], Exponentials]) -> Exponentials:
        if key not in self._known:
            if len(self._known) > 64:  # shifts that are trained are many
                self._known.clear()
            self._known[key] = build()
        return self._known[key]


def frequencies(loss: Convex, step: float = STEP, below: float = 0.0) -> Exponentials:
    """The exponentials of a slope with a transform ρ that falls off exponentially, for ln δ up to `below`."""
    assert loss.transform is not None
    with np.errstate(over="ignore"):
        omega = np.exp(np.arange(LOWEST - below, HIGHEST, step))
        weights = step * omega * loss.transform(omega)
    last = int(np.flatnonzero(np.abs(weights) > NEGLIGIBLE * np.abs(weights).max())[-1]) + 1
    omega, weights = omega[:last], weights[:last]
    zero = np.zeros(1)
    return Exponentials(
        1j * omega,
        -1j * weights,
        weights * omega + 0j,
        float(loss.value(zero, 0.0)[0]),
        float(loss.slope(zero, 0.0)[0]),
        0.0,
    )


def octave(largest: float) -> int | None:
    """−log₂ γ for the largest eigenvalue; None where there is no positive one."""
    return None if largest <= SMALLEST else math.frexp(2 * math.sqrt(2) * largest)[1]


def contour(size: int, end: float = CONTOUR_END) -> tuple[Complex, Complex]:
    """Nodes s of the upper half of the contour of an octave, and weights: (1/2πi) ∫ F ds = Re Σ weights · F(s)."""
    v = (np.arange(math.ceil(end / CONTOUR_STEP)) + 0.5) * CONTOUR_STEP
    gamma = 2.0**-size
    s = gamma * (np.cosh(v) + 1j * np.sinh(v))
    return s, CONTOUR_STEP / np.pi * gamma * (np.cosh(v) - 1j * np.sinh(v))


def contours(loss: Convex, shift: float, octaves: tuple[int | None, ...]) -> Exponentials:
    """The exponentials on the contours around the cuts of M, where octaves say how large eigenvalues are."""
    here = np.array([-shift])
    value, slope, bend = (float(np.ravel(g(here, 0.0))[0]) for g in (loss.value, loss.slope, loss.curvature))
    parts: list[tuple[Complex, Complex, Complex]] = []
    for sign, size in zip((1, -1), octaves, strict=True):
        if size is None:
            continue
        s, weights = contour(size)
        transform = laplace(loss, sign, shift, s, 2.0**-size)
        parts.append((sign * s, sign * weights * transform / s, weights * (transform - bend / s)))
    if not parts:
        parts = [(np.ones(1, complex), np.zeros(1, complex), np.zeros(1, complex))]
    nodes, slopes, bends = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Exponentials(nodes, slopes, bends, value, slope, bend)


def laplace(loss: Convex, sign: int, shift: float, s: Complex, gamma: float) -> Complex:
    """∫₀^∞ ℓ″(±e − b) e^{−se} de at s (N,) with real parts of at least γ.

    Raises
    ------
    ComputationError
        If ℓ″ is no function that some thousand panels resolve.
    """
    if loss.pieces:
        return sum(
            (_piece(*piece, sign, shift, s) for piece in loss.pieces), np.zeros(s.shape, dtype=complex)
        )
    end, turn = FAR / gamma, sign * shift
    origin = (
        turn if NEAR < turn < 2 * end else 0.0
    )  # of panels, e = origin + t: far away ±t is u with all its digits
    halvings = HALVINGS + max(0, math.ceil(math.log2(end)))  # where ℓ″ is narrow, it is by e = 0 or by u = 0
    graded = end * 2.0 ** -np.arange(halvings, -1, -1.0)
    edges = np.concatenate([[-origin], graded - origin, [sign * b + (turn - origin) for b in loss.breaks]])
    if origin:
        edges = np.concatenate([edges, [0.0], -graded, graded])
    edges = np.unique(edges[(edges >= -origin) & (edges <= end - origin)])
    x, w = np.polynomial.legendre.leggauss(POINTS)
    tail = np.polynomial.legendre.legvander(x, POINTS - 1)[:, -2:] * w[:, None] * (POINTS - 1)
    left, right = edges[:-1], edges[1:]
    found = np.zeros(s.shape, dtype=complex)
    largest = float(np.abs(loss.curvature(np.array([0.0, -shift]), 0.0)).max())
    for _ in range(DEEPEST):
        half = (right - left)[:, None] / 2
        t = left[:, None] + half * (1 + x)
        g = np.broadcast_to(loss.curvature(sign * (t - (turn - origin)), 0.0), t.shape)
        largest = max(largest, float(np.abs(g).max()))
        # what a panel leaves out is of the size of its last coefficients, and weighs as much as its part of e^{−γe}
        rough = np.abs(g @ tail).max(axis=1) * np.exp(-gamma * (left + origin)) > RESOLVED * largest
        rough &= right - left > RESOLVED * np.maximum(np.abs(left), np.abs(right))
        good = ~rough
        found += np.exp(-s[:, None] * (t[good].ravel() + origin)) @ (half * w * g)[good].ravel()
        if good.all():
            return found
        if np.count_nonzero(rough) > MOST_PANELS:
            break
        middle = (left + right)[rough] / 2
        left, right = np.concatenate([left[rough], middle]), np.concatenate([middle, right[rough]])
    raise ComputationError(
        f"The curvature of the loss {loss.name!r} is not resolved by {MOST_PANELS} panels, so that its population loss "
        "is not known: say with `breaks` where it jumps."
    )


def _piece(left: float, right: float, height: float, sign: int, shift: float, s: Complex) -> Complex:
    """∫ e^{−se} de, times the height, over the e ≥ 0 for which ±e − b is between left and right."""
    low, high = sorted((sign * (left + shift), sign * (right + shift)))
    width = right - left if low > 0 else max(high, 0.0)  # beside a large shift low and high would lose it
    return np.asarray(-height * np.exp(-s * max(low, 0.0)) * np.expm1(-s * width) / s)
