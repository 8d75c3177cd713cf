"""The activation φ: written once, in operators that NumPy, PyTorch and SymPy share, with what theory asks of it.

A new activation is a file with a call of `register`, and a line in `dynamics/activations/__init__.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from dynamics.activations.polynomial import pair_kernel, polynomial_terms
from dynamics.errors import ProblemError
from dynamics.population.pair_kernel import PairPopulation
from dynamics.validation import validate_choice

if TYPE_CHECKING:
    from dynamics.population.base import Population

QUADRATICS = "quadratic and centred units"
POLYNOMIALS = "homogeneous polynomial activations"
SAMPLES = np.array(
    [[-1.7, 0.9], [-0.4, 2.3], [0.3, 0.6], [1.9, 1.4]]
)  # (z, q) at which claims about φ are checked


@dataclass(frozen=True, repr=False)
class Activation:
    """An activation φ(z, q) of the pre-activation z = w·x and its variance q = wᵀΣw; most use z alone.

    Parameters
    ----------
    name : str
        As on the command line.
    formula : str
        φ in words, ``φ(w·x) = …``.
    phi : callable (z, q) → φ
        With arithmetic operators, ``abs`` and comparisons only, so that it takes arrays, tensors and symbols.
    degree : int or None
        Degree of homogeneity h: φ(cz, c²q) = c^h φ(z, q) for c > 0. Gradient flow conserves
        c_k = ‖w_k‖² − h Σ_o A_ok² of every hidden unit. None: φ is not homogeneous, and there is no c_k.
    parity : {1, -1, None}
        φ(−z, q) = ±φ(z, q), or neither.
    population : callable, optional
        ``population(V, B, covariance)`` gives the closed-form population loss. A polynomial φ needs none: its loss
        follows from φ (see `dynamics.activations.polynomial`).
    label : str
        What figures call it; by default its name.

    Raises
    ------
    ProblemError
        If φ does not have the degree or the parity that is claimed.
    """

    name: str
    formula: str
    phi: Callable[[Any, Any], Any]
    degree: int | None
    parity: int | None
    population: Callable[..., Population] | None = field(default=None, compare=False)
    label: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", self.label or self.name)
        z, q = SAMPLES.T
        value = self.phi(z, q)
        if self.degree is not None and not np.allclose(self.phi(3 * z, 9 * q), 3.0**self.degree * value):
            raise ProblemError(f"The activation {self.name!r} is not homogeneous of degree {self.degree}.")
        if self.parity is not None and not np.allclose(self.phi(-z, q), self.parity * value):
            raise ProblemError(f"The activation {self.name!r} does not have the parity {self.parity}.")

    @staticmethod
    def parse(name: Activation | str) -> Activation:
        """The activation of a name, as on the command line; an activation itself is returned as it is.

        Raises
        ------
        ProblemError
            If no activation has this name.
        """
        if isinstance(name, Activation):
            return name
        return ACTIVATIONS[validate_choice("activation", name, ACTIVATIONS)]

    def loss(self, V: Any, B: Any, covariance: Any = None) -> Population:
        """Population loss against the teacher f*_o = Σ_m B_om φ(v_m·x), x ~ N(0, Σ)."""
        if self.population is not None:
            return self.population(V, B, covariance)
        kernel = pair_kernel(self.phi)
        if kernel is None:
            raise ProblemError(
                f"The activation {self.name!r} is no polynomial and has no population loss: give it one."
            )
        return PairPopulation(V, B, covariance, kernel)

    @property
    def is_polynomial_form(self) -> bool:
        """Whether φ = Σ c_nm zⁿqᵐ, n + 2m = h, with c_h0 ≠ 0: then a symmetric tensor of order h says what f is."""
        terms = None if self.degree is None else polynomial_terms(self.phi)
        return terms is not None and (self.degree, 0) in terms

    def terms_for(self, subject: str) -> dict[tuple[int, int], float]:
        """Coefficients c_nm of φ = Σ c_nm zⁿqᵐ, for a subject that is known for homogeneous polynomials only.

        Raises
        ------
        ProblemError
            For every other φ.
        """
        terms = polynomial_terms(self.phi) if self.is_polynomial_form else None
        if terms is None:
            raise ProblemError(
                f"`activation` is {self.name!r}, but {subject} is known only for {POLYNOMIALS}."
            )
        return terms

    @cached_property
    def uses_variance(self) -> bool:
        """Whether φ depends on q."""
        return bool(np.isnan(self.phi(SAMPLES[:, 0], np.nan)).any())

    @cached_property
    def trace_coupling(self) -> float | None:
        """1 for φ = z², 0 for φ = z² − q, None for every other.

        For these two the residual is the quadratic form D = M* − Σ_k a_k w_kw_kᵀ (less its mean), and the loss
        L = tr(DΣDΣ) + ½ κ tr(DΣ)² with this κ.
        """
        z, q = SAMPLES.T
        value = self.phi(z, q)
        return next((k for k in (1.0, 0.0) if np.allclose(value, z * z - (1 - k) * q)), None)

    def coupling_for(self, subject: str) -> float:
        """The trace coupling κ, for a subject, "the closed form" say, that is known for φ = z² and z² − q only.

        Raises
        ------
        ProblemError
            For every other φ.
        """
        if self.trace_coupling is None:
            raise ProblemError(
                f"`activation` is {self.name!r}, but {subject} is known only for {QUADRATICS}."
            )
        return self.trace_coupling

    @property
    def is_identity(self) -> bool:
        """Whether φ = z, so that units can be mixed by rotations."""
        z, q = SAMPLES.T
        return bool(np.array_equal(self.phi(z, q), z))

    @property
    def mode_order(self) -> int:
        """Power j with which teacher modes are read off the weights, see `dynamics.problem.modes`.

        Even and mixed activations show the form Σ_k a_k w_kw_kᵀ, j = 2; odd ones the vector or tensor of their own
        degree.
        """
        return (self.degree or 1) if self.parity == -1 else 2

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"Activation({self.name!r}: {self.formula})"

    def __reduce__(self) -> Any:
        if ACTIVATIONS.get(self.name) is self:  # on the other side it is registered as well
            return Activation.parse, (self.name,)
        return super().__reduce__()


ACTIVATIONS: dict[str, Activation] = {}
"""All activations that have a name, in the order in which they are offered."""


def register(activation: Activation) -> Activation:
    """Make an activation known by its name, to every command and function that takes names.

    Raises
    ------
    ProblemError
        If another activation has this name already.
    """
    if ACTIVATIONS.setdefault(activation.name, activation) != activation:
        raise ProblemError(f"The name {activation.name!r} belongs to another activation: choose a new one.")
    return activation
