"""The solvers by name, and which one is taken where none is named.

The choice of method was measured: after convergence a gradient flow is stiff, so small systems go to
LSODA with the analytic Jacobian; for large ones a dense implicit step costs more than it saves and DOP853
is used.
"""

from __future__ import annotations

from dynamics.integration.contract import Method
from dynamics.integration.dop853 import DOP853
from dynamics.integration.scipy_solvers import SCIPY_METHODS
from dynamics.integration.taylor import TAYLOR
from dynamics.integration.tsit5 import TSIT5
from dynamics.validation import validate_choice

SOLVERS: dict[str, Method] = {method.name: method for method in (DOP853, TSIT5, *SCIPY_METHODS, TAYLOR)}
METHODS = ("auto", *SOLVERS)
LARGEST_IMPLICIT = 300  # unknowns; above, the dense linear algebra of an implicit step dominates


def choose_method(method: str | Method, unknowns: int, smooth: bool = True) -> Method:
    """The method of a name, or the one given.

    By the name "auto" LSODA for small systems and DOP853 for large ones; RK45 where the right-hand side jumps, so that
    neither a Jacobian nor a high order is of use.
    """
    if isinstance(method, Method):
        return method
    validate_choice("method", method, METHODS)
    if method == "auto":
        method = ("LSODA" if unknowns <= LARGEST_IMPLICIT else "DOP853") if smooth else "RK45"
    return SOLVERS[method]
