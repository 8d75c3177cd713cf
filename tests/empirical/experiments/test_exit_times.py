"""What the figure of exit times is made of: sizes, batches, scaled times, what is refused and said."""

import numpy as np
import pytest

from dynamics import ProblemError
from dynamics.escape.exit_law import ExitLaw
from empirical.escape import TrainedEscape
from empirical.experiments.exit_times import Exits, exit_times, kolmogorov_smirnov


def test_sizes_and_batches():
    """ηd/B is the rate in every dimension, with d/125 samples a step."""
    found = exit_times([20, 300], 0.05, seeds=3, overlap=0.5, label_noise=0.1, seed=4)
    assert [(part.run.inputs, part.run.batch) for part in found.exits] == [(20, 1), (300, 2)]
    for part in found.exits:
        assert part.run.step * part.run.inputs / part.run.batch == pytest.approx(0.05)
        assert part.law.growth == pytest.approx(4 - 24 * 0.05 - 2 * 0.05 * 0.1)
        assert len(part.run.times) == 3
    assert (found.rate, found.label_noise, found.overlap) == (0.05, 0.1, 0.5)
    again = exit_times([20], 0.05, seeds=3, overlap=0.5, label_noise=0.1, seed=4)
    np.testing.assert_array_equal(again.exits[0].run.times, found.exits[0].run.times)
    other = exit_times([20], 0.05, seeds=3, overlap=0.5, label_noise=0.1, seed=5)
    assert (other.exits[0].run.times != found.exits[0].run.times).any()


def test_scaled_times_and_words():
    """Times made from given χ²₁ come back as −ln χ²; the line has mean ± error; a network that is not there counts."""
    law = ExitLaw(2.0, 1.3, 0.0, 0.07, True)
    squares = np.array([0.2, 1.0, 3.0])
    times = np.append(np.log(1.3 / (0.07 * np.sqrt(squares))) / 2, np.inf)
    part = Exits(TrainedEscape(10, times, 1e-3, 1, 9.0, "fused"), law)
    np.testing.assert_allclose(part.scaled, -np.log(squares), atol=1e-12)
    known = times[:3]
    assert f"mean {known.mean():.4f} ± {known.std() / 3**0.5:.4f} (law {law.mean:.4f})" in part.summary()
    assert part.summary().endswith("1 not there") and "3 networks" in part.summary()
    assert part.p_value == kolmogorov_smirnov(times, law) < 1


def test_a_p_value():
    """Quantiles of the law itself fit it perfectly; shifted by a standard deviation they do not."""
    law = ExitLaw(2.0, 1.3, 0.0, 0.07, True)
    times = np.array([law.quantile(p) for p in (np.arange(200) + 0.5) / 200])
    assert kolmogorov_smirnov(times, law) > 0.999
    assert kolmogorov_smirnov(times + law.deviation, law) < 1e-6


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([], 0.05), "`inputs` is empty"),
        (([1], 0.05), "`inputs` is 1"),
        (([50], -1.0), "`rate` is -1"),
        (([50], 0.2), "no law of the exit time: from m = 0 the mean overlap does not grow"),
    ],
)
def test_what_is_refused(arguments, words):
    with pytest.raises(ProblemError, match=words):
        exit_times(*arguments)


def test_other_units():
    with pytest.raises(ProblemError, match="information exponent 2 alone, and k = 3"):
        exit_times([50], 0.01, activation="hermite:3")
