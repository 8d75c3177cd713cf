"""Runs every benchmark and prints one table."""

from __future__ import annotations

import os

# One thread on both sides: ratios then compare algorithms, not thread pools.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import platform
import sys

from benchmarks import bench_ensemble, bench_flow
from benchmarks.timing import Row, table


def main() -> None:
    """Print a line about the machine and the table of ratios."""
    print(
        f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, one thread each side"
    )
    print(
        "ratio: time of the alternative / time of quadflow (median of the pairs), errors at equal tolerance\n"
    )
    rows: list[Row] = []
    for benchmark in (*bench_flow.BENCHMARKS, *bench_ensemble.BENCHMARKS):
        print(f"… {benchmark.__name__}", file=sys.stderr)
        rows.append(benchmark())
    print(table(rows))


main()
