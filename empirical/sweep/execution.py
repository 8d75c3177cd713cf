"""Carrying out the runs of a sweep: in this process, on this machine's cores, or on an existing Dask cluster."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from inspect import isgeneratorfunction
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any, cast

from dynamics.curves.variables import Variables
from dynamics.errors import ComputationError, ProblemError
from dynamics.progress import stage
from dynamics.requests import Asking, Turn, together
from dynamics.versions import versions
from empirical.sweep.grid import Run
from empirical.sweep.pieces import Piece

if TYPE_CHECKING:
    from distributed import Client, Future

Evaluate = Callable[[Run], Variables] | Callable[[Run], Asking[Variables]]
"""A function that returns what a run gives, or a generator function that asks for its expensive parts before."""

AHEAD, FEWEST_AHEAD = (
    20,
    2,
)  # runs handed to the cluster in advance, per thread of it, and chunks of them at least
SECONDS = 5.0  # after which a chunk hands in what it has, and the rest becomes chunks of that size
CONNECT = 20  # seconds to wait for the answer of a scheduler

_one_at_a_time = threading.Lock()


def execute(
    evaluate: Evaluate,
    chunks: Iterable[list[Run]],
    *,
    scheduler: str | None = None,
    workers: int | None = None,
) -> Generator[list[Piece]]:
    """Evaluate runs, those of a chunk together, and yield a piece for each, in lists of those that finished together.

    A run that raises is a piece with a reason. Runs lost with their worker are repeated; if workers die of a chunk
    again and again (Dask's ``allowed-failures``) its runs are tried alone, and one of which they die then is a piece
    with a reason too.

    Parameters
    ----------
    evaluate : callable
        Function of a module (workers import it), from a run to its labelled arrays, or to a generator that asks for
        what takes the time and returns them.
    chunks : iterable of lists of Run
        One task each.
    scheduler : str, optional
        Address of an existing Dask cluster.
    workers : int, optional
        Processes on this machine otherwise, by default one per core; 0: no Dask, this process.

    Raises
    ------
    ProblemError
        If Dask is not installed, or no scheduler answers.
    ComputationError
        If the cluster is lost, or its workers cannot import quadflow.
    """
    if scheduler is None and workers == 0:
        waiting = _Queue(chunks)
        for chunk in waiting:
            pieces = evaluate_safely(evaluate, chunk)
            waiting.put_back(chunk, pieces)
            yield pieces
        return
    require_dask()
    with _connected(scheduler, workers) as client:
        yield from _on_cluster(client, evaluate, chunks)


class _Queue:
    """Chunks that wait, those first of which something has been done already."""

    def __init__(self, chunks: Iterable[list[Run]]) -> None:
        self._rest, self._begun = iter(chunks), deque[list[Run]]()

    def __iter__(self) -> Iterator[list[Run]]:
        return self

    def __next__(self) -> list[Run]:
        return self._begun.popleft() if self._begun else next(self._rest)

    def put_back(self, chunk: list[Run], pieces: Sequence[Piece]) -> None:
        """What is not done of a chunk, in chunks as large as what was done in the time that one may take."""
        done = {piece.index for piece in pieces}
        rest, size = [run for run in chunk if run.index not in done], max(1, len(pieces))
        self._begun.extend(rest[i : i + size] for i in range(0, len(rest), size))


def evaluate_safely(evaluate: Evaluate, chunk: Sequence[Run]) -> list[Piece]:
    """Pieces of the runs of a chunk, whatever happens in them; not of all where that takes more than `SECONDS`.

    One chunk at a time in each process: SciPy's LSODA is not re-entrant, and threads would share what PyTorch sets.
    """
    with _one_at_a_time:
        end = time.perf_counter() + SECONDS
        askings = [_asking(evaluate, run) for run in chunk]
        found = together(askings, lambda: time.perf_counter() < end)
        return [_piece(chunk[i], result) for i, result in found]


def _asking(evaluate: Evaluate, run: Run) -> Asking[Variables]:
    """A run as a computation that asks for something: if for nothing else, for its turn."""
    if isgeneratorfunction(evaluate):
        return (yield from cast("Callable[[Run], Asking[Variables]]", evaluate)(run))
    yield Turn()
    return cast("Callable[[Run], Variables]", evaluate)(run)


def _piece(run: Run, result: Variables | Exception) -> Piece:
    """What is stored of a run."""
    if not isinstance(result, Exception):
        return Piece(run.index, result, "", _versions())
    expected = isinstance(result, ProblemError | ComputationError)
    reason = str(result) if expected else f"{type(result).__name__}: {result}"
    return Piece(run.index, {}, " ".join(reason.split()), _versions())


@cache
def _versions() -> dict[str, str]:
    """Versions of everything that can influence a run, whichever kind it is."""
    return versions() | {"torch": metadata.version("torch")}


def require_dask() -> None:
    """Refuse, in one sentence, where Dask is missing."""
    try:
        import distributed  # noqa: F401
    except ImportError:
        raise ProblemError(
            "Sweeps on several processes need Dask, which is not installed: pip install 'quadflow[cluster]', "
            "or use `--workers 0`."
        ) from None


@contextmanager
def _connected(scheduler: str | None, workers: int | None) -> Iterator[Client]:
    """A client of the cluster at this address, or of one of our own that ends with the context."""
    from distributed import Client, LocalCluster

    logger = logging.getLogger("distributed")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # a worker that dies is dealt with here
    try:
        if scheduler is not None:
            try:
                client = Client(scheduler, timeout=CONNECT, set_as_default=False)
            except (OSError, ValueError) as error:
                raise ProblemError(
                    f"`--scheduler` is {scheduler!r}, but no Dask scheduler answers there ({error})."
                ) from None
            with client:
                yield client
            return
        with _interrupts_for_this_thread(), stage("starting worker processes"):
            # Dask's nannies set the number of BLAS threads of their workers to 1.
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",  # any free port: another sweep may run beside this one
                silence_logs=logging.CRITICAL,
            )
        with cluster, Client(cluster, set_as_default=False) as client:
            yield client
    finally:
        logger.setLevel(level)


@contextmanager
def _interrupts_for_this_thread() -> Iterator[None]:
    """Threads and processes started herein, and theirs, never see Ctrl-C: it is for this thread to end them."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # which would let the signal through again in the thread that starts it
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _on_cluster(client: Client, evaluate: Evaluate, chunks: Iterable[list[Run]]) -> Iterator[list[Piece]]:
    """Keep the cluster busy, but not flooded."""
    from distributed import as_completed

    rest = _Queue(chunks)
    of_future: dict[Any, list[Run]] = {}
    threads, held = max(sum(client.nthreads().values()), 1), 0

    def submit() -> list[Future]:
        """Futures of as many chunks as the cluster should have at hand."""
        nonlocal held
        futures = []
        while held < AHEAD * threads or len(of_future) < FEWEST_AHEAD * threads:
            chunk = next(rest, None)
            if chunk is None:
                break
            future = client.submit(evaluate_safely, evaluate, chunk, pure=False)
            of_future[future.key] = chunk
            held += len(chunk)
            futures.append(future)
        return futures

    waiting = as_completed(submit(), loop=client.loop)
    suspects: list[Run] = []
    for future in waiting:
        chunk = of_future.pop(future.key)
        held -= len(chunk)
        pieces = _collect(future)
        if pieces is not None:
            rest.put_back(chunk, pieces)
        waiting.update(submit())
        if pieces is None:
            suspects += chunk
        else:
            yield pieces
    # Dask suspects every run that was with a worker when it died: alone, a run shows whether it was the one.
    died = "Its worker process died every time it was tried (too little memory?)."
    for run in suspects:
        pieces = _collect(client.submit(evaluate_safely, evaluate, [run], pure=False))
        yield [Piece(run.index, {}, died, _versions())] if pieces is None else pieces


def _collect(future: Future) -> list[Piece] | None:
    """Wait for the result of a future; None if workers died of it, or beside it."""
    from distributed import KilledWorker

    try:
        result: Any = future.result()
    except KilledWorker:
        return None
    except Exception as error:  # `evaluate_safely` raises nothing: what is wrong is with the cluster
        lost = (
            "the connection to the scheduler is lost"
            if future.cancelled()
            else f"{type(error).__name__}: {error}"
        )
        raise ComputationError(f"The Dask cluster cannot go on: {lost}.") from error
    assert isinstance(result, list)
    return result
