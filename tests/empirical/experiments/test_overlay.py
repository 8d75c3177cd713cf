"""Networks of any activation lie on their flow, as tightly as quadratic ones: within an error bar that is stated."""

from types import SimpleNamespace

import numpy as np
import pytest

from dynamics import Problem, ProblemError, Student, Teacher
from empirical.experiments.overlay import Overlay, overlays
from empirical.gap import Gap

NAMES = ["tanh", "erf", "gelu", "polynomial:0,1,0.3,0.1"]


def problems(names, scale, d=4):
    """As many units as inputs, teacher 2φ(x₁) + φ(x₂)."""
    student = Student.initialise(d, d, scale=scale, seed=1)
    return [Problem(Teacher.from_eigenvalues([2, 1], d), student, name) for name in names]


def tightness(shown):
    """Largest deviation over its simultaneous error bar, and over the initial loss."""
    inside = np.abs(shown.deviation[1:]) / shown.simultaneous_bar[1:]
    return inside.max(), np.abs(shown.deviation).max() / shown.gap.flow[0]


def test_networks_lie_on_their_flow_as_tightly_as_quadratic_ones():
    """Inside the bar that normal deviations leave in one run of a hundred, and no further away than quadratic ones.

    The bar is Student's t of 16 networks for 20 records, 4.4 standard errors, and never above 5 % of the initial loss;
    networks that followed the gradient flow itself, without the effect of their finite step, would be outside.
    """
    steps = [0.01, 0.05, 0.05, 0.1, 0.015]
    shown = overlays(
        problems(["quadratic", *NAMES], 0.3, 3),
        [2.0, 6.0, 6.0, 10.0, 3.0],
        **{"steps": steps, "batch": 512, "seeds": 16, "seed": 0, "records": 21},
    )
    (_, quadratic), *others = map(tightness, shown)
    theory, measured = "mean SGD dynamics", "training with and without it"
    noises = (measured, theory, measured, theory)
    for one, noise, (inside, relative) in zip(shown[1:], noises, others, strict=True):
        assert one.comparison.run.loss.shape[0] == 16 and len(one.gap.times) == 21
        assert one.gap.flow[-1] < 0.2 * one.gap.flow[0]  # something was learned
        assert inside < 1
        assert relative <= quadratic
        # with the mean of SGD where it is known, of erf and cubic units; of the others the noise is itself measured
        assert one.gap.sources["sampling_noise"].startswith(noise)
        assert (np.abs(one.gap.remainder) <= one.simultaneous_bar)[1:].all()
        assert one.simultaneous_bar.max() < 0.05 * one.gap.flow[0]
        from_the_flow = np.abs(one.gap.measured - one.gap.flow)[1:] / one.simultaneous_bar[1:]
        assert from_the_flow.max() > 1


@pytest.mark.slow
def test_the_figure_of_the_gallery():
    """As it is drawn: through both plateaus of the escape and the separation of the units."""
    shown = overlays(
        problems(NAMES, 0.1),
        [30.0, 40.0, 30.0, 15.0],
        **{"steps": [0.02, 0.02, 0.02, 0.005], "batch": 512, "seeds": 16, "seed": 1},
    )
    for one in shown:
        inside, relative = tightness(one)
        assert inside < 1 and relative < 0.005
        assert np.mean(np.abs(one.deviation) <= one.error_bar) > 0.85
        assert one.comparison.trajectory.stages
        assert "never left" in one.summary()


def made_up(measured, seeds=2):
    """An overlay whose curves are given: theory 2, 1, standard error 0.1, truncation 0.01."""
    t, theory = np.array([0.0, 1.0]), np.array([2.0, 1.0])
    bar = np.array([0.0, 0.1])
    gap = Gap(t, theory + 0.5, theory, theory, measured, np.asarray(measured), bar, bar / 10, None, {})
    run = SimpleNamespace(loss=np.zeros((seeds, 2)))
    trajectory = SimpleNamespace(problem=SimpleNamespace(activation="tanh"))
    return Overlay(SimpleNamespace(gap=gap, run=run, trajectory=trajectory))


def test_bars_by_hand():
    """Two standard errors and the truncation; Student's t with one degree of freedom is Cauchy's law.

    Its quantile at 1 − p is cot πp: 127.321 for two records, p = 0.0025.
    """
    one = made_up([2.0, 1.15])
    np.testing.assert_allclose(one.deviation, [0, 0.15], atol=1e-15)
    np.testing.assert_allclose(one.error_bar, [0, 0.21])
    np.testing.assert_allclose(one.simultaneous_bar[1], 0.1 / np.tan(np.pi * 0.0025) + 0.01, rtol=1e-9)
    assert one.summary() == (
        "tanh: networks within 6.000% of the initial loss, error bar there 8.400%; within it at 100% of the records, "
        "and the bar that at most 1% of runs leave was never left"
    )
    far = made_up([2.0, 1.0 - 0.6], seeds=64)
    assert "within it at 50% of the records" in far.summary() and far.summary().endswith(" was left")


def test_a_bar_takes_two_networks():
    with pytest.raises(ProblemError, match="`seeds` is 1"):
        overlays(problems(["erf"], 0.3), [1.0], steps=[0.1], batch=8, seeds=1)


def test_a_step_fits_into_the_time():
    """One step of 1.1 ends beyond t = 1; a flow to the end of a step of 10⁵⁰ would be followed for ever."""
    for step in (1.1, 1e50):
        with pytest.raises(ProblemError, match="but must be at most `t_end` = 1: not one"):
            overlays(problems(["erf"], 0.3), [1.0], steps=[step], batch=8, seeds=2)
