"""Learning curves on the real inputs beside those that Gaussian inputs of the same second moment would give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.curves.result import Result
from dynamics.curves.variables import LOSS_UNIT, TIME_UNIT, Meaning, Variable, Variables
from dynamics.errors import ProblemError
from dynamics.files.archives import Archive
from dynamics.flows.gradient import GradientFlow
from dynamics.flows.learning_time import learning_time
from dynamics.gaussian_theory.counterpart import gaussian_counterpart
from dynamics.inputs.gaussianity import Gaussianity, gaussianity
from dynamics.integration import Method, SolverReport
from dynamics.problem import Problem
from dynamics.problem.scope import require
from dynamics.problem.storage import problem_attributes, problem_parts, read_problem
from dynamics.validation import validate_count
from dynamics.versions import versions
from dynamics.words import counted

CLOSE, FAR = 0.02, 0.1  # of the initial loss: hardly seen in a figure, and not overlooked
BEYOND = 2.0  # times the time by which nearly everything is learned
SAME_TIME = 1e-12  # relative distance of times that are one
DECADES = 4  # of time that the logarithmic half of the sample times covers
BELOW_ZERO = "no labels have these correlations with Gaussian inputs: the least loss of the Gaussian theory is negative"


@dataclass(frozen=True, eq=False, repr=False)
class GaussianComparison(Result):
    """The exact flow, the Gaussian one, and the Gaussian one by another clock, from the same initial weights.

    Parameters
    ----------
    problem : Problem
    gaussianity : Gaussianity
        How far the fourth moment of the inputs is from the Gaussian one.
    times : (T,) array
    loss : (T,) array
        On the exact flow, in squared units of the output.
    gaussian, rescaled : (T,) arrays
        Loss on the flow of the Gaussian counterpart (`dynamics.gaussian_theory.counterpart`), and of that by the clock
        γ.
    at_same_weights : (T,) array
        The Gaussian loss at the weights of the exact flow.
    least : float
        Constant part of the Gaussian loss: 0 with a teacher, else what the best network leaves of the labels.
    solver : SolverReport
        Of the exact flow.
    versions : dict
    """

    KIND = "gaussian comparison"

    problem: Problem
    gaussianity: Gaussianity
    times: Annotated[Array, Meaning("time", "time", TIME_UNIT, label=True)]
    loss: Annotated[Array, Meaning("time", "loss on the inputs as they are", LOSS_UNIT)]
    gaussian: Annotated[Array, Meaning("time", "loss of the Gaussian theory", LOSS_UNIT)]
    rescaled: Annotated[Array, Meaning("time", "loss of the Gaussian theory with the clock γ", LOSS_UNIT)]
    at_same_weights: Annotated[
        Array, Meaning("time", "Gaussian loss at the weights of the exact flow", LOSS_UNIT)
    ]
    least: float
    solver: SolverReport
    versions: dict[str, str] = field(default_factory=versions)

    @property
    def measured(self) -> float:
        """Largest difference of the Gaussian learning curve from the exact one, relative to the initial loss.

        NaN where that is zero.
        """
        return self._largest(self.gaussian)

    @property
    def measured_rescaled(self) -> float:
        """The same of the Gaussian learning curve by the clock γ."""
        return self._largest(self.rescaled)

    def _largest(self, curve: Array) -> float:
        start = float(self.loss[0])
        return float(np.abs(curve - self.loss).max()) / start if start > 0 else float("nan")

    def _worst(self, curve: Array) -> float:
        """When a curve is farthest from the exact one."""
        return float(self.times[np.abs(curve - self.loss).argmax()])

    @property
    def warnings(self) -> list[str]:
        """What a reader of the numbers should know."""
        found = [self.solver.message] if self.solver.message else []
        if self.least < 0:
            found.append(BELOW_ZERO)
        data, p = self.problem.data, self.gaussianity.products
        if data is not None and len(data.X) < p:
            found.append(
                f"{counted(len(data.X), 'sample')} do not determine the {p} second-order products of inputs: "
                "some forms cost nothing on them, and the spectrum begins at −1"
            )
        if not self.loss[0] > 0:
            found.append("the initial loss is zero: what would be relative to it is null")
        return found

    @property
    def answer(self) -> str:
        """Whether the Gaussian theory would have done, in a sentence."""
        plain, scaled = self.measured, self.measured_rescaled
        if np.isnan(plain):
            return "there is nothing to learn from here"
        moved = self._largest(np.full_like(self.loss, self.loss[0]))
        if moved <= CLOSE and min(plain, scaled) <= CLOSE:
            return f"not to be said yet: the loss moves by {_percent(moved)}, go on to later times"
        if plain <= CLOSE:
            return f"yes: its learning curve is within {_percent(plain)} of the initial loss"
        if scaled <= CLOSE:
            return f"with its clock times γ: within {_percent(scaled)} of the initial loss, {_percent(plain)} without"
        least = min(plain, scaled)
        how = (
            f"it is off by {_percent(plain)} of the initial loss (at t = {self._worst(self.gaussian):.3g}), "
            f"by {_percent(scaled)} with its clock times γ (at t = {self._worst(self.rescaled):.3g})"
        )
        return f"no: {how}" if least > FAR else f"roughly: {how}"

    def variables(self) -> Variables:
        """The curves, and the numbers that sum them up."""
        numbers = {
            "gamma": (self.gaussianity.gamma, "best scalar fit γ of the fourth moment to the Gaussian one"),
            "bound": (self.gaussianity.bound, "bound on |L − L_G|/L_G at the same weights"),
            "measured": (self.measured, "largest difference of the learning curves over the initial loss"),
            "measured_rescaled": (self.measured_rescaled, "the same with the clock γ"),
        }
        ends = np.array([self.gaussianity.lowest, self.gaussianity.highest])
        return super().variables() | {
            "spectrum": Variable(("end",), ends, "ends of the spectrum of C_G^{−½}(C − C_G)C_G^{−½}"),
            **{name: Variable((), value, meaning) for name, (value, meaning) in numbers.items()},
        }

    def attributes(self) -> dict[str, Any]:
        """Sizes and kind of the network, solver, versions."""
        return problem_attributes(self.problem) | asdict(self.solver) | {"versions": self.versions}

    def summary(self) -> str:
        """What was found, in a few lines."""
        g, law = self.gaussianity, self.problem.law
        inputs = f"{counted(len(self.problem.data.X), 'sample')} of " if self.problem.data is not None else ""
        # without a teacher L − L_G is the difference of ½E f², and B and the labels are the same
        what, size = ("the loss", "L_G") if self.problem.teacher.given else ("E f²", "½E f²")
        lines = [
            f"inputs: {inputs}{law.name!r}, {counted(g.dimension, 'direction')}, "
            f"{counted(g.products, 'product')} of two inputs",
            f"best scalar fit of the fourth moment to the Gaussian one: γ = {g.gamma:.6g}",
            f"at the same weights {what} is {1 + g.lowest:.4g} to {1 + g.highest:.4g} times the Gaussian one: "
            f"|L − L_G| ≤ {g.bound:.4g} {size}",
            f"learning curves up to t = {self.times[-1]:.6g}: loss {self.loss[0]:.6g} → {self.loss[-1]:.6g}, "
            f"Gaussian → {self.gaussian[-1]:.6g}, with its clock times γ → {self.rescaled[-1]:.6g}",
            f"would the Gaussian theory have done? {self.answer}",
        ]
        return "\n".join([*lines, *(f"warning: {text}" for text in self.warnings)])

    def _parts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return problem_parts(self.problem)

    @classmethod
    def _read_parts(cls, f: Archive, about: Mapping[str, Any]) -> dict[str, Any]:
        return {"problem": read_problem(f, about)}


def gaussian_comparison(
    problem: Problem,
    t_end: float | None = None,
    *,
    times: ArrayLike | None = None,
    samples: int = 201,
    method: str | Method = "auto",
    rtol: float | None = None,
    atol: float | None = None,
    max_evaluations: int | None = None,
    progress: bool = False,
) -> GaussianComparison:
    """Hold the Gaussian theory against the exact one, for inputs of any law, or a data set.

    Parameters
    ----------
    problem : Problem
        With quadratic or centred units, in student and teacher alike. Without a teacher the Gaussian theory learns
        labels of the same correlations with products of inputs.
    t_end : float, optional
        How far; by default until twice the time by which both flows have learned nearly everything, see
        `dynamics.flows.learning_time`.
    times : (T,) array, optional
        Sample times, increasing, in the place of an end.
    samples : int
        Number of evenly spaced times if `times` is not given; as many more are spaced evenly in log t.
    method, rtol, atol, max_evaluations, progress
        As for `dynamics.GradientFlow.integrate`, for each of three integrations.

    Raises
    ------
    ProblemError
        If the problem is not of this kind, or an argument is not usable.
    IntegrationError
        If an integration fails.

    Examples
    --------
    >>> from dynamics import Problem, Student, Teacher, gaussian_comparison
    >>> student = Student.initialise(2, 2, scale=0.3, seed=1)
    >>> found = gaussian_comparison(Problem(Teacher.from_eigenvalues([2, 1]), student, distribution="sphere"))
    >>> found.gaussianity.gamma, bool(found.measured_rescaled < 1e-6)
    (0.5, True)
    """
    require("gaussian theory", problem)
    count = validate_count("samples", samples, minimum=2)
    how: dict[str, Any] = {"method": method, "rtol": rtol, "atol": atol, "max_evaluations": max_evaluations}
    found = gaussianity(
        problem.law.fourth_moment(problem.covariance, problem.inputs),
        problem.second_moment,
        centred=problem.activation.trace_coupling == 0,
    )
    if found.gamma <= 0:
        raise ProblemError(
            f"`{problem.law.option}` is {problem.law.name!r}: squares of its inputs do not vary, and centred units "
            "see nothing; use another law."
        )
    flow = GradientFlow(problem)
    plain, scaled = gaussian_counterpart(problem), gaussian_counterpart(problem, found.gamma)
    if times is None:
        if t_end is None:
            both = (flow, GradientFlow(plain.problem))
            t_end = BEYOND * max(learning_time(one, progress=progress) for one in both)
        times = sample_times(t_end, count)
    trajectory = flow.integrate(times=times, progress=progress, **how)
    t, report = trajectory.times, trajectory.solver
    states = enumerate(trajectory.A)
    return GaussianComparison(
        problem,
        found,
        t,
        trajectory.loss,
        plain.curve(t, **how),
        scaled.curve(t, **how),
        np.array([plain.loss(trajectory.W_at(i), A) for i, A in states]),
        plain.constant,
        report,
    )


def _percent(share: float) -> str:
    """Three digits of a share, however small or large."""
    return f"{100 * share:.3g} %"


def sample_times(t_end: float, count: int) -> Array:
    """So many times up to the end, evenly spaced, and as many evenly in log t."""
    if not t_end:
        return np.zeros(1)
    late = np.geomspace(10.0**-DECADES * t_end, t_end, count)
    times = np.unique(np.concatenate([np.linspace(0.0, t_end, count), late[:-1]]))
    # what differs by rounding alone would be one time by another clock
    return times[np.append(True, np.diff(times) > SAME_TIME * times[1:])]
