"""Loss and gradient flow without indices, valid for every number of inputs, hidden units and outputs."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from dynamics.activations import Activation
from dynamics.symbolic.equations import SECOND_LAYERS
from dynamics.symbolic.printers import latex_align
from dynamics.symbolic.trace_algebra import MatrixPolynomial, TracePolynomial
from dynamics.symbolic.traces import form_moment
from dynamics.validation import validate_choice

RESIDUAL = "D"
COVARIANCE = "Sigma"


@dataclass(frozen=True)
class TensorForm:
    """Index-free equations of f_o(x) = Σ_k A_ok φ(w_k·x) under x ~ N(0, Σ), in D_o = M*_o − Σ_k A_ok w_k w_kᵀ.

    Attributes
    ----------
    activation : Activation
    second_layer : str
    covariance : str or None
        Name of Σ in the words; None for the identity.
    decayed : bool
        Whether there is weight decay, at rates ρ_w and, of a trained second layer, ρ_a.
    loss : TracePolynomial
        ℓ(D), the loss of one output; L = Σ_o ℓ(D_o).
    G : MatrixPolynomial
        G(D) = 2 ∂ℓ/∂D, with which ẇ_k = Σ_o A_ok G_o w_k and Ȧ_ok = ½ w_kᵀ G_o w_k, where G_o = G(D_o).

    Notes
    -----
    D_o depends on the parameters through −A_ok w_k w_kᵀ alone, and dℓ = tr(∂ℓ/∂D dD). Hence
    −∂L/∂w_k = 2 Σ_o A_ok (∂ℓ/∂D)(D_o) w_k and −∂L/∂A_ok = w_kᵀ (∂ℓ/∂D)(D_o) w_k: the equations above.
    """

    activation: Activation
    second_layer: str
    covariance: str | None
    decayed: bool
    loss: TracePolynomial
    G: MatrixPolynomial

    def _repr_latex_(self) -> str:
        return tensor_latex(self)


def derive_tensor(
    activation: Activation | str = "quadratic",
    second_layer: str = "trainable",
    correlated: bool = False,
    decayed: bool = False,
) -> TensorForm:
    """Derive the index-free loss ½ E[r²] and its gradient, r(x) = xᵀDx or, centred, xᵀDx − E[xᵀDx].

    Parameters
    ----------
    activation : {"quadratic", "centred"}
    second_layer : {"trainable", "fixed"}
    correlated : bool
        Whether the inputs have a covariance Σ other than the identity.
    decayed : bool
        Whether there is weight decay.

    Returns
    -------
    TensorForm

    Raises
    ------
    ProblemError
        For unknown names.
    """
    phi = Activation.parse(activation)
    centred = phi.coupling_for("the index-free form") == 0
    validate_choice("second_layer", second_layer, SECOND_LAYERS)
    covariance = COVARIANCE if correlated else None
    mean = form_moment([RESIDUAL], covariance=covariance)
    mean_square = form_moment([RESIDUAL, RESIDUAL], covariance=covariance)
    loss = Fraction(1, 2) * (mean_square - mean * mean if centred else mean_square)
    return TensorForm(phi, second_layer, covariance, decayed, loss, 2 * loss.gradient(RESIDUAL))


def tensor_text(form: TensorForm) -> str:
    """The index-free equations as plain text."""
    covariance = "I" if form.covariance is None else "Σ"
    centred = "" if form.activation.trace_coupling else " less its mean"
    lines = [
        "Valid for every number of inputs d, hidden units K and outputs O.",
        "",
        f"Inputs      x ~ N(0, {covariance})",
        f"Student     f_o(x) = Σ_k A_ok (w_k·x)²{centred}",
        f"Teacher     f*_o(x) = xᵀ M*_o x{centred}",
        "Residual    D_o = M*_o − Σ_k A_ok w_k w_kᵀ",
        f"Loss        L = ½ Σ_o E(f*_o − f_o)² = Σ_o ℓ(D_o),  ℓ(D) = {form.loss}",
        f"Gradient    G_o = G(D_o),  G(D) = 2 ∂ℓ/∂D = {form.G}",
        f"Flow        dw_k/dt = Σ_o A_ok G_o w_k{' − ρ_w w_k' * form.decayed}",
    ]
    if form.second_layer == "trainable":
        lines += [
            f"            dA_ok/dt = ½ w_kᵀ G_o w_k{' − ρ_a A_ok' * form.decayed}",
            f"{'With' if form.decayed else 'Conserved':12}c_k = ‖w_k‖² − 2 Σ_o A_ok²",
        ]
        if form.decayed:
            lines += [
                "            dc_k/dt = −2ρ_w ‖w_k‖² + 4ρ_a Σ_o A_ok²,",
                "            for ρ_w = ρ_a = ρ: c_k(t) = c_k(0) e^(−2ρt)",
            ]
    return "\n".join(lines) + "\n"


def tensor_latex(form: TensorForm) -> str:
    """The index-free equations as a LaTeX ``align*`` environment (package amsmath)."""
    rows = [
        r"D_o &= M^{*}_o - \sum_k A_{ok} w_k w_k^{\top}",
        rf"L &= \sum_o \ell(D_o), \quad \ell(D) = {form.loss.latex()}",
        rf"G_o &= G(D_o), \quad G(D) = 2 \frac{{\partial \ell}}{{\partial D}} = {form.G.latex()}",
        r"\dot{w}_k &= \sum_o A_{ok} G_o w_k" + r" - \rho_w w_k" * form.decayed,
    ]
    if form.second_layer == "trainable":
        rows.append(r"\dot{A}_{ok} &= \frac{1}{2} w_k^{\top} G_o w_k" + r" - \rho_a A_{ok}" * form.decayed)
        said = r" \quad \text{(conserved)}" * (not form.decayed)
        rows.append(r"c_k &= \lVert w_k \rVert^2 - 2 \sum_o A_{ok}^2" + said)
        if form.decayed:
            rows.append(r"\dot{c}_k &= -2 \rho_w \lVert w_k \rVert^2 + 4 \rho_a \sum_o A_{ok}^2")
    return latex_align(rows)
