"""(6) The catalogue of fixed points against the number of modes."""

from __future__ import annotations

import numpy as np

from benchmarks.report import Table
from benchmarks.timing import fastest
from dynamics import Teacher, fixed_points

MODES = (2, 4, 6, 8, 10, 12)
MANY_MODES = (20, 50, 100, 200)
LOWEST = 20


def catalogue() -> list[Table]:
    """All points of a teacher with m modes (2^m of them), and the lowest ones where all are too many."""
    rows = []
    for m in (*MODES, *MANY_MODES):
        teacher = Teacher.from_eigenvalues(1 + np.arange(m)[::-1] / m)
        lowest = None if m in MODES else LOWEST
        best = fastest({"": lambda t=teacher, m=m, n=lowest: fixed_points(t, m, lowest=n)}, rounds=3)[""]
        count = len(fixed_points(teacher, m, lowest=lowest).points)
        rows.append(
            {
                "modes": m,
                "points": f"all {count}" if lowest is None else f"lowest {count}",
                "seconds": best,
                "µs per point": 1e6 * best / count,
            }
        )
    return [
        Table(
            "catalogue",
            "(6) Catalogue of fixed points",
            "As many hidden units as modes; shortest of three runs.",
            rows,
        )
    ]
