"""A sweep from its plan to its file, in one sitting or in several."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from dynamics.budget import check_memory
from dynamics.errors import ProblemError
from dynamics.progress import progress_bar
from empirical.sweep.chunks import Chunking
from empirical.sweep.dataset import SUFFIXES, assemble, read_dataset, require_xarray, write_dataset
from empirical.sweep.execution import Evaluate, execute, require_dask
from empirical.sweep.grid import SweepPlan, difference
from empirical.sweep.pieces import Piece
from empirical.sweep.store import PieceStore, remove_pieces

if TYPE_CHECKING:
    import xarray

ONE_BY_ONE = Chunking()
COPIES = 3  # of all results while they are put together: pieces, arrays, file


def run_sweep(
    plan: SweepPlan,
    evaluate: Evaluate,
    output: str | Path,
    *,
    chunking: Chunking = ONE_BY_ONE,
    resume: bool = False,
    overwrite: bool = False,
    scheduler: str | None = None,
    workers: int | None = None,
    progress: bool = False,
    command: str | None = None,
) -> xarray.Dataset:
    """Compute all runs of a sweep and write them to one file.

    Runs that are finished together are put on disk at once, in a file beside the output (`pieces_path`), which
    disappears when the output is complete. A run that raises is recorded as failed, with its reason.

    Parameters
    ----------
    plan : SweepPlan
    evaluate : callable
        ``evaluate(run)`` returns the variables of a `Run` (`dynamics.curves.variables`); the axis "time" is the one
        of the variable "time". Or it returns a generator that asks for its expensive parts (`dynamics.requests`) and
        returns them, so that runs of a task have those done together. A function of a module, so that worker processes
        can import it.
    output : path
        Ends in .nc or .zarr.
    chunking : Chunking
        Which runs are a task; by default each is one.
    resume : bool
        Continue what was interrupted: runs that are on disk are not repeated.
    overwrite : bool
        Begin anew, whatever is there: finished runs of an interrupted sweep are lost at once, an earlier result when
        the new one is complete.
    scheduler, workers
        See `empirical.sweep.execution.execute`.
    progress : bool
        Show a progress bar on standard error if that is a terminal.
    command : str, optional
        Command line to keep in the file; of a sweep in several sittings, that of the last.

    Returns
    -------
    xarray.Dataset
        As `empirical.sweep.dataset.assemble` describes it.

    Raises
    ------
    ProblemError
        If something is missing; if there is a result, or there are runs of an interrupted sweep, and neither `resume`
        nor `overwrite` is given; if they belong to another sweep; or if the result would not fit into the memory.
    ComputationError
        If the cluster is lost; finished runs are kept.

    Notes
    -----
    The data of a sweep that was killed and resumed are those of an uninterrupted one, bit for bit, on the same
    kind of processor with the same versions: each run has its own seed and one thread, tasks are done as a whole, and
    nothing about time or machine is stored (the `command` differs). What a flow gives does not depend on the runs
    beside it in a task; networks that are trained together agree with those trained alone to rounding.
    """
    path = Path(output)
    if path.suffix.lower() not in SUFFIXES:
        raise ProblemError(f"`output` is {str(output)!r}, but must end in: {', '.join(SUFFIXES)}.")
    require_xarray(path.suffix.lower())
    if scheduler is not None or workers != 0:
        require_dask()
    if resume and overwrite:
        raise ProblemError("`--resume` and `--overwrite` contradict each other: give one of them.")
    definition, pieces = plan.definition(), pieces_path(path)
    if overwrite:
        remove_pieces(pieces)
    elif not resume:
        _check_free(path, pieces)
    elif path.exists() and not pieces.exists():
        whole = read_dataset(path)
        _check_same(path, whole.attrs["definition"], definition)
        remove_pieces(pieces)  # what a program that was killed between two deletions left behind
        return whole
    with PieceStore(pieces, definition) as store:
        _check_same(pieces, store.definition, definition)
        done = store.finished()
        chunks, sized = chunking.chunks(plan, done), False
        if len(done) < len(plan):
            with (
                closing(execute(evaluate, chunks, scheduler=scheduler, workers=workers)) as results,
                progress_bar(
                    None,
                    "sweep",
                    len(plan),
                    shown=progress,
                    initial=len(done),
                    unit="run",
                    remedy="vary fewer values, or lower `replicates`",
                ) as bar,
            ):
                for finished in results:
                    store.add(finished)
                    bar.update(len(finished))
                    example = next((piece for piece in finished if piece.values), None)
                    if example is not None and not sized:
                        _check_result(example, plan)
                        sized = True
        dataset = assemble(plan, store, command)
        write_dataset(dataset, path)
    remove_pieces(pieces)
    return dataset


def pieces_path(output: str | Path) -> Path:
    """Where the finished runs of an unfinished sweep are."""
    return Path(f"{output}.pieces")


def finished_runs(plan: SweepPlan, output: str | Path) -> int:
    """How many runs of an unfinished sweep are on disk."""
    pieces = pieces_path(output)
    if not pieces.exists():
        return 0
    with PieceStore(pieces, plan.definition()) as store:
        return len(store.finished())


def _check_free(path: Path, pieces: Path) -> None:
    """Refuse to lose what somebody computed."""
    if pieces.exists():
        raise ProblemError(
            f"{str(pieces)!r} holds finished runs of an interrupted sweep: continue it with `--resume`, or begin anew "
            "with `--overwrite`."
        )
    if path.exists():
        raise ProblemError(
            f"`--output` {str(path)!r} exists: give another name, or `--overwrite` to replace it (`--resume` reads it, "
            "if it is of the same sweep)."
        )


def _check_result(piece: Piece, plan: SweepPlan) -> None:
    """Refuse a sweep whose runs, if all are like this one, do not fit into the memory together."""
    one = sum(variable.array.nbytes for variable in piece.values.values())
    check_memory(
        f"The result of {len(plan)} runs like the first",
        COPIES * one * len(plan),
        "ask for fewer times, or make several sweeps of it",
    )


def _check_same(path: Path, stored: str, definition: str) -> None:
    if stored != definition:
        raise ProblemError(
            f"`--resume`: {str(path)!r} belongs to another sweep, which differs in: {difference(stored, definition)}."
        )
