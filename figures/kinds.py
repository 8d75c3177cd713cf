"""How every figure shows stationary points of a kind."""

from __future__ import annotations

from typing import NamedTuple

from figures.palette import PALETTE


class Kind(NamedTuple):
    """Name in legends, marker and colour."""

    name: str
    marker: str
    colour: str


KINDS = {
    "global minimum": Kind("global minimum", "o", PALETTE[0]),
    "minimum": Kind("local minimum", "v", PALETTE[3]),
    "spurious minimum": Kind("spurious minimum", "D", PALETTE[1]),
    "saddle": Kind("saddle", "s", PALETTE[2]),
    "degenerate saddle": Kind("degenerate saddle", "^", PALETTE[4]),
}
