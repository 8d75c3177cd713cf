"""`quadflow reproduce`: the contract of its JSON, verdicts as exit statuses, and what is refused."""

import json
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from empirical.published.reproduction import reproduce
from empirical.published.table import ENTRIES, find_entry

PROMISED = {"name", "source", "read_as", "published", "ours", "tolerance", "agrees"}
QUICK = "escape-equation"  # milliseconds


@pytest.fixture
def wrong(monkeypatch):
    """The first number of `QUICK` is changed by 1 %, against a tolerance of 0.1 % or so."""
    entry = find_entry(QUICK)
    first, *others = entry.series
    values = (1.01 * first.values[0], *first.values[1:])
    changed = replace(entry, series=(replace(first, values=values), *others))
    monkeypatch.setattr("empirical.published.escape_equation.ENTRY", changed)


def test_json_as_the_interface_promises(quadflow):
    """Every deviation is within its tolerance, as the verdict says, and can be checked from the JSON alone."""
    found = quadflow("reproduce", QUICK, "--json")
    assert (found.status, found.err) == (0, "")
    (result,) = found.json["results"]
    assert result.keys() >= PROMISED
    assert (result["name"], result["read_as"], result["agrees"]) == (QUICK, "stored data", True)
    published, ours, tolerance = (np.array(result[key]) for key in ("published", "ours", "tolerance"))
    assert published.shape == ours.shape == tolerance.shape == (4,)
    assert (np.abs(published - ours) <= tolerance).all()
    assert result["largest_deviation"] == pytest.approx(np.max(np.abs(published - ours) / tolerance))
    assert len(result["quantities"]) == len(result["our_errors"]) == len(result["published_errors"]) == 4
    assert (found.json["agree"], found.json["disagree"]) == (1, 0)


def test_text_names_source_tolerance_and_verdict(quadflow):
    entry = find_entry(QUICK)
    text = quadflow("reproduce", QUICK).out
    for word in (entry.claim, str(entry.source), entry.source.paper, entry.command, entry.found):
        assert word in text
    assert entry.series[0].tolerance.reason in text
    assert text.splitlines()[-1].startswith(f"agrees    {QUICK}")


def test_what_disagrees_is_said_and_the_exit_status_is_1(quadflow, wrong):
    """The result is printed all the same, on standard output; one line on the other says which."""
    found = quadflow("reproduce", QUICK, "--json")
    assert found.status == 1
    assert found.err == f"quadflow: 1 published result not reproduced: {QUICK}.\n"
    printed = json.loads(found.out)
    assert printed["results"][0]["agrees"] is False
    assert (printed["agree"], printed["disagree"]) == (0, 1)
    text = quadflow("reproduce", QUICK)
    assert text.status == 1
    assert text.out.splitlines()[-1].startswith("disagrees")


def test_all_and_one_that_disagrees(quadflow, wrong, monkeypatch):
    """Of three; the other two are reproduced, and counted."""
    three = {name: ENTRIES[name] for name in ("product-laws", QUICK, "recovery")}
    monkeypatch.setattr("empirical.published.table.ENTRIES", three)
    found = quadflow("reproduce", "--all", "--quick")
    assert found.status == 1
    assert [line.split()[:2] for line in found.out.splitlines()[:3]] == [
        ["agrees", "product-laws"],
        ["disagrees", QUICK],
        ["agrees", "recovery"],
    ]
    assert found.out.splitlines()[-1] == "2 of 3 published results reproduced"


@pytest.mark.parametrize(
    ("arguments", "names", "quick"),
    [
        (["--all"], list(ENTRIES), False),
        (["--all", "--quick"], list(ENTRIES), True),
        (["recovery"], ["recovery"], False),
        (["--quick", "recovery"], ["recovery"], True),
    ],
)
def test_what_is_asked_for_is_computed(received, arguments, names, quick):
    """All entries or one, quick or not, and whoever waits at a terminal sees how far it is."""
    (entries, told), how = received("empirical.published.reproduction:reproduce_all", "reproduce", *arguments)
    assert [entry.name for entry in entries] == names
    assert (told, how) == (quick, {"progress": True})


def test_listing_computes_nothing(quadflow, monkeypatch):
    monkeypatch.setattr("empirical.published.reproduction.reproduce", None)
    listed = quadflow("reproduce", "--list", "--json").json["entries"]
    assert [entry["name"] for entry in listed] == list(ENTRIES)
    assert all(entry.keys() >= {"claim", "source", "read_as", "reproduced_by"} for entry in listed)
    text = quadflow("reproduce", "--list").out
    assert all(f"\n{name} " in f"\n{text}" for name in ENTRIES)


def test_files(quadflow, tmp_path, monkeypatch):
    """The JSON that is printed, and the figure of a curve."""
    monkeypatch.chdir(tmp_path)
    printed = quadflow("reproduce", "recovery", "--json", "--output", "r.json").json
    written = json.loads(Path("r.json").read_text())
    assert written["results"] == printed["results"]
    assert quadflow("reproduce", "recovery", "--quick", "--output", "r.svg").status == 0
    assert Path("r.svg").read_text().startswith("<?xml")
    quadflow("reproduce", "--list", "--output", "list.json")
    assert len(json.loads(Path("list.json").read_text())["entries"]) == len(ENTRIES)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "`--all` or `--list`, one of them"),
        (["recovery", "--all"], "`--all` or `--list`, one of them"),
        (["--all", "--list"], "`--all` or `--list`, one of them"),
        (["recovry"], "`NAME` is 'recovry' (did you mean 'recovery'?)"),
        (["__import__('os').system('touch EXECUTED')"], "must be one of"),
        (["--all", "--output", "all.png"], "only one result fits on it"),
        (["product-laws", "--output", "laws.png"], "'product-laws' has no curve"),
        (["recovery", "--output", "r.csv"], "must end in: json, png, pdf, svg"),
    ],
)
def test_refusals(quadflow, tmp_path, monkeypatch, arguments, said):
    """One sentence, before anything is computed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("empirical.published.reproduction.reproduce_all", None)
    found = quadflow("reproduce", *arguments)
    assert (found.status, found.out) == (2, "")
    assert said in found.err and found.err.count("\n") == 1
    assert not any(tmp_path.iterdir())


def test_the_figure_takes_a_name(quadflow, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert quadflow("figure", "published", "--result", "recovery", "--output", "r.svg").status == 0
    refused = quadflow("figure", "published", "--result", "product-laws")
    assert refused.status == 2
    assert "has no curve" in refused.err


PRINTED = {  # what a call prints → numbers of ours, of the first of an entry on
    "bayes-noise": lambda result: 0.5 * np.array(result["bayes"]),
    "bayes-threshold": lambda result: [result["thresholds"]["bayes"]],
    "product-laws": lambda result: [result["count"], result["lie_algebra_dimension"]],
    "escape-equation": lambda result: [result["sgd_time"]],
    "exit-times": lambda result: [result["exit_law"]["mean"]],
}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] if name == "bayes-noise" else []) for name in PRINTED],
)
def test_the_command_prints_our_numbers(quadflow, name):
    """Typed as it stands, with --json; overlaps and steps have nine digits there."""
    done = quadflow(*shlex.split(find_entry(name).command)[1:], "--json")
    printed = np.atleast_1d(PRINTED[name](done.json))
    values = reproduce(find_entry(name)).values
    if name == "bayes-threshold":  # the call is that of κ* = 0.5
        values = values[find_entry(name).series[0].at.index(0.5) :]
    np.testing.assert_allclose(printed, values[: len(printed)], rtol=1e-6)
