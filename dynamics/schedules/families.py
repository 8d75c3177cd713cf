"""The schedules by name: step n of N ↦ η_n in units of the largest rate, and what they can be told.

A new one is a `Family` here and its name in `FAMILIES`. All places in a run are fractions of its N steps, so that a
schedule means the same for every length. The table is read by commands that only print their help: no NumPy here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi


@dataclass(frozen=True)
class Parameter:
    """A number that a schedule can be told.

    Parameters
    ----------
    name : str
    default : float
    lowest, highest : float
        Both allowed.
    """

    name: str
    default: float
    lowest: float = 0.0
    highest: float = 1.0


@dataclass(frozen=True)
class Family:
    """A kind of schedule.

    Parameters
    ----------
    name : str
        As on the command line, where parameters follow after colons.
    formula : str
        In words.
    factor : callable (n, N, *parameters) → float
        η_n in units of the largest rate, for step n = 0 … N − 1.
    parameters : tuple of Parameter
    breaks : callable (N, *parameters) → tuple of int
        Steps at which the rate jumps or bends: between them it is smooth.
    """

    name: str
    formula: str
    factor: Callable[..., float]
    parameters: tuple[Parameter, ...] = ()
    breaks: Callable[..., tuple[int, ...]] = lambda N, *parameters: ()


def _cosine(n: int, N: int, end: float) -> float:
    return end + (1 - end) * (1 + cos(pi * n / N)) / 2


def _warmup_cosine(n: int, N: int, warmup: float, end: float) -> float:
    W = round(warmup * N)
    return (n + 1) / W if n < W else _cosine(n - W, N - W, end)


def _wsd(n: int, N: int, decay: float, warmup: float, end: float) -> float:
    W, D = _corners(N, decay, warmup, end)
    if n < W:
        return (n + 1) / W
    return 1.0 if n < D else 1 - (1 - end) * (n - D) / (N - D)


def _corners(N: int, decay: float, warmup: float, end: float) -> tuple[int, int]:
    """Last step of the warm-up, and the first of the decay, which comes not before it."""
    W = round(warmup * N)
    return W, max(W, N - round(decay * N))


END = Parameter("end", 0.0)

CONSTANT = Family("constant", "1", lambda n, N: 1.0)
LINEAR = Family("linear", "1 − n/N, down to `end`", lambda n, N, end: 1 - (1 - end) * n / N, (END,))
COSINE = Family("cosine", "½(1 + cos πn/N), down to `end`", _cosine, (END,))
WARMUP_COSINE = Family(
    "warmup-cosine",
    "linearly up during a fraction `warmup` of the run, then a cosine down to `end`",
    _warmup_cosine,
    (Parameter("warmup", 0.1), END),
    lambda N, warmup, end: (round(warmup * N),),
)
STEP = Family(
    "step",
    "1, and `factor` from the fraction `at` of the run on",
    lambda n, N, factor, at: 1.0 if n < round(at * N) else factor,
    (Parameter("factor", 0.1), Parameter("at", 0.7)),
    lambda N, factor, at: (round(at * N),),
)
INVERSE_TIME = Family(
    "inverse-time",
    "1/(1 + n/N/`after`): half of it after this fraction of the run",
    lambda n, N, after: 1 / (1 + n / (after * N)),
    (Parameter("after", 0.05, lowest=1e-6, highest=1e6),),
)
WSD = Family(
    "wsd",
    "linearly up during a fraction `warmup`, constant, linearly down to `end` during the last fraction `decay`",
    _wsd,
    (Parameter("decay", 0.2), Parameter("warmup", 0.0), END),
    _corners,
)

FAMILIES: dict[str, Family] = {
    family.name: family for family in (CONSTANT, LINEAR, COSINE, WARMUP_COSINE, STEP, INVERSE_TIME, WSD)
}
