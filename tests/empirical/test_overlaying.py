"""Loops of one's own on their theory: optimisers of PyTorch along the exact gradient, so that errors have orders."""

import numpy as np
import pytest
import torch

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.curves.trajectory import Trajectory
from dynamics.flows.layer_rates import LayerRateFlow
from empirical import Recorder, TrainingRun, overlay
from empirical.comparison import Comparison
from empirical.networks import QuadraticNetwork
from figures import learning_curves

TEACHER = Teacher.from_eigenvalues([2, -1], 3)
T_END = 1.0


def start(trainable=True):
    W = Student.initialise(3, 3, scale=0.6, seed=1).W
    return Student(W, [0.5, -0.6, 0.3], trainable)


def loop(make, eta, schedule=None, student=None, every=1, teacher=TEACHER, steps=None, share=1.0):
    """Recorder of a loop along the exact gradient up to t ≈ `T_END`; `schedule(u)` at the fraction u of the steps."""
    student = student or start()
    model = QuadraticNetwork.from_student(student)
    trained = [p for p in (model.W, model.A) if p.requires_grad]
    optimizer = make(trained, eta)
    steps = steps or round(share * T_END / eta)
    rate = (lambda n: schedule(n / steps)) if schedule else lambda n: 1.0
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    recorder = Recorder(teacher, optimizer=optimizer, every=every)
    population = recorder.problem.population
    for _ in range(steps):
        recorder(model)
        force = population.velocity(*(p.detach().numpy() for p in (model.W, model.A)))
        for p, F in zip(trained, force, strict=False):
            p.grad = torch.from_numpy(-F) if p.requires_grad else None
        optimizer.step()
        scheduler.step()
    recorder(model)
    return recorder


def cosine(u):
    return 0.5 * (1 + np.cos(np.pi * u))


def sgd(**options):
    return lambda parameters, eta: torch.optim.SGD(parameters, lr=eta, **options)


def two_groups(parameters, eta):
    W, A = parameters
    return torch.optim.SGD([{"params": [W], "lr": eta}, {"params": [A], "lr": 0.3 * eta}], weight_decay=0.2)


@pytest.mark.parametrize(
    ("make", "share", "theory", "order", "schedule"),
    [
        (sgd(), 1, None, 1, cosine),
        (sgd(weight_decay=0.3), 1, "modified", 2, cosine),
        (sgd(momentum=0.5, weight_decay=0.3), 0.5, "modified", 2, cosine),
        (sgd(momentum=0.5, nesterov=True), 0.5, "modified", 2, None),
        (two_groups, 1, None, 1, cosine),
    ],
    ids=["sgd", "decay", "heavy ball", "nesterov", "two rates"],
)
def test_errors_have_the_order_of_the_theory(make, share, theory, order, schedule):
    """Halving the step divides the late error of the loss by 2^order, ± 0.15 in the exponent."""
    errors = []
    for eta in (4e-3, 2e-3):
        found = overlay(loop(make, eta, schedule, share=share), theory=theory)
        late = found.run.times > 0.2 * found.run.times[-1]  # momentum: behind its initial layer
        errors.append(np.abs(found.run.loss[0] - found.trajectory.loss)[late].max())
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.15)
    assert errors[1] < 0.01 * found.run.loss[0, 0]


def test_adamw_with_a_cosine_schedule():
    """Memories fixed in the time of the flow, β = e^{−η/τ}: first order, 1 ± 0.15 (tests of the flow go further)."""

    def adamw(parameters, eta):
        betas = np.exp(-eta / 0.05), np.exp(-eta / 0.3)
        return torch.optim.AdamW(parameters, lr=eta, betas=betas, eps=1e-3, weight_decay=0.2)

    errors = []
    for eta in (4e-3, 2e-3):
        found = overlay(loop(adamw, eta, cosine))
        assert found.theory == "adam"
        errors.append(np.abs(found.run.loss[0] - found.trajectory.loss).max())
    assert np.log2(errors[0] / errors[1]) == pytest.approx(1, abs=0.15)
    assert errors[1] < 0.01 * found.run.loss[0, 0]


def test_fixed_second_layer():
    """W alone in the optimiser: the theory keeps A, and its flow is that of a fixed layer."""
    found = overlay(loop(sgd(weight_decay=0.1), 1e-3, student=start(trainable=False)))
    problem = found.trajectory.problem
    assert not problem.student.trainable
    expected = GradientFlow(Problem(TEACHER, start(trainable=False), weight_decay=0.1)).integrate(
        times=found.run.times
    )
    np.testing.assert_allclose(found.trajectory.loss, expected.loss, rtol=1e-8)
    assert found.relative_error["loss_sup"] < 0.01


def test_runs_from_files(tmp_path):
    """A run says everything but what was learned; the overlay is the one of its recorder, and is kept without a gap."""
    recorder = loop(sgd(momentum=0.5, weight_decay=0.3), 4e-3, cosine, share=0.5, every=5)
    direct = overlay(recorder, theory="modified")
    recorder.run().save(tmp_path / "run.npz")
    run = TrainingRun.load(tmp_path / "run.npz")
    again = overlay(run, TEACHER, theory="modified")
    np.testing.assert_array_equal(again.trajectory.loss, direct.trajectory.loss)
    whole = Problem(TEACHER, start())
    np.testing.assert_array_equal(
        overlay(run, whole, theory="modified").trajectory.loss, direct.trajectory.loss
    )
    direct.save(tmp_path / "overlay.npz")
    kept = Comparison.load(tmp_path / "overlay.npz")
    assert kept.gap is None
    assert kept.summary() == direct.summary()
    assert kept.relative_error == direct.relative_error
    assert "gap_total" not in kept.variables()
    with pytest.raises(ProblemError, match="`teacher` is missing"):
        overlay(run)


def test_the_figure_draws_it():
    """Curves of the theory and of the loop, read back."""
    found = overlay(loop(sgd(), 4e-3, cosine, every=10))
    axes = learning_curves(found).axes[0]
    drawn = [np.asarray(line.get_ydata()) for line in axes.lines]
    assert any(np.array_equal(y, found.trajectory.loss) for y in drawn)
    assert any(len(y) > 5 and np.isin(y, found.run.loss[0]).all() for y in drawn)


def test_steps_of_rate_zero_take_no_time():
    """A warm-up from 0: the first two records are at t = 0, of which the later is laid on the theory."""
    recorder = loop(sgd(), 4e-3, lambda u: min(10 * u, 1.0))
    assert recorder.run().times[1] == 0
    found = overlay(recorder)
    assert len(found.run.times) == len(recorder.run().times) - 1
    assert found.run.steps[0] == 1
    assert found.relative_error["loss_sup"] < 0.02


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p, eta: torch.optim.Adagrad(p, lr=eta), "torch.optim.Adagrad, which no theory follows"),
        (lambda p, eta: torch.optim.Adam(p, lr=eta, amsgrad=True), "has amsgrad"),
    ],
)
def test_where_no_theory_follows(make, words):
    recorder = loop(make, 0.1, steps=3)
    with pytest.raises(ProblemError, match=words) as refused:
        overlay(recorder)
    assert str(refused.value) == recorder.run().notes[0]


def test_what_is_not_enough():
    """A theory of another optimiser, records that begin late, a run of no optimiser, rates of the layers."""
    recorder = loop(sgd(), 0.1, steps=3)
    with pytest.raises(ProblemError, match="`theory` adam is of"):
        overlay(recorder, theory="adam")
    with pytest.raises(ProblemError, match="begins at step 1"):
        late = Recorder(
            TEACHER, optimizer=torch.optim.SGD(torch.nn.Linear(1, 1).parameters(), lr=0.1), at=[1]
        )
        late._records, late.log, late.reading = recorder._records[1:], recorder.log, recorder.reading
        overlay(late)
    plain = Recorder(TEACHER, step=0.1)
    plain.record(QuadraticNetwork.from_student(start()), 0)
    with pytest.raises(ProblemError, match="does not say its optimiser"):
        overlay(plain)
    with pytest.raises(ProblemError, match=r"start alone.*once more"):
        overlay(recorder.run(until=0), TEACHER)
    for name in ("foo", "path"):
        with pytest.raises(ProblemError, match=f"`theory` is '{name}'.*one of: flow, modified"):
            overlay(recorder, theory=name)
    with pytest.raises(ProblemError, match=r"learning rates 1 and 0\.3"):
        overlay(loop(two_groups, 0.01, steps=3), theory="modified")


def test_flow_of_two_learning_rates():
    """‖w_k‖²/r_w − 2a_k²/r_a stays, c_k does not; a step of Euler is a step of SGD; Jacobian by central differences."""
    problem = Problem(TEACHER, start())
    flow = LayerRateFlow(problem, (1.0, 0.3))
    curve = flow.integrate(t_end=1.0, samples=5)
    assert isinstance(curve, Trajectory)
    kept = np.sum(curve.W**2, axis=2) - 2 * curve.A[:, 0] ** 2 / 0.3
    assert np.abs(kept - kept[0]).max() < 1e-9
    assert curve.conserved_drift > 0.01
    dW, dA = problem.population.velocity(problem.student.W, problem.student.A)
    W, A = flow.unpack(flow(0.0, flow.theta0))
    np.testing.assert_allclose(
        W @ flow.reduction.basis.T if flow.reduction.basis is not None else W, dW, atol=1e-12
    )
    np.testing.assert_allclose(A, 0.3 * dA, atol=1e-12)
    shifts = 1e-5 * np.eye(flow.theta0.size)
    columns = [(flow(0.0, flow.theta0 + e) - flow(0.0, flow.theta0 - e)) / 2e-5 for e in shifts]
    np.testing.assert_allclose(flow.jacobian(0.0, flow.theta0), np.transpose(columns), atol=1e-7)
    with pytest.raises(ProblemError, match="positive"):
        LayerRateFlow(problem, (0.0, 0.0))
    with pytest.raises(ProblemError, match="negative"):
        LayerRateFlow(problem, (1.0, -1.0))


def test_mean_dynamics_of_sgd_needs_the_batch():
    """What a loop draws its optimiser does not say; given, the theory is that of `MeanSGD`, with the schedule."""
    recorder = loop(sgd(weight_decay=0.2), 4e-3, cosine, every=25)
    with pytest.raises(ProblemError, match="`batch` is missing"):
        overlay(recorder, theory="sgd")
    found = overlay(recorder, theory="sgd", batch=8, label_noise=0.1)
    theory = found.trajectory
    assert (theory.batch, theory.label_noise, theory.problem.weight_decay.second) == (8, 0.1, 0.2)
    limit = overlay(recorder, theory="sgd", batch=10**12)
    modified = overlay(recorder, theory="modified")
    np.testing.assert_allclose(limit.trajectory.loss, modified.trajectory.loss, rtol=1e-3)
    assert np.abs(theory.loss - modified.trajectory.loss).max() > 1e-2


def freeze_second(parameters, eta):
    parameters[1].requires_grad_(False)
    return torch.optim.SGD(parameters, lr=eta, weight_decay=0.3)


def freeze_first(parameters, eta):
    parameters[0].requires_grad_(False)
    return torch.optim.SGD(parameters, lr=eta, weight_decay=0.3)


def rates_of(first, second):
    """Groups of the layers whose rates are those times η."""

    def make(parameters, eta):
        groups = [{"params": [p], "lr": r * eta} for p, r in zip(parameters, (first, second), strict=True)]
        return torch.optim.SGD(groups, weight_decay=0.3)

    return make


@pytest.mark.parametrize(
    ("make", "kept"),
    [
        (freeze_second, "A"),
        (rates_of(1, 0), "A"),
        (lambda p, eta: torch.optim.SGD(p[:1], lr=eta, weight_decay=0.3), "A"),
        (freeze_first, "W"),
        (rates_of(0, 1), "W"),
        (lambda p, eta: torch.optim.SGD(p[1:], lr=eta, weight_decay=0.3), "W"),
    ],
    ids=["frozen a", "a at rate 0", "a left out", "frozen W", "W at rate 0", "W left out"],
)
def test_layers_that_are_not_trained(make, kept):
    """However a layer is fixed, the theory keeps it: first order in the step, where training both is far away."""
    errors = []
    for eta in (8e-3, 4e-3):
        found = overlay(loop(make, eta))
        theory = getattr(found.trajectory, kept)
        np.testing.assert_array_equal(theory, np.broadcast_to(theory[0], theory.shape))
        assert found.trajectory.problem.student.trainable == (kept == "W")
        assert found.run.notes == ()
        assert found.run.times[-1] == pytest.approx(T_END)
        errors.append(np.abs(found.run.loss[0] - found.trajectory.loss).max())
    assert np.log2(errors[0] / errors[1]) == pytest.approx(1, abs=0.15)
    assert errors[1] < 0.01 * found.run.loss[0, 0]


def test_layers_that_do_something_else():
    """Records tell: a layer that gets no gradient though it should be trained, and one that moves by itself."""

    class Unmoved(torch.optim.SGD):
        """SGD that forgets the second layer."""

        def step(self, closure=None):
            self.param_groups[0]["params"][1].grad = None
            return super().step(closure)

    Unmoved.__module__ = torch.optim.SGD.__module__
    with pytest.raises(ProblemError, match="no theory follows"):
        overlay(loop(lambda p, eta: Unmoved(p, lr=eta), 0.01, steps=3))
    for trained, words in (
        (slice(0, 2), "trains the second layer, which stands still"),
        (slice(0, 1), "moves all"),
    ):
        model = QuadraticNetwork.from_student(start())
        optimizer = torch.optim.SGD([model.W, model.A][trained], lr=0.01)
        recorder = Recorder(TEACHER, optimizer=optimizer)
        for _ in range(3):
            recorder(model)
            model.W.grad = torch.ones_like(model.W)
            optimizer.step()
            if trained.stop == 1:
                model.A.data.mul_(0.9)
        recorder(model)
        with pytest.raises(ProblemError, match=words) as refused:
            overlay(recorder)
        assert recorder.run().notes == (str(refused.value),)


def test_layer_that_is_frozen_on_the_way():
    model = QuadraticNetwork.from_student(start())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    recorder = Recorder(TEACHER, optimizer=optimizer)
    for n in range(3):
        recorder(model)
        for p in model.parameters():
            p.grad = torch.ones_like(p) if p.requires_grad else None
        model.A.requires_grad_(n < 1)
        optimizer.step()
    assert "changed at step 1" in recorder.run().notes[0]
