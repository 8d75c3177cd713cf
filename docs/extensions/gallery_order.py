"""The gallery shows the figures of a section in the order of the table behind `quadflow figure`."""

from quadflow.commands.figure import command

FIGURES = list(command.commands)


class TableOrder:
    """Sort key of an example file, plot_NAME.py."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __call__(self, file: str) -> tuple[int, str]:
        """Place of the figure in the table; several pages of one figure, NAME_MORE, by their names."""
        name = file.removeprefix("plot_").removesuffix(".py").replace("_", "-")
        return FIGURES.index(figure_of(name)), name


def figure_of(page: str) -> str:
    """The figure that a page shows: the longest name that it begins with."""
    return max((name for name in FIGURES if f"{page}-".startswith(f"{name}-")), key=len)
