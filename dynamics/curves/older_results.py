"""Results that earlier versions printed as JSON, in the words of today: clock and numbers of modes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynamics.files.formats import RESULT, command_momentum, format_number, unknown_momentum
from dynamics.problem.mode_numbers import mode_numbers


def converted_result(result: dict[str, Any], what: str, momentum: float | None = None) -> dict[str, Any]:
    """The JSON of a command, checked before, as this version prints it.

    Parameters
    ----------
    result : dict
    what : str
        How errors name its file.
    momentum : float, optional
        β, if it is known from elsewhere.

    Raises
    ------
    ProblemError
        If the result is of a later version, or of trained networks of which nothing tells the momentum.
    """
    if "format" in result and format_number(result["format"], RESULT, what) > 1:
        return result
    theory, training = result.get("theory"), result.get("training")
    if isinstance(theory, Mapping) and isinstance(
        training, Mapping
    ):  # records at the same moments, by both clocks
        times = theory["times"]
        networks = {**training, "times": times}
        return {**result, "times": times, "theory": _with_numbers(theory), "training": networks}
    if not {"times", "loss", "modes"} <= result.keys():
        return result
    if not (result["loss"] and isinstance(result["loss"][0], list)):
        return _with_numbers(result)
    beta = command_momentum(result.get("command")) if momentum is None else momentum
    if beta is None:
        raise unknown_momentum(what)
    return {**result, "times": [time / (1 - beta) for time in result["times"]]}


def _with_numbers(result: Mapping[str, Any]) -> dict[str, Any]:
    """A theory of number 1 with the modes of its plateaus called by their numbers, instead of their columns."""
    problem, stages = result.get("problem") or {}, result.get("stages", ())
    values, inputs = problem.get("eigenvalues", ()), problem.get("inputs", 0)
    numbers = mode_numbers(values, inputs, problem.get("outputs", 1)).tolist()
    named = [
        {**stage, "learned_modes": [numbers[m] if m < len(numbers) else m for m in stage["learned_modes"]]}
        for stage in stages
    ]
    return {**result, "stages": named} if stages else dict(result)
