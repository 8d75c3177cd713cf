"""Moments of one sample's gradient: closed forms against Isserlis' theorem, up to order 8."""

import numpy as np
import pytest

from dynamics import ProblemError
from dynamics.sgd.gradient_moments import GradientMoments
from dynamics.sgd.symbolic_moments import derive_sgd
from dynamics.symbolic.traces import form_moment


def random_state(rng, d=4, n=3, O=2):
    """Vectors U (n, d), coefficients C (O, n) and residual forms D_o = Uᵀ diag(C_o) U."""
    U, C = rng.standard_normal((n, d)), rng.standard_normal((O, n))
    return U, C, [(U.T * c) @ U for c in C]


@pytest.mark.parametrize(("activation", "kappa"), [("quadratic", 1.0), ("centred", 0.0)])
def test_products_of_steps_are_the_derived_ones(rng, activation, kappa):
    """N(D_o, D_p) + Δ δ_op N_noise of the moment engine, sandwiched between the vectors."""
    U, C, D = random_state(rng)
    moments = GradientMoments(U @ U.T, C, kappa, 4, 0.3)
    form = derive_sgd(activation)
    for o, p in [(0, 0), (0, 1), (1, 0), (1, 1)]:
        N = form.N_outputs.evaluate({"D": D[o], "E": D[p]})
        if o == p:
            N = N + 0.3 * form.N_noise.evaluate({}, dimension=4)
            np.testing.assert_allclose(form.N.evaluate({"D": D[o]}), N - 0.3 * form.N_noise.evaluate({}, 4))
        np.testing.assert_allclose(moments.step_products[o, p], U @ N @ U.T, rtol=1e-11, atol=1e-11)


def test_the_derived_noise_is_the_formula_on_paper(rng):
    """N = (d + 6)[(τ² + 2‖D‖²)I + 4τD + 8D²] + (d + 2)Δ I, for d = 5."""
    D = rng.standard_normal((5, 5))
    D += D.T
    tau, eye, form = np.trace(D), np.eye(5), derive_sgd()
    N = 11 * ((tau**2 + 2 * np.sum(D * D)) * eye + 4 * tau * D + 8 * D @ D)
    np.testing.assert_allclose(form.N.evaluate({"D": D}), N, rtol=1e-13, atol=1e-12)
    np.testing.assert_allclose(form.N_noise.evaluate({}, dimension=5), 7 * eye, rtol=1e-15)
    assert "8 d D^2" in form.summary()


def test_errors_and_single_products(rng):
    """E[e_o e_p], E[e_o ζζᵀ] and E[e_o e_p ζζᵀ] through `form_moment`, orders 4 to 6, raw activation."""
    U, C, D = random_state(rng)
    moments = GradientMoments(U @ U.T, C, 1.0, 4, 0.3)
    values = {"D": D[0], "E": D[1], "u": U[0], "v": U[2]}

    def moment(forms, vectors=()):
        return form_moment(forms, vectors).evaluate(values)

    assert moments.error_products[0, 1] == pytest.approx(moment(["D", "E"]), rel=1e-12)
    assert moments.error_products[1, 1] == pytest.approx(moment(["E", "E"]) + 0.3, rel=1e-12)
    assert moments.first[0, 0, 2] == pytest.approx(moment(["D"], ["u", "v"]), rel=1e-12)
    assert moments.second[0, 1, 0, 2] == pytest.approx(moment(["D", "E"], ["u", "v"]), rel=1e-12)


def test_large_batches_see_the_mean_gradient(rng):
    """U G_o G_p Uᵀ/4 with G = 4D + 2τ, from dense matrices."""
    U, C, D = random_state(rng)
    moments = GradientMoments(U @ U.T, C, 1.0, 4, 0.3)
    G = [4 * D_o + 2 * np.trace(D_o) * np.eye(4) for D_o in D]
    np.testing.assert_allclose(moments.mean_step_products[0, 1], U @ G[0] @ G[1] @ U.T / 4, rtol=1e-11)


def test_unknown_activation():
    with pytest.raises(ProblemError, match="quadratic and centred"):
        derive_sgd("relu")
