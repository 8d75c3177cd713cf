"""Which of the points that were found lie on the axes, where a catalogue lists them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dynamics.stationary.listed_points import Catalogue
from dynamics.stationary.points import FixedPoint
from dynamics.stationary.subspaces.points import FoundPoint

ON_AXIS = 1e-6  # of the largest |λ|: smaller entries of M are zero


def entries(catalogue: Catalogue, found: Sequence[FoundPoint]) -> tuple[FixedPoint | None, ...]:
    """For every point its entry in a catalogue of a teacher along the axes; None where it has none.

    Points that learn as many of equal eigenvalues have one entry.
    """
    spectrum = catalogue.spectrum
    diagonal = catalogue.teacher.matrix().diagonal()
    group = np.abs(diagonal[:, None] - spectrum.values).argmin(axis=1)  # of each axis
    listed = {spectrum.counts(point.learned_modes): point for point in catalogue.points}
    size = ON_AXIS * spectrum.scale

    def entry(point: FoundPoint) -> FixedPoint | None:
        M = point.M
        if np.abs(M - np.diag(M.diagonal())).max() > size:
            return None
        learned = np.abs(M.diagonal()) > size
        counts = np.bincount(group[learned], minlength=len(spectrum.values))
        known = listed.get(tuple(counts.tolist()))
        if known is None or point.rank != known.rank:
            return None
        values = sorted(known.learned_values, reverse=True)
        return known if np.abs(point.values - values).max(initial=0.0) <= size else None

    return tuple(map(entry, found))
