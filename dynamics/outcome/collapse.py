"""Collapse: below which size of the initial weights does weight decay let nothing be learned?

Small units feel the constant force of the zero function, G = 4ΣM*Σ + 2 tr(M*Σ)Σ, and escape from decay iff their
blow-up time without it is T₀ < 1/ρ (`dynamics.saddle_to_saddle.decaying_unit`). T₀ is inversely proportional to the
size of the start. So with T₁ the least T₀ of all units at scale 1 the smallest scale that learns is ε* = ρT₁; where the
layers decay differently it is that of the unit that escapes at the smallest scale, found numerically (derived here).

G changes while a unit grows, which the law leaves out. For one mode of eigenvalue λ, centred units and c = 0 the exact
critical a₀ is the smallest positive root of 8a⁴ − 4λa + ρ = 0, which is ρ/4λ up to a relative ρ³/32λ⁴.
"""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array
from dynamics.problem import Problem
from dynamics.problem.reduction import in_range, reduce_problem
from dynamics.problem.scope import require
from dynamics.saddle_to_saddle.decaying_unit import smallest_factor


def critical_scale(problem: Problem) -> float:
    """Factor on the initial weights of a problem with decay below which nothing is learned.

    Parameters
    ----------
    problem : Problem
        One output, second layer trained; quadratic or centred units.

    Returns
    -------
    float
        ε* in units of the start: more than 1 says that this start collapses. inf if no unit can grow from any multiple
        of its weights; 0 without decay.

    Raises
    ------
    ProblemError
        If the outcome of a start is not known for the problem.
    """
    require("outcome", problem)
    small = reduce_problem(in_range(problem)).problem
    student, decay = small.student, problem.weight_decay
    if not decay:
        return 0.0
    force = small.population.force
    assert force is not None  # quadratic forms
    g, E = np.linalg.eigh(force(0 * student.W, student.A)[0])
    units = [(w, float(a)) for w, a in zip(student.W @ E, student.A[0], strict=True)]
    return smallest_factor(units, _cleaned(g), decay)


def _cleaned(g: Array) -> Array:
    """Eigenvalues of a force, zero where they are rounding errors."""
    return np.where(np.abs(g) > 1e-12 * np.abs(g).max(initial=0.0), g, 0.0)
