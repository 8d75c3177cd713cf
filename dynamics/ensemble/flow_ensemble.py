"""Thousands of flows integrated together, each with its own error control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

import numpy as np
from numpy.typing import ArrayLike

from dynamics.activations import Activation
from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.ensemble.members import Members, stack_teachers
from dynamics.ensemble.trajectory import EnsembleReport, EnsembleTrajectory
from dynamics.errors import ProblemError
from dynamics.flows.in_bulk import LARGEST
from dynamics.inputs.data_set import DataSet
from dynamics.inputs.laws import GAUSSIAN, InputLaw
from dynamics.integration import DEFAULT_RTOL, Sampling, taylor, validate_tolerance
from dynamics.labels import Labels
from dynamics.losses import SQUARE, Loss
from dynamics.problem import Problem, Student, Teacher
from dynamics.problem.bias import NO_BIAS, Bias
from dynamics.problem.scope import require
from dynamics.problem.weight_decay import WeightDecay
from dynamics.validation import validate_array, validate_choice, validate_count, validate_real

ENGINES = ("auto", "heyoka", "numpy", "scipy")
PER_TIME = (
    2  # numbers of a trajectory at each time beside its state: its loss, and that of a part of the members
)
LARGEST_COMPILED = 2000  # unknowns; above, compiling takes longer than many trajectories


class FlowEnsemble:
    """Gradient flows of N problems with the same numbers of inputs, hidden units and outputs.

    Parameters
    ----------
    problems : sequence of Problem
        Teachers and weights may differ; activation, loss, inputs, weight decay and what is trained must not. A bias
        is fixed.

    Attributes
    ----------
    members : Members

    Raises
    ------
    ProblemError
        If there are no problems or they do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> from dynamics import FlowEnsemble, Teacher
    >>> rng = np.random.default_rng(0)
    >>> W, a = 0.1 * rng.standard_normal((50, 3, 2)), 0.1 * rng.standard_normal((50, 3))
    >>> ensemble = FlowEnsemble.from_weights(Teacher.from_eigenvalues([2, 1]), W, a)
    >>> result = ensemble.integrate(t_end=3.0, samples=7)
    >>> result.loss.shape
    (50, 7)
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        problems = list(problems)
        if not problems:
            raise ProblemError("`problems` is empty, but must name at least one problem.")
        first = problems[0]
        for i, problem in enumerate(problems):
            require("ensemble of flows", problem)
            _check_alike(first, problem, i)
        same = not first.teacher.given or all(p.teacher is first.teacher for p in problems)
        V, B = stack_teachers([p.teacher for p in problems[: 1 if same else None]])
        self.members = Members(
            V,
            B,
            np.stack([p.student.W for p in problems]),
            np.stack([p.student.A for p in problems]),
            first.student.trainable,
            first.activation,
            first.covariance,
            first.weight_decay,
            first.teacher_activation,
            first.distribution,
            first.data,
            first.teacher.given,
            first.constraint,
            first.learned,
        )

    @classmethod
    def from_weights(
        cls,
        teacher: Teacher | Sequence[Teacher] | None,
        W: ArrayLike,
        A: ArrayLike,
        *,
        trainable: bool = True,
        activation: Activation | str = "quadratic",
        covariance: ArrayLike | None = None,
        weight_decay: WeightDecay | float | Sequence[float] = 0.0,
        teacher_activation: Activation | str | None = None,
        distribution: InputLaw | str = GAUSSIAN,
        data: DataSet | tuple[ArrayLike, ArrayLike] | None = None,
        loss: Loss | str = SQUARE,
        labels: Labels | str | None = None,
        flip: float = 0.0,
        bias: Bias | float | str = NO_BIAS,
    ) -> FlowEnsemble:
        """Ensemble from arrays, without an object per member.

        Parameters
        ----------
        teacher : Teacher, sequence of N teachers, or None
            One for all, or one for each; None where the labels of `data` are learned.
        W : (N, K, d) array
            Initial first-layer weights.
        A : (N, K) or (N, O, K) array
        trainable, activation, covariance, weight_decay, teacher_activation, distribution, data
        loss, labels, flip, bias
            As for `dynamics.problem.Student` and `dynamics.problem.Problem`.
        """
        W = validate_array("W", W, 3)
        second = np.asarray(A)
        A = validate_array("a", second[:, None] if second.ndim == 2 else second, 3)
        teachers = [teacher] if teacher is None or isinstance(teacher, Teacher) else list(teacher)
        if len(W) == 0 or len(A) != len(W) or len(teachers) not in (1, len(W)):
            raise ProblemError(
                f"`W` holds {len(W)} members, `a` {len(A)} and `teacher` {len(teachers)}, but all must hold the same "
                "number, at least one (or there is one teacher for all)."
            )
        student = Student(W[0], A[0], trainable)
        first = Problem(
            teachers[0],
            student,
            activation,
            covariance,
            weight_decay,
            teacher_activation,
            distribution,
            data,
            loss=loss,
            labels=labels,
            flip=flip,
            bias=bias,
        )
        for i, other in enumerate(given := [t for t in teachers if t is not None]):
            if (other.inputs, other.outputs) != (first.inputs, first.teacher.outputs):
                raise ProblemError(f"Teacher {i} has another number of inputs or outputs than teacher 0.")
        ensemble = cls([first])
        if given:
            V, B = stack_teachers(given)
            ensemble.members = replace(ensemble.members, V=V, B=B)
        ensemble.members = replace(ensemble.members, W=W, A=A)
        return ensemble

    def integrate(
        self,
        t_end: float | None = None,
        *,
        times: ArrayLike | None = None,
        samples: int = 201,
        log_times: bool = False,
        engine: str = "auto",
        method: str = "auto",
        rtol: float = DEFAULT_RTOL,
        atol: float | None = None,
        max_evaluations: int | None = None,
        threads: int | None = None,
        progress: bool = False,
    ) -> EnsembleTrajectory:
        """Integrate all members from their initial weights; one that fails does not disturb the others.

        Parameters
        ----------
        t_end, times, samples, log_times
            As for `dynamics.flows.gradient.GradientFlow.integrate`, but an end time is needed.
        engine : {"auto", "heyoka", "numpy", "scipy"}
            ``heyoka``: Taylor's method, vectorised and threaded (`pip install 'quadflow[fast]'`). ``numpy``: DOP853 on
            blocks of members at once. ``scipy``: one `GradientFlow` after the other. All give the same numbers within
            the tolerance. ``auto``: the first of them that is installed and is made for problems of this kind and size.
        method : str
            Of the engine ``scipy``; see `dynamics.integration.integrate`.
        rtol, atol
            Tolerances per step of each member; `atol` by default is `rtol` times the root mean square of its initial
            state (engine ``heyoka``: of the smallest one).
        max_evaluations : int, optional
            Give a member up after so many evaluations (Taylor expansions).
        threads : int, optional
            Of the engine ``heyoka``; default: all processors.
        progress : bool
            Show a progress bar on standard error if that is a terminal.

        Raises
        ------
        ProblemError
            If an argument is not usable. Failures of members are in the result's `status` and `messages`.
        """
        if t_end is None and times is None:
            raise ProblemError("Neither `t_end` nor `times` is given: say how long to integrate.")
        sampling = Sampling.create(t_end, times, samples, log_times, horizon=np.inf)
        rtol = validate_tolerance(rtol)
        if atol is not None:
            atol = validate_real("atol", atol, positive=True)
        if max_evaluations is not None:
            validate_count("max_evaluations", max_evaluations)
        if threads is not None:
            threads = validate_count("threads", threads)
        chosen = self._choose(engine)
        start = perf_counter()
        members, basis = self.members.reduced()
        _check_size(members, sampling)
        if chosen == "heyoka":
            from dynamics.ensemble import taylor_engine

            tolerance = rtol * self._smallest_scale() if atol is None else atol
            result = taylor_engine.integrate_members(
                members,
                sampling,
                rtol=rtol,
                atol=tolerance,
                max_evaluations=max_evaluations,
                threads=threads,
                progress=progress,
            )
        elif chosen == "numpy":
            from dynamics.ensemble import bulk_engine

            result = bulk_engine.integrate_members(
                members,
                sampling,
                rtol=rtol,
                atol=atol,
                max_evaluations=max_evaluations,
                progress=progress,
            )
        else:
            from dynamics.ensemble import scipy_engine

            result = scipy_engine.integrate_members(
                members,
                sampling,
                method=method,
                rtol=rtol,
                atol=atol,
                max_evaluations=max_evaluations,
                progress=progress,
            )
        seconds = perf_counter() - start - result.setup_seconds
        report = EnsembleReport(
            chosen, result.method, rtol, atol, result.threads, result.setup_seconds, seconds
        )
        return EnsembleTrajectory(
            members,
            basis,
            sampling.resolve(sampling.t_end),
            result.W,
            result.A,
            result.messages,
            result.evaluations,
            result.time_reached,
            report,
        )

    def _choose(self, engine: str) -> str:
        """The engine that will be used."""
        if validate_choice("engine", engine, ENGINES) != "auto":
            return engine
        m = self.members
        inputs = min(m.W.shape[2], m.V.shape[1] + m.W.shape[1]) if m.covariance is None else m.W.shape[2]
        unknowns = m.W.shape[1] * (inputs + m.A.shape[1])
        polynomial = m.objective().taylor_shape(m.W, m.A, m.trainable) is not None
        if polynomial and unknowns <= LARGEST_COMPILED and taylor.available():
            return "heyoka"
        return "numpy" if polynomial and unknowns <= LARGEST else "scipy"

    def _smallest_scale(self) -> float:
        """Smallest root mean square of an initial state that is not zero, at most 1."""
        m = self.members
        blocks = [m.W.reshape(len(m), -1), m.A.reshape(len(m), -1)]
        theta = np.concatenate(blocks if m.trainable else blocks[:1], axis=1)
        sizes = np.sqrt(np.mean(theta**2, axis=1))
        return float(sizes[sizes > 0].min(initial=1.0))


def _or_empty(covariance: Array | None) -> Array:
    return np.empty(0) if covariance is None else covariance


def _check_size(members: Members, sampling: Sampling) -> None:
    """Refuse results that do not fit into the memory."""
    times = sampling.count if sampling.times is None else len(sampling.times)
    unknowns = members.W[0].size + (members.A[0].size if members.trainable else 0)
    check_memory(
        f"An ensemble of {len(members)} trajectories of {unknowns} unknowns at {times} times",
        8 * len(members) * times * (unknowns + PER_TIME),
        "ask for fewer times, or make several ensembles of it",
    )


def _check_alike(first: Problem, other: Problem, index: int) -> None:
    """Refuse a problem that cannot be integrated together with the first one."""
    a, b = first.student, other.student
    same_sigma = np.array_equal(_or_empty(first.covariance), _or_empty(other.covariance))
    if a.W.shape != b.W.shape or a.A.shape != b.A.shape:
        raise ProblemError(
            f"Problem {index} has weights of shape {b.W.shape} and {b.A.shape}, but problem 0 {a.W.shape} and "
            f"{a.A.shape}: integrate them in separate ensembles."
        )
    alike = (
        a.trainable,
        first.activation,
        first.teacher_activation,
        first.weight_decay,
        first.constraint,
        first.learned,
    ) == (
        b.trainable,
        other.activation,
        other.teacher_activation,
        other.weight_decay,
        other.constraint,
        other.learned,
    )
    if not alike or not same_sigma or not _same_law(first, other):
        raise ProblemError(
            f"Problem {index} differs from problem 0 in activation, inputs, weight decay, loss, constraint or trained "
            "layers: integrate them in separate ensembles."
        )


def _same_law(first: Problem, other: Problem) -> bool:
    """Whether the inputs are the same, and the labels where they are no teacher's."""
    if first.data is None or other.data is None or not (first.teacher.given and other.teacher.given):
        return first.teacher.given == other.teacher.given and first.law.alike(other.law)
    return first.law.alike(other.data.labelled_by(first.teacher, first.teacher_activation))
