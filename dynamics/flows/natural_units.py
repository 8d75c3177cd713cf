"""Sizes that a problem sets by itself: of its weights, forces, growth rates and times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array
from dynamics.problem import Problem

ROUNDING = 1e-12  # variances below this, relative to the largest, are zero
LONGEST, LONGEST_EXPLICIT = 1e10, 1e5  # natural times that an open-ended integration may take


@dataclass(frozen=True)
class NaturalUnits:
    """Sizes that a problem sets by itself; derived from its output f ~ √L, they scale as the flow does.

    Parameters
    ----------
    output : float
        √L, the size of f*.
    weight : float
        Length of the first-layer weights of a unit that alone has this output.
    weakest : float
        Weakest teacher mode relative to the strongest.
    weakest_force : float
        At least this is left of G while the weakest mode is not learned, 4σ²λ with the smallest variance σ.
    variance : float
        Smallest variance σ of the inputs.
    """

    output: float
    weight: float
    weakest: float
    weakest_force: float
    variance: float

    @classmethod
    def of(cls, problem: Problem, start: float, teacher: float) -> NaturalUnits:
        """For losses `start` of the initial state and `teacher` of a student that is zero; h is the degree of φ, or 1.

        A unit with ‖w‖² = h a² (c = 0), or with the largest a if that is fixed, has a‖w‖^h = √L. The teacher alone says
        how large that is, unless it is zero: a large start is no reason to stop early.
        """
        degree = problem.activation.degree or 1
        size = float(np.sqrt(teacher or start or np.finfo(float).tiny))
        a = float(np.abs(problem.student.A).max())
        if problem.student.trainable:
            weight = degree**0.5 * (size / degree ** (degree / 2)) ** (1 / (degree + 1))
        else:
            weight = (size / a) ** (1 / degree) if a > 0 else 1.0
        modes = np.abs(problem.mode_targets)
        weakest = float(modes.min() / modes.max()) if modes.size else 1.0
        variance = 1.0
        second = problem.second_moment
        if second is not None:
            variances = np.linalg.eigvalsh(second)
            variance = float(variances[variances > ROUNDING * variances[-1]].min())
        return cls(
            size,
            weight,
            weakest,
            4 * variance**2 * float(modes.min() if modes.size else size),
            variance,
        )

    @property
    def force(self) -> float:
        """Size of G."""
        return 4 * self.output

    @property
    def rate(self) -> float:
        """Growth rate of such a unit."""
        return 4 * (self.output / self.weight) ** 2

    @property
    def speed(self) -> float:
        """Of such a unit."""
        return self.rate * self.weight

    def relative(self, theta: Array) -> float:
        """Root mean square of weights (n,) over that of a unit that has the output of the teacher."""
        return float(np.sqrt(np.mean(theta**2))) / self.weight

    def horizon(self, theta: Array, explicit: bool) -> float:
        """A time by which everything that can be resolved from a start has happened, power laws included.

        For an explicit method, which cannot take long steps, a time that it can reach.
        """
        size = self.relative(theta)
        longest = LONGEST_EXPLICIT if explicit else LONGEST
        return longest / self.rate * max(1.0, 1 / max(size * self.weakest, 1e-15))
