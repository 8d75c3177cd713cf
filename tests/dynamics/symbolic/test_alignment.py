"""The aligned mode system against the theory's equations and against the full flow."""

import numpy as np
import pytest
import sympy

from dynamics.errors import ProblemError
from dynamics.symbolic.derivation import derive
from dynamics.symbolic.exact import is_conserved, vanishes

p, a, lam = (sympy.symbols(f"{name}_0:3") for name in ("p", "a", "lambda"))


@pytest.mark.parametrize("hidden", [1, 2, 3])
@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_equals_the_mode_equations(hidden, activation):
    """Theory, section 1: ṗ_i = a_i p_i (4D_i + 2τ), ȧ_i = ½ p_i² (4D_i + 2τ), L = Σ D_i² + ½τ²; centred: τ → 0."""
    modes = derive(hidden, 3, activation=activation).aligned()
    D = [lam[i] - (a[i] * p[i] ** 2 if i < hidden else 0) for i in range(3)]
    tau = sum(D) if activation == "quadratic" else 0
    assert modes.parameters == (*p[:hidden], *a[:hidden])
    assert modes.targets == lam
    assert vanishes(modes.loss - sum(D_i**2 for D_i in D) - tau**2 / sympy.Integer(2))
    for i in range(hidden):
        assert vanishes(modes.ode[p[i]] - a[i] * p[i] * (4 * D[i] + 2 * tau))
        assert vanishes(modes.ode[a[i]] - p[i] ** 2 * (4 * D[i] + 2 * tau) / 2)
    assert set(modes.conserved) == {p[i] ** 2 - 2 * a[i] ** 2 for i in range(hidden)}
    assert all(is_conserved(law, modes.ode) for law in modes.conserved)


@pytest.mark.parametrize(
    "arguments",
    [
        {"activation": "centred"},
        {"activation": "centred", "covariance": [[2.0, 0, 0], [0, 0.5, 0], [0, 0, 1.0]]},
        {"covariance": [[2.0, 0, 0], [0, 0.5, 0], [0, 0, 1.0]]},
        {"second_layer": "fixed", "second_layer_value": 0.5},
        {"outputs": 2, "activation": "centred"},
        {"outputs": 3, "activation": "centred"},
        {"outputs": 2, "second_layer": "fixed"},
    ],
)
def test_is_the_restriction_of_the_full_flow(rng, arguments):
    """At an aligned point the full equations give the reduced rates, and zero for all that is off the alignment."""
    full = derive(2, 3, **arguments)
    modes = full.aligned()
    values = dict(zip(modes.parameters + modes.targets, rng.standard_normal(20), strict=False))
    outputs = full.outputs

    def aligned_value(symbol):
        letter, *indices = symbol.name.split("_")
        if letter == "w":
            k, i = indices
            return values[sympy.Symbol(f"p_{k}")] if k == i else 0.0
        if letter == "a":
            o, k = indices if outputs > 1 else (indices[0], indices[0])
            return values[sympy.Symbol(f"a_{k}")] if o == k else 0.0
        o, i, j = indices if outputs > 1 else (indices[0], *indices)
        return values[sympy.Symbol(f"lambda_{i}")] if i == j == o else 0.0

    rhs, loss = full.numeric()
    theta = np.array([aligned_value(s) for s in full.parameters])
    m = [aligned_value(s) for s in full.targets]
    reduced_rhs, reduced_loss = modes.numeric()
    state = [values[s] for s in modes.parameters]
    rates = reduced_rhs(0.0, state, [values[s] for s in modes.targets])
    assert reduced_loss(state, [values[s] for s in modes.targets]) == pytest.approx(loss(theta, m), rel=1e-12)
    velocity = rhs(0.0, theta, m)
    np.testing.assert_allclose(velocity[theta == 0], 0.0, atol=1e-13)
    np.testing.assert_allclose(velocity[theta != 0], rates, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"outputs": 2}, "da_0_1/dt"),
        ({"covariance": [[2.0, 0.5, 0], [0.5, 1.0, 0], [0, 0, 1.0]]}, "dw_0_1/dt"),
        ({"covariance": "symbolic"}, "dw_0_1/dt"),
    ],
)
def test_alignment_that_the_flow_leaves_is_refused(rng, arguments, reason):
    """Several outputs with the raw activation, and correlated inputs: the message shows a rate that is not zero."""
    with pytest.raises(ProblemError, match=f"not invariant here, because {reason}"):
        derive(2, 3, **arguments).aligned()


def test_refusal_is_right(rng):
    """The rate that the message names is indeed not zero: ȧ_01 = ½ p_1² 2τ_0 with τ_0 = λ_0 − a_0 p_0²."""
    full = derive(2, 2, 2)
    rhs, _ = full.numeric()
    p0, p1, a0, a1, l0, l1 = rng.standard_normal(6)
    velocity = rhs(0.0, [p0, 0, 0, p1, a0, 0, 0, a1], [l0, 0, 0, 0, 0, l1])
    assert str(full.parameters[5]) == "a_0_1"
    assert velocity[5] == pytest.approx(p1**2 * (l0 - a0 * p0**2), rel=1e-12)


@pytest.mark.parametrize("sizes", [(4, 3, 1), (3, 3, 2), (1, 2, 3)])
def test_sizes_that_cannot_be_aligned_are_refused(sizes):
    """Each unit needs a direction and, with several outputs, an output."""
    hidden, inputs, outputs = sizes
    with pytest.raises(ProblemError, match="hidden ≤ outputs ≤ inputs"):
        derive(hidden, inputs, outputs, "centred").aligned()


def test_alignment_twice_is_alignment():
    """The reduced system is its own reduction."""
    modes = derive(2, 2).aligned()
    assert modes.aligned() is modes
