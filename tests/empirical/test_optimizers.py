"""What every optimiser of the table keeps; a new one is tested by being there, as the two registered here are."""

import json

import numpy as np
import pytest
import torch

from dynamics import GradientFlow, ModifiedFlow, Problem, ProblemError, Student, Teacher
from dynamics.flows.path_space import PathFlow
from empirical import train, train_ensemble
from empirical.comparison import THEORIES
from empirical.gap import explain_gap
from empirical.optimizers import OPTIMIZERS, default_momenta
from empirical.optimizers.base import Optimizer, move
from empirical.trainer import descend

TEACHER = Teacher.from_eigenvalues([2, 1], 3)
PROBLEM = Problem(TEACHER, Student(np.eye(3) + 0.1 * np.arange(9).reshape(3, 3) / 9, [0.6, 0.4, 0.5]))


class Nesterov:
    """v ← βv + g, θ ← θ − η(g + βv): as PyTorch has it."""

    def __init__(self, parameters, momentum, degree):
        self.parameters, self.momentum = list(parameters), momentum
        self.velocity = [torch.zeros_like(theta) for theta in self.parameters]

    def __call__(self, gradients, step):
        for theta, v, g in zip(self.parameters, self.velocity, gradients, strict=True):
            v.mul_(self.momentum).add_(g)
            move(theta, g + self.momentum * v, step)


class Averaged:
    """v ← βv + (1 − β)g, θ ← θ − ηv: a mean of gradients, as in Adam, whose steps count η and no more."""

    def __init__(self, parameters, momentum, degree):
        self.parameters, self.momentum = list(parameters), momentum
        self.velocity = [torch.zeros_like(theta) for theta in self.parameters]

    def __call__(self, gradients, step):
        for theta, v, g in zip(self.parameters, self.velocity, gradients, strict=True):
            v.mul_(self.momentum).add_(g, alpha=1 - self.momentum)
            move(theta, v, step)


NESTEROV = Optimizer(
    "nesterov", Nesterov, momentum=0.9, adds_up=True, theories=("flow",), nature="looks ahead"
)
AVERAGED = Optimizer("averaged", Averaged, momentum=0.9, theories=("flow",), nature="averages gradients")
ALL = OPTIMIZERS | {entry.name: entry for entry in (NESTEROV, AVERAGED)}
ORDERS = {"flow": 1, "modified": 2, "path": 1}  # in the step, of what follows a descent without noise
FOLLOWED = [
    (name, theory, beta)
    for name, entry in ALL.items()
    for theory in entry.theories
    for beta in ((0.0,) if entry.momentum is None else (0.0, 0.5, 0.9))
    if theory in ORDERS
]
# What PyTorch has under another name or with other arguments, for optimisers that are not ours alone.
TORCH = {"sgd": {}, "momentum": {}, "nesterov": {"nesterov": True}}


@pytest.fixture(params=ALL)
def entry(request, monkeypatch):
    """One optimiser of the table, with the two in it that are registered here."""
    monkeypatch.setitem(OPTIMIZERS, "nesterov", NESTEROV)
    monkeypatch.setitem(OPTIMIZERS, "averaged", AVERAGED)
    return OPTIMIZERS[request.param]


def population_losses(entry, beta, step, steps):
    """Loss after every step of an optimiser along the exact gradient of the population loss, (steps + 1,)."""
    flow = GradientFlow(PROBLEM, reduce=False)
    W, A = PROBLEM.student.W.copy(), PROBLEM.student.A.copy()
    layers = [torch.from_numpy(W), torch.from_numpy(A)]  # the same memory
    losses = []

    def gradient(n):
        return None, [torch.from_numpy(-v) for v in flow.population.velocity(W, A)]

    def record(n):
        losses.append(flow.population.loss(W, A))

    descend(gradient, entry.start(layers, beta, 2), step, steps, record=record)
    return np.array(losses)


def slope(errors):
    """Order of convergence from errors at steps that halve."""
    return np.polyfit(np.log(0.5) * np.arange(len(errors)), np.log(errors), 1)[0]


def followed(problem, name, step, beta):
    """The flow that is meant by the name of a theory."""
    flows = {
        "flow": lambda: GradientFlow(problem),
        "modified": lambda: ModifiedFlow(problem, step, beta),
        "path": lambda: PathFlow(problem),
    }
    return flows[name]()


def test_an_entry_stands_under_its_name_and_says_which_theories_follow(entry):
    assert OPTIMIZERS[entry.name] is entry
    assert set(entry.theories) <= {*THEORIES, "path"}
    assert entry.nature


@pytest.mark.parametrize(("entry", "theory", "beta"), FOLLOWED, indirect=["entry"])
def test_its_theories_are_those_it_converges_to_on_its_clock(entry, theory, beta):
    """Descent on the population loss at steps η, η/2, η/4, up to the same time: the error falls as η or η².

    A wrong clock, or a theory that does not follow, leaves an error that does not fall at all.
    """
    errors = []
    for half in range(3):
        step = 0.004 * (1 - beta) ** (1 + entry.adds_up) / 2**half
        clock = entry.clock(step, beta)
        steps = clock.steps_until(0.4)
        losses = population_losses(entry, beta, step, steps)
        at = np.arange(0, steps + 1, 5)
        curve = followed(PROBLEM, theory, step, beta).integrate(times=clock.times(at)).loss
        errors.append(np.abs(losses[at] - curve).max())
    assert slope(errors) == pytest.approx(ORDERS[theory], abs=0.15)


@pytest.mark.parametrize("entry", TORCH, indirect=True)
@pytest.mark.parametrize("beta", [0.3, 0.8])
def test_it_steps_as_pytorch_does(entry, beta):
    """Where PyTorch has it as well: twenty steps on gradients of random numbers, to rounding."""
    generator = torch.Generator().manual_seed(0)
    ours, theirs = (
        [torch.ones(4, 3, dtype=torch.float64), torch.ones(1, 4, dtype=torch.float64)] for _ in range(2)
    )
    rule, optimizer = entry.start(ours, beta, 2), torch.optim.SGD(theirs, 0.1, beta, **TORCH[entry.name])
    for _ in range(20):
        gradients = [torch.randn(p.shape, dtype=torch.float64, generator=generator) for p in ours]
        for p, g in zip(theirs, gradients, strict=True):
            p.grad = g.clone()
        rule(gradients, 0.1)
        optimizer.step()
    for p, q in zip(ours, theirs, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-13, atol=1e-13)


def test_networks_of_an_ensemble_have_their_own_steps(entry):
    """Each as `train` trains it alone; where they share more than that, they are refused."""
    options = {"steps": 12, "batch": 4, "dtype": "float64", "records": 4, "optimizer": entry.name}
    if entry.shared:
        with pytest.raises(ProblemError, match=f"share {entry.shared}"):
            train_ensemble(PROBLEM, step=[0.002, 0.001], **options)
        return
    for run, step in zip(
        train_ensemble(PROBLEM, step=[0.002, 0.0007], **options), (0.002, 0.0007), strict=True
    ):
        alone = train(PROBLEM, step=step, **options)
        np.testing.assert_allclose(run.W, alone.W, rtol=1e-13)
        np.testing.assert_array_equal(run.times, alone.times)
        assert run.about["momentum"] == (entry.momentum or 0)


def test_momentum_is_the_default_or_a_given_one_or_refused(entry):
    options = {"steps": 3, "step": 1e-3, "batch": 4, "optimizer": entry.name}
    assert train(PROBLEM, **options).about["momentum"] == (entry.momentum or 0)
    if entry.momentum is None:
        with pytest.raises(ProblemError, match="has none"):
            train(PROBLEM, momentum=0.3, **options)
    else:
        assert train(PROBLEM, momentum=0.3, **options).about["momentum"] == 0.3


def test_the_commands_take_it(entry, capsys, tmp_path):
    """`train` trains with it; `compare` holds it against each theory that follows it, and refuses the others."""
    from quadflow.cli import run

    problem = [
        "--teacher",
        "2,1",
        "--inputs",
        "3",
        "--hidden",
        "3",
        "--init",
        "aligned",
        "--init-scale",
        "0.5",
    ]
    given = [*problem, *f"--step 1e-3 --batch 8 --records 3 --optimizer {entry.name} --json".split()]
    assert run(["train", *given, "--steps", "4"]) == 0
    result = json.loads(capsys.readouterr().out)
    clock = entry.clock(1e-3, entry.momentum or 0)
    np.testing.assert_allclose(result["times"], clock.times(result["steps"]), rtol=1e-15)
    for theory, option in {"flow": [], "modified": ["--correction", "modified"]}.items():
        status = run(["compare", *given, *option, "--t-end", str(float(clock.times(4)))])
        found = capsys.readouterr()
        if theory in entry.theories:
            assert status == 0, found.err
            result = json.loads(found.out)
            np.testing.assert_allclose(result["theory"]["times"], result["times"], rtol=1e-14)
            assert result["training"]["steps"][-1] == 4
        else:
            assert status == 2
            assert found.err.count("\n") == 1
            assert entry.nature in found.err


def test_the_gap_of_an_optimiser_without_a_modified_flow_is_told_by_its_own_descent(monkeypatch):
    """Nesterov: the discretisation is measured by its own rule along the exact gradient of the population loss."""
    monkeypatch.setitem(OPTIMIZERS, "nesterov", NESTEROV)
    run = train(PROBLEM, steps=30, step=1e-3, batch=16, optimizer="nesterov", records=31)
    flow = GradientFlow(PROBLEM).integrate(times=run.times).loss
    gap = explain_gap(PROBLEM, run, flow, lambda: np.zeros((0, 0)))
    np.testing.assert_allclose(gap.discretised, population_losses(NESTEROV, 0.9, 1e-3, 30), rtol=1e-12)
    assert gap.sources["discretisation"] == "gradient descent on the population loss"
    run = train(PROBLEM, steps=30, step=1e-3, batch=16, optimizer="nesterov", momentum=0.0, records=31)
    gap = explain_gap(PROBLEM, run, flow, lambda: np.zeros((0, 0)))
    assert gap.sources["sampling_noise"] == "training with and without it"  # no theory of SGD, whatever β


def test_an_unknown_optimiser_is_refused_with_those_there_are():
    with pytest.raises(ProblemError, match=", ".join(OPTIMIZERS)):
        train(PROBLEM, steps=1, step=1e-3, optimizer="adam")
    assert default_momenta({"sgd": OPTIMIZERS["sgd"], "nesterov": NESTEROV}) == "0, or 0.9 with nesterov"
