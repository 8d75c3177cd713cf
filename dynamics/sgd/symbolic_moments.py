"""The mean step of stochastic gradient descent without indices, derived by Isserlis' theorem up to order 8.

The step of the sample x moves w_k by Δw_k = 2η Σ_o A_ok e_o (w_k·x x − t w_k), with errors
e_o = xᵀD_ox − t tr D_o + ξ_o and t = 1 for the centred activation, else 0. Hence

    E[Δw_k·Δw_l] = 4η² Σ_op A_ok A_pl w_kᵀ N(D_o, D_p) w_l,
    N(D, E) = ∂/∂X E[(xᵀDx − t tr D)(xᵀEx − t tr E)(xᵀXx xᵀx − 2t xᵀXx + t tr X)],

because w_kᵀNw_l = tr(N X) for X = (w_k w_lᵀ + w_l w_kᵀ)/2, plus the same without the two forms, times Δ, if o = p.
Numbers are computed by `dynamics.sgd.gradient_moments`, whose closed forms the tests hold against these.
"""

from __future__ import annotations

from dataclasses import dataclass

from dynamics.activations import Activation
from dynamics.symbolic.tensor_form import derive_tensor
from dynamics.symbolic.trace_algebra import MatrixPolynomial, TracePolynomial
from dynamics.symbolic.traces import form_moment

DIRECTION = "X"


@dataclass(frozen=True)
class SGDForm:
    """Index-free mean step of SGD on one sample.

    Attributes
    ----------
    activation : Activation
    G : MatrixPolynomial
        G(D) of the gradient flow.
    N : MatrixPolynomial
        N(D, D), for one output.
    N_outputs : MatrixPolynomial
        N(D, E) for two outputs with residuals D and E.
    N_noise : MatrixPolynomial
        What the variance Δ of the label noise multiplies.
    """

    activation: Activation
    G: MatrixPolynomial
    N: MatrixPolynomial
    N_outputs: MatrixPolynomial
    N_noise: MatrixPolynomial

    def summary(self) -> str:
        """The equations for one output as plain text."""
        return "\n".join(
            [
                "Valid for every number of inputs d and hidden units K; one output, fresh samples, batch B.",
                "",
                "Residual    D = M* − Σ_k a_k w_k w_kᵀ",
                f"Gradient    G = {self.G}",
                f"Noise       N = {self.N} + Δ ({self.N_noise})",
                "Mean step   E[Δ(w_k·w_l)]/η = (a_k + a_l) w_kᵀGw_l + η a_k a_l w_kᵀ(4N/B + (1 − 1/B) G²)w_l",
                "            E[Δ(w_k·v_m)]/η = a_k w_kᵀGv_m",
                "            E[Δa_k]/η = ½ w_kᵀGw_k",
            ]
        )


def derive_sgd(activation: Activation | str = "quadratic") -> SGDForm:
    """Derive the mean step of SGD.

    Parameters
    ----------
    activation : {"quadratic", "centred"}

    Returns
    -------
    SGDForm

    Raises
    ------
    ProblemError
        For an unknown activation.
    """
    phi = Activation.parse(activation)
    centred = phi.coupling_for("the mean step of SGD") == 0
    return SGDForm(
        phi,
        derive_tensor(phi, "fixed").G,
        _step_products(("D", "D"), centred),
        _step_products(("D", "E"), centred),
        _step_products((), centred),
    )


def _step_products(forms: tuple[str, ...], centred: bool) -> MatrixPolynomial:
    """∂/∂X E[∏ (xᵀDx − t tr D) · (xᵀXx xᵀx − 2t xᵀXx + t tr X)] over the given forms D."""
    moment = _moment(forms, [DIRECTION, ()], centred)
    if centred:
        moment += -2 * _moment(forms, [DIRECTION], True)
        moment += form_moment([DIRECTION]) * _moment(forms, [], True)
    return moment.gradient(DIRECTION)


def _moment(forms: tuple[str, ...], others: list[str | tuple[str, ...]], centred: bool) -> TracePolynomial:
    """E[∏ (xᵀDx − t tr D) · ∏ xᵀBx] over forms D and others B; the empty product () stands for B = I."""
    if not centred or not forms:
        return form_moment([*forms, *others])
    first, rest = forms[0], forms[1:]
    mean = form_moment([first]) * _moment(rest, others, True)
    return _moment(rest, [first, *others], True) - mean
