"""The index-free equations against the theory's and against derivations for concrete sizes."""

import itertools

import numpy as np
import pytest
from matplotlib.mathtext import MathTextParser

from dynamics.errors import ProblemError
from dynamics.symbolic.derivation import derive
from dynamics.symbolic.tensor_form import derive_tensor, tensor_latex, tensor_text

FORMULAS = {  # theory, section 1, and its generalisation to Σ
    ("quadratic", False): ("1/2 tr(D)^2 + tr(D^2)", "4 D + 2 tr(D) I"),
    ("centred", False): ("tr(D^2)", "4 D"),
    ("quadratic", True): ("1/2 tr(D Σ)^2 + tr((D Σ)^2)", "4 Σ D Σ + 2 tr(D Σ) Σ"),
    ("centred", True): ("tr((D Σ)^2)", "4 Σ D Σ"),
}


@pytest.mark.parametrize(("activation", "correlated"), FORMULAS)
def test_equals_the_theory(activation, correlated):
    """Loss and G, letter by letter."""
    form = derive_tensor(activation, correlated=correlated)
    assert (str(form.loss), str(form.G)) == FORMULAS[activation, correlated]


@pytest.mark.parametrize(
    ("activation", "correlated", "sizes"),
    list(itertools.product(["quadratic", "centred"], [False, True], [(1, 1, 1), (4, 3, 1), (2, 4, 3)])),
)
def test_equals_the_derivation_with_indices(rng, activation, correlated, sizes):
    """Loss and flow assembled from ℓ and G equal those expanded for concrete K, d, O, to 1e-12."""
    K, d, O = sizes
    W, A, M = rng.standard_normal((K, d)), rng.standard_normal((O, K)), rng.standard_normal((O, d, d))
    M = M + M.transpose(0, 2, 1)
    F = rng.standard_normal((d, d))
    Sigma = F @ F.T / d + 0.3 * np.eye(d)
    rhs, loss = derive(K, d, O, activation, covariance=Sigma if correlated else None).numeric()
    theta = np.concatenate([W.ravel(), A.ravel()])
    m = np.concatenate([M_o[np.triu_indices(d)] for M_o in M])

    form = derive_tensor(activation, correlated=correlated)
    values = [{"D": M_o - W.T @ np.diag(A_o) @ W, "Sigma": Sigma} for M_o, A_o in zip(M, A, strict=True)]
    G = [form.G.evaluate(v) for v in values]
    W_dot = sum(A[o][:, None] * (W @ G[o]) for o in range(O))
    A_dot = [0.5 * np.einsum("ki,ij,kj->k", W, G_o, W) for G_o in G]
    expected = rhs(0.0, theta, m)
    assert sum(form.loss.evaluate(v) for v in values) == pytest.approx(loss(theta, m), rel=1e-12)
    flow = np.concatenate([W_dot.ravel(), np.ravel(A_dot)])
    np.testing.assert_allclose(flow, expected, rtol=0, atol=1e-12 * abs(expected).max())


@pytest.mark.parametrize("second_layer", ["trainable", "fixed"])
@pytest.mark.parametrize(("activation", "correlated"), FORMULAS)
def test_exports(activation, correlated, second_layer):
    """Text and LaTeX carry both formulas; the second layer moves, and conserves, only where it is trained."""
    form = derive_tensor(activation, second_layer, correlated)
    text, latex = tensor_text(form), tensor_latex(form)
    assert all(formula in text for formula in FORMULAS[activation, correlated])
    assert form.loss.latex() in latex
    assert form.G.latex() in latex
    for part in ("dA_ok/dt", "Conserved"):
        assert (part in text) == (second_layer == "trainable")
    for row in latex.splitlines()[1:-1]:
        plain = (
            row.removesuffix(r"\\").replace("&", "").replace(r"\lVert", r"\Vert").replace(r"\rVert", r"\Vert")
        )
        MathTextParser("path").parse(f"${plain}$")


@pytest.mark.parametrize("arguments", [{"activation": "relu"}, {"second_layer": "none"}])
def test_unknown_names_are_refused(arguments):
    """With the list of what is allowed."""
    with pytest.raises(ProblemError, match=r"must be one of|only for quadratic and centred"):
        derive_tensor(**arguments)
