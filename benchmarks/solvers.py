"""One trajectory by quadflow and by its alternatives, each behind the same function of the tolerance.

A runner takes rtol and returns a callable that integrates and gives the states (T, n). Its first call may compile.
Absolute tolerances are rtol times the root mean square of the initial state everywhere: SciPy's default would be larger
than a small start.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from benchmarks.textbook import right_hand_side, start_of
from dynamics import GradientFlow, Problem
from dynamics.aliases import Array

Runner = Callable[[float], Callable[[], Array]]

SCIPY_METHODS = ("DOP853", "RK45", "RK23", "LSODA", "Radau", "BDF")
EXPLICIT = ("DOP853", "RK45")


def runners(problem: Problem, times: Array, large: bool) -> dict[str, Runner]:
    """All that are installed; of a large problem without the dense implicit methods, which would take minutes."""
    found = {f"solve_ivp {m}": _scipy(problem, times, m) for m in (EXPLICIT if large else SCIPY_METHODS)}
    ours = ["DOP853"] if large else ["LSODA"]
    if find_spec("heyoka") is not None and not large:
        ours.append("Taylor")
    found |= {f"quadflow {m}": _quadflow(problem, times, m) for m in ours}
    if find_spec("diffrax") is not None:
        names = ("Tsit5", "Dopri8") if large else ("Tsit5", "Dopri8", "Kvaerno5")
        found |= {f"diffrax {name}": _diffrax(problem, times, name) for name in names}
    if find_spec("torchdiffeq") is not None:
        found |= {f"torchdiffeq {name}": _torchdiffeq(problem, times, name) for name in ("dopri5", "dopri8")}
    return found


def reference(field: Callable[[float, Array], Array], theta: Array, times: Array) -> Array:
    """States (T, n) by DOP853 at 1e-13, restarted at every sample time: its interpolant would lose digits."""
    states = []
    t = 0.0
    for end in times:
        if end > t:
            theta = solve_ivp(field, (t, end), theta, "DOP853", rtol=1e-13, atol=1e-17).y[:, -1]
        states.append(theta)
        t = end
    return np.stack(states)


def absolute(problem: Problem, rtol: float) -> float:
    """Absolute tolerance that belongs to a relative one."""
    return rtol * float(np.sqrt(np.mean(start_of(problem) ** 2)))


def _quadflow(problem: Problem, times: Array, method: str) -> Runner:
    def runner(rtol: float) -> Callable[[], Array]:
        def run() -> Array:
            t = GradientFlow(problem).integrate(times=times, method=method, rtol=rtol)
            return np.concatenate([t.W.reshape(len(times), -1), t.a], axis=1)

        return run

    return runner


def _scipy(problem: Problem, times: Array, method: str) -> Runner:
    rhs, theta = right_hand_side(problem), start_of(problem)

    def runner(rtol: float) -> Callable[[], Array]:
        atol = absolute(problem, rtol)
        return lambda: solve_ivp(rhs, (0, times[-1]), theta, method, times, rtol=rtol, atol=atol).y.T

    return runner


def _diffrax(problem: Problem, times: Array, name: str) -> Runner:
    import diffrax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    term, solver = diffrax.ODETerm(jax_side(problem)), getattr(diffrax, name)()
    theta, grid, M = (jnp.asarray(x) for x in (start_of(problem), times, problem.teacher.matrix()))

    @jax.jit
    def solve(theta: Any, rtol: Any, atol: Any) -> Any:
        return diffrax.diffeqsolve(
            term,
            solver,
            0.0,
            times[-1],
            None,
            theta,
            args=M,
            saveat=diffrax.SaveAt(ts=grid),
            stepsize_controller=diffrax.PIDController(rtol, atol),
            max_steps=200_000,
        ).ys

    def runner(rtol: float) -> Callable[[], Array]:
        atol = absolute(problem, rtol)
        return lambda: np.asarray(solve(theta, rtol, atol))

    return runner


def jax_side(problem: Problem) -> Callable[[Any, Any, Any], Any]:
    """The textbook's right-hand side in JAX; the teacher matrix is its argument."""
    import jax.numpy as jnp

    K, d = problem.student.W.shape

    def rhs(t: Any, theta: Any, M: Any) -> Any:
        W, a = theta[: K * d].reshape(K, d), theta[K * d :]
        D = M - (W.T * a) @ W
        WG = 4 * (W @ D) + 2 * jnp.trace(D) * W
        return jnp.concatenate([(a[:, None] * WG).ravel(), 0.5 * (WG * W).sum(axis=1)])

    return rhs


def _torchdiffeq(problem: Problem, times: Array, name: str) -> Runner:
    import torch
    from torchdiffeq import odeint

    torch.set_num_threads(1)
    theta, grid, M = (
        torch.tensor(x, dtype=torch.float64) for x in (start_of(problem), times, problem.teacher.matrix())
    )
    K, d = problem.student.W.shape

    def rhs(t: Any, theta: Any) -> Any:
        W, a = theta[: K * d].reshape(K, d), theta[K * d :]
        D = M - (W.T * a) @ W
        WG = 4 * (W @ D) + 2 * torch.trace(D) * W
        return torch.cat([(a[:, None] * WG).ravel(), 0.5 * (WG * W).sum(dim=1)])

    def runner(rtol: float) -> Callable[[], Array]:
        atol = absolute(problem, rtol)

        def run() -> Array:
            with torch.no_grad():
                return odeint(rhs, theta, grid, rtol=rtol, atol=atol, method=name).numpy()

        return run

    return runner
