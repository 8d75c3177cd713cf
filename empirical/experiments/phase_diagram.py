"""Phase diagrams: where in the space of initial states training succeeds, predicted and trained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.clock import Clock
from dynamics.errors import ProblemError
from dynamics.outcome.diagnosis import diagnosing
from dynamics.phase_plane import SIZES
from dynamics.problem import Problem, Student, Teacher
from dynamics.progress import progress_bar
from dynamics.requests import together
from dynamics.validation import validate_array, validate_count, validate_real
from empirical.experiments.grid_training import GridTraining, train_grid


@dataclass(frozen=True, eq=False)
class SingleModeDiagram:
    """One unit, one mode λ > 0: success over the initial state (a₀, p₀).

    Parameters
    ----------
    eigenvalue : float
    a0, p0 : (m,), (n,) arrays
        Axes of the grid.
    predicted : (m, n) boolean array
        Whether theory says "succeeds".
    loss : (m, n) array
        Loss of the trained networks at the end.
    trained : (m, n) boolean array
        Whether it is below half of the loss of the zero function, where failing networks stay.
    training : GridTraining
    """

    eigenvalue: float
    a0: Array
    p0: Array
    predicted: NDArray[np.bool_]
    loss: Array
    trained: NDArray[np.bool_]
    training: GridTraining

    @property
    def conserved(self) -> Array:
        """c = p₀² − 2a₀², (m, n)."""
        return self.p0**2 - 2 * self.a0[:, None] ** 2

    def disagreement(self, margin: float) -> int:
        """Number of networks farther than `margin` from c = 0 that did not do what was predicted."""
        return int(np.sum((self.predicted != self.trained) & (np.abs(self.conserved) > margin)))


def grid_of_starts(points: int, extent: float) -> tuple[Array, Array]:
    """Axes of a grid of initial weights, a₀ from −extent to extent and p₀ from extent/points to extent.

    Raises
    ------
    ProblemError
        If there are fewer than 2 points per axis, or the extent is not positive.
    """
    n = validate_count("points", points, minimum=2)
    size = validate_real("extent", extent, positive=True, size=SIZES)
    return np.linspace(-size, size, n), np.linspace(size / n, size, n)


def single_mode_diagram(
    a0: ArrayLike,
    p0: ArrayLike,
    *,
    eigenvalue: float = 1.0,
    step: float = 5e-3,
    time: float = 20.0,
    batch: int = 64,
    seed: int = 0,
    progress: bool = False,
) -> SingleModeDiagram:
    """Diagnose and train one unit from every point of a grid.

    Parameters
    ----------
    a0, p0 : (m,), (n,) arrays
        Initial second- and first-layer weights; p₀ ≠ 0.
    eigenvalue : float
        λ > 0.
    step, time : float
        η, and the time of the flow up to which is trained.
    batch, seed : int
    progress : bool
    """
    a, p = validate_array("a0", a0, 1), validate_array("p0", p0, 1)
    lam = validate_real("eigenvalue", eigenvalue, positive=True)
    teacher = Teacher.from_eigenvalues([lam])
    grid_a, grid_p = np.meshgrid(a, p, indexing="ij")
    W, A = grid_p.reshape(-1, 1, 1), grid_a.reshape(-1, 1)
    predicted = _verdicts(teacher, W, A, progress=progress) == "succeeds"
    steps = Clock(step).steps_until(validate_real("time", time, positive=True), name="time")
    training = train_grid(teacher, W, A, step=step, steps=steps, batch=batch, seed=seed, progress=progress)
    loss = training.loss.reshape(grid_a.shape)
    return SingleModeDiagram(
        lam,
        a,
        p,
        predicted.reshape(grid_a.shape),
        loss,
        loss < 0.5 * 1.5 * lam**2,  # L = λ² + λ²/2 for the zero function
        training,
    )


@dataclass(frozen=True, eq=False)
class ScaleDiagram:
    """Several units: fraction of successes over the scales of the two layers' initial weights.

    Parameters
    ----------
    eigenvalues : (m,) array
        Of the teacher.
    hidden, inputs : int
    scale_w, scale_a : (m,), (n,) arrays
        Entries of W start as N(0, scale_w²/d), those of a as scale_a |N(0, 1)| or scale_a N(0, 1).
    succeeds, fails : (m, n) arrays
        Fraction of starts with that verdict; the rest is undecided.
    trained : (m, n) array
        Fraction of the same starts whose training reached the least loss.
    replicates : int
        Starts per point.
    positive : bool
        Whether all a start positive.
    disagreements : int
        Networks that did not do what was predicted.
    training : GridTraining
    """

    eigenvalues: Array
    hidden: int
    inputs: int
    scale_w: Array
    scale_a: Array
    succeeds: Array
    fails: Array
    trained: Array
    replicates: int
    positive: bool
    disagreements: int
    training: GridTraining


def grid_of_scales(points: int) -> Array:
    """Initial scales from 0.1 to 1, evenly spaced in their logarithm, (points,).

    Raises
    ------
    ProblemError
        If there are fewer than 2.
    """
    return np.geomspace(0.1, 1.0, validate_count("points", points, minimum=2))


def scale_diagram(
    eigenvalues: ArrayLike,
    scale_w: ArrayLike,
    scale_a: ArrayLike,
    *,
    hidden: int = 4,
    replicates: int = 20,
    positive: bool = True,
    step: float = 2e-3,
    time: float = 20.0,
    batch: int = 64,
    follow: bool = True,
    seed: int = 0,
    progress: bool = False,
) -> ScaleDiagram:
    """Diagnose and train random starts at every pair of scales.

    Parameters
    ----------
    eigenvalues : (d,) array
        Of the teacher, zeros included.
    scale_w, scale_a : (m,), (n,) arrays
    hidden : int
        K, at least the rank of the teacher.
    replicates : int
        Starts per pair.
    positive : bool
        Start with all a positive.
    step, time : float
        η, and the time of the flow up to which is trained.
    batch : int
    follow : bool
        See `dynamics.outcome.diagnose`.
    seed : int
    progress : bool
    """
    lam = validate_array("eigenvalues", eigenvalues, 1)
    sw, sa = validate_array("scale_w", scale_w, 1), validate_array("scale_a", scale_a, 1)
    K, S = validate_count("hidden", hidden), validate_count("replicates", replicates)
    if np.count_nonzero(lam) > K or not lam.any():
        raise ProblemError(
            f"`hidden` is {K}, but must be at least the rank of the teacher, {np.count_nonzero(lam)}, which must not"
            " be zero."
        )
    d, starts_in_all = len(lam), len(sw) * len(sa) * S
    check_memory(
        f"A diagram of {starts_in_all} starts with {K} units in {d} dimensions",
        3 * 8 * starts_in_all * K * (d + 1),  # drawn, scaled and handed on
        "lower `hidden`, `replicates` or the number of scales",
    )
    teacher = Teacher.from_eigenvalues(lam)
    rng = np.random.default_rng(validate_count("seed", seed, minimum=0))
    W = sw[:, None, None, None, None] / np.sqrt(d) * rng.standard_normal((len(sw), len(sa), S, K, d))
    a = sa[:, None, None] * rng.standard_normal((len(sw), len(sa), S, K))
    a = np.abs(a) if positive else a
    shape = a.shape[:3]
    W, a = W.reshape(-1, K, d), a.reshape(-1, K)
    verdicts = _verdicts(teacher, W, a, follow=follow, progress=progress)
    steps = Clock(step).steps_until(validate_real("time", time, positive=True), name="time")
    training = train_grid(
        teacher, W, a, step=step, steps=steps, batch=batch, seed=seed + 1, progress=progress
    )
    # A stationary point that misses a mode has L ≥ λ_j².
    done = training.loss < 0.5 * np.min(lam[lam != 0] ** 2)
    wrong = (verdicts == "succeeds") & ~done | (verdicts == "fails") & done
    return ScaleDiagram(
        lam,
        K,
        d,
        sw,
        sa,
        (verdicts == "succeeds").reshape(shape).mean(axis=-1),
        (verdicts == "fails").reshape(shape).mean(axis=-1),
        done.reshape(shape).mean(axis=-1),
        S,
        positive,
        int(wrong.sum()),
        training,
    )


def _verdicts(
    teacher: Teacher, W: Array, a: Array, *, follow: bool = True, progress: bool = False
) -> NDArray[np.str_]:
    """What theory says of n starts, W (n, K, d) and a (n, K); flows that decide are followed together, (n,)."""
    starts = zip(W, a, strict=True)
    asked = [diagnosing(Problem(teacher, Student(w, b)), follow=follow) for w, b in starts]
    verdicts = [""] * len(asked)
    bar = progress_bar(
        together(asked), "diagnosing", len(asked), shown=progress, remedy="lower `points` or `replicates`"
    )
    for i, found in bar:
        if isinstance(found, Exception):
            raise found
        verdicts[i] = found.verdict
    return np.array(verdicts)
