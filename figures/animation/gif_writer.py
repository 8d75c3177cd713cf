"""GIFs of few colours that do not flicker: all frames share one table, and the last one stays for a while."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from matplotlib.animation import AbstractMovieWriter
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

Codes: TypeAlias = NDArray[np.int32]
"""Colours as one number each: 65536 red + 256 green + blue."""

COLOURS = 255  # and one for what is as in the frame before


class ColourTable:
    """The most frequent colours of a picture, which are kept as they are; others become the nearest of them."""

    def __init__(self, picture: Codes) -> None:
        codes, counts = np.unique(picture, return_counts=True)
        self._kept = _parts(codes[np.argsort(-counts, kind="stable")[:COLOURS]])
        self._index = np.full(1 << 24, -1, np.int16)  # of every colour that was met

    def reduce(self, picture: Codes) -> Image.Image:
        """A picture (height, width) in these colours."""
        new = np.unique(picture[self._index[picture] < 0])
        for some in np.array_split(new, len(new) // 1000 + 1):
            distance = ((_parts(some)[:, None] - self._kept) ** 2).sum(axis=-1)
            self._index[some] = distance.argmin(axis=1)
        reduced = Image.fromarray(self._index[picture].astype(np.uint8), "P")
        reduced.putpalette(self._kept.astype(np.uint8).tobytes())
        return reduced


def _parts(codes: Codes) -> NDArray[np.int32]:
    """Red, green and blue of colours (n,), from 0 to 255."""
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1)


class GifWriter(AbstractMovieWriter):
    """Writer of `matplotlib.animation.Animation.save`.

    Matplotlib's own gives every frame a table of colours, which differ, and a length that all frames share.

    Parameters
    ----------
    fps : float
        Frames per second.
    hold : float
        Seconds for which the last frame is shown in addition.
    """

    def __init__(self, fps: float, hold: float) -> None:
        super().__init__(fps=fps)  # type: ignore[arg-type]  # any number will do
        self._hold = hold
        self._frames: list[Image.Image] = []

    def setup(self, fig: Figure, outfile: Any, dpi: float | None = None) -> None:
        """Begin, and take the table of colours from the figure as it is: whole, before its animation begins."""
        super().setup(fig, outfile, dpi)
        # one for all frames: it knows how wide its texts are
        self._renderer = RendererAgg(*self.frame_size, self.dpi)
        self._table = ColourTable(self._picture())

    def grab_frame(self, **savefig_kwargs: Any) -> None:
        """Take what the figure shows; it has its own colours, whatever the arguments."""
        self._frames.append(self._table.reduce(self._picture()))

    def finish(self) -> None:
        """Write the file, if anything was taken for it."""
        if not self._frames:
            return
        ends = np.rint(
            100 * np.arange(len(self._frames) + 1) / self.fps
        )  # GIFs count in hundredths of a second
        ends[-1] += round(100 * self._hold)
        lengths = [10 * int(length) for length in np.diff(ends)]
        first, *rest = self._frames
        first.save(self.outfile, save_all=True, append_images=rest, duration=lengths, loop=0, optimize=True)

    def _picture(self) -> Codes:
        """The figure as it is now, drawn once: `savefig` draws twice, for the sake of a layout that stays here."""
        self._renderer.clear()
        self.fig.draw(self._renderer)
        parts = np.asarray(self._renderer.buffer_rgba())[..., :3].astype(np.int32)
        return parts[..., 0] << 16 | parts[..., 1] << 8 | parts[..., 2]
