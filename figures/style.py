"""The look of every figure, and how a figure becomes a file."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

import matplotlib.style
from matplotlib.figure import Figure

from dynamics.errors import ProblemError

COLUMN_WIDTH = 3.4  # inches, one column of a two-column page
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # Okabe & Ito
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))  # theory is told apart by its dashes
MARKERS = ("o", "s", "^", "D", "v", "P")  # measurement by its markers
FORMATS = ("png", "pdf", "svg")


def paper() -> AbstractContextManager[None]:
    """Context in which figures are created and saved in the project's style."""
    return matplotlib.style.context(Path(__file__).with_name("paper.mplstyle"))


def validate_format(path: str | Path) -> str:
    """Format of a figure file, from its suffix."""
    suffix = Path(path).suffix.lower().lstrip(".")
    if suffix not in FORMATS:
        raise ProblemError(f"`output` is {str(path)!r}, but a figure must end in: {', '.join(FORMATS)}.")
    return suffix


def save_figure(figure: Figure, file: str | Path | IO[bytes], format: str | None = None) -> None:
    """Write a figure as PNG, PDF or SVG; the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    file : path or binary file
    format : str, optional
        "png", "pdf" or "svg"; needed if `file` is not a path.
    """
    kind = validate_format(file) if format is None else format  # type: ignore[arg-type]
    # Dates would make two identical runs differ.
    metadata = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(kind, {})
    with paper():
        figure.savefig(file, format=kind, metadata=metadata)
