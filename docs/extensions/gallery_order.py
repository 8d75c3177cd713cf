"""The gallery shows the figures of a section in the order of the table behind `quadflow figure`."""

from quadflow.commands.figure import command

FIGURES = list(command.commands)


class TableOrder:
    """Sort key of an example file, plot_NAME.py."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __call__(self, file: str) -> int:
        """Place of the figure in the table."""
        name = file.removeprefix("plot_").removesuffix(".py").replace("_", "-")
        return FIGURES.index(name)
