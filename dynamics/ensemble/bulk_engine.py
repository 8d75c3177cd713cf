"""Engine for ensembles by NumPy alone: blocks of members integrated in bulk, those that resist one by one."""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array
from dynamics.ensemble import scipy_engine
from dynamics.ensemble.members import FEWER, Members
from dynamics.ensemble.trajectory import EngineResult
from dynamics.errors import ProblemError
from dynamics.flows.in_bulk import MOST
from dynamics.integration import Sampling, state_scale
from dynamics.integration.bulk import BulkSolution, integrate_in_bulk
from dynamics.integration.dop853 import TABLEAU
from dynamics.population.flow_shape import FlowShape
from dynamics.progress import progress_bar

BLOCK = 512  # members at once: enough for NumPy, few enough for the cache


def integrate_members(
    members: Members,
    sampling: Sampling,
    *,
    rtol: float,
    atol: float | None,
    max_evaluations: int | None,
    progress: bool,
) -> EngineResult:
    """Integrate all members; those that are stiff, or fail, are left to `dynamics.ensemble.scipy_engine`."""
    shape = members.objective().taylor_shape(members.W, members.A, members.trainable)
    if shape is None:
        raise ProblemError(
            "The engine 'numpy' is there for the gradient flow of the population loss of quadratic networks only: "
            "choose another one."
        )
    times = sampling.resolve(sampling.t_end)
    grid = times if times[-1] == sampling.t_end else np.append(times, sampling.t_end)
    N, T, most = len(members), len(times), min(max_evaluations or MOST, MOST)
    states = np.empty((N, T, shape.unknowns))
    evaluations, reached, resists = np.zeros(N, dtype=np.int64), np.zeros(N), np.zeros(N, dtype=bool)
    with progress_bar(total=N, what="flows", shown=progress, unit="trajectory", remedy=FEWER) as bar:
        for first in range(0, N, BLOCK):
            block = np.arange(first, min(first + BLOCK, N))
            solution = _integrate_block(members.part(block), shape, grid, rtol, atol, most)
            states[block] = solution.states[:, :T]
            evaluations[block], reached[block] = solution.evaluations, solution.reached
            resists[block] = solution.given_up
            bar.update(len(block))
    W, A = members.unpack(states)
    messages = [""] * N
    if resists.any():
        rest = scipy_engine.integrate_members(
            members.part(np.flatnonzero(resists)),
            sampling,
            method="auto",
            rtol=rtol,
            atol=atol,
            max_evaluations=max_evaluations,
            progress=progress,
        )
        W[resists] = rest.W
        if members.trainable:
            A[resists] = rest.A
        evaluations[resists], reached[resists] = rest.evaluations, rest.time_reached
        for i, message in zip(np.flatnonzero(resists).tolist(), rest.messages, strict=True):
            messages[i] = message
    return EngineResult(W, A, evaluations, reached, tuple(messages), TABLEAU.name, 1, 0.0)


def _integrate_block(
    members: Members, shape: FlowShape, grid: Array, rtol: float, atol: float | None, most: int
) -> BulkSolution:
    """All members at once."""
    n, start = len(members), members.start()
    parameters = shape.parameters(
        members.targets(), members.A, members.covariance, members.weight_decay.rates
    )  # (n or 1, P)
    scales = np.array([state_scale(theta) for theta in start])
    return integrate_in_bulk(
        shape.in_bulk(np.broadcast_to(parameters, (n, parameters.shape[1])).T),
        start,
        [grid] * n,
        tableau=TABLEAU,
        rtol=np.full(n, rtol),
        atol=rtol * scales if atol is None else np.full(n, atol),
        most=np.full(n, most),
    )
