"""Steps of an explicit Runge–Kutta method, compiled by numba: the loop of `dynamics.integration.runge_kutta`.

Everything is in memory of the caller, who can go on where this leaves off. Right-hand sides are C functions of one
signature that are called by their address: nothing is compiled again for another one, what was compiled is kept on
disk, and a call from Python takes less than a microsecond (of a function that is an argument, numba takes 25).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import float64, int64, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from dynamics.aliases import Array
from dynamics.integration.step_size import next_factor, shorter_factor
from dynamics.integration.tableau import SECOND

VECTOR, MATRIX, INTEGERS = float64[::1], float64[:, ::1], int64[::1]
RIGHT_HAND_SIDE = types.void(float64, VECTOR, VECTOR, VECTOR, INTEGERS, VECTOR)
FUNCTION = types.FunctionType(RIGHT_HAND_SIDE)
REORDERED = {
    "contract",
    "reassoc",
}  # sums may be taken in another order, infinities and NaN are what they are
HUGE = 1e100  # of a state that is given back, so that the caller sees that it explodes

_next_factor = njit(float64(int64, float64, float64), cache=True)(next_factor)
_shorter_factor = njit(float64(int64, float64), cache=True)(shorter_factor)


@njit(float64(MATRIX, MATRIX, VECTOR, MATRIX, VECTOR, float64, float64), cache=True, fastmath=REORDERED)
def _error(
    memory: Array, estimates: Array, end: Array, errors: Array, scale: Array, rtol: float, atol: float
) -> float:
    """Size of the error for h = 1, as `dynamics.integration.tableau.Tableau.error` has it."""
    np.dot(estimates, memory[1 : estimates.shape[1] + 1], errors)
    for i in range(end.size):
        before, after = abs(memory[0, i]), abs(end[i])
        scale[i] = 1 / (atol + rtol * (before if before > after else after))
    first, rest = 0.0, 0.0
    for i in range(end.size):
        first += (errors[0, i] * scale[i]) ** 2
    for e in range(1, len(errors)):
        for i in range(end.size):
            rest += (errors[e, i] * scale[i]) ** 2
    whole = first + SECOND * rest
    return first / np.sqrt(whole * end.size) if whole != 0 else 0.0


def _function_type(typing: Any, address: Any) -> Any:
    """The right-hand side at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        function = cgutils.create_struct_proxy(FUNCTION)(context, builder)
        function.c_addr = builder.inttoptr(arguments[0], cgutils.voidptr_t)
        return function._getvalue()

    return FUNCTION(types.intp), generate


_function_at: Any = intrinsic(_function_type)


@njit(types.void(int64, float64, VECTOR, VECTOR, VECTOR, INTEGERS, VECTOR), cache=True)
def evaluate(
    address: int, t: float, theta: Array, out: Array, numbers: Array, sizes: Array, room: Array
) -> None:
    """The right-hand side at an address."""
    _function_at(address)(t, theta, out, numbers, sizes, room)


STAGES = types.void(
    *(int64, VECTOR, INTEGERS, VECTOR),  # address of the slope and what it is told
    *(MATRIX, VECTOR, MATRIX),  # the method
    *(MATRIX, VECTOR),  # the step
    *(float64, float64, int64, int64),
)


@njit(STAGES, cache=True)
def stages(
    address: int,
    numbers: Array,
    sizes: Array,
    room: Array,
    table: Array,
    nodes: Array,
    weights: Array,
    memory: Array,
    argument: Array,
    t: float,
    h: float,
    first: int,
    last: int,
) -> None:
    """Slopes k_i, first ≤ i < last, of a step of length h from time t, and the weights of all arguments."""
    slope: Any = _function_at(address)
    for i in range(len(table)):
        weights[i, 0] = 1.0
        for j in range(1, i + 1):
            weights[i, j] = h * table[i, j]
    for i in range(first, last):
        np.dot(weights[i, : i + 1], memory[: i + 1], argument)
        slope(t + nodes[i] * h, argument, memory[i + 1], numbers, sizes, room)


STRIDE = int64(
    *(int64, VECTOR, INTEGERS, VECTOR),  # address of the slope and what it is told
    *(MATRIX, VECTOR, MATRIX, MATRIX),  # the method
    *(MATRIX, VECTOR, VECTOR, MATRIX),  # the step
    *(VECTOR, INTEGERS, VECTOR, INTEGERS),  # the solver
)


@njit(STRIDE, cache=True)
def stride(
    address: int,
    numbers: Array,
    sizes: Array,
    room: Array,
    table: Array,
    nodes: Array,
    estimates: Array,
    weights: Array,
    memory: Array,
    end: Array,
    argument: Array,
    errors: Array,
    clock: Array,
    counts: Array,
    limits: Array,
    numbers_of_steps: Array,
) -> int:
    """Steps until a time is passed, the state explodes, or there were enough of them; 1 where they are too short.

    Parameters
    ----------
    address : int
        Of the right-hand side; `numbers`, `sizes` and `room` are its last three arguments.
    table, nodes, estimates : arrays
        Of the `dynamics.integration.tableau.Tableau`; `weights` has the shape of the table.
    memory : (1 + S, n) array
        Row 1 + s has the slope at the state.
    end : (n,) array
        State.
    argument, errors : (n,), (m, n) arrays
        Overwritten.
    clock : (4,) array
        Time, time of the step before, length of the next step, error of the last one.
    counts : (2,) array of int
        Evaluations and steps so far.
    limits : (4,) array
        The time to pass, that of the end, rtol and atol.
    numbers_of_steps : (4,) array of int
        s, order of the error, most steps, most evaluations.
    """
    slope: Any = _function_at(address)
    s, order, most, allowed = numbers_of_steps
    until, t_bound, rtol, atol = limits
    early = estimates.shape[1] > s
    for _ in range(most):
        t, before = clock[0], clock[3]
        memory[0] = end
        memory[1] = memory[s + 1]
        counts[1] += 1
        shortest = 10 * np.spacing(t)
        h, rejected = max(clock[2], shortest), False
        while True:
            t_new = min(t + h, t_bound)
            h = t_new - t
            stages(address, numbers, sizes, room, table, nodes, weights, memory, argument, t, h, 1, s)
            np.dot(weights[s, : s + 1], memory[: s + 1], end)
            counts[0] += s - 1
            if early:
                slope(t_new, end, memory[s + 1], numbers, sizes, room)
                counts[0] += 1
            error = h * _error(memory, estimates, end, errors, argument, rtol, atol)
            if error < 1:
                break
            h, rejected = h * _shorter_factor(order, error), True
            if h < shortest:
                end[:] = memory[0]
                return 1
        if not early:
            slope(t_new, end, memory[s + 1], numbers, sizes, room)
            counts[0] += 1
        factor = _next_factor(order, error, before)
        clock[0], clock[1], clock[3] = t_new, t, error
        clock[2] = h * (min(factor, 1.0) if rejected else factor)
        if t_new >= min(until, t_bound) or counts[0] > allowed or not np.dot(end, end) < HUGE**2:
            break
    return 0
