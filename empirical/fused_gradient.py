"""Gradients of two-layer networks, forward and backward written out: what automatic differentiation computes, faster.

With z_kb = w_k·x_b, q_k = w_kᵀΣw_k, h = φ(z, q), f_b = A h_b − β, L = Σ_b p_b Σ_o ℓ(f_ob, y_ob), p = 1/B without
weights, and r = ∂ℓ/∂f, which is f − y of the square loss,

    ∂L/∂A = Σ_b p_b r_b h_bᵀ,   ∂L/∂β = −Σ_b p_b r_b,   e = Aᵀ(p r),   ∂L/∂W = (e ∂φ/∂z) xᵀ + 2 (Σ_b e ∂φ/∂q) W Σ

(derived here; the tests hold it against automatic differentiation). A step of small networks takes as long as the
launches of its operations: these are nine of plain units and the square loss, into memory that is taken once.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dynamics.losses import SQUARE, Loss
from empirical.networks import QuadraticNetwork


class FusedGradient:
    """Losses and gradients of a network, or of an ensemble, on batches.

    Parameters
    ----------
    network : QuadraticNetwork
        Its activation must have slopes (`dynamics.activations.base.Activation.has_slopes`). Between calls its weights
        may be moved, in place.
    loss : Loss
        ℓ.
    """

    def __init__(self, network: QuadraticNetwork, loss: Loss = SQUARE) -> None:
        self.network, self.activation, self.loss = network, network.activation, loss
        self._errors = self._square_errors if loss.is_square else self._slopes
        alone, self.both = network.W.ndim == 2, network.A.requires_grad
        self.W, self.A = (p.detach()[None] if alone else p.detach() for p in (network.W, network.A))
        self.gW, self.gA = torch.empty_like(self.W), torch.empty_like(self.A)
        beta = network.beta
        self.beta = None if beta is None else (beta.detach()[None] if alone else beta.detach()).unsqueeze(-1)
        trained = [self.gW, self.gA][: 1 + self.both]
        self.g_beta = None
        if beta is not None and beta.requires_grad:
            assert self.beta is not None
            self.g_beta = torch.empty_like(self.beta)
            trained.append(self.g_beta.squeeze(-1))
        self.gradients = [g[0] if alone else g for g in trained]
        self.all_units, self.gradient_of_all = self.W.flatten(0, 1), self.gW.flatten(0, 1)  # (S·K, d)
        self.into_units = self.A.mT
        self.batch = 0

    def _allocate(self, batch: int) -> None:
        """Memory for batches of this size."""
        S, K, _ = self.W.shape
        self.batch = batch
        self.z, self.e, self.r = (self.W.new_empty(S, n, batch) for n in (K, K, self.A.shape[1]))
        self.z_of_all, self.e_of_all = self.z.flatten(0, 1), self.e.flatten(0, 1)
        self.r_row, self.r_column = self.r.flatten(1).unsqueeze(1), self.r.flatten(1).unsqueeze(2)
        self.nothing = self.W.new_zeros(1, 1, 1)

    def __call__(
        self, x: Tensor, y: Tensor, weights: Tensor | None = None
    ) -> tuple[Tensor, Sequence[Tensor]]:
        """Losses (S,), and the gradients of what is trained, in memory that the next call writes over.

        To be called while PyTorch records no operations.

        Parameters
        ----------
        x : ([S,] B, d) tensor
            Inputs. Without the axis S, or with a stride of zero along it, all networks see the same: their first layers
            then are one matrix.
        y : ([S,] B, O) tensor
            Labels.
        weights : (S, B) tensor, optional
            p, with which samples enter the mean.
        """
        if x.ndim == 2:
            x, y = x[None], y[None]
        if x.shape[1] != self.batch:
            self._allocate(x.shape[1])
        common = None
        if len(x) == 1 or x.stride(0) == 0:
            common = x[0].mT.contiguous()  # (d, B): products of long rows, no copy where they lie so already
            torch.mm(self.all_units, common, out=self.z_of_all)
        else:
            torch.bmm(self.W, x.mT, out=self.z)
        q = self.network.variances()
        h = self.activation.phi(self.z, q)
        p = 1 / self.batch if weights is None else 1.0  # a factor of products that are taken anyway
        losses, pr = self._errors(h, y.mT, weights, p)
        if self.both:
            torch.baddbmm(self.gA, pr, h.mT, beta=0, alpha=p, out=self.gA)
        if self.g_beta is not None:
            torch.sum(pr, -1, keepdim=True, out=self.g_beta).mul_(-p)
        self._backward(pr, p, h, q, x, common)
        return losses.view(-1), self.gradients

    def _square_errors(self, h: Tensor, y: Tensor, weights: Tensor | None, p: float) -> tuple[Tensor, Tensor]:
        """Losses ½ Σ_b p_b |r_b|², and the residuals r, times p_b where there are weights, (S, O, B)."""
        torch.baddbmm(y, self.A, h, beta=-1, out=self.r)
        if self.beta is not None:
            self.r.sub_(self.beta)
        if weights is None:
            return torch.baddbmm(self.nothing, self.r_row, self.r_column, beta=0, alpha=p / 2), self.r
        pr = self.r * weights.unsqueeze(1)
        row = pr.flatten(1).unsqueeze(1)
        return torch.baddbmm(self.nothing, row, self.r_column, beta=0, alpha=0.5), pr

    def _slopes(self, h: Tensor, y: Tensor, weights: Tensor | None, p: float) -> tuple[Tensor, Tensor]:
        """Losses Σ_b p_b ℓ_b, and the slopes ∂ℓ/∂f, times p_b where there are weights, (S, O, B)."""
        torch.bmm(self.A, h, out=self.r)
        if self.beta is not None:
            self.r.sub_(self.beta)
        values, slopes = self.loss.value(self.r, y).sum(1), self.loss.slope(self.r, y)
        if weights is None:
            return values.mean(-1), slopes
        return (weights * values).sum(-1), slopes * weights.unsqueeze(1)

    def _backward(
        self, pr: Tensor, p: float, h: Tensor, q: Tensor | None, x: Tensor, common: Tensor | None
    ) -> None:
        """∂L/∂W from the weighted residuals, times the factor p."""
        z, e, phi = self.z, self.e, self.activation
        if pr.shape[1] == 1:  # an outer product
            torch.mul(self.into_units, pr, out=e)
        else:
            torch.bmm(self.into_units, pr, out=e)
        if q is not None:
            assert phi.variance_slope is not None
            by_variance = (e * phi.variance_slope(z, q, h)).sum(-1, keepdim=True)
        assert phi.slope is not None
        e.mul_(phi.slope(z, q, h))
        if common is None:
            torch.baddbmm(self.gW, e, x, beta=0, alpha=p, out=self.gW)
        else:
            torch.addmm(
                self.gradient_of_all, self.e_of_all, common.mT, beta=0, alpha=p, out=self.gradient_of_all
            )
        if q is not None:
            self.gW.addcmul_(by_variance, self.network.smoothed(), value=2 * p)
