"""Runs the benchmarks, prints their tables and writes them with a figure: `python -m benchmarks [NAME …]`."""

from __future__ import annotations

from benchmarks.one_thread import set_one_thread

set_one_thread()  # before anything is imported that reads it; ratios then compare algorithms, not thread pools

import argparse
import sys
from pathlib import Path

from benchmarks import (
    bench_activations,
    bench_fixed_points,
    bench_fourth_moment,
    bench_initial_conditions,
    bench_inputs,
    bench_symbolic,
    bench_training,
    bench_trajectory,
)
from benchmarks.figure import draw
from benchmarks.machine import machine
from benchmarks.report import Table, read_results, write_results

BENCHMARKS = {
    "small": bench_trajectory.small,
    "large": bench_trajectory.large,
    "many": bench_trajectory.many,
    "default": bench_trajectory.default,
    "single-mode": bench_initial_conditions.single_mode,
    "four-units": bench_initial_conditions.four_units,
    "inputs": bench_inputs.inputs,
    "training": bench_training.training,
    "derivation": bench_symbolic.derivation,
    "moments": bench_symbolic.moments,
    "catalogue": bench_fixed_points.catalogue,
    "activations": bench_activations.activations,
    "fourth-moment": bench_fourth_moment.fourth_moment,
}


def main() -> None:
    """Run what was asked for, or everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which ones: {', '.join(BENCHMARKS)}")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("results"))
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}: choose from {', '.join(BENCHMARKS)}")
    about = machine()
    tables: list[Table] = []
    for name in arguments.names or BENCHMARKS:
        print(f"… {name}", file=sys.stderr)
        tables += BENCHMARKS[name]()
        write_results(tables, about, arguments.output)  # an interrupted run keeps what it has
    for table in tables:
        if not table.name.startswith("work"):
            print(table.markdown())
    drawn = draw(read_results(arguments.output), arguments.output / "results.png")
    print(f"Written to {arguments.output}: results.json, results.md{', results.png' if drawn else ''}")


main()
