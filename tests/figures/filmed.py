"""What the tests of animations share: animations of few points, and a writer that keeps their frames."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from matplotlib.animation import AbstractMovieWriter

from figures.animation.film import animate_drawn
from figures.animation.table import ANIMATED

DPI = 60  # enough to see whatever differs


def animate_small(name, *results, **timing):
    """As `animate`, with few points."""
    figure = ANIMATED[name]().draw(*results)
    figure.set_dpi(DPI)
    return animate_drawn(name, figure, *results, **timing)


def pixels(figure, dpi=None) -> np.ndarray:
    """What a figure shows, (height, width, 3), as `savefig` draws it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="rgba", dpi=figure.dpi if dpi is None else dpi)
    width, height = (int(size * (dpi or figure.dpi) + 1e-8) for size in figure.get_size_inches())
    return np.frombuffer(buffer.getvalue(), np.uint8).reshape(height, width, 4)[..., :3].astype(int)


class Frames(AbstractMovieWriter):
    """Keeps the frames, as `savefig` draws them."""

    def __init__(self) -> None:
        super().__init__(fps=1)
        self.frames: list[np.ndarray] = []

    def setup(self, fig, outfile, dpi=None):
        super().setup(fig, outfile, dpi)

    def grab_frame(self, **savefig_kwargs: Any) -> None:
        self.frames.append(pixels(self.fig, self.dpi))

    def finish(self) -> None:
        pass
