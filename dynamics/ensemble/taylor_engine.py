"""Engine for ensembles: Taylor's method on as many trajectories at once as the processor's vectors have room for.

Every lane of a heyoka batch integrator takes its own steps; the threads share out the batches. Of what was measured,
this was the fastest by far (see `benchmarks`).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.budget import usable_cores
from dynamics.ensemble.members import FEWER, Members
from dynamics.ensemble.trajectory import EngineResult
from dynamics.integration import Sampling
from dynamics.integration.taylor import heyoka, integrator, polynomial_of
from dynamics.population.flow_shape import FlowShape
from dynamics.progress import progress_bar

GROUPS_PER_SHARE = 8  # that a thread takes at a time


def integrate_members(
    members: Members,
    sampling: Sampling,
    *,
    rtol: float,
    atol: float,
    max_evaluations: int | None,
    threads: int | None,
    progress: bool,
) -> EngineResult:
    """Integrate all members; `max_evaluations` counts the steps of each."""
    start = perf_counter()
    shape = polynomial_of(members.objective().taylor_shape(members.W, members.A, members.trainable))
    lanes = heyoka().recommended_simd_size()
    groups = np.array_split(np.arange(len(members)), range(lanes, len(members), lanes))
    threads = min(len(groups), threads or usable_cores())
    with integrator(shape, rtol, atol, lanes):
        pass  # compiled now
    setup = perf_counter() - start
    batches = _Batches(members, shape, sampling.resolve(sampling.t_end), max_evaluations, lanes)

    def run(share: list[NDArray[np.int64]]) -> int:
        with integrator(shape, rtol, atol, lanes) as machine:
            for group in share:
                batches.run(machine, group)
        return sum(map(len, share))

    # small shares: the last ones end at about the same time; but not too small for Python's overhead
    shares = [groups[i : i + GROUPS_PER_SHARE] for i in range(0, len(groups), GROUPS_PER_SHARE)]
    bar = progress_bar(total=len(members), what="flows", shown=progress, unit="trajectory", remedy=FEWER)
    with bar, ThreadPoolExecutor(threads) as pool:
        for done in pool.map(run, shares):
            bar.update(done)
    W, A = members.unpack(batches.states)
    return EngineResult(
        W, A, batches.evaluations, batches.reached, tuple(batches.messages), "Taylor", threads, setup
    )


class _Batches:
    """Runs groups of members and collects their states (N, T, n)."""

    def __init__(
        self, members: Members, shape: FlowShape, times: Array, max_steps: int | None, lanes: int
    ) -> None:
        N = len(members)
        self.members, self.shape, self.times = members, shape, times
        self.max_steps = max_steps or 0
        # heyoka's grids begin where the integrator stands, at t = 0
        self.grid = np.repeat((times if times[0] == 0 else np.append(0.0, times))[:, None], lanes, axis=1)
        self.outcomes = heyoka().taylor_outcome
        self.start = members.start()  # (N, n)
        self.parameters = shape.parameters(
            members.targets(), members.A, members.covariance, members.weight_decay.rates
        )  # (N or 1, P)
        self.states = np.full((N, len(times), shape.unknowns), np.nan)
        self.evaluations, self.reached = np.zeros(N, dtype=np.int64), np.zeros(N)
        self.messages = [""] * N

    def run(self, machine: Any, group: NDArray[np.int64]) -> None:
        """Integrate a group, at most one member per lane; one that fails stops all, hence each is then run alone."""
        lanes = np.resize(group, self.grid.shape[1])  # the last group is filled up with copies
        machine.pars[:] = self.parameters[lanes if len(self.parameters) > 1 else [0]].T
        machine.state[:] = self.start[lanes].T
        machine.set_time(0.0)
        samples = machine.propagate_grid(self.grid, max_steps=self.max_steps)[1]  # (T, n, lanes)
        results = (
            machine.propagate_res
        )  # (outcome, smallest step, largest step, number of steps) of every lane
        done = all(result[0] == self.outcomes.time_limit for result in results)
        if not done and len(group) > 1:
            for member in group:
                self.run(machine, member[None])
            return
        self.states[group] = samples[-len(self.times) :, :, : len(group)].transpose(2, 0, 1)
        self.evaluations[group] = [result[3] for result in results[: len(group)]]
        self.reached[group] = self.grid[-1, 0] if done else machine.time[0]
        if not done:
            self._explain(results[0][0], int(group[0]))

    def _explain(self, outcome: Any, member: int) -> None:
        """Say why a member failed; its states from there on are NaN already."""
        reached, end = self.reached[member], self.grid[-1, 0]
        if self.times[0] == 0:
            self.states[member, 0] = self.start[member]
        reason = "the state is no longer finite: scale teacher and weights down"
        if outcome == self.outcomes.step_limit:
            reason = f"more than {self.max_steps} evaluations: allow more or shorten the time"
        self.messages[member] = f"Taylor gave up at t = {reached:.6g} of {end:g} ({reason})."
