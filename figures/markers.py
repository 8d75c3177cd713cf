"""Where the markers of a curve stand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from figures.style import TINY


def markers_along(t: Array, y: Array, count: int) -> NDArray[np.int64]:
    """Indices of at most `count` markers, evenly spaced along the drawn curve rather than in time: drops show too."""
    dt, dy = (np.diff(values) / max(np.ptp(values), TINY) for values in (t, y))
    along = np.append(0.0, np.cumsum(np.hypot(dt, dy)))
    return np.unique(np.searchsorted(along, np.linspace(0, along[-1], count)))
