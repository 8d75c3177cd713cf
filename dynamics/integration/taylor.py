"""Taylor's method for the gradient flow, compiled by heyoka (`pip install 'quadflow[fast]'`).

The right-hand side ẇ_k = Σ_o A_ok G_o w_k, Ȧ_ok = ½ w_kᵀG_o w_k is a polynomial, which is what Taylor's method wants:
its derivatives of every order follow from products of series, a step costs little more at 1e-15 than at 1e-8, and
the solution between two steps is the same series. heyoka compiles one program per shape of the problem, in which
the teacher is a parameter, so that setting up (a tenth of a second for a small network) is paid once per process.

The method is explicit: where the flow is stiff, its steps are about 20/(largest eigenvalue of the Hessian).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from itertools import count
from typing import Any

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ProblemError

FINEST = 1e-24  # tolerance below which the order would only grow


@dataclass(frozen=True)
class FlowShape:
    """What the compiled program depends on.

    Parameters
    ----------
    hidden, inputs, outputs : int
        K, r and O.
    trainable : bool
        Whether the second layer is trained; a fixed one is a parameter.
    trace_coupling : float
        As in `dynamics.population.quadratic.QuadraticPopulation`.
    covariance : bool
        Whether there is a Σ other than the identity.
    """

    hidden: int
    inputs: int
    outputs: int
    trainable: bool
    trace_coupling: float
    covariance: bool

    @property
    def unknowns(self) -> int:
        """Length n of the state θ = (W row by row, then A row by row if it is trained)."""
        return self.hidden * (self.inputs + (self.outputs if self.trainable else 0))

    def parameters(self, M: Array, A: Array, covariance: Array | None) -> Array:
        """Parameters (…, P) of the program, from M* (…, O, r, r), A (…, O, K) and Σ (r, r)."""
        upper = np.triu_indices(self.inputs)
        leading = np.broadcast_shapes(M.shape[:-3], A.shape[:-2])
        blocks = [M[..., *upper]]
        if not self.trainable:
            blocks.append(A)
        if covariance is not None:
            blocks.append(covariance[upper])
        flat = [np.broadcast_to(b, (*leading, *b.shape[-2:])) for b in map(np.atleast_2d, blocks)]
        return np.concatenate([b.reshape(*leading, -1) for b in flat], axis=-1)


def available() -> bool:
    """Whether heyoka is installed."""
    return find_spec("heyoka") is not None


def heyoka() -> Any:
    """The library, or an error that says how to get it."""
    try:
        import heyoka
    except ModuleNotFoundError:
        raise ProblemError(
            "The method 'Taylor' needs heyoka, which is not installed: pip install 'quadflow[fast]', or choose "
            "another method."
        ) from None
    return heyoka


def right_hand_side(shape: FlowShape) -> list[tuple[Any, Any]]:
    """The flow as pairs (variable, derivative) in the order of θ; parameters as in `FlowShape.parameters`."""
    hy = heyoka()
    K, r, O = shape.hidden, shape.inputs, shape.outputs
    W = np.array([[hy.expression(f"w_{k}_{i}") for i in range(r)] for k in range(K)])
    A = np.array([[hy.expression(f"a_{o}_{k}") for k in range(K)] for o in range(O)])
    numbers = map(hy.par.__getitem__, count())
    M = [_symmetric(r, lambda i, j: next(numbers)) for _ in range(O)]
    if not shape.trainable:
        A = np.array([[next(numbers) for k in range(K)] for o in range(O)])
    SW, S = W, None
    if shape.covariance:
        S = _symmetric(r, lambda i, j: next(numbers))
        SW = _product(W, S)
    GW = np.array([_times_G(shape, M[o], W, A[o], SW, S) for o in range(O)])  # (O, K, r)
    dW = [hy.sum(list(A[:, k] * GW[:, k, i])) for k in range(K) for i in range(r)]
    dA = [0.5 * hy.sum(list(W[k] * GW[o, k])) for o in range(O) for k in range(K)]
    if not shape.trainable:
        return list(zip(W.ravel(), dW, strict=True))
    return list(zip([*W.ravel(), *A.ravel()], [*dW, *dA], strict=True))


def _times_G(shape: FlowShape, M: Array, W: Array, a: Array, SW: Array, S: Array | None) -> Array:
    """Rows G_o w_k, (K, r), of one output: G = 4ΣDΣ + 2τΣ."""
    hy = heyoka()
    aW = a[:, None] * W
    D = _symmetric(shape.inputs, lambda i, j: M[i, j] - hy.sum(list(aW[:, i] * W[:, j])))
    DS = D if S is None else _product(D, S)
    tau = shape.trace_coupling * hy.sum(list(DS.diagonal()))
    if S is None:
        G = 4.0 * D
        G[np.diag_indices(shape.inputs)] += 2.0 * tau
        return _product(W, G)
    return 4.0 * _product(_product(SW, D), S) + 2.0 * tau * SW


def _symmetric(n: int, entry: Callable[[int, int], Any]) -> Array:
    """Symmetric matrix of expressions from its upper triangle, row by row."""
    X = np.empty((n, n), dtype=object)
    for i in range(n):
        for j in range(i, n):
            X[i, j] = X[j, i] = entry(i, j)
    return X


def _product(X: Array, Y: Array) -> Array:
    """Matrix product of expressions, with heyoka's sums of many terms."""
    hy = heyoka()
    return np.array([[hy.sum(list(row * column)) for column in Y.T] for row in X])


@lru_cache(maxsize=64)
def _programs(shape: FlowShape, tolerance: float, lanes: int) -> tuple[Any, list[Any]]:
    """The program for one trajectory, or for `lanes` of them, each with its own steps; and idle copies of it."""
    hy = heyoka()
    kind = hy.taylor_adaptive if lanes == 1 else hy.taylor_adaptive_batch
    state = np.zeros(shape.unknowns if lanes == 1 else (shape.unknowns, lanes))
    return kind(right_hand_side(shape), state, tol=tolerance, compact_mode=True), []


@contextmanager
def integrator(shape: FlowShape, rtol: float, atol: float, lanes: int = 1) -> Iterator[Any]:
    """Lend a heyoka integrator, for one trajectory or for `lanes` of them, that nobody else uses meanwhile.

    Its only tolerance is relative for states beyond 1 and absolute below, hence the smaller of both is taken, rounded
    down to a power of ten so that programs can be used again.
    """
    tolerance = 10.0 ** np.floor(np.log10(max(min(rtol, atol), FINEST)) + 1e-9)
    program, idle = _programs(shape, float(tolerance), lanes)
    try:
        machine = idle.pop()  # atomic: threads may ask at the same time
    except IndexError:
        machine = deepcopy(program)
    yield machine
    idle.append(machine)


def sample(
    shape: FlowShape,
    parameters: Array,
    theta0: Array,
    times: Array,
    rtol: float,
    atol: float,
    max_steps: int | None = None,
) -> tuple[Array | None, int]:
    """States (T, n) at increasing times from t = 0, and the number of steps; None if it did not get to the end."""
    with integrator(shape, rtol, atol) as machine:
        machine.pars[:], machine.state[:], machine.time = parameters, theta0, 0.0
        grid = times if times[0] == 0 else np.append(0.0, times)
        outcome, *_, steps, _, states = machine.propagate_grid(grid, max_steps=max_steps or 0)
    success = outcome == heyoka().taylor_outcome.time_limit and np.isfinite(states).all()
    return states[-len(times) :] if success else None, steps


class TaylorSolver:
    """Steps one trajectory, behind the interface of `scipy.integrate.OdeSolver`.

    Parameters
    ----------
    shape : FlowShape
    parameters : (P,) array
    theta0 : (n,) array
    t_bound : float
    rtol, atol : float

    Attributes
    ----------
    nfev : int
        Number of Taylor expansions.
    """

    njev = 0

    def __init__(
        self, shape: FlowShape, parameters: Array, theta0: Array, t_bound: float, rtol: float, atol: float
    ) -> None:
        with integrator(shape, rtol, atol) as machine:
            self.machine = deepcopy(machine)
        self.machine.pars[:], self.machine.state[:], self.machine.time = parameters, theta0, 0.0
        self.t_old, self.t, self.t_bound = 0.0, 0.0, t_bound
        self.y, self.nfev, self.status = theta0, 0, "running" if t_bound > 0 else "finished"

    def step(self) -> str:
        """One step; returns the reason of a failure, or nothing."""
        self.t_old = self.t
        self.machine.step(self.t_bound - self.t, write_tc=True)
        self.t, self.y = float(self.machine.time), self.machine.state.copy()
        self.nfev += 1
        if not np.isfinite(self.y).all():
            self.status = "failed"
            return "the state is no longer finite"
        if self.t >= self.t_bound:
            self.t, self.status = self.t_bound, "finished"
        return ""

    def dense_output(self) -> TaylorStep:
        """The solution within the last step."""
        return TaylorStep(self.t_old, self.t, self.machine.tc.copy())


@dataclass(frozen=True, eq=False)
class TaylorStep:
    """The solution within one step, its Taylor polynomial; coefficients (n, order + 1)."""

    t_old: float
    t: float
    coefficients: Array

    def __call__(self, t: float) -> Array:
        return self.coefficients @ (t - self.t_old) ** np.arange(self.coefficients.shape[1])
