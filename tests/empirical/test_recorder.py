"""The recorder measures anybody's network in anybody's loop."""

import json

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
    vector = nn.Module()
    vector.a = nn.Parameter(torch.ones(3))
    vector.b = nn.Parameter(torch.ones(3))
    named = nn.Module()
    named.readout = nn.Parameter(torch.ones(3))
    three = nn.Sequential(*(nn.Linear(3, 3, bias=False) for _ in range(3)))
    for module in (vector, named, three):
        with pytest.raises(ProblemError, match="are not found: it has neither attributes W and A"):
            Recorder(teacher, step=1.0, second_layer_value=1.0)(module, 0)
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


def made_up_run(**changes):
    """Two seeds, three records, one mode, one unit and output, one input."""
    values = {
        "steps": np.array([0, 5, 10]),
        "times": np.array([0, 0.5, 1.0]),
        "loss": np.array([[4, 2, 1.0], [8, 4, 3]]),
        "modes": np.array([[[0.0], [1], [2]], [[0], [2], [4]]]),
        "conserved": np.array([[[1.0], [1.5], [1.25]], [[-1], [-1.75], [-1]]]),
        "W": np.arange(6.0).reshape(2, 3, 1, 1),
        "A": np.arange(6.0, 12).reshape(2, 3, 1, 1),
        "loss_measured": "exactly from the weights",
        "about": {"step": 0.1, "momentum": 0.75, "notes": ["a note"], "steps_per_second": 1234.4},
    }
    return TrainingRun(**(values | changes))


def test_what_a_run_says():
    """Medians over seeds, the largest drift of any, at most eight modes."""
    run = made_up_run()
    assert run.conserved_drift == 0.75
    lines = [
        "2 seeds, 10 steps up to t = 1",
        "loss (median) 6 → 2, measured exactly from the weights",
        "modes (median) 3",
        "largest drift of c_k 7.50e-01",
        "1234 steps per second (all seeds together)",
        "a note",
    ]
    assert run.summary().split("\n") == lines
    assert repr(run).split("\n") == ["TrainingRun", *(f"  {line}" for line in lines)]
    many = made_up_run(modes=np.tile(np.arange(10.0), (2, 3, 1)), about={})
    assert many.summary().split("\n")[2:] == [
        "modes (median) 0, 1, 2, 3, 4, 5, 6, …, 9 (10 in all)",
        lines[3],
    ]


def test_files_that_are_no_runs(tmp_path):
    """Foreign formats, wrong types in what is read of `about`, steps that no integer holds."""
    file = tmp_path / "run.npz"
    good = made_up_run()
    good.save(file)
    np.testing.assert_array_equal(TrainingRun.load(file).steps, good.steps)
    arrays = dict(np.load(file))
    about = json.loads(str(arrays["about"]))
    assert about["format"] == "quadflow training run 2"
    for changes, words in (
        ({"about": json.dumps(about | {"format": "quadflow staircase 2"})}, "not a training run saved by"),
        ({"about": json.dumps(about | {"step": "x"})}, "step"),
        ({"about": json.dumps(about | {"momentum": []})}, "momentum"),
        ({"about": json.dumps(about | {"steps_per_second": "fast"})}, "steps_per_second"),
        ({"about": json.dumps(about | {"notes": "x"})}, "notes"),
        ({"about": json.dumps(about | {"versions": []})}, "versions"),
        ({"steps": np.array([0, 1, 2.0**63])}, "other than whole numbers"),
        ({"loss": np.ones(3)}, "loss"),
        ({"A": np.ones(3)}, "A"),
    ):
        np.savez(file, **(arrays | changes))
        with pytest.raises(ProblemError, match=words):
            TrainingRun.load(file)
    np.savez(file, loss=np.ones(3))
    with pytest.raises(ProblemError, match="not a training run saved by quadflow"):
        TrainingRun.load(file)
    np.savez(file, **(arrays | {"steps": np.array([0, 1, 2.0**63 - 1024])}))
    assert TrainingRun.load(file).steps[-1] == 2**63 - 1024


def test_a_run_up_to_a_step():
    """Records of that step included; what is handed over is stored beside step and versions; times of the loop."""
    recorder = Recorder(Teacher.from_eigenvalues([1], 3), step=0.5, every=2)
    taken = [n for n in range(7) if recorder(own_module(), n)]
    assert taken == [0, 2, 4, 6]
    run = recorder.run(until=4, optimizer="sgd", word="x")
    assert (run.steps.tolist(), run.times.tolist()) == ([0, 2, 4], [0, 1, 2])
    assert (run.about["step"], run.about["word"], run.about["optimizer"]) == (0.5, "x", "sgd")
    assert run.about["versions"]["torch"] == torch.__version__
    assert "notes" not in run.about  # a loop that names its optimizer is not judged
    assert recorder.run(notes=["mine"]).notes[0] == "mine"
    with pytest.raises(ProblemError, match="Nothing was recorded"):
        recorder.run(until=-1)
    every = Recorder(Teacher.from_eigenvalues([1], 3), step=0.5)
    assert [n for n in range(3) if every(own_module(), n)] == [0, 1, 2]


def test_what_a_recorder_refuses():
    teacher = Teacher.from_eigenvalues([1], 3)
    for options, words in (
        ({"test_samples": -1}, "`test_samples` is -1, but must be at least 0"),
        ({"at": [3, -1]}, "`at` is -1, but must be at least 0"),
        ({"activation": "cubic"}, "activation"),
        ({"second_layer_value": np.nan}, "second_layer_value"),
    ):
        with pytest.raises(ProblemError, match=words):
            Recorder(teacher, step=1.0, **options)
    two = Teacher(np.ones((1, 3)), np.ones((2, 1)))
    with pytest.raises(
        ProblemError, match=r"weights W \(4, 3\) and A \(1, 4\), but the teacher 3 inputs and 2 outputs"
    ):
        Recorder(two, step=1.0)(own_module(), 0)


def test_ensembles_are_measured_one_by_one():
    """Losses, modes and c_k of every member are those of the member alone, for two outputs."""
    rng = np.random.default_rng(0)
    teacher = Teacher(rng.normal(size=(2, 3)), rng.normal(size=(2, 2)))
    W, A = torch.tensor(rng.normal(size=(3, 4, 3))), torch.tensor(rng.normal(size=(3, 2, 4)))
    together = Recorder(teacher, step=1.0, weights=lambda m: (W, A))
    together(nn.Identity(), 0)
    for s in range(3):
        alone = Recorder(teacher, step=1.0, weights=lambda m, s=s: (W[s], A[s]))
        alone(nn.Identity(), 0)
        for name in ("loss", "modes", "conserved", "W", "A"):
            np.testing.assert_allclose(
                getattr(together.run(), name)[s], getattr(alone.run(), name)[0], rtol=1e-13
            )
