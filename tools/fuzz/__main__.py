"""`python -m tools.fuzz`: hostile calls of every command; status 1 if one ends as none should."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tools.fuzz.search import Found, search


def main() -> int:
    """Search, tell, sum up."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="number of calls [1000]")
    parser.add_argument("--seed", type=int, default=0, help="seed of the calls [0]")
    parser.add_argument("--limit", type=float, default=20.0, help="seconds that a call may take [20]")
    parser.add_argument("--keep", type=Path, help="keep the files in this folder, to try again what failed")
    given = parser.parse_args()
    print(f"seed {given.seed}, {given.count} calls", flush=True)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        place = (given.keep or Path(folder)).resolve()
        place.mkdir(exist_ok=True, parents=True)
        found = search(place, given.count, given.seed, given.limit, lambda text: print(text, flush=True))
    _print_summary(found, time.monotonic() - begin)
    return 1 if found.faults else 0


def _print_summary(found: Found, seconds: float) -> None:
    calls: dict[str, int] = {}
    for name, count in found.calls.items():
        first = name.split()[0]
        calls[first] = calls.get(first, 0) + count
    print(f"\n{'command':14}{'calls':>8}{'seconds':>9}")
    for name, count in sorted(calls.items()):
        print(f"{name:14}{count:8}{found.seconds[name]:9.1f}")
    ends = ", ".join(f"{count} with status {status}" for status, count in found.statuses.most_common())
    print(f"{sum(calls.values())} calls in {seconds:.0f} s ({ends}): {len(found.faults)} different faults")


sys.exit(main())
