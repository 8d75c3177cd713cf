"""Which minimum of a decayed loss a state rests at, and what to say where that is not the best one."""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array
from dynamics.problem import Problem
from dynamics.problem.decayed_levels import DecayedMinimum, decayed_minima
from dynamics.problem.mode_numbers import mode_numbers, mode_set

CLOSE = 1e-3  # of the largest eigenvalue: so near its values must what is learned at a minimum be


def minima(problem: Problem) -> tuple[DecayedMinimum, ...]:
    """All minima of a problem with decay, by ascending objective; empty where none are known.

    Known for quadratic and centred units, one output, Σ = I, and two layers that are trained and decay.
    """
    coupling, decay = problem.trace_coupling, problem.weight_decay
    known = coupling is not None and problem.covariance is None and problem.teacher.outputs == 1
    if not (known and problem.student.trainable and decay.first and decay.second):
        return ()
    assert coupling is not None
    eigenvalues = np.linalg.eigvalsh(problem.teacher.matrix())[::-1]
    return decayed_minima(eigenvalues, problem.student.hidden, decay, coupling)


def minimum_at(
    problem: Problem, modes: Array, loss: float, known: tuple[DecayedMinimum, ...]
) -> DecayedMinimum | None:
    """The minimum to which a state with these modes (m,) and loss belongs; None if to none of the known ones."""
    targets = problem.mode_targets
    numbers = mode_numbers(targets, problem.inputs)
    size = float(np.abs(targets).max(initial=0.0)) or 1.0

    def distance(minimum: DecayedMinimum) -> float:
        values = dict(zip(minimum.learned, minimum.level.values, strict=True))
        wanted = np.array([values.get(int(n), 0.0) for n in numbers])
        off = float(np.abs(modes - wanted).max(initial=0.0))
        return max(off / size, abs(loss - minimum.level.loss) / size**2)

    nearest = min(known, key=distance)
    return nearest if distance(nearest) <= CLOSE else None


def trap(problem: Problem, modes: Array, loss: float) -> str:
    """What there is to say of a state at rest that is not at the global minimum of R; empty if it is, or not known.

    Parameters
    ----------
    problem : Problem
    modes : (m,) array
        What is learned of every mode.
    loss : float
    """
    known = minima(problem)
    here = minimum_at(problem, modes, loss, known) if known else None
    if here is None or here is known[0]:
        return ""
    return (
        f"Resting at the minimum {described(here)}: weight decay lets no further unit grow; the global minimum is"
        f" {described(known[0])}."
    )


def described(minimum: DecayedMinimum) -> str:
    """A minimum in words."""
    name = mode_set(minimum.learned) + ("" if minimum.learned else " (nothing learned)")
    return f"{name} with loss {minimum.level.loss:.6g} and objective {minimum.objective:.6g}"
