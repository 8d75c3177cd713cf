"""The law: a function of the weights that gradient flow keeps constant.

Gradient flow with learning rates η_j is θ̇_j = −η_j ∂L/∂θ_j. A function of θ is conserved for every target and
every loss of f iff Σ_j η_j ∂_j law · ∂_j φ_i = 0 for every coefficient φ_i(θ) of f [1]_.

References
----------
.. [1] S. Marcotte, R. Gribonval, G. Peyré, "Abide by the law and follow the flow: conservation laws for
   gradient flows", NeurIPS 2023.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray

from dynamics.errors import ProblemError


@dataclass(frozen=True)
class Law:
    """A conserved quantity as a SymPy expression in the weights.

    Parameters
    ----------
    expression : sympy.Expr
        The conserved function.
    parameters : tuple of symbols
        All parameters of the network, in the order of the vectors that the law is evaluated on.
    name : str
        What the law says, in words.
    witness : mapping of symbol to integer, optional
        For a law that is not a rational function: coordinates to fix so that its gradient is rational there,
        which lets independence be proved exactly.

    Raises
    ------
    ProblemError
        If the expression is not finite, is constant or holds a symbol that is no parameter.
    """

    expression: sympy.Expr
    parameters: tuple[sympy.Symbol, ...] = field(repr=False)
    name: str = ""
    witness: Mapping[sympy.Symbol, int] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        expression = self.expression
        if not isinstance(expression, sympy.Expr) or expression.has(sympy.nan, sympy.oo, sympy.zoo):
            raise ProblemError(
                f"`expression` is {expression!r}, but a law must be a finite SymPy expression."
            )
        strange = sorted(map(str, expression.free_symbols - set(self.parameters)))
        if strange:
            raise ProblemError(
                f"`expression` contains {', '.join(strange)}, but a law may depend on parameters only."
            )
        if not expression.free_symbols:
            raise ProblemError(f"`expression` is {expression}, but a law must depend on a parameter.")

    def __str__(self) -> str:
        return str(self.expression)

    def latex(self) -> str:
        """LaTeX of the expression."""
        from dynamics.symbolic.printers import LatexPrinter, latex_symbol

        names = {s: latex_symbol(s.name) for s in self.expression.free_symbols if "_" in s.name}
        return str(LatexPrinter({"symbol_names": names}).doprint(self.expression))

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"

    @cached_property
    def degree(self) -> int | None:
        """Total degree of a polynomial law; None for any other."""
        if not self.expression.is_polynomial(*self.parameters):
            return None
        return int(sympy.Poly(self.expression, *self.parameters).total_degree())

    @cached_property
    def _function(self) -> Callable[..., Any]:
        return sympy.lambdify(self.parameters, self.expression, "numpy", cse=True)

    def __call__(self, theta: ArrayLike) -> NDArray[np.float64]:
        """Value at parameter vectors.

        Parameters
        ----------
        theta : (..., D) array
            Parameters along the last axis, for example a whole trajectory.

        Returns
        -------
        (...) array

        Raises
        ------
        ProblemError
            If the last axis does not have one entry per parameter.
        """
        theta = np.asarray(theta, dtype=float)
        if theta.ndim == 0 or theta.shape[-1] != len(self.parameters):
            raise ProblemError(
                f"`theta` has shape {theta.shape}, but its last axis must have {len(self.parameters)} entries,"
                " one per parameter."
            )
        # NumPy evaluates every branch of a piecewise law, also those that do not apply and are not real.
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self._function(*np.moveaxis(theta, -1, 0)), dtype=float)
