"""Inputs have the stated covariance, labels are the teacher's, sets and batches behave."""

import numpy as np
import pytest
import torch

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.inputs.data_set import DataSet
from empirical import TrainingData


@pytest.fixture
def problem(make_problem, rng):
    return make_problem(rng, d=3, O=2, covariance=True)


def test_inputs_have_the_stated_covariance(problem):
    """Sample covariance of 100,000 inputs: each entry within 5 of its standard errors √((Σ_ii Σ_jj + Σ_ij²)/n)."""
    n = 100_000
    x, _ = next(TrainingData(problem, batch=n).batches(torch.float64, "cpu"))
    Sigma = problem.covariance
    x = x[0].numpy()
    error = np.sqrt((np.outer(np.diag(Sigma), np.diag(Sigma)) + Sigma**2) / n)
    assert (np.abs(x.T @ x / n - Sigma) < 5 * error).all()


def test_inputs_of_a_singular_covariance_stay_in_its_range(rng):
    """Rank 2 in 4 dimensions: nothing outside the range beyond rounding; inside, the stated covariance as above."""
    n, U = 50_000, np.linalg.qr(rng.standard_normal((4, 4)))[0]
    Sigma = (U[:, :2] * [2.0, 0.5]) @ U[:, :2].T
    problem = Problem(Teacher.from_eigenvalues([1], 4), Student.initialise(2, 4), covariance=Sigma)
    x, _ = next(TrainingData(problem, batch=n).batches(torch.float64, "cpu"))
    assert np.abs(x[0].numpy() @ U[:, 2:]).max() < 1e-12
    error = np.sqrt((np.outer(np.diag(Sigma), np.diag(Sigma)) + Sigma**2) / n)
    assert (np.abs(x[0].T.numpy() @ x[0].numpy() / n - Sigma) < 5 * error).all()


def test_labels_are_the_teachers(problem):
    x, y = next(TrainingData(problem, batch=10, seeds=2).batches(torch.float64, "cpu"))
    for o in range(2):
        expected = torch.einsum("sbi,ij,sbj->sb", x, torch.tensor(problem.teacher.matrix(o)), x)
        torch.testing.assert_close(y[..., o], expected)


def test_label_noise_has_the_stated_variance(problem):
    """Variance of 100,000 label errors within 5 standard errors Δ√(2/n)."""
    noisy = TrainingData(problem, batch=50_000, label_noise=0.3)
    clean = TrainingData(problem, batch=50_000)
    (x, y), (x0, y0) = (next(data.batches(torch.float64, "cpu")) for data in (noisy, clean))
    torch.testing.assert_close(x, x0)
    assert abs(torch.var(y - y0).item() / 0.3 - 1) < 5 * np.sqrt(2 / 100_000)


def test_fresh_batches_differ_and_seeds_differ(problem):
    stream = TrainingData(problem, batch=4, seeds=2).batches(torch.float64, "cpu")
    (x1, _), (x2, _) = next(stream), next(stream)
    assert not torch.equal(x1, x2)
    assert not torch.equal(x1[0], x1[1])


def test_same_seed_same_data_in_both_precisions(problem):
    x32, _ = next(TrainingData(problem, batch=4, seed=7).batches(torch.float32, "cpu"))
    x64, _ = next(TrainingData(problem, batch=4, seed=7).batches(torch.float64, "cpu"))
    other, _ = next(TrainingData(problem, batch=4, seed=8).batches(torch.float64, "cpu"))
    torch.testing.assert_close(x32.double(), x64, rtol=1e-5, atol=1e-5)
    assert not torch.equal(x64, other)


def test_an_epoch_visits_every_sample_once(problem):
    """10 samples in batches of 4: 4 + 4 + 2, each seed in an order of its own, epoch after epoch."""
    whole, _ = next(TrainingData(problem, batch=0, samples=10, seeds=2).batches(torch.float64, "cpu"))
    stream = TrainingData(problem, batch=4, samples=10, seeds=2).batches(torch.float64, "cpu")
    for _ in range(2):
        parts = [next(stream)[0] for _ in range(3)]
        assert [p.shape[1] for p in parts] == [4, 4, 2]
        epoch = torch.cat(parts, dim=1)
        for s in range(2):
            torch.testing.assert_close(epoch[s].sort(dim=0).values, whole[s].sort(dim=0).values)
            assert not torch.equal(epoch[s], whole[s])


def test_the_whole_set_stays_the_same(problem):
    stream = TrainingData(problem, batch=0, samples=5).batches(torch.float64, "cpu")
    (x1, y1), (x2, y2) = next(stream), next(stream)
    assert torch.equal(x1, x2)
    assert torch.equal(y1, y2)


def test_zero_teacher_labels_are_zero():
    problem = Problem(Teacher.from_eigenvalues([0.0], 2), Student.initialise(2, 2))
    _, y = next(TrainingData(problem, batch=3).batches(torch.float64, "cpu"))
    assert not y.any()


def test_data_do_not_repeat_the_initial_weights(problem, monkeypatch):
    """The generator of a stream is seeded by (seed, 1, stream), while initial weights use NumPy's default of the seed.

    All seeds of generators differ from each other, from the plain seeds 0, 1, 2, …, and from the words that NumPy's
    generator of the same seed is filled with.
    """
    found = []

    class Spy(torch.Generator):
        def manual_seed(self, seed):
            found.append(seed)
            return super().manual_seed(seed)

    monkeypatch.setattr(torch, "Generator", Spy)
    for seed in range(4):
        next(TrainingData(problem, batch=2, seeds=3, seed=seed).batches(torch.float64, "cpu"))
    assert len(set(found)) == 12
    assert min(found) > 2**32
    expected = np.random.SeedSequence([3, 1, 2]).generate_state(1, np.uint64)[0] // 2
    assert found[-1] == expected
    assert not set(found) & {
        int(np.random.SeedSequence(s).generate_state(1, np.uint64)[0] // 2) for s in range(4)
    }


def test_by_default(problem):
    """One stream of 256 fresh samples without noise, of seed 0."""
    data = TrainingData(problem)
    assert (data.batch, data.samples, data.label_noise, data.seeds, data.seed) == (256, 0, 0.0, 1, 0)
    x, y = next(data.batches(torch.float64, "cpu"))
    assert (x.shape, y.shape) == ((1, 256, 3), (1, 256, 2))


def test_a_stream_is_the_same_however_many_there_are(problem):
    """And may be named: stream s of seed q."""
    many, _ = next(TrainingData(problem, batch=3, seeds=3, seed=7).batches(torch.float64, "cpu"))
    named = TrainingData(problem, batch=3, seeds=2, streams=((7, 2), (7, 0)))
    x, _ = next(named.batches(torch.float64, "cpu"))
    assert torch.equal(x[0], many[2])
    assert torch.equal(x[1], many[0])


def test_noise_of_a_finite_set_is_drawn_once(problem):
    data = TrainingData(problem, batch=0, samples=4, label_noise=0.3)
    stream = data.batches(torch.float64, "cpu")
    (_, y1), (_, y2) = next(stream), next(stream)
    assert torch.equal(y1, y2)
    clean = next(TrainingData(problem, batch=0, samples=4).batches(torch.float64, "cpu"))[1]
    assert (y1 != clean).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch": 0}, "whole set"),
        ({"batch": -1}, "at least 0"),
        ({"batch": 9, "samples": 5}, "only 5 samples"),
        ({"label_noise": -1}, "negative"),
        ({"seeds": 0}, "at least 1"),
        ({"seed": -1}, "at least 0"),
        ({"samples": -1}, "at least 0"),
        ({"seeds": 2, "streams": ((0, 0),)}, "`streams` has 1 entries, but `seeds` is 2"),
        ({"seeds": 2, "sizes": (4,), "batch": 4}, "`sizes` has 1 entries, but `seeds` is 2"),
        ({"seeds": 2, "sizes": (4, 0), "batch": 4}, "at least 1"),
        ({"seeds": 2, "sizes": (4, 2), "batch": 8}, "must be the largest of `sizes`, 4"),
    ],
)
def test_bad_input_is_refused(problem, options, words):
    with pytest.raises(ProblemError, match=words):
        TrainingData(problem, **options)


@pytest.mark.parametrize("seeds", [1, 3])
def test_samples_of_a_data_set_are_there_once(rng, seeds):
    """Whole sets are one set for all seeds, inputs before samples; parts of it are its rows, each with its label."""
    X = rng.standard_normal((7, 3))
    problem = Problem(None, Student.initialise(2, 3), data=DataSet(X, X[:, :1] + 1))
    x, y = next(TrainingData(problem, 0, seeds=seeds).batches(torch.float64, "cpu"))
    assert x.shape == (seeds, 7, 3)
    assert len({part.data_ptr() for part in x}) == 1
    assert x[0].mT.is_contiguous()
    np.testing.assert_array_equal(x[0], X)
    stream = TrainingData(problem, 2, seeds=seeds).batches(torch.float64, "cpu")
    for _ in range(4):
        x, y = next(stream)
        np.testing.assert_array_equal(y, x[..., :1] + 1)
        for row in x.reshape(-1, 3).numpy():
            assert (row == X).all(axis=1).any()
