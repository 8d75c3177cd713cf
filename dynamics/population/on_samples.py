"""The loss on a data set: which of its forms costs least."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.population.base import Population
from dynamics.population.loss_on_samples import Loss, LossOnSamples
from dynamics.population.samples import MomentLoss, SampleLoss, through_moments, through_samples
from dynamics.population.unit_samples import UnitSampleLoss
from dynamics.validation import validate_choice

FORMS = ("auto", "samples", "moments")
EVALUATIONS = 2000  # of a typical integration, over which the QR factorisation has to pay off


class Bias(Protocol):
    """What is asked of a bias, see `dynamics.problem.bias.Bias`."""

    @property
    def start(self) -> float:
        """That of the student."""

    @property
    def trainable(self) -> bool:
        """Whether it is trained."""


class Activation(Protocol):
    """What is asked of an activation, see `dynamics.activations.base.Activation`."""

    @property
    def name(self) -> str:
        """As on the command line."""

    @property
    def phi(self) -> Callable[[Any, Any], Any]:
        """φ(z, q)."""

    @property
    def trace_coupling(self) -> float | None:
        """1 of quadratic units, 0 of centred ones, None of others."""

    @property
    def kink(self) -> tuple[float, float] | None:
        """(α, β) where φ(z) = αz + β|z|."""

    def derivative(self, order: int, z: Array) -> Array:
        """φ′ or φ″."""


def sample_loss(
    X: Array, Y: Array, activation: Activation, variance: Array | None, hidden: int, form: str = "auto"
) -> Population:
    """Loss of a student on samples X (n, d) with labels Y (n, O).

    Parameters
    ----------
    X, Y : arrays
    activation : Activation
    variance : (d, d) array or None
        Σ of q = wᵀΣw, for activations that depend on q.
    hidden : int
        K of a typical evaluation.
    form : {"auto", "samples", "moments"}
        "auto" takes what costs less.

    Raises
    ------
    ProblemError
        If moments are asked for that do not determine the loss.
    """
    validate_choice("form", form, FORMS)
    if activation.trace_coupling is not None:
        if form == "auto":
            form = cheaper_form(X, Y, hidden)
        return MomentLoss.from_samples(X, Y, variance) if form == "moments" else SampleLoss(X, Y, variance)
    if form == "moments":
        raise ProblemError(
            f"`form` is 'moments', but `activation` is {activation.name!r}: moments hold quadratic and centred units."
        )
    kinked = activation.kink is not None and activation.kink[1] != 0
    return UnitSampleLoss(X, Y, lambda z: activation.phi(z, None), activation.derivative, not kinked)


def any_sample_loss(
    X: Array, Y: Array, loss: Loss, activation: Activation, variance: Array | None, bias: Bias
) -> LossOnSamples:
    """Loss of a student on samples X (n, d) with labels Y (n, O), under any loss ℓ(f, y).

    Parameters
    ----------
    X, Y : arrays
    loss : Loss
    activation : Activation
    variance : (d, d) array or None
        Σ of q = wᵀΣw, for activations that depend on q.
    bias : Bias
    """
    form = activation.trace_coupling is not None
    kinked = not form and activation.kink is not None and activation.kink[1] != 0
    return LossOnSamples(
        X,
        Y,
        loss,
        np.square if form else lambda z: activation.phi(z, None),
        _square_derivative if form else activation.derivative,
        variance if form else None,
        bias.start,
        not kinked,
        form and not bias.trainable,
    )


def _square_derivative(order: int, z: Array) -> Array:
    """Those of z²."""
    return 2.0 * z if order == 1 else np.full_like(z, 2.0)


def cheaper_form(X: Array, Y: Array, K: int) -> str:
    """The form of a quadratic network's loss with fewer multiplications in a typical integration."""
    (n, d), O = X.shape, Y.shape[1]
    p = d * (d + 1) // 2
    moments = 2 * n * p**2 + EVALUATIONS * through_moments(n, d, K, O)
    return "moments" if moments < EVALUATIONS * through_samples(n, d, K, O) else "samples"
