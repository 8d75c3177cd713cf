"""A learning-rate schedule: the rates of a run, in units of its learning rate η."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.aliases import Array
from dynamics.budget import check_number
from dynamics.errors import ProblemError
from dynamics.schedules import families
from dynamics.schedules.families import FAMILIES, Family
from dynamics.validation import validate_array, validate_choice, validate_count

MOST = 10**8  # steps: a minute to list their rates
FILES = (".npy", ".csv")
JUMP = 10.0  # times the changes beside it: a change of rate that is a jump


@dataclass(frozen=True)
class Schedule:
    """Rates η_n = η s_n of the steps n = 0 … N − 1 of a run.

    Parameters
    ----------
    family : Family
        See `dynamics.schedules.families.FAMILIES`.
    parameters : tuple of float
        All of the family's, in its order.

    Examples
    --------
    >>> Schedule.parse("step:0.1:0.5").factors(4).tolist()
    [1.0, 1.0, 0.1, 0.1]
    >>> Schedule.of(lambda n: 1 / (n + 1)).factors(4).round(3).tolist()
    [1.0, 0.5, 0.333, 0.25]
    """

    family: Family
    parameters: tuple[float, ...] = ()

    @classmethod
    def parse(cls, spec: str) -> Schedule:
        """From a name with parameters after colons, such as "warmup-cosine:0.1"; those left out have their defaults.

        Raises
        ------
        ProblemError
            If there is no such schedule, or a parameter is not a number that it allows.
        """
        name, *given = spec.split(":")
        family = FAMILIES[validate_choice("schedule", name, FAMILIES)]
        if len(given) > len(family.parameters):
            known = ":".join([name, *(p.name.upper() for p in family.parameters)])
            raise ProblemError(f"`schedule` is {spec!r}, but {name} takes no more than {known}.")
        values = []
        for parameter, text in zip(family.parameters, given, strict=False):
            try:
                value = float(text)
            except ValueError:
                value = np.nan
            if not parameter.lowest <= value <= parameter.highest:
                raise ProblemError(
                    f"`schedule` is {spec!r}, but `{parameter.name}` must be a number between {parameter.lowest:g} "
                    f"and {parameter.highest:g}."
                )
            values.append(value)
        rest = [parameter.default for parameter in family.parameters[len(values) :]]
        return cls(family, (*values, *rest))

    @classmethod
    def of(cls, spec: Spec) -> Schedule:
        """From anything that says rates.

        Parameters
        ----------
        spec : Schedule, str, callable or array
            A schedule; one by name, see `parse`, or by the name of a `.npy` or `.csv` file; a callable n ↦ s_n; or the
            numbers s_0 … s_{N−1}. They are in units of the learning rate η of the run: with η = 1 they are the rates.

        Raises
        ------
        ProblemError
            If it says no rates.
        """
        if isinstance(spec, Schedule):
            return spec
        if isinstance(spec, str):
            return cls.read(spec) if Path(spec).suffix.lower() in FILES else cls.parse(spec)
        if callable(spec):
            rate = spec
            return cls(
                Family("given", "a function of the step", lambda n, N: float(rate(n)), breaks=_jumps_of(rate))
            )
        return cls._given("given", spec)

    @classmethod
    def read(cls, path: str) -> Schedule:
        """From the numbers s_0 … s_{N−1} in a `.npy` or `.csv` file, in one row or column.

        Raises
        ------
        ProblemError
            If the file does not hold such numbers.
        """
        from dynamics.files.arrays import read_npy
        from dynamics.files.tables import read_csv

        read = read_npy if Path(path).suffix.lower() == ".npy" else read_csv
        found = read(path, f"`schedule` {path!r}")
        if found.size != max(found.shape, default=0):
            raise ProblemError(f"`schedule` {path!r} has shape {found.shape}, but must be one row or column.")
        return cls._given(path, found.ravel())

    @classmethod
    def _given(cls, name: str, rates: ArrayLike) -> Schedule:
        s = validate_array("schedule", rates, 1)

        def factor(n: int, N: int) -> float:
            if len(s) != N:
                raise ProblemError(
                    f"`schedule` has {len(s)} rates, but `steps` is {N}: it takes one for each."
                )
            return float(s[n])

        return cls(Family(name, "given numbers", factor, breaks=lambda N: jumps(s)))

    @property
    def name(self) -> str:
        """As it is written, with its parameters as far as they are not the defaults."""
        defaults = [p.default for p in self.family.parameters]
        kept = len(self.parameters)
        while kept and self.parameters[kept - 1] == defaults[kept - 1]:
            kept -= 1
        return ":".join([self.family.name, *(f"{value:g}" for value in self.parameters[:kept])])

    @property
    def is_constant(self) -> bool:
        """Whether all rates are η, for every number of steps."""
        return self.family is families.CONSTANT

    def factors(self, steps: int) -> Array:
        """Rates s_n in units of η, (N,).

        Raises
        ------
        ProblemError
            If they are not for so many steps, or one is negative, infinite or NaN, or all are zero.
        """
        N = validate_count("steps", steps)
        check_number(f"`schedule` {self.name}", N, MOST, "rates", "lower `steps`")
        s = np.fromiter((self.family.factor(n, N, *self.parameters) for n in range(N)), float, N)
        bad = np.flatnonzero(~(np.isfinite(s) & (s >= 0)))
        if bad.size:
            raise ProblemError(
                f"`schedule` has the rate {s[bad[0]]:g} at step {bad[0]}, but none may be negative."
            )
        if not s.any():
            raise ProblemError("`schedule` has no rate above zero, but at least one is needed.")
        return s

    def breaks(self, steps: int) -> tuple[int, ...]:
        """Steps, in order, that begin a stretch along which the rate is smooth; step 0 aside."""
        found = self.family.breaks(validate_count("steps", steps), *self.parameters)
        return tuple(sorted({n for n in found if 0 < n < steps}))


Spec = Schedule | str | Callable[[int], float] | Sequence[float] | NDArray[np.float64]

CONSTANT = Schedule(families.CONSTANT)


def chosen_schedule(spec: Spec, steps: int | None) -> tuple[Schedule, int | None]:
    """A schedule and the number N of steps that it is for; None where it is constant.

    Raises
    ------
    ProblemError
        If it says no rates, or it is not constant and N is missing.
    """
    schedule = Schedule.of(spec)
    if schedule.is_constant:
        return schedule, None
    if steps is None:
        raise ProblemError(f"`steps` is missing: `schedule` {schedule.name} is one for a number of steps.")
    return schedule, validate_count("steps", steps)


def jumps(rates: Array) -> tuple[int, ...]:
    """Steps at which given rates (N,) jump: by far more than before and after."""
    change = np.abs(np.diff(rates))
    beside = np.maximum(np.append(0.0, change[:-1]), np.append(change[1:], 0.0))
    noise = 1e-9 * np.abs(rates).max(initial=0.0)
    return tuple((1 + np.flatnonzero(change > JUMP * beside + noise)).tolist())


def _jumps_of(rate: Callable[[int], float]) -> Callable[[int], tuple[int, ...]]:
    return lambda N: jumps(np.array([float(rate(n)) for n in range(N)]))
