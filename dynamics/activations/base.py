"""The activation φ: written once, in operators that NumPy, PyTorch and SymPy share, with what theory asks of it.

A new activation is a file with a call of `register`, and a line in `dynamics/activations/__init__.py`; a family of
them, such as polynomials, one with a call of `register_family`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from dynamics.activations.elementwise import Elementwise, OfPreactivation
from dynamics.activations.polynomial import polynomial_terms
from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.named import Family, Names
from dynamics.population.expansion import Expansion
from dynamics.validation import validate_array

if TYPE_CHECKING:
    from dynamics.population.base import Population

QUADRATICS = "quadratic and centred units"
POLYNOMIALS = "polynomial activations"
ELEMENTARY = "polynomials and functions of one smoothed kink, such as erf, relu and gelu"
LARGEST_ERROR = 1e-9  # of a fit, above which expectations are taken by quadrature
ACCURACY, OFFSET = 1e-6, 1e-5  # of claimed slopes against central differences, and their distance
SAMPLES = np.array(
    [[-1.7, 0.9], [-0.4, 2.3], [0.3, 0.6], [1.9, 1.4]]
)  # (z, q) at which claims about φ are checked

Slope = Callable[[Any, Any, Any], Any]
"""A derivative of φ, by (z, q, φ(z, q))."""


def _alike(a: Array, b: Array, tolerance: float = 1e-8) -> bool:
    """Whether two arrays are the same, up to a part of the largest number."""
    return bool(np.abs(a - b).max() <= tolerance * np.abs(b).max())


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
        ``population(V, B, covariance)`` gives the closed-form population loss for a teacher of the same activation in
        a form of its own, faster than that of all others.
    label : str
        What figures call it; by default its name.
    expansion : Expansion, optional
        φ as a function of which Gaussian expectations have closed forms. A polynomial φ needs none.
    kink : (α, β), optional
        Where φ(z) = αz + β|z|.
    error : float
        Largest |φ − expansion|/(1 + |z|), beyond rounding, of an expansion that is not exact.
    quadrature : bool
        Whether expectations are taken by quadrature: slower, and for short enough weights alone (see
        `dynamics.population.hermite_kernel`).
    slope, variance_slope : callable (z, q, φ) → ∂φ/∂z, ∂φ/∂q, optional
        For training, in operators and functions that arrays and tensors share; a number where it is constant. They are
        given the value of φ too, by which some are cheap. At a kink the slope is the one that automatic differentiation
        takes of `phi`. Without `slope` (and `variance_slope` where φ depends on q) networks are trained by automatic
        differentiation.

    Raises
    ------
    ProblemError
        If φ does not have the degree, the parity or the slopes that are claimed.
    """

    name: str
    formula: str
    phi: Callable[[Any, Any], Any]
    degree: int | None
    parity: int | None
    population: Callable[..., Population] | None = field(default=None, compare=False)
    label: str = field(default="", compare=False)
    expansion: Expansion | None = None
    kink: tuple[float, float] | None = None
    error: float = field(default=0.0, compare=False)
    quadrature: bool = False
    slope: Slope | None = field(default=None, compare=False)
    variance_slope: Slope | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", self.label or self.name)
        z, q = SAMPLES.T
        value = self.phi(z, q)
        if self.degree is not None and not _alike(self.phi(3 * z, 9 * q), 3.0**self.degree * value):
            raise ProblemError(f"The activation {self.name!r} is not homogeneous of degree {self.degree}.")
        if self.parity is not None and not _alike(self.phi(-z, q), self.parity * value):
            raise ProblemError(f"The activation {self.name!r} does not have the parity {self.parity}.")
        self._check_slopes(z, q, value)

    def _check_slopes(self, z: Array, q: Array, value: Array) -> None:
        """Hold claimed slopes against central differences."""
        rounding = np.spacing(np.abs(value).max()) / OFFSET
        for slope, dz, dq in ((self.slope, OFFSET, 0.0), (self.variance_slope, 0.0, OFFSET)):
            if slope is None:
                continue
            measured = (self.phi(z + dz, q + dq) - self.phi(z - dz, q - dq)) / (2 * OFFSET)
            error = np.abs(slope(z, q, value) - measured).max()
            if not error <= ACCURACY * np.abs(measured).max() + 8 * rounding:
                raise ProblemError(f"A slope of the activation {self.name!r} is not its derivative.")

    @staticmethod
    def parse(name: Activation | str, option: str = "activation") -> Activation:
        """The activation of a name, as on the command line; an activation itself is returned as it is.

        Messages say which `option` names it.

        Raises
        ------
        ProblemError
            If no activation has this name, or a family no such member.
        """
        return NAMES.parse(name, option)

    @classmethod
    def from_callable(
        cls,
        phi: Callable[[Any], Any],
        name: str = "",
        *,
        torch: Callable[[Any], Any] | None = None,
        slope: Callable[[Any], Any] | None = None,
        label: str = "",
    ) -> Activation:
        """The activation of any function of one variable.

        It is fitted by a polynomial and smoothed kinks (`dynamics.activations.fitting`), which give its expectations in
        closed form; `error` says how well. Above 1e-9 they are taken by quadrature instead, with a warning.

        Parameters
        ----------
        phi : callable
            Of an array of numbers, elementwise. Degree and parity are measured.
        name : str
            What messages and files call it; by default the function's own name. `register` makes it known by it.
        torch : callable, optional
            The same function of tensors, for training; by default φ itself.
        slope : callable, optional
            φ′ of arrays and of tensors, for faster training; by default that takes automatic differentiation.
        label : str
            What figures call it.

        Raises
        ------
        ProblemError
            If φ does not give one finite real number for each number, or `slope` is not its derivative.

        Examples
        --------
        >>> import numpy as np
        >>> from dynamics.activations import Activation
        >>> mish = Activation.from_callable(lambda z: z * np.tanh(np.logaddexp(0, z)), "mish")
        >>> mish.error < 1e-11
        True
        """
        from dynamics.activations.fitting import fit
        from dynamics.population.hermite_kernel import TOLERANCE, unresolved

        name = name or getattr(phi, "__name__", "callable")
        function = Elementwise(name, phi, torch)
        found = fit(phi, name)
        exact = found.error <= LARGEST_ERROR
        if not exact:
            left = unresolved(function, 1.0)
            rough = f" It is not smooth: for weights of length 1 quadrature leaves {left:.0e}, so that flows refuse it."
            warnings.warn(
                f"The activation {name!r} is fitted only to {found.error:.1g} by smoothed kinks: its expectations are"
                " taken by quadrature, some 50 times slower, and for short weights only."
                + rough
                * (left > TOLERANCE),
                stacklevel=2,
            )
        z = SAMPLES[:, 0]
        value, mirrored = phi(z), phi(-z)
        parity = next((p for p in (1, -1) if _alike(mirrored, p * value, 1e-13)), None)
        degree = next((h for h in range(1, 9) if _alike(phi(3 * z), 3.0**h * value, 1e-13)), None)
        return cls(
            name,
            f"φ(w·x) = {name}(w·x)",
            function,
            degree,
            parity,
            label=label,
            expansion=found.expansion if exact else None,
            kink=found.kink,
            error=found.error if exact else 0.0,
            quadrature=not exact,
            slope=None if slope is None else OfPreactivation(slope),
        )

    def loss(
        self,
        V: Any,
        B: Any,
        covariance: Any = None,
        teacher: Activation | str | None = None,
        mean: Any = None,
    ) -> Population:
        """Population loss against the teacher f*_o = Σ_m B_om ψ(v_m·x), x ~ N(μ, Σ).

        Parameters
        ----------
        V : (R, d) array
        B : (O, R) array
        covariance : (d, d) array, optional
            Σ; by default the identity.
        teacher : Activation or str, optional
            ψ; by default φ.
        mean : (d,) array, optional
            μ; by default zero.

        Raises
        ------
        ProblemError
            If there is no closed form for the two activations, or the mean is none of d numbers.
        """
        from dynamics.activations.pairing import population_loss

        other = self if teacher is None else Activation.parse(teacher)
        if mean is not None:
            mean = validate_array("mean", mean, 1)
            if mean.shape != V.shape[1:]:
                raise ProblemError(f"`mean` has {len(mean)} entries, but there are {V.shape[1]} inputs.")
        return population_loss(self, other, V, B, covariance, mean)

    @property
    def is_polynomial(self) -> bool:
        """Whether φ is a polynomial in z and q."""
        return polynomial_terms(self.phi) is not None

    @property
    def is_elementary(self) -> bool:
        """Whether φ is a polynomial and at most one smoothed kink, so that its pair kernels are short formulas."""
        if self.is_polynomial or self.expansion is None:
            return self.is_polynomial
        return not self.error and sum(len(part.sizes) for part in self.expansion.components) <= 1

    @cached_property
    def uses_variance(self) -> bool:
        """Whether φ depends on q."""
        return bool(np.isnan(self.phi(SAMPLES[:, 0], np.nan)).any())

    @cached_property
    def has_slopes(self) -> bool:
        """Whether its derivatives by all that it depends on are written down."""
        return self.slope is not None and (self.variance_slope is not None or not self.uses_variance)

    @cached_property
    def trace_coupling(self) -> float | None:
        """1 for φ = z², 0 for φ = z² − q, None for every other.

        For these two the residual is the quadratic form D = M* − Σ_k a_k w_kw_kᵀ (less its mean), and the loss
        L = tr(DΣDΣ) + ½ κ tr(DΣ)² with this κ.
        """
        z, q = SAMPLES.T
        value = self.phi(z, q)
        return next((k for k in (1.0, 0.0) if _alike(value, z * z - (1 - k) * q)), None)

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

    @cached_property
    def is_differentiable(self) -> bool:
        """Whether φ is a function of z alone of which two derivatives are known."""
        from dynamics.activations.derivatives import is_differentiable

        return is_differentiable(self)

    def derivative(self, order: int, z: Array) -> Array:
        """φ′ (order 1) or φ″ (order 2) at pre-activations, see `dynamics.activations.derivatives`."""
        from dynamics.activations.derivatives import derivative

        return derivative(self, order, z)

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
        accuracy = f", to {self.error:.1g}" if self.error else ", by quadrature" if self.quadrature else ""
        return f"Activation({self.name!r}: {self.formula}{accuracy})"

    def __reduce__(self) -> Any:
        if ACTIVATIONS.get(self.name) is self or self.name.partition(":")[0] in FAMILIES:
            return Activation.parse, (self.name,)  # on the other side it is registered as well
        return super().__reduce__()


NAMES: Names[Activation, Family[Activation]] = Names(Activation, "another activation")

FAMILIES = NAMES.families
"""All families of activations."""

register_family = NAMES.register_family

ACTIVATIONS = NAMES.single
"""All activations that have a name, in the order in which they are offered."""


def register(activation: Activation) -> Activation:
    """Make an activation known by its name, to every command and function that takes names.

    Raises
    ------
    ProblemError
        If another activation has this name already.
    """
    return NAMES.register(activation)
