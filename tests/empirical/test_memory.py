"""Memory of training is known before it is taken."""

import tracemalloc
import weakref

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from dynamics import Problem, ProblemError, Student, Teacher, budget
from empirical import train
from empirical.experiments.invariance import invariance
from empirical.memory import training_memory
from empirical.optimizers import OPTIMIZERS


def problem(d=6, K=4, R=2, O=1):
    return Problem(
        Teacher.from_eigenvalues([2, 1], d, O) if R == 2 else Teacher.power_law(1, R, d, O),
        Student.initialise(K, d, outputs=O, scale=0.2),
    )


class Peak(TorchDispatchMode):
    """Largest number of bytes that tensors held at once, each storage counted once."""

    def __init__(self):
        super().__init__()
        self.held, self.most, self.known = 0, 0, set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        found = function(*args, **(kwargs or {}))
        for tensor in found if isinstance(found, tuple | list) else [found]:
            if isinstance(tensor, torch.Tensor) and tensor.untyped_storage()._cdata not in self.known:
                storage = tensor.untyped_storage()
                self.known.add(storage._cdata)
                self.held += storage.nbytes()
                self.most = max(self.most, self.held)
                weakref.finalize(storage, self._forget, storage._cdata, storage.nbytes())
        return found

    def _forget(self, key, nbytes):
        self.known.discard(key)
        self.held -= nbytes


@pytest.mark.parametrize(
    ("sizes", "options"),
    [
        ({"K": 40, "d": 3}, {"batch": 2000}),
        ({"K": 3, "d": 40}, {"batch": 2000}),
        ({"K": 3, "d": 20, "R": 20}, {"batch": 2000, "dtype": "float64"}),
        ({"K": 3, "d": 20}, {"batch": 0, "samples": 3000}),
        ({"K": 3, "d": 20, "O": 3}, {"batch": 10, "samples": 3000, "dtype": "float64"}),
    ],
)
def test_tensors_of_a_training_step(sizes, options):
    """Storages alive at once in PyTorch, all seeds: at most the estimate, and not less than a third of it."""
    seeds = 3
    given = problem(**sizes)
    with Peak() as peak:
        train(given, steps=2, step=1e-4, seeds=seeds, records=2, **options)
    one = training_memory(
        given,
        batch=options["batch"],
        samples=options.get("samples", 0),
        records=0,
        itemsize=8 if "dtype" in options else 4,
    )
    assert 1 / 3 < peak.most / (seeds * one.total) <= 1


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "gsgd"])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_tensors_of_an_optimiser(name, decay):
    """Where the weights are what counts: what each optimiser keeps of their size, with weight decay one more."""
    layer = "fixed" if name == "muon" else "trainable"
    d, K = (6, 4) if name == "natural" else (40, 30)
    student = Student.initialise(K, d, scale=0.2, second_layer=layer)
    given = Problem(Teacher.from_eigenvalues([2, 1], d), student, weight_decay=decay)
    with Peak() as peak:
        train(given, steps=3, step=1e-5, seeds=4, records=2, batch=1, optimizer=name)
    one = training_memory(
        given, batch=1, samples=0, records=0, itemsize=4, copies=OPTIMIZERS[name].copies
    ).step
    assert 0.6 < peak.most / (4 * one) <= 1


@pytest.mark.parametrize(
    "sizes",
    [
        {"inputs": 30, "hidden": 20, "outputs": 4, "layers": 2, "batch": 20_000},
        {"inputs": 5, "hidden": 10, "outputs": 1, "layers": 3, "batch": 50_000},
        {"inputs": 2, "hidden": 2, "outputs": 8, "layers": 2, "batch": 20_000},
    ],
)
def test_tensors_of_an_experiment_on_invariance(monkeypatch, sizes):
    """The same, of batches so large that they are what counts: all units of all copies, forwards and backwards."""
    asked = []
    monkeypatch.setattr(
        "empirical.experiments.invariance.check_memory", lambda what, size, advice: asked.append(size)
    )
    with Peak() as peak:
        invariance(**sizes, activation="abs", steps=2, step=1e-6, records=2)
    assert 1 / 3 < peak.most / asked[0] <= 1


def test_records_of_a_training_run():
    """Peak of what Python and NumPy allocate; both sides within a factor of 2."""
    seeds, steps = 4, 600
    given = problem(d=30, K=10)
    train(given, steps=2, step=1e-4, records=2)  # imports and caches
    tracemalloc.start()
    train(given, steps=steps, step=1e-5, batch=2, seeds=seeds, records=steps + 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    one = training_memory(given, batch=2, samples=0, records=steps + 1, itemsize=4)
    assert 1 / 2 < seeds * one.records / peak < 2


def test_estimates_by_hand():
    """What `training_memory` counts, in numbers of 4 bytes: d = 6, K = 4, R = 2, O = 3.

    A fresh sample: twice its input, the teacher's units and its labels while it is drawn, 2 · (6 + 2 + 3) = 22; in
    training five times the student's units and four times its outputs, 5 · 4 + 4 · 3 = 32. A step keeps four copies
    of the 4 · 9 = 36 weights. Of a set, a batch is copied, 6 + 3 numbers a sample. A record, in double precision and
    twice: the weights, c of every unit, every mode, and the loss, 36 + 4 + 2 + 1 = 43, and 400 bytes around them.
    """
    given = problem(O=3)

    def count(batch, samples, records):
        return training_memory(given, batch=batch, samples=samples, records=records, itemsize=4)

    fresh = count(10, 0, 7)
    assert (fresh.step, fresh.data) == (4 * (10 * (32 + 22) + 4 * 36), 0)
    assert fresh.records == 7 * (2 * 8 * 43 + 400)
    assert fresh.total == fresh.step + fresh.records
    some = count(10, 50, 0)
    assert (some.step, some.data) == (4 * (10 * (32 + 9) + 4 * 36), 4 * 50 * 22)
    whole = count(0, 50, 0)
    assert (whole.step, whole.data, whole.records) == (4 * (50 * 32 + 4 * 36), some.data, 0)
    assert whole.total == whole.step + whole.data


HUGE = 10**12


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"samples": HUGE}, "Training sets of 1000000000000 samples for 1 network with.*: lower `samples`"),
        ({"batch": HUGE}, "A step of 1 network with .* on batches of 1000000000000 .*: lower `batch`"),
        ({"seeds": HUGE}, "1000000000000 networks with 4 hidden units.*or `seeds`"),
        ({"steps": HUGE, "records": HUGE}, "Recording 1 network .* 1000000000000 times .*: lower `records`"),
        ({"steps": HUGE, "records": HUGE, "log_times": True}, "lower `records`"),
        ({"test_samples": HUGE}, "A test sample of 1000000000000 .*: lower `test-samples`"),
    ],
)
def test_huge_sizes_are_refused_at_once(options, words):
    with pytest.raises(ProblemError, match=words):
        train(problem(), **({"steps": 1, "step": 1e-3} | options))


def test_more_records_than_steps_are_all_steps():
    """10¹² records of 3 steps: 4 of them."""
    assert train(problem(), steps=3, step=1e-3, records=HUGE).steps.tolist() == [0, 1, 2, 3]


def test_the_whole_set_counts_for_every_seed(monkeypatch):
    monkeypatch.setattr(budget, "LEAST", 0)
    one = training_memory(problem(), batch=0, samples=50, records=2, itemsize=4).total
    monkeypatch.setattr(budget, "memory_budget", lambda: 3 * one)
    train(problem(), steps=1, step=1e-3, batch=0, samples=50, seeds=3, records=2)
    with pytest.raises(ProblemError, match="of 4 networks"):
        train(problem(), steps=1, step=1e-3, batch=0, samples=50, seeds=4, records=2)
