"""How wrong the Gaussian theory is for independent coordinates, against their number.

The mean of C over all rotations of the inputs is γC_G, γ that of `dynamics.inputs.gaussianity` (derived here: it is
invariant, and has the same E‖x‖⁴). A teacher in random directions thus sees γC_G but for fluctuations: from small
weights the losses begin |1 − 1/γ| apart, relative to the exact one. For independent coordinates with the excess κ this
is κ/(d + 2 + κ), the fluctuations are small as well, and "Gaussian with matched covariance" becomes right as 1/d. C =
C_G + κ diag, however, leaves a teacher along the axes all of the difference, at any d.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.flows.gradient import GradientFlow
from dynamics.gaussian_theory.comparison import sample_times
from dynamics.gaussian_theory.counterpart import gaussian_counterpart
from dynamics.inputs.gaussianity import gaussianity
from dynamics.inputs.laws import InputLaw, parse_law
from dynamics.problem import Problem, Student, Teacher
from dynamics.problem.scope import require
from dynamics.progress import progress_bar
from dynamics.validation import validate_array, validate_count, validate_real

RTOL = 1e-6  # of integrations: far below the differences that are measured
SAMPLES = 201


@dataclass(frozen=True, eq=False)
class Universality:
    """Largest difference of the learning curves over the initial loss, sup|L − L_G|/L₀.

    Parameters
    ----------
    distribution : InputLaw
    dimensions : (n,) array of int
        d, increasing.
    gamma : (n,) array
        γ of the inputs.
    dense, parallel : (n, S) arrays
        For S teachers with random orthonormal directions, and for the teacher along the first axes; each with random
        initial weights of its own, the same for both.
    """

    distribution: InputLaw
    dimensions: Array
    gamma: Array
    dense: Array
    parallel: Array

    @property
    def at_start(self) -> Array:
        """|1 − 1/γ|, (n,): relative difference of the losses of small weights, on the mean over rotations."""
        return np.abs(1 - 1 / self.gamma)

    @property
    def exponent(self) -> tuple[float, float]:
        """Slope of log sup|L − L_G|/L₀ against log d for dense teachers, by least squares, and its standard error.

        The error bar is that over the S draws, each of which has a slope; NaN of a single one.
        """
        slopes = np.polyfit(np.log(self.dimensions), np.log(self.dense), 1)[0]
        return float(slopes.mean()), float(standard_error(slopes))


def standard_error(values: Array) -> Array:
    """Of the mean over the last axis; NaN of a single value."""
    n = values.shape[-1]
    return values.std(axis=-1, ddof=1) / np.sqrt(n) if n > 1 else np.full(values.shape[:-1], np.nan)


def universality(
    eigenvalues: ArrayLike,
    dimensions: Sequence[float],
    *,
    distribution: InputLaw | str = "independent:3",
    hidden: int = 6,
    scale: float = 1.0,
    t_end: float = 6.0,
    draws: int = 6,
    seed: int = 0,
    progress: bool = False,
) -> Universality:
    """Integrate exact and Gaussian flows of quadratic networks in several dimensions.

    Parameters
    ----------
    eigenvalues : (R,) array
        Of the teacher.
    dimensions : sequence of whole numbers
        d ≥ R, increasing.
    distribution : InputLaw or str
        Any law that comes in all dimensions.
    hidden, scale
        Units K, and size of their initial weights, see `dynamics.Student.initialise`.
    t_end : float
    draws : int
        Number S of teachers of each kind, and starts.
    seed : int
        Of teachers and starts.
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    law, lam = parse_law(distribution), validate_array("teacher", eigenvalues, 1)
    if law.gaussian:
        raise ProblemError(
            f"`distribution` is {law.name!r}, which others are held against: name another law, such as uniform."
        )
    S, seed = validate_count("draws", draws), validate_count("seed", seed, minimum=0)
    times = sample_times(validate_real("t_end", t_end, positive=True), SAMPLES)
    d_all = [validate_count("dimensions", d) for d in dimensions]
    if len(d_all) < 2 or sorted(set(d_all)) != d_all or d_all[0] < max(len(lam), 1):
        raise ProblemError(
            f"`dimensions` is {d_all}, but must be two increasing numbers or more, of at least {len(lam)}."
        )
    found = np.empty((2, len(d_all), S))
    cases = [(n, s) for n in range(len(d_all)) for s in range(S)]
    for n, s in progress_bar(cases, "universality", shown=progress, remedy="lower `draws` or `dimensions`"):
        d = d_all[n]
        student = Student.initialise(hidden, d, scale=scale, seed=_seed(seed, d, s))
        parallel = Teacher.from_eigenvalues(lam, d)
        for kind, teacher in enumerate((_dense(lam, d, _seed(seed, d, s)), parallel)):
            found[kind, n, s] = _difference(Problem(teacher, student, distribution=law), times)
    gamma = [gaussianity(law.bound(d).fourth_moment(None, d), None).gamma for d in d_all]
    return Universality(law, np.array(d_all), np.array(gamma), *found)


def _dense(eigenvalues: Array, inputs: int, seed: int) -> Teacher:
    """A teacher with orthonormal directions that have no preferred ones."""
    rng = np.random.default_rng((seed, 1))  # others than those of the weights
    directions = np.linalg.qr(rng.standard_normal((inputs, len(eigenvalues))))[0].T
    return Teacher(directions, eigenvalues)


def _seed(seed: int, inputs: int, draw: int) -> int:
    """Of one draw in one dimension."""
    return int(np.random.SeedSequence((seed, inputs, draw)).generate_state(1)[0])


def _difference(problem: Problem, times: Array) -> float:
    """sup|L − L_G|/L₀ of a problem."""
    require("gaussian theory", problem)
    exact = GradientFlow(problem).integrate(times=times, rtol=RTOL).loss
    gaussian = gaussian_counterpart(problem).curve(times, rtol=RTOL)
    return float(np.abs(exact - gaussian).max() / exact[0])
