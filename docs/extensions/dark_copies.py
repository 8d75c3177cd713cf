"""Every PNG that an example writes gets a dark variant beside it, for `dark_pictures`.

`python dark_copies.py ARGUMENTS` is `quadflow ARGUMENTS`, and does so; `dark_copies()` is a context for Python code.
Figures that are not white already have their own ground, and stay as they are.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from matplotlib.colors import same_color
from matplotlib.figure import Figure

from dark_pictures import dark_name
from figures.look import STYLES, recolour_figure


def darken(figure: Figure) -> bool:
    """Recolour a white figure for dark pages; whether it was white."""
    white = same_color(figure.get_facecolor(), "white")
    if white:
        recolour_figure(figure, STYLES["dark"].ink, STYLES["dark"].ground)
    return white


@contextmanager
def dark_copies() -> Iterator[None]:
    """Context in which figures that are saved under the name of a PNG are saved for dark pages too, and stay so."""
    save = Figure.savefig

    def both(figure: Figure, name: Any, **options: Any) -> None:
        save(figure, name, **options)
        if (
            isinstance(name, str | Path)
            and Path(name).suffix == ".png"
            and darken(figure)
        ):
            save(figure, dark_name(Path(name)), **options)

    Figure.savefig = both
    try:
        yield
    finally:
        Figure.savefig = save


def main() -> None:
    """The command line, whose figures are all written by one function."""
    import quadflow.output as output

    write = output.write_figure

    def both(figure: Figure, path: str, format: str, *options: Any) -> None:
        write(figure, path, format, *options)
        if format == "png" and darken(figure):
            write(figure, str(dark_name(Path(path))), format, *options)

    output.write_figure = both
    from quadflow.cli import main as quadflow

    quadflow()


if __name__ == "__main__":
    main()
