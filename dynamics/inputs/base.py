"""The law of the inputs: what every law says of itself, whoever asks.

A law draws inputs, says what the loss of a problem is under it, and in which subspaces its flows stay. A new law is a
file with a call of `register` (a family of laws: of `register_family`), and a line in `dynamics/inputs/laws.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from dynamics.aliases import Array
from dynamics.inputs.setting import Bias, Network, Setting, Units
from dynamics.named import Family, Names

if TYPE_CHECKING:
    from dynamics.activations import Activation
    from dynamics.labels import Labels
    from dynamics.losses import Loss
    from dynamics.population.base import Population
    from dynamics.population.fourth_moment import FourthMoment


@dataclass(frozen=True)
class _Weights:
    """A network as a teacher."""

    V: Array
    B: Array


@dataclass(frozen=True)
class _SelfTaught:
    """A problem with another network of the student's activation as the teacher."""

    problem: Setting
    teacher: Network
    realisable: ClassVar[bool] = True

    @property
    def student(self) -> Units:
        """That of the problem."""
        return self.problem.student

    @property
    def activation(self) -> Activation:
        """φ."""
        return self.problem.activation

    @property
    def teacher_activation(self) -> Activation:
        """φ again."""
        return self.problem.activation

    @property
    def covariance(self) -> Array | None:
        """That of the problem."""
        return self.problem.covariance

    @property
    def second_moment(self) -> Array | None:
        """That of the problem."""
        return self.problem.second_moment

    @property
    def inputs(self) -> int:
        """d."""
        return self.problem.inputs

    @property
    def loss(self) -> Loss:
        """That of the problem."""
        return self.problem.loss

    @property
    def labels(self) -> Labels:
        """Those of the problem."""
        return self.problem.labels

    @property
    def bias(self) -> Bias:
        """That of the problem."""
        return self.problem.bias


class Source(Protocol):
    """Random numbers, as NumPy arrays or as tensors."""

    def normal(self, *shape: int) -> Any:
        """Standard normal numbers."""

    def uniform(self, *shape: int) -> Any:
        """Numbers in [0, 1)."""

    def gamma(self, shape_parameter: float, *shape: int) -> Any:
        """Numbers of a gamma law of scale 1."""

    def array(self, value: Array) -> Any:
        """An array of the kind that is drawn."""


class InputLaw(ABC):
    """A law of the inputs x.

    Laws are frozen dataclasses. Most have mean zero and unit covariance; the covariance Σ of a problem then makes them
    those of x = Σ^{1/2} z, the symmetric root, z being what the law says.

    Attributes
    ----------
    name : str
        As on the command line.
    gaussian : bool
        Whether x is Gaussian with mean zero, which most theories ask for.
    standard : bool
        Whether it has mean zero and unit covariance, so that it can be given a covariance.
    projects : bool
        Whether the inputs seen in a subspace obey a law of the same kind.
    uniform_outside : bool
        Whether inputs outside of a subspace from `closure`, given those inside, have mean zero and a covariance of
        which only the size depends on these.
    labelled : bool
        Whether it brings labels, which no teacher need give.
    option : str
        The option that says it, as messages name it.
    clock : float or None
        γ where the law is invariant under rotations: E (xᵀDx) xxᵀ = γ (2D + tr D I), the Gaussian value times γ.
    kurtosis : float or None
        κ = E x⁴ − 3 where coordinates are independent and symmetric with this one excess.
    """

    gaussian: ClassVar[bool] = False
    standard: ClassVar[bool] = True
    labelled: ClassVar[bool] = False
    option: ClassVar[str] = "distribution"
    projects: ClassVar[bool] = True
    uniform_outside: ClassVar[bool] = True

    @property
    @abstractmethod
    def name(self) -> str:
        """As on the command line."""

    @property
    def clock(self) -> float | None:
        """γ of a law that rotations leave as it is; None of others."""
        return None

    @property
    def kurtosis(self) -> float | None:
        """κ of independent symmetric coordinates; None of others."""
        return None

    def radial(self, h: int) -> Fraction | None:
        """γ_h of a law that rotations leave as it is: its moments of order 2h are the Gaussian ones times that.

        None where they are infinite, and of other laws.
        """
        return None

    def coordinate_moment(self, order: int, kappa: Any) -> Any:
        """E xⁿ, n ≥ 2 even, of one of independent symmetric coordinates, κ a number or a symbol; None of other laws."""
        return None

    def bound(self, inputs: int) -> InputLaw:
        """The law in so many dimensions.

        Raises
        ------
        ProblemError
            If there is none.
        """
        return self

    @abstractmethod
    def knows(self, problem: Setting) -> bool:
        """Whether the loss has a closed form for the activations of the problem."""

    @property
    @abstractmethod
    def known(self) -> str:
        """For which activations it has: "a law is known only for {known}"."""

    @abstractmethod
    def loss(self, problem: Setting) -> Population:
        """Loss of the problem under this law, in closed form."""

    def any_loss(self, problem: Setting) -> Population | None:
        """Loss of the problem for another ℓ than the square; None where it is not known."""
        return None

    def gaussian_lengths(self, problem: Setting) -> tuple[Array, Array] | None:
        """Squares s² and weights of the Gaussian laws for s²Σ whose mean `any_loss` is; None where it is none."""
        return None

    def test_loss(self, problem: Setting) -> Population | None:
        """Loss on samples that were held out; None if there are none."""
        return None

    @abstractmethod
    def fourth_moment(self, covariance: Array | None, inputs: int) -> FourthMoment:
        """C[D] = E (xᵀDx) xxᵀ."""

    def metric(self, problem: Setting, W: Array, A: Array) -> Array:
        """E JᵀJ over W, A, flattened row by row, J being the derivative of the outputs by the weights, (n, n).

        It is the Hessian where the student is its own teacher, so that the error is zero.
        """
        return self.loss(_SelfTaught(problem, _Weights(W, A))).hessian(W, A)

    def second_moment(self, covariance: Array | None) -> Array | None:
        """E xxᵀ, (d, d); None is the identity."""
        return covariance

    @abstractmethod
    def closure(self, problem: Setting, rows: Array) -> Array | None:
        """Orthonormal basis (d, r) of a subspace around rows (m, d) in which flows stay; None if that is all."""

    def within(self, Q: Array) -> InputLaw:
        """The law of Qᵀx, for a basis Q (d, r): any where the law `projects`, else one that `closure` gave."""
        return self

    @abstractmethod
    def draw(self, source: Source, count: int, inputs: int) -> Any:
        """Inputs (count, inputs) before the covariance is applied."""

    def arrays(self) -> Mapping[str, Array]:
        """What a file has to hold besides the name."""
        return {}

    def alike(self, other: InputLaw) -> bool:
        """Whether another law says the same."""
        one, two = self.arrays(), other.arrays()
        same = self.name == other.name and one.keys() == two.keys()
        return same and all(np.array_equal(one[name], two[name]) for name in one)


@dataclass(frozen=True)
class Restored:
    """How a law is made of stored arrays.

    Parameters
    ----------
    parts : tuple of str
        Their names.
    law : callable
    """

    parts: tuple[str, ...]
    law: Callable[[Mapping[str, Array]], InputLaw]

    def __call__(self, arrays: Mapping[str, Array]) -> InputLaw:
        """The law of these arrays."""
        return self.law(arrays)


@dataclass(frozen=True)
class LawFamily(Family[InputLaw]):
    """Laws with parameters in their names.

    Parameters
    ----------
    restored : Restored, optional
        From the arrays of `InputLaw.arrays` to the law, where the name does not say it all.
    """

    restored: Restored | None = None


def shortest(value: float) -> str:
    """A number in a name: as few digits as say it exactly."""
    return repr(float(value)).removesuffix(".0")


NAMES: Names[InputLaw, LawFamily] = Names(InputLaw, "another law")
LAWS, FAMILIES = NAMES.single, NAMES.families
register_family = NAMES.register_family


def register(law: InputLaw) -> InputLaw:
    """Make a law known by its name."""
    LAWS[law.name] = law
    return law


def parse_law(name: InputLaw | str, option: str = "distribution") -> InputLaw:
    """The law of a name, as on the command line; a law itself is returned as it is.

    Messages say which `option` names it.

    Raises
    ------
    ProblemError
        If no law has this name, or a family no such member.
    """
    return NAMES.parse(name, option)
