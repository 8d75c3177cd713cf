"""Runs the benchmarks, prints their tables and writes them with a figure: `python -m benchmarks [NAME …]`."""

from __future__ import annotations

from benchmarks.one_thread import set_one_thread

set_one_thread()  # before anything is imported that reads it; ratios then compare algorithms, not thread pools

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from benchmarks.figure import draw
from benchmarks.files import write_results
from benchmarks.headline import headline
from benchmarks.machine import machine
from benchmarks.report import Table
from benchmarks.table import BENCHMARKS, Benchmark

RESULTS = Path(__file__).with_name("results")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what was asked for, or everything that is not run by name alone."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=listing(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which ones, see below")
    parser.add_argument("--list", action="store_true", help="show the names and what they measure")
    parser.add_argument("--output", type=Path, default=RESULTS, help="a folder")
    options = parser.parse_args(arguments)
    if options.list:
        print(listing())
        return
    unknown = sorted(set(options.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}: choose from {', '.join(BENCHMARKS)}")
    names = options.names or [name for name, benchmark in BENCHMARKS.items() if not benchmark.by_name]
    run({name: BENCHMARKS[name] for name in names}, options.output)


def listing() -> str:
    """Names and what they measure."""
    width = max(map(len, BENCHMARKS))
    return "\n".join(
        f"  {name:{width}}  {benchmark.about}{' (only by name)' if benchmark.by_name else ''}"
        for name, benchmark in BENCHMARKS.items()
    )


def run(benchmarks: dict[str, Benchmark], folder: Path) -> None:
    """Run benchmarks one after the other; an interrupted run keeps what it has."""
    about = machine()
    tables: list[Table] = []
    merged: list[Table] = []
    for name, benchmark in benchmarks.items():
        print(f"… {name}", file=sys.stderr)
        function = getattr(import_module(f"benchmarks.{benchmark.module}"), benchmark.function)
        tables += function(*benchmark.arguments)
        merged = write_results(tables, about, folder)
    first = headline(tables)
    for table in [first] * (first is not None) + tables:
        if table is not None and table.read:
            print(table.markdown())
    drawn = draw(merged, folder / "results.png")
    print(f"Written to {folder}: results.json, results.md{', results.png' if drawn else ''}")


if __name__ == "__main__":
    main()
