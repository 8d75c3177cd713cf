"""Computations that ask: alone and together they return the same, and what fails in one fails there only."""

from dataclasses import dataclass, field

import pytest

from dynamics.errors import ComputationError
from dynamics.requests import Turn, alone, together


@dataclass
class Work:
    """Doubles a number; keeps a record of how requests were done."""

    number: int
    kind: str | None
    log: list = field(default_factory=list)
    spoiled: bool = False

    def alone(self):
        self.log.append(("alone", self.number))
        if self.number < 0:
            raise ComputationError(f"{self.number} is negative.")
        return 2 * self.number

    def kin(self):
        return self.kind

    def together(self, requests):
        if self.spoiled:
            raise MemoryError
        self.log.append(("together", [work.number for work in requests]))
        return [
            2 * work.number if work.number >= 0 else ComputationError(f"{work.number} is negative.")
            for work in requests
        ]


def computation(number, log, kind="even", times=1, **more):
    """Doubles a number a few times, and says that it is its own."""
    for _ in range(times):
        number = yield Work(number, kind, log, **more)
    return number


def test_alone_as_together():
    """2ⁿ times the number; those that ask twice are done together twice."""
    log = []
    numbers, times = (3, 5, 7), (1, 2, 2)
    expected = [alone(computation(n, [], times=t)) for n, t in zip(numbers, times, strict=True)]
    assert expected == [n * 2**t for n, t in zip(numbers, times, strict=True)]
    found = dict(together([computation(n, log, times=t) for n, t in zip(numbers, times, strict=True)]))
    assert [found[i] for i in range(3)] == expected
    assert log == [("together", [3, 5, 7]), ("together", [10, 14])]


def test_kinds_are_done_apart_and_strangers_alone():
    log = []
    kinds = ("a", "b", None, "a", None)
    found = dict(together([computation(i + 1, log, kind) for i, kind in enumerate(kinds)]))
    assert found == {i: 2 * (i + 1) for i in range(5)}
    assert log == [("alone", 3), ("alone", 5), ("together", [1, 4]), ("together", [2])]


def test_a_failure_stays_where_it_is():
    log = []
    results = dict(together([computation(n, log) for n in (1, -2, 3)]))
    assert (results[0], results[2]) == (2, 6)
    assert isinstance(results[1], ComputationError)
    assert str(results[1]) == "-2 is negative."
    with pytest.raises(ComputationError, match="-2 is negative"):
        alone(computation(-2, log))


def test_a_failure_can_be_dealt_with():
    """The error is raised where the answer was expected."""

    def careful(number):
        try:
            return (yield Work(number, "x"))
        except ComputationError:
            return "none"

    assert alone(careful(-1)) == "none"
    assert dict(together([careful(-1), careful(4)])) == {0: "none", 1: 8}


def test_what_fails_before_it_asks():
    def broken():
        raise ZeroDivisionError
        yield

    ((_, result), (_, other)) = together([broken(), computation(1, [])])
    assert isinstance(result, ZeroDivisionError)
    assert other == 2


def test_a_group_that_fails_as_a_whole_is_done_one_by_one():
    log = []
    found = dict(together([computation(n, log, spoiled=True) for n in (1, -2, 3)]))
    assert (found[0], found[2], str(found[1])) == (2, 6, "-2 is negative.")
    assert log == [("alone", 1), ("alone", -2), ("alone", 3)]


def test_an_end_to_what_is_done_alone():
    """The first is done whatever the time; what can be done together always is, and all of it at once."""
    log = []
    askings = [
        computation(1, log, None),
        computation(2, log),
        computation(3, log, None),
        computation(4, log),
    ]
    assert dict(together(askings, lambda: False)) == {0: 2, 1: 4, 3: 8}
    assert log == [("alone", 1), ("together", [2, 4])]


def test_a_turn():
    """A request that nothing is done for, but that comes when there is time."""

    def patient(number):
        yield Turn()
        return number

    assert alone(patient(3)) == 3
    assert dict(together([patient(i) for i in range(3)])) == {0: 0, 1: 1, 2: 2}
    assert dict(together([patient(i) for i in range(3)], lambda: False)) == {0: 0}
