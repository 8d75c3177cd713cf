"""The solvers by name, and which one is taken where none is named.

The choice of method was measured: after convergence a gradient flow is stiff, so small systems go to LSODA with the
analytic Jacobian; for large ones a dense implicit step costs more than it saves, and an explicit method is used, by
turns with BDF-CG where the field is a gradient. Of the explicit methods Tsit5 reaches a relative error of 1e-8 and
worse with fewer evaluations than DOP853.
"""

from __future__ import annotations

from dynamics.integration.alternation import alternating
from dynamics.integration.backward_differences import BDF_CG
from dynamics.integration.contract import Method
from dynamics.integration.dop853 import COMPILED_DOP853, DOP853
from dynamics.integration.sampling import DEFAULT_RTOL
from dynamics.integration.scipy_solvers import SCIPY_METHODS
from dynamics.integration.taylor import TAYLOR
from dynamics.integration.tsit5 import COMPILED_TSIT5, TSIT5
from dynamics.validation import validate_choice

EXPLICIT = (TSIT5, DOP853, COMPILED_TSIT5, COMPILED_DOP853)
BY_TURNS = {explicit.name: alternating(explicit) for explicit in (TSIT5, DOP853)}
SOLVERS: dict[str, Method] = {
    method.name: method for method in (*SCIPY_METHODS, *EXPLICIT, BDF_CG, *BY_TURNS.values(), TAYLOR)
}
METHODS = ("auto", *SOLVERS)
LARGEST_IMPLICIT = 300  # unknowns; above, the dense linear algebra of an implicit step dominates
LARGEST_DENSE = 200  # the same where there are implicit steps without it
LOOSE = 1e-9  # relative tolerance from which on fewer stages are better


def choose_method(
    method: str | Method,
    unknowns: int,
    smooth: bool = True,
    rtol: float = DEFAULT_RTOL,
    gradient: bool = False,
) -> Method:
    """The method of a name, or the one given.

    By the name "auto" LSODA for small systems; for large ones Tsit5 under loose tolerances and DOP853 under tight ones,
    by turns with BDF-CG where the field is minus a gradient.
    Where the right-hand side jumps neither a Jacobian nor a high order is of use: RK45, which checks its samples too.
    """
    if isinstance(method, Method):
        return method
    validate_choice("method", method, METHODS)
    if method != "auto":
        return SOLVERS[method]
    if not smooth:
        return SOLVERS["RK45"]
    if unknowns <= (LARGEST_DENSE if gradient else LARGEST_IMPLICIT):
        return SOLVERS["LSODA"]
    explicit = TSIT5 if rtol >= LOOSE else DOP853
    return BY_TURNS[explicit.name] if gradient else explicit
