"""All published results: a new one is a file with its `ENTRY`, and a line here."""

from __future__ import annotations

from importlib import import_module

from dynamics.errors import ProblemError
from dynamics.validation import validate_choice
from empirical.published.entry import Entry

ENTRIES = {  # name → module of `empirical.published`
    "committee-losses": "committee_losses",
    "symmetric-plateau": "symmetric_plateau",
    "erf-committee": "erf_committee",
    "mean-field-sgd": "mean_field_sgd",
    "product-laws": "product_laws",
    "network-laws": "network_laws",
    "copy-average": "copy_average",
    "bayes-curve": "bayes_curve",
    "bayes-noise": "bayes_noise",
    "bayes-threshold": "bayes_threshold",
    "amp": "amp",
    "rank-limit": "rank_limit",
    "power-law-ridge": "power_law_ridge",
    "best-width": "best_width",
    "double-descent": "double_descent",
    "weight-decay": "weight_decay",
    "narrow-student": "narrow_student",
    "noise-and-decay": "noise_and_decay",
    "recovery": "recovery",
    "escape-equation": "escape_equation",
    "exit-times": "exit_times",
}


def find_entry(name: str) -> Entry:
    """The published result of a name.

    Raises
    ------
    ProblemError
        If there is none.
    """
    module = import_module(f"empirical.published.{ENTRIES[validate_choice('NAME', name, ENTRIES)]}")
    entry = module.ENTRY
    assert isinstance(entry, Entry)
    return entry


def find_drawable(name: str) -> Entry:
    """The published result of a name, if its numbers lie on a curve.

    Raises
    ------
    ProblemError
        If there is none, or it has no curve.
    """
    entry = find_entry(name)
    if not entry.drawable:
        raise ProblemError(f"{name!r} has no curve: its numbers are printed by `quadflow reproduce {name}`.")
    return entry


def all_entries() -> list[Entry]:
    """All published results, in the order of the table."""
    return [find_entry(name) for name in ENTRIES]
