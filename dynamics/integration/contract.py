"""What is integrated, and what integrates: the two contracts, of vector fields and of solvers.

A solver is added by a file with a class that keeps the contract of `Solver` and a `Method` that makes it, and by a line
in the table of `dynamics.integration.methods`; or it is handed in, as a `Method`, without either.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array

RUNNING, FINISHED, FAILED = "running", "finished", "failed"

Write = Callable[[float, Array, Array], None]
"""``write(t, theta, out)`` puts F(θ) into `out` (n,)."""

Curvature = Callable[[Array, Array], Array]
"""``curvature(theta, v)`` gives minus the Jacobian of F times v, (n,)."""


class VectorField(ABC):
    """Right-hand side of θ̇ = F(θ). What a field may offer beyond it and its Jacobian, and lacks, is None."""

    @abstractmethod
    def __call__(self, t: float, theta: Array) -> Array:
        """F(θ), (n,)."""

    @abstractmethod
    def jacobian(self, t: float, theta: Array) -> Array:
        """dF/dθ, (n, n)."""

    def in_place(self) -> Write:
        """F that writes into memory of the caller; it may keep buffers, so that one thread at a time may call it."""

        def write(t: float, theta: Array, out: Array) -> None:
            out[...] = self(t, theta)

        return write

    def kernel(self) -> Kernel | None:
        """F for compiled code, which takes whole strides of an explicit method; a subclass with another F has none."""
        return None

    def curvature(self) -> Curvature | None:
        """−J(θ)v where F is minus a gradient, so that its Jacobian is symmetric; None where that is not known."""
        return None

    def polynomial(self) -> tuple[Program, Array] | None:
        """F as a polynomial, for Taylor's method: the program and its parameters (P,)."""
        return None

    def switching(self, atol: float) -> Switching | None:
        """Where F is not smooth and the solver has to start anew, for a solver of that absolute tolerance."""
        return None

    def stretches(self) -> Sequence[tuple[float, VectorField]] | None:
        """F(t, θ) as fields that are smooth in time one after another, and when each ends; None if F is smooth."""
        return None


@dataclass(frozen=True, eq=False)
class Kernel:
    """A right-hand side for code that numba compiles.

    Parameters
    ----------
    load : callable
        Imports and gives the compiled function ``f(t, theta, out, numbers, sizes, room)`` of the signature
        `dynamics.integration.compiled_steps.RIGHT_HAND_SIDE`, which puts F(θ) into `out`.
    numbers : (P,) array
    sizes : tuple of int
        What it is told of the problem.
    room : int
        Numbers in memory that it works in.
    operations : int
        Multiplications in matrix products, for each evaluation.
    """

    load: Callable[[], Any]
    numbers: Array
    sizes: tuple[int, ...]
    room: int
    operations: int


class Program(Hashable, Protocol):
    """A polynomial right-hand side that is compiled once for all that are equal; its numbers are parameters."""

    @property
    def unknowns(self) -> int:
        """Length n of the state."""

    def right_hand_side(self) -> list[tuple[Any, Any]]:
        """Pairs (variable, derivative) of heyoka's expressions, in the order of θ."""

    def in_bulk(self, parameters: Array) -> BulkField:
        """Fields of this program, evaluated at once; their parameters are the columns (P, N)."""


class BulkField(Protocol):
    """N autonomous right-hand sides, evaluated at once: their states are the columns of one array.

    What a column gives depends on it alone, bit for bit.
    """

    def __call__(self, theta: Array, out: Array) -> None:
        """Put them at states (n, N) into `out` (n, N)."""

    def losses(self, theta: Array) -> Array:
        """The loss of each, (N,)."""

    def kept(self, columns: NDArray[np.int64]) -> BulkField:
        """Those of some columns."""


class Switching(Protocol):
    """States at which a field changes its form (`dynamics.flows.vanishing_units.VanishingUnits`)."""

    @property
    def most(self) -> int:
        """Number of switches after which there is no end to them."""

    def distance(self, theta: Array) -> float:
        """Positive until the field switches."""

    def switched(self, theta: Array) -> Array:
        """The state from which the integration goes on, (n,)."""


class Step(Protocol):
    """The solution from `t_old` to `t`, as a function of time."""

    @property
    def t_old(self) -> float:
        """Start."""

    @property
    def t(self) -> float:
        """End."""

    def __call__(self, t: float) -> Array:
        """θ(t), (n,)."""


Leap = Callable[[float, Array, float], Step | None]
"""``leap(t, theta, t_end)``: the solution over a long time ahead where that is known, else None."""


class Solver(Protocol):
    """A solver that stands at a time and a state, and goes on by one step at a time until `t_bound`."""

    @property
    def t(self) -> float:
        """Time reached."""

    @property
    def y(self) -> Array:
        """State there, (n,); the solver may use the memory again in its next step."""

    @property
    def t_bound(self) -> float:
        """End of the integration."""

    @property
    def status(self) -> str:
        """`RUNNING`, `FINISHED` (at `t_bound`) or `FAILED`."""

    @property
    def nfev(self) -> int:
        """Evaluations of the right-hand side so far, those before a restart included."""

    @property
    def njev(self) -> int:
        """Evaluations of its Jacobian so far."""

    def step(self) -> str:
        """One step; the reason if it failed, else nothing."""

    def within_step(self) -> Step:
        """The solution within the step that was just made, as accurate as the step itself."""

    def restart(self, t: float, y: Array) -> None:
        """Go on from another time and state."""


class StridingSolver(Solver, Protocol):
    """A solver that is faster if it is not interrupted after every step."""

    steps: int
    """Steps so far."""

    def stride(self, until: float, allowed: int = ..., most: int = ...) -> str:
        """At most so many steps; the last leads to the time `until` or beyond, or to more than `allowed` evaluations.

        There may be fewer; the reason if one failed, else nothing.
        """


@dataclass(frozen=True)
class Method:
    """How a solver is made, and what kind it is.

    Parameters
    ----------
    name : str
    implicit : bool
        Whether steps solve equations with the Jacobian; otherwise stability limits them.
    create : callable
        ``create(field, theta0, t_end, rtol, atol)`` gives a `Solver` at t = 0.
    strides : bool
        Whether its solver can do several steps at once, see `StridingSolver`.
    sample : callable, optional
        ``sample(field, theta0, times, rtol, atol, max_evaluations)`` gives the states (T, n) at increasing times at
        once and the evaluations, faster than by single steps; states None where it did not get to the end.
    matrix_free : bool
        Whether an implicit method does without a dense Jacobian.
    """

    name: str
    implicit: bool
    create: Callable[[VectorField, Array, float, float, float], Solver]
    strides: bool = False
    sample: (
        Callable[[VectorField, Array, Array, float, float, int | None], tuple[Array | None, int]] | None
    ) = None
    matrix_free: bool = False


@dataclass(frozen=True)
class Stop:
    """A reason to stop early: the integration ends where `function(t, θ)` crosses zero.

    Parameters
    ----------
    name : str
    function : callable
    loss, speed : float, optional
        That the function is positive where the loss of the field is larger, or ‖θ̇‖ is; None: not known. Where many
        are integrated at once, it is asked where it may be zero only.
    """

    name: str
    function: Callable[[float, Array], float]
    loss: float | None = None
    speed: float | None = None
