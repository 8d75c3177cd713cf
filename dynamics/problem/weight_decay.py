"""Weight decay: the L2 penalty that turns the loss L into the objective R = L + ½ρ_w‖W‖² + ½ρ_a‖A‖²."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.validation import validate_real

SMALLEST, LARGEST = 1e-50, 1e50  # rates other than 0


@dataclass(frozen=True)
class WeightDecay:
    """The rates at which the layers decay, in units of 1/time of the flow.

    Parameters
    ----------
    first : float
        ρ_w, of the first layer.
    second : float
        ρ_a, of the second layer.

    Raises
    ------
    ProblemError
        If one is negative or not finite, or products of three such rates would overflow or vanish.

    Examples
    --------
    >>> WeightDecay.of(0.1, trainable=True)
    WeightDecay(first=0.1, second=0.1)
    >>> WeightDecay.of((0.1, 0.2), trainable=True).equal
    False
    """

    first: float = 0.0
    second: float = 0.0

    def __post_init__(self) -> None:
        for name in ("first", "second"):
            rate = validate_real("weight_decay", getattr(self, name), nonnegative=True)
            if rate and not SMALLEST <= rate <= LARGEST:
                raise ProblemError(
                    f"`weight_decay` is {rate:g}, but must be 0 or lie between {SMALLEST:g} and {LARGEST:g}."
                )
            object.__setattr__(self, name, rate)

    @classmethod
    def of(cls, value: WeightDecay | float | Sequence[float], trainable: bool) -> Self:
        """From one rate for all that is trained, two rates (ρ_w, ρ_a), or a decay.

        Raises
        ------
        ProblemError
            If it is none of these, or a second layer that is fixed should decay.
        """
        if isinstance(value, WeightDecay):
            rates = [value.first, value.second]
        elif np.ndim(value) == 0:
            rates = [value, value if trainable else 0.0]  # type: ignore[list-item]
        else:
            rates = list(value)  # type: ignore[arg-type]
        if len(rates) != 2:
            raise ProblemError(
                f"`weight_decay` has {len(rates)} entries, but must be one rate, or one of each layer."
            )
        decay = cls(*rates)
        if decay.second and not trainable:
            raise ProblemError(
                f"`weight_decay` of the second layer is {decay.second:g}, but that is fixed: give that of the first."
            )
        return decay

    def __bool__(self) -> bool:
        """Whether anything decays."""
        return bool(self.first or self.second)

    @property
    def equal(self) -> bool:
        """Whether both layers decay alike."""
        return self.first == self.second

    @property
    def rates(self) -> tuple[float, float]:
        """(ρ_w, ρ_a)."""
        return self.first, self.second

    def penalty(self, W: Array, A: Array) -> Array:
        """½ρ_w‖W‖² + ½ρ_a‖A‖² of weights (…, K, d) and (…, O, K), an array (…)."""
        return 0.5 * (self.first * np.sum(W**2, axis=(-2, -1)) + self.second * np.sum(A**2, axis=(-2, -1)))

    def __str__(self) -> str:
        return f"{self.first:g}" if self.equal else f"{self.first:g},{self.second:g}"


NO_DECAY = WeightDecay()
