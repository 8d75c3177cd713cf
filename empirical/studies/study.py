"""What a study is: a task, contenders for it, a grid of learning rates, seeds and a budget, frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from dynamics.errors import ProblemError
from dynamics.validation import validate_choice, validate_count, validate_real
from empirical.studies.contenders import Contender
from empirical.studies.tasks import absolute, digests
from empirical.sweep.grid import Axis, SweepPlan

KIND = "study"
T = TypeVar("T")


@dataclass(frozen=True)
class Settings:
    """What may be chosen about a study.

    Parameters
    ----------
    data : str
        See `empirical.studies.tasks.read_task`.
    target : str or None
        Column of the labels in a table.
    network : str
        "mlp" or "cnn".
    image_size : int or None
        Height and width that images of a folder are brought to; None: they have one size already.
    epochs, batch, seeds, seed : int
        Passes through the samples to train on, samples per step, number of replicates, and the seed of them all.
    quick : bool
        Fewer contenders, rates, seeds and epochs: to see that it runs, not to find anything.
    """

    data: str
    target: str | None = None
    network: str = "mlp"
    epochs: int = 30
    batch: int = 32
    seeds: int = 10
    seed: int = 0
    quick: bool = False
    image_size: int | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "seeds"):
            validate_count(name, getattr(self, name))
        validate_count("seed", self.seed, minimum=0)
        if self.image_size is not None:
            validate_count("image_size", self.image_size)


def choose_network(settings: Settings, networks: Mapping[str, T]) -> T:
    """That of a table which the settings name.

    Raises
    ------
    ProblemError
        If the table has none of this name.
    """
    return networks[validate_choice("network", settings.network, networks)]


@dataclass(frozen=True)
class Study:
    """Contenders on one task.

    A replicate has one split of the samples, one order of them, and one seed of initial weights for all contenders and
    rates, so that contenders are compared in pairs.

    Parameters
    ----------
    name, title : str
    settings : Settings
    contenders : tuple of Contender
        Their labels are different.
    pairs : tuple of (str, str)
        Labels of contenders whose difference, first minus second, is stated.
    rates : tuple of float
        Learning rates in units of each contender's own.
    along : str
        What its figure is drawn against: "rate", or "parameters" where contenders of one `family` differ in size.

    Raises
    ------
    ProblemError
        If two contenders have one label, or a pair names one that is not there.
    """

    name: str
    title: str
    settings: Settings
    contenders: tuple[Contender, ...]
    pairs: tuple[tuple[str, str], ...]
    rates: tuple[float, ...]
    along: str = "rate"

    def __post_init__(self) -> None:
        labels = [contender.label for contender in self.contenders]
        twice = next((label for label in labels if labels.count(label) > 1), None)
        if twice is not None:
            raise ProblemError(f"`contenders` has {twice!r} twice, but labels must be different.")
        for label in {label for pair in self.pairs for label in pair}:
            self.contender(label)
        for rate in self.rates:
            validate_real("rates", rate, positive=True)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Of the contenders."""
        return tuple(contender.label for contender in self.contenders)

    def contender(self, label: str) -> Contender:
        """That of a label.

        Raises
        ------
        ProblemError
            If there is none.
        """
        for contender in self.contenders:
            if contender.label == label:
                return contender
        raise ProblemError(f"{label!r} is no contender of the study {self.name!r}.")

    def plan(self) -> SweepPlan:
        """All its trainings, with digests of the files that its data are read from."""
        data = self.settings.data
        return SweepPlan(
            (KIND,),
            {"study": self.name, **vars(self.settings), "data": absolute(data)},
            (Axis("model", self.labels), Axis("rate", self.rates)),
            self.settings.seeds,
            self.settings.seed,
            same_seeds=True,
            files=digests(data),
        )
