"""Late-time laws: theory curves reach them, trained networks are as far off as sampling noise explains."""

from types import SimpleNamespace

import numpy as np
import pytest

from dynamics import FluctuatingSGD, Problem, ProblemError, Student, Teacher
from empirical.experiments.late_time import late_time

STUDENTS = (  # ‖w_k‖² = 2a_k² + c on the diagonal, a start of size ½
    Student(0.5 * np.eye(4), np.ones(4), trainable=False),
    Student(np.sqrt(0.5) * np.eye(4), np.full(4, 0.5)),
    Student(np.sqrt(0.5) * np.eye(4), np.full(4, np.sqrt(0.5))),
)


def test_curves_reach_their_laws_and_networks_follow():
    """Curves: corrections to a law are of relative order ln t/t, a fifth at t = 100 of those at 10; a fourth is asked.

    Networks: one each, against the mean and standard deviation over seeds of stochastic gradient descent with this
    step and batch, which `FluctuatingSGD` predicts. Some 80 losses, hence 4.5 standard deviations (7e-6 each); the
    start is the same for every seed, and exact to the 1e-6 of single precision.
    """
    step, batch = 2e-3, 512
    curves = late_time([2, 1], 4, trained_until=2.0, step=step, batch=batch)
    assert [c.tail.exponent for c in curves] == [2, 1.5, 2]
    for c, student in zip(curves, STUDENTS, strict=True):
        early, late = (
            np.interp(t, c.times, c.loss / c.tail(np.maximum(c.times, 1e-9))) - 1 for t in (10, 100)
        )
        assert abs(late) < abs(early) / 4
        assert abs(early) < 1
        sgd = FluctuatingSGD(Problem(Teacher.from_eigenvalues([2, 1], 4), student), step, batch)
        theory = sgd.integrate(times=c.trained_times, rtol=1e-6)
        assert (np.abs(c.trained_loss - theory.loss) < 4.5 * theory.loss_std + 1e-6 * theory.loss[0]).all()
        assert c.trained_times[-1] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("eigenvalues", "inputs", "options", "words"),
    [
        ([2, -1], 3, {}, "must all be positive"),
        ([2, 0], 3, {}, "must all be positive"),
        ([1, 1, 1], 3, {}, "below the number of inputs"),
        ([1], 2, {"t_end": 0.0}, "t_end"),
        ([1], 2, {"trained_until": -1.0}, "trained_until"),
        ([1], 2, {"step": 0.0}, "step"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_trained(
    monkeypatch, eigenvalues, inputs, options, words
):
    monkeypatch.setattr("empirical.experiments.late_time.train", None)
    with pytest.raises(ProblemError, match=words):
        late_time(eigenvalues, inputs, **options)


def test_small_study():
    """Every curve begins at the loss of its start, ‖D‖² + ½ tr² D, and is trained for the time that was asked for."""
    curves = late_time([2.0], 2, t_end=3.0, trained_until=0.02, step=2e-3, batch=8)
    for c, (square, a) in zip(curves, [(0.25, 1.0), (0.5, 0.5), (0.5, np.sqrt(0.5))], strict=True):
        D = np.array([2.0, 0.0]) - a * square
        start = np.sum(D**2) + 0.5 * np.sum(D) ** 2
        assert c.loss[0] == pytest.approx(start, rel=1e-12)
        assert c.trained_loss[0] == pytest.approx(start, rel=1e-6)
        assert c.times[0] == 0 and c.times[-1] == pytest.approx(3.0)
        assert c.trained_times[-1] == pytest.approx(0.02)
    assert [c.name for c in curves] == [
        "fixed $a_k = 1$",
        "trained $a_k$, $c = 0$",
        "trained $a_k$, $c = -0.5$",
    ]
    # at late times the three laws differ by their constants: theory, section 5, with κ = 4/3, ν = 1
    np.testing.assert_allclose(
        [c.tail(100.0) for c in curves],
        [1 / (64 * 4 / 3 * 1e4), 16 / 3 * (3200 * 4 / 3) ** -1.5, 4 / 3 / (800 * 0.5 * 4 / 3) ** 2],
        rtol=1e-12,
    )


def test_what_is_trained(monkeypatch):
    """Thirty records, evenly spaced in the logarithm; sixty points of theory and the start."""
    asked = []

    def fake(problem, **options):
        asked.append(options)
        return SimpleNamespace(times=np.array([0.0, 1.0]), loss=np.ones((1, 2)))

    monkeypatch.setattr("empirical.experiments.late_time.train", fake)
    curves = late_time([1.0], 2, t_end=1.0, step=0.1, seed=4)
    np.testing.assert_allclose(curves[0].times, [0, *(0.01 * 100 ** (n / 59) for n in range(60))])
    for options in asked:
        assert options == {
            **{"steps": 200, "step": 0.1, "batch": 512, "seed": 4, "records": 30, "log_times": True},
            "progress": False,
        }
