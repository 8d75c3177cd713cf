"""Whether the lists of a result have the lengths that belong together: of what is drawn, one entry for each time.

A drawing with fewer values than times ends early without a word, so lengths are compared before anything is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

OF_THEORY = ("loss", "modes", "overlaps", "norms")  # of a curve, and of every network of a training run
OF_HESSIAN = ("sharpness", "lowest_eigenvalue", "index")


def wrong_length(result: Mapping[str, Any]) -> str | None:
    """The first list of a result whose types were checked that is shorter or longer than it should be, or None."""
    for where, values, of, length in _pairs(result):
        if len(values) != length:
            return f"`{where}` has {len(values)} entries, but `{of}` has {length}"
    return None


def _pairs(result: Mapping[str, Any]) -> Iterator[tuple[str, list[Any], str, int]]:
    """Lists and what they go with: (name of the list, the list, name of the other, its length)."""
    yield from _of_curve(result, "")
    for name in ("theory", "training"):
        if isinstance(result.get(name), Mapping):
            yield from _of_curve(result[name], f"{name}.")
    for n, curve in enumerate(result.get("median_curves") or []):
        if "grid" in result:
            yield from _of_curve(curve, f"median_curves[{n}].")
    hessian = result.get("hessian")
    if hessian is not None:
        yield from _against_times(hessian, "hessian.", OF_HESSIAN)
    if "theory" in result and "training" in result:
        times = result["theory"]["times"]
        for name, values in result.get("gap", {}).get("curves", {}).items():
            yield f"gap.curves.{name:.40}", values, "theory.times", len(times)


def _of_curve(side: Mapping[str, Any], where: str) -> Iterator[tuple[str, list[Any], str, int]]:
    """Of a curve of theory, or of every network of a training run, and of its conserved quantities."""
    if isinstance(side.get("conserved"), Mapping):
        initial, drift = (side["conserved"][name] for name in ("initial", "drift"))
        yield f"{where}conserved.drift", drift, f"{where}conserved.initial", len(initial)
    loss = side.get("loss")
    if "times" not in side or not isinstance(loss, list):
        return
    if not (loss and isinstance(loss[0], list)):
        yield from _against_times(side, where, OF_THEORY)
        return
    for name in OF_THEORY:
        networks = side.get(name)
        if networks is None:
            continue
        yield f"{where}{name}", networks, f"{where}loss", len(loss)
        for n, values in enumerate(networks):
            yield f"{where}{name}[{n}]", values, f"{where}times", len(side["times"])


def _against_times(
    side: Mapping[str, Any], where: str, names: tuple[str, ...]
) -> Iterator[tuple[str, list[Any], str, int]]:
    for name in names:
        if side.get(name) is not None:
            yield f"{where}{name}", side[name], f"{where}times", len(side["times"])
