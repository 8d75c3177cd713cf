"""The training loop by itself, on losses ½kθ² of which every step is known: θ ← (1 − ηk)θ."""

import numpy as np
import pytest
import torch

from empirical.optimizers.base import SideBySide
from empirical.optimizers.heavy_ball import HeavyBall
from empirical.trainer import CHECK_EVERY, NEVER, descend, few_threads, gradient_of, record_steps


def parabolas(*curvatures, start=1.0):
    """Weights (S,) and the losses ½kθ² of S networks."""
    k = torch.tensor(curvatures, dtype=torch.float64)
    theta = torch.full_like(k, start).requires_grad_()
    return theta, gradient_of(lambda n: 0.5 * k * theta**2, [theta])


def test_every_network_goes_down_its_own_loss():
    theta, gradient = parabolas(1.0, 3.0)
    outcome = descend(gradient, HeavyBall([theta], 0.0), 0.1, 7)
    np.testing.assert_allclose(theta.detach(), [0.9**7, 0.7**7], rtol=1e-14)
    assert outcome.first is None
    assert outcome.diverged_at.tolist() == [NEVER, NEVER]


def test_a_learning_rate_for_each_network_and_a_schedule():
    theta, gradient = parabolas(1.0, 3.0)
    descend(gradient, HeavyBall([theta], 0.0), torch.tensor([0.5, 0.1], dtype=torch.float64), 4)
    np.testing.assert_allclose(theta.detach(), [0.5**4, 0.7**4], rtol=1e-14)
    theta, gradient = parabolas(1.0)
    descend(gradient, HeavyBall([theta], 0.0), lambda n: 0.1 * n, 4)
    np.testing.assert_allclose(theta.detach(), [1.0 * 0.9 * 0.8 * 0.7], rtol=1e-14)


def test_rules_side_by_side_have_parameters_and_rates_of_their_own():
    one, two = (torch.ones(1, dtype=torch.float64, requires_grad=True) for _ in range(2))
    gradient = gradient_of(lambda n: 0.5 * (one**2 + two**2), [one, two])
    rule = SideBySide([(HeavyBall([one], 0.0), 1, 1.0), (HeavyBall([two], 0.0), 1, 0.5)])
    descend(gradient, rule, 0.2, 3)
    assert (one.item(), two.item()) == pytest.approx((0.8**3, 0.9**3), rel=1e-14)


def test_records_are_taken_before_every_step_and_after_the_last():
    theta, gradient = parabolas(1.0)
    seen = []
    descend(
        gradient, HeavyBall([theta], 0.0), 0.5, 3, record=lambda n: seen.append((n, float(theta.detach())))
    )
    assert seen == [(0, 1.0), (1, 0.5), (2, 0.25), (3, 0.125)]


def first_above(ratio, limit):
    """First n with (ratio²)ⁿ above a limit: the loss grows by that factor a step."""
    n = 0
    while (ratio**2) ** n <= limit:
        n += 1
    return n


@pytest.mark.parametrize("steps", [40, CHECK_EVERY + 30, 400])
def test_the_step_of_an_explosion_is_named_whenever_it_is_looked_for(steps):
    """Losses are multiplied by 1.5² a step with ηk = 2.5; training stops at the first look afterwards."""
    theta, gradient = parabolas(0.1, 2.5)
    seen = []
    outcome = descend(gradient, HeavyBall([theta], 0.0), 1.0, steps, record=seen.append)
    # the limit is that of the larger first loss, ½ · 2.5: of the network that explodes
    assert outcome.first == outcome.diverged_at[1] == first_above(1.5, 1e6)
    assert outcome.diverged_at[0] == NEVER
    assert seen[-1] == min(steps, CHECK_EVERY + 1) - 1  # no record after the stop


def test_training_goes_on_until_all_have_exploded():
    theta, gradient = parabolas(0.1, 2.5)
    seen = []
    outcome = descend(gradient, HeavyBall([theta], 0.0), 1.0, 120, stop=np.all, record=seen.append)
    assert seen[-1] == 120
    assert outcome.diverged_at.tolist() == [NEVER, first_above(1.5, 1e6)]
    assert float(theta.detach()[0]) == pytest.approx(0.9**120, rel=1e-12)


def test_a_network_is_judged_by_its_own_first_loss_or_by_the_largest():
    """The first starts with a loss 10⁴ times smaller: against the larger one it explodes later by log 10⁴/log 2.25."""
    theta, gradient = parabolas(2.5, 2.5)
    with torch.no_grad():
        theta[0] = 1e-2
    small = theta.detach().clone()
    own = descend(gradient, HeavyBall([theta], 0.0), 1.0, 120, stop=np.all, by_its_own=True)
    with torch.no_grad():
        theta.copy_(small)
    largest = descend(gradient, HeavyBall([theta], 0.0), 1.0, 120, stop=np.all)
    assert own.diverged_at.tolist() == [first_above(1.5, 1e6)] * 2
    assert largest.diverged_at.tolist() == [first_above(1.5, 1e10), first_above(1.5, 1e6)]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_no_number_is_a_divergence_from_the_first_step_on(bad):
    theta, gradient = parabolas(1.0, start=bad)
    assert descend(gradient, HeavyBall([theta], 0.0), 0.1, 3).first == 0


def test_losses_that_nobody_looks_at_stop_nothing():
    theta, gradient = parabolas(3.0)
    outcome = descend(gradient, HeavyBall([theta], 0.0), 1.0, 200, stop=None)
    assert float(theta.detach()) == pytest.approx((-2.0) ** 200)
    assert outcome.first is None


def test_small_steps_use_one_thread_and_give_the_others_back(monkeypatch):
    """Below ten million multiplications; whatever happens."""
    counts = [4]
    monkeypatch.setattr(torch, "get_num_threads", lambda: counts[-1])
    monkeypatch.setattr(torch, "set_num_threads", counts.append)
    with few_threads(9_999_999):
        assert counts[-1] == 1
    assert counts[-1] == 4
    with few_threads(10_000_000):
        assert counts[-1] == 4
    with pytest.raises(KeyError), few_threads(1):
        raise KeyError
    assert counts[-1] == 4


def test_record_steps():
    np.testing.assert_array_equal(record_steps(10, 3, False), [0, 5, 10])
    np.testing.assert_array_equal(record_steps(2, 200, False), [0, 1, 2])
    log = record_steps(1000, 5, True)
    np.testing.assert_array_equal(log, [0, 1, 10, 100, 1000])
