"""How long the figures of the gallery take with their defaults: what `quadflow figure --list` shows.

`python -m benchmarks.durations [NAME …]` measures all figures, or some, each in a process of its own, and writes the
seconds into the table of the package. A figure that is not in it fails a test.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.bench_commands import figure_names, run
from benchmarks.machine import machine
from quadflow.gallery.durations import FILE

ABOUT = "Seconds of every figure with its defaults; written by `python -m benchmarks.durations`."
MACHINE = ("processor", "cores", "system", "python")
# what a figure of a file draws, and the command that writes it, whose time does not count
FILES = {
    "study": (
        "figure study study.nc",
        "study gsgd --quick --data wine --epochs 1 --workers 0 --output study.nc",
    ),
    "sweep": (
        "figure sweep sweep.nc",
        "sweep --teacher 4,2,1 --vary init-scale=0.1,0.2 --vary hidden=3,4 --t-end 20 --workers 0",
    ),
}


def main(names: Sequence[str] = (), file: Path = FILE) -> None:
    """Measure figures and write their seconds beside those of the others."""
    known = figure_names()
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise SystemExit(f"no figure {', '.join(unknown)}: choose from {', '.join(known)}")
    for name in names or known:
        taken = seconds(name)
        print(f"{name:20} {taken:6.1f} s", file=sys.stderr)
        old = json.loads(file.read_text(encoding="utf-8"))["seconds"] if file.exists() else {}
        kept = {other: value for other, value in old.items() if other in known}
        about = {key: value for key, value in machine().items() if key in MACHINE}
        content = {
            "about": ABOUT,
            "machine": about,
            "seconds": dict(sorted((kept | {name: round(taken, 1)}).items())),
        }
        file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def seconds(name: str) -> float:
    """How long a figure takes from the call to its file.

    The lesser of the time on the wall and that of the processor: the first grows where others are at work, the second
    where threads wait for each other.

    Raises
    ------
    RuntimeError
        If the figure is not drawn.
    """
    line, before = FILES.get(name, (f"figure {name}", None))
    with TemporaryDirectory() as folder:
        if before is not None:
            _done(before, run(shlex.split(before), Path(folder)))
        row = _done(line, run(shlex.split(line), Path(folder)))
    return min(row["wall [s]"], row["processor [s]"])


def _done(line: str, row: dict[str, float]) -> dict[str, float]:
    if row["exit status"]:
        raise RuntimeError(f"`quadflow {line}` ended with status {row['exit status']}")
    return row


if __name__ == "__main__":
    main(sys.argv[1:])
