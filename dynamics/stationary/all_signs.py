"""The points of a catalogue for every choice of the signs of spare units.

Which sets of modes can be learned, and at which loss, does not depend on the a_k that learn nothing; the Hessian does:
every unlearned mode can be learned by spare units of its sign alone (`dynamics.stationary.hessian`). A search from
random starts ends at all of these signatures.
"""

from __future__ import annotations

from dynamics.budget import check_number
from dynamics.stationary.enumeration import balanced_sets
from dynamics.stationary.hessian import Units
from dynamics.stationary.listed_points import Catalogue
from dynamics.stationary.points import FixedPoint
from dynamics.stationary.survey import Surveyor

LARGEST = 200_000  # descriptions


def points_of_all_signs(catalogue: Catalogue) -> tuple[FixedPoint, ...]:
    """The feasible points, each once for every number of positive, negative and resting units that it can have.

    Of several with the same Hessian one is returned. With a fixed second layer the signs are known, and with weight
    decay the points determine them: then these are the feasible points as they are.

    Parameters
    ----------
    catalogue : Catalogue
        Of any signs: those of its points are not used.

    Returns
    -------
    tuple of FixedPoint
        In the order of the catalogue, of one set of learned modes by descending index.

    Raises
    ------
    ProblemError
        If these are too many to be listed.
    """
    if not catalogue.trainable or catalogue.weight_decay:
        return catalogue.feasible
    K, spectrum = catalogue.hidden, catalogue.spectrum
    number = (K + 1) * (K + 2) // 2 * len(catalogue.points)
    check_number("The catalogue for all signs", number, LARGEST, "points", "lower `hidden`")
    any_sign = Units(K, K)
    landscape = catalogue.landscape
    least = next(balanced_sets(spectrum, landscape, any_sign, K))[1].loss
    counts = [spectrum.counts(point.learned_modes) for point in catalogue.points]
    balances = [catalogue.balance(point) for point in catalogue.points]
    found: list[list[FixedPoint]] = [[] for _ in counts]
    for positive in range(K + 1):
        for negative in range(K + 1 - positive):
            signs = (1,) * positive + (-1,) * negative + (0,) * (K - positive - negative)
            surveyor = Surveyor(spectrum, landscape, K, True, signs, least)
            for points, learned, balance in zip(found, counts, balances, strict=True):
                point = surveyor.describe(learned, balance)
                same = ((p.index, p.nullity, p.kind) for p in points)
                if point.feasible and (point.index, point.nullity, point.kind) not in same:
                    points.append(point)
    for points in found:
        points.sort(key=lambda point: -(point.index or 0))
    return tuple(point for points in found for point in points)
