"""Muon on the first layer: W ← W − η P, P the polar factor of the gradient, with the second layer fixed.

With the singular value decomposition g = U diag(σ) Vᵀ the polar factor is P = U Vᵀ, here by that decomposition:
exactly, and regularised to U diag(σ/√(σ² + ε²)) Vᵀ. PyTorch's Muon comes close to it by a few Newton–Schulz steps,
and adds momentum and a decay of its own (Jordan et al., *Muon: an optimizer for hidden layers*, 2024; not consulted):
it is another rule, and the flow in `dynamics.flows.muon` is that of this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dynamics.errors import ProblemError
from empirical.optimizers.base import Optimizer, Settings, move

if TYPE_CHECKING:
    from torch import Tensor

    from dynamics.problem import Problem


class MuonRule:
    """The rule of Muon; a network whose gradient is no number stands still."""

    def __init__(self, parameters: Sequence[Tensor], epsilon: float) -> None:
        self.parameters, self.epsilon = list(parameters), epsilon

    def __call__(self, gradients: Sequence[Tensor], step: float | Tensor) -> None:
        """One step."""
        import torch

        for theta, g in zip(self.parameters, gradients, strict=True):
            U, sigma, Vt = torch.linalg.svd(torch.nan_to_num(g, 0.0, 0.0, 0.0), full_matrices=False)
            noise = max(g.shape[-2:]) * torch.finfo(g.dtype).eps * sigma[..., :1]
            shares = torch.where(
                sigma > noise, sigma / torch.hypot(sigma, sigma.new_full((), self.epsilon)), 0
            )
            move(theta, (U * shares[..., None, :]) @ Vt, step)


def start(parameters: Sequence[Tensor], settings: Settings, problem: Problem) -> MuonRule:
    """Begin.

    Raises
    ------
    ProblemError
        If the second layer is trained.
    """
    if len(parameters) > 1:
        raise ProblemError("The second layer is trained, but `optimizer` muon moves the first alone: fix it.")
    return MuonRule(parameters, settings.epsilon)


MUON = Optimizer(
    "muon",
    start,
    two_layers=True,
    momentum=None,
    takes_bias=False,
    epsilon=1e-6,
    copies=6,
    theories=("muon",),
    nature="moves by polar factors of the gradient",
    survives="with equal a_k the span of the columns of W, in the space of units",
)
