"""Formats of our files: their names and numbers, and how what earlier versions wrote becomes what this one writes.

Number 1 (version 0.1): the times of trained networks are learning rate × steps, also with momentum β.
The modes of plateaus are called by their columns. JSON and sweeps do not say their format.
Number 2: every time is the time of the flow, t = Σ_n η_n/(1 − β). Modes are called by their numbers
(`dynamics.problem.mode_numbers`).
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from itertools import product
from typing import TYPE_CHECKING, Any

from dynamics.errors import ProblemError

if TYPE_CHECKING:
    from dynamics.aliases import Array

NUMBER = 2
RESULT = "result"  # what a command prints as JSON
SWEEP, PIECES = "sweep", "sweep pieces"
DEFAULT_MOMENTUM = {"sgd": 0.0, "momentum": 0.9, "gsgd": 0.0}  # of the optimisers of number 1


def format_name(kind: str) -> str:
    """The format that this version writes, for example "quadflow trajectory 2"."""
    return f"quadflow {kind} {NUMBER}"


def format_number(found: object, kind: str, what: str) -> int:
    """Number of the format that a file claims, if it is of this kind and this version reads it.

    Parameters
    ----------
    found : object
        What the file says of its format.
    kind : str
    what : str
        How errors name the file.

    Raises
    ------
    ProblemError
        If it is of another kind, or of a later version.
    """
    match = re.fullmatch(rf"quadflow {re.escape(kind)} (\d{{1,9}})", str(found))
    if match is None or int(match[1]) < 1:
        article = "an" if kind[0] in "aeiouS" else "a"
        raise ProblemError(f"{what} is not {article} {kind} saved by quadflow.")
    if int(match[1]) > NUMBER:
        raise ProblemError(
            f"{what} is of the format {found!r}, but this version of quadflow reads numbers up to {NUMBER}: it was "
            "written by a later one."
        )
    return int(match[1])


def kind_of(found: object) -> str:
    """Kind in the name of a format; empty if it is none of ours."""
    match = re.fullmatch(r"quadflow (.+) \d+", str(found))
    return "" if match is None else match[1]


def options_momentum(options: Mapping[str, Any]) -> float | None:
    """β of a training of number 1 from its options; None if they do not say it."""
    momentum, optimizer = options.get("momentum"), options.get("optimizer", "sgd")
    if momentum is None:
        return DEFAULT_MOMENTUM.get(str(optimizer))
    good = isinstance(momentum, int | float) and not isinstance(momentum, bool) and 0 <= momentum < 1
    return float(momentum) if good else None


def command_momentum(command: object) -> float | None:
    """β of a training of number 1 from its command line; None if that does not say it."""
    try:
        words = shlex.split(command) if isinstance(command, str) else []
    except ValueError:
        return None
    if words[:1] != ["quadflow"] or words[1:2] not in (["train"], ["compare"]):
        return None
    given: dict[str, str | None] = {"momentum": None, "optimizer": "sgd", "config": None}
    for word, following in zip(words[2:], [*words[3:], ""], strict=True):
        name, separator, value = word.removeprefix("--").partition("=")
        if word.startswith("--") and name in given:
            given[name] = value if separator else following
    if given["momentum"] is None:
        return None if given["config"] is not None else options_momentum({"optimizer": given["optimizer"]})
    try:
        return options_momentum({"momentum": float(given["momentum"])})
    except ValueError:
        return None


def flow_times(times: Array, options: Mapping[str, Any], what: str) -> Array:
    """Times of the flow from the times of number 1 (T,), learning rate × steps, of a training with these options.

    Raises
    ------
    ProblemError
        If the options do not say the momentum.
    """
    momentum = options_momentum(options)
    if momentum is None:
        raise unknown_momentum(what)
    return times / (1 - momentum)


def unknown_momentum(what: str) -> ProblemError:
    """Refusal of an old result whose clock is not known."""
    return ProblemError(
        f"{what} is of version 0.1, in which the times of trained networks did not count momentum, and it does not say "
        'the momentum, so they cannot be converted: train again, or add the `--momentum` to its "command".'
    )


def check_pieces(found: object, definition: str, what: str) -> None:
    """Refuse the pieces of an interrupted sweep that this version cannot continue.

    Those of number 1 it can, unless they are of networks trained with momentum, whose clock has changed.

    Parameters
    ----------
    found : object
        The format that the file claims.
    definition : str
        What the sweep is, as JSON.
    what : str
        How errors name the file.
    """
    number = format_number(found, PIECES, what)
    if number == 1 and any(beta != 0 for beta in sweep_momenta(json.loads(definition))):
        raise ProblemError(
            f"{what} holds runs of version 0.1 with momentum, in whose times it did not count: begin the sweep anew "
            "with `--overwrite`."
        )


def sweep_momenta(definition: Mapping[str, Any]) -> list[float | None]:
    """β at all points of a sweep of number 1 that trains networks; None where its options do not say it."""
    if not {"train", "compare"} & {*definition["kinds"]}:
        return []
    varied = {
        name: values for name, values in definition.get("vary", ()) if name in ("momentum", "optimizer")
    }
    points = product(*varied.values())
    return [
        options_momentum(definition["options"] | dict(zip(varied, point, strict=True))) for point in points
    ]
