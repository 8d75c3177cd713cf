"""What training and the study of collapse report: records, drifts, words; and where their random numbers come from."""

import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from dynamics.neuron import NeuronFlow, NeuronPopulation, Neurons, QuadraticTarget, Rates
from empirical.neuron import collapse, training
from empirical.neuron.collapse import CollapseStudy, collapse_study
from empirical.neuron.training import NeuronRun, Relinear, batch_losses, draw, train_neurons
from empirical.seeds import data_seed
from empirical.trainer import TrainingDiverged, gradient_of

TARGET = QuadraticTarget.random(2, seed=1)
START = Neurons.initialise(2, 2, seed=1)


def step(weights, x, y, eta, rates):
    """Losses before, and weights after a step."""
    weights = [w.clone().requires_grad_() for w in weights]
    losses, gradients = gradient_of(lambda n: batch_losses(weights, x, y), weights)(0)
    with torch.no_grad():
        Relinear(weights, rates)(gradients, eta)
    return losses, [w.detach() for w in weights]


@pytest.fixture(scope="module")
def run():
    return train_neurons(TARGET, START, steps=6, step=0.05, batch=4, seeds=2, seed=3, records=4)


def test_records_are_those_of_a_loop(run):
    """The same data drawn here, in single precision, and stepped with `Relinear`; loss exactly from the weights."""
    assert run.steps.tolist() == [0, 2, 4, 6]
    np.testing.assert_allclose(run.times, [0, 0.1, 0.2, 0.3])
    generator = torch.Generator().manual_seed(data_seed(3))
    T = torch.from_numpy(TARGET.homogeneous.copy())
    weights = [torch.tensor(np.stack([w, w])) for w in (START.R, START.G, START.B, START.a)]
    population = NeuronPopulation(TARGET)
    for n in range(7):
        if n % 2 == 0:
            for s in range(2):
                found = run.neurons_at(s, n // 2)
                for name, w in zip("RGBa", weights, strict=True):
                    np.testing.assert_allclose(getattr(found, name), w[s].numpy(), rtol=1e-12)
                exact = population.loss(*(w[s].numpy() for w in weights))
                assert run.loss[s, n // 2] == pytest.approx(exact, rel=1e-12)
        x = draw(generator, (2, 4, 2), torch.float64)
        X = torch.cat([x, torch.ones(2, 4, 1, dtype=torch.float64)], dim=-1)
        _, weights = step(weights, x, torch.einsum("sbi,ij,sbj->sb", X, T, X), 0.05, Rates())


def test_what_a_run_says(run):
    """Medians of first and last record, drifts by the laws of the flow, options."""
    first, last = np.median(run.loss[:, 0]), np.median(run.loss[:, -1])
    q1, q2 = run.conserved_drift["Q1"], run.conserved_drift["Q2"]
    assert run.summary() == (
        f"2 trained, 6 steps of 0.05: loss (median) {first:.6g} → {last:.6g}; drift of Q1 {q1:.1e}, of Q2 {q2:.1e}"
    )
    found = run.to_dict()
    assert found["loss_measured"] == "exactly from the weights"
    assert {"step": 0.05, "batch": 4, "seeds": 2, "seed": 3}.items() <= found.items()
    assert found["seconds"] > 0
    np.testing.assert_array_equal(found["loss"], run.loss)
    np.testing.assert_array_equal(found["times"], run.times)


def test_the_drift_is_the_largest_over_networks(run):
    alone = [
        train_neurons(TARGET, START, steps=6, step=0.05, batch=0, records=4).conserved_drift[name]
        for name in ("Q1", "Q2")
    ]
    together = train_neurons(TARGET, START, steps=6, step=0.05, batch=0, records=4, seeds=3).conserved_drift
    assert [together["Q1"], together["Q2"]] == pytest.approx(alone)
    assert max(run.conserved_drift.values()) > 0


def test_data_have_a_stream_of_their_own():
    """Of (seed, 1); initial weights come from NumPy's generator of the seed alone."""
    words = np.random.SeedSequence([5, 1]).generate_state(1, np.uint64)
    assert data_seed(5) == int(words[0]) // 2
    assert len({data_seed(s) for s in range(5)}) == 5
    assert data_seed(0) < 2**63


def test_both_precisions_see_the_same_data():
    single, double = (
        train_neurons(TARGET, START, steps=6, step=0.05, batch=4, records=2, dtype=kind).loss
        for kind in ("float32", "float64")
    )
    np.testing.assert_allclose(single, double, rtol=1e-4)
    assert not np.array_equal(single, double)


def test_defaults_are_rates_of_one_and_two_hundred_records():
    run = train_neurons(TARGET, START, steps=400, step=1e-3, batch=1)
    assert len(run.steps) == 200
    explicit = train_neurons(
        TARGET, START, steps=400, step=1e-3, batch=1, rates=Rates(1, 1, 1, 1), shrink=0.0
    )
    np.testing.assert_array_equal(run.loss, explicit.loss)


def test_divergence_names_the_least_of_the_largest_steps():
    """Along the flow up to the step at which the loss exploded; named the same whenever it is looked for."""
    found = []
    for steps in (20, 120):  # looked for every 50 steps and after the last
        with pytest.raises(TrainingDiverged) as caught:
            train_neurons(TARGET, START, steps=steps, step=1.5, batch=8)
        found.append(caught.value.step)
    assert 0 < found[0] == found[1] < 20
    path = NeuronFlow(TARGET, START).integrate(t_end=found[0] * 1.5, samples=20)
    states = np.concatenate([x.reshape(20, -1) for x in (path.R, path.G, path.B, path.a)], axis=1)
    bound = min(NeuronFlow(TARGET, START).largest_stable_step(theta) for theta in states)
    assert str(caught.value) == (
        f"Training diverged at step {found[0]}: `step` is 1.5, and theory predicts a largest stable step of "
        f"{bound:.3g} along the flow (less for small batches)."
    )


@pytest.mark.parametrize("size", [1e-4, 1e4])
def test_what_counts_as_divergence_is_relative(size):
    """A million times the first loss, however large that is: here 1e-8 and 1e8 or so, falling slowly."""
    target = QuadraticTarget(size * TARGET.homogeneous[:2, :2], size * np.ones(2), size)
    run = train_neurons(target, START, steps=3, step=1e-9, batch=8, records=2)
    assert run.loss[0, 0] == pytest.approx(run.loss[0, 1], rel=0.1)
    assert run.loss[0, 0] > 1e4 or size < 1


def test_memory_of_collapse_studies(monkeypatch):
    """In single precision for every network of the study: activations of a batch and four copies of the weights.

    As for `train_neurons`; what all share, the data of each start and its target, comes once.
    """
    asked = []
    monkeypatch.setattr(collapse, "check_memory", lambda what, size, advice: asked.append((what, size)))
    options = {"inputs": 2, "hidden": 3, "learning_rates": [0.1], "gammas": [1.0, 0.1], "starts": 5}
    collapse_study(**options, steps=1, batch=7)
    networks = 2 * 2 * 5
    own = 7 * (12 * 3 + 6) + 8 * 3 * (3 * 2 + 4)
    assert asked == [
        (
            "20 networks of 3 quadratic neurons with 2 inputs, trained together,",
            4 * networks * own + 12 * 5 * (7 * 2 + 2**2),
        )
    ]


def test_memory_of_training(monkeypatch):
    """The same in double precision, with inputs of its own for every network: of a batch, or of all 3^d points."""
    asked = []
    monkeypatch.setattr(training, "check_memory", lambda what, size, advice: asked.append((what, size)))
    for batch, points in ((7, 7), (0, 9)):
        train_neurons(TARGET, START, steps=1, step=1e-4, batch=batch, seeds=5, records=2)
        K, d = 2, 2
        size = 5 * 8 * (points * (2 * d + 12 * K + 6) + 8 * K * (3 * d + 4))
        what = f"Training 5 networks of 2 quadratic neurons with 2 inputs on batches of {points}"
        assert asked.pop() == (what, size)


def test_what_a_study_says():
    """A line for each kind of start and γ, per cent in columns of eight."""
    fractions = {"random": np.array([[0.0, 0.5], [0.25, 1]]), "relinear": np.array([[0.0, 0], [0, 0.125]])}
    study = CollapseStudy(np.array([0.1, 0.2]), np.array([1, 0.1]), fractions, 8)
    rows = [
        "diverging runs, % of 8; learning rate".ljust(46) + "     0.1     0.2",
        "  random start, γ = 1".ljust(46) + "       0      50",
        "  random start, γ = 0.1".ljust(46) + "      25     100",
        "  ReLinear start, γ = 1".ljust(46) + "       0       0",
        "  ReLinear start, γ = 0.1".ljust(46) + "       0      12",
    ]
    assert study.summary().split("\n") == rows
    about = {
        "hidden": 1,
        "inputs": 3,
        "steps": 20,
        "batch": 4,
        "init_scale": 0.5,
        "teacher": "a given teacher",
    }
    complete = replace(study, about=about)
    assert complete.summary().split("\n") == [
        *rows,
        "  1 unit, 3 inputs, a given teacher",
        "  initial scale 0.5, 20 steps, batches of 4",
    ]
    assert complete.to_dict() == {
        **{"learning_rates": study.learning_rates, "gammas": study.gammas, "starts": 8},
        **about, **fractions, "intervals": complete.intervals,
    }  # fmt: skip
    for name, counts in (("random", [[0, 4], [2, 8]]), ("relinear", [[0, 0], [0, 1]])):
        for (i, j), count in np.ndenumerate(counts):
            expected = stats.binomtest(count, 8).proportion_ci(method="wilson")
            np.testing.assert_allclose(
                complete.intervals[name][i, j], [expected.low, expected.high], atol=1e-12
            )


def test_a_study_is_repeated_by_hand():
    """Two starts, learned without a target: each has one of its own, by its own seed; data by `data_seed`; the limit
    is a million times the first loss. γ belongs to the quadratic weights only.
    """
    study = collapse_study(
        inputs=2, hidden=2, learning_rates=[0.3, 1.0], gammas=[0.5], starts=6, steps=12, batch=4, seed=2
    )
    seeds = np.random.SeedSequence(2).generate_state(6)
    for name in ("random", "relinear"):
        for e, eta in enumerate((0.3, 1.0)):
            count = 0
            for s in range(6):
                generator = torch.Generator().manual_seed(data_seed(2))
                T = torch.tensor(
                    QuadraticTarget.random(2, seed=int(seeds[s])).homogeneous, dtype=torch.float32
                )
                start = Neurons.initialise(2, 2, init=name, scale=0.7, seed=int(seeds[s]))
                weights = [torch.tensor(getattr(start, g), dtype=torch.float32) for g in "RGBa"]
                limit, failed = None, False
                for _ in range(12):
                    x = draw(generator, (6, 4, 2), torch.float32)[s]
                    X = torch.cat([x, torch.ones(4, 1)], dim=-1)
                    y = ((X @ T) * X).sum(-1)
                    loss, weights = step(weights, x, y, eta, (1.0, 0.5, 0.5, 1.0))
                    limit = 1e6 * loss if limit is None else limit
                    failed = failed or not bool(loss <= limit)
                count += failed
            assert study.fractions[name][0, e] == pytest.approx(count / 6)
    assert 0 < study.fractions["random"].mean() < 1
    assert study.about == {
        **{"inputs": 2, "hidden": 2, "steps": 12, "batch": 4, "init_scale": 0.7, "seed": 2},
        **{"teacher": "random teachers of deviation 2", "limit": 1e6},
    }


def test_what_is_studied_by_default():
    """Learning rates by factors of about two, γ from ordinary training down to frozen quadratic weights."""
    study = collapse_study(inputs=1, hidden=1, starts=1, steps=1, batch=1)
    assert study.learning_rates.tolist() == [0.05, 0.1, 0.2, 0.3, 0.4, 0.6]
    assert study.gammas.tolist() == [1, 0.3, 0.1, 0.03, 0]
    assert study.about["init_scale"] == 0.7
    for fractions in study.fractions.values():
        assert fractions.shape == (5, len(study.learning_rates))


def test_networks_are_picked_by_seed_and_record():
    run = NeuronRun(
        np.arange(3), np.arange(3.0), np.zeros((2, 3)),
        (*(np.arange(24.0).reshape(2, 3, 2, 2) for _ in range(3)), np.arange(12.0).reshape(2, 3, 2)),
        {"Q1": 0.0, "Q2": 0.0},
    )  # fmt: skip
    assert run.neurons_at(1, 2).a.tolist() == [10, 11]
    assert run.neurons_at(0, 1).R.tolist() == [[4, 5], [6, 7]]


def test_the_seconds_are_those_of_the_clock():
    before = time.perf_counter()
    run = train_neurons(TARGET, START, steps=2, step=0.01, batch=4, seeds=1, records=2)
    assert 0 < run.about["seconds"] < time.perf_counter() - before


def test_wide_networks_need_memory_on_the_smallest_batch(monkeypatch):
    """Weights, their gradients, the new ones and a record at least: four copies of each network."""
    asked = []
    monkeypatch.setattr(training, "check_memory", lambda what, size, advice: asked.append(size))
    wide = Neurons.initialise(40, 2, seed=1)
    train_neurons(TARGET, wide, steps=1, step=1e-4, batch=1, seeds=2, records=2, dtype="float64")
    weights = sum(w.nbytes for w in (wide.R, wide.G, wide.B, wide.a))
    assert 4 * 2 * weights <= asked[0] <= 20 * 2 * weights
