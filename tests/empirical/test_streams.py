"""Random numbers of several networks: of the stated laws, independent, and the same however many networks there are."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch.utils._python_dispatch import TorchDispatchMode

from dynamics import Problem, Student, Teacher
from dynamics.inputs.base import parse_law
from dynamics.inputs.laws import Mixture
from empirical import TrainingData, counted_streams, data, streams
from empirical.counted_streams import AHEAD, GAMMA, INPUTS, CountedStreams, _Rows, hashed, signed
from empirical.data import open_streams
from empirical.streams import Draw, GeneratorStreams
from oracles.synchronisation import synchronising

KINDS = [GeneratorStreams, CountedStreams]
GAUSSIAN = parse_law("gaussian")
MIXTURE = Mixture(np.array([0.3, 0.7]), np.array([[0.5, 0, 0], [0, 0, -0.4]]), np.stack([np.eye(3)] * 2))
LAWS = ["gaussian", "sphere", "uniform", "rademacher", "student-t:12", "independent:1.5", MIXTURE]
NAMES = ((7, 0), (7, 1), (8, 0))


def make(kind, names=NAMES, dtype=torch.float32):
    return kind(names, dtype, "cpu")


@pytest.fixture
def everything_counted(monkeypatch):
    """Training as on an accelerator, on the processor."""
    monkeypatch.setattr(data, "GeneratorStreams", CountedStreams)


def test_the_hash_is_that_of_splitmix64():
    """Its generator hashes multiples of γ on top of the seed: published outputs of splitmix64.c for 1234567."""
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    counters = torch.tensor([signed(1234567 + (i + 1) * GAMMA) for i in range(4)])
    assert [int(w) % 2**64 for w in hashed(counters)] == expected


def test_the_hash_in_integers_of_any_length():
    """Random words against Python's integers, which do not end at 64 bits."""
    rng = np.random.default_rng(0)
    words = rng.integers(-(2**63), 2**63 - 1, size=1000)
    found = hashed(torch.from_numpy(words.copy()))
    for word, ours in zip(words.tolist(), found.tolist(), strict=True):
        z = word % 2**64
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
        assert ours % 2**64 == z ^ z >> 31


def test_counted_normal_numbers_are_normal():
    """60,000 of each of 3 streams by the test of Kolmogorov and Smirnov; its p-values are uniform, below 1e-4 once in
    3000 tests. Tails as far out as 60,000 reach, moments within 5 standard errors.
    """
    z = make(CountedStreams).normal(INPUTS, 5, 1, 60_001)[0].double().numpy()
    for numbers in z:
        assert stats.kstest(numbers, "norm").pvalue > 1e-4
        n = len(numbers)
        for power, mean, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
            assert abs((numbers**power).mean() - mean) < 5 * (variance / n) ** 0.5
        assert 3.5 < np.abs(numbers).max() < 6.8


def test_counted_uniform_numbers_are_uniform():
    """As above; and bits of words are fair, 64 counts of 30,000 each within 5 standard errors √(n/4)."""
    stream = make(CountedStreams)
    u = stream.uniform(INPUTS, 3, 2, 30_000).double().numpy()
    assert ((u >= 0) & (u < 1)).all()
    for numbers in u.reshape(-1, 30_000):
        assert stats.kstest(numbers, "uniform").pvalue > 1e-4
    words = stream.words(INPUTS, 3, 1, 30_000)[0, 0]
    for bit in range(64):
        assert abs(int((words >> bit & 1).sum()) - 15_000) < 5 * 7500**0.5


@pytest.mark.parametrize("parameter", [0.7, 1.0, 6.0])
def test_counted_gamma_numbers(parameter):
    """Against the law by the test of Kolmogorov and Smirnov."""
    rows = _Rows(make(CountedStreams, NAMES[:1], torch.float64), 0, 1, 20_000)
    numbers = rows.gamma(parameter, 20_000).numpy()
    assert stats.kstest(numbers, stats.gamma(parameter).cdf).pvalue > 1e-4


def test_what_a_law_draws_one_after_the_other_is_independent():
    """As below, of three draws for the same rows."""
    rows = _Rows(make(CountedStreams, NAMES[:1]), 0, 1, 20_000)
    normal, other, uniform = rows.normal(20_000), rows.normal(20_000), rows.uniform(20_000)
    found = np.corrcoef(np.stack([normal, other, uniform]))
    assert np.abs(found[np.triu_indices(3, 1)]).max() < 5 * 20_000**-0.5


def test_counted_numbers_are_uncorrelated():
    """Between streams, steps, uses and neighbours: correlations of 20,000 pairs within 5 standard errors 1/√n."""
    n = 20_000
    stream = make(CountedStreams)
    z, other = (stream.normal(use, 0, 3, n).double() for use in (0, 1))
    pairs = [
        (z[0, 0], z[0, 1]), (z[0, 0], z[0, 2]), (z[0, 0], z[1, 0]), (z[0, 0], z[2, 0]), (z[0, 0], z[1, 1]),
        (z[0, 0], other[0, 0]), (z[0, 0, 1:], z[0, 0, :-1]), (z[0, 0, 2:], z[0, 0, :-2]),
    ]  # fmt: skip
    for a, b in pairs:
        for f in (lambda x: x, torch.square, torch.abs):
            assert abs(np.corrcoef(f(a), f(b))[0, 1]) < 5 * n**-0.5


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("law", LAWS, ids=str)
def test_inputs_of_every_law_have_its_moments(kind, law):
    """Means and squares of 30,000 inputs of two streams, within 5 of their own standard errors."""
    law = parse_law(law)
    (x, _), n = make(kind, NAMES[:2], torch.float64).draw(Draw(law, 30_000, 3)), 30_000
    mean = law.weights @ law.means if law is MIXTURE else np.zeros(3)
    second = law.second_moment(None) if law is MIXTURE else np.eye(3)
    for found in x[0].numpy():
        assert (np.abs(found.mean(0) - mean) < 5 * found.std(0) / n**0.5).all()
        products = found[:, :, None] * found[:, None, :]
        assert (np.abs(products.mean(0) - second) < 5 * products.std(0) / n**0.5 + 1e-12).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("law", LAWS, ids=str)
@pytest.mark.parametrize("counts", [16, (3, 5, 4)], ids=["even", "uneven"])
def test_a_stream_sees_the_same_however_many_there_are(kind, law, counts):
    """Inputs and noise of two steps, bit by bit, of three streams and of each alone; zeros fill the rest."""
    law, many = parse_law(law), make(kind)
    alone = [make(kind, [name]) for name in NAMES]
    each = [counts] * 3 if isinstance(counts, int) else counts
    for _ in range(2):
        x, noise = many.draw(Draw(law, counts, 3, 2))
        for s, (one, n) in enumerate(zip(alone, each, strict=True)):
            its, other = one.draw(Draw(law, n, 3, 2))
            assert torch.equal(x[0, s, :n], its[0, 0])
            assert torch.equal(noise[0, s, :n], other[0, 0])
            assert not x[0, s, n:].any()
            assert not noise[0, s, n:].any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("law", LAWS, ids=str)
@pytest.mark.parametrize("noisy", [0, 2])
def test_steps_drawn_ahead_are_the_same(kind, law, noisy):
    """Bit by bit, where several steps may be drawn at once: two draws of up to four steps."""
    draw = Draw(parse_law(law), 16, 3, noisy)
    at_once, one_by_one = make(kind), make(kind)
    steps = min(4, at_once.ahead(draw))
    assert steps == (4 if kind is CountedStreams or law == "gaussian" else 1)
    for _ in range(2):
        x, noise = at_once.draw(draw, steps)
        for n in range(steps):
            its, other = one_by_one.draw(draw)
            assert torch.equal(x[n], its[0])
            assert noise is other is None or torch.equal(noise[n], other[0])


@pytest.mark.parametrize("kind", KINDS)
def test_steps_drawn_ahead_are_bounded(kind):
    """At most `AHEAD` numbers, in one launch of a generator no more than it gains by, and a bounded number of steps.

    No multiples of a block go one by one with generators.
    """
    generators, stream = kind is GeneratorStreams, make(kind)
    for count, d, noisy in ((16, 1, 0), (16, 3, 0), (64, 100, 2), (2**18, 16, 0)):
        steps, numbers = stream.ahead(Draw(GAUSSIAN, count, d, noisy)), count * (d + noisy)
        most = streams.LAUNCH // numbers if generators else counted_streams.LONGEST
        assert steps == max(1, min(most, (streams.AHEAD if generators else AHEAD) // (3 * numbers)))
        assert steps < (2049 if generators else 1025)
    assert make(GeneratorStreams).ahead(Draw(GAUSSIAN, 5, 3)) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("counts", [16, 5, (3, 5, 4)], ids=["blocks", "even", "uneven"])
def test_coins_are_the_same_alone_and_ahead_and_apart_from_the_inputs(kind, counts):
    """Of three streams and of each alone, of four steps at once and one by one, bit by bit; and which inputs and noise
    are drawn does not depend on them.
    """
    many, plain = make(kind), make(kind)
    alone = [make(kind, [name]) for name in NAMES]
    each = [counts] * 3 if isinstance(counts, int) else counts
    draw = Draw(GAUSSIAN, counts, 3, 1)
    for _ in range(2):
        tossed = many.coins(counts, 2, 4)
        assert all(map(torch.equal, many.draw(draw), plain.draw(draw)))
        for s, (one, n) in enumerate(zip(alone, each, strict=True)):
            assert torch.equal(tossed[:, s, :n], torch.cat([one.coins(n, 2)[:, 0] for _ in range(4)]))
            assert not tossed[:, s, n:].any()


@pytest.mark.parametrize("kind", KINDS)
def test_coins_are_uniform_and_independent(kind):
    """60,000 of each of 3 streams by the test of Kolmogorov and Smirnov (p < 1e-4 once in 3000 tests); correlations
    between streams, steps, outputs and with the inputs within 5 standard errors 1/√n.
    """
    stream, n = make(kind), 15_000
    tossed = stream.coins(n, 2, 2).double()
    assert tossed.shape == (2, 3, n, 2)
    for numbers in tossed.transpose(0, 1).flatten(1).numpy():
        assert ((numbers >= 0) & (numbers < 1)).all()
        assert stats.kstest(numbers, "uniform").pvalue > 1e-4
    x = stream.draw(Draw(GAUSSIAN, n, 2))[0].double()
    rows = torch.cat([tossed.transpose(2, 3).flatten(0, 2), x.transpose(2, 3).flatten(0, 2)]).numpy()
    apart = np.corrcoef(rows)[np.triu_indices(len(rows), 1)]
    assert np.abs(apart).max() < 5 / n**0.5


@pytest.mark.parametrize("kind", KINDS)
def test_orders_are_renewed_when_a_pass_ends(kind):
    """Permutations of 10 places; stream s keeps its own for `passes[s]` steps, the same alone as among others."""
    many, passes = make(kind).orders(10, (2, 3, 2)), (2, 3, 2)
    seen = [many(n).clone() for n in range(7)]
    assert all(torch.equal(order.sort(dim=1).values, torch.arange(10).expand(3, -1)) for order in seen)
    for s, (name, length) in enumerate(zip(NAMES, passes, strict=True)):
        alone = make(kind, [name]).orders(10, (length,))
        for n, order in enumerate(seen):
            assert torch.equal(order[s], alone(n)[0])
            assert n == 0 or torch.equal(order[s], seen[n - 1][s]) == (n % length != 0)


def test_both_precisions_see_the_same():
    """Numbers are drawn in single precision."""
    for kind in KINDS:
        (x, noise), (x64, noise64) = (
            make(kind, dtype=t).draw(Draw(GAUSSIAN, 4, 3, 1)) for t in (torch.float32, torch.float64)
        )
        assert x64.dtype == torch.float64
        assert torch.equal(x.double(), x64)
        assert torch.equal(noise.double(), noise64)


def test_processors_have_generators_and_accelerators_count():
    """On the device meta, which has shapes only, every number is made on the device that was asked for."""
    assert isinstance(open_streams(NAMES, torch.float32, "cpu"), GeneratorStreams)
    found = open_streams(NAMES, torch.float32, "meta")
    assert isinstance(found, CountedStreams)
    for law in map(parse_law, LAWS):
        for x in found.draw(Draw(law, 16, 3, 2), 5):
            assert x.device.type == "meta"
        assert x.shape == (5, 3, 16, 2)
    assert found.orders(10, (2, 3, 2))(0).device.type == "meta"


@pytest.mark.parametrize(("law", "most"), [("gaussian", 50), ("student-t:12", 150), (MIXTURE, 100)], ids=str)
def test_launches_do_not_depend_on_the_number_of_networks(law, most):
    """Operations of one draw of 2 and of 200 streams: as many, and few; none waits for an accelerator."""

    class Counter(TorchDispatchMode):
        def __init__(self):
            super().__init__()
            self.count = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            self.count += not func.is_view  # views launch nothing
            return func(*args, **(kwargs or {}))

    counted = []
    for S in (2, 200):
        stream = make(CountedStreams, [(0, s) for s in range(S)])
        draw = Draw(parse_law(law), 8, 3)
        stream.draw(draw)  # keys and arrays are made once
        with Counter() as counter:
            stream.draw(draw)
        counted.append(counter.count)
        assert not synchronising(lambda: stream.draw(draw))  # noqa: B023
    assert counted[0] == counted[1] < most


def test_training_data_of_counted_streams(everything_counted):
    """As on an accelerator: a seed's data are its own, fresh, of a finite set, and of different batch sizes."""
    problem = Problem(Teacher.from_eigenvalues([2, 1], 3), Student.initialise(2, 3, seed=0))
    several = {"seeds": 2, "streams": ((1, 0), (2, 0)), "sizes": (7, 3), "batch": 7}
    for options in ({}, {"samples": 20}):
        both = TrainingData(problem, **several, **options).weighted_batches(torch.float64, "cpu")
        alone = [
            TrainingData(problem, size, seed=seed, **options).batches(torch.float64, "cpu")
            for size, seed in ((7, 1), (3, 2))
        ]
        for _ in range(9):
            x, y, weights = next(both)
            for s, stream in enumerate(alone):
                its, labels = next(stream)
                n = its.shape[1]
                assert torch.equal(x[s, :n], its[0])
                assert torch.equal(y[s, :n], labels[0])
                expected = torch.full((n,), 1 / n, dtype=torch.float64)
                torch.testing.assert_close(weights[s, :n], expected, rtol=1e-15, atol=0)
                assert not weights[s, n:].any()
