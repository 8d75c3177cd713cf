"""The overlap of a random direction, against its exact law in few dimensions and drawn vectors in many."""

import numpy as np
import pytest

from dynamics.escape.overlap_flow import OverlapFlow
from dynamics.escape.random_start import RandomStart, Starts


@pytest.mark.parametrize("m", [-0.7, -0.1, 0.0, 0.3, 0.9])
def test_known_laws(m):
    """d = 2: the cosine of an even angle; d = 3: even on [−1, 1] (Archimedes)."""
    assert RandomStart(2).above(m) == pytest.approx(np.arccos(m) / np.pi, abs=1e-13)
    assert RandomStart(3).above(m) == pytest.approx((1 - m) / 2, abs=1e-13)


@pytest.mark.parametrize("p", [0.02, 0.5, 0.8])
@pytest.mark.parametrize("stretch", [1.0, 1.7])
def test_quantiles_are_the_inverse(p, stretch):
    law = RandomStart(50, stretch)
    assert law.above(law.quantile_above(p)) == pytest.approx(p, abs=1e-12)
    assert law.typical == pytest.approx(stretch / np.sqrt(50))


def test_drawn_directions():
    """100 000 in 20 dimensions; four standard errors of a binomial."""
    w = np.random.default_rng(2).standard_normal((100_000, 20))
    m = w[:, 0] / np.linalg.norm(w, axis=1)
    for at in (-0.2, 0.05, 0.4):
        p = RandomStart(20).above(at)
        assert abs(np.mean(m > at) - p) < 4 * np.sqrt(p * (1 - p) / len(m))
    assert np.mean(m**2) == pytest.approx(RandomStart(20).typical ** 2, rel=0.03)


def test_part_of_the_starts_that_gets_there():
    """ṁ = m: one sign of two, or both where they are alike; the slowest quarter of those starts nearest to zero."""
    flow = OverlapFlow(np.array([0.0, 1.0]))
    one, both = (Starts(flow, RandomStart(3), 0.5, even) for even in (False, True))
    assert (one.reached, both.reached) == (0.5, 1.0)
    # d = 3: |m₀| is even on [0, 1], so that the fastest p start above 1 − p
    for starts in (one, both):
        assert starts.fastest(0.75) == pytest.approx(0.25, abs=1e-12)
        assert starts.time(0.75) == pytest.approx(np.log(2), rel=1e-9)
        assert starts.time(0.3) == 0
