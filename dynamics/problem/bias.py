"""The bias of the output, f = Σ_k a_k φ(w_k·x) − β: fixed at the teacher's, or trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from dynamics.errors import ProblemError
from dynamics.validation import validate_real

LARGEST = 1e20  # networks in single precision hold its square
TRAINABLE = "trainable"


@dataclass(frozen=True)
class Bias:
    """β of the teacher, and how that of the student begins.

    A trainable β is one more weight of the second layer, of a unit that always says −1: flows and populations keep it
    as a further column of A, (O, K + 1).

    Parameters
    ----------
    teacher : float
        β* of f* = Σ_m b_m φ(v_m·x) − β*.
    start : float
        β of the student, where it is fixed that of the teacher.
    trainable : bool

    Raises
    ------
    ProblemError
        If a number is not finite or too large, or a fixed bias is not that of the teacher.

    Examples
    --------
    >>> Bias.of(0.4)
    Bias(teacher=0.4, start=0.4, trainable=False)
    >>> Bias.of("trainable:0.4")
    Bias(teacher=0.4, start=0.0, trainable=True)
    """

    teacher: float = 0.0
    start: float = 0.0
    trainable: bool = False

    def __post_init__(self) -> None:
        for name in ("teacher", "start"):
            value = validate_real("bias", getattr(self, name))
            if abs(value) > LARGEST:
                raise ProblemError(f"`bias` is {value:g}, but must be at most {LARGEST:g} in size.")
            object.__setattr__(self, name, value)
        if not self.trainable and self.start != self.teacher:
            raise ProblemError(
                f"`bias` is {self.start:g}, that of the teacher {self.teacher:g}, but a fixed one is the same in both."
            )

    @classmethod
    def of(cls, value: Bias | float | str) -> Self:
        """From a number for both, "trainable", "trainable:β*" with the teacher's, or a bias.

        Raises
        ------
        ProblemError
            If it is none of these.
        """
        if isinstance(value, cls):
            return value
        if not isinstance(value, str):
            fixed = validate_real("bias", value)
            return cls(fixed, fixed)
        word, colon, text = value.partition(":")
        try:
            number = float(text if colon else 0.0 if word == TRAINABLE else word)
        except ValueError:
            number = None
        if number is None or (colon and word != TRAINABLE):
            raise ProblemError(
                f"`bias` is {value!r}, but must be a number, 'trainable', or 'trainable:β' with that of the teacher."
            )
        return cls(number, 0.0, True) if word == TRAINABLE else cls(number, number)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return self.trainable or bool(self.teacher)

    def __str__(self) -> str:
        if not self.trainable:
            return f"{self.teacher:g}"
        return TRAINABLE + (f":{self.teacher:g}" if self.teacher else "")


NO_BIAS = Bias()
