"""What is done where a figure of somebody's own size has no room for all that is written on its axes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.text import Annotation, Text
from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullFormatter
from matplotlib.transforms import Bbox

SMALLEST = 5.0  # points: smaller letters cannot be read
SPACE = 1.15  # of a tick's name, which it needs with the space about it
LINES = 2.0  # a panel is at least as high, and as wide, as so many names of its ticks
GAP = 0.5  # between texts side by side, in lines
# what thins a locator out: the parameter that says how many ticks it gives
NUMBER_OF = ((LogLocator, "numticks"), (MaxNLocator, "nbins"))


def fit_ticks(axis: XAxis | YAxis) -> bool:
    """Leave as many ticks with names on an axis that was drawn as have room; of names, make the letters smaller.

    Returns
    -------
    bool
        False where that is not enough.
    """
    labels = shown_labels(axis)
    if not labels:
        return True
    side = "width" if axis is axis.axes.xaxis else "height"
    room = float(getattr(axis.axes.bbox, side))
    sizes = [getattr(label.get_window_extent(), side) for label in labels]
    if isinstance(axis.get_major_locator(), FixedLocator):
        return _shrink(labels, side)
    if room < LINES * min(sizes):
        return False
    if _overlap(labels, side):
        number = max(1, int(room / (SPACE * max(sizes))))
        for kind, parameter in NUMBER_OF:
            if isinstance(axis.get_major_locator(), kind):
                axis.get_major_locator().set_params(**{parameter: number})
        axis.set_minor_formatter(NullFormatter())
    return True


def _shrink(labels: list[Text], side: str) -> bool:
    """Smaller letters for names that stand too close."""
    low = "x0" if side == "width" else "y0"
    boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: float(getattr(box, low)))
    crowded = max(
        (
            getattr(one, side) / max(getattr(two, low) - getattr(one, low), 1e-9)
            for one, two in pairwise(boxes)
        ),
        default=0.0,
    )
    if crowded <= 1 or labels[0].get_rotation() % 90:  # turned names: their boxes say nothing
        return True
    size = float(labels[0].get_fontsize()) / crowded
    for label in labels:
        label.set_fontsize(max(size, SMALLEST))
    return bool(size >= SMALLEST)


def _overlap(labels: list[Text], side: str) -> bool:
    ends = ("x0", "x1") if side == "width" else ("y0", "y1")
    boxes = [label.get_window_extent() for label in labels]
    spans = sorted((getattr(box, ends[0]), getattr(box, ends[1])) for box in boxes)
    return any(one[1] > two[0] for one, two in pairwise(spans))


def shown_labels(axis: XAxis | YAxis) -> list[Text]:
    """Names of ticks that can be seen on an axis that was drawn."""
    where = axis.get_transform().transform
    low, high = sorted(where(np.array(axis.get_view_interval(), dtype=float)))
    edge = 1e-9 * (high - low)
    found = []
    for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
        place = float(where(np.array([tick.get_loc()], dtype=float))[0])
        if low - edge <= place <= high + edge:
            found += [
                label for label in (tick.label1, tick.label2) if label.get_visible() and label.get_text()
            ]
    return found


def fit_notes(axes: Axes) -> None:
    """Keep annotations of a panel that was drawn within it, and apart.

    Those that point at something within the panel are moved into it if they leave it above, below or to the left, and
    made smaller if they are wider than it; then all that lie on each other are moved off, in their order.
    """
    notes = [text for text in axes.texts if isinstance(text, Annotation) and text.get_text()]
    for note in notes:
        if note.anncoords == "offset points" and note.get_annotation_clip() is not False:
            _keep_inside(note, axes.bbox)
    placed: list[Bbox] = []
    for note in sorted(notes, key=lambda note: float(_text_of(note).y0)):
        _keep_apart(note, placed, axes.bbox)
        placed.append(_text_of(note))


def _keep_apart(note: Annotation, placed: list[Bbox], room: Bbox) -> None:
    """Off the others: up, or to the left where it would leave the panel above."""
    box = _text_of(note)
    crossed = [other for other in placed if _cross(box, other)]
    if not crossed or note.anncoords != "offset points":
        return
    up = max(other.y1 for other in crossed) - box.y0
    if box.y1 <= room.y1 < box.y1 + up:
        _move(note, min(other.x0 for other in crossed) - box.x1 - GAP * box.height, 0.0)
    else:
        _move(note, 0.0, up)


def _keep_inside(note: Annotation, room: Bbox) -> None:
    box = _text_of(note)
    if box.width > room.width:
        note.set_fontsize(max(float(note.get_fontsize()) * room.width / box.width, SMALLEST))
        box = _text_of(note)
    right = max(room.x0 - box.x0, 0.0)  # to the right of its panel the layout gives it room
    up = max(room.y0 - box.y0, 0.0) - max(box.y1 - room.y1, 0.0)
    if right or up:
        _move(note, right, up)


def _text_of(note: Annotation) -> Bbox:
    """Where it is written, without its arrow."""
    return Text.get_window_extent(note)


def _move(note: Annotation, right: float, up: float) -> None:
    """So many pixels."""
    assert note.figure is not None
    x, y = note.xyann
    points = 72 / note.figure.dpi
    note.xyann = (x + right * points, y + up * points)


def _cross(one: Bbox, two: Bbox) -> bool:
    return bool(one.x0 < two.x1 and two.x0 < one.x1 and one.y0 < two.y1 and two.y0 < one.y1)
