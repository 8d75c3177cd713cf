"""One thread really is one: the variables that libraries read when they are loaded, and a check by processor time."""

from __future__ import annotations

import os

VARIABLES = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
}
MOST = 1.25  # processor time over wall-clock time: XLA hands work to its one thread by another, two at work have 2


def set_one_thread() -> None:
    """Ask every library for one thread; before any of them is imported, as they read it once."""
    for name, value in VARIABLES.items():
        os.environ.setdefault(name, value)


def check_one_thread(name: str, processor: float, wall: float) -> None:
    """Refuse a measurement in which more than one thread was busy.

    Parameters
    ----------
    processor, wall : float
        Seconds of the processor, all threads together, and of the clock on the wall, of the same call.

    Raises
    ------
    RuntimeError
        If the processor was busy for more than 1.25 of the time that went by.
    """
    if processor > MOST * wall:
        raise RuntimeError(
            f"{name} kept {processor / wall:.2f} threads busy, but is compared on one: set {', '.join(VARIABLES)} "
            "before Python starts."
        )
