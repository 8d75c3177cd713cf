"""Carrying out the runs of a sweep: in this process, on this machine's cores, or on an existing Dask cluster."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from itertools import islice
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any

from dynamics.curves.variables import Variables
from dynamics.errors import ComputationError, ProblemError
from dynamics.versions import versions
from empirical.sweep.grid import Run
from empirical.sweep.store import Piece

if TYPE_CHECKING:
    from distributed import Client, Future

Evaluate = Callable[[Run], Variables]

AHEAD = 20  # runs handed to the cluster in advance, per thread of it
CONNECT = 20  # seconds to wait for the answer of a scheduler

_one_at_a_time = threading.Lock()


def execute(
    evaluate: Evaluate, runs: Iterable[Run], *, scheduler: str | None = None, workers: int | None = None
) -> Generator[Piece]:
    """Evaluate runs and yield a piece for each, in the order in which they finish.

    A run that raises is a piece with a reason. A run lost with its worker is repeated; one whose worker dies
    again and again (Dask's ``allowed-failures``), also when it is tried alone, is a piece with a reason too.

    Parameters
    ----------
    evaluate : callable
        Function of a module (workers import it), from a run to its labelled arrays.
    runs : iterable of Run
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
        for run in runs:
            yield evaluate_safely(evaluate, run)
        return
    require_dask()
    with _connected(scheduler, workers) as client:
        yield from _on_cluster(client, evaluate, runs)


def evaluate_safely(evaluate: Evaluate, run: Run) -> Piece:
    """The piece of a run, whatever happens in it.

    One run at a time in each process: SciPy's LSODA is not re-entrant, and threads would share what PyTorch sets.
    """
    with _one_at_a_time:
        try:
            return Piece(run.index, evaluate(run), "", _versions())
        except (ProblemError, ComputationError) as error:
            reason = str(error)
        except Exception as error:  # a sweep outlives anything that happens in one of its runs
            reason = f"{type(error).__name__}: {error}"
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
        with _interrupts_for_this_thread():
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


def _on_cluster(client: Client, evaluate: Evaluate, runs: Iterable[Run]) -> Iterator[Piece]:
    """Keep the cluster busy, but not flooded."""
    from distributed import as_completed

    rest = iter(runs)
    of_future: dict[Any, Run] = {}

    def submit(count: int) -> list[Future]:
        futures = []
        for run in islice(rest, count):
            future = client.submit(evaluate_safely, evaluate, run, pure=False)
            of_future[future.key] = run
            futures.append(future)
        return futures

    threads = sum(client.nthreads().values())
    waiting = as_completed(submit(AHEAD * max(threads, 1)), loop=client.loop)
    suspects = []
    for future in waiting:
        run = of_future.pop(future.key)
        waiting.update(submit(1))
        piece = _collect(future)
        if piece is None:
            suspects.append(run)
        else:
            yield piece
    # Dask suspects every run that was with a worker when it died: alone, a run shows whether it was the one.
    died = "Its worker process died every time it was tried (too little memory?)."
    for run in suspects:
        piece = _collect(client.submit(evaluate_safely, evaluate, run, pure=False))
        yield Piece(run.index, {}, died, _versions()) if piece is None else piece


def _collect(future: Future) -> Piece | None:
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
    assert isinstance(result, Piece)
    return result
