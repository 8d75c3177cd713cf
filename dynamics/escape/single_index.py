r"""One unit of norm 1, f = aφ(w·x), that learns f* = bψ(v·x) from x ~ N(0, I): power series in the overlap m = w·v/‖v‖.

With the Hermite coefficients α_n = E aφ(z)h_n(z), β_n = E bψ(‖v‖z)h_n(z) (Mehler)

    g(m) = E f f* = Σ α_nβ_n mⁿ,      flow on the sphere  ṁ = (1 − m²) g′(m),

and one-pass SGD in batches of B, the weights put back on the sphere after each step, for d → ∞ at fixed ηd

    ṁ = (1 − m²) g′(m) − ½ (ηd/B) m V(m),      V(m) = E[(f − f* − noise)² a²φ′(w·x)²]:

of a step −ηδaφ′x the mean moves m as the flow does, and the part across, of squared norm η²δ²a²φ′²d, is what putting
back on the sphere takes from m. V is a power series too: given w·x = z, E f* = Σ β_n mⁿ h_n(z), and the same for f*²
with its own coefficients γ_n, so that

    V(m) = E[f²f′²] + ΔE[f′²] − 2 Σ β_n E[f f′²h_n] mⁿ + Σ γ_n E[f′²h_n] mⁿ.

Derived here (theory: "single index"), tested against Monte Carlo; for z² − 1 over √2 on both sides V = 12(1 − m²).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dynamics.aliases import Array
from dynamics.escape.exit_law import ExitLaw
from dynamics.escape.hermite import ORDERS, Function, Panels
from dynamics.escape.overlap_flow import OverlapFlow
from dynamics.validation import validate_count, validate_label_noise, validate_real

ZERO = 1e-11  # Hermite coefficients below this part of √E f² are zero: those of panels are 1e-14

SIZES = 1e-50, 1e50  # of steps, noise and weights, so that no product of four overflows
GRID, LOWEST = 2000, 1e-12  # overlaps at which signal and noise are weighed, and the lowest of them


@dataclass(frozen=True)
class OnePass:
    """One-pass SGD: fresh data in every step.

    Parameters
    ----------
    step : float
        η.
    batch : int
        B.
    label_noise : float
        Variance Δ.

    Raises
    ------
    ProblemError
        If one of them is not usable.
    """

    step: float
    batch: int = 1
    label_noise: float = 0.0

    def __post_init__(self) -> None:
        validate_real("step", self.step, positive=True, size=SIZES)
        validate_count("batch", self.batch)
        validate_label_noise(self.label_noise)


@dataclass(frozen=True, eq=False)
class SingleIndex:
    """One unit on the sphere and the one unit that it learns.

    Parameters
    ----------
    student, teacher : callable z → value
        z ↦ aφ(z) and z ↦ bψ(‖v‖z).
    """

    student: Function
    teacher: Function

    @cached_property
    def panels(self) -> Panels:
        """Panels that resolve both."""
        return Panels.resolving((self.student, self.teacher))

    @cached_property
    def alpha(self) -> Array:
        """α_n, n = 0 … ORDERS; zero where it is but rounding."""
        return self._coefficients(self._values)

    @cached_property
    def beta(self) -> Array:
        """β_n."""
        return self._coefficients(self._targets)

    @cached_property
    def exponent(self) -> int | None:
        """Information exponent k: the first n ≥ 1 with α_nβ_n ≠ 0; None if there is none."""
        found = np.flatnonzero((self.alpha * self.beta)[1:])
        return int(found[0]) + 1 if found.size else None

    @property
    def strength(self) -> float:
        """α_kβ_k, the first term of g; 0 if there is none."""
        k = self.exponent
        return 0.0 if k is None else float(self.alpha[k] * self.beta[k])

    @property
    def is_even(self) -> bool:
        """Whether g is even, so that m and −m are alike."""
        return not (self.alpha * self.beta)[1::2].any()

    @cached_property
    def signal(self) -> Array:
        """Coefficients of (1 − m²) g′(m)."""
        slope = np.arange(1, ORDERS + 1) * (self.alpha * self.beta)[1:]
        return np.append(slope, [0.0, 0.0]) - np.append([0.0, 0.0], slope)

    @cached_property
    def noise(self) -> Array:
        """Coefficients of V(m) without label noise."""
        f, slope = self._values, self._slopes**2
        coefficients, line = self.panels.coefficients, self.panels
        V = coefficients(self._targets**2) * coefficients(slope)
        V -= 2 * coefficients(self._targets) * coefficients(f * slope)
        V[0] += line.mean(f**2 * slope)
        return V

    @property
    def slope_square(self) -> float:
        """E f′², by which the variance of the label noise adds to V."""
        return self.panels.mean(self._slopes**2)

    @property
    def diffusion(self) -> float:
        """E[(f − f*)² f′² (v·x)²]/‖v‖² at m = 0: what a sample adds to m there, its variance over η²."""
        f, slope, target, y = self._values, self._slopes**2, self._targets, self.panels.z
        mean = self.panels.mean
        return (
            mean(f**2 * slope)
            - 2 * mean(f * slope) * mean(target * y**2)
            + mean(slope) * mean(target**2 * y**2)
        )

    def flow(self) -> OverlapFlow:
        """The flow on the sphere."""
        return OverlapFlow(self.signal)

    def sgd(self, how: OnePass, inputs: int) -> OverlapFlow:
        """The mean of one-pass SGD on the sphere, at leading order in the input dimension."""
        V = self.noise.copy()
        V[0] += how.label_noise * self.slope_square
        return OverlapFlow(self.signal - how.step * inputs / (2 * how.batch) * np.append(0.0, V))

    def stretch(self, how: OnePass, inputs: int) -> float | None:
        """√(E m²) of where SGD seems to come from, over the 1/√d of a random start, for k = 2.

        While m is small it grows at the rate λ of the mean, and every step adds noise of variance η²/B times the
        diffusion: after a while m = e^{λt} m₀′ with m₀′ of variance 1/d + η·diffusion/(2λB). For k = 1 the start does
        not matter, and this is 1. None for k ≥ 3, and where m does not grow.
        """
        if self.exponent == 1:
            return 1.0
        growth = float(self.sgd(how, inputs).coefficients[1])
        if self.exponent != 2 or growth <= 0:
            return None
        added = how.step * (self.diffusion + how.label_noise * self.slope_square) / (2 * growth * how.batch)
        return float(np.sqrt(1 + inputs * added))

    def exit_law(
        self, how: OnePass, inputs: int, overlap: float, start: float | None = None
    ) -> ExitLaw | None:
        """The law of the time to an overlap, from a random start or from one of an overlap.

        None where m does not grow exponentially from 0 on, up to the overlap.
        """
        sgd, stretch = self.sgd(how, inputs), self.stretch(how, inputs)
        reach = sgd.reach(overlap) if self.exponent == 2 and stretch is not None else None
        if reach is None or stretch is None:
            return None
        v = stretch**2 - (start is not None)
        mean = 0.0 if start is None else start
        return ExitLaw(
            float(sgd.coefficients[1]), reach, mean, float(np.sqrt(max(v, 0.0) / inputs)), self.is_even
        )

    def threshold_step(self, inputs: int, batch: int = 1, label_noise: float = 0.0) -> float | None:
        """Step from which on the mean overlap does not grow from m = 0 any more, for k = 2; None of other k."""
        if self.exponent != 2 or not self.signal[1] > 0:
            return None
        lost = (self.noise[0] + label_noise * self.slope_square) * inputs / (2 * batch)
        return float(self.signal[1] / lost) if lost > 0 else None

    def largest_step(
        self, inputs: int, start: float, overlap: float, batch: int = 1, label_noise: float = 0.0
    ) -> float | None:
        """Step at which, somewhere between two overlaps, noise takes from the mean what signal adds; None if never."""
        low = max(start, LOWEST)
        if low >= overlap:
            return None
        m = np.geomspace(low, overlap, GRID)
        signal = self.flow().rate(m)
        taken = signal - self.sgd(OnePass(1.0, batch, label_noise), inputs).rate(m)
        some = taken > ZERO * np.abs(taken).max(initial=0.0)
        return float((signal[some] / taken[some]).min()) if some.any() else None

    @cached_property
    def _values(self) -> Array:
        return self.student(self.panels.z) + np.zeros_like(self.panels.z)

    @cached_property
    def _targets(self) -> Array:
        return self.teacher(self.panels.z) + np.zeros_like(self.panels.z)

    @cached_property
    def _slopes(self) -> Array:
        return self.panels.derivative(self._values)

    def _coefficients(self, values: Array) -> Array:
        found = self.panels.coefficients(values)
        return np.where(np.abs(found) > ZERO * np.sqrt(self.panels.mean(values**2)), found, 0.0)
