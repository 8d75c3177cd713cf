"""The result of the command ``quadflow fixed-points`` as one JSON object."""

from __future__ import annotations

from typing import Any

from dynamics.stationary.listed_points import Catalogue
from dynamics.stationary.matching import search_catalogue


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
        ``count``, ``fixed_points``, with a search also ``search``.
    """
    if certify:
        from dynamics.stationary.certification import certify as prove

        catalogue = prove(catalogue)
    data = catalogue.to_dict()
    if search is not None:
        data["search"] = search_catalogue(catalogue, search, seed=seed, progress=progress).to_dict()
    return data
