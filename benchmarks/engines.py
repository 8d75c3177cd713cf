"""Everything that integrates many starts of one problem, quadflow and its peers, on one core and on all of them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.forms import dense
from benchmarks.loops import CvodeLoop, Equations, OverCores, SciPyLoop
from benchmarks.solvers import COMPILED, INTERPRETED, OURS, PLAIN
from dynamics import FlowEnsemble, Teacher
from dynamics.aliases import Array
from dynamics.budget import usable_cores

JOBLIB = ", joblib"
Solve = Callable[[Array, Array, float], Array]
"""``solve(thetas, times, rtol)``: states (N, T, n) from starts (N, n)."""


@dataclass(frozen=True)
class Engine:
    """One way to integrate many starts.

    Parameters
    ----------
    name, kind : str
        As of `benchmarks.solvers.Peer`.
    cores : int
        That it uses.
    slow : bool
        Whether it is timed on a part of the starts.
    solve : callable
    """

    name: str
    kind: str
    cores: int
    slow: bool
    solve: Solve

    @property
    def label(self) -> str:
        """Name and cores."""
        return f"{self.name}, {self.cores}"

    @property
    def states(self) -> str:
        """The same for engines that give the same states, however many cores they use."""
        return self.name.removesuffix(JOBLIB)


def engines(teacher: Teacher, K: int) -> list[Engine]:
    """All that are installed here."""
    return [*_ours(teacher, K), *_loops(teacher, K), *_diffrax(teacher, K), *_heyoka(teacher, K)]


def _ours(teacher: Teacher, K: int) -> list[Engine]:
    def by(engine: str, threads: int) -> Solve:
        def solve(thetas: Array, times: Array, rtol: float) -> Array:
            N, d = len(thetas), teacher.V.shape[1]
            W, a = thetas[:, : K * d].reshape(N, K, d), thetas[:, K * d :]
            ensemble = FlowEnsemble.from_weights(teacher, W, a)
            result = ensemble.integrate(times=times, engine=engine, rtol=rtol, threads=threads)
            result.loss  # noqa: B018 - the curve belongs to the result
            return np.concatenate([result.W.reshape(N, len(times), -1), result.a], axis=2)

        return solve

    found = [Engine("quadflow, without heyoka", PLAIN, 1, True, by("scipy", 1))]
    if find_spec("heyoka") is not None:
        found += [Engine("quadflow", OURS, cores, False, by("heyoka", cores)) for cores in _one_and_all()]
    return found


def _one_and_all() -> list[int]:
    return sorted({1, usable_cores()})


def _loops(teacher: Teacher, K: int) -> list[Engine]:
    """Loops over single starts; the best of them over the cores too."""
    M = tuple(map(tuple, teacher.matrix().tolist()))
    plain = Equations(K, len(M), M, numba=False)
    cores = usable_cores()
    lsoda = SciPyLoop(plain, "LSODA")
    found = [
        Engine(f"loop over solve_ivp {method}", INTERPRETED, 1, True, SciPyLoop(plain, method))
        for method in ("LSODA", "DOP853")
    ]
    several: dict[str, tuple[str, Solve]] = {"loop over solve_ivp LSODA": (INTERPRETED, lsoda)}
    if find_spec("numba") is not None:
        fast = Equations(K, len(M), M, numba=True)
        found += [
            Engine(f"loop over solve_ivp {method} + numba", COMPILED, 1, True, SciPyLoop(fast, method))
            for method in ("LSODA", "DOP853")
        ]
        several["loop over solve_ivp LSODA + numba"] = (COMPILED, SciPyLoop(fast, "LSODA"))
        if find_spec("sksundae") is not None:
            name, loop = "loop over CVODE (scikit-sundae) + numba", CvodeLoop(fast)
            found.append(Engine(name, COMPILED, 1, True, loop))
            several[name] = (COMPILED, loop)
    if find_spec("joblib") is not None and cores > 1:
        found += [
            Engine(name + JOBLIB, kind, cores, True, OverCores(loop, cores))
            for name, (kind, loop) in several.items()
        ]
    return found


def _diffrax(teacher: Teacher, K: int) -> list[Engine]:
    """`vmap` over all starts on one core, and over a share of them on each of several threads."""
    if find_spec("diffrax") is None:
        return []
    found = []
    for method in ("Tsit5", "Dopri8"):
        one = _vmapped(teacher, K, method)
        for cores in _one_and_all():
            solve = one if cores == 1 else _shared(one, cores)
            found.append(Engine(f"diffrax {method}, vmap", COMPILED, cores, False, solve))
    return found


def _vmapped(teacher: Teacher, K: int, method: str) -> Solve:
    import diffrax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    side = dense(jnp, K, teacher.V.shape[1], jnp.asarray(teacher.matrix()))
    term, solver = diffrax.ODETerm(lambda t, y, args: side(t, y)), getattr(diffrax, method)()

    def one(theta: Any, times: Any, rtol: Any, atol: Any) -> Any:
        return diffrax.diffeqsolve(
            term,
            solver,
            0.0,
            times[-1],
            None,
            theta,
            saveat=diffrax.SaveAt(ts=times),
            stepsize_controller=diffrax.PIDController(rtol, atol),
            max_steps=100_000,
        ).ys

    many = jax.jit(jax.vmap(one, in_axes=(0, None, None, 0)))

    def solve(thetas: Array, times: Array, rtol: float) -> Array:
        atol = rtol * np.sqrt(np.mean(thetas**2, axis=1))
        return np.asarray(many(thetas, times, rtol, atol))

    return solve


def _shared(one: Solve, cores: int) -> Solve:
    """A share for each core: compiled code lets other threads run."""

    def solve(thetas: Array, times: Array, rtol: float) -> Array:
        with ThreadPoolExecutor(cores) as pool:
            parts = pool.map(lambda part: one(part, times, rtol), np.array_split(thetas, cores))
            return np.concatenate(list(parts))

    return solve


def _heyoka(teacher: Teacher, K: int) -> list[Engine]:
    """Batches as wide as the processor's vectors: ensembles as heyoka documents them, and integrators used again."""
    if find_spec("heyoka") is None:
        return []
    found = []
    for cores in _one_and_all():
        found += [
            Engine(
                "heyoka, ensemble of batches", COMPILED, cores, False, _batches(teacher, K, cores, _ensemble)
            ),
            Engine("heyoka, batches by hand", COMPILED, cores, False, _batches(teacher, K, cores, _by_hand)),
        ]
    return found


Matrix = tuple[tuple[float, ...], ...]


def _equations(M: Matrix, K: int) -> list[tuple[Any, Any]]:
    """The textbook's right-hand side in heyoka's expressions: pairs (variable, derivative)."""
    import heyoka as hy

    d = len(M)
    w = [[hy.expression(f"w_{k}_{i}") for i in range(d)] for k in range(K)]
    a = [hy.expression(f"a_{k}") for k in range(K)]
    D = [[M[i][j] - hy.sum([a[k] * w[k][i] * w[k][j] for k in range(K)]) for j in range(d)] for i in range(d)]
    tau = hy.sum([D[i][i] for i in range(d)])
    Gw = [
        [4.0 * hy.sum([D[i][j] * w[k][j] for j in range(d)]) + 2.0 * tau * w[k][i] for i in range(d)]
        for k in range(K)
    ]
    found = [(w[k][i], a[k] * Gw[k][i]) for k in range(K) for i in range(d)]
    return found + [(a[k], 0.5 * hy.sum([Gw[k][i] * w[k][i] for i in range(d)])) for k in range(K)]


@lru_cache
def _integrator(M: Matrix, K: int, lanes: int, tolerance: float) -> Any:
    """Compiled once for everybody."""
    import heyoka as hy

    start = np.zeros((K * len(M) + K, lanes))
    return hy.taylor_adaptive_batch(_equations(M, K), start, tol=tolerance)


def _batches(teacher: Teacher, K: int, cores: int, run: Callable[..., list[Array]]) -> Solve:
    import heyoka as hy

    M, lanes = tuple(map(tuple, teacher.matrix().tolist())), hy.recommended_simd_size()

    def solve(thetas: Array, times: Array, rtol: float) -> Array:
        N, n = thetas.shape
        filled = np.minimum(np.arange(-(-N // lanes) * lanes), N - 1)  # the last batch with copies
        starts = thetas[filled].reshape(-1, lanes, n).transpose(0, 2, 1)
        integrator = _integrator(M, K, lanes, rtol)
        states = np.stack(run(integrator, starts, times, cores))  # (batches, T, n, lanes)
        return states.transpose(0, 3, 1, 2).reshape(-1, len(times), n)[:N]

    return solve


def _started(machine: Any, start: Array) -> Any:
    machine.set_time(0.0)
    machine.state[:] = start
    return machine


def _ensemble(machine: Any, starts: Array, times: Array, cores: int) -> list[Array]:
    """heyoka's own function, which copies the integrator for every batch."""
    import heyoka as hy

    results = hy.ensemble_propagate_grid(
        machine, times, len(starts), lambda copy, i: _started(copy, starts[i]), max_workers=cores
    )
    return [result[2] for result in results]


def _by_hand(machine: Any, starts: Array, times: Array, cores: int) -> list[Array]:
    """One integrator for each thread, used again for every batch of its share."""
    grid = np.repeat(times[:, None], starts.shape[2], axis=1)

    def share(part: Array) -> list[Array]:
        own = deepcopy(machine)
        return [_started(own, start).propagate_grid(grid)[1] for start in part]

    with ThreadPoolExecutor(cores) as pool:
        parts = pool.map(share, np.array_split(starts, 8 * cores))
        return [states for part in parts for states in part]
