"""Which landscape of aligned states a problem has: how its learned modes balance, whatever its loss."""

from __future__ import annotations

from dynamics.problem.aligned_loss import aligned_loss
from dynamics.problem.balance import Landscape
from dynamics.problem.problem import Problem


def landscape_of(problem: Problem) -> Landscape | None:
    """The landscape of a problem; None where states do not stay aligned, or nothing is derived for them."""
    return aligned_loss(problem.activation, problem.law)
