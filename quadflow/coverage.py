"""What commands can do for a problem, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dynamics.problem.verbs import Coverage


def table(rows: Sequence[Coverage]) -> str:
    """One line for each command."""
    command, status = (max(len(getattr(row, name)) for row in rows) for name in ("command", "status"))
    return "\n".join(f"{row.command:{command}}  {row.status:{status}}  {row.reason}" for row in rows)
