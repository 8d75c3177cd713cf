"""Errors that users meet: bad input, and computations that failed."""

from __future__ import annotations


class ProblemError(ValueError):
    """Input that is refused; the message names the value, the reason and what is allowed."""


class ComputationError(RuntimeError):
    """A computation that failed although its input was valid (did not converge, diverged)."""
