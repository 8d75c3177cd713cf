"""The results of everything that README and tour run, as JSON: to see whether a change of the code changes a number.

`python -m tools.readme_results store FILE` runs every command of these pages (with `--json` where there is one) and
every block of Python, and keeps what they give. `python -m tools.readme_results compare OLD NEW` lists what differs.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import os
import re
import shlex
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.shown_commands import PAGES, all_chains, python_blocks

# What depends on the machine, the moment or the version.
PASSING = {"seconds", "steps_per_second", "versions", "date", "command", "created", "format"}
ROUNDING = 1e-9  # below, numbers are what rounding has left
RELATIVE = 1e-6


def commands() -> list[list[str]]:
    """Arguments of the commands, in the order of the pages."""
    return [shlex.split(command) for chain in all_chains() for command, _ in chain]


def result_of(arguments: list[str]) -> Any:
    """What a command prints: its JSON object if it has one, otherwise its lines."""
    from quadflow.cli import run

    for extra in (["--json"], []):
        output, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            status = run([*arguments, *extra])
        if status == 0:
            return json.loads(output.getvalue()) if extra else output.getvalue().splitlines()
        if "No such option" not in errors.getvalue():
            break
    return {"status": status, "error": errors.getvalue()}


def results_of_python(page: Path) -> dict[str, Any]:
    """Numbers, texts and arrays that the blocks of a page leave behind, executed one after the other."""
    import numpy as np

    names: dict[str, Any] = {}
    for block in python_blocks(page.read_text()):
        exec(block.replace("range(5001)", "range(201)").replace("steps=8000", "steps=400"), names)
    kept: dict[str, Any] = {}
    for name, value in names.items():
        if isinstance(value, (int, float, str)) and name != "__name__":
            kept[name] = value
        elif isinstance(value, np.ndarray):
            kept[name] = value.tolist()
        for attribute in ("loss", "modes", "times", "conserved", "train_loss", "steps"):
            array = getattr(value, attribute, None)
            if isinstance(array, np.ndarray):
                kept[f"{name}.{attribute}"] = array.tolist()
    return kept


def store(file: Path) -> None:
    """Run everything in a temporary folder."""
    file = file.absolute()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            results["python"] = {page.stem: results_of_python(page) for page in PAGES}
        results["python printed"] = printed.getvalue().splitlines()
        for arguments in commands():
            print(shlex.join(arguments), file=sys.stderr, flush=True)
            results[shlex.join(arguments)] = result_of(arguments)
    file.write_text(json.dumps(results, ensure_ascii=False))


def differences(old: Any, new: Any, place: str = "") -> list[str]:
    """Where two results differ, but for what is passing and for rounding."""
    if isinstance(old, dict) and isinstance(new, dict):
        found = []
        for key in [*old, *(key for key in new if key not in old)]:
            if key in PASSING:
                continue
            if key not in new or key not in old:
                found.append(f"{place}.{key}: {'gone' if key in old else 'new'}")
            else:
                found += differences(old[key], new[key], f"{place}.{key}")
        return found
    if isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            return [f"{place}: {len(old)} entries, now {len(new)}"]
        return [
            line
            for i, (a, b) in enumerate(zip(old, new, strict=True))
            for line in differences(a, b, f"{place}[{i}]")
        ]
    if isinstance(old, (int, float)) and isinstance(new, (int, float)):
        same = math.isclose(old, new, rel_tol=RELATIVE, abs_tol=ROUNDING) or (old != old and new != new)
        return [] if same else [f"{place}: {old!r}, now {new!r}"]
    if isinstance(old, str) and isinstance(new, str):
        old, new = (re.sub(r"\d[\d.]* (?=s\b|MB|steps per second)", "", text) for text in (old, new))
    return [] if old == new else [f"{place}: {old!r}, now {new!r}"]


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.readme_results", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("store").add_argument("file", type=Path)
    two = verbs.add_parser("compare")
    two.add_argument("old", type=Path)
    two.add_argument("new", type=Path)
    given = parser.parse_args()
    if given.verb == "store":
        store(given.file)
        return 0
    old, new = (json.loads(file.read_text()) for file in (given.old, given.new))
    found = differences(old, new)
    print(*found, sep="\n", end="\n" if found else "")
    print(f"{len(old)} results, {len(found)} differences")
    return int(bool(found))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
