"""The table of activations: adding one is a population loss in a file of its own and a line here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dynamics.errors import ProblemError
from dynamics.population.kernels import KERNELS
from dynamics.population.pair_kernel import KernelPopulation
from dynamics.population.quadratic import QuadraticPopulation
from dynamics.validation import validate_choice

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynamics.population.base import PopulationLoss


@dataclass(frozen=True)
class Activation:
    """What the theory knows about an activation φ.

    Parameters
    ----------
    formula : str
        φ in words.
    degree : int
        Degree of homogeneity h: φ(cz) = c^h φ(z) for c > 0. Gradient flow conserves
        c_k = ‖w_k‖² − h Σ_o A_ok².
    population : callable
        ``population(V, B, covariance)`` gives the closed-form population loss.
    """

    formula: str
    degree: int
    population: Callable[..., PopulationLoss]


ACTIVATIONS: dict[str, Activation] = {
    "quadratic": Activation("φ(w·x) = (w·x)²", 2, QuadraticPopulation),
    "centred": Activation(
        "φ(w·x) = (w·x)² − wᵀΣw, the second Hermite polynomial",
        2,
        partial(QuadraticPopulation, trace_coupling=0.0),
    ),
    "linear": Activation("φ(w·x) = w·x", 1, partial(KernelPopulation, kernel=KERNELS["linear"])),
    "relu": Activation("φ(w·x) = max(w·x, 0)", 1, partial(KernelPopulation, kernel=KERNELS["relu"])),
    "abs": Activation("φ(w·x) = |w·x|", 1, partial(KernelPopulation, kernel=KERNELS["abs"])),
}


def require_quadratic(activation: str, subject: str) -> None:
    """Refuse an activation for which a subject, "the mean dynamics of SGD" for example, is not known."""
    if ACTIVATIONS[validate_choice("activation", activation, ACTIVATIONS)].degree != 2:
        raise ProblemError(
            f"`activation` is {activation!r}, but {subject} exists for quadratic and centred only."
        )
