"""How an animation becomes a file."""

from __future__ import annotations

import shutil
from pathlib import Path
from subprocess import CalledProcessError
from tempfile import TemporaryDirectory
from typing import IO

from matplotlib.animation import AbstractMovieWriter, FFMpegWriter

from dynamics.errors import ComputationError, ProblemError
from dynamics.progress import progress_bar
from dynamics.validation import validate_real
from figures.animation.film import Film
from figures.animation.gif_writer import GifWriter
from figures.style import paper

FORMATS = ("gif", "mp4")
HOLD = 2.0  # seconds for which the last frame is shown
HOLDS = (0.0, 60.0)


def validate_film(path: str | Path) -> str:
    """Format of a film, from the suffix of its file.

    Raises
    ------
    ProblemError
        If it is none, or what writes it is not installed.
    """
    suffix = Path(path).suffix.lower().lstrip(".")
    if suffix not in FORMATS:
        raise ProblemError(f"`output` is {str(path)!r}, but an animation must end in: {', '.join(FORMATS)}.")
    if suffix == "mp4" and not FFMpegWriter.isAvailable():
        raise ProblemError(
            f"`output` is {str(path)!r}, but ffmpeg, which writes .mp4, is not installed: install it, or write a .gif."
        )
    return suffix


def save_animation(
    animation: Film,
    file: str | Path | IO[bytes],
    format: str | None = None,
    *,
    hold: float = HOLD,
    progress: bool = False,
) -> None:
    """Write an animation as GIF or, where ffmpeg is installed, as MP4, at the resolution of its figure, `Figure.dpi`.

    The last frame stays for a while; a GIF then begins again.

    Parameters
    ----------
    animation : Film
        Of `figures.animate`.
    file : path or binary file
    format : str, optional
        "gif" or "mp4"; needed if `file` is not a path.
    hold : float
        Seconds for which the last frame is shown in addition.
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Raises
    ------
    ProblemError
        If the format is unknown, or ffmpeg not installed.
    ComputationError
        If ffmpeg fails.
    """
    kind = validate_film(f"x.{format}" if format else str(file))
    still = validate_real("hold", hold, nonnegative=True, size=HOLDS)
    rate = animation.frames_per_second
    writer = GifWriter(rate, still) if kind == "gif" else _mp4_writer(rate, still)
    animation.finish()
    with TemporaryDirectory(prefix="quadflow-") as folder:
        made = Path(folder, f"film.{kind}")
        _write(animation, made, writer, progress)
        if isinstance(file, str | Path):
            shutil.copyfile(made, file)
        else:
            file.write(made.read_bytes())


def _mp4_writer(rate: float, hold: float) -> AbstractMovieWriter:
    """H.264, whose last frame ffmpeg repeats."""
    return FFMpegWriter(rate, extra_args=["-vf", f"tpad=stop_mode=clone:stop_duration={hold:g}"])  # type: ignore[arg-type]


def _write(animation: Film, path: Path, writer: AbstractMovieWriter, progress: bool) -> None:
    with progress_bar(
        what="frames", unit="frame", shown=progress, remedy="lower `seconds` or `frames-per-second`"
    ) as bar:

        def tick(_: int, total: int | None) -> None:
            bar.total = total
            bar.update()

        try:
            with paper():  # as `save_figure`
                animation.save(str(path), writer, dpi="figure", progress_callback=tick)  # type: ignore[arg-type]
        except (CalledProcessError, BrokenPipeError) as error:
            said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
            raise ComputationError(
                f"ffmpeg could not write the film: {said[-1] if said else error}"
            ) from None
