"""How the label y comes from what the teacher says: its output f* itself, or a class, at random or not.

New labels are a file with a call of `register`, and a line in `dynamics/labels/__init__.py`; a family of them, such as
hard labels with a threshold, one with a call of `register_family`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from dynamics.errors import ProblemError
from dynamics.losses import Loss
from dynamics.named import Family, Names
from dynamics.validation import validate_real

LARGEST_FLIP = 0.5  # from there on labels say nothing, or the contrary


@dataclass(frozen=True, repr=False)
class Labels:
    """The law of the label y, given the teacher's output f*.

    Parameters
    ----------
    name : str
        As on the command line.
    formula : str
        The law in words.
    mean : callable f* → E[y | f*], optional
        In operators that arrays and tensors share, without flips. None: labels come with the inputs.
    classes : bool
        Whether y is a class, 0 or 1.
    threshold : float or None
        θ where y = 1{f* > θ}.
    flip : float
        Probability that a class is turned into the other one, below ½.
    link : Loss, optional
        A loss of two classes of which the slope at the label 0 is the mean: with it, or with a threshold, the
        population loss is known.

    Raises
    ------
    ProblemError
        If classes are flipped where there are none, or too often.
    """

    name: str
    formula: str
    mean: Callable[[Any], Any] | None = field(default=None, compare=False)
    classes: bool = True
    threshold: float | None = None
    flip: float = 0.0
    link: Loss | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        flip = validate_real("flip", self.flip, nonnegative=True)
        if not flip < LARGEST_FLIP:
            raise ProblemError(
                f"`flip` is {flip:g}, but must be below {LARGEST_FLIP:g}, where labels say nothing."
            )
        if flip and (not self.classes or self.mean is None):
            raise ProblemError(
                f"`flip` is {flip:g}, but there are no classes to flip: `labels` is {self.name!r}."
            )
        object.__setattr__(self, "flip", flip)

    def flipped(self, flip: float) -> Labels:
        """The same labels, turned round with this probability."""
        return self if flip == self.flip else replace(self, flip=flip)

    @property
    def given(self) -> bool:
        """Whether labels come with the inputs, and not from a teacher."""
        return self.mean is None

    @property
    def tossed(self) -> bool:
        """Whether there is chance in them: the label is a coin, and no function of the inputs."""
        return self.classes and not self.given and (self.threshold is None or bool(self.flip))

    def expected(self, f: Any) -> Any:
        """E[y | f*], flips included, of arrays or tensors f*.

        Raises
        ------
        ProblemError
            If labels come with the inputs.
        """
        if self.mean is None:
            raise ProblemError("The labels are those of a data set: there is no teacher that gives others.")
        clean = self.mean(f)
        return clean if not self.flip else self.flip + (1 - 2 * self.flip) * clean

    def draw(self, f: Any, u: Any) -> Any:
        """Labels y of outputs f*, by numbers u that are uniform in [0, 1); what is not random makes no use of them."""
        mean = self.expected(f)
        return (u < mean) * (0.0 * mean + 1.0) if self.classes else mean

    @staticmethod
    def parse(name: Labels | str, option: str = "labels") -> Labels:
        """The labels of a name, as on the command line; labels themselves are returned as they are.

        Raises
        ------
        ProblemError
            If no labels have this name, or a family no such member.
        """
        return NAMES.parse(name, option)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        flips = f", flipped with probability {self.flip:g}" if self.flip else ""
        return f"Labels({self.name!r}: {self.formula}{flips})"


NAMES: Names[Labels, Family[Labels]] = Names(Labels, "other labels")

FAMILIES = NAMES.families
"""All families of labels."""

register_family = NAMES.register_family

LABELS = NAMES.single
"""All labels that have a name, in the order in which they are offered."""


def register(labels: Labels) -> Labels:
    """Make labels known by their name.

    Raises
    ------
    ProblemError
        If others have this name already.
    """
    return NAMES.register(labels)
