"""Sizes are refused by one sentence that says how much, what is allowed, and what helps."""

import pytest

from dynamics import ProblemError, budget
from dynamics.budget import (
    check_memory,
    check_number,
    format_bytes,
    format_count,
    memory_budget,
    usable_cores,
)


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine of a given number of pages of 4096 bytes, without a container."""

    def make(pages, limit=None):
        monkeypatch.setattr(budget, "CONTAINER_LIMIT", tmp_path / "memory.max")
        if limit is not None:
            (tmp_path / "memory.max").write_text(f"{limit}\n")
        names = {"SC_PHYS_PAGES": pages, "SC_PAGE_SIZE": 4096}
        monkeypatch.setattr(budget.os, "sysconf", names.__getitem__, raising=False)

    return make


def test_the_budget_is_half_of_the_machine(machine):
    machine(2**20)
    assert memory_budget() == 2**31


@pytest.mark.parametrize(("limit", "expected"), [(2**30, 2**29), ("max", 2**31), (2**40, 2**31)])
def test_a_container_may_have_less(machine, limit, expected):
    machine(2**20, limit)
    assert memory_budget() == expected


def test_machines_that_do_not_say_how_much_they_have(machine, monkeypatch):
    machine(-1)
    assert memory_budget() == 2**31  # half of 4 GiB

    def unknown(name):
        raise ValueError(name)

    monkeypatch.setattr(budget.os, "sysconf", unknown)
    assert memory_budget() == 2**31  # half of 4 GiB
    monkeypatch.delattr(budget.os, "sysconf")
    assert memory_budget() == 2**31  # half of 4 GiB


def test_refusals_are_sentences(monkeypatch):
    monkeypatch.setattr(budget, "memory_budget", lambda: 1e9)
    check_memory("This", 1e9, "take less")
    with pytest.raises(ProblemError) as refusal:
        check_memory("This", 3.44e9, "take less")
    assert str(refusal.value) == (
        "This would take about 3.4 GB of memory, but at most 1 GB are allowed on this machine: take less."
    )
    check_number("That", 20, 20, "terms", "take less")
    with pytest.raises(ProblemError) as refusal:
        check_number("That", 20_001, 20_000, "terms", "take less")
    assert str(refusal.value) == "That means 20,001 terms, but at most 20,000 are allowed: take less."


def test_small_sizes_ask_nobody(monkeypatch):
    monkeypatch.setattr(budget, "memory_budget", lambda: 0.0)
    check_memory("This", 2**26, "take less")  # 64 MiB
    with pytest.raises(ProblemError, match="67 MB"):
        check_memory("This", 2**26 + 1, "take less")


@pytest.mark.parametrize(
    ("nbytes", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (3.44e9, "3.4 GB"),
        (128e9, "128 GB"),
        (2**200, "2e+42 EB"),
    ],
)
def test_bytes_for_people(nbytes, text):
    assert format_bytes(nbytes) == text


@pytest.mark.parametrize(
    ("number", "text"), [(7, "7"), (813450, "813,450"), (10**11, "100,000,000,000"), (3 * 10**30, "3e+30")]
)
def test_counts_for_people(number, text):
    assert format_count(number) == text


def test_cores_are_those_of_the_process(monkeypatch):
    """Fewer than the machine has where a batch system or container allows some only."""
    monkeypatch.setattr(budget.os, "sched_getaffinity", lambda process: {2, 5, 7}, raising=False)
    monkeypatch.setattr(budget.os, "cpu_count", lambda: 64)
    assert usable_cores() == 3


@pytest.mark.parametrize(("count", "expected"), [(6, 6), (None, 1)])
def test_systems_without_affinities_have_the_cores_of_the_machine(monkeypatch, count, expected):
    """macOS and Windows lack `os.sched_getaffinity`; some systems do not even know their cores."""
    monkeypatch.delattr(budget.os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(budget.os, "cpu_count", lambda: count)
    assert usable_cores() == expected
