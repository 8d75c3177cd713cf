"""Batches of several steps from one launch: what a seed sees is what it sees step by step."""

import numpy as np
import pytest
import torch

from dynamics import Problem, Student, Teacher
from empirical import TrainingData, streams
from empirical.data import teacher_network
from empirical.seeds import data_generator
from empirical.streams import BLOCK

d = 6


def problem_of(eigenvalues=(2, 1), name="quadratic", **options):
    return Problem(Teacher.from_eigenvalues(eigenvalues, d), Student.initialise(2, d), name, **options)


def step_by_step(seed, stream, batch, outputs, noisy, steps):
    """The numbers of a stream, each batch drawn by itself: inputs, and then the noise of its labels."""
    generator = data_generator("cpu", seed, stream)
    for _ in range(steps):
        x = torch.empty(d, batch).normal_(generator=generator)
        yield x.mT, torch.empty(batch, outputs).normal_(generator=generator) if noisy else None


@pytest.mark.parametrize("batch", [16, 32, 5, 3, 1])
@pytest.mark.parametrize("noise", [0.0, 0.3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_numbers_are_those_of_single_steps_bit_by_bit(monkeypatch, batch, noise, dtype):
    """Of 16 or 32 samples, that come in whole blocks, and of others; beyond the end of what is drawn at once."""
    monkeypatch.setattr(streams, "AHEAD", 3 * 2 * (d + 1) * 32)  # at least three steps of both streams
    data = TrainingData(problem_of(), batch, label_noise=noise, seeds=2, seed=3)
    teacher, steps = teacher_network(data.problem, dtype, "cpu"), 20
    expected = [list(step_by_step(3, s, batch, 1, noise > 0, steps)) for s in range(2)]
    for n, (x, y) in zip(range(steps), data.batches(dtype, "cpu"), strict=False):
        for s in range(2):
            numbers, errors = expected[s][n]
            assert torch.equal(x[s], numbers.to(dtype))
            labels = teacher(x[s]) + (noise**0.5 * errors.to(dtype) if noise else 0)
            torch.testing.assert_close(
                y[s], labels, rtol=1e-5 if dtype == torch.float32 else 1e-13, atol=1e-6
            )


def test_blocks_are_what_pytorch_makes():
    """The condition itself: draws of whole blocks are one draw, for any other size they are not."""
    for n in (BLOCK, 5 * BLOCK, BLOCK + 1, 2 * BLOCK - 1, BLOCK // 2):
        one, many = (torch.Generator().manual_seed(5) for _ in range(2))
        alone = torch.cat([torch.empty(n).normal_(generator=one) for _ in range(3)])
        assert torch.equal(alone, torch.empty(3 * n).normal_(generator=many)) == (n % BLOCK == 0)
        assert (one.get_state() == many.get_state()).all() == (n % BLOCK == 0)


def launches(monkeypatch, steps, batch, seeds, ahead=None, **options):
    """How often random numbers were asked for, and the largest number of them at once."""
    sizes, normal = [], torch.Tensor.normal_

    def counted(tensor, *args, **kwargs):
        sizes.append(tensor.numel())
        return normal(tensor, *args, **kwargs)

    monkeypatch.setattr(torch.Tensor, "normal_", counted)
    if ahead is not None:
        monkeypatch.setattr(streams, "AHEAD", ahead)
    stream = TrainingData(problem_of(**options), batch, seeds=seeds).batches(torch.float32, "cpu")
    for _ in range(steps):
        next(stream)
    return len(sizes), max(sizes)


def test_many_steps_are_one_launch_in_bounded_memory(monkeypatch):
    """100 steps of 4 seeds with 96 numbers each: a launch a seed, and 2¹² numbers at once need 10 times as many.

    Where a batch is no whole number of blocks, or larger than the bound, there is a launch for each step and seed.
    """
    assert launches(monkeypatch, 100, 16, 4) == (4, streams.LAUNCH // 96 * 96)
    assert launches(monkeypatch, 100, 16, 4, 2**12) == (40, 960)
    assert launches(monkeypatch, 10, 16, 4, 64) == (40, 96)
    assert launches(monkeypatch, 10, 17, 4) == (40, 6 * 17)


def test_correlated_inputs_are_those_of_single_steps(monkeypatch):
    """x = F z with Σ = FFᵀ, to rounding: products of many steps are taken in another order."""
    Sigma = np.diag(np.linspace(1, 2, d)) + 0.1
    problem = problem_of(covariance=Sigma)
    stream = TrainingData(problem, 16, seeds=2, seed=4).batches(torch.float64, "cpu")
    found = [next(stream)[0] for _ in range(5)]
    for s in range(2):
        numbers = [x.double() for x, _ in step_by_step(4, s, 16, 1, False, 5)]
        whitened = [
            torch.linalg.solve_triangular(torch.linalg.cholesky(torch.tensor(Sigma)), x[s].mT, upper=False)
            for x in found
        ]
        for z, expected in zip(whitened, numbers, strict=True):
            torch.testing.assert_close((z * z).sum(0), (expected * expected).sum(-1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["quadratic", "centred", "relu"])
@pytest.mark.parametrize("correlated", [False, True])
def test_a_narrow_teacher_is_the_teacher(rng, name, correlated):
    """Without the inputs that no unit looks at; of a teacher that is zero one is left."""
    Sigma = np.diag(np.linspace(1, 2, d)) + 0.1 if correlated else None
    for eigenvalues, seen in (((2, 1), 2), ((0.0,), 1), ((3, 2, 1, -1, -2, -3), d)):
        problem = problem_of(eigenvalues, name, covariance=Sigma)
        whole, narrow = (teacher_network(problem, torch.float64, "cpu", narrow=n) for n in (False, True))
        x = torch.tensor(rng.standard_normal((5, d)))
        assert narrow.W.shape[-1] == seen
        torch.testing.assert_close(narrow(x[:, :seen]), whole(x), rtol=1e-13, atol=1e-13)
