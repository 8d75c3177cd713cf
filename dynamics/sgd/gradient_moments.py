"""Moments of the gradient of one sample, exactly, for every input dimension.

A step of stochastic gradient descent on the sample x, with errors e_o = f*_o(x) + ξ_o − f_o(x) and label noise ξ_o
of variance Δ, moves w_k by 2η Σ_o A_ok e_o (z_k x − t w_k) and A_ok by η e_o (z_k² − t‖w_k‖²), where z = Wx and t is 0
for the quadratic activation, 1 for the centred one. Its mean, mean products and covariance are moments of

    e_o (ζ_i ζ_j − t Ω_ij),   ζ = Ux ~ N(0, Ω),   e_o = ζᵀ diag(C_o) ζ − t τ̂_o + ξ_o,   τ̂_o = tr D_o,

in the notation of `dynamics.sgd.order_parameters`: polynomials of degree up to 8 in x. They follow from one identity
(derived here; the tests hold it against Isserlis' theorem, see `dynamics.sgd.symbolic_moments`). Under the weight
exp(s e_o + s′ e_o′) ζ still is Gaussian, with the covariance and the total weight

    Ω̃ = Ω + s a_o + s′ a_o′ + s s′ c_oo′ + …,   a_o = 2 UD_oUᵀ,   c_oo′ = 4 U(D_oD_o′ + D_o′D_o)Uᵀ,
    Z = 1 + s τ_o + s′ τ_o′ + s s′ z_oo′ + …,   τ_o = κ τ̂_o,   z_oo′ = τ_oτ_o′ + 2 tr(D_oD_o′) + Δ δ_oo′,

κ = 1 − t. A moment with e_o e_o′ is the coefficient of s s′ in Z times the same moment, without them, of N(0, Ω̃).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dynamics.aliases import Array


@dataclass(frozen=True, eq=False)
class GradientMoments:
    """Moments of the gradient of one sample, in one state or a stack of states (the leading axes).

    Parameters
    ----------
    Omega : (…, n, n) array
        Ω = UUᵀ.
    C : (…, O, n) array
        Coefficients of the residual forms D_o = Uᵀ diag(C_o) U.
    trace_coupling : float
        κ: 1 for φ(z) = z², 0 for the centred activation.
    inputs : int
        d.
    label_noise : float
        Variance Δ.
    """

    Omega: Array
    C: Array
    trace_coupling: float
    inputs: int
    label_noise: float

    @cached_property
    def a(self) -> Array:
        """a_o = 2 UD_oUᵀ, (…, O, n, n)."""
        Omega = self.Omega[..., None, :, :]
        return 2 * (Omega * self.C[..., None, :]) @ Omega

    @cached_property
    def DD(self) -> Array:
        """4 UD_oD_o′Uᵀ, (…, O, O, n, n); c_oo′ is this plus its transpose."""
        left = 2 * self.a[..., :, None, :, :] * self.C[..., None, :, None, :]
        return left @ self.Omega[..., None, None, :, :]

    @cached_property
    def c(self) -> Array:
        """c_oo′ = 4 U(D_oD_o′ + D_o′D_o)Uᵀ, (…, O, O, n, n)."""
        return self.DD + np.swapaxes(self.DD, -1, -2)

    @cached_property
    def trace(self) -> Array:
        """τ̂_o = tr D_o, (…, O)."""
        return np.einsum("...oi,...ii->...o", self.C, self.Omega)

    @property
    def tau(self) -> Array:
        """τ_o = κ τ̂_o, (…, O)."""
        return self.trace_coupling * self.trace

    @cached_property
    def error_products(self) -> Array:
        """E[e_o e_o′] = z_oo′, (…, O, O)."""
        traces = np.einsum("...oi,...pii->...op", self.C, self.a)  # 2 tr(D_oD_o′)
        noise = self.label_noise * np.eye(self.C.shape[-2])
        return self.tau[..., :, None] * self.tau[..., None, :] + traces + noise

    @cached_property
    def first(self) -> Array:
        """E[e_o (ζ_iζ_j − tΩ_ij)] = ½ U G_o Uᵀ, (…, O, n, n)."""
        return self.tau[..., None, None] * self.Omega[..., None, :, :] + self.a

    @cached_property
    def second(self) -> Array:
        """E[e_o e_o′ ζ_iζ_j], (…, O, O, n, n)."""
        return self._times_Omega(self.error_products) + self._tau_a + self.c

    @cached_property
    def step_products(self) -> Array:
        """E[e_o e_o′ (ζ_i x − t u_i)·(ζ_j x − t u_j)], (…, O, O, n, n); u_i are the rows of U.

        The factor ‖x‖² acts like d + x·∂_x (Stein's lemma): on a polynomial of degree p it multiplies by d + p.
        """
        d, t = self.inputs, 1 - self.trace_coupling
        # e_o e_o′ ζζ has degree 6, except its parts with ξ, of degree 2, and with −tτ̂_o, of degree 4 and 2
        radial = (d + 6) * self.second
        if self.label_noise:
            radial = radial - 4 * self._times_Omega(self.label_noise * np.eye(self.C.shape[-2]))
        if t == 0:
            return radial
        degrees = self._times_Omega(self.error_products) - 2 * self.second + 2 * self._crossed(self.trace)
        return radial + t * degrees

    @cached_property
    def square_products(self) -> Array:
        """E[e_o² (ζ_i² − tΩ_ii)(ζ_j² − tΩ_jj)], (…, O, n, n): the products of the steps of the second layer over η².

        The sum over the permutations of D_o, D_o, u_iu_iᵀ and u_ju_jᵀ, of which the centred activation lacks those with
        a fixed form (Isserlis; see `dynamics.conserved.sample_gradients`).
        """
        kappa = self.trace_coupling
        n = np.einsum("...ii->...i", self.Omega)[..., None, :]
        Omega, alpha = self.Omega[..., None, :, :], self.a / 2
        beta = np.einsum("...ooij->...oij", self.DD) / 4
        a, b = np.einsum("...ii->...i", alpha), np.einsum("...ii->...i", beta)
        tau = self.tau[..., None, None]
        errors = np.einsum("...oo->...o", self.error_products)[..., None, None]

        def both(x: Array, y: Array) -> Array:
            product = x[..., :, None] * y[..., None, :]
            return product + np.swapaxes(product, -1, -2)

        pairs = n[..., :, None] * n[..., None, :]
        return (
            errors * (kappa * pairs + 2 * Omega**2)
            + 4 * tau * (both(a, n) + 4 * alpha * Omega)
            + 8 * (a[..., :, None] * a[..., None, :] + 2 * alpha**2)
            + 8 * (kappa * both(b, n) + 4 * beta * Omega)
        )

    @cached_property
    def mean_step_products(self) -> Array:
        """U G_o G_o′ Uᵀ/4, the same without sampling: the products of the mean steps, (…, O, O, n, n)."""
        tau_tau = self.tau[..., :, None] * self.tau[..., None, :]
        return self.DD + self._tau_a + self._times_Omega(tau_tau)

    @cached_property
    def _tau_a(self) -> Array:
        """τ_o a_o′ + τ_o′ a_o, (…, O, O, n, n)."""
        return self._crossed(self.tau)

    def _times_Omega(self, scalars: Array) -> Array:
        return scalars[..., None, None] * self.Omega[..., None, None, :, :]

    def _crossed(self, tau: Array) -> Array:
        """τ_o a_o′ + τ_o′ a_o, (…, O, O, n, n)."""
        product = tau[..., :, None, None, None] * self.a[..., None, :, :, :]
        return product + np.swapaxes(product, -4, -3)
