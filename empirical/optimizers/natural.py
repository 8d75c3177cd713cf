"""Natural gradient descent, θ ← θ − η (F + δ)⁻¹ g, with the metric F = E[JᵀJ] of the law of the inputs.

J is the derivative of the outputs by the weights; the expectation over inputs is exact, whatever samples the gradient
is of, and so is the inverse (`dynamics.flows.natural_gradient`, from where this takes both). In double precision and on
the processor, network by network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from empirical.optimizers.base import Optimizer, Settings, move

if TYPE_CHECKING:
    from torch import Tensor

    from dynamics.problem import Problem


class NaturalRule:
    """The rule of natural gradient descent; a network whose gradient is no number stands still."""

    def __init__(self, parameters: Sequence[Tensor], damping: float, problem: Problem) -> None:
        self.parameters, self.damping, self.problem = list(parameters), damping, problem

    def __call__(self, gradients: Sequence[Tensor], step: float | Tensor) -> None:
        """One step."""
        import numpy as np
        import torch

        from dynamics.flows.natural_gradient import natural_direction

        def doubles(tensors: Sequence[Tensor]) -> list[Any]:
            """With an axis of networks, (S, n_l, n_{l−1})."""
            return [t.detach().cpu().double().numpy().reshape(-1, *t.shape[-2:]) for t in tensors]

        weights, slopes = doubles(self.parameters), doubles(gradients)
        directions = [np.zeros_like(g) for g in slopes]
        for s in range(len(slopes[0])):
            W = weights[0][s]
            A = weights[1][s] if len(weights) > 1 else self.problem.student.A
            if all(
                np.isfinite(g[s]).all() and np.isfinite(w[s]).all()
                for g, w in zip(slopes, weights, strict=True)
            ):
                flat = np.concatenate([g[s].ravel() for g in slopes])
                moved = natural_direction(self.problem, W, A, flat, self.damping)
                parts = np.split(moved, np.cumsum([g[s].size for g in slopes])[:-1])
                for direction, part in zip(directions, parts, strict=True):
                    direction[s] = part.reshape(direction[s].shape)
        for theta, direction in zip(self.parameters, directions, strict=True):
            move(theta, torch.from_numpy(direction).to(theta).reshape(theta.shape), step)


def start(parameters: Sequence[Tensor], settings: Settings, problem: Problem) -> NaturalRule:
    """Begin; there is nothing to remember.

    Raises
    ------
    ProblemError
        If the metric does not fit into the memory.
    """
    from dynamics.flows.natural_gradient import check_metric

    check_metric(sum(theta.shape[-2:].numel() for theta in parameters))
    return NaturalRule(parameters, settings.damping, problem)


def law_of_metric(settings: Settings) -> float | None:
    """Decay in the gradient is divided by the metric, which is δ along the gradient of c_k; see the flow."""
    if settings.decoupled:
        return 1.0
    return 1 / settings.damping if settings.damping else 0.0


NATURAL = Optimizer(
    "natural",
    start,
    two_layers=True,
    momentum=None,
    takes_bias=False,
    damping=1e-3,
    copies=9,
    balance_share=law_of_metric,
    theories=("natural",),
    nature="follows the natural gradient flow",
    survives="all as the step goes to zero, whatever the damping δ; under coupled decay c_k falls like e^(−2ρt/δ)",
)
