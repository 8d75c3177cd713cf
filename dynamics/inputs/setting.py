"""What the laws of the inputs ask of a problem, and of its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from dynamics.aliases import Array

if TYPE_CHECKING:
    from dynamics.activations import Activation
    from dynamics.labels import Labels
    from dynamics.losses import Loss


class Network(Protocol):
    """What a law asks of a teacher: Σ_m B_om ψ(v_m·x)."""

    @property
    def V(self) -> Array:
        """(R, d)."""

    @property
    def B(self) -> Array:
        """(O, R)."""


class Units(Protocol):
    """What a law asks of a student."""

    @property
    def hidden(self) -> int:
        """K."""


class Bias(Protocol):
    """What a law asks of a bias, see `dynamics.problem.bias.Bias`."""

    @property
    def teacher(self) -> float:
        """That of the teacher."""

    @property
    def start(self) -> float:
        """That of the student."""

    @property
    def trainable(self) -> bool:
        """Whether it is trained."""


class Setting(Protocol):
    """What a law asks of a problem, see `dynamics.problem.problem.Problem`."""

    @property
    def teacher(self) -> Network:
        """The teacher."""

    @property
    def student(self) -> Units:
        """The student."""

    @property
    def activation(self) -> Activation:
        """φ."""

    @property
    def teacher_activation(self) -> Activation:
        """ψ."""

    @property
    def covariance(self) -> Array | None:
        """Σ as it was given; None is the identity."""

    @property
    def second_moment(self) -> Array | None:
        """E xxᵀ; None is the identity."""

    @property
    def inputs(self) -> int:
        """d."""

    @property
    def realisable(self) -> bool:
        """Whether φ = ψ."""

    @property
    def loss(self) -> Loss:
        """ℓ."""

    @property
    def labels(self) -> Labels:
        """How labels come from f*."""

    @property
    def bias(self) -> Bias:
        """β."""
