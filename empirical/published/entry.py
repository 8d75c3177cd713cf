"""What a published result is: where it was read, its numbers, how ours are computed, and how near they must come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

from dynamics.aliases import Array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

T = TypeVar("T")
ReadAs = Literal["stored data", "abstract"]
PARALLEL = ("at", "errors", "names")  # fields of a series that are empty or as long as its values
SHORT = 10  # hexadecimal digits of a commit that are shown


@dataclass(frozen=True)
class Source:
    """Where a result was read.

    Parameters
    ----------
    paper : str
        As the repository or the abstract names it.
    address : str
        github.com/OWNER/NAME, or arXiv:NUMBER.
    place : str
        Files, and where in them the numbers stand; "abstract".
    commit : str
        Of a repository, 40 hexadecimal digits; empty for an abstract.
    read_as : "stored data" or "abstract"
        What was opened.
    """

    paper: str
    address: str
    place: str
    commit: str = ""
    read_as: ReadAs = "stored data"

    def __str__(self) -> str:
        commit = f"@{self.commit[:SHORT]}" if self.commit else ""
        return f"{self.address}{commit}: {self.place}"

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        if self.address.startswith("arXiv:"):
            return f"https://arxiv.org/abs/{self.address.removeprefix('arXiv:')}"
        return f"https://{self.address}" + (f"/tree/{self.commit}" if self.commit else "")


@dataclass(frozen=True)
class Tolerance:
    """How far a number of ours may be from the published one, and why so far.

    The largest allowed deviation is relative·|published| + absolute + errors·√(their error² + our error²).

    Parameters
    ----------
    reason : str
        One sentence: what theirs has that ours has not, or the other way round.
    relative, absolute : float
    errors : float
        Standard errors.
    """

    reason: str
    relative: float = 0.0
    absolute: float = 0.0
    errors: float = 0.0

    def allowed(self, published: Array, their_errors: Array, our_errors: Array) -> Array:
        """Largest deviation for each number."""
        spread = np.hypot(their_errors, our_errors)
        return self.relative * np.abs(published) + self.absolute + self.errors * spread


@dataclass(frozen=True)
class Series:
    """Published numbers of one kind.

    Parameters
    ----------
    quantity : str
        What they are, as an axis says it: series of one quantity share a panel.
    values : tuple of float
        As they were read.
    tolerance : Tolerance
    at : tuple of float
        Where on the curve: samples, times, widths; empty for numbers that are on none.
    along : str
        What `at` is, as an axis says it.
    errors : tuple of float
        Standard errors of the published numbers; empty where they have none.
    few : tuple of int
        Which of them a quick comparison computes; empty for all.
    names : tuple of str
        Of the numbers, where they are on no curve.
    case : str
        What tells this series from others of the same quantity.
    """

    quantity: str
    values: tuple[float, ...]
    tolerance: Tolerance
    at: tuple[float, ...] = ()
    along: str = ""
    errors: tuple[float, ...] = ()
    few: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    case: str = ""

    def __post_init__(self) -> None:
        for name in PARALLEL:
            if len(getattr(self, name)) not in (0, len(self.values)):
                raise ValueError(f"{self.quantity}: `{name}` is not as long as `values`")

    @property
    def labels(self) -> list[str]:
        """A name for every number."""
        what = ", ".join(filter(None, (self.quantity, self.case)))
        if self.names:
            return [f"{what}, {name}" for name in self.names]
        if self.at:
            return [f"{what}, {self.along} = {x:.6g}" for x in self.at]
        return [what] * len(self.values)

    def quick(self) -> Series:
        """The few numbers of a quick comparison."""
        if not self.few:
            return self
        return replace(
            self,
            values=_some(self.values, self.few),
            at=_some(self.at, self.few),
            errors=_some(self.errors, self.few),
            names=_some(self.names, self.few),
            few=(),
        )


def _some(row: tuple[T, ...], kept: tuple[int, ...]) -> tuple[T, ...]:
    """Entries of a row that may be empty."""
    return tuple(row[i] for i in kept) if row else ()


@dataclass(frozen=True, eq=False)
class Ours:
    """What we compute for one series.

    Parameters
    ----------
    values : (N,) array
        At the places of the series.
    errors : (N,) array
        Standard errors; zero for what has none.
    curve : (x, y), optional
        More of the curve, to be drawn.
    """

    values: Array
    errors: Array
    curve: tuple[Array, Array] | None = None

    @classmethod
    def of(
        cls, values: ArrayLike, errors: ArrayLike = 0.0, curve: tuple[ArrayLike, ArrayLike] | None = None
    ) -> Ours:
        """From anything like arrays."""
        numbers = np.atleast_1d(np.asarray(values, dtype=float))
        spread = np.broadcast_to(np.asarray(errors, dtype=float), numbers.shape)
        drawn = None if curve is None else (np.asarray(curve[0], float), np.asarray(curve[1], float))
        return cls(numbers, spread, drawn)


@dataclass(frozen=True)
class Entry:
    """A published result and how to reproduce it.

    Parameters
    ----------
    name : str
        Of the entry, as the command takes it.
    claim : str
        One sentence: what the source says.
    source : Source
    series : tuple of Series
        What was published.
    command : str
        A call of quadflow that computes ours.
    files : str
        What files that the call names hold; empty if it names none.
    compute : callable (series, quick) → Ours for each
        Which dynamics and networks give the numbers; `quick` asks for as little work as still tells.
    found : str
        What we found out beyond the verdict; may be empty.
    scales : (str, str)
        Of the axes of its figure, "linear" or "log".
    """

    name: str
    claim: str
    source: Source
    series: tuple[Series, ...]
    command: str
    compute: Callable[[Sequence[Series], bool], Sequence[Ours]]
    found: str = ""
    files: str = ""
    scales: tuple[str, str] = ("linear", "linear")

    @property
    def drawable(self) -> bool:
        """Whether its numbers lie on curves."""
        return any(series.at for series in self.series)
