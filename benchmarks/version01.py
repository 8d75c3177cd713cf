"""How version 0.1 integrated large problems: what today's speed is compared with where version 0.1 is not at hand.

Its right-hand side through the matrices D_o of the reduced problem, with new arrays for everything, under SciPy's
DOP853; every sample within a step by a shorter step of the method; then the loss at all samples, as its results held.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.integrate import DOP853

from dynamics import Problem
from dynamics.aliases import Array
from dynamics.problem.reduction import reduce_problem


def version01(problem: Problem, times: Array, rtol: float) -> Array:
    """States (T, K d + O K) of the full problem, Gaussian inputs of unit covariance."""
    reduction = reduce_problem(problem)
    small = reduction.problem
    (K, r), V, B = small.student.W.shape, small.teacher.V, small.teacher.B
    targets = (V.T * B[:, None, :]) @ V

    def rhs(t: float, theta: Array) -> Array:
        W, A = theta[: K * r].reshape(K, r), theta[K * r :].reshape(-1, K)
        D = targets - (W.T * A[:, None, :]) @ W
        tau = np.trace(D, axis1=1, axis2=2)
        D *= 4
        D.reshape(len(D), -1)[:, :: r + 1] += 2 * tau[:, None]
        GW = W @ D  # (O, K, r)
        dW = A[0][:, None] * GW[0] if len(A) == 1 else np.einsum("ok,oki->ki", A, GW)
        return np.concatenate([dW.ravel(), 0.5 * np.einsum("oki,ki->ok", GW, W).ravel()])

    def loss(theta: Array) -> float:
        W, A = theta[: K * r].reshape(K, r), theta[K * r :].reshape(-1, K)
        U = np.vstack([V, W])
        if len(U) < r:
            U = np.linalg.qr(U.T, mode="r").T
        D = np.stack([(U.T * c) @ U for c in np.hstack([B, -A])])
        return float(np.sum(D * D) + 0.5 * np.sum(np.trace(D, axis1=1, axis2=2) ** 2))

    theta = np.concatenate([small.student.W.ravel(), small.student.A.ravel()])
    states = solve(rhs, theta, times, rtol)
    for state in states:
        loss(state)
    W = reduction.lift(states[:, : K * r].reshape(-1, K, r))
    return np.concatenate([W.reshape(len(W), -1), states[:, K * r :]], axis=1)


def solve(rhs: Callable[[float, Array], Array], theta: Array, times: Array, rtol: float) -> Array:
    """SciPy's DOP853 step by step, with shorter steps to the sample times."""
    atol = rtol * min(float(np.sqrt(np.mean(theta**2))), 1.0)
    solver = DOP853(rhs, 0.0, theta, times[-1], rtol=rtol, atol=atol)
    states = [theta] if times[0] == 0 else []
    while len(states) < len(times):
        before = solver.y.copy()
        solver.step()
        if solver.status == "failed" or not np.isfinite(solver.y).all():
            raise RuntimeError(f"DOP853 failed at t = {solver.t:g}.")
        while len(states) < len(times) and times[len(states)] <= solver.t:
            start, end = solver.t_old, times[len(states)]
            if end == solver.t:
                states.append(solver.y.copy())
                continue
            short = DOP853(rhs, start, before, end, first_step=end - start, rtol=rtol, atol=atol)
            while short.status == "running":
                short.step()
            states.append(short.y)
    return np.stack(states)
