"""The lazy enumeration by loss, against sorting all sets."""

from itertools import combinations, islice, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamics import ComputationError, Teacher
from dynamics.problem.levels import plateau_level
from dynamics.stationary import enumeration
from dynamics.stationary.enumeration import by_loss
from dynamics.stationary.hessian import Units
from dynamics.stationary.spectrum import Spectrum


def sorted_by_brute_force(spectrum, coupling, units, hidden):
    """Losses of all multisets of eigenvalues that the units can realise; needs counted from the signs of μ."""
    losses = {}
    values = spectrum.values
    for counts in product(*(range(m + 1) for m in spectrum.multiplicities)):
        lam = np.repeat(values, spectrum.multiplicities)
        level = plateau_level(lam, spectrum.modes(counts), coupling)
        zero = np.sum(np.abs(level.values) < 1e-9)
        plus, minus = np.sum(level.values > 1e-9) + zero, np.sum(level.values < -1e-9) + zero
        if plus <= units.positive and minus <= units.negative and plus + minus <= hidden:
            losses[counts] = level.loss
    return losses


@given(
    st.lists(st.one_of(st.integers(-3, 3).map(float), st.floats(-3, 3)), min_size=1, max_size=6),
    st.integers(0, 2),
    st.integers(1, 7),
    st.integers(0, 7),
    st.integers(0, 7),
    st.sampled_from([0.0, 1.0, 0.3, 4.0]),  # c = 2/(2 + κ) of independent coordinates
)
@settings(deadline=None, max_examples=150)
def test_order_and_completeness_against_brute_force(lam, zeros, hidden, plus, minus, coupling):
    """Any spectrum, repeated eigenvalues and shortage of units included."""
    lam = [x if abs(x) > 1e-3 else 0.0 for x in lam]
    spectrum = Spectrum.of(Teacher.from_eigenvalues(lam, len(lam) + zeros))
    units = Units(plus, minus)
    found = list(by_loss(spectrum, coupling, units, hidden))
    expected = sorted_by_brute_force(spectrum, coupling, units, hidden)
    assert {level.counts for level in found} == expected.keys()
    assert len(found) == len(expected)
    np.testing.assert_allclose([level.loss for level in found], sorted(expected.values()), atol=1e-11)


@given(
    st.lists(st.integers(-300, 300).filter(bool).map(lambda n: n / 100), min_size=2, max_size=6, unique=True),
    st.data(),
    st.integers(1, 5),
    st.integers(0, 5),
    st.integers(0, 5),
    st.floats(-3, 3),
    st.sampled_from([1.0, 0.3, 4.0]),
)
@settings(deadline=None, max_examples=300)
def test_bounds_are_below_every_completion(lam, data, hidden, plus, minus, nu, coupling):
    """A partial decision and any multiplier, against the least loss of all completions that can be realised."""
    spectrum = Spectrum.of(Teacher.from_eigenvalues(lam))
    units = Units(plus, minus)
    tree = enumeration._Tree.of(spectrum, coupling, units, hidden)
    decided = data.draw(st.integers(0, len(tree.lam) - 1))
    choices = np.zeros(len(tree.lam), dtype=np.int8)
    choices[:decided] = data.draw(st.lists(st.sampled_from([-1, 1]), min_size=decided, max_size=decided))
    losses = sorted_by_brute_force(spectrum, coupling, units, hidden)
    fixed = dict(zip(tree.group.tolist(), choices.tolist(), strict=True))
    completions = [
        loss
        for counts, loss in losses.items()
        if all(fixed[g] in (0, 2 * c - 1) for g, c in enumerate(counts))
    ]
    bound, _ = tree.bound(choices, decided, nu)
    assert bound <= min(completions, default=np.inf) + 1e-12


SPECTRA = {
    "power law": np.arange(1, 41) ** -1.0,
    "random": np.random.default_rng(1).standard_normal(40),
    "nearly equal": 1 + 0.01 * np.arange(40),
    "both signs": np.concatenate([1 + 0.02 * np.arange(20), -1 - 0.03 * np.arange(20)]),
}


@pytest.mark.parametrize("lam", SPECTRA.values(), ids=SPECTRA.keys())
@pytest.mark.parametrize("units", [(40, 40, 40), (20, 20, 20), (5, 5, 5), (40, 0, 40), (15, 5, 20)])
def test_forty_eigenvalues_cost_a_few_thousand_bounds(lam, units, monkeypatch):
    """2^40 sets; at some 40 µs a bound the budget is well below a second."""
    calls = []
    bound = enumeration._Tree.bound
    monkeypatch.setattr(enumeration._Tree, "bound", lambda *args: calls.append(1) or bound(*args))
    spectrum = Spectrum.of(Teacher.from_eigenvalues(lam))
    found = list(islice(by_loss(spectrum, 1.0, Units(*units[:2]), units[2]), 10))
    losses = [level.loss for level in found]
    assert len(set(found)) == 10
    assert losses == sorted(losses)
    assert len(calls) < 6000


def test_lowest_of_forty_eigenvalues_against_all_sets_that_can_be_lowest():
    """The loss is monotone in the unlearned set: of the sets with four unlearned modes none is below the best three.

    So the lowest sets are among those with at most three unlearned modes as long as they are below the least
    loss with four; all 10,701 of them are computed.
    """
    lam = np.random.default_rng(3).uniform(0.5, 2, 40)
    small = [
        plateau_level(lam, np.setdiff1d(np.arange(40), C)).loss
        for m in range(4)
        for C in combinations(range(40), m)
    ]
    with_four = plateau_level(lam, np.argsort(lam)[4:]).loss
    expected = np.array(sorted(loss for loss in small if loss < with_four))[:60]
    found = list(islice(by_loss(Spectrum.of(Teacher.from_eigenvalues(lam)), 1.0, Units(40, 40), 40), 60))
    assert len(expected) == 60
    np.testing.assert_allclose([level.loss for level in found], expected, rtol=1e-12)


def test_a_search_that_grows_without_bounds_is_refused(monkeypatch):
    monkeypatch.setattr(enumeration, "LARGEST_SEARCH", 20)
    spectrum = Spectrum.of(Teacher.from_eigenvalues(np.random.default_rng(0).standard_normal(30)))
    with pytest.raises(ComputationError, match="ask for fewer"):
        list(islice(by_loss(spectrum, 1.0, Units(10, 10), 10), 1000))
