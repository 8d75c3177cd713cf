"""The result of the command ``quadflow fixed-points`` as one JSON object."""

from __future__ import annotations

from typing import Any

from dynamics.stationary.listed_points import Catalogue
from dynamics.stationary.matching import Match, search_catalogue
from dynamics.words import counted


def fixed_points_report(
    catalogue: Catalogue,
    *,
    search: int | None = None,
    seed: int = 0,
    certify: bool = False,
    progress: bool = False,
) -> dict[str, Any]:
    """Catalogue, numerical search and certificates.

    Parameters
    ----------
    catalogue : Catalogue
    search : int, optional
        Number of random starts of a numerical search.
    seed : int
        Of the search.
    certify : bool
        Whether to prove existence and signature of every feasible point (needs python-flint).
    progress : bool
        Show a progress bar of the search on standard error if that is a terminal.

    Returns
    -------
    dict
        ``count``, ``fixed_points``, ``complete``, ``warnings``, with a search also ``search``. A catalogue of points on
        axes is called complete if the search found no other point and its count closes.
    """
    if certify:
        from dynamics.stationary.certification import certify as prove

        catalogue = prove(catalogue)
    data = catalogue.to_dict()
    if search is not None:
        match = search_catalogue(catalogue, search, seed=seed, progress=progress)
        data["search"] = match.to_dict()
        if match.found is not None:
            data["complete"] = catalogue.complete and match.found.complete and not match.unmatched
            data["warnings"] = [*_off_axis(match), *match.found.warnings]
    return data


def _off_axis(match: Match) -> list[str]:
    """What is said of points off the axes after a search for them."""
    number, above = len(match.unmatched), len(match.beyond)
    if above:
        return [
            f"{counted(number, 'point')} off the axes, and {above} above those that are listed, were found"
        ]
    if not number:
        return ["the search found no point off the axes"]
    return [f"{counted(number, 'point')} off the axes: found numerically, not in the catalogue"]
