"""What cannot be read in a figure: texts on each other, and texts that leave it. For tests of layout."""

from itertools import combinations

import numpy as np
from matplotlib.text import Text

TOUCH = 1.5 / 72  # inches that boxes may share: they are wider than what is written


def faults(figure):
    """Sentences about texts that lie on each other or leave the figure, as drawn now."""
    figure.draw_without_rendering()
    hidden = _ticks_out_of_sight(figure)
    shown = [
        (text.get_text(), Text.get_window_extent(text))
        for text in figure.findobj(Text)
        if text.get_visible()
        and text.get_text().strip()
        and id(text) not in hidden
        and not text.get_rotation() % 90
    ]
    touch, (width, height) = TOUCH * figure.dpi, figure.bbox.size
    found = [
        f"{name!r} leaves the figure"
        for name, box in shown
        if min(box.x0, box.y0) < -touch or box.x1 > width + touch or box.y1 > height + touch
    ]
    return found + [
        f"{one!r} lies on {two!r}"
        for (one, a), (two, b) in combinations(shown, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > touch and min(a.y1, b.y1) - max(a.y0, b.y0) > touch
    ]


def _ticks_out_of_sight(figure):
    """Names of ticks beyond the ends of their axes, which nobody draws."""
    hidden = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            place = axis.get_transform().transform
            low, high = sorted(place(np.array(axis.get_view_interval(), dtype=float)))
            edge = 1e-9 * (high - low)
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                at = place(np.array([tick.get_loc()], dtype=float))[0]
                if not low - edge <= at <= high + edge:
                    hidden |= {id(tick.label1), id(tick.label2)}
    return hidden
