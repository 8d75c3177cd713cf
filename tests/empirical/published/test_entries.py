"""What every published result keeps, whatever it is; a new one is tested by being in the table."""

import re
import shlex
from pathlib import Path

import click
import numpy as np
import pytest

from dynamics.errors import ProblemError
from empirical.published.reproduction import reproduce
from empirical.published.table import ENTRIES, all_entries, find_drawable, find_entry
from quadflow.cli import cli

TABLE = {name: find_entry(name) for name in ENTRIES}


def test_there_are_enough_and_most_are_stored_data():
    """Ten or more, of which at least six were read as data that a repository stores."""
    assert len(TABLE) >= 10
    assert sum(entry.source.read_as == "stored data" for entry in TABLE.values()) >= 6
    assert [entry.name for entry in all_entries()] == list(ENTRIES)


@pytest.mark.parametrize("name", TABLE)
def test_says_where_it_was_read(name):
    """A repository at a commit and files in it, or the abstract of a paper."""
    source = TABLE[name].source
    assert source.paper and source.place
    if source.read_as == "abstract":
        assert re.fullmatch(r"arXiv:\d{4}\.\d{5}", source.address)
        assert (source.place, source.commit) == ("abstract", "")
    else:
        assert source.read_as == "stored data"
        assert re.fullmatch(r"github\.com/[\w.-]+/[\w.-]+", source.address)
        assert re.fullmatch("[0-9a-f]{40}", source.commit)
        assert re.search(r"\.(csv|yaml|pt|ipynb|cpp)|Fig\d+|_rank_|ten files", source.place)


@pytest.mark.parametrize("name", TABLE)
def test_numbers_and_tolerances(name):
    """Finite numbers, a sentence for every tolerance, and none so wide that zero would agree with what is not."""
    entry = TABLE[name]
    assert entry.name == name
    assert entry.claim.endswith(".") and entry.series
    assert not entry.found or entry.found.endswith(".")
    for series in entry.series:
        values = np.array(series.values)
        assert np.isfinite(values).all() and values.size
        assert re.search(r"[a-z0-9]\.$", series.tolerance.reason)
        assert len(series.labels) == len(set(series.labels)) == len(values)
        assert set(series.few) <= set(range(len(values)))
        assert bool(series.at) == bool(series.along)
        spread = np.array(series.errors or (0.0,) * len(values))
        allowed = series.tolerance.allowed(values, spread, np.zeros(len(values)))
        assert (allowed[values != 0] < 0.5 * np.abs(values[values != 0])).all()


@pytest.mark.parametrize("name", TABLE)
def test_the_command_is_one_that_quadflow_takes(name):
    """Read by click as it would be from a shell, files aside."""
    program, word, *arguments = shlex.split(TABLE[name].command)
    assert program == "quadflow"
    command = cli.get_command(click.Context(cli), word)
    command.make_context(f"quadflow {word}", arguments)


@pytest.mark.parametrize("name", TABLE)
def test_files_of_a_command_are_told(name):
    """Whoever types it needs to know what they hold."""
    entry = TABLE[name]
    named = set(re.findall(r"[\w-]+\.np[yz]", entry.command))
    assert set(re.findall(r"[\w-]+\.np[yz]", entry.files)) == named
    assert not entry.files or entry.files.endswith(".")


LONGEST = {"power-law-ridge", "best-width"}  # spectra of 400 eigenvalues: a second each even if quick


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in LONGEST else []) for name in TABLE]
)
def test_quick_comparisons_agree(name):
    """Few numbers of every entry; what they are held against is not ours."""
    found = reproduce(TABLE[name], quick=True)
    assert found.agrees, found.summary()
    assert found.quick


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLE)
def test_all_numbers_agree(name):
    found = reproduce(TABLE[name])
    assert found.agrees, found.summary()
    assert len(found.values) == sum(len(series.values) for series in TABLE[name].series)


@pytest.mark.parametrize("name", ["erf-committee", "double-descent", "network-laws", "product-laws"])
def test_a_wrong_number_disagrees(name):
    """One published number changed by 3 % and 0.001: more than any of these tolerances."""
    from dataclasses import replace

    entry = TABLE[name]
    first, *others = entry.series
    at = first.few[0] if first.few else 0
    values = [1.03 * v + 0.001 if i == at else v for i, v in enumerate(first.values)]
    changed = replace(entry, series=(replace(first, values=tuple(values), errors=()), *others))
    found = reproduce(changed, quick=True)
    assert found.within.tolist().count(False) == 1
    assert not found.agrees


def test_names():
    with pytest.raises(ProblemError, match=r"is 'double-decent' \(did you mean 'double-descent'\?\)"):
        find_entry("double-decent")
    with pytest.raises(ProblemError, match="'product-laws' has no curve"):
        find_drawable("product-laws")
    assert find_drawable("best-width").name == "best-width"


def test_the_page_shows_every_entry_twice():
    """Once in the overview, once with its source and figure."""
    page = (Path(__file__).parents[3] / "docs" / "learn" / "published.rst").read_text()
    blocks = re.findall(r"^\.\. published::\n((?: {3}.*\n|\n)+)", page, re.M)
    shown = [re.findall(r"^ {3}([a-z][\w-]*)$", block, re.M) for block in blocks]
    assert sorted(shown[0]) == sorted(ENTRIES)
    assert sorted(name for names in shown[1:] for name in names) == sorted(ENTRIES)
