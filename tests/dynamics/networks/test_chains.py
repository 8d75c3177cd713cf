"""Chains of one unit per layer: closed forms against the flow of the network, and the worked values of the theory."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from dynamics.errors import ProblemError
from dynamics.networks import LinearChain, NetworkFlow, NetworkProblem, QuadraticChain


def test_the_worked_value():
    """Section 12: T = ε⁻⁵/(5·105·32 λ) = 18601.19 at ε = .02, λ = 1, to six digits; the flow takes as long."""
    chain = QuadraticChain(2)
    assert (chain.order, chain.factor, chain.moment) == (7, 32, 105)
    assert chain.plateau(0.02) == pytest.approx(18601.19, rel=5e-7)
    flow = NetworkFlow(NetworkProblem(chain.network, chain.target, chain.weights(0.02)))
    half = float(chain.loss(chain.size(0.5)))
    end = flow.integrate(19_000.0, until_loss=half).times[-1]
    assert end == pytest.approx(chain.time(0.02, 0.5), rel=1e-8)
    assert end == pytest.approx(18601.19, rel=5e-7)


@pytest.mark.parametrize(("layers", "start", "strength"), [(1, 0.02, 2.0), (2, 0.1, 0.7), (3, 0.25, 1.0)])
def test_the_closed_form_is_the_flow(layers, start, strength):
    """Times at which the flow of the whole network has learned 10 and 90 %."""
    chain = QuadraticChain(layers, strength)
    flow = NetworkFlow(NetworkProblem(chain.network, chain.target, chain.weights(start)))
    for fraction in (0.1, 0.9):
        time = chain.time(start, fraction)
        end = flow.integrate(2 * time, until_loss=float(chain.loss(chain.size(fraction)))).times[-1]
        assert end == pytest.approx(time, rel=1e-7)


@pytest.mark.parametrize(("layers", "slope"), [(1, -1), (2, -5), (3, -13)])
def test_the_slope_of_the_plateau(layers, slope):
    """ln T against ln ε, of times of the flow for one and two layers and of the closed form for all."""
    chain = QuadraticChain(layers)
    sizes = {1: np.array([1e-3, 2e-3]), 2: np.array([0.02, 0.04]), 3: np.array([0.15, 0.2])}[layers]
    closed = [chain.time(s, 0.5) for s in sizes]
    half = float(chain.loss(chain.size(0.5)))
    flows = [NetworkFlow(NetworkProblem(chain.network, chain.target, chain.weights(s))) for s in sizes]
    found = [f.integrate(1.2 * t, until_loss=half).times[-1] for f, t in zip(flows, closed, strict=True)]
    rise = np.diff(np.log(sizes))
    # the end of the plateau and what follows change T by the share (ε/s)^{H−2}, s ≈ 0.5: below 0.5 % in all
    assert np.diff(np.log(found)) / rise == pytest.approx(slope, rel=0.01)
    assert np.diff(np.log([chain.plateau(s) for s in sizes])) / rise == pytest.approx(slope, rel=1e-12)
    assert found == pytest.approx(closed, rel=1e-7)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_closed_form_is_the_integral(layers):
    """∫ ds/(μ C s^{H−1}(λ − C s^H)) by quadrature."""
    chain = QuadraticChain(layers, 1.3)
    C, H, mu = chain.factor, chain.order, chain.moment
    s0, s = 0.3 * chain.size(0.5), chain.size(0.8)
    by_quadrature, _ = quad(lambda s: 1 / (mu * C * s ** (H - 1) * (1.3 - C * s**H)), s0, s, epsrel=1e-12)
    assert chain.time(s0, 0.8) == pytest.approx(by_quadrature, rel=1e-10)


@pytest.mark.parametrize("layers", [2, 3, 4])
def test_linear_layers(layers):
    """u̇ = N u^{2−2/N}(s − u): the flow of the network reaches half of the mode at the time of the formula."""
    chain, w = LinearChain(layers, 1.5), 0.1
    flow = NetworkFlow(NetworkProblem(chain.network, chain.target, np.full(layers, w)))
    time = chain.time(w**layers, 0.75)
    end = flow.integrate(2 * time, until_loss=0.5 * 0.75**2).times[-1]
    assert end == pytest.approx(time, rel=1e-8)
    if layers == 2:  # Saxe's solution along the whole curve, and by quadrature
        trajectory = flow.integrate(time, samples=9)
        assert np.prod(trajectory.parameters, axis=1) == pytest.approx(
            chain.mode(w**2, trajectory.times), rel=1e-8
        )
        by_quadrature, _ = quad(lambda u: 1 / (2 * u * (1.5 - u)), w**2, 0.75, epsrel=1e-12)
        assert time == pytest.approx(by_quadrature, rel=1e-10)


def test_deep_linear_plateaus():
    """ε^{−(N−2)}: the slope of three and four layers, as ε falls; ln(1/ε)/s of two."""
    for layers in (3, 4):
        chain = LinearChain(layers, 1.0)
        times = [chain.time(w**layers, 0.5) for w in (1e-3, 2e-3)]
        assert np.diff(np.log(times)) / np.log(2) == pytest.approx(2 - layers, abs=0.01)
        assert times[0] == pytest.approx(chain.plateau(1e-3), rel=0.01)
    two = LinearChain(2, 2.0)
    assert two.time(1e-4**2, 1.0) - two.plateau(1e-4) == pytest.approx(
        two.time(1e-6**2, 1.0) - two.plateau(1e-6), abs=1e-6
    )


def test_what_is_out_of_reach_is_refused():
    for call in (
        lambda: QuadraticChain(0),
        lambda: QuadraticChain(9),
        lambda: QuadraticChain(2).time(0.1, 1.5),
        lambda: LinearChain(1),
        lambda: LinearChain(2).time(0.1, 2.0),
        lambda: LinearChain(3).mode(0.1, 1.0),
    ):
        with pytest.raises(ProblemError):
            call()
