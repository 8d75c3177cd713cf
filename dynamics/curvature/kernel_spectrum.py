"""The spectrum of the neural tangent kernel along a trajectory: of the population, or on given inputs.

Over the law of the inputs the kernel is the operator (Tg)(x) = E K(x, x′) g(x′) on functions, and ḟ = −T(f − f*).
T = JJᵀ, J taking displacements of the weights to those of f; so its eigenvalues other than zero are those of the matrix
F = JᵀJ = E ∂f ∂fᵀ over the weights, the Gauss-Newton part of the Hessian. F is the Hessian of the same loss where the
student is its own teacher (`InputLaw.metric`), and therefore known for every law and every activation of which the loss
is. Of quadratic units T acts on quadratic forms, d(d + 1)/2 for each output (derived here):

    D ↦ Σ_k ½ (w_kᵀG_ow_k) w_kw_kᵀ + Σ_kp A_okA_pk (G_pw_kw_kᵀ + w_kw_kᵀG_p),   G = 4ΣDΣ + 2 tr(DΣ) Σ.

A network of the units of two times, side by side, has a metric whose mixed block is E ∂f(t) ∂f(s)ᵀ, and tr T(t)T(s) is
the sum of its squares: that says how far the kernel has moved. What it does to the target f* is ⟨f*, T f*⟩ = ‖E f*∂f‖².
The gradient of the loss is E (f − f*) ∂f. Where A changes sign, so do f and ∂f/∂W but not ∂f/∂A: so E f* ∂f is half the
sum or difference of two gradients.

On n given inputs, and on a data set, T is the matrix K/n.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.aliases import Array
from dynamics.curvature.hessian import RATE, check_size
from dynamics.curvature.tangent_kernel import tangent_kernel
from dynamics.curvature.whole import Whole
from dynamics.curves.result import Result
from dynamics.curves.trajectory import Trajectory
from dynamics.curves.variables import Meaning
from dynamics.errors import ProblemError
from dynamics.problem.outputs import network_outputs
from dynamics.problem.scope import require
from dynamics.progress import progress_bar
from dynamics.stability import spaced
from dynamics.validation import validate_array
from dynamics.words import counted

ALIGNED = "⟨f*, T f*⟩ / (‖T‖ E‖f*‖²): 1 where the kernel sees the target alone"
MOVED = "‖T(t) − T(0)‖ / ‖T(0)‖: 0 where training is lazy"


@dataclass(frozen=True, eq=False, repr=False)
class KernelSpectrum(Result):
    """Eigenvalues of the tangent kernel at T times.

    Parameters
    ----------
    times : (T,) array
    eigenvalues : (T, m) array
        Descending; rates at which the modes of the function would be learned if the kernel stayed, in 1/time. Of the
        population as many as there are weights, on given inputs one for each input and output.
    multiplicities : (T, m) integer array
        How often each occurs.
    norm : (T,) array
        Root of the sum of their squares, ‖T‖.
    alignment : (T,) array or None
        ⟨f*, T f*⟩ / (‖T‖ E‖f*‖²), in [0, 1]; None without a target, or one that is zero.
    distance : (T,) array
        ‖T(t) − T(t₀)‖ / ‖T(t₀)‖ from the first of the times.
    """

    KIND = "kernel spectrum"

    times: Annotated[Array, Meaning("time", "time", "time of the flow", label=True)]
    eigenvalues: Annotated[
        Array, Meaning("time eigenvalue", "eigenvalues of the tangent kernel, descending", RATE)
    ]
    multiplicities: Annotated[
        NDArray[np.int64],
        Meaning("time eigenvalue", "how often each eigenvalue occurs", detail=True, kind=int),
    ]
    norm: Annotated[Array, Meaning("time", "root of the sum of squares of the eigenvalues", RATE)]
    alignment: Annotated[Array | None, Meaning("time", ALIGNED)]
    distance: Annotated[Array, Meaning("time", MOVED)]

    def attributes(self) -> dict[str, Any]:
        """None."""
        return {}

    def summary(self) -> str:
        """What became of the kernel, in a few lines."""
        top = self.eigenvalues[:, 0]
        lines = [
            f"{counted(len(self.times), 'time')} up to t = {self.times[-1]:.6g}",
            f"largest eigenvalue {top[0]:.6g} → {top[-1]:.6g}",
            f"moved by {self.distance[-1]:.4g} of itself",
        ]
        if self.alignment is not None:
            lines.append(f"alignment with the target {self.alignment[0]:.4g} → {self.alignment[-1]:.4g}")
        return "\n".join(lines)


def kernel_spectrum(
    trajectory: Trajectory,
    X: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    points: int = 20,
    progress: bool = False,
) -> KernelSpectrum:
    """Eigenvalues of the tangent kernel along a trajectory, its alignment with the target, and how far it moves.

    Parameters
    ----------
    trajectory : Trajectory
        Of any flow.
    X : (n, d) array, optional
        Inputs; by default the law of the inputs, on data the samples to train on.
    y : (n,) or (n, O) array, optional
        Target on the inputs; by default that of the teacher, if there is one.
    points : int
        At up to so many samples, evenly spaced, the last one among them.
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Raises
    ------
    ProblemError
        If an argument is not usable, or there are too many weights or inputs.

    Examples
    --------
    >>> from dynamics import GradientFlow, Problem, Student, Teacher
    >>> problem = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(4, 2, scale=0.1))
    >>> kernel = kernel_spectrum(GradientFlow(problem).integrate())
    >>> bool(kernel.distance[-1] > 10)  # from small weights features are learned
    True
    """
    require("tangent kernel", trajectory.problem)
    kept = spaced(trajectory, points)
    if X is None and y is not None:
        raise ProblemError("`y` is the target on given inputs: give `X` too.")
    first, rows = int(kept[0]), []
    kernel = _Population.of(trajectory, first) if X is None else _OnInputs.of(trajectory, first, X, y)
    for i in progress_bar(kept.tolist(), "kernel", shown=progress, remedy="lower `points`"):
        rows.append(kernel.look(i))
    values, multiplicities, norms, seen, moved = (np.stack(column) for column in zip(*rows, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):  # of zero weights there is no kernel
        distance = np.where(norms[0] > 0, moved / norms[0], np.nan)
        aligned = None if not kernel.power else np.where(norms > 0, seen / (norms * kernel.power), 0.0)
    return KernelSpectrum(trajectory.times[kept], values, multiplicities, norms, aligned, distance)


Look = tuple[Array, NDArray[np.int64], float, float, float]
"""Eigenvalues, how often each occurs, ‖T‖, ⟨f*, T f*⟩ (0 without a target) and ‖T − T₀‖."""


@dataclass(frozen=True, eq=False)
class _Population:
    """The kernel of the population.

    Parameters
    ----------
    trajectory : Trajectory
    first : int
        The sample that later ones are compared with.
    whole : Whole
    """

    trajectory: Trajectory
    first: int
    whole: Whole

    @classmethod
    def of(cls, trajectory: Trajectory, first: int) -> _Population:
        whole = Whole.of(trajectory)
        check_size(whole.unknowns, "The metric of the weights after the reduction", "give inputs `X`")
        return cls(trajectory, first, whole)

    @cached_property
    def power(self) -> float:
        """E‖f*‖², twice the loss of a student that is zero."""
        W, A = self._weights(0)
        return 2 * self.whole.problem.population.loss(0 * W, 0 * A)

    def _weights(self, i: int) -> tuple[Array, Array]:
        return self.whole.weights(self.trajectory.coordinates[i]), self.trajectory.A[i]

    def look(self, i: int) -> Look:
        """What there is to say at one sample."""
        (W, A), (W0, A0) = self._weights(i), self._weights(self.first)
        problem = self.whole.problem
        F = problem.law.metric(problem, np.vstack([W, W0]), np.hstack([A, A0]))
        now, then = self._places(W, A)
        values, multiplicities = self.whole.eigenvalues(F[np.ix_(now, now)])
        norm, start = self._squares(F, now, now), self._squares(F, then, then)
        moved = max(norm - 2 * self._squares(F, now, then) + start, 0.0)
        return values, multiplicities, math.sqrt(norm), self._seen(W, A), math.sqrt(moved)

    def _places(self, W: Array, A: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Where the trained weights of the one and of the other are among those of both, side by side."""
        (K, d), O = W.shape, len(A)
        now = np.arange(K * d)
        second = 2 * K * d + (2 * K * np.arange(O)[:, None] + np.arange(K)).ravel()
        if not self.trajectory.problem.student.trainable:
            second = second[:0]
        return np.append(now, second), np.append(now + K * d, second + K)

    def _seen(self, W: Array, A: Array) -> float:
        """⟨f*, T f*⟩ = ‖E f* ∂f‖²."""
        velocity = self.whole.problem.population.velocity
        (W1, A1), (W2, A2) = velocity(W, A), velocity(W, -A)
        trained = self.trajectory.problem.student.trainable
        return 0.25 * float(np.sum((W1 - W2) ** 2) + trained * np.sum((A1 + A2) ** 2))

    def _squares(self, F: Array, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> float:
        """Sum of squares, over all weights, of a block of the metric of both networks."""
        whole, mixed = self.whole, F[np.ix_(rows, columns)]
        inside = mixed[np.ix_(whole.inner, whole.inner)]
        outside = mixed[np.ix_(whole.outer, whole.outer)]
        return float(np.sum(inside**2) + np.sum(outside**2) * (whole.multiplicities @ whole.ratios**2))


@dataclass(frozen=True, eq=False)
class _OnInputs:
    """The kernel on given inputs, K/n.

    Parameters
    ----------
    trajectory : Trajectory
    first : int
        The sample that later ones are compared with.
    X : (n, d) array
    target : (n·O,) array or None
    """

    trajectory: Trajectory
    first: int
    X: Array
    target: Array | None

    @classmethod
    def of(cls, trajectory: Trajectory, first: int, X: ArrayLike, y: ArrayLike | None) -> _OnInputs:
        problem, x = trajectory.problem, validate_array("X", X, 2)
        n, O = len(x), problem.student.outputs
        if not n:
            raise ProblemError("`X` has no rows, but at least one input is needed.")
        check_size(n * O, "The kernel", "give fewer inputs")
        target = None
        if y is not None:
            target = validate_array("y", y, 2 if np.ndim(y) == 2 else 1).ravel()
            if target.size != n * O:
                raise ProblemError(f"`y` has {target.size} entries, but {n} inputs have {n * O} outputs.")
        elif problem.teacher.given:
            teacher, Sigma = problem.teacher, problem.second_moment
            target = network_outputs(teacher.V, teacher.B, x, problem.teacher_activation, Sigma).ravel()
        return cls(trajectory, first, x, target)

    @cached_property
    def power(self) -> float | None:
        """Mean of ‖f*‖² over the inputs."""
        return None if self.target is None else float(self.target @ self.target) / len(self.X)

    def _kernel(self, i: int) -> Array:
        problem = self.trajectory.problem
        student = self.trajectory.student_at(i)
        K = tangent_kernel(student, self.X, activation=problem.activation, covariance=problem.variance)
        return K / len(self.X)

    @cached_property
    def _start(self) -> Array:
        return self._kernel(self.first)

    def look(self, i: int) -> Look:
        """What there is to say at one sample."""
        T = self._kernel(i)
        if not np.isfinite(T).all():
            raise ProblemError(
                f"`X` goes up to {np.abs(self.X).max():.3g}, too large for the tangent kernel in numbers."
            )
        values: Array = np.asarray(np.linalg.eigvalsh(T)[::-1], dtype=float)
        seen = 0.0 if self.target is None else float(self.target @ T @ self.target) / len(self.X)
        once = np.ones(len(T), dtype=np.int64)
        return values, once, float(np.linalg.norm(T)), seen, float(np.linalg.norm(T - self._start))
