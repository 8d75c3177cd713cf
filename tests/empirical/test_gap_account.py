"""How the gap report is put together: error bars, sources, what is trained, and what is said about it."""

from dataclasses import replace
from statistics import stdev
from types import SimpleNamespace

import numpy as np
import pytest

from dynamics import FluctuatingSGD, GradientFlow, MeanSGD, Problem, Student, Teacher
from dynamics.errors import IntegrationError
from dynamics.flows.finite_data import FiniteDataFlow
from dynamics.flows.modified import ModifiedFlow
from empirical import compare, train
from empirical.descent import gradient_descent_loss
from empirical.gap import Gap
from empirical.gap_account import explain_gap, fluctuations_are_small, one_pass_theory
from empirical.practice import Practice, data_sets

PROBLEM = Problem(Teacher.from_eigenvalues([2, 1], 3), Student.initialise(2, 3, scale=0.4, seed=1))
SHORT = {"steps": 40, "step": 4e-3, "dtype": "float64", "records": 5}


def made_up(**changes):
    """Round numbers: parts 1, 1, 0.5 and a remainder that is largest, −1.5, where the total is not."""
    curves = {
        "times": [0, 1, 2, 3],
        "flow": [8, 4, 2, 1],
        "discretised": [8, 5, 2, 1],
        "on_data": [8, 5, 3, 1],
        "with_noise": [8, 5, 3, 1.5],
        "measured": [8, 6, 3.25, 0],
        "standard_error": [0, 0.1, 0.2, 0.3],
        "truncation": [0, 0.01, 0.02, 0.03],
    }
    arrays = {name: np.array(values, dtype=float) for name, values in (curves | changes).items()}
    return Gap(**arrays, spread=None, sources={})


def test_parts_and_error_bar():
    """By hand. The error bar is two standard errors plus the truncation, at the largest remainder: 2 × 0.3 + 0.03."""
    gap = made_up()
    np.testing.assert_array_equal(gap.discretisation, [0, 1, 0, 0])
    np.testing.assert_array_equal(gap.finite_data, [0, 0, 1, 0])
    np.testing.assert_array_equal(gap.sampling_noise, [0, 0, 0, 0.5])
    np.testing.assert_array_equal(gap.remainder, [0, 1, 0.25, -1.5])
    np.testing.assert_array_equal(gap.total, [0, 2, 1.25, -1])
    np.testing.assert_allclose(gap.error_bar, [0, 0.21, 0.42, 0.63])
    assert gap.largest(2.0) == pytest.approx(
        {
            **{"discretisation": 0.5, "finite_data": 0.5, "sampling_noise": 0.25},
            **{"remainder": 0.75, "total": 1.0, "error_bar": 0.315},
        }
    )
    assert gap.largest()["total"] == 2


def test_summary():
    assert made_up().summary() == (
        "mean loss minus gradient flow, at its largest, t = 1: +25.00%\n"
        "  = discretisation +12.50%, finite data +0.00%, sampling noise +0.00%, remainder +12.50%\n"
        "largest remainder 18.75%, error bar there 7.88%"
    )
    alone = made_up(standard_error=[np.nan] * 4)
    assert alone.summary().endswith("largest remainder 18.75%, error bar unknown for one network")


def test_summary_in_other_units():
    """In per cent of a scale; as they are, to three digits, where there is none to compare with."""
    assert made_up().summary(16.0) == (
        "mean loss minus gradient flow, at its largest, t = 1: +12.50%\n"
        "  = discretisation +6.25%, finite data +0.00%, sampling noise +0.00%, remainder +6.25%\n"
        "largest remainder 9.38%, error bar there 3.94%"
    )
    plain = (
        "mean loss minus gradient flow, at its largest, t = 1: +2\n"
        "  = discretisation +1, finite data +0, sampling noise +0, remainder +1\n"
        "largest remainder 1.5, error bar there 0.63"
    )
    assert made_up().summary(np.nan) == made_up().summary(0.0) == plain


@pytest.mark.parametrize(
    ("batch", "samples", "whole"),
    [(0, 20, True), (20, 20, True), (10, 20, False), (0, 0, False), (8, 0, False)],
)
def test_practice(batch, samples, whole):
    """What the corrections depend on, as a run recorded it; whether all of the data are in every step."""
    about = {"step": 0.1, "momentum": 0.5, "batch": batch, "samples": samples, "label_noise": 0.2}
    practice = Practice.of(
        SimpleNamespace(about=about | {"seeds": 3, "seed": 4, "optimizer": "momentum", "other": 1})
    )
    assert practice == Practice(0.1, 0.5, batch, samples, 0.2, 3, 4, "momentum")
    assert practice.whole_set is whole


def test_standard_error_is_over_networks():
    """Sample standard deviation of the three losses of a time over √3, by the standard library."""
    c = compare(PROBLEM, batch=8, seeds=3, gap="training", **SHORT)
    expected = [stdev(losses) / 3**0.5 for losses in c.run.loss.T.tolist()]
    assert expected[-1] > 0
    np.testing.assert_allclose(c.gap.standard_error, expected, rtol=1e-12, atol=1e-16)
    np.testing.assert_allclose(c.gap.truncation, 0, atol=1e-16)  # the descent itself stands for the step


def test_standard_error_is_about_each_network_s_own_curve():
    """Networks differ by their data, which the theory knows: only what it does not know is an error."""
    c = compare(PROBLEM, batch=0, samples=30, seeds=3, **SHORT)
    practice = Practice.of(c.run)
    curves = [
        ModifiedFlow(FiniteDataFlow(PROBLEM, x, y), 4e-3).integrate(times=c.run.times).loss
        for x, y in zip(*data_sets(PROBLEM, practice), strict=True)
    ]
    np.testing.assert_allclose(c.gap.on_data, np.mean(curves, axis=0), rtol=1e-9)
    expected = [stdev(d) / 3**0.5 for d in (c.run.loss - curves).T.tolist()]
    np.testing.assert_allclose(c.gap.standard_error, expected, rtol=1e-6, atol=1e-12)
    assert c.gap.standard_error[-1] < 0.1 * stdev(c.run.loss[:, -1].tolist()) / 3**0.5
    plain, modified = GradientFlow(PROBLEM), ModifiedFlow(PROBLEM, 4e-3).integrate(times=c.run.times).loss
    np.testing.assert_allclose(c.gap.discretised, modified, rtol=1e-9)
    descent = gradient_descent_loss(plain, 4e-3, c.run.steps)
    np.testing.assert_allclose(c.gap.truncation, np.abs(descent - modified), atol=1e-9)
    assert c.gap.sources == {
        "discretisation": "modified flow",
        "finite_data": "modified flow on each network's data set",
        "sampling_noise": "none: the whole data set in every step",
    }


def test_two_networks_get_the_larger_of_measured_and_predicted():
    """Standard deviation over √2 of either, time by time; each is the larger one somewhere."""
    c = compare(PROBLEM, batch=8, seeds=2, seed=2, **(SHORT | {"records": 9}))
    measured = np.array([stdev(losses) for losses in c.run.loss.T.tolist()])
    np.testing.assert_allclose(c.gap.standard_error, np.maximum(measured, c.gap.spread) / 2**0.5, atol=1e-15)
    assert (measured > c.gap.spread).any()
    assert (measured < c.gap.spread).any()
    theory = FluctuatingSGD(PROBLEM, 4e-3, 8).integrate(times=c.run.times, rtol=1e-5)
    np.testing.assert_allclose(c.gap.spread, theory.loss_std, rtol=1e-12)
    np.testing.assert_allclose(c.gap.with_noise, theory.loss, rtol=1e-12)
    assert c.gap.sources["finite_data"] == "none: fresh samples in every step"


@pytest.mark.parametrize("batch", [0, 20])
def test_one_network_on_its_whole_set_has_no_spread(batch):
    """Nothing is random once the data are given, by either way to ask for all of them: the truncation remains."""
    c = compare(PROBLEM, batch=batch, samples=20, **SHORT)
    np.testing.assert_array_equal(c.gap.standard_error, 0)
    np.testing.assert_array_equal(c.gap.error_bar, c.gap.truncation)


def test_noise_of_mini_batches_is_measured_by_training_without_it():
    """Mean of the run minus mean of the same networks with whole sets, which are trained once for both parts."""
    calls = []
    run = train(PROBLEM, batch=5, samples=20, seeds=2, **SHORT)
    flow = GradientFlow(PROBLEM).integrate(times=run.times).loss

    def whole_sets():
        calls.append(1)
        return train(PROBLEM, batch=0, samples=20, seeds=2, **SHORT).loss

    gap = explain_gap(PROBLEM, run, flow, whole_sets, by="training")
    assert calls == [1]
    whole = train(PROBLEM, batch=0, samples=20, seeds=2, **SHORT).loss.mean(axis=0)
    np.testing.assert_allclose(gap.on_data, whole, rtol=1e-14)
    np.testing.assert_allclose(gap.with_noise, run.loss.mean(axis=0), rtol=1e-14)
    assert gap.sources == {
        "discretisation": "gradient descent on the population loss",
        "finite_data": "training on the whole data sets",
        "sampling_noise": "training with and without it",
    }


def test_a_step_too_large_for_the_modified_flow(monkeypatch):
    """Descent on the population loss takes its place."""
    monkeypatch.setattr("empirical.gap_account.LONGEST_MODIFIED", 5)
    c = compare(PROBLEM, batch=64, momentum=0.5, seeds=2, **SHORT)
    descent = gradient_descent_loss(GradientFlow(PROBLEM), 4e-3, c.run.steps, 0.5)
    np.testing.assert_array_equal(c.gap.discretised, descent)
    assert c.gap.sources["discretisation"] == "gradient descent on the population loss"


def test_a_limit_of_evaluations_holds_for_every_curve():
    """The plain and the modified flow take some 320 evaluations at the tolerance of the account, the theory 60 at 1e-4.

    Without the modified flow there is descent on the population loss; without the flow there is no account.
    """
    solver = {"rtol": 1e-4, "max_evaluations": 200}
    c = compare(PROBLEM, batch=64, momentum=0.5, seeds=2, solver=solver, **SHORT)
    assert c.gap.sources["discretisation"] == "gradient descent on the population loss"
    with pytest.raises(IntegrationError, match="more than 200 evaluations"):
        compare(PROBLEM, batch=64, momentum=0.5, seeds=2, theory="modified", solver=solver, **SHORT)


def test_spread_of_small_networks_only(monkeypatch):
    """K = 2 units and R = 2 modes: overlaps 3 + 4 and two output weights, 9 unknowns."""
    monkeypatch.setattr("empirical.theories.SPREAD_UNKNOWNS", 9)
    assert isinstance(one_pass_theory(PROBLEM, 1e-3, 8, 0.1), FluctuatingSGD)
    monkeypatch.setattr("empirical.theories.SPREAD_UNKNOWNS", 8)
    theory = one_pass_theory(PROBLEM, 1e-3, 8, 0.1)
    assert type(theory) is MeanSGD
    assert (theory.step, theory.batch, theory.label_noise) == (1e-3, 8, 0.1)
    gap = compare(PROBLEM, batch=8, seeds=2, **SHORT).gap
    assert gap.sources["sampling_noise"] == "mean SGD dynamics"
    assert gap.spread is None


@pytest.mark.parametrize(("loss", "is_small"), [(1.51, True), (1.52, False), (0.49, True), (0.48, False)])
def test_what_is_a_small_correction(loss, is_small):
    """At most half of the loss without it, 1, and a thousandth of the initial one, 10."""
    theory = SimpleNamespace(loss=np.array([10, loss]), mean_field_loss=np.array([10.0, 1.0]))
    assert fluctuations_are_small(theory) is is_small


def test_large_fluctuations_are_measured_instead(monkeypatch):
    monkeypatch.setattr("empirical.gap_account.fluctuations_are_small", lambda theory: False)
    gap = compare(PROBLEM, batch=8, seeds=2, **SHORT).gap
    assert gap.sources["sampling_noise"] == (
        "training with and without it: the fluctuations are too large for their theory"
    )
    assert gap.spread is None


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ({}, ""),
        ({"finite_data": "training on the whole data sets"}, "finite data"),
        (
            {"sampling_noise": "training with and without it: too large", "discretisation": "modified flow"},
            "sampling noise; the remainder is no test of it, more seeds or larger batches lessen it",
        ),
        (
            {
                "discretisation": "a theory of training",
                "finite_data": "flow: no training on the whole data sets",
            },
            "",
        ),
    ],
)
def test_the_summary_names_what_training_measured(sources, said):
    """A part counts by how its curve was computed, not by a word in the name of a theory or in a reason."""
    text = replace(made_up(), sources=sources).summary()
    assert text.partition("\nmeasured by training, not predicted: ")[2] == said


@pytest.mark.parametrize("samples", [0, 20])
def test_a_step_too_large_for_the_modified_flow_is_descended(samples):
    """Heavy ball with h = 190η = 1.9: by the descent on the population loss nothing remains of it but the data."""
    options = {
        "optimizer": "momentum",
        "batch": 0 if samples else 4096,
        "samples": samples,
        "dtype": "float64",
    }
    found = compare(PROBLEM, steps=30, step=1e-2, records=5, **options)
    gap, run = found.gap, found.run
    assert gap.sources["discretisation"] == (
        "gradient descent on the population loss: the step is too large for the modified flow"
    )
    descent = gradient_descent_loss(GradientFlow(PROBLEM), 1e-2, run.steps, momentum=0.9)
    np.testing.assert_allclose(gap.discretised, descent, rtol=1e-6)
    assert (gap.truncation == 0).all()
    if samples:
        assert gap.sources["finite_data"] == "training on the whole data sets"
        np.testing.assert_allclose(gap.measured, gap.on_data, rtol=1e-12)
    small = compare(PROBLEM, steps=30, step=1e-4, records=5, **options).gap
    assert small.sources["discretisation"] == "modified flow"
