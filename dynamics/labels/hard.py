"""The class on whose side of a threshold the teacher's output is: no chance in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dynamics.labels.base import Labels, register, register_family
from dynamics.named import Family, NoMember

LARGEST = 1e50  # a threshold


@dataclass(frozen=True)
class Above:
    """1{f > θ}.

    Parameters
    ----------
    threshold : float
        θ.
    """

    threshold: float

    def __call__(self, f: Any) -> Any:
        return (f > self.threshold) * (0.0 * f + 1.0)  # of the precision of f


@lru_cache(maxsize=64)
def _member(parameters: str) -> Labels:
    needed = f"THRESHOLD must be a number of at most {LARGEST:g} in size, as in hard:0.5"
    try:
        threshold = float(parameters)
    except ValueError:
        raise NoMember(needed) from None
    if not abs(threshold) <= LARGEST:
        raise NoMember(needed)
    return Labels(f"hard:{parameters}", f"y = 1{{f* > {threshold:g}}}", Above(threshold), threshold=threshold)


HARD = register(Labels("hard", "y = 1{f* > 0}", Above(0.0), threshold=0.0))
HARD_AT = register_family(Family("hard", "THRESHOLD", _member, "0.5"))
