"""Laws under decay: their motion against the flow's, their degrees against those of the families."""

import numpy as np
import pytest
import sympy

from dynamics.laws import bilinear, count_laws, linear, quadratic
from dynamics.laws.decay import decayed_laws, homogeneity, is_second_layer
from dynamics.laws.law import Law

W, A, X = sympy.symbols("w_0_0 a_0 x", positive=True)


@pytest.mark.parametrize(
    ("network", "degrees"),
    [
        (quadratic(2, 2), {2}),
        (linear(2, 2), {2}),
        (bilinear(2, 1), {2}),
        (quadratic(1, 3), {2, -1}),
        (quadratic(2, 4, second_layer=[1, 1, 1, -1]), {2, 0}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_degrees_of_the_families(network, degrees):
    """Balances and products 2, column spaces 0, clocks −1 (theory, 14.1); the rate is m times that of the weights."""
    laws = count_laws(network).laws
    assert {homogeneity(law) for law in laws} == degrees
    for law, decayed in zip(laws, decayed_laws(laws, lambda symbol: 0.3), strict=True):
        assert decayed.rate == pytest.approx(0.3 * homogeneity(law))
        assert decayed.law is law


@pytest.mark.parametrize("network", [quadratic(2, 1), quadratic(1, 2)], ids=["two inputs", "clocks"])
@pytest.mark.parametrize("second", [0.3, 0.7])
def test_velocity_is_that_of_the_flow(network, second):
    """ḣ against a central difference of h along the penalty's part −ρθ of the flow, which is all that moves h."""
    rng = np.random.default_rng(0)
    for decayed in decayed_laws(count_laws(network).laws, lambda s: second if is_second_layer(s) else 0.3):
        law, theta = decayed.law, 1.0 + rng.random(len(network.parameters))
        rho = np.array([second if is_second_layer(s) else 0.3 for s in law.parameters])
        moved = [float(law(theta * (1 - sign * 1e-6 * rho))) for sign in (1, -1)]
        value = float(decayed.velocity.subs(dict(zip(law.parameters, theta, strict=True))))
        assert value == pytest.approx((moved[0] - moved[1]) / 2e-6, rel=1e-6)
        assert (decayed.rate is None) == (second != 0.3)


def test_what_stays_constant():
    """As an expression that SymPy reads again; nothing where the law has no equation of its own."""
    law = Law(W**2 - 2 * A**2, (W, A))
    (one,) = decayed_laws([law], lambda s: 0.25)
    t = sympy.Symbol("t")
    assert sympy.sympify(one.constant).subs({"w_0_0": 3, "a_0": 1, "t": 2}) == 7 * sympy.exp(1)
    assert one.velocity == -(W**2 - 2 * A**2) / 2
    (two,) = decayed_laws([law], lambda s: 0.25 if s == W else 0.5)
    assert two.constant is None
    assert sympy.simplify(two.velocity - (-(W**2) / 2 + 2 * A**2)) == 0
    (still,) = decayed_laws([Law(A / W, (W, A))], lambda s: 0.25)
    assert (still.rate, still.constant) == (0.0, "a_0/w_0_0")
    assert t not in sympy.sympify(still.constant).free_symbols


def test_degree_in_some_weights():
    """w³a² has the degrees 3 and 2: it falls by 3ρ_w + 2ρ_a; w + a² has none together."""
    law = Law(W**3 * A**2, (W, A))
    assert (homogeneity(law), homogeneity(law, [W]), homogeneity(law, [A])) == (5, 3, 2)
    (found,) = decayed_laws([law], lambda s: 0.1 if s == W else 0.2)
    assert found.rate == pytest.approx(0.7)
    mixed = Law(W + A**2, (W, A))
    assert homogeneity(mixed) is None
    assert decayed_laws([mixed], lambda s: 0.1)[0].rate is None
    assert decayed_laws([mixed], lambda s: 0.1 if s == W else 0.0)[0].rate is None  # A² stays, W falls
