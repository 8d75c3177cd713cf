"""How well the networks along a curve tell two classes: what is computed, said and stored of it."""

from __future__ import annotations

from typing import Any

from dynamics.aliases import Array
from dynamics.curves.variables import Variable, Variables
from dynamics.problem import Problem
from dynamics.problem.classification import Skill, skill

ACCURACY = "share of right answers"
CALIBRATION = "expected calibration error of the probabilities σ(f)"
ERRORS = {
    "accuracy": "estimated error (of the integral, or the standard error over points)",
    "calibration": "standard error",
}
SETS = {"": "", "test_": " on the samples held out"}  # beginnings of names, and what they mean


def skills_of(problem: Problem, W: Array, A: Array, **how: Any) -> dict[str, Skill]:
    """Skill along weights W (T, K, d) and A (T, O, K) or (T, O, K + 1), by the beginnings of names in `SETS`.

    None of losses of the residual; of samples that were held out where there are some. `how` as in `skill`.
    """
    if not problem.loss.classifies:
        return {}
    held_out = problem.data is not None and problem.data.X_test is not None
    names = ["", *(["test_"] if held_out else [])]
    return {name: skill(problem, W, A, held_out=bool(name), **how) for name in names}


def skill_variables(found: dict[str, Skill]) -> Variables:
    """Accuracy and calibration error, and the errors of both where they have some."""
    said: Variables = {}
    for name, one in found.items():
        for key, text in (("accuracy", ACCURACY), ("calibration", CALIBRATION)):
            said[name + key] = Variable(("time",), getattr(one, key), text + SETS[name])
            error = getattr(one, f"{key}_error")
            if error is not None:
                said[f"{name}{key}_error"] = Variable(("time",), error, f"{ERRORS[key]} of the {text}")
    return said


def skill_lines(found: dict[str, Skill]) -> list[str]:
    """A line for each."""
    return [
        f"accuracy{SETS[name]} {one.accuracy[0]:.4g} → {one.accuracy[-1]:.4g}" for name, one in found.items()
    ]
