"""What every optimiser of the table keeps; a new one is tested by being there, as the one registered here is."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from dynamics import ModifiedFlow, Problem, ProblemError, Student, Teacher
from dynamics.flows.path_space import PathFlow
from dynamics.problem.weight_decay import WeightDecay
from empirical import train, train_ensemble
from empirical.comparison import compare
from empirical.descent import descent_loss, population_descent
from empirical.gap_account import explain_gap
from empirical.optimizers import OPTIMIZERS, default_betas, default_momenta
from empirical.optimizers.base import Chosen, Optimizer, move
from empirical.theories import THEORIES, follow

TEACHER = Teacher.from_eigenvalues([2, 1], 3)
PROBLEM = Problem(TEACHER, Student(np.eye(3) + 0.1 * np.arange(9).reshape(3, 3) / 9, [0.6, 0.4, 0.5]))
FIXED = Problem(
    TEACHER, Student([[0.3, -0.2, 0.1], [0.1, 0.4, -0.3], [-0.2, 0.1, 0.2]], [1.0, 0.7, 1.3], False)
)
ALIGNED = Problem(TEACHER, Student(np.diag([0.5, -0.7, 0.3]), [0.6, 0.4, 0.5]), "centred")
OF = {"muon": FIXED, "sign": ALIGNED}  # what those that are not for every problem are tested on


class Averaged:
    """v ← βv + (1 − β)g, θ ← θ − ηv: a mean of gradients, as in Adam, whose steps count η and no more."""

    def __init__(self, parameters, settings, problem):
        self.parameters, self.momentum = list(parameters), settings.momentum
        self.velocity = [torch.zeros_like(theta) for theta in self.parameters]

    def __call__(self, gradients, step):
        for theta, v, g in zip(self.parameters, self.velocity, gradients, strict=True):
            v.mul_(self.momentum).add_(g, alpha=1 - self.momentum)
            move(theta, v, step)


AVERAGED = Optimizer("averaged", Averaged, momentum=0.9, theories=("flow",), nature="averages gradients")
ALL = OPTIMIZERS | {AVERAGED.name: AVERAGED}
ORDERS = dict.fromkeys((*THEORIES, "path"), 1) | {"modified": 2}  # in the step, of what follows without noise
FOLLOWED = [
    (name, theory, beta)
    for name, entry in ALL.items()
    for theory in entry.theories
    for beta in ((0.0,) if entry.momentum is None else (0.0, 0.5, 0.9))
    if theory not in ("sgd", "rmsprop", "sign")  # noise; of order η ln η, and exact: tests of their own below
]
# What PyTorch has too: the class and its arguments for parameters of ours.
TORCH = {
    "sgd": (torch.optim.SGD, {"momentum": 0.4}, {"momentum": 0.4}),
    "momentum": (torch.optim.SGD, {"momentum": 0.8}, {"momentum": 0.8}),
    "nesterov": (torch.optim.SGD, {"momentum": 0.8}, {"momentum": 0.8, "nesterov": True}),
    "adam": (torch.optim.Adam, {"betas": (0.7, 0.95), "epsilon": 1e-3}, {"betas": (0.7, 0.95), "eps": 1e-3}),
    "adamw": (torch.optim.AdamW, {}, {"weight_decay": 0}),
    "rmsprop": (torch.optim.RMSprop, {"betas": (0.9,)}, {"alpha": 0.9}),
}


def problem_of(entry):
    """A problem that it can train."""
    return OF.get(entry.name, PROBLEM)


@pytest.fixture(params=ALL)
def entry(request, monkeypatch):
    """One optimiser of the table, with the one in it that is registered here."""
    monkeypatch.setitem(OPTIMIZERS, "averaged", AVERAGED)
    return OPTIMIZERS[request.param]


def slope(errors):
    """Order of convergence from errors at steps that halve."""
    return np.polyfit(np.log(0.5) * np.arange(len(errors)), np.log(errors), 1)[0]


def chosen_for(entry, step, beta):
    """The optimiser at a step; memories are as long in the time of the flow whatever the step."""
    taus = np.array([0.1, 0.3])[-len(entry.betas) :] if entry.betas else []
    betas = tuple(np.exp(-step / taus)) if entry.betas else None
    epsilon = None if entry.epsilon is None else 1e-2
    momentum = None if entry.momentum is None else beta
    return Chosen(entry, entry.choose(momentum, betas, epsilon), step)


def followed(problem, chosen, theory):
    """The flow that is meant by the name of a theory."""
    return PathFlow(problem) if theory == "path" else follow(problem, chosen, theory, {})


def test_an_entry_stands_under_its_name_and_says_what_follows_and_survives(entry):
    assert OPTIMIZERS[entry.name] is entry
    assert set(entry.theories) <= {*THEORIES, "path"}
    assert entry.nature
    assert entry.survives or entry is AVERAGED
    about = train(problem_of(entry), steps=2, step=1e-3, batch=4, optimizer=entry.name).about
    assert about["survives"] == entry.survives


@pytest.mark.parametrize(("entry", "theory", "beta"), FOLLOWED, indirect=["entry"])
def test_its_theories_are_those_it_converges_to_on_its_clock(entry, theory, beta):
    """Descent on the population loss at steps η, η/2, η/4, up to the same time: the error falls as η or η².

    A wrong clock, or a theory that does not follow, leaves an error that does not fall at all.
    """
    errors, problem = [], problem_of(entry)
    for half in range(3):
        step = 0.004 * (1 - beta) ** (1 + entry.adds_up) / 2**half
        chosen = chosen_for(entry, step, beta)
        clock = entry.clock(step, beta)
        at = np.arange(0, clock.steps_until(0.4) + 1, 5)
        losses = descent_loss(problem, chosen, at)
        curve = followed(problem, chosen, theory).integrate(times=clock.times(at)).loss
        errors.append(np.abs(losses - curve).max())
    assert slope(errors) == pytest.approx(ORDERS[theory], abs=0.15)


def test_sign_descent_is_the_sign_flow_up_to_its_chatter():
    """Straight lines are met exactly; where a mode is done the descent chatters by some η, the flow rests."""
    for step in (1e-3, 1e-4):
        chosen, at = chosen_for(OPTIMIZERS["sign"], step, 0.0), np.arange(0, round(1.0 / step) + 1, 10)
        theory = follow(ALIGNED, chosen, "sign", {}).integrate(times=step * at)
        losses = descent_loss(ALIGNED, chosen, at)
        moving = theory.times < 0.3  # the mode without a teacher is done first
        np.testing.assert_allclose(losses[moving], theory.loss[moving], rtol=1e-11)
        assert np.abs(losses - theory.loss).max() < 12 * step


def test_muon_leaves_directions_without_a_gradient_alone():
    """The polar factor of a matrix of rank one is that matrix over its norm; of zero, zero; of NaN too."""
    low = np.outer([0.3, -1.7], [0.31, 0.77, -1.3])
    theta = torch.zeros(3, 2, 3, dtype=torch.float64)
    entry = OPTIMIZERS["muon"]
    rule = entry.begin([theta], entry.choose(epsilon=0.0), FIXED)
    rule([torch.tensor(np.stack([low, 0 * low, np.nan * low]))], 0.5)
    np.testing.assert_allclose(theta[0], -0.5 * low / np.linalg.norm(low), rtol=1e-13, atol=1e-15)
    assert not theta[1:].any()


@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_descents_know_the_axes_of_the_inputs(name):
    """Eight inputs, of which three would do: Adam depends on their axes, gradient descent does not."""
    rng = np.random.default_rng(0)
    student = Student(0.5 * rng.standard_normal((2, 8)), [0.6, 0.5])
    problem = Problem(Teacher(rng.standard_normal((1, 8)), [[1.0]]), student)
    entry = OPTIMIZERS[name]
    path = population_descent(problem, 1e-3, [0, 10, 20], optimizer=name)
    losses = [problem.population.loss(w, a) for w, a in zip(path.W, path.A, strict=True)]
    found = descent_loss(problem, Chosen(entry, entry.choose(), 1e-3), np.array([0, 10, 20]))
    np.testing.assert_allclose(found, losses, rtol=1e-10)


@pytest.mark.parametrize("entry", TORCH, indirect=True)
@pytest.mark.parametrize("decay", [None, (0.3, False), (0.3, True)])
def test_it_steps_as_pytorch_does(entry, decay):
    """Where PyTorch has it as well: twenty steps on gradients of random numbers, with weight decay of both kinds."""
    generator = torch.Generator().manual_seed(0)
    kind, settings, arguments = TORCH[entry.name]
    rho, decoupled = decay or (0.0, None)
    problem = replace(PROBLEM, student=Student(np.ones((4, 3)), np.ones((1, 4))))
    problem = Problem(problem.teacher, problem.student, weight_decay=rho)
    ours, theirs = (
        [torch.ones(4, 3, dtype=torch.float64), torch.ones(1, 4, dtype=torch.float64)] for _ in range(2)
    )
    rule = entry.begin(ours, entry.choose(**settings, decoupled=decoupled), problem)
    if decoupled and kind is not torch.optim.AdamW:  # by hand: only AdamW has it in every version
        optimizer = kind(theirs, 0.1, **arguments)
    elif kind is torch.optim.AdamW and decoupled is False:
        optimizer = torch.optim.Adam(theirs, 0.1, weight_decay=rho)
    else:
        optimizer = kind(theirs, 0.1, **arguments | {"weight_decay": rho})
    for _ in range(20):
        gradients = [torch.randn(p.shape, dtype=torch.float64, generator=generator) for p in ours]
        for p, g in zip(theirs, gradients, strict=True):
            p.grad = g.clone()
            if decoupled and kind is not torch.optim.AdamW:
                p.mul_(1 - 0.1 * rho)
        rule(gradients, 0.1)
        optimizer.step()
    for p, q in zip(ours, theirs, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["sgd", "sign"])
@pytest.mark.parametrize("decoupled", [False, True])
def test_layers_decay_at_rates_of_their_own(name, decoupled):
    """One step from given gradients: θ − η u(g + ρθ), and (1 − ηρ)θ − η u(g), with u what the rule does."""
    problem = Problem(PROBLEM.teacher, PROBLEM.student, weight_decay=(0.3, 0.2))
    weights = problem.student.W, problem.student.A
    gradients, rates = (np.full((3, 3), 2.0), np.full((1, 3), -0.1)), (0.3, 0.2)
    entry, u = OPTIMIZERS[name], {"sgd": lambda g: g, "sign": np.sign}[name]
    layers = [torch.tensor(x) for x in weights]
    rule = entry.begin(layers, entry.choose(decoupled=decoupled), problem)
    rule([torch.tensor(g) for g in gradients], 0.1)
    for layer, x, g, rho in zip(layers, weights, gradients, rates, strict=True):
        expected = (1 - 0.1 * rho) * x - 0.1 * u(g) if decoupled else x - 0.1 * u(g + rho * x)
        np.testing.assert_allclose(layer, expected, rtol=1e-14)


def test_the_objective_is_what_falls():
    """Coupled decay: R. Decoupled: R with the rate (1 − β)ρ of gradient descent, and of other optimisers none."""
    problem = Problem(PROBLEM.teacher, PROBLEM.student, weight_decay=(0.3, 0.2))
    for name, decoupled, share in (
        ("sgd", None, 1.0),
        ("sgd", True, 1.0),
        ("momentum", True, 0.1),
        ("momentum", False, 1.0),
        ("adam", None, 1.0),
        ("adam", True, None),
        ("adamw", None, None),
        ("adamw", False, 1.0),
    ):
        options = {"steps": 3, "step": 1e-3, "batch": 4, "optimizer": name, "decoupled": decoupled}
        run = train(problem, dtype="float64", **options)
        (together,) = train_ensemble(problem, dtype="float64", **options)
        assert together.conserved_drift == pytest.approx(run.conserved_drift, rel=1e-9, nan_ok=True)
        assert np.isnan(run.conserved_drift) == name.startswith("adam")  # c_k has no law there
        if share is None:
            assert run.objective is together.objective is None
        else:
            np.testing.assert_allclose(together.objective, run.objective, rtol=1e-13)
            penalty = share * (0.15 * np.sum(run.W**2, (2, 3)) + 0.1 * np.sum(run.A**2, (2, 3)))
            np.testing.assert_allclose(run.objective, run.loss + penalty, rtol=1e-13)


def test_networks_of_an_ensemble_have_their_own_steps(entry):
    """Each as `train` trains it alone; where they share more than that, they are refused."""
    options = {"steps": 12, "batch": 4, "dtype": "float64", "records": 4, "optimizer": entry.name}
    problem = problem_of(entry)
    if entry.shared:
        with pytest.raises(ProblemError, match=f"share {entry.shared}"):
            train_ensemble(problem, step=[0.002, 0.001], **options)
        return
    for run, step in zip(
        train_ensemble(problem, step=[0.002, 0.0007], **options), (0.002, 0.0007), strict=True
    ):
        alone = train(problem, step=step, **options)
        np.testing.assert_allclose(run.W, alone.W, rtol=1e-13, atol=1e-15)
        np.testing.assert_array_equal(run.times, alone.times)
        assert run.about["momentum"] == (entry.momentum or 0)


def test_momentum_is_the_default_or_a_given_one_or_refused(entry):
    options, problem = {"steps": 3, "step": 1e-3, "batch": 4, "optimizer": entry.name}, problem_of(entry)
    assert train(problem, **options).about["momentum"] == (entry.momentum or 0)
    if entry.momentum is None:
        with pytest.raises(ProblemError, match="has none"):
            train(problem, momentum=0.3, **options)
    else:
        assert train(problem, momentum=0.3, **options).about["momentum"] == 0.3


def test_parameters_are_the_defaults_or_given_ones_or_refused(entry):
    """Memories, ε and δ: what an optimiser takes is in the record of its run, the rest is refused in one sentence."""
    options, problem = {"steps": 3, "step": 1e-3, "batch": 4, "optimizer": entry.name}, problem_of(entry)
    plain = train(problem, **options)
    for name, default, value in (
        ("betas", list(entry.betas) or None, (0.5, 0.25)[: max(1, len(entry.betas))]),
        ("epsilon", entry.epsilon, 0.5),
        ("damping", entry.damping, 0.5),
    ):
        assert plain.about.get(name) == default
        if default is None:
            with pytest.raises(ProblemError, match=f"`{name}`.*`optimizer` {entry.name} "):
                train(problem, **options, **{name: value})
        else:
            run = train(problem, **options, **{name: value})
            assert run.about[name] == (list(value) if name == "betas" else value)
            assert np.abs(run.W - plain.W).max() > 1e-6  # it has an effect


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("adam", {"betas": (0.9,)}, "`betas` is 0.9, but `optimizer` adam takes 2"),
        ("adam", {"betas": (0.9, 1.0)}, "each must be below 1"),
        ("adam", {"betas": (0.9, -0.1)}, "must not be negative"),
        ("rmsprop", {"betas": (0.9, 0.99)}, "takes 1"),
        ("natural", {"damping": -1.0}, "`damping`.*not be negative"),
        ("muon", {}, "The second layer is trained"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(name, parameters, words):
    with pytest.raises(ProblemError, match=words):
        train(PROBLEM, steps=1, step=1e-3, optimizer=name, **parameters)


def test_path_space_needs_a_homogeneous_activation():
    problem = Problem(TEACHER, Student.initialise(2, TEACHER.inputs, seed=0), "erf")
    with pytest.raises(ProblemError, match="needs a homogeneous one") as refused:
        train(problem, steps=1, step=1e-3, optimizer="gsgd")
    assert str(refused.value).startswith("`activation` is 'erf', but `optimizer` gsgd ")


def test_an_optimiser_without_a_theory_of_the_table_is_not_compared():
    """The flow in path space is no theory of a comparison: its refusal names the optimisers that have one."""
    with pytest.raises(ProblemError, match="but a comparison takes one of") as refused:
        compare(Problem(TEACHER, PROBLEM.student), steps=3, step=1e-3, optimizer="gsgd")
    assert str(refused.value).startswith("`optimizer` is 'gsgd', which descends in path space")
    named = str(refused.value).rstrip(".").rpartition(": ")[2].split(", ")
    assert named == [name for name in OPTIMIZERS if name != "gsgd"]


def test_path_space_has_no_weight_decay():
    problem = Problem(TEACHER, PROBLEM.student, weight_decay=0.1)
    with pytest.raises(ProblemError, match=r"`weight_decay` is 0\.1, but `optimizer` gsgd"):
        train(problem, steps=1, step=1e-3, optimizer="gsgd")


def command_options(entry):
    """A problem for it on the command line."""
    more = {"muon": ["--second-layer", "fixed"], "sign": ["--activation", "centred"]}.get(entry.name, [])
    start = "--teacher 2,1 --inputs 3 --hidden 3 --init aligned --init-scale 0.5"
    return [
        *start.split(),
        *more,
        *f"--step 1e-3 --batch 8 --records 3 --optimizer {entry.name} --json".split(),
    ]


def test_the_commands_take_it(entry, capsys):
    """`train` trains with it; `compare` holds it against each theory that follows it, and refuses the others."""
    from quadflow.cli import run

    given = command_options(entry)
    assert run(["train", *given, "--steps", "4"]) == 0
    result = json.loads(capsys.readouterr().out)
    clock = entry.clock(1e-3, entry.momentum or 0)
    np.testing.assert_allclose(result["times"], clock.times(result["steps"]), rtol=1e-15)
    assert result["survives"] == entry.survives
    for option in ([], ["--correction", "modified"]):
        follows = "modified" in entry.theories if option else set(entry.theories) & set(THEORIES)
        status = run(["compare", *given, *option, "--t-end", str(float(clock.times(4)))])
        found = capsys.readouterr()
        if follows:
            assert status == 0, found.err
            result = json.loads(found.out)
            np.testing.assert_allclose(result["theory"]["times"], result["times"], rtol=1e-14)
            assert result["training"]["steps"][-1] == 4
        else:
            assert status == 2
            assert found.err.count("\n") == 1
            assert entry.nature in found.err


def test_simulate_integrates_the_flow_that_belongs_to_it(entry, capsys):
    """The same loss as the flow of `compare`; where there is none, one sentence."""
    from quadflow.cli import run

    given = [word for word in command_options(entry) if word not in ("--batch", "8")]
    status = run(["simulate", *given, "--t-end", "0.05"])
    found = capsys.readouterr()
    if not set(entry.theories) & set(THEORIES):
        assert (status, found.err.count("\n")) == (2, 1)
        return
    assert status == 0, found.err
    result = json.loads(found.out)
    activation = "centred" if entry.name == "sign" else "quadratic"
    student = Student(
        0.5 * np.eye(3), np.ones(3) if entry.name == "muon" else 0.5 * np.ones(3), entry.name != "muon"
    )
    flow = follow(
        Problem(TEACHER, student, activation), Chosen(entry, entry.choose(), 1e-3), entry.theories[0], {}
    )
    np.testing.assert_allclose(result["loss"], flow.integrate(times=result["times"]).loss, rtol=1e-6)
    assert (result["optimizer"], result["survives"]) == (entry.name, entry.survives)


def test_the_gap_of_an_optimiser_without_a_modified_flow_is_told_by_its_own_descent(monkeypatch):
    """The discretisation is measured by its own rule along the exact gradient of the population loss."""
    run = train(PROBLEM, steps=30, step=1e-3, batch=16, optimizer="adam", records=31)
    entry = OPTIMIZERS["adam"]
    flow = follow(PROBLEM, Chosen(entry, entry.choose(), 1e-3), "adam", {}).integrate(times=run.times).loss
    gap = explain_gap(PROBLEM, run, flow, lambda: np.zeros((0, 0)), flow_name="flow of Adam")
    path = population_descent(PROBLEM, 1e-3, run.steps, optimizer="adam")
    losses = [PROBLEM.population.loss(w, a) for w, a in zip(path.W, path.A, strict=True)]
    np.testing.assert_allclose(gap.discretised, losses, rtol=1e-12)
    assert gap.sources["discretisation"] == "descent by adam on the population loss"
    assert gap.sources["sampling_noise"] == "training with and without it"  # no theory of SGD
    assert gap.sources["flow"] == "flow of Adam"
    assert gap.summary().startswith("mean loss minus flow of Adam")


def test_nesterovs_gap_is_told_by_its_own_modified_flow():
    """Of the right form: what it leaves out is smaller by far than what it explains, and of heavy ball it is not."""
    found = compare(PROBLEM, steps=200, step=1e-4, batch=64, optimizer="nesterov", records=201).gap
    assert found.sources["discretisation"] == "modified flow"
    assert found.truncation.max() < 0.06 * np.abs(found.discretisation).max()
    clock = OPTIMIZERS["nesterov"].clock(1e-4, 0.9)
    other = ModifiedFlow(PROBLEM, 1e-4, 0.9).integrate(times=clock.times(np.arange(201))).loss
    assert np.abs(other - found.discretised).max() > 0.1 * np.abs(found.discretisation).max()


def test_an_unknown_optimiser_is_refused_with_those_there_are():
    with pytest.raises(ProblemError, match=", ".join(OPTIMIZERS)):
        train(PROBLEM, steps=1, step=1e-3, optimizer="lion")
    some = {name: OPTIMIZERS[name] for name in ("sgd", "momentum", "nesterov", "adam", "rmsprop")}
    assert default_momenta(some) == "0, or 0.9 with momentum and nesterov"
    assert default_betas(some) == "0.9,0.999 with adam; 0.99 with rmsprop"


def test_of_normalised_descent_with_a_finite_step_only_the_first_plateau_vanishes():
    """λ = (4, 2, 1), balanced start of 1e-3: the first jump comes at its length 1.0911, whatever the step.

    The second comes at 3.048 only as the step goes to zero: what is learned chatters with a gradient of its order.
    """
    teacher = Teacher.from_eigenvalues([4, 2, 1], 3)
    problem = Problem(teacher, Student(1e-3 * np.sqrt(2) * np.eye(3), 1e-3 * np.ones(3)), "centred")
    late = []
    for step in (1e-2, 1e-3):
        path = population_descent(problem, step, range(0, round(8 / step) + 1, 2), optimizer="normalised")
        modes = np.sum(path.A[:, 0, :, None] * path.W**2, axis=1)
        first, second = (np.interp(x / 8, modes[:, i], path.times) for i, x in enumerate((4, 2)))
        assert first == pytest.approx(np.sqrt(3) * 2 ** (1 / 3) / 2, abs=2 * step)
        late.append(second - (np.sqrt(3) * (2 ** (1 / 3) + 1 / 2)))
    assert late[0] > 3  # 7.1 instead of 3.05
    assert 0.5 < late[1] < late[0] / 3  # 4.1


@pytest.mark.parametrize(
    ("name", "decoupled", "orders"),
    [
        ("sgd", False, {"flow": 1, "modified": 2}),
        ("sgd", True, {"flow": 1, "modified": 2}),
        ("momentum", False, {"flow": 1, "modified": 2}),
        ("momentum", True, {"flow": 1}),
        ("nesterov", False, {"modified": 2}),
        ("adam", False, {"adam": 1}),
        ("adamw", True, {"adam": 1}),
        ("normalised", False, {"arc length": 1}),
        ("natural", True, {"natural": 1}),
        ("muon", True, {"muon": 1}),
        ("muon", False, {"muon": 1}),
    ],
)
def test_theories_follow_weight_decay(name, decoupled, orders):
    """Slopes as without decay, at rates of the layers of their own; decoupled momentum follows the rate (1 − β)ρ."""
    entry, beta = OPTIMIZERS[name], 0.5 if OPTIMIZERS[name].momentum else 0.0
    rates = (0.5, 0.2) if problem_of(entry).student.trainable else (0.5, 0.0)
    problem = replace(problem_of(entry), weight_decay=WeightDecay(*rates))
    for theory, order in orders.items():
        errors = []
        for half in range(3):
            step = 0.001 * (1 - beta) ** 2 / 2**half
            plain = chosen_for(entry, step, beta)
            chosen = replace(plain, settings=replace(plain.settings, decoupled=decoupled))
            at = np.array([0, chosen.clock.steps_until(0.4)])
            curve = follow(problem, chosen, theory, {}).integrate(times=chosen.clock.times(at)).loss
            errors.append(np.abs(descent_loss(problem, chosen, at) - curve).max())
        assert slope(errors) == pytest.approx(order, abs=0.15)


def test_where_decay_has_no_theory_one_sentence_says_so():
    decayed = replace(PROBLEM, weight_decay=WeightDecay(0.1, 0.1))
    for name, theory, words in (
        ("momentum", "modified", "`decoupled` weight decay beside momentum 0.9"),
        ("normalised", "arc length", "`decoupled` weight decay 0.1 beside normalised steps"),
    ):
        entry = OPTIMIZERS[name]
        chosen = Chosen(entry, entry.choose(decoupled=True), 1e-3)
        with pytest.raises(ProblemError, match=words):
            follow(decayed, chosen, theory, {})
    comparison = compare(
        decayed, steps=20, step=1e-4, batch=8, optimizer="momentum", decoupled=True, records=5
    )
    assert comparison.gap.sources["discretisation"] == "gradient descent on the population loss"


def test_a_theory_that_needs_the_learning_rate_says_so():
    entry = OPTIMIZERS["adam"]
    with pytest.raises(ProblemError, match="`step` is missing: the theory of `optimizer` adam"):
        follow(PROBLEM, Chosen(entry, entry.choose()), "adam", {})
    follow(PROBLEM, Chosen(OPTIMIZERS["natural"], OPTIMIZERS["natural"].choose()), "natural", {})


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_no_optimiser_of_pytorch_is_made(monkeypatch, name):
    """The first one imports PyTorch's compiler, which takes longer than these trainings."""

    def refuse(*args, **options):
        raise AssertionError("an optimiser of PyTorch")

    monkeypatch.setattr(torch.optim.Optimizer, "__init__", refuse)
    W, a = np.eye(2, 3), [[0.5, -0.5]]
    problem = Problem(Teacher.from_eigenvalues([1.0], 3), Student(W, a, trainable=name != "muon"))
    run = train(problem, steps=2, step=1e-4, batch=4, optimizer=name)
    assert np.abs(run.W[0, -1] - W).max() > 0
