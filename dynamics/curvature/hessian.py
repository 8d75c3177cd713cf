"""The spectrum of the Hessian along a trajectory: sharpness, index and nullity.

The Hessian is that of the population loss, on data of the loss of the samples to train on, with the penalty of the
weight decay; over all trained weights, whatever the flow has reduced (`dynamics.curvature.whole`). Away from a
stationary point the eigenvalues that are zero there are small but not zero, of either sign: by Weyl's inequality they
differ by at most the distance times the third derivative. What counts as zero is therefore said: a part of the largest
eigenvalue, in size, that is met on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.curvature.whole import Whole
from dynamics.curves.result import Result
from dynamics.curves.trajectory import Trajectory
from dynamics.curves.variables import Meaning, Variable, Variables
from dynamics.errors import ComputationError, ProblemError
from dynamics.flows.spectrum import LARGEST_DENSE
from dynamics.population.base import Population
from dynamics.progress import progress_bar
from dynamics.stability import spaced
from dynamics.validation import validate_count, validate_real
from dynamics.words import counted

LARGEST_WHOLE = (
    4000  # unknowns after the reduction of which all eigenvalues are computed: some 10 s for each time
)
ZERO = 5e-3  # of the largest eigenvalue, in size, on the way: what counts as zero
VECTORS = 40  # of the iterations, at least
LANCZOS = 1e-8  # relative to the width of the spectrum: to what extreme eigenvalues converge
RATE = "1 / time of the flow"


@dataclass(frozen=True, eq=False, repr=False)
class HessianSpectrum(Result):
    """Eigenvalues of the Hessian at T times.

    Parameters
    ----------
    times : (T,) array
    loss : (T,) array
        Population loss there.
    eigenvalues : (T, m) array
        Descending, over all trained weights, in units of 1/time; or some of the highest, then some of the lowest, of
        which repeated ones may be fewer than there are.
    multiplicities : (T, m) integer array
        How often each occurs: more than once are those outside of the inputs in which the flow stays.
    weights : int
        Number n of trained weights.
    zero : float
        Part of the largest eigenvalue, in size, at all times below which one counts as zero.
    """

    KIND = "Hessian spectrum"

    times: Annotated[Array, Meaning("time", "time", "time of the flow", label=True)]
    loss: Annotated[Array, Meaning("time", "population loss", "squared output units")]
    eigenvalues: Annotated[
        Array, Meaning("time eigenvalue", "eigenvalues of the Hessian, descending", RATE, detail=True)
    ]
    multiplicities: Annotated[
        NDArray[np.int64],
        Meaning("time eigenvalue", "how often each eigenvalue occurs", detail=True, kind=int),
    ]
    weights: int
    zero: float = ZERO

    @property
    def whole(self) -> bool:
        """Whether all eigenvalues are there."""
        return int(self.multiplicities[0].sum()) == self.weights

    @property
    def sharpness(self) -> Array:
        """Largest eigenvalue, (T,): gradient descent is stable for steps below 2 over it."""
        return self.eigenvalues[:, 0]

    @property
    def lowest(self) -> Array:
        """Smallest eigenvalue, (T,)."""
        return self.eigenvalues[:, -1]

    @cached_property
    def tolerance(self) -> float:
        """Size up to which an eigenvalue counts as zero, at all times."""
        return self.zero * float(np.abs(self.eigenvalues).max())

    @property
    def index(self) -> NDArray[np.int64]:
        """Number of negative eigenvalues, (T,): below −`tolerance`.

        Raises
        ------
        ProblemError
            If not all eigenvalues are there.
        """
        return self._count(self.eigenvalues < -self.tolerance, "index")

    @property
    def nullity(self) -> NDArray[np.int64]:
        """Number of eigenvalues, (T,), that count as zero.

        Raises
        ------
        ProblemError
            If not all eigenvalues are there.
        """
        return self._count(np.abs(self.eigenvalues) <= self.tolerance, "nullity")

    def _count(self, which: NDArray[np.bool_], name: str) -> NDArray[np.int64]:
        if not self.whole:
            raise ProblemError(
                f"`{name}` counts all eigenvalues, but these are the highest and lowest alone: leave out `count`."
            )
        return np.sum(which * self.multiplicities, axis=1)

    def at(self, index: int) -> Array:
        """All eigenvalues (n,) at one of the times, descending, each as often as it occurs."""
        return np.repeat(self.eigenvalues[index], self.multiplicities[index])

    def variables(self) -> Variables:
        """Eigenvalues and what follows from them."""
        found = super().variables()
        found["sharpness"] = Variable(("time",), self.sharpness, "largest eigenvalue of the Hessian", RATE)
        found["lowest_eigenvalue"] = Variable(
            ("time",), self.lowest, "smallest eigenvalue of the Hessian", RATE
        )
        if self.whole:
            found["index"] = Variable(("time",), self.index, "negative eigenvalues of the Hessian")
            found["nullity"] = Variable(("time",), self.nullity, "eigenvalues of the Hessian that are zero")
        return found

    def attributes(self) -> dict[str, Any]:
        """What counts as zero, and whether all eigenvalues are there."""
        return {"whole": self.whole, "zero": self.zero, "tolerance": self.tolerance}

    def summary(self) -> str:
        """Sharpness and index, in a few lines."""
        top = int(np.argmax(self.sharpness))
        lines = [
            f"{counted(len(self.times), 'time')} up to t = {self.times[-1]:.6g}",
            f"sharpness {self.sharpness[0]:.6g} → {self.sharpness[-1]:.6g},"
            f" largest {self.sharpness[top]:.6g} at t = {self.times[top]:.4g}",
        ]
        if self.whole:
            lines.append(
                f"index {self.index[0]} → {self.index[-1]}, nullity {self.nullity[0]} → {self.nullity[-1]} (zero: up to"
                f" {self.tolerance:.3g})"
            )
        return "\n".join(lines)


def hessian_spectrum(
    trajectory: Trajectory,
    points: int = 60,
    count: int | None = None,
    *,
    zero: float = ZERO,
    penalty: bool = True,
    progress: bool = False,
) -> HessianSpectrum:
    """Eigenvalues of the Hessian along a trajectory, over all its trained weights.

    Parameters
    ----------
    trajectory : Trajectory
        Of any flow; the Hessian is that of the loss of its problem. For other times than its samples see
        `Trajectory.at`.
    points : int
        At up to so many samples, evenly spaced, the last one among them.
    count : int, optional
        Only so many of the highest and of the lowest eigenvalues, by Lanczos iterations where there are many weights;
        by default all.
    zero : float
        Part of the largest eigenvalue, in size, on the way below which one counts as zero.
    penalty : bool
        Whether the penalty of the weight decay belongs to the loss.
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Returns
    -------
    HessianSpectrum

    Raises
    ------
    ProblemError
        If an argument is not usable, or there are too many weights for all eigenvalues.
    ComputationError
        If Lanczos iterations do not converge.

    Examples
    --------
    >>> from dynamics import GradientFlow, Problem, Student, Teacher
    >>> problem = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(2, 2, scale=0.1, second_layer="fixed"))
    >>> spectrum = hessian_spectrum(GradientFlow(problem).integrate())
    >>> spectrum.index[[0, -1]].tolist()
    [4, 0]
    """
    return spectrum_at(
        trajectory, spaced(trajectory, points), count, zero=zero, penalty=penalty, progress=progress
    )


def spectrum_at(
    trajectory: Trajectory,
    samples: Sequence[int] | NDArray[np.intp],
    count: int | None = None,
    *,
    zero: float = ZERO,
    penalty: bool = True,
    progress: bool = False,
) -> HessianSpectrum:
    """The same at some of the samples, by their indices."""
    zero = validate_real("zero", zero, nonnegative=True)
    whole = Whole.of(trajectory)
    if count is None:
        remedy = "give `count`, for so many of the highest and lowest"
        check_size(len(whole.inner), "The Hessian after the reduction", remedy)
    else:
        count = validate_count("count", count)
    loss, rates = whole.problem.population, whole.rates if penalty else np.zeros(whole.unknowns)
    found, second = [], trajectory.second_layer
    for i in progress_bar(samples, "Hessian", shown=progress, remedy="lower `points`, or give `count`"):
        point = _Point(whole, loss, whole.weights(trajectory.coordinates[i]), second[i], rates)
        found.append(point.all() if count is None else point.extreme(count))
    values, multiplicities = (np.stack(rows) for rows in zip(*found, strict=True))
    student = trajectory.problem.student
    weights = student.W.size + trajectory.problem.second_layer.size * student.trainable
    at = np.asarray(samples, dtype=int)
    return HessianSpectrum(trajectory.times[at], trajectory.loss[at], values, multiplicities, weights, zero)


def check_size(n: int, what: str, remedy: str) -> None:
    """Refuse spectra that would take minutes for each time, or more memory than there is."""
    if n > LARGEST_WHOLE:
        raise ProblemError(
            f"{what} has {n} rows, but all eigenvalues are computed of at most {LARGEST_WHOLE}: {remedy}."
        )
    check_memory(f"{what}, of {n} rows,", 32 * n**2, remedy)


@dataclass(frozen=True, eq=False)
class _Point:
    """Second derivatives of a loss at one state.

    Parameters
    ----------
    whole : Whole
    loss : Population
    W, A : arrays
        Weights of the problem of `whole`.
    rates : (n,) array
        Added to the diagonal.
    """

    whole: Whole
    loss: Population
    W: Array
    A: Array
    rates: Array

    def all(self) -> tuple[Array, NDArray[np.int64]]:
        """All eigenvalues, and how often each occurs."""
        n = self.whole.unknowns
        return self.whole.eigenvalues(self.loss.hessian(self.W, self.A)[:n, :n], self.rates)

    def product(self, v: Array) -> Array:
        """The Hessian, without the rates, times a vector (n,)."""
        first = self.W.size
        dA = v[first:].reshape(self.A.shape) if len(v) > first else np.zeros_like(self.A)
        hW, hA = self.loss.hessian_vector(self.W, self.A, v[:first].reshape(self.W.shape), dA)
        return np.append(hW, hA)[: len(v)]

    def extreme(self, count: int) -> tuple[Array, NDArray[np.int64]]:
        """The `count` highest and `count` lowest eigenvalues, and how often each occurs."""
        whole, inner = self.whole, self.whole.inner
        small = len(inner) <= LARGEST_DENSE or 2 * count >= len(inner)
        inside = None if small else self._by_lanczos(count)
        if inside is None:
            values, multiplicities = self.all()
        else:
            outside, times = whole.spread(whole.block(self.product))
            values = np.append(inside, outside + self.rates[0])
            multiplicities = np.append(np.ones(len(inside), dtype=np.int64), times)
            order = np.argsort(-values, kind="stable")
            values, multiplicities = values[order], multiplicities[order]
        if len(values) <= 2 * count:
            return values, multiplicities
        ends = np.r_[:count, -count:0]
        return values[ends], multiplicities[ends]

    def _by_lanczos(self, count: int) -> Array | None:
        """Extreme eigenvalues inside: the highest, then the lowest; None if they are better found among all.

        The lowest are sought below the highest one, so that those close to zero are not close to zero there. Where many
        lie close together the iterations may not converge.
        """
        inner, n = self.whole.inner, len(self.whole.inner)
        how: dict[str, Any] = {
            "k": count,
            "ncv": min(n, max(VECTORS, 4 * count)),
            "v0": np.random.default_rng(0).standard_normal(n),
            "tol": LANCZOS,
            "return_eigenvectors": False,
        }

        def shifted(top: float) -> LinearOperator:
            def matvec(v: Array) -> Array:
                full = np.zeros(self.whole.unknowns)
                full[inner] = v.ravel()
                return np.asarray((self.product(full) + (self.rates - top) * full)[inner])

            return LinearOperator((n, n), matvec=matvec, dtype=float)

        try:
            high = eigsh(shifted(0.0), which="LA", **how)
            top = float(high.max())
            low = eigsh(shifted(top), which="SA", **how)
        except ArpackNoConvergence:
            if self.whole.unknowns <= LARGEST_WHOLE:
                return None
            raise ComputationError(
                f"The Lanczos iterations for {count} eigenvalues of {n} did not converge: ask for another `count`."
            ) from None
        return np.concatenate([np.sort(high)[::-1], np.sort(low)[::-1] + top])
