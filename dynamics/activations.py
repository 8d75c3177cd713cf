"""The table of activations: adding one is a population loss in a file of its own and a line here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dynamics.population import QuadraticPopulation

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynamics.population import PopulationLoss


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
        lambda V, B, covariance=None: QuadraticPopulation(V, B, covariance, trace_coupling=0.0),
    ),
}
