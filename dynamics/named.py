"""Things that have names, and families of them with parameters behind a colon: one table for each kind of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from dynamics.errors import ProblemError
from dynamics.validation import validate_choice


class Named(Protocol):
    """What has a name."""

    @property
    def name(self) -> str:
        """As on the command line."""


T = TypeVar("T", bound=Named)
F = TypeVar("F", bound="Family[Any]")


class NoMember(ValueError):
    """A family has no member of these parameters: what they must be, as the end of a sentence."""


@dataclass(frozen=True)
class Family(Generic[T]):
    """Things with parameters, named ``family:parameters``.

    Parameters
    ----------
    name, parameters : str
        Such as "huber" and "C".
    member : callable text → thing
        That with the parameters in a text; raises `NoMember` if there is none.
    example : str
        Parameters of one, for tests and completions.
    """

    name: str
    parameters: str
    member: Callable[[str], T]
    example: str = ""

    def __str__(self) -> str:
        return f"{self.name}:{self.parameters}"


@dataclass(frozen=True)
class Names(Generic[T, F]):
    """The names of one kind of things.

    Parameters
    ----------
    kind : type
        What they are.
    another : str
        One of them that is not the one at hand, in words.
    single : dict
        Things by their names, in the order in which they are offered.
    families : dict
        Families by the names before the colon.
    """

    kind: type[Any]
    another: str
    single: dict[str, T] = field(default_factory=dict)
    families: dict[str, F] = field(default_factory=dict)

    def register(self, thing: T) -> T:
        """Make a thing known by its name.

        Raises
        ------
        ProblemError
            If another one has this name already.
        """
        if self.single.setdefault(thing.name, thing) != thing:
            raise ProblemError(f"The name {thing.name!r} belongs to {self.another}: choose a new one.")
        return thing

    def register_family(self, family: F) -> F:
        """Make the members of a family known by their names."""
        self.families[family.name] = family
        return family

    def parse(self, name: T | str, option: str) -> T:
        """The thing of a name, as on the command line; one that is given is returned as it is.

        Raises
        ------
        ProblemError
            If none has this name, or a family no such member; messages say which `option` names it.
        """
        if isinstance(name, self.kind):
            return name
        family, colon, parameters = name.partition(":") if isinstance(name, str) else ("", "", "")
        if colon and family in self.families:
            try:
                return self.families[family].member(parameters)
            except NoMember as why:
                raise ProblemError(f"`{option}` is {name!r}, but {why}.") from None
        return self.single[validate_choice(option, name, [*self.single, *map(str, self.families.values())])]
