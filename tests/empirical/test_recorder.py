"""The recorder measures anybody's network in anybody's loop."""

import numpy as np
import pytest
import torch
from torch import nn

from dynamics import Problem, ProblemError, Student, Teacher
from empirical import QuadraticNetwork, Recorder, TrainingRun, train


class Square(nn.Module):
    def forward(self, z):
        return z**2


def own_module(d=3, K=4):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(d, K, bias=False), Square(), nn.Linear(K, 1, bias=False)).double()


def test_two_lines_in_a_loop_of_ones_own():
    """Loss, modes and c_k from the definitions with dense matrices."""
    teacher = Teacher.from_eigenvalues([2, -1], 3)
    model = own_module()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    recorder = Recorder(teacher, step=0.01, every=10)
    weights = []
    for n in range(21):
        if recorder(model, n):
            weights.append([layer.weight.detach().numpy().copy() for layer in (model[0], model[2])])
        x = torch.randn(32, 3, dtype=torch.float64)
        y = 2 * x[:, :1] ** 2 - x[:, 1:2] ** 2
        optimizer.zero_grad()
        (0.5 * (model(x) - y) ** 2).mean().backward()
        optimizer.step()
    run = recorder.run()
    np.testing.assert_array_equal(run.steps, [0, 10, 20])
    np.testing.assert_allclose(run.times, [0, 0.1, 0.2])
    for i, (W, A) in enumerate(weights):
        M = (W.T * A[0]) @ W
        D = np.diag([2.0, -1, 0]) - M
        assert run.loss[0, i] == pytest.approx(np.sum(D**2) + 0.5 * np.trace(D) ** 2, rel=1e-12)
        np.testing.assert_allclose(run.modes[0, i], [M[0, 0], M[1, 1]], rtol=1e-12)
        np.testing.assert_allclose(run.conserved[0, i], np.sum(W**2, 1) - 2 * A[0] ** 2, rtol=1e-12)
        np.testing.assert_array_equal(run.W[0, i], W)


def test_loss_on_a_test_sample_agrees_with_the_exact_one():
    """n = 200,000 test samples of ½(f* − f)², a Gaussian chaos: within 5 standard errors."""
    problem = Problem(Teacher.from_eigenvalues([2, 1], 3), Student.initialise(4, 3, scale=0.5))
    model = QuadraticNetwork.from_student(problem.student)
    n = 200_000
    exact, sampled = (Recorder(problem, step=1.0, test_samples=m) for m in (0, n))
    exact(model, 0)
    sampled(model, 0)
    x = torch.randn(n, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    spread = (0.5 * (model(x)[:, 0] - 2 * x[:, 0] ** 2 - x[:, 1] ** 2) ** 2).std().item()
    a, b = exact.run(), sampled.run()
    assert abs(a.loss[0, 0] - b.loss[0, 0]) < 5 * spread / np.sqrt(n)
    assert a.loss_measured == "exactly from the weights"
    assert "200000" in b.loss_measured


def test_test_sample_works_for_ensembles_and_flat_outputs():
    problem = Problem(Teacher.from_eigenvalues([2, 1], 3), Student.initialise(4, 3, scale=0.5))
    run = train(problem, steps=4, step=1e-3, batch=8, seeds=3, test_samples=100)
    assert run.loss.shape == (3, 5)
    model = own_module()

    class Flat(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = model

        def forward(self, x):
            return self.inner(x)[:, 0]

    flat, full = (Recorder(problem, step=1.0, test_samples=50) for _ in range(2))
    flat(Flat(), 0)
    full(model, 0)
    np.testing.assert_allclose(flat.run().loss, full.run().loss)


def test_weights_can_be_pointed_at():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Parameter(torch.ones(2, 3, dtype=torch.float64))
            self.second = nn.Parameter(torch.ones(1, 2, dtype=torch.float64))

    recorder = Recorder(Teacher.from_eigenvalues([1], 3), step=1.0, weights=lambda m: (m.first, m.second))
    recorder(Odd(), 0)
    np.testing.assert_allclose(recorder.run().conserved[0, 0], [1.0, 1.0])  # 3 − 2·1


class FirstLayerOnly(nn.Module):
    """Σ_k (w_k·x)², or their mean: phase retrieval."""

    def __init__(self, mean=False):
        super().__init__()
        torch.manual_seed(2)
        self.first, self.mean = nn.Linear(3, 4, bias=False, dtype=torch.float64), mean

    def forward(self, x):
        squares = self.first(x) ** 2
        return squares.mean(-1) if self.mean else squares.sum(-1)


class VectorReadout(FirstLayerOnly):
    """Σ_k a_k (w_k·x)² with a of shape (K,)."""

    def __init__(self):
        super().__init__()
        self.readout = nn.Parameter(torch.tensor([1.0, -1.0, 0.5, 2.0], dtype=torch.float64))

    def forward(self, x):
        return self.first(x) ** 2 @ self.readout


@pytest.mark.parametrize(
    ("model", "value"), [(FirstLayerOnly(), 1.0), (FirstLayerOnly(mean=True), 0.25), (VectorReadout(), None)]
)
def test_layouts_of_other_people(model, value):
    """The exact loss from the weights found against the loss of the module itself on 50,000 test samples.

    Both are measured on one module, so that a second layer found wrongly (1 for ¼) is far outside of 5 standard errors.
    """
    teacher = Teacher.from_eigenvalues([2, 1], 3)
    exact = Recorder(teacher, step=1.0, second_layer_value=value)
    exact(model, 0)
    run = exact.run()
    x = torch.randn(50_000, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        losses = 0.5 * (model(x) - 2 * x[:, 0] ** 2 - x[:, 1] ** 2) ** 2
    assert abs(run.loss[0, 0] - losses.mean().item()) < 5 * losses.std().item() / np.sqrt(len(losses))
    np.testing.assert_array_equal(run.W[0, 0], model.first.weight.detach())
    expected = model.readout.detach() if value is None else np.full(4, value)
    np.testing.assert_array_equal(run.A[0, 0, 0], expected)


def test_weights_by_attribute_and_ensembles():
    """`a` (K,) beside `W`, and the same with a leading axis for several networks."""

    class Named(nn.Module):
        def __init__(self, *shape):
            super().__init__()
            self.W = nn.Parameter(torch.ones(*shape, 2, 3, dtype=torch.float64))
            self.a = nn.Parameter(torch.full((*shape, 2), 2.0, dtype=torch.float64))

    for shape in ((), (5,)):
        recorder = Recorder(Teacher.from_eigenvalues([1], 3), step=1.0)
        recorder(Named(*shape), 0)
        run = recorder.run()
        assert run.A.shape == (*(shape or (1,)), 1, 1, 2)
        np.testing.assert_allclose(run.conserved, 3 - 2 * 4)


def test_weights_that_are_refused():
    teacher = Teacher.from_eigenvalues([1], 3)
    with pytest.raises(ProblemError, match=r"1 if it adds its units up or 1/K"):
        Recorder(teacher, step=1.0)(FirstLayerOnly(), 0)
    biased = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1, bias=False))
    with pytest.raises(ProblemError, match="are not found"):
        Recorder(teacher, step=1.0)(biased, 0)
    with pytest.raises(ProblemError, match="complex"):
        Recorder(teacher, step=1.0, weights=lambda m: (torch.ones(2, 3) + 0j, torch.ones(2)))(biased, 0)
    with pytest.raises(ProblemError, match="the teacher 3 inputs and 1 outputs"):
        Recorder(teacher, step=1.0)(own_module(d=4), 0)
    with pytest.raises(ProblemError, match="second_layer_value"):
        Recorder(teacher, step=1.0, second_layer_value="x")


def test_chosen_steps():
    recorder = Recorder(Teacher.from_eigenvalues([1], 3), step=1.0, at=[0, 7])
    assert [n for n in range(10) if recorder(own_module(), n)] == [0, 7]


def test_bad_use_is_refused():
    teacher = Teacher.from_eigenvalues([1], 3)
    with pytest.raises(ProblemError, match="weights=lambda"):
        Recorder(teacher, step=1.0)(nn.Linear(3, 1), 0)
    with pytest.raises(ProblemError, match="Nothing was recorded"):
        Recorder(teacher, step=1.0).run()
    with pytest.raises(ProblemError, match="positive"):
        Recorder(teacher, step=0.0)
    with pytest.raises(ProblemError, match="at least 1"):
        Recorder(teacher, step=1.0, every=0)


def test_weights_are_kept_up_to_their_limit(monkeypatch, tmp_path):
    """3 records of 2 seeds with 4 × 3 weights are 72 numbers; without them a run still is saved and read."""
    problem = Problem(Teacher.from_eigenvalues([2, 1], 3), Student.initialise(4, 3, seed=1))
    for limit, kept in ((72, True), (71, False)):
        monkeypatch.setattr("empirical.recorder.LARGEST_KEPT_WEIGHTS", limit)
        run = train(problem, steps=2, step=1e-3, batch=4, seeds=2, records=3)
        assert (run.W is not None) == kept
        run.save(tmp_path / "run.npz")
        again = TrainingRun.load(tmp_path / "run.npz")
        assert (again.W is not None) == kept
        np.testing.assert_array_equal(again.loss, run.loss)
