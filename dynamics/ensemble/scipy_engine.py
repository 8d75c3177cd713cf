"""Engine of last resort for ensembles: one trajectory after the other, by SciPy."""

from __future__ import annotations

import numpy as np

from dynamics.ensemble.members import FEWER, Members
from dynamics.ensemble.trajectory import EngineResult
from dynamics.errors import ProblemError
from dynamics.flows.gradient import GradientFlow
from dynamics.integration import Sampling
from dynamics.progress import progress_bar


def integrate_members(
    members: Members,
    sampling: Sampling,
    *,
    method: str,
    rtol: float,
    atol: float | None,
    max_evaluations: int | None,
    progress: bool,
) -> EngineResult:
    """Integrate every member as `GradientFlow` would, by any of its methods."""
    times = sampling.resolve(sampling.t_end)
    N, T = len(members), len(times)
    W = np.full((N, T, *members.W.shape[1:]), np.nan)
    A = np.full((N, T, *members.A.shape[1:]), np.nan)
    evaluations, reached, messages = np.zeros(N, dtype=np.int64), np.zeros(N), [""] * N
    for i in progress_bar(range(N), "flows", shown=progress, unit="trajectory", remedy=FEWER):
        try:
            trajectory = GradientFlow(members.problem(i), reduce=False).integrate(
                times=times, method=method, rtol=rtol, atol=atol, max_evaluations=max_evaluations, throw=False
            )
        except ProblemError as error:  # such as a loss that overflows: no reason to lose the others
            messages[i] = str(error)
            continue
        known = np.isin(times, trajectory.times)
        W[i, known] = trajectory.coordinates[: known.sum()]
        A[i, known] = trajectory.A[: known.sum()]
        report = trajectory.solver
        evaluations[i], reached[i], messages[i] = report.evaluations, report.time_reached, report.message
    return EngineResult(W, A, evaluations, reached, tuple(messages), method, 1, 0.0)
