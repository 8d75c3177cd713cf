"""Whether a result is what quadflow prints: the types of everything that a report draws or tabulates.

A file is other people's input, so types are looked at before anything is drawn, and lengths: `figures.report_lengths`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dynamics.errors import ProblemError
from figures.report_lengths import wrong_length
from figures.report_words import COMMANDS, SIGNS

# A kind is a word of `_PLAIN`, a list [kind of the entries], a mapping of keys ("key?": may be missing; "*": all
# others), or a tuple of alternatives.
Kind = Any

_PLAIN = {
    "number": lambda value: value is None or _is_number(value),  # null stands for what is not finite
    "finite": lambda value: _is_number(value) and math.isfinite(value),
    "index": lambda value: isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31,
    "text": lambda value: isinstance(value, str),
    "null": lambda value: value is None,
    "scalar": lambda value: value is None or isinstance(value, bool | int | float | str),
}
_CALLED = {"finite": "finite number", "index": "whole number ≥ 0", "scalar": "number or text"}

PROBLEM: Kind = {
    **{name: "index" for name in ("inputs?", "outputs?")},
    "hidden?": ("index", "null"),  # null: infinitely many
    **{name: "text" for name in ("activation?", "covariance?", "second_layer?")},
    "second_layer_values?": ([["finite"]], "null"),
    "eigenvalues?": ["finite"],
}
STAGE: Kind = {
    **{name: "number" for name in ("start", "end", "loss", "predicted_loss?")},
    "learned_modes": ["index"],
}
CONSERVED = {"initial": ["number"], "drift": ["number"]}
SIDE: Kind = {"times": ["finite"], "problem?": PROBLEM, "stages?": [STAGE]}
# modes are null where there are none, and overlaps and norms of the units are there instead
THEORY = SIDE | {
    **{"loss": ["number"], "modes": ([["number"]], "null")},
    **{"overlaps?": ([[["number"]]], "null"), "norms?": [["number"]]},
}
TRAINING = SIDE | {
    **{"loss": [["number"]], "modes": ([[["number"]]], "null")},
    **{"overlaps?": ([[[["number"]]]], "null"), "norms?": [[["number"]]]},
}
POINT: Kind = {
    **{name: "number" for name in ("loss", "objective?", "index?", "nullity?", "positive?")},
    "learned_modes": ["index"],
    "learned_values": ["finite"],
    "kind?": ("text", "null"),
}
JUMP = {
    "time": "finite",
    "unit": ("index", "null"),
    "learned_modes": ["index"],
    "loss_before": "number",
    "loss_after": "number",
}
GAP = {"sources?": {"*": "scalar"}, "curves?": {"*": ["number"]}}
HESSIAN = {
    **{"times": ["finite"], "sharpness": ["number"], "lowest_eigenvalue": ["number"], "tolerance": "finite"},
    "index": (["number"], "null"),
}
CURVE = {"kind": "text", "times": ["finite"], "loss": ["number"], "*": "scalar"}
ANY: Kind = {
    "command?": "text",
    "versions?": {"*": "text"},
    "warnings?": ["text"],
    "problem?": (PROBLEM, "null"),
    "hessian?": (HESSIAN, "null"),
}


ORIGIN = {
    "command",
    "versions",
    "warnings",
    "format",
    "output",
    "bytes",
}  # of a result, or of a page that was written


def validate_result(result: Mapping[str, Any], source: str) -> None:
    """Refuse what is no result, and one in which something that a report uses has another type than quadflow gives it.

    Parameters
    ----------
    result : mapping
        What a command printed with ``--json``.
    source : str
        Name of the file.
    """
    kind: Kind = dict(ANY)
    if "theory" in result and "training" in result:
        kind |= {"theory": THEORY, "training": TRAINING, "gap?": GAP}
    elif {"times", "loss", "modes"} <= result.keys():
        kind |= TRAINING if _of_networks(result["loss"]) else THEORY
    elif {"times", "loss"} <= result.keys():
        kind |= {"times": ["finite"], "loss": ["number"]}
    for side in (result, result.get("theory"), result.get("training")):
        if isinstance(side, Mapping) and isinstance(side.get("conserved"), Mapping):
            _check(side["conserved"], CONSERVED, "conserved", source)
    tables: Kind = {"fixed_points": [POINT], "jumps": [JUMP], "laws": [("text", {"formula": "text"})]}
    kind |= {name: table for name, table in tables.items() if name in result}
    if {"grid", "median_curves"} <= result.keys():
        kind |= {"grid": [{"*": "scalar"}], "median_curves": [CURVE]}
    _check(result, kind, "", source)
    wrong = _no_result(result) or wrong_length(result)
    if wrong is not None:
        raise ProblemError(f"The run {source!r} is not a result as quadflow prints it: {wrong}.")


def _no_result(result: Mapping[str, Any]) -> str | None:
    """Why this is no result that a report can show, or None."""
    program, *words = result.get("command", "").split() or [""]
    if program not in ("", "quadflow"):
        return f"`command` is {result['command']!r:.40}, but must be one of quadflow"
    if words[:1] == ["run"]:  # of which the configuration says which command it is
        words = []
    if words and words[0] not in COMMANDS:
        return f"`command` is {result['command']!r:.40}, but results are those of {', '.join(COMMANDS)}"
    curve = {"times", "loss"} <= result.keys()
    known = ("theory", *SIGNS)
    if not words and not curve and not any(name in result for name in known):
        return f"it says no command and has neither times with their loss nor one of {', '.join(known)}"
    if not result.keys() - ORIGIN:
        return "it holds nothing but its origin"
    return None


def _of_networks(loss: Any) -> bool:
    return isinstance(loss, list) and bool(loss) and isinstance(loss[0], list)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check(value: Any, kind: Kind, where: str, source: str) -> None:
    wrong = _wrong(value, kind, where)
    if wrong is not None:
        raise ProblemError(f"The run {source!r} is not a result as quadflow prints it: {wrong}.")


def _wrong(value: Any, kind: Kind, where: str) -> str | None:
    """What is not of its kind, or None."""
    if isinstance(kind, str):
        fits = _PLAIN[kind](value)
    elif isinstance(kind, tuple):
        found = [_wrong(value, one, where) for one in kind]
        inside = (wrong for wrong in found if wrong and not wrong.startswith(f"`{where}` is "))
        return None if None in found else next(inside, found[0])
    elif isinstance(kind, list):
        fits = isinstance(value, list)
        if fits and not (isinstance(kind[0], str) and all(map(_PLAIN[kind[0]], value))):
            entries = (_wrong(entry, kind[0], f"{where}[{n}]") for n, entry in enumerate(value))
            return next((wrong for wrong in entries if wrong is not None), None)
    else:
        fits = isinstance(value, Mapping)
        if fits:
            return _wrong_entry(value, kind, where)
    return None if fits else f"`{where}` is {value!r:.40}, but must be {_called(kind)}"


def _wrong_entry(value: Mapping[str, Any], kind: Mapping[str, Kind], where: str) -> str | None:
    named = {name.rstrip("?"): entry for name, entry in kind.items() if name != "*"}
    for name in kind:
        if name != "*" and not name.endswith("?") and name not in value:
            return f"`{name}` is missing" + (f" in `{where}`" if where else "")
    for name, entry in value.items():
        expected = named.get(name, kind.get("*"))
        if expected is not None:
            wrong = _wrong(entry, expected, f"{where}.{name:.40}" if where else f"{name:.40}")
            if wrong is not None:
                return wrong
    return None


def _called(kind: Kind) -> str:
    if isinstance(kind, str):
        return f"a {_CALLED.get(kind, kind)}"
    return "a list" if isinstance(kind, list) else "an object"
