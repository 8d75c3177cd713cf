"""Our flow against the textbook formulation: d × d matrices, no reduction, `solve_ivp` without a Jacobian."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from benchmarks.timing import Row, compare_times
from dynamics import GradientFlow, Problem, Student, Teacher

Array = NDArray[np.float64]
TOLERANCE = 1e-10


def textbook(problem: Problem) -> tuple[Callable[[float, Array], Array], Callable[[Array], float], Array]:
    """ẇ_k = a_k G w_k, ȧ_k = ½ w_kᵀGw_k with dense D = M* − Σ a_k w_k w_kᵀ and G = 4D + 2 tr(D) I."""
    W0, a0, M = problem.student.W, problem.student.a, problem.teacher.matrix()
    K, d = W0.shape

    def residual(theta: Array) -> tuple[Array, Array, Array]:
        W, a = theta[: K * d].reshape(K, d), theta[K * d :]
        return W, a, M - (W.T * a) @ W

    def rhs(t: float, theta: Array) -> Array:
        W, a, D = residual(theta)
        WG = W @ (4 * D + 2 * np.trace(D) * np.eye(d))
        return np.concatenate([(a[:, None] * WG).ravel(), 0.5 * np.sum(WG * W, axis=1)])

    def loss(theta: Array) -> float:
        D = residual(theta)[2]
        return float(np.sum(D * D) + 0.5 * np.trace(D) ** 2)

    return rhs, loss, np.concatenate([W0.ravel(), a0])


def problem_of(d: int, K: int, scale: float = 0.1) -> Problem:
    """Teacher (4, 2, 1) in d inputs, Gaussian start."""
    return Problem(Teacher.from_eigenvalues([4, 2, 1], d), Student.initialise(K, d, scale=scale, seed=3))


def right_hand_side(d: int, K: int) -> Row:
    """One evaluation, after the reduction on our side."""
    problem = problem_of(d, K)
    flow = GradientFlow(problem)
    rhs, _, theta = textbook(problem)
    speed = np.linalg.norm(flow(0, flow.theta0)), np.linalg.norm(rhs(0, theta))
    agreement = f"{abs(speed[0] / speed[1] - 1):.0e}"  # an orthogonal change of basis keeps the norm

    def ours() -> None:
        for _ in range(100):
            flow(0.0, flow.theta0)

    def theirs() -> None:
        for _ in range(100):
            rhs(0.0, theta)

    return compare_times(f"100 right-hand sides, d = {d}, K = {K}", ours, "d × d matrices", theirs, agreement)


def integration(d: int, K: int, t_end: float, method: str, pairs: int = 5) -> Row:
    """A whole trajectory from construction to the sampled loss, the same tolerance and sample times on both sides."""
    problem = problem_of(d, K)
    rhs, loss, theta = textbook(problem)
    times = np.linspace(0, t_end, 101)
    atol = TOLERANCE * float(np.sqrt(np.mean(theta**2)))

    def ours() -> Array:
        return GradientFlow(problem).integrate(times=times, rtol=TOLERANCE).loss

    def theirs() -> Array:
        y = solve_ivp(rhs, (0, t_end), theta, method, times, rtol=TOLERANCE, atol=atol).y
        return np.array([loss(state) for state in y.T])

    difference = np.abs(ours() - theirs()).max() / loss(theta)
    task = f"trajectory to t = {t_end:g}, d = {d}, K = {K}"
    return compare_times(task, ours, f"solve_ivp {method}, textbook", theirs, f"{difference:.0e}", pairs)


def rhs_small() -> Row:
    """Small right-hand side: dominated by Python calls on both sides."""
    return right_hand_side(6, 8)


def rhs_large() -> Row:
    """Right-hand side with many inputs."""
    return right_hand_side(300, 20)


def small_stiff() -> Row:
    """Small system far into convergence, where the flow is stiff."""
    return integration(6, 8, 20.0, "LSODA")


def small_explicit() -> Row:
    """The same against SciPy's default method."""
    return integration(6, 8, 20.0, "RK45")


def many_inputs() -> Row:
    """300 inputs, 20 units: the reduction to 23 inputs pays."""
    return integration(300, 20, 3.0, "RK45", pairs=3)


BENCHMARKS = (rhs_small, rhs_large, small_stiff, small_explicit, many_inputs)
