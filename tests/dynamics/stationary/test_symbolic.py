"""The symbolic catalogue: against SymPy's own solution of the derived equations, and against numbers."""

from itertools import combinations

import numpy as np
import pytest
import sympy

from dynamics import ProblemError, Teacher
from dynamics.stationary import fixed_points, symbolic_fixed_points
from dynamics.symbolic.derivation import derive
from oracles.aligned_equations import solve_aligned, vanishes_in_full_flow


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize("modes", [1, 2, 3])
def test_points_vanish_in_the_derived_flow_of_all_weights(modes, activation):
    points = symbolic_fixed_points(modes, activation)
    assert len(points) == 2**modes
    assert all(vanishes_in_full_flow(point, activation) for point in points)


def test_a_wrong_point_does_not_vanish_in_the_flow():
    """The catalogue without overshoot, μ = λ, is wrong for the raw activation."""
    naive = symbolic_fixed_points(2, "centred")[1]
    assert naive.learned_values == (sympy.Symbol("lambda_0"),)
    assert not vanishes_in_full_flow(naive, "quadratic")


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize("modes", [1, 2, 3])
def test_sympy_solves_the_mode_equations_to_the_same_points(modes, activation):
    """`sympy.solve` on the polynomial system in (p, a) is an independent confirmation: no point more, none less."""
    parameters = derive(modes, modes, activation=activation).aligned().parameters
    p, a = parameters[:modes], parameters[modes:]
    found = set()
    for branch in solve_aligned(modes, activation):
        M = [sympy.factor(sympy.simplify((a[i] * p[i] ** 2).subs(branch))) for i in range(modes)]
        found.add(tuple(M))
    expected = set()
    for point in symbolic_fixed_points(modes, activation):
        learned = dict(zip(point.learned_modes, point.learned_values, strict=True))
        expected.add(tuple(sympy.factor(learned.get(i, sympy.S.Zero)) for i in range(modes)))
    assert found == expected
    assert len(found) == 2**modes


def test_losses_are_written_with_the_trace():
    """Σ λ_j² + T²/(|S| + 2) over what is not learned, T its trace (theory, section 3): as it stands, not expanded."""
    a, b, c = sympy.symbols("lambda_:3")
    losses = {point.learned_modes: point.loss for point in symbolic_fixed_points(3, "quadratic")}
    assert losses[(0,)] == b**2 + c**2 + (b + c) ** 2 / 3
    assert losses[()] == a**2 + b**2 + c**2 + (a + b + c) ** 2 / 2
    assert losses[(0, 2)] == b**2 + b**2 / 4


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_symbolic_and_numerical_catalogues_agree(activation):
    """Loss, learned values and the signs of the gains, which decide the descent directions, at random eigenvalues."""
    lam = np.sort(np.random.default_rng(0).standard_normal(4))[::-1]
    catalogue = fixed_points(Teacher.from_eigenvalues(lam), 8, activation=activation)
    symbols = sympy.symbols("lambda_:4")
    for point in symbolic_fixed_points(4, activation):
        values = dict(zip(symbols, lam.tolist(), strict=True))
        number = catalogue.point(point.learned_modes)
        assert float(point.loss.subs(values)) == pytest.approx(number.loss, rel=1e-13, abs=1e-14)
        assert float(point.residual_trace.subs(values)) == pytest.approx(
            number.residual_trace, rel=1e-13, abs=1e-14
        )
        assert [float(mu.subs(values)) for mu in point.learned_values] == pytest.approx(number.learned_values)
        shift = number.residual_trace / (number.rank + 2) if activation == "quadratic" else 0.0
        gains = {j: float(gain.subs(values)) for j, gain in point.gains.items()}
        assert gains == pytest.approx({j: lam[j] + shift for j in gains})


@pytest.mark.parametrize(("activation", "two"), [("quadratic", "2 + kappa"), ("centred", None)])
def test_excess_kurtosis_as_a_symbol(activation, two):
    """Independent coordinates: points of the flow of all weights, μ = λ + T/(r + 2 + κ), λ̃ likewise (derived here)."""
    points = symbolic_fixed_points(3, activation, "independent:symbolic")
    kappa = sympy.Symbol("kappa")
    for point in points:
        shift = 0 if two is None else point.residual_trace / (len(point.learned_modes) + 2 + kappa)
        lam = sympy.symbols("lambda_:3")
        for i, mu in zip(point.learned_modes, point.learned_values, strict=True):
            assert sympy.cancel(mu - lam[i] - shift) == 0
        assert all(sympy.cancel(gain - lam[j] - shift) == 0 for j, gain in point.gains.items())
        squares = sum(lam[j] ** 2 for j in point.gains)
        expected = (1 + kappa / 2) * (squares + shift * point.residual_trace)
        assert sympy.cancel(point.loss - expected) == 0
    for point in symbolic_fixed_points(2, activation, "independent:symbolic"):
        assert vanishes_in_full_flow(point, activation, "independent:symbolic")


@pytest.mark.parametrize("law", ["uniform", "student-t:6"])
def test_laws_with_numbers(law):
    """Loss, learned values and gains are those of the numerical catalogue."""
    lam = [3.0, 1.0, -0.5]
    catalogue = fixed_points(Teacher.from_eigenvalues(lam), 6, distribution=law)
    values = dict(zip(sympy.symbols("lambda_:3"), lam, strict=True))
    for point in symbolic_fixed_points(3, "quadratic", law):
        number = catalogue.point(point.learned_modes)
        assert float(point.loss.subs(values)) == pytest.approx(number.loss, rel=1e-13, abs=1e-14)
        assert [float(mu.subs(values)) for mu in point.learned_values] == pytest.approx(number.learned_values)


@pytest.mark.parametrize(("law", "activation"), [("rademacher", "quadratic"), ("sphere", "centred")])
def test_laws_under_which_forms_vanish(law, activation):
    with pytest.raises(ProblemError, match="some forms vanish"):
        symbolic_fixed_points(2, activation, law)


def test_order_and_latex():
    points = symbolic_fixed_points(3)
    assert [p.learned_modes for p in points] == [S for r in range(4) for S in combinations(range(3), r)]
    assert points[0].latex().startswith(r"S = \varnothing")
    assert r"\mu_{0} = \lambda_{0} + \frac{\lambda_{1}}{3} + \frac{\lambda_{2}}{3}" in points[1].latex()


def test_refusals():
    with pytest.raises(ProblemError, match="at most 8"):
        symbolic_fixed_points(9)
