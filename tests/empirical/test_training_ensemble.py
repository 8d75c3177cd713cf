"""An ensemble trains each member as if it were alone, whatever the others are."""

import time

import numpy as np
import pytest
import torch

from dynamics import Problem, ProblemError, Student, Teacher
from empirical import TrainingData, train, train_ensemble
from empirical.training_ensemble import Member, groups

TEACHER = Teacher.from_eigenvalues([2, 1], 3)
STARTS = [Problem(TEACHER, Student.initialise(4, 3, scale=s, seed=i)) for i, s in enumerate((0.3, 0.5, 0.4))]
STEPS, BATCHES, SEEDS = (0.01, 0.02, 0.005), (8, 3, 5), (7, 2**40, 9)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"label_noise": 0.3},
        {"samples": 20},
        {"momentum": 0.7},
        {"samples": 20, "label_noise": 0.1, "momentum": 0.5},
    ],
)
def test_members_are_trained_as_if_alone(options):
    """Starts, steps, batch sizes and seeds all different, against `train`, one after the other."""
    shared = {"steps": 30, "dtype": "float64", "records": 6} | options
    runs = train_ensemble(STARTS, step=STEPS, batch=BATCHES, seed=SEEDS, **shared)
    for run, start, step, batch, seed in zip(runs, STARTS, STEPS, BATCHES, SEEDS, strict=True):
        alone = train(start, step=step, batch=batch, seed=seed, **shared)
        for name in ("times", "loss", "modes", "conserved", "W", "A"):
            np.testing.assert_allclose(getattr(run, name), getattr(alone, name), rtol=1e-10, atol=1e-12)
        assert (run.about["step"], run.about["batch"], run.about["seed"]) == (step, batch, seed)
        assert run.about["diverged_at"] is None


def test_the_whole_set_and_parts_of_it():
    shared = {"steps": 20, "samples": 10, "dtype": "float64", "records": 3, "step": 0.01}
    runs = train_ensemble(STARTS[0], batch=[0, 10, 6, 1], seed=4, **shared)
    for run, batch in zip(runs, (0, 10, 6, 1), strict=True):
        alone = train(STARTS[0], batch=batch, seed=4, **shared)
        np.testing.assert_allclose(run.W, alone.W, rtol=1e-10)


@pytest.mark.parametrize("memory", [1, 20_000, 2**28])
def test_chunks_change_nothing(memory):
    """One by one, a few at a time, all together."""
    runs = train_ensemble(
        STARTS[0], steps=20, step=0.01, batch=6, seed=range(9), dtype="float64", records=3, memory=memory
    )
    for seed in (0, 4, 8):
        alone = train(STARTS[0], steps=20, step=0.01, batch=6, seed=seed, dtype="float64", records=3)
        np.testing.assert_allclose(runs[seed].loss, alone.loss, rtol=1e-11)
    together = {run.about["trained_together"] for run in runs}
    assert max(together) == {1: 1, 20_000: max(together), 2**28: 9}[memory]
    if memory == 20_000:
        assert 1 < max(together) < 9


def test_groups_keep_within_memory_and_similar_batches():
    members = [Member(STARTS[0], 0.1, batch, 0) for batch in (4, 64, 8, 63, 1, 32, 31, 2)]
    by_batch = [[members[i].batch for i in group] for group in groups(members, 2**28, 0, 2, 4)]
    assert by_batch == [[64, 63, 32], [31], [8, 4], [2, 1]]
    assert sorted(i for group in groups(members, 1, 0, 2, 4) for i in group) == list(range(8))
    assert all(len(group) == 1 for group in groups(members, 1, 0, 2, 4))


def test_the_seconds_are_those_of_the_clock():
    before = time.perf_counter()
    (run,) = train_ensemble(STARTS[0], steps=2, step=0.01, batch=4)
    assert 0 < run.about["seconds"] < time.perf_counter() - before
    assert run.about["trained_together"] == 1


def test_problems_must_be_alike_in_everything_else():
    """Teacher (also with the same directions), activation, covariance, hidden units, what is trained."""
    W, A = STARTS[0].student.W, STARTS[0].student.A
    others = [
        Problem(Teacher(TEACHER.V, -TEACHER.B), STARTS[0].student),
        Problem(TEACHER, STARTS[0].student, "centred"),
        Problem(TEACHER, STARTS[0].student, covariance=2 * np.eye(3)),
        Problem(TEACHER, Student(W[:2], A[:, :2])),
        Problem(TEACHER, Student(W, A, trainable=False)),
    ]
    for other in others:
        with pytest.raises(ProblemError, match="differ in more than their initial weights"):
            train_ensemble([STARTS[0], other], steps=1, step=0.1, batch=2)
    same = Problem(Teacher(TEACHER.V, TEACHER.B), Student(-W, A))
    assert len(train_ensemble([STARTS[0], same], steps=1, step=0.1, batch=2)) == 2


def test_a_diverging_member_stops_nothing():
    runs = train_ensemble(STARTS[1], steps=300, step=[0.01, 2.0, 0.005], batch=8, seed=3, dtype="float64")
    assert [run.about["diverged_at"] is None for run in runs] == [True, False, True]
    lost = runs[1]
    assert lost.steps[-1] < lost.about["diverged_at"]
    assert np.isfinite(lost.loss).all()
    alone = train(STARTS[1], steps=300, step=0.01, batch=8, seed=3, dtype="float64")
    np.testing.assert_allclose(runs[0].loss, alone.loss, rtol=1e-9)


@pytest.mark.parametrize("samples", [0, 12])
def test_data_of_a_seed_do_not_depend_on_how_many_there_are(samples):
    few, many = (
        TrainingData(STARTS[0], batch=5, samples=samples, label_noise=0.2, seeds=S, seed=8).batches(
            torch.float32, "cpu"
        )
        for S in (2, 6)
    )
    for _ in range(5):
        (x, y), (X, Y) = next(few), next(many)
        assert torch.equal(x, X[:2])
        assert torch.equal(y, Y[:2])


def test_rows_that_fill_up_have_no_weight():
    """Weights of every stream sum to one, over its own rows alone."""
    data = TrainingData(STARTS[0], batch=5, seeds=2, sizes=(2, 5))
    x, _, weights = next(data.weighted_batches(torch.float64, "cpu"))
    assert weights.tolist() == [[0.5, 0.5, 0, 0, 0], [0.2] * 5]
    assert not x[0, 2:].any()
    assert x[1].all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"step": [0.1, 0.2], "seed": [1, 2, 3]}, "`step` has 2 entries"),
        ({"step": [0.1, -0.2]}, "positive"),
        ({"batch": [4, -1]}, "at least 0"),
        ({"batch": 0}, "whole set"),
        ({"seed": [0, -1]}, "at least 0"),
        ({"optimizer": "gsgd"}, "use `train`"),
        ({"optimizer": "lion"}, "must be one of"),
        ({"memory": 0}, "at least 1"),
        ({"batch": [4, 9], "samples": 5}, "only 5 samples"),
    ],
)
def test_bad_input_is_refused(monkeypatch, options, words):
    """Before anything is trained."""
    monkeypatch.setattr("empirical.training_ensemble.descend", lambda *_, **__: pytest.fail("trained"))
    with pytest.raises(ProblemError, match=words):
        train_ensemble(STARTS[0], **({"steps": 3, "step": 0.1, "batch": 4} | options))


def test_problems_may_differ_in_their_weights_only():
    other = Problem(Teacher.from_eigenvalues([2, 1.5], 3), STARTS[0].student)
    with pytest.raises(ProblemError, match="differ in more"):
        train_ensemble([STARTS[0], other], steps=3, step=0.1)
