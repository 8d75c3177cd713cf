"""Errors that users meet: bad input, and computations that failed."""

from __future__ import annotations

from typing import Any

DIVERGED = "Training diverged"  # how the reason begins where it did: of runs in a file nothing else is known


class ProblemError(ValueError):
    """Input that is refused; the message names the value, the reason and what is allowed."""


class ComputationError(RuntimeError):
    """A computation that failed although its input was valid (did not converge, diverged)."""


class IntegrationError(ComputationError):
    """An integration that failed; `trajectory` holds what was computed until then.

    Parameters
    ----------
    message : str
    trajectory : object
        The flow's result, as it would have been returned.
    """

    def __init__(self, message: str, trajectory: Any) -> None:
        super().__init__(message)
        self.trajectory = trajectory
