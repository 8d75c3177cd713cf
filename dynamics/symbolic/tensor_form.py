"""Loss and gradient flow without indices, valid for every number of inputs, hidden units and outputs."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from dynamics.symbolic.derivation import ACTIVATIONS, SECOND_LAYERS
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
    activation, second_layer : str
    covariance : str or None
        Name of Σ in the words; None for the identity.
    loss : TracePolynomial
        ℓ(D), the loss of one output; L = Σ_o ℓ(D_o).
    G : MatrixPolynomial
        G(D) = 2 ∂ℓ/∂D, with which ẇ_k = Σ_o A_ok G_o w_k and Ȧ_ok = ½ w_kᵀ G_o w_k, where G_o = G(D_o).

    Notes
    -----
    D_o depends on the parameters through −A_ok w_k w_kᵀ alone, and dℓ = tr(∂ℓ/∂D dD). Hence
    −∂L/∂w_k = 2 Σ_o A_ok (∂ℓ/∂D)(D_o) w_k and −∂L/∂A_ok = w_kᵀ (∂ℓ/∂D)(D_o) w_k: the equations above.
    """

    activation: str
    second_layer: str
    covariance: str | None
    loss: TracePolynomial
    G: MatrixPolynomial

    def _repr_latex_(self) -> str:
        from dynamics.symbolic.export import tensor_latex  # builds on this module

        return tensor_latex(self)


def derive_tensor(
    activation: str = "quadratic", second_layer: str = "trainable", correlated: bool = False
) -> TensorForm:
    """Derive the index-free loss ½ E[r²] and its gradient, r(x) = xᵀDx or, centred, xᵀDx − E[xᵀDx].

    Parameters
    ----------
    activation : {"quadratic", "centred"}
    second_layer : {"trainable", "fixed"}
    correlated : bool
        Whether the inputs have a covariance Σ other than the identity.

    Returns
    -------
    TensorForm

    Raises
    ------
    ProblemError
        For unknown names.
    """
    validate_choice("activation", activation, ACTIVATIONS)
    validate_choice("second_layer", second_layer, SECOND_LAYERS)
    covariance = COVARIANCE if correlated else None
    mean = form_moment([RESIDUAL], covariance=covariance)
    mean_square = form_moment([RESIDUAL, RESIDUAL], covariance=covariance)
    loss = Fraction(1, 2) * (mean_square - mean * mean if activation == "centred" else mean_square)
    return TensorForm(activation, second_layer, covariance, loss, 2 * loss.gradient(RESIDUAL))
