"""The gap report: corrections switched on one after the other account for what networks do differently."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.sgd.fluctuations import FluctuatingSGD
from dynamics.stability import sharpness
from empirical import compare
from empirical.gap_account import fluctuations_are_small, sgd_theory
from empirical.practice import Practice


def small(seed=1, **options):
    return Problem(
        Teacher.from_eigenvalues([2, 1], 3), Student.initialise(3, 3, scale=0.4, seed=seed), **options
    )


def finite_data_parts(eta, gap):
    c = compare(
        small(),
        steps=round(0.8 / eta),
        step=eta,
        batch=0,
        samples=60,
        seeds=2,
        dtype="float64",
        records=21,
        gap=gap,
    )
    return c.gap


@pytest.fixture(scope="module")
def halved():
    """Three steps, each half of the one before, and how far a slope over the last two may be from its limit.

    A further order in the step comes with a factor of step × sharpness, which bounds the relative change of the
    ratio of two errors and so the change of its logarithm to the base 2.
    """
    etas = (8e-3, 4e-3, 2e-3)
    flow = GradientFlow(small())
    slack = etas[1] * sharpness(flow, flow.integrate(t_end=0.8, samples=20)).max()
    return [finite_data_parts(eta, "theory") for eta in etas], slack


def slope_of_last(errors):
    return np.log2(errors[-2] / errors[-1])


def test_theory_of_finite_data_is_that_of_training_up_to_the_step_squared(halved):
    """Curve on the data sets by modified flow against trained networks: halve η, a quarter of the error."""
    gaps, slack = halved
    errors = []
    for eta, by_theory in zip((8e-3, 4e-3, 2e-3), gaps, strict=True):
        by_training = finite_data_parts(eta, "training")
        errors.append(np.abs(by_theory.on_data - by_training.on_data).max())
        np.testing.assert_array_equal(by_theory.measured, by_training.measured)
    assert slack < 0.25
    assert slope_of_last(errors) == pytest.approx(2, abs=slack)


def test_truncation_is_the_step_squared_and_bounds_the_remainder_without_noise(halved):
    """Full batches: the remainder is the O(η²) of the modified flow on the data, of the size of the truncation."""
    gaps, slack = halved
    truncation = [gap.truncation.max() for gap in gaps]
    remainder = [np.abs(gap.remainder).max() for gap in gaps]
    assert all(gap.sources["sampling_noise"].startswith("none") for gap in gaps)
    assert slope_of_last(truncation) == pytest.approx(2, abs=slack)
    assert slope_of_last(remainder) == pytest.approx(2, abs=slack)
    assert remainder[0] < 3 * truncation[0]


def test_sampling_noise_follows_the_inverse_batch():
    """The predicted part is linear in η/B, to leading order, and it is really there.

    Mean over 256 networks and late times against the predicted change of the mean; standard error from the run. The
    spread is a sample standard deviation s, of relative variance (κ − 1)/4S with the kurtosis κ of the sample. The
    mean field knows of higher orders, c/B² beside b/B: the ratio of two batches is off by half as much if both are
    doubled.
    """
    start = {"init": "aligned", "scale": 0.5, "second_layer": "fixed"}
    problem = Problem(Teacher.from_eigenvalues([2, 1], 30), Student.initialise(2, 30, **start))
    c = compare(problem, steps=800, step=1e-3, batch=4, label_noise=0.2, seeds=256, records=9)
    gap, last = c.gap, c.run.loss[:, -1]
    assert gap.sources["sampling_noise"] == "mean SGD dynamics with fluctuations"
    assert abs(gap.remainder[-1]) < 4 * gap.standard_error[-1]
    assert gap.sampling_noise[-1] > 20 * gap.standard_error[-1]
    kurtosis = np.mean((last - last.mean()) ** 4) / last.var() ** 2
    assert gap.spread[-1] == pytest.approx(last.std(ddof=1), rel=4 * np.sqrt((kurtosis - 1) / (4 * 256)))
    parts = []
    for batch in (4, 8, 16):
        practice = Practice(step=1e-3, momentum=0, batch=batch, samples=0, label_noise=0.2, seeds=1, seed=0)
        parts.append((sgd_theory(problem, practice, c.run.times).loss - gap.discretised)[-1])
    assert parts[0] == pytest.approx(gap.sampling_noise[-1], rel=1e-9)
    first, second = parts[0] / parts[1] - 2, parts[1] / parts[2] - 2
    assert abs(second) < abs(first) < 0.5
    assert 2 * second - first == pytest.approx(0, abs=first**2)


@pytest.mark.parametrize(
    "options",
    [
        {"momentum": 0.5, "batch": 32},
        {"batch": 8, "samples": 64},
    ],
)
def test_where_there_is_no_theory_of_the_noise_it_is_measured(options):
    c = compare(small(), steps=60, step=4e-3, seeds=2, dtype="float64", records=5, **options)
    assert c.gap.sources["sampling_noise"] == "training with and without it"
    assert np.abs(c.gap.sampling_noise).max() > 0
    assert c.gap.spread is None
    np.testing.assert_allclose(c.gap.total, c.run.loss.mean(0) - c.trajectory.loss, atol=1e-12)


def test_correlated_inputs_have_no_sgd_theory(rng):
    Sigma = np.diag([1.0, 2.0, 0.5])
    c = compare(small(covariance=Sigma), steps=40, step=2e-3, batch=64, records=5, dtype="float64")
    assert c.gap.sources["sampling_noise"] == "training with and without it"
    assert np.isnan(c.gap.error_bar).all()  # one network, nothing known of its spread
    assert "nan" not in c.gap.summary()


def test_one_network_gets_the_predicted_error_bar():
    c = compare(small(), steps=40, step=2e-3, batch=64, records=5, dtype="float64")
    np.testing.assert_allclose(c.gap.standard_error, c.gap.spread)
    assert c.gap.error_bar[-1] > 0


def test_large_fluctuations_are_recognised():
    """Escape from a saddle with batch 8 and noisy labels: the correction exceeds half of the loss; batch 8000: not."""
    problem = Problem(Teacher.from_eigenvalues([2, 1], 20), Student.initialise(3, 20, scale=1.0, seed=1))
    for batch, small_enough in ((8, False), (8000, True)):
        theory = FluctuatingSGD(problem, 1e-3, batch, 0.5).integrate(t_end=2.0, samples=21, rtol=1e-5)
        assert fluctuations_are_small(theory) == small_enough


def test_compare_against_the_corrected_theories():
    """The modified flow is nearer to trained networks than the flow; the mean of SGD nearer than both."""
    problem = Problem(
        Teacher.from_eigenvalues([2, 1], 50),
        Student.initialise(2, 50, init="aligned", scale=0.5, second_layer="fixed"),
    )
    options = {
        "steps": 400,
        "step": 1e-3,
        "batch": 8,
        "label_noise": 0.2,
        "seeds": 16,
        "records": 21,
        "gap": "training",
    }
    for theory, allowed in (("flow", (0.99, 1.0)), ("sgd", (0.0, 0.2))):
        c = compare(problem, theory=theory, **options)
        measured = c.run.loss.mean(axis=0)[-1]  # the stationary risk, of which the flow knows nothing
        assert allowed[0] <= abs(measured - c.trajectory.loss[-1]) / measured <= allowed[1]
    options = {"steps": 80, "step": 1e-2, "batch": 4096, "records": 41, "gap": "training"}
    errors = {
        t: compare(small(), theory=t, **options).relative_error["loss_sup"] for t in ("flow", "modified")
    }
    assert errors["modified"] < errors["flow"] / 2


def test_theories_that_do_not_apply_are_refused():
    for options in ({"momentum": 0.5}, {"samples": 100, "batch": 10}):
        with pytest.raises(ProblemError, match="sgd"):
            compare(small(), steps=2, step=1e-3, theory="sgd", **options)
    with pytest.raises(ProblemError, match="theory"):
        compare(small(), steps=2, step=1e-3, theory="quantum")
    with pytest.raises(ProblemError, match="gap"):
        compare(small(), steps=2, step=1e-3, gap="moon")


def test_the_theory_of_the_gap_knows_weight_decay():
    """60 networks near their fit: what remains of SGD with decay is within 4.5 standard errors of the theory's.

    Without decay in one of its parts the theory would be off by hundreds of them: the fit itself moves by ρ.
    """
    start = Student(np.eye(2) * [[1.1], [0.8]], [1.2, 0.9])
    problem = Problem(Teacher.from_eigenvalues([2, 1]), start, weight_decay=(0.3, 0.2))
    options = {"batch": 32, "seeds": 60, "label_noise": 0.1, "dtype": "float64", "records": 6}
    gap = compare(problem, steps=150, step=4e-3, **options).gap
    assert gap.sources["sampling_noise"] == "mean SGD dynamics with fluctuations"
    assert (np.abs(gap.remainder[1:]) < 4.5 * gap.standard_error[1:] + gap.truncation[1:]).all()
