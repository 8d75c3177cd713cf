"""The report: survivors with their place and change, and the score per package."""

from __future__ import annotations

from collections import Counter
from math import sqrt

from tools.mutants.trial import MISSED, NOTICED, Result, describe


def print_report(results: list[Result]) -> int:
    """Print what was missed and the score; 1 if something was missed, else 0."""
    missed = sorted(
        (result for result in results if result.outcome in MISSED),
        key=lambda result: (result.mutation.file, result.mutation.line),
    )
    for result in missed:
        print(describe(result), end="")
    print(f"\n{'':12}{'mutants':>9}{'noticed':>9}{'missed':>9}{'equivalent':>12}{'score':>16}")
    packages = sorted({result.mutation.file.split("/")[0] for result in results})
    for package in packages:
        _print_score(package, [r for r in results if r.mutation.file.startswith(package + "/")])
    if len(packages) > 1:
        _print_score("all", results)
    return 1 if missed else 0


def score(results: list[Result]) -> tuple[float, float]:
    """Noticed part of those that could be noticed, and its standard error."""
    counts = Counter(result.outcome for result in results)
    counted = len(results) - counts["equivalent"]
    part = sum(counts[outcome] for outcome in NOTICED) / counted if counted else 1.0
    return part, sqrt(part * (1 - part) / counted) if counted else 0.0


def _print_score(name: str, results: list[Result]) -> None:
    counts = Counter(result.outcome for result in results)
    part, error = score(results)
    noticed, missed = (sum(counts[outcome] for outcome in kind) for kind in (NOTICED, MISSED))
    print(f"{name:12}{len(results):9}{noticed:9}{missed:9}{counts['equivalent']:12}", end="")
    print(f"{100 * part:9.1f} ± {100 * error:.1f} %")
