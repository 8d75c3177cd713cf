"""Chains of one unit per layer that start balanced: closed forms of their learning, to which deep networks are held.

Quadratic layers. With ℓ of them f(x) = c x^p, p = 2^ℓ, where c = Π_m θ_m^m over the weights θ_1 = a, θ_2, …, θ_p = w
that count m = 1, 2, 4, …, p times. The balance laws θ_{2m}² − 2θ_m² stay zero, so θ_m = √m s with one number s(t), and
under L = ½ E(λx^p − f)² with μ = E x^{2p} = (2p − 1)!! (derived here)

    c = C s^H,   C = Π_m m^{m/2},   H = Σ_m m = 2^{ℓ+1} − 1,   ṡ = μ C s^{H−1} (λ − C s^H),
    t = [s_0^{2−H} − s^{2−H}]/((H − 2) μ C λ) + [s² F(s) − s_0² F(s_0)]/(2 μ λ²),
    F(s) = ₂F₁(1, 2/H; 1 + 2/H; C s^H/λ).

The first term is the plateau: its length is ε^{−(H−2)}/((H − 2) μ C λ) from s_0 = ε, so ε^{−1}, ε^{−5}, ε^{−13} for
one, two and three layers.

Linear layers. With N of them and all weights equal, u = w^N learns the mode s of the target by u̇ = N u^{2−2/N}(s − u)
(A. Saxe, J. McClelland, S. Ganguli, ICLR 2014, not consulted; derived here from the balances), which for N = 2 is
u = s e^{2st}/(e^{2st} − 1 + s/u_0). Otherwise t = ∫ v^{1−N}/(s − v^N) dv over v = u^{1/N}.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import quad
from scipy.special import hyp2f1

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.validation import validate_count, validate_real

MOST_LAYERS = 5  # quadratic ones: E x^{64} is a number still


@dataclass(frozen=True)
class QuadraticChain:
    """A balanced chain of quadratic layers with one unit each, and the target λx^p.

    Parameters
    ----------
    layers : int
        ℓ.
    strength : float
        λ > 0.

    Raises
    ------
    ProblemError
        If there are no layers, or too many, or λ is not positive.

    Examples
    --------
    >>> chain = QuadraticChain(2)
    >>> round(chain.plateau(0.02), 2), round(chain.time(0.02, 0.5), 2)
    (18601.19, 18601.19)
    """

    layers: int
    strength: float = 1.0

    def __post_init__(self) -> None:
        if validate_count("layers", self.layers) > MOST_LAYERS:
            raise ProblemError(f"`layers` is {self.layers}, but must be at most {MOST_LAYERS}.")
        validate_real("strength", self.strength, positive=True)

    @property
    def counts(self) -> list[int]:
        """How often each weight counts, from the first layer to the last: p, …, 4, 2, 1."""
        return [2**j for j in range(self.layers, -1, -1)]

    @property
    def order(self) -> int:
        """Total degree H in the weights."""
        return sum(self.counts)

    @property
    def factor(self) -> float:
        """C."""
        return float(prod(m ** (m / 2) for m in self.counts))

    @property
    def moment(self) -> float:
        """μ = E x^{2p}."""
        return float(prod(range(1, 2 ** (self.layers + 1), 2)))

    @property
    def network(self) -> str:
        """The chain as the text of a network."""
        return f"deep-quadratic:{','.join(['1'] * (self.layers + 2))}"

    @property
    def target(self) -> str:
        """The target as a text."""
        return f"{self.strength!r}*x_0**{2**self.layers}"

    def weights(self, size: float) -> Array:
        """The balanced weights θ_m = √m s, from the first layer to the last, (ℓ + 1,)."""
        return np.sqrt(self.counts) * validate_real("size", size, positive=True)

    def loss(self, size: ArrayLike) -> Array:
        """½ μ (λ − C s^H)²."""
        return np.asarray(
            0.5
            * self.moment
            * (self.strength - self.factor * np.asarray(size, dtype=float) ** self.order) ** 2
        )

    def size(self, fraction: float) -> float:
        """s where the fraction C s^H/λ of the target is learned."""
        return float((fraction * self.strength / self.factor) ** (1 / self.order))

    def plateau(self, size: float) -> float:
        """Length of the plateau from a small start."""
        H = self.order
        return float(size ** (2.0 - H) / ((H - 2) * self.moment * self.factor * self.strength))

    def time(self, start: float, fraction: float) -> float:
        """When this fraction of the target is learned from s_0.

        Raises
        ------
        ProblemError
            If the fraction is not between that of the start and 1.
        """
        s, s0, lam, mu = self.size(fraction), start, self.strength, self.moment
        if not s0 <= s < self.size(1.0):
            raise ProblemError(
                f"`fraction` is {fraction:g}, but must lie between what is learned at the start and 1."
            )
        late = s**2 * self._grown(s) - s0**2 * self._grown(s0)
        return self.plateau(s0) - self.plateau(s) + float(late) / (2 * mu * lam**2)

    def _grown(self, s: float) -> float:
        H = self.order
        return float(hyp2f1(1.0, 2 / H, 1 + 2 / H, self.factor * s**H / self.strength))


@dataclass(frozen=True)
class LinearChain:
    """A balanced chain of N linear layers that learns a mode of strength s > 0.

    Parameters
    ----------
    layers : int
        N ≥ 2.
    strength : float
        s.
    """

    layers: int
    strength: float = 1.0

    def __post_init__(self) -> None:
        validate_count("layers", self.layers, minimum=2)
        validate_real("strength", self.strength, positive=True)

    @cached_property
    def network(self) -> str:
        """The chain as the text of a network."""
        return f"deep-linear:{','.join(['1'] * (self.layers + 1))}"

    @property
    def target(self) -> str:
        """The target as a text."""
        return f"{self.strength!r}*x_0"

    def time(self, start: float, mode: float) -> float:
        """When the mode is u, from u_0.

        Raises
        ------
        ProblemError
            If u does not lie between u_0 and s.
        """
        N, s = self.layers, self.strength
        if not 0 < start <= mode < s:
            raise ProblemError(f"`mode` is {mode:g}, but must lie between the start {start:g} and {s:g}.")
        if N == 2:
            return float(np.log(mode * (s - start) / (start * (s - mode))) / (2 * s))
        found, _ = quad(
            lambda y: np.exp((2 - N) * y) / (s - np.exp(N * y)),
            np.log(start) / N,
            np.log(mode) / N,
            epsabs=0,
            epsrel=1e-13,
            limit=500,
        )
        return float(found)

    def mode(self, start: float, t: ArrayLike) -> Array:
        """u(t) of two layers, from u_0.

        Raises
        ------
        ProblemError
            For more layers, of which `time` is known.
        """
        if self.layers != 2:
            raise ProblemError(
                f"`layers` is {self.layers}, but u(t) has a closed form for 2: ask for `time`."
            )
        grown = np.exp(2 * self.strength * np.asarray(t, dtype=float))
        return np.asarray(self.strength * grown / (grown - 1 + self.strength / start))

    def plateau(self, size: float) -> float:
        """Length of the plateau from weights of size ε: ε^{2−N}/((N − 2)s), and ln(1/ε)/s of two layers."""
        N = self.layers
        if N == 2:
            return float(np.log(1 / size) / self.strength)
        return float(size ** (2.0 - N) / ((N - 2) * self.strength))
