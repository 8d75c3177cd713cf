"""Explicit methods whose steps numba compiles (`pip install 'quadflow[fast]'`), where the field has a kernel.

Loading numba and what it compiled before takes as long as 10¹⁰ multiplications in matrix products. An integration
goes on in compiled code when it has cost as much as that: it takes twice as long as the better choice at worst. Others
of the same process do not count, so that what comes out of an integration depends on that alone, to the last digit.
The methods whose name ends in "-numba" begin with it: for many large integrations. Results are the same to rounding;
units that are copies of each other stay equal to the last bit by NumPy only.
"""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.integration.contract import Kernel
from dynamics.integration.stages import Stages
from dynamics.integration.stepper import Stepper
from dynamics.integration.tableau import Tableau

WORTH_LOADING = 10**10  # multiplications in matrix products: a second


def pays(kernel: Kernel, evaluations: int) -> bool:
    """Whether it pays to go on in compiled code, after so many evaluations without."""
    return kernel.operations * evaluations > WORTH_LOADING


def compiled(name: str, kernel: Kernel | None, tableau: Tableau, unknowns: int) -> CompiledSteps:
    """Compiled steps of the method of a name, for what a vector field offers.

    Raises
    ------
    ProblemError
        If it offers nothing, or numba is not there.
    """
    plain = name.removesuffix("-numba")
    if kernel is None:
        raise ProblemError(
            f"The method '{name}' is there for the gradient flow of quadratic networks with one output, white Gaussian "
            f"inputs and no weight decay only: choose '{plain}', which is the same."
        )
    try:
        return CompiledSteps(kernel, tableau, unknowns)
    except (ImportError, RuntimeError) as reason:
        raise ProblemError(
            f"The method '{name}' needs numba, which is not there ({reason}): pip install 'quadflow[fast]', or choose "
            f"'{plain}'."
        ) from None


def compiled_if_possible(kernel: Kernel, tableau: Tableau, unknowns: int) -> CompiledSteps | None:
    """Compiled steps; None without numba, of which a version may not go with NumPy's, or have nowhere to keep code."""
    try:
        return CompiledSteps(kernel, tableau, unknowns)
    except (ImportError, RuntimeError):
        return None


class CompiledSteps:
    """Strides of a solver in compiled code.

    Parameters
    ----------
    kernel : Kernel
    tableau : Tableau
    """

    def __init__(self, kernel: Kernel, tableau: Tableau, unknowns: int) -> None:
        from dynamics.integration.compiled_steps import evaluate, stages, stride

        self._evaluate, self._stages, self._stride = evaluate, stages, stride
        self._address = kernel.load().address
        self._told = kernel.numbers, np.array(kernel.sizes), np.zeros(kernel.room)
        self._table = np.ascontiguousarray(tableau.weights), np.array(tableau.nodes, dtype=float)
        self._estimates, self._errors = tableau.estimates, np.empty((len(tableau.estimates), unknowns))

    def slope(self, t: float, theta: Array, out: Array) -> None:
        """F(θ)."""
        self._evaluate(self._address, t, theta, out, *self._told)

    def evaluate(self, stages: Stages, t: float, h: float, first: int, last: int) -> None:
        """Slopes k_i, first ≤ i < last, of a step of length h from time t."""
        self._stages(
            *(self._address, *self._told, *self._table, stages.weights, stages.memory, stages.argument),
            *(t, h, first, last),
        )

    def stride(self, solver: Stepper, until: float, most: int, allowed: int) -> bool:
        """Steps until a time is reached, at most so many, and no more than so many evaluations but for the last step.

        Returns whether a step became too short.
        """
        stages = solver.stages
        clock = np.array([solver.t, solver.t_old, solver.next, solver.error])
        counts = np.array([solver.nfev, solver.steps])
        limits = np.array([until, solver.t_bound, solver.rtol, solver.atol])
        numbers = np.array([solver.tableau.stages, solver.tableau.order, most, allowed])
        failed = self._stride(
            *(self._address, *self._told, *self._table, self._estimates, stages.weights),
            *(stages.memory, solver.y, stages.argument, self._errors),
            *(clock, counts, limits, numbers),
        )
        solver.t, solver.t_old, solver.next, solver.error = clock.tolist()
        solver.nfev, solver.steps = counts.tolist()
        return bool(failed)
