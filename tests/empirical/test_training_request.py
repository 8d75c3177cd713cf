"""Networks of many runs trained as one tensor are those of `train`, to rounding; what diverges does so alone."""

import numpy as np
import pytest

from dynamics import Problem, Student, Teacher
from empirical import training_request
from empirical.trainer import TrainingDiverged
from empirical.training import train
from empirical.training_request import Training

TEACHER = Teacher.from_eigenvalues([2.0, 1.0])
WISH = {"steps": 30, "step": 1e-2, "batch": 8, "records": 5, "dtype": "float64", "seed": 0}


def problem(seed=0, scale=0.3, hidden=2, **more):
    return Problem(TEACHER, Student.initialise(hidden, 2, scale=scale, seed=seed), **more)


@pytest.fixture
def ensembles(monkeypatch):
    """Sizes of the ensembles that are trained."""
    found, own = [], training_request.train_ensemble

    def count(problems, **arguments):
        found.append(len(problems))
        return own(problems, **arguments)

    monkeypatch.setattr(training_request, "train_ensemble", count)
    return found


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"optimizer": "momentum", "momentum": 0.8},
        {"samples": 20, "label_noise": 0.1, "log_times": True},
        {"schedule": "cosine"},
        {"record_at": np.array([0, 3, 30])},
    ],
    ids=str,
)
def test_together_as_alone(ensembles, more):
    """Starts, steps and seeds of their own; from `train` of each, to some roundings of 30 steps in double precision."""
    requests = [Training(problem(i), WISH | more | {"step": 1e-2 / (i + 1), "seed": 7 + i}) for i in range(3)]
    assert len({request.kin() for request in requests}) == 1
    runs = requests[0].together(requests)
    assert ensembles == [3]
    for request, run in zip(requests, runs, strict=True):
        single = train(request.problem, **request.arguments)
        np.testing.assert_allclose(run.times, single.times, rtol=1e-15)
        np.testing.assert_allclose(run.loss, single.loss, rtol=1e-10)
        assert run.variables().keys() == single.variables().keys()


def test_what_diverges_raises_what_it_raises_alone():
    requests = [Training(problem(i), WISH | {"step": step}) for i, step in enumerate((1e-2, 10.0))]
    well, lost = requests[0].together(requests)
    assert well.loss.shape == (1, 5)
    with pytest.raises(TrainingDiverged) as alone:
        requests[1].alone()
    assert isinstance(lost, TrainingDiverged)
    assert (str(lost), lost.step) == (str(alone.value), alone.value.step)


def test_who_belongs_together():
    one = Training(problem(), WISH).kin()
    assert one == Training(problem(5, 0.7), WISH | {"step": 0.3, "seed": 9}).kin() is not None
    others = [
        Training(problem(hidden=3), WISH),
        Training(problem(activation="relu"), WISH),
        Training(problem(weight_decay=0.1), WISH),
        Training(problem(distribution="uniform"), WISH),
        Training(Problem(Teacher.from_eigenvalues([2.0, 1.5]), problem().student), WISH),
        *(Training(problem(), WISH | more) for more in ({"batch": 9}, {"steps": 31}, {"optimizer": "adamw"})),
        Training(problem(), WISH | {"record_at": np.array([0, 2])}),
    ]
    kins = [request.kin() for request in others]
    assert len({one, *kins}) == len(others) + 1
    for more in ({"seeds": 2}, {"test_samples": 10}, {"batch": 10**7}, {"optimizer": "gsgd"}):
        assert Training(problem(), WISH | more).kin() is None
