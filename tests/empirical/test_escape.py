"""Networks on the sphere: where they start and stay, who is unfinished, and times within error bars of the theory."""

import numpy as np
import pytest
import torch

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.escape.prediction import escape_time
from dynamics.problem.constraint import normalised
from empirical import escape
from empirical.data import TrainingData
from empirical.escape import TrainedEscape, starts_on_sphere, train_escape
from empirical.optimizers.base import Constrained
from empirical.optimizers.heavy_ball import HeavyBall
from empirical.trainer import CHECK_EVERY


def unit(activation, inputs, teacher_activation=None, b=1.0):
    direction = np.eye(1, inputs, 1)
    student = Student(np.ones((1, inputs)), [1.0], trainable=False)
    return Problem(Teacher(direction, [b]), student, activation, teacher_activation=teacher_activation)


def test_starts():
    """Unit vectors; with a given overlap exactly, at random √(E m²) = 1/√d; within four standard errors."""
    v = np.array([0.6, 0.0, 0.8, 0.0])
    w = starts_on_sphere(v, 4000, 0.3, np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.norm(w, axis=1), 1)
    np.testing.assert_allclose(w @ v, 0.3, atol=1e-14)
    rest = (w - 0.3 * v) / np.sqrt(
        1 - 0.09
    )  # evenly spread across v: a third of its square along each direction
    share = rest @ np.array([[0.8, 0, -0.6, 0], [0, 1, 0, 0], [0, 0, 0, 1]]).T
    np.testing.assert_allclose(np.mean(share**2, axis=0), 1 / 3, atol=4 * np.sqrt(4 / 45 / 4000))
    m = starts_on_sphere(v, 4000, None, np.random.default_rng(1)) @ v
    # E m² = 1/4, E m⁴ = 3/24: variance 1/8 − 1/16
    assert np.mean(m**2) == pytest.approx(0.25, abs=4 * np.sqrt(1 / 16 / 4000))


def test_the_rule_ends_on_the_sphere():
    w = torch.tensor([[[3.0, 4.0]]])
    Constrained(HeavyBall([w], 0.0), w, normalised)([torch.tensor([[[3.0, -1.0]]])], 1.0)
    np.testing.assert_allclose(w.numpy(), [[[0.0, 1.0]]])


def test_a_single_network_step_by_step():
    """The same data, weights and renormalised steps in NumPy, with the derivative of tanh by hand."""
    problem, eta, B = unit("tanh", 3, b=1.5), 0.05, 4
    run = train_escape(
        problem, step=eta, t_end=20, batch=B, overlap=0.6, overlap_at_start=-0.2, label_noise=0.3, seed=3,
        seeds=1, dtype=torch.float64,
    )  # fmt: skip
    data = TrainingData(problem, B, label_noise=0.3, seeds=1, seed=3).batches(torch.float64, "cpu")
    v = np.array([0.0, 1.0, 0.0])
    (w,) = starts_on_sphere(v, 1, -0.2, np.random.default_rng(3))
    n = 0
    while w @ v < 0.6 and n < 400:
        x, y = (part.numpy()[0] for part in next(data))
        z = x @ w
        w = w - eta * ((np.tanh(z) - y[:, 0]) / np.cosh(z) ** 2) @ x / B
        w /= np.linalg.norm(w)
        n += 1
    assert run.times.tolist() == [eta * n] and n > 10
    assert (run.inputs, run.step, run.batch, run.t_end) == (3, eta, B, 20)


def test_networks_are_the_same_however_many():
    few, many = (
        train_escape(
            unit("tanh", 5), step=0.02, t_end=8, batch=4, overlap_at_start=0.0, seeds=s, seed=1
        ).times
        for s in (2, 4)
    )
    assert len(set(many.tolist())) > 1
    first = starts_on_sphere(np.eye(5)[1], 2, 0.0, np.random.default_rng(1))
    np.testing.assert_array_equal(first, starts_on_sphere(np.eye(5)[1], 4, 0.0, np.random.default_rng(1))[:2])
    np.testing.assert_array_equal(few, many[:2])


def test_large_steps_are_divided_among_the_processors(monkeypatch):
    """Seven networks two by two, on their own data: the same steps as all together, and none waits for the slowest."""
    problem, how = unit("hermite:2", 6), {"step": 0.01, "t_end": 8.0, "batch": 8, "seeds": 7, "seed": 2}
    together = train_escape(problem, **how, dtype=torch.float64)
    descents, descend = [], escape.descend

    def watched(gradient, rule, *rest, record, **options):
        steps = []
        descents.append((len(rule.weights), steps))
        return descend(gradient, rule, *rest, record=lambda n: (steps.append(n), record(n)), **options)

    monkeypatch.setattr(escape, "descend", watched)
    monkeypatch.setattr(escape, "ENOUGH", 2 * 8 * 6)
    before = torch.get_num_threads()
    apart = train_escape(problem, **how, dtype=torch.float64)
    np.testing.assert_array_equal(apart.times, together.times)
    assert sorted(size for size, _ in descents) == [1, 2, 2, 2]
    assert torch.get_num_threads() == before
    assert len({steps[-1] // CHECK_EVERY for _, steps in descents}) > 1
    assert all(steps == list(range(len(steps))) for _, steps in descents)


def test_large_batches_follow_the_flow():
    """tanh: the flow from 0.1 to 0.8 within four standard errors of the mean of 8, and a step."""
    problem, eta = unit("tanh", 10), 0.02
    run = train_escape(problem, step=eta, t_end=10, batch=2000, overlap=0.8, overlap_at_start=0.1, seeds=8)
    expected = escape_time(problem, overlap=0.8, overlap_at_start=0.1).flow_time
    assert abs(run.times.mean() - expected) < 4 * run.times.std(ddof=1) / 8**0.5 + eta


def slowed(d, rate, seeds, seed):
    """Mean time of networks from 0.3 to 0.8 at ηd = rate, its standard error, the theory's, the flow's."""
    problem = unit("hermite:2", d)
    how = {"overlap": 0.8, "overlap_at_start": 0.3}
    theory = escape_time(problem, step=rate / d, **how)
    run = train_escape(problem, step=rate / d, t_end=8 * theory.sgd_time, seeds=seeds, seed=seed, **how)
    assert run.unfinished == 0
    return run, theory


@pytest.mark.parametrize(
    ("d", "rate", "seeds"), [(100, 0.1, 48), pytest.param(400, 0.2, 256, marks=pytest.mark.slow)]
)
def test_sgd_is_slower_by_one_minus_three_eta_d(d, rate, seeds):
    """(theory, exactly for large d) T_flow/(1 − 3ηd), 1.806 for ηd = 0.2; the flow's own 0.722 is far outside.

    Within four standard errors of the mean and what the theory leaves out: it is of order 1/d of the noise term, and a
    noise of relative variance ησ²/m² bends the mean of ln m, together taken as 8/d of the time.
    """
    run, theory = slowed(d, rate, seeds, seed=5)
    assert theory.sgd_time == pytest.approx(0.722250 / (1 - 3 * rate), rel=1e-5)
    error = run.times.std(ddof=1) / seeds**0.5
    assert abs(run.times.mean() - theory.sgd_time) < 4 * error + 8 / d * theory.sgd_time
    assert run.times.mean() - theory.flow_time > 8 * error


def test_beyond_a_third_nothing_is_learned():
    """ηd = 0.5: the mean falls to 0 at the rate 1, and so do all 32 networks that were at 0.3, for ten flow times."""
    run = train_escape(
        unit("hermite:2", 100), step=0.005, t_end=7.2, overlap=0.8, overlap_at_start=0.3, seeds=32
    )
    assert run.unfinished == 32 and np.isinf(run.times).all()
    assert np.isinf(run.median_error)
    assert "median time not reached of 32 networks" in run.summary()
    assert "32 not there at time 7.2" in run.summary()


@pytest.mark.slow
def test_random_starts_are_stretched_by_the_noise():
    """He₂ at ηd = 0.15, d = 200: quartiles and median of 200 networks, predicted from random starts and their noise.

    A quantile p of n times is asymptotically normal with the standard error √(p(1 − p)/n)/density, the density taken
    from the predicted quantiles; four of them, and 8/d of the time as above.
    """
    problem, n, d = unit("hermite:2", 200), 200, 200
    theory = escape_time(problem, step=0.15 / d)
    run = train_escape(problem, step=0.15 / d, t_end=4 * theory.starts[-1].sgd_time, seeds=n, seed=2)
    assert run.unfinished <= n // 100
    p, t = np.array([(start.probability, start.sgd_time) for start in theory.starts]).T
    for i in (1, 2, 3):
        found = np.quantile(run.times, p[i], method="inverted_cdf")
        spread = (t[i + 1] - t[i - 1]) / (p[i + 1] - p[i - 1])
        assert abs(found - t[i]) < 4 * np.sqrt(p[i] * (1 - p[i]) / n) * spread + 8 / d * t[i]
    flow = theory.starts[2].flow_time
    assert np.median(run.times) > 1.3 * flow


def test_either_sign_counts_where_both_are_alike():
    """He₂ from −0.4; He₃ from −0.4 never, as in the flow."""
    how = {"step": 0.002, "t_end": 3.0, "batch": 100, "overlap": 0.6, "overlap_at_start": -0.4, "seeds": 3}
    assert train_escape(unit("hermite:2", 10), **how).unfinished == 0
    assert train_escape(unit("hermite:3", 10), **how).unfinished == 3


def test_quartiles_with_unfinished_networks():
    """Order statistics: of 1, 2, 3, ∞ the first, second and third; a median's error from those at ½ ± ½/√S."""
    run = TrainedEscape(7, np.array([3.0, np.inf, 1.0, 2.0]), 0.1, 2, 9.0, "fused")
    assert run.quartiles.tolist() == [1, 2, 3]
    assert run.unfinished == 1
    assert run.median_error == (3 - 1) / 2  # at ¼ and ¾
    assert run.as_dict() == {
        "times": [3, None, 1, 2],
        "quartiles": [1, 2, 3],
        **dict.fromkeys(("mean", "mean_error", "std", "std_error")),
        "unfinished": 1,
        "t_end": 9.0,
        "step": 0.1,
        "batch": 2,
        "gradients": "fused",
    }
    assert run.summary() == "d = 7: median time 2 of 4 networks, quartiles 1, 3; 1 not there at time 9"
    worse = TrainedEscape(7, np.array([1.0, np.inf, np.inf, np.inf]), 0.1, 2, 9.0, "fused")
    assert worse.as_dict()["quartiles"] == [1, None, None]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"seeds": 0}, "`seeds` is 0"),
        ({"step": 0.0}, "`step` is 0"),
        ({"seed": -1}, "`seed` is -1"),
        ({"batch": 0}, "`batch` is 0"),
        ({"t_end": -1.0}, "`t_end` is -1"),
        ({"device": "nowhere"}, "`device` is 'nowhere'"),
        ({"seeds": 10**12}, "lower `batch`, or `seeds`"),
    ],
)
def test_what_is_refused(bad, message):
    with pytest.raises(ProblemError, match=message):
        train_escape(unit("tanh", 3), **({"step": 0.1, "t_end": 1.0} | bad))


def test_mean_and_spread():
    """Of given numbers by hand: the error of the deviation from the fourth moment; nothing where one is infinite."""
    times = np.array([1.0, 2.0, 4.0, 7.0])
    run = TrainedEscape(10, times, 0.1, 1, 9.0, "fused")
    away = times - 3.5
    variance = np.sum(away**2) / 3
    assert run.mean == (3.5, pytest.approx(np.sqrt(variance / 4)))
    error = (
        np.sqrt((np.mean(away**4) - variance**2) / 4) / (2 * np.sqrt(variance))
        if np.mean(away**4) > variance**2
        else 0
    )
    assert run.deviation == (pytest.approx(np.sqrt(variance)), pytest.approx(error))
    many = TrainedEscape(10, np.random.default_rng(0).exponential(size=4000), 0.1, 1, 9.0, "fused")
    assert many.deviation[1] == pytest.approx(
        np.sqrt(8 / 4000) / 2, rel=0.2
    )  # of an exponential law: E away⁴ = 9
    assert TrainedEscape(10, np.append(times, np.inf), 0.1, 1, 9.0, "fused").mean is None
    assert TrainedEscape(10, times[:1], 0.1, 1, 9.0, "fused").deviation is None
