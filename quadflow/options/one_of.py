"""Options that take one of a few names: help texts spell them out, and another name is refused with the nearest one."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import click


class OneOf(click.Choice[str]):
    """One of the names; the sentence that refuses others is that of the function which the value is for."""

    def __init__(self, names: Collection[str]) -> None:
        super().__init__(tuple(names))
        self.names = names  # the table itself, to which a program may have added

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name as it is."""
        if value in self.names:
            return str(value)
        from dynamics.validation import validate_choice  # NumPy is loaded to refuse alone

        name = max(param.opts, key=len).lstrip("-").replace("-", "_") if param else "value"
        return validate_choice(name, value, tuple(self.names))
