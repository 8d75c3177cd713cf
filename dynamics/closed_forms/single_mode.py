"""One aligned unit learning one mode: time as an integral over the second-layer weight.

A single mode λ with weights p and a obeys ṗ = 2κap(λ − ap²), ȧ = κp²(λ − ap²) (κ = 3 for the quadratic activation in
one dimension, 2 for the centred one in any). With the conserved c = p² − 2a² (derived here)

    ȧ = v(a) = κ(c + 2a²)(λ − a(c + 2a²)),   t = ∫_{a₀}^{a} ds / v(s):

a moves monotonically to the next zero a∞ of v. With v(s) = (s − a∞)w(s) and s = a∞ + (a₀ − a∞)e^{−x} the pole of the
integrand is gone: dt/dx = −1/w, free of cancellation however close a comes to a∞.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import quad
from scipy.optimize import brentq

from dynamics.activations import Activation
from dynamics.activations.quadratic import QUADRATIC
from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.validation import validate_real, validate_times

BALANCED = 1e-14  # |c| relative to its terms below which it is rounding


@dataclass(frozen=True)
class SingleMode:
    """Learning of a single mode.

    Parameters
    ----------
    eigenvalue : float
        λ.
    p, a : float
        First- and second-layer weight at t = 0.
    activation : {"quadratic", "centred"}
        The quadratic one for a problem with one input only: its trace couples several modes.

    Raises
    ------
    ProblemError
        If the arguments are not finite numbers or the activation is unknown.
    """

    eigenvalue: float
    p: float
    a: float
    activation: Activation = QUADRATIC

    if TYPE_CHECKING:  # the constructor takes names

        def __init__(
            self, eigenvalue: float, p: float, a: float, activation: Activation | str = QUADRATIC
        ) -> None: ...

    def __post_init__(self) -> None:
        for name in ("eigenvalue", "p", "a"):
            object.__setattr__(self, name, validate_real(name, getattr(self, name)))
        object.__setattr__(self, "activation", Activation.parse(self.activation))
        self.activation.coupling_for("the closed form of one mode")

    @property
    def _coupling(self) -> float:
        """2 + κ, the factor of the equations: 3 for quadratic, 2 for centred units."""
        return 2 + self.activation.coupling_for("the closed form of one mode")

    @property
    def conserved(self) -> float:
        """c = p² − 2a²; a start that is balanced to rounding counts as balanced, c = 0."""
        c = self.p**2 - 2 * self.a**2
        return c if abs(c) > BALANCED * (self.p**2 + 2 * self.a**2) else 0.0

    @cached_property
    def _zeros(self) -> tuple[list[complex], list[complex]]:
        """Zeros of p² = c + 2s², where the unit dies, and of λ − s(c + 2s²), where the mode is learned."""
        c = self.conserved
        root = complex(-c / 2) ** 0.5
        return [root, -root], [complex(r) for r in np.roots([2.0, 0.0, c, -self.eigenvalue])]

    @cached_property
    def end(self) -> float:
        """a∞, the second-layer weight in the end."""
        square = self.p**2
        direction = np.sign(square * (self.eigenvalue - self.a * square))
        real = [r.real for zeros in self._zeros for r in zeros if abs(r.imag) <= 1e-12 * max(1.0, abs(r))]
        ahead = [zero for zero in real if (zero - self.a) * direction > 0]
        return min(ahead, key=lambda zero: abs(zero - self.a)) if ahead else self.a

    @property
    def dies(self) -> bool:
        """Whether the unit ends with p = 0, its mode not learned."""
        return self.end in [zero.real for zero in self._zeros[0] if zero.imag == 0]

    def time(self, a: float) -> float:
        """Time at which the second-layer weight reaches `a`.

        Raises
        ------
        ProblemError
            If it never does.
        """
        a = validate_real("a", a)
        if a == self.a:
            return 0.0
        if not min(self.a, self.end) < a < max(self.a, self.end):
            raise ProblemError(
                f"`a` is {a:g}, but moves from {self.a:g} to {self.end:g}, which it never reaches."
            )
        return self._time(-np.log((a - self.end) / (self.a - self.end)))

    def weights(self, times: ArrayLike) -> tuple[Array, Array]:
        """Weights p and a at the given times, (T,) each."""
        if self.end == self.a:
            t = validate_times(times)
            return np.full(len(t), self.p), np.full(len(t), self.a)
        distance = (self.a - self.end) * np.exp(-np.array([self._progress(t) for t in validate_times(times)]))
        a = self.end + distance
        # p² = c + 2a², from the end where p vanishes there, else from the start: no digits cancel
        square = 2 * distance * (a + self.end) if self.dies else self.p**2 + 2 * (a - self.a) * (a + self.a)
        return np.sign(self.p) * np.sqrt(np.maximum(square, 0.0)), a

    def _progress(self, t: float) -> float:
        """x at time t."""
        upper = 1.0
        while self._time(upper) < t:
            upper *= 2
        return float(brentq(lambda x: self._time(x) - t, 0.0, upper, xtol=1e-15, rtol=1e-14)) if t else 0.0

    def _time(self, x: float) -> float:
        """Time as a function of x = log((a₀ − a∞)/(a − a∞))."""
        peaks = [peak for peak in self._peaks if peak < x]
        edges = [0.0, *peaks, x]
        return sum(self._integral(*edge) for edge in pairwise(edges))

    def _integral(self, lower: float, upper: float) -> float:
        return float(quad(self._slowness, lower, upper, epsabs=0.0, epsrel=1e-13, limit=500)[0])

    @cached_property
    def _peaks(self) -> list[float]:
        """Places x > 0 next to another zero of v in the complex plane, where the integrand may have a sharp peak."""
        zeros = np.array([r.real for zeros in self._zeros for r in zeros])
        ratio = (zeros - self.end) / (self.a - self.end)
        return sorted((-np.log(ratio[(ratio > 1e-12) & (ratio < 1)])).tolist())

    def _slowness(self, x: float) -> float:
        """dt/dx = −1/w, from the factors of w."""
        c, s = self.conserved, self.end + (self.a - self.end) * np.exp(-x)
        if self.dies:
            w = 2 * (s + self.end) * (self.eigenvalue - s * (c + 2 * s**2))
        else:  # λ = a∞(c + 2a∞²), so λ − s(c + 2s²) = −(s − a∞)(c + 2s² + 2sa∞ + 2a∞²)
            w = -(c + 2 * s**2) * (c + 2 * (s**2 + s * self.end + self.end**2))
        return -1 / float(self._coupling * w)
