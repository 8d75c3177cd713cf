"""`python -m tools.mutants`: a random sample of mutants against the tests that execute them; the score per package."""

from __future__ import annotations

import argparse
import os
import sys

# Before NumPy and PyTorch are imported: processes are forked, and share the cores between them.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

from pathlib import Path

from tools.mutants.coverage_map import measure
from tools.mutants.processes import load_libraries
from tools.mutants.report import print_report
from tools.mutants.sampling import Exclusions, sample
from tools.mutants.trial import try_all

ROOT = Path(__file__).parents[2]
PACKAGES = ["dynamics", "empirical", "figures", "quadflow"]


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    add = parser.add_argument
    add("--count", type=int, default=200, help="mutants in all, shared evenly by the packages [200]")
    add("--seed", type=int, default=0, help="seed of the sample [0]")
    add("--package", action="append", choices=PACKAGES, help="only this package (again for more)")
    add(
        "--file",
        action="append",
        help="only this module, such as dynamics/flows/gradient.py (again for more)",
    )
    add("--line", action="append", type=int, help="only these lines of --file, all their mutants")
    add("--jobs", type=int, default=os.cpu_count() or 1, help="processes beside each other [one per core]")
    add(
        "--timeout",
        type=float,
        default=0.0,
        help="seconds of the processor per mutant [30 + 5 times what its tests need]",
    )
    add(
        "--budget",
        type=float,
        default=60.0,
        help="seconds of tests per mutant, nearest and cheapest first [60]",
    )
    add(
        "--map",
        type=Path,
        default=ROOT / ".mutants" / "map.json",
        help="file that keeps which test calls what",
    )
    add("--measure", action="store_true", help="only measure which test calls what")
    return parser.parse_args()


def main() -> int:
    """Sample, try, report; status 1 if a mutant survived."""
    given = arguments()
    exclusions = Exclusions.read(Path(__file__).parent / "equivalent.toml")
    load_libraries()
    os.chdir(ROOT)
    known = measure(
        ROOT, PACKAGES, given.map, given.jobs, tell=lambda text: print(text, file=sys.stderr, flush=True)
    )
    if given.measure:
        return 0
    chosen = sample(
        ROOT, given.package or PACKAGES, given.file, given.line, given.count, given.seed, exclusions
    )
    print(f"seed {given.seed}: {len(chosen)} mutants", flush=True)
    results = list(try_all(ROOT, chosen, known, exclusions, given.jobs, given.timeout, given.budget))
    return print_report(results)


sys.exit(main())
