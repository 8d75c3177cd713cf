"""Functions of which Gaussian expectations have closed forms: polynomials and sums of smoothed kinks.

    φ(z) = Σ_n p_n zⁿ + Σ_c Σ_j e_cj (op_c S̃)_{a_cj}(z)

with the smoothed kink S̃_a of `dynamics.population.smoothed_kink` and one of five operations on it:

    step   2 S̃_a′            erf(z/(√2 a)), sign(z) for a = 0
    kink   S̃_a               the even part of a ReLU seen through noise, |z|/2 for a = 0
    rise   S̃_a − S̃_a(0)      the same, zero at zero
    gate   S̃_a − a² S̃_a″     ½ z erf(z/(√2 a)), the even part of z Φ(z/a)
    bend   2 ∫S̃_a            ½ z|z| for a = 0, the odd part of ReLU²

(derived here). The logistic law is a Gaussian scale mixture (Stefanski 1991, Andrews & Mallows 1974, not consulted),
so that tanh is a sum of steps, softplus of kinks and SiLU of gates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import factorial

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.population.shifted_kink import shifted_mean
from dynamics.population.smoothed_kink import kink_mean
from dynamics.validation import validate_array


@dataclass(frozen=True)
class Operation:
    """What is done to S̃_a: Σ c a^{2p} S̃_a⁽ᵐ⁾ over the terms (m, p, c).

    Parameters
    ----------
    terms : tuple of (m, p, c)
    from_zero : bool
        Whether its value at zero, a/√(2π) for S̃_a, is subtracted.
    """

    terms: tuple[tuple[int, int, float], ...]
    from_zero: bool = False

    @property
    def parity(self) -> int:
        """0 for even functions, 1 for odd ones."""
        return self.terms[0][0] % 2


STEP = Operation(((1, 0, 2.0),))
KINK = Operation(((0, 0, 1.0),))
RISE = Operation(((0, 0, 1.0),), from_zero=True)
GATE = Operation(((0, 0, 1.0), (2, 1, -1.0)))
BEND = Operation(((-1, 0, 2.0),))


@dataclass(frozen=True)
class Component:
    """Σ_j e_j (op S̃)_{a_j}.

    Parameters
    ----------
    operation : Operation
        `STEP`, `KINK`, `RISE`, `GATE` or `BEND`.
    sizes : tuple of (a_j, e_j)
        Widths a_j ≥ 0 and weights e_j.
    """

    operation: Operation
    sizes: tuple[tuple[float, float], ...]

    @cached_property
    def widths(self) -> Array:
        """a_j, (J,)."""
        return np.array([a for a, _ in self.sizes])

    @cached_property
    def weights(self) -> Array:
        """e_j, (J,)."""
        return np.array([e for _, e in self.sizes])

    def mean(self, order: int, q: Array, at: Array | None = None) -> Array:
        """E of its derivative of an order, at z of variance q, of a mean or none."""
        if at is not None:
            return self._shifted_mean(order, q, at)
        if (order + self.operation.parity) % 2:
            return np.zeros_like(q)
        total = np.zeros_like(q)
        for a2, e in zip(self.widths**2, self.weights, strict=True):
            if self.operation is GATE and order == 0:  # without the difference of two large numbers
                total += e * q * np.power(2 * np.pi * (a2 + q), -0.5, out=np.zeros_like(q), where=a2 + q > 0)
                continue
            if self.operation is RISE and order == 0:
                size = np.sqrt(2 * np.pi) * (np.sqrt(a2 + q) + np.sqrt(a2))
                total += e * np.divide(q, size, out=np.zeros_like(q), where=size > 0)
                continue
            for m, p, c in self.operation.terms:
                total += e * c * a2**p * kink_mean(order + m, a2 + q)
        return total

    def _shifted_mean(self, order: int, q: Array, at: Array) -> Array:
        total = np.zeros(np.broadcast_shapes(q.shape, at.shape))
        for a2, e in zip(self.widths**2, self.weights, strict=True):
            for i, p, c in self.operation.terms:
                total += e * c * a2**p * shifted_mean(order + i, at, a2 + q)
            if self.operation.from_zero and order == 0:
                total -= e * np.sqrt(a2 / (2 * np.pi))
        return total


@dataclass(frozen=True)
class Expansion:
    """A polynomial and components.

    Parameters
    ----------
    polynomial : (n,) sequence of float
        p_0, p_1, …
    components : sequence of (Operation, widths, weights)

    Raises
    ------
    ProblemError
        If a number is not finite, a width negative, or widths and weights differ in number.
    """

    polynomial: tuple[float, ...]
    components: tuple[Component, ...]

    def __init__(
        self,
        polynomial: Sequence[float] = (),
        components: Sequence[tuple[Operation, ArrayLike, ArrayLike]] = (),
    ) -> None:
        made = []
        for operation, widths, weights in components:
            a, e = validate_array("widths", widths, 1), validate_array("weights", weights, 1)
            if a.shape != e.shape or (a < 0).any():
                raise ProblemError(
                    f"There are {len(a)} widths and {len(e)} weights, but each width, which is not negative, needs one."
                )
            made.append(Component(operation, tuple(zip(a.tolist(), e.tolist(), strict=True))))
        object.__setattr__(self, "polynomial", tuple(float(p) for p in polynomial))
        object.__setattr__(self, "components", tuple(made))

    @property
    def terms(self) -> dict[tuple[int, int], float]:
        """The polynomial as Σ c_nm zⁿqᵐ, m = 0."""
        return {(n, 0): p for n, p in enumerate(self.polynomial) if p}


class ComponentMeans:
    """Hermite means of the components of an expansion, see `dynamics.population.series_kernel.Means`."""

    def __init__(self, components: Sequence[Component]) -> None:
        self.components, self.degree = components, None

    def __call__(self, n: int, q: Array, by_q: int = 0, mean: Array | None = None) -> Array:
        """dᵐ/dqᵐ E φ⁽ⁿ⁾ = 2⁻ᵐ E φ⁽ⁿ⁺²ᵐ⁾."""
        total = np.zeros_like(q)
        for component in self.components:
            total += component.mean(n + 2 * by_q, q, mean)
        return 0.5**by_q * total


class PolynomialMeans:
    """Hermite means of a polynomial Σ c_nm zⁿqᵐ, see `dynamics.population.series_kernel.Means`."""

    def __init__(self, terms: dict[tuple[int, int], float]) -> None:
        self.terms, self.degree = terms, max((n for n, _ in terms), default=0)

    def __call__(self, n: int, q: Array, by_q: int = 0, mean: Array | None = None) -> Array:
        """dᵐ/dqᵐ of Σ c q^b E (zᵃ)⁽ⁿ⁾, E (zᵃ)⁽ⁿ⁾ = Σ_j a!/(2ʲ j! k!) qʲ mᵏ, k = a − n − 2j, for a mean m."""
        total = np.zeros_like(q)
        for (a, b), c in self.terms.items():
            for j in range((a - n) // 2 + 1):
                k = a - n - 2 * j
                if b + j < by_q or (k and mean is None):
                    continue
                falling = factorial(b + j) // factorial(b + j - by_q)
                power = 1.0 if mean is None else mean**k
                total += (
                    c
                    * factorial(a)
                    / (2**j * factorial(j) * factorial(k))
                    * falling
                    * q ** (b + j - by_q)
                    * power
                )
        return total
