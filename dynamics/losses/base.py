"""The loss ℓ(f, y) of an output and its label: written once, in operators that NumPy and PyTorch share.

Two kinds are convex in f and known to the theory: losses of the residual, ℓ(f − y), with labels that are numbers, and
losses of two classes, ℓ(f) − yf, with labels in [0, 1]. Their population losses are spectral functions of a form
(`dynamics.population.spectral`). A new loss is a file with a call of `register`, and a line in
`dynamics/losses/__init__.py`; a family of them, such as Huber's, one with a call of `register_family`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.named import Family, Names

OFFSET, ACCURACY = (
    1e-5,
    1e-6,
)  # of claimed derivatives: distance of central differences, and what they may differ by
OUTPUTS = np.array(
    [-3.1, -1.7, -0.6, -0.21, 0.13, 0.4, 0.83, 1.9, 3.3]
)  # f at which claims about ℓ are checked
LABELS = np.array([0.0, 0.35, 1.0])
FAR = 1e6  # an output at which only the square loss still has the slope of the square loss
ROUNDING = 1e-9  # below zero, relative to the largest: what a convex loss may have as a curvature

Function = Callable[[Any, Any], Any]
"""A function of outputs f and labels y, elementwise, of arrays and of tensors."""


@dataclass(frozen=True, repr=False)
class Loss:
    """A convex loss ℓ(f, y) with two derivatives by f.

    Parameters
    ----------
    name : str
        As on the command line.
    formula : str
        ℓ in words.
    value, slope, curvature : callable (f, y) → ℓ, ∂ℓ/∂f, ∂²ℓ/∂f²
        With arithmetic operators and functions that arrays and tensors share. Losses of a function of one variable:
        `residual_loss`.
    of_residual : bool
        Whether it is a function of f − y alone. Otherwise ℓ(f) − yf, of labels in [0, 1].
    transform : callable ω → ρ, optional
        ∂ℓ/∂f = ∫₀^∞ ρ(ω) sin(ωu) dω (+ ½ of two classes) with u = f − y, or f of two classes, where ρ falls off
        exponentially and ωρ is finite at 0: population losses then are sums over 200 frequencies. Of other losses they
        are quadratures.
    breaks : tuple of float
        Values of u at which ∂²ℓ/∂f² jumps or bends.
    pieces : tuple of (float, float, float), optional
        Intervals of u and the constant that ∂²ℓ/∂f² is in each, where it is zero elsewhere: what is integrated over it
        then has a closed form.
    label : str
        What figures call it; by default its name.
    unit : str
        What it is measured in, for axes and files; by default its label.

    Raises
    ------
    ProblemError
        If slope or curvature are not the derivatives, or ℓ is not convex, or not of the kind that is claimed.
    """

    name: str
    formula: str
    value: Function
    slope: Function
    curvature: Function
    of_residual: bool = True
    transform: Callable[[Array], Array] | None = field(default=None, compare=False)
    breaks: tuple[float, ...] = ()
    pieces: tuple[tuple[float, float, float], ...] = ()
    label: str = field(default="", compare=False)
    unit: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", self.label or self.name)
        object.__setattr__(self, "unit", self.unit or self.label)
        f, y = (x.ravel() for x in np.meshgrid(OUTPUTS, LABELS))
        self._check_derivative("slope", self.value, self.slope, f, y)
        self._check_derivative("curvature", self.slope, self.curvature, f, y)
        bend = np.broadcast_to(self.curvature(f, y), f.shape)
        straight = not np.ptp(self.slope(f, 0 * y))  # a straight line has no minimum
        if straight or not (bend >= -ROUNDING * np.abs(bend).max()).all():
            raise ProblemError(f"The loss {self.name!r} is not convex, which every loss must be.")
        moved = self.slope(f + 0.7, y + 0.7) if self.of_residual else self.slope(f, 0 * y) - y
        if not np.abs(moved - self.slope(f, y)).max() <= ROUNDING * max(1.0, np.abs(moved).max()):
            kind = "a function of f − y" if self.of_residual else "a function of f less yf"
            raise ProblemError(f"The loss {self.name!r} is not {kind}, as it is said to be.")

    def _check_derivative(self, name: str, of: Function, derivative: Function, f: Array, y: Array) -> None:
        """Hold a claimed derivative against central differences."""
        away = np.ones(f.shape, dtype=bool)
        for point in self.breaks:
            away &= np.abs(f - y * self.of_residual - point) > 2 * OFFSET
        f, y = f[away], y[away]
        measured = (of(f + OFFSET, y) - of(f - OFFSET, y)) / (2 * OFFSET)
        rounding = 8 * np.spacing(np.abs(of(f, y)).max()) / OFFSET
        error = np.abs(derivative(f, y) - measured).max()
        if not error <= ACCURACY * max(1.0, np.abs(measured).max()) + rounding:
            raise ProblemError(f"The {name} of the loss {self.name!r} is not its derivative.")

    @staticmethod
    def parse(name: Loss | str, option: str = "loss") -> Loss:
        """The loss of a name, as on the command line; a loss itself is returned as it is.

        Messages say which `option` names it.

        Raises
        ------
        ProblemError
            If no loss has this name, or a family no such member.
        """
        return NAMES.parse(name, option)

    @property
    def classifies(self) -> bool:
        """Whether labels are two classes, 0 and 1, or probabilities of the class 1."""
        return not self.of_residual

    @cached_property
    def is_square(self) -> bool:
        """Whether it is ½(f − y)², of which the theory knows most."""
        f, y = (x.ravel() for x in np.meshgrid([*OUTPUTS, -FAR, FAR], LABELS))
        return not self.breaks and bool((np.abs(self.slope(f, y) - (f - y)) <= ROUNDING * (1 + abs(f))).all())

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"Loss({self.name!r}: {self.formula})"

    def __reduce__(self) -> Any:
        if LOSSES.get(self.name) is self or self.name.partition(":")[0] in FAMILIES:
            return Loss.parse, (self.name,)  # on the other side it is registered as well
        return super().__reduce__()


@dataclass(frozen=True)
class OfResidual:
    """A function of u = f − y as one of f and y.

    Parameters
    ----------
    function : callable u → value
    """

    function: Callable[[Any], Any]

    def __call__(self, f: Any, y: Any) -> Any:
        return self.function(f - y)


def residual_loss(
    name: str,
    formula: str,
    value: Callable[[Any], Any],
    slope: Callable[[Any], Any],
    curvature: Callable[[Any], Any],
    **more: Any,
) -> Loss:
    """The loss ℓ(f − y) of a convex function ℓ(u) of one variable, with ℓ′ and ℓ″.

    Parameters
    ----------
    name, formula : str
    value, slope, curvature : callable u → ℓ, ℓ′, ℓ″
        Elementwise, of arrays, and for training of tensors.
    **more
        `transform`, `breaks`, `pieces`, `label`, `unit` of `Loss`.

    Examples
    --------
    >>> from dynamics.losses import residual_loss
    >>> pseudo_huber = residual_loss(
    ...     "pseudo-huber", "ℓ = √(1 + (f − y)²) − 1",
    ...     lambda u: (1 + u * u) ** 0.5 - 1, lambda u: u / (1 + u * u) ** 0.5, lambda u: (1 + u * u) ** -1.5,
    ... )
    >>> pseudo_huber.classifies
    False
    """
    return Loss(name, formula, OfResidual(value), OfResidual(slope), OfResidual(curvature), **more)


NAMES: Names[Loss, Family[Loss]] = Names(Loss, "another loss")

FAMILIES = NAMES.families
"""All families of losses."""

register_family = NAMES.register_family

LOSSES = NAMES.single
"""All losses that have a name, in the order in which they are offered."""


def register(loss: Loss) -> Loss:
    """Make a loss known by its name, to every command and function that takes names.

    Raises
    ------
    ProblemError
        If another loss has this name already.
    """
    return NAMES.register(loss)
