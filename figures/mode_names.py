"""How figures call sets of learned modes: counted from 1, long ones by their ranges."""

from __future__ import annotations

from collections.abc import Iterable

from dynamics.problem.mode_numbers import mode_set

SHOWN = 4  # ranges: more do not fit beside a curve or a node


def set_label(modes: Iterable[int]) -> str:
    """A set of modes as a label, "{1–3, 5}" for 0, 1, 2, 4, and "∅" for none."""
    learned = tuple(modes)
    return mode_set(learned, first=1, shown=SHOWN) if learned else "∅"


def level_label(modes: Iterable[int]) -> str:
    """The level L of a set of modes, which is its index, as mathematics of Matplotlib."""
    name = set_label(modes).replace("{", r"\{").replace("}", r"\}").replace(" ", r"\,")
    return f"$L_{{{name}}}$"
