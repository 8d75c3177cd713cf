"""The solution as it comes out of a solver, kept where it is wanted."""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array
from dynamics.integration.contract import Step
from dynamics.integration.sampling import Sampling


class Path:
    """Collects the solution: at the sample times as it goes, or whole where the end is not yet known.

    Parameters
    ----------
    theta0 : (n,) array
    sampling : Sampling
    keep_all : bool
        Whether the integration may end early, so that times that are not given depend on when.
    """

    def __init__(self, theta0: Array, sampling: Sampling, keep_all: bool) -> None:
        self.theta0, self.sampling, self.reached = theta0, sampling, 0.0
        self.steps: list[Step] = []
        self.keep_all = keep_all and sampling.times is None
        self.wanted = np.empty(0) if self.keep_all else sampling.resolve(sampling.t_end)
        self.states = [theta0] if self.wanted.size and self.wanted[0] == 0 else []

    def wants(self, end: float) -> bool:
        """Whether states are wanted within a step that goes up to `end`."""
        return self.keep_all or bool((self.wanted[len(self.states) : len(self.states) + 1] <= end).any())

    @property
    def next(self) -> float:
        """The time of the next state that is wanted; infinite if there is none."""
        left = self.wanted[len(self.states) :]
        return float(left[0]) if left.size else np.inf

    def append(self, step: Step | None, end: float, state: Array) -> None:
        """Add a step, valid up to `end`, where the state is given. It may be None if nothing is wanted of it."""
        if step is not None:
            if self.keep_all:
                self.steps.append(step)
            else:
                inside = self.wanted[len(self.states) :]
                self.states.extend(step(t) for t in inside[inside <= end])
        self.last = state.copy()  # solvers may reuse theirs
        self.reached = float(end)

    def sampled(self) -> tuple[Array, Array]:
        """Sample times and states, (T,) and (T, n)."""
        if self.reached == 0:
            return np.zeros(1), self.theta0[None]
        if self.keep_all:
            times = self.sampling.resolve(self.reached)
            which = np.searchsorted([step.t for step in self.steps], times).clip(max=len(self.steps) - 1)
            states = [self.steps[i](t) for i, t in zip(which, times, strict=True)]
            return times, np.stack([self.theta0, *states[1:]])
        times, states = self.wanted[: len(self.states)], self.states
        if len(times) < len(self.wanted) and self.reached > times[-1:].max(initial=-1.0):
            times, states = np.append(times, self.reached), [*states, self.last]
        return times, np.stack(states)
