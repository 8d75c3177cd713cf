"""All studies: a new one is a file with a function from settings to a `Study`, and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from dynamics.validation import validate_choice
from empirical.studies.gsgd import gsgd_study
from empirical.studies.hannet import hannet_study
from empirical.studies.relinear import relinear_study
from empirical.studies.study import Settings, Study


@dataclass(frozen=True)
class Entry:
    """A study that can be asked for by its name.

    Parameters
    ----------
    make : callable settings → Study
    settings : Settings
        What it takes where nothing is said.
    question : str
        What it asks.
    """

    make: Callable[[Settings], Study]
    settings: Settings
    question: str


STUDIES: dict[str, Entry] = {
    "relinear": Entry(
        relinear_study, Settings("digits"), "do quadratic neurons collapse, and does ReLinear prevent it?"
    ),
    "gsgd": Entry(
        gsgd_study, Settings("digits"), "is descent on path values better than SGD, and blind to rescaling?"
    ),
    "hannet": Entry(
        hannet_study,
        Settings("diabetes"),
        "do Householder-absolute layers do with fewer parameters than dense ones?",
    ),
}


def settings_of(name: str, **chosen: Any) -> Settings:
    """The settings of a study, with those that were chosen; None is what it takes by itself.

    Raises
    ------
    ProblemError
        If there is no such study, or a setting is not usable.
    """
    entry = STUDIES[validate_choice("study", name, STUDIES)]
    given = {key: value for key, value in chosen.items() if value is not None}
    if given.get("quick"):
        given = {"epochs": 3, "seeds": 2} | given
    return replace(entry.settings, **given)


def find_study(name: str, settings: Settings | None = None) -> Study:
    """The study of a name.

    Raises
    ------
    ProblemError
        If there is none.
    """
    entry = STUDIES[validate_choice("study", name, STUDIES)]
    return entry.make(entry.settings if settings is None else settings)
