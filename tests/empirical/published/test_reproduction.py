"""The verdict on made-up results, whose deviations are known."""

from dataclasses import replace

import numpy as np
import pytest

from dynamics.errors import ComputationError
from empirical.published.entry import Entry, Ours, Series, Source, Tolerance
from empirical.published.reproduction import reproduce, reproduce_all

SOURCE = Source("A paper", "github.com/owner/name", "data.csv", commit="0123456789abcdef" * 2 + "01234567")


def entry(*series, ours):
    """An entry whose numbers of ours are given."""
    return Entry("made-up", "A claim.", SOURCE, series, "quadflow scope", lambda s, quick: ours)


def series(values, tolerance, **more):
    return Series("MSE", tuple(values), tolerance, **more)


@pytest.mark.parametrize(
    ("tolerance", "allowed"),
    [
        (Tolerance("r", relative=0.1), 0.4),  # of 4
        (Tolerance("r", absolute=0.3), 0.3),
        (Tolerance("r", errors=2.0), 1.0),  # 2√(0.3² + 0.4²)
        (Tolerance("r", relative=0.1, absolute=0.3, errors=2.0), 1.7),
        (Tolerance("r"), 0.0),
    ],
)
def test_deviations_up_to_what_is_allowed_agree(tolerance, allowed):
    """By arithmetic; beyond by 1e-9 they do not, on either side."""
    published = series([-4.0], tolerance, errors=(0.3,))
    for sign in (1, -1):
        inside = reproduce(entry(published, ours=[Ours.of(-4 + sign * allowed * (1 - 1e-9), 0.4)]))
        beyond = reproduce(entry(published, ours=[Ours.of(-4 + sign * (allowed + 1e-9), 0.4)]))
        assert inside.allowed == pytest.approx([allowed], abs=1e-14)
        assert (inside.agrees, beyond.agrees) == (True, False)
        assert inside.largest == pytest.approx(1.0 if allowed else 0.0)
        assert inside.line().startswith("agrees ") and beyond.line().startswith("disagrees ")


def test_one_number_that_disagrees_is_enough():
    """And it is the one that the table marks; the others stay as they are, in order."""
    two = (
        series([1.0, 2.0], Tolerance("Because.", absolute=0.1), at=(10.0, 20.0), along="n"),
        series([3.0], Tolerance("For a reason.", absolute=0.1), case="other"),
    )
    found = reproduce(entry(*two, ours=[Ours.of([1.05, 2.2]), Ours.of(3.0)]))
    assert found.within.tolist() == [True, False, True]
    assert not found.agrees
    assert found.largest == pytest.approx(2.0)
    marked = [line for line in found.summary().splitlines() if line.endswith("disagrees")]
    assert len(marked) == 1 and marked[0].startswith("MSE, n = 20")
    result = found.as_dict()
    assert result["quantities"] == ["MSE, n = 10", "MSE, n = 20", "MSE, other"]
    np.testing.assert_array_equal(result["published"], [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(result["ours"], [1.05, 2.2, 3.0])
    np.testing.assert_allclose(result["tolerance"], [0.1, 0.1, 0.1])
    assert result["reasons"] == ["Because.", "For a reason."]
    assert (result["agrees"], result["read_as"], result["name"]) == (False, "stored data", "made-up")
    assert result["source"] == "github.com/owner/name@0123456789: data.csv"


@pytest.mark.parametrize("ours", [np.nan, np.inf])
def test_what_is_not_finite_disagrees(ours):
    assert not reproduce(
        entry(series([1.0], Tolerance("r", relative=1e9)), ours=[Ours.of(ours)])
    ).agrees or np.isinf(ours)
    assert not reproduce(entry(series([1.0], Tolerance("r", absolute=1.0)), ours=[Ours.of(ours)])).agrees


def test_as_many_numbers_as_were_published():
    with pytest.raises(ComputationError, match=r"made-up: 2 numbers of ours for 1 of MSE\."):
        reproduce(entry(series([1.0], Tolerance("r")), ours=[Ours.of([1.0, 2.0])]))


def test_quick_takes_the_few_of_everything():
    """Values, places, errors and names alike; what is not quick gets all, and is told."""
    whole = series([1, 2, 3], Tolerance("r"), at=(4, 5, 6), along="n", errors=(7, 8, 9), few=(2, 0))
    received = []

    def compute(given, quick):
        received.append((given, quick))
        return [Ours.of(given[0].values)]

    made = replace(entry(whole, ours=[]), compute=compute)
    quick, full = reproduce(made, quick=True), reproduce(made)
    (few,), told = received[0]
    assert (few.values, few.at, few.errors, few.names, told) == ((3, 1), (6, 4), (9, 7), (), True)
    assert received[1] == ((whole,), False)
    assert (quick.quick, len(quick.values)) == (True, 2)
    assert (full.quick, len(full.values)) == (False, 3)


def test_several_are_reproduced_in_their_order():
    made = [replace(entry(series([x], Tolerance("r")), ours=[Ours.of(x)]), name=f"m{x}") for x in (1.0, 2.0)]
    assert [one.entry.name for one in reproduce_all(made)] == ["m1.0", "m2.0"]


def test_parallel_fields_are_as_long_as_the_values():
    with pytest.raises(ValueError, match="`errors`"):
        series([1.0, 2.0], Tolerance("r"), errors=(1.0,))


def test_addresses():
    """What a browser is sent to."""
    assert SOURCE.url == f"https://github.com/owner/name/tree/{SOURCE.commit}"
    paper = Source("A paper", "arXiv:2311.01644", "abstract", read_as="abstract")
    assert (paper.url, str(paper)) == ("https://arxiv.org/abs/2311.01644", "arXiv:2311.01644: abstract")
