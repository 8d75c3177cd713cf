"""Laws special to one teacher: quantities that the flow of its population loss keeps constant.

With f and f* polynomials in x ~ N(0, Σ) the loss ½ Σ_o E[(f*_o − f_o)²] is an exact polynomial in the parameters
by Isserlis' theorem; a law P then satisfies Σ_j η_j ∂_jP ∂_jL = 0 for this one L. Most of what a single teacher
adds is not polynomial (a flow that converges to isolated minima has no further continuous law), but ratios
P/Q are found when a denominator Q is proposed, and directions in which the inputs do not vary give
polynomial ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from sympy import QQ
from sympy.polys.rings import PolyElement, PolyRing

from dynamics.budget import check_number
from dynamics.errors import ProblemError
from dynamics.laws.discovery import Discovery, discover, discover_laws
from dynamics.laws.polynomial_network import (
    PolynomialNetwork,
    exact_rational,
    integer_potentials,
    polynomial_in,
)
from dynamics.symbolic.expressions import symbolic_matrix
from dynamics.symbolic.moments import ring_expectation
from dynamics.words import counted

FEWER = "use fewer inputs, or look for the laws of every teacher only"
LARGEST_LOSS = 150_000  # products of monomials of the inputs, which take some ten seconds


@dataclass(frozen=True)
class TeacherLaws:
    """Laws of the gradient flow towards one teacher.

    Parameters
    ----------
    universal : Discovery
        Laws that hold for every target and every loss.
    special : Discovery
        Further generators that hold for this teacher and input covariance only; its `dimensions` count all
        laws of this flow, `independent` means independent of the universal laws as well.
    """

    universal: Discovery
    special: Discovery

    def summary(self) -> str:
        """The result in words."""
        return f"for every teacher, {self.universal.summary()}; special to this one, {self.special.summary()}"


def laws_for_teacher(
    network: PolynomialNetwork,
    teacher: Any,
    degree: int,
    *,
    covariance: Any = None,
    denominator: Any = None,
) -> TeacherLaws:
    """Polynomial laws, or laws P/Q, of gradient flow on the population loss of one teacher.

    Parameters
    ----------
    network : PolynomialNetwork
        The student.
    teacher : expression, sequence of O expressions, or symmetric (d, d) matrix
        f*_o(x), polynomial in the network's inputs; a matrix M* means xᵀ M* x.
    degree : int
        Largest degree of P.
    covariance : (d, d) array, optional
        Σ, positive semidefinite; the identity if left out.
    denominator : expression, optional
        Q.

    Returns
    -------
    TeacherLaws

    Raises
    ------
    ProblemError
        If the teacher, the covariance or the degree does not fit, or the inputs are too many.
    """
    loss = population_loss(network, teacher, covariance)
    universal = discover_laws(network, degree, denominator=denominator)
    potentials = integer_potentials([loss])
    if not potentials:
        raise ProblemError("`covariance` leaves a loss that depends on no parameter, so nothing is trained.")
    special = discover(potentials, network, degree, denominator=denominator, known=universal.laws)
    return TeacherLaws(universal, special)


def population_loss(network: PolynomialNetwork, teacher: Any, covariance: Any = None) -> PolyElement:
    """L(θ) = ½ Σ_o E[(f*_o(x) − f_o(x; θ))²] under x ~ N(0, Σ), as an exact polynomial over ℚ.

    Parameters are those of `laws_for_teacher`; use ``.as_expr()`` for a SymPy expression.
    """
    coefficients = PolyRing(network.parameters, QQ)
    inputs = PolyRing(network.inputs, coefficients)
    loss = coefficients.zero
    products = len({x for _, x in network.coefficients}) ** 2
    what = f"The loss of a network of {counted(len(network.inputs), 'input')}, squared exactly,"
    check_number(what, products, LARGEST_LOSS, "products of monomials", FEWER)
    for o, target in enumerate(_targets(network, teacher)):
        residual = inputs.from_dict(
            {exponents: coefficients(value) for exponents, value in target.items()}
        ) - inputs.from_dict({x: phi for (output, x), phi in network.coefficients.items() if output == o})
        loss += ring_expectation(residual**2, _covariance(network, covariance)) / 2
    return loss


def _targets(network: PolynomialNetwork, teacher: Any) -> list[PolyElement]:
    """f*_o as polynomials in the inputs."""
    x = sympy.Matrix(network.inputs)
    if isinstance(teacher, sympy.MatrixBase | np.ndarray):
        M = _matrix("teacher", teacher)
        if M.shape != (len(x), len(x)) or M != M.T:
            raise ProblemError(
                f"`teacher` has shape {M.shape}, but a teacher matrix must be symmetric with {len(x)} rows."
            )
        teacher = (x.T * M * x)[0]
    targets = list(teacher) if isinstance(teacher, Sequence) else [teacher]
    if len(targets) != len(network.outputs):
        raise ProblemError(
            f"`teacher` has {len(targets)} outputs, but the network has {len(network.outputs)}."
        )
    ring = PolyRing(network.inputs, QQ)
    return [polynomial_in("teacher", target, ring) for target in targets]


def _covariance(network: PolynomialNetwork, covariance: Any) -> list[list[Any]] | None:
    """Σ as rationals, checked to be a covariance exactly."""
    if covariance is None:
        return None
    Sigma = _matrix("covariance", covariance).applyfunc(lambda entry: exact_rational("covariance", entry))
    d = len(network.inputs)
    if Sigma.shape != (d, d) or Sigma != Sigma.T:
        raise ProblemError(f"`covariance` has shape {Sigma.shape}, but must be symmetric with {d} rows.")
    if not Sigma.is_positive_semidefinite:
        raise ProblemError("`covariance` has a negative eigenvalue, but none may be negative.")
    return [[QQ(entry.p, entry.q) for entry in Sigma.row(i)] for i in range(d)]


def _matrix(name: str, value: Any) -> sympy.Matrix:
    try:
        return symbolic_matrix(value)
    except sympy.SympifyError as error:
        raise ProblemError(f"`{name}` contains {error.expr!r}, but must hold numbers.") from None
    except (TypeError, ValueError):
        raise ProblemError(f"`{name}` cannot be read as a matrix of numbers.") from None
