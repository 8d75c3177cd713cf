"""One start under several losses: what is compared is what is said, and networks lie on the flow."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from empirical import train
from empirical.experiments import losses as experiment
from empirical.experiments.learning_span import learning_span
from empirical.experiments.losses import account, loss_curves

START = Problem(Teacher.from_eigenvalues([2.0], 2), Student.initialise(2, 2, scale=0.8, seed=1))


STEPS = 700


@pytest.fixture(scope="module")
def found():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiment, "MOST", STEPS)
        return loss_curves(START, ["log-cosh", "logistic"], bias=0.3, batch=128, seeds=3, seed=2)


def test_each_loss_is_that_of_its_problem(found):
    """A bias is of two classes alone; teacher and start are the same."""
    one, two = (c.trajectory.problem for c in found)
    assert (one.loss.name, two.loss.name) == ("log-cosh", "logistic")
    assert (bool(one.bias), two.bias.start, two.labels.name) == (False, 0.3, "bernoulli")
    for problem in (one, two):
        assert np.array_equal(problem.student.W, START.student.W)
        assert problem.teacher is START.teacher


def test_networks_are_trained_as_is_said(found):
    """The step that a run says of itself trains the same networks, bit by bit, as long as the flow is followed."""
    for comparison in found:
        problem, run = comparison.trajectory.problem, comparison.run
        again = train(
            problem, step=run.about["step"], steps=int(run.steps[-1]), batch=128, seeds=3, seed=2, records=200
        )
        assert np.array_equal(run.loss, again.loss)
        assert run.times[-1] == pytest.approx(comparison.trajectory.times[-1], rel=2e-3)
        assert run.steps[-1] <= STEPS + 1


def test_curves_are_the_flow_and_networks_lie_on_it(found):
    """The flow again, at the times of the records; networks are off by less than 3 % of the initial loss."""
    for comparison in found:
        flow = GradientFlow(comparison.trajectory.problem).integrate(times=comparison.run.times)
        at = np.interp(comparison.run.times, comparison.trajectory.times, comparison.trajectory.loss)
        assert np.abs(flow.loss - at).max() < 1e-3 * flow.loss[0]
        assert np.abs(comparison.run.loss.mean(axis=0) - flow.loss).max() < 0.03 * flow.loss[0]


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        ([], "`losses` is empty"),
        (["cubic"], "`losses` must be one of|`losses` is 'cubic'"),
    ],
)
def test_what_is_refused(losses, words):
    with pytest.raises(ProblemError, match=words):
        loss_curves(START, losses)


def test_a_teacher_of_zero_is_refused():
    """Weights of either loss would fade for ever, and any step be stable."""
    with pytest.raises(ProblemError, match="`teacher` is zero"):
        loss_curves(Problem(Teacher.from_eigenvalues([0.0], 2), START.student), ["logistic"])


def test_steps_are_smaller_where_sampling_noise_is_large(monkeypatch):
    """With one sample a step a large step rests high above the flow, so that the step of the span is taken; with a step
    that is given there is no choice, and the account says what was done.
    """
    monkeypatch.setattr(experiment, "MOST", 300)
    options = {"batch": 1, "seeds": 2, "seed": 2}
    noisy = loss_curves(START, ["huber:0.5"], **options)[0]
    span = learning_span(noisy.trajectory.problem)
    assert noisy.run.about["step"] == span.step < span.t_end / 300
    quiet = loss_curves(START, ["huber:0.5"], **(options | {"batch": 2048}))[0]
    assert quiet.run.about["step"] == span.t_end / 300
    given = loss_curves(START, ["huber:0.5"], step=0.02, **options)[0]
    assert given.run.about["step"] == 0.02
    steps, last = given.run.steps[-1], given.run.loss[:, -1]
    assert account(given).startswith(f"huber:0.5: {steps} steps of 0.02 on 1 samples, up to t = ")
    assert account(given).endswith(f"networks {last.mean():.4g} ± {last.std(ddof=1):.2g}")
