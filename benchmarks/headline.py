"""What the benchmarks say in one table: for every task one line, with the ratio to the best peer of each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.formulations import GRAM, REDUCED
from benchmarks.report import Table
from benchmarks.solvers import COMPILED, INTERPRETED, OLD, OURS, PLAIN

Row = dict[str, Any]
GIVEN_OURS = "given our reduction"
KINDS = (INTERPRETED, COMPILED, GIVEN_OURS, OLD)
NOTE = (
    "Time of the best peer of each kind over quadflow's, so that above 1 quadflow is faster, and who that peer is. "
    "Interpreted: NumPy, SciPy, PyTorch and SymPy as they are; compiled: right-hand sides or whole solvers by numba, "
    "XLA or LLVM, named; given our reduction: compiled ones on the problem that quadflow reduces to, in Gram form too. "
    "Everything else is below, with errors, tolerances and cores."
)


@dataclass(frozen=True)
class Timed:
    """Who took how long, of which kind."""

    name: str
    kind: str
    seconds: float


def headline(tables: Sequence[Table]) -> Table | None:
    """The table of what there is; None if there is nothing to compare."""
    lines = [line for table in tables for start, lines in LINES.items() if table.name.startswith(start)
             for line in lines(table)]  # fmt: skip
    if not lines:
        return None
    return Table("headline", "In short", NOTE, lines)


def line(task: str, timed: Iterable[Timed]) -> list[Row]:
    """One line for quadflow as it is installed with its extras, and one without them where both were measured."""
    timed = list(timed)
    found = []
    for ours, suffix in ((OURS, ""), (PLAIN, ", NumPy and SciPy alone")):
        own = [t.seconds for t in timed if t.kind == ours]
        if own:
            row: Row = {"task": task + suffix}
            found.append(
                row | {kind: _best(min(own), [t for t in timed if t.kind == kind]) for kind in KINDS}
            )
    return found


def _best(own: float, peers: list[Timed]) -> str | None:
    if not peers:
        return None
    best = min(peers, key=lambda peer: peer.seconds)
    return f"{best.seconds / own:.3g} × {best.name}" if best.kind != OLD else f"{best.seconds / own:.3g}"


def _trajectory(table: Table) -> list[Row]:
    def kind(row: Row) -> str:
        return GIVEN_OURS if row["given"] in (REDUCED, GRAM) else row["kind"]

    task = table.title.split(") ", 1)[1]
    return line(task, [Timed(row["solver"], kind(row), row["seconds"]) for row in table.rows])


def _default(table: Table) -> list[Row]:
    rows = []
    for row in table.rows:
        timed = [
            Timed("", OURS, min(row["quadflow [s]"], row["with numba [s]"] or row["quadflow [s]"])),
            Timed("", PLAIN, row["NumPy alone [s]"]),
            Timed("", OLD, row["version 0.1 [s]"]),
        ]
        rows += line(f"{row['problem']}, default tolerance, 201 samples", timed)
    return rows


def _ensemble(table: Table) -> list[Row]:
    """Each number of cores by itself."""
    rows = []
    for cores in sorted({row["cores"] for row in table.rows}):
        timed = [
            Timed(row["engine"], row["kind"], row["ms per trajectory"])
            for row in table.rows
            if row["cores"] == cores
        ]
        of = "1 core" if cores == 1 else f"{cores} cores"
        rows += line(f"{table.title.split(') ', 1)[1]}, {of}", timed)
    return rows


def _training(table: Table) -> list[Row]:
    rows = []
    for task in dict.fromkeys(row["task"] for row in table.rows):
        timed = [
            Timed(row["by"], row["kind"], row["µs per step"]) for row in table.rows if row["task"] == task
        ]
        rows += [row | {"task": f"training step: {task}"} for row in line(task, timed)]
    return rows


def _wide(ours: str, name: Callable[[Row], str]) -> Callable[[Table], list[Row]]:
    """Of tables whose columns are quadflow and peers by SymPy: the last row, the largest task."""

    def lines(table: Table) -> list[Row]:
        row = table.rows[-1]
        peers = [
            Timed(column.removesuffix(" [s]"), INTERPRETED, seconds)
            for column, seconds in row.items()
            if column.startswith("SymPy") and seconds is not None
        ]
        return line(name(row), [Timed("", OURS, row[ours]), *peers])

    return lines


def _inputs(table: Table) -> list[Row]:
    column = "textbook solve_ivp DOP853 [s]"
    row = [row for row in table.rows if row[column] is not None][-1]
    timed = [Timed("", PLAIN, row["everything [s]"]), Timed("solve_ivp DOP853", INTERPRETED, row[column])]
    return line(f"trajectory in {row['inputs d']} inputs, 10 units", timed)


LINES: dict[str, Callable[[Table], list[Row]]] = {
    "trajectory": _trajectory,
    "default": _default,
    "initial conditions": _ensemble,
    "inputs": _inputs,
    "training": _training,
    "derivation": _wide(
        "quadflow [s]", lambda row: f"derivation of the equations, K = {row['K']}, d = {row['d']}"
    ),
    "moments": _wide("quadflow [s]", lambda row: f"moment of order {row['order']}, polynomials"),
}
