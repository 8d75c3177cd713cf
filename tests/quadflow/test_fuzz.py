"""Hostile calls of every command end as they should: with an answer, or one line that says why there is none.

The calls are drawn from the click commands themselves by `tools/fuzz`; `make fuzz N=10000` makes more.
"""

import os
import sys
import warnings
from collections import Counter

import click
import pytest
from hypothesis import Phase, given, seed, settings

from quadflow import cli
from tools.fuzz import calls, checks, search, values
from tools.fuzz.calls import Call
from tools.fuzz.files import write_files
from tools.fuzz.values import FOLDER

COUNT, SEED = 250, 12
OF_TESTS = {
    ".hypothesis",
    ".pytest_cache",
    "__pycache__",
}  # folders that the tests themselves may make meanwhile


def ours() -> set[str]:
    """What stands in the folder of the tests, but for what they make themselves."""
    return {*os.listdir()} - OF_TESTS


def test_hostile_calls_end_as_they_should(tmp_path):
    """No traceback, status 0, 1 or 2, one line on standard error, valid JSON, no file harmed, no code run."""
    here = ours()
    found = search.search(tmp_path, COUNT, SEED)
    assert ours() == here  # calls are made in a folder of their own
    assert sum(found.calls.values()) == COUNT
    assert found.statuses[0] > COUNT / 6  # the commands are not only refused
    shown = [f"{fault}\n    {search.command_line(call)}" for fault, call in found.faults.items()]
    assert not shown, "\n".join(shown)


def test_every_command_option_and_argument_can_be_drawn(tmp_path):
    """Each has sensible and other values, and the names that values depend on are those of the commands."""
    files = write_files(tmp_path)
    every = dict(calls.commands())
    assert {name.split()[0] for name in every} == set(cli.COMMANDS)
    names = set()
    for name, command in every.items():
        drawn = calls.drawn_options(command)
        assert {p.name for p in command.params if isinstance(p, click.Option)} - drawn.keys() <= {
            "scheduler",
            "everything",
        }
        for parameter in command.params:
            if not getattr(parameter, "is_flag", False):
                sensible, others = values.values(name, parameter, files)
                assert len(others) > 4, (name, parameter.name)
                if isinstance(parameter.type, type(click.INT)):
                    assert str(2**63) in others, (name, parameter.name)
                assert sensible or parameter.name == "file", (name, parameter.name)
            names.add(values.called(parameter))
    assert (
        values.WORDS.keys() | values.PATHS.keys() | values.WORK | values.SMALL_SIZES | values.LONG_SIZES
        <= names
    )


def test_draws_reach_every_command_and_most_options(tmp_path):
    """Of 500 draws: chances that this misses one by bad luck are decided once, by the seed."""
    seen: Counter[str] = Counter()
    options: set[str] = set()

    @seed(1)
    @settings(max_examples=500, database=None, deadline=None, phases=[Phase.generate])
    @given(calls.calls(write_files(tmp_path)))
    def draw(call):
        seen[call.command.split()[0]] += 1
        options.update(argument.split("=")[0] for argument in call.arguments if argument.startswith("--"))

    draw()
    assert seen.keys() == set(cli.COMMANDS)
    assert len(options) > 60


# What a command can do wrong, and what the check must call it.
WRONG = {
    "raise ValueError('x')": "ValueError",
    "sys.exit(7)": "SystemExit",
    "return 130": "status 130",
    "print('{\"loss\": NaN}')": "bare NaN",
    "print('[1]')": "no object",
    "print('text')": "JSON",
    "print('a line', file=sys.stderr); print('another', file=sys.stderr); return 1": "2 lines",
    "return 2": "0 lines",
    "print('Traceback (most recent call last)', file=sys.stderr)": "'Traceback'",
    "os.write(2, b'RuntimeWarning: invalid value')": "'Warning'",
    "warnings.warn('overflow', RuntimeWarning)": "a library's warning: RuntimeWarning: overflow",
    "os.write(1, b' lsoda--  at t')": "LSODA",
    "open('good.npy', 'w').close()": "good.npy was changed",
    "os.unlink('good.npz')": "good.npz is gone",
    "open('EXECUTED', 'w').close()": "EXECUTED was left behind",
    "while True: pass": "longer than 0.2 s",
    "bytearray(1 << 44)": "MemoryError",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_each_fault_is_noticed(wrong, tmp_path, monkeypatch):
    """A command that does it is told from one that does not."""
    write_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    names = {"sys": sys, "os": checks.os, "warnings": warnings}
    exec("def wrong():\n    " + wrong, names)
    call = Call("simulate", ("--json",))
    guard = checks.Guard(tmp_path)
    monkeypatch.setattr(cli, "run", lambda arguments: names["wrong"]() or 0)
    found = [*checks.faults(call, checks.end(call, 0.2)), *guard.harm()]
    assert any(WRONG[wrong] in fault for fault in found), found


def test_good_endings_are_no_faults(tmp_path, monkeypatch):
    write_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    guard = checks.Guard(tmp_path)

    def good(arguments):
        (tmp_path / FOLDER / "a.json").touch()
        print("{}")
        print("quadflow: refused", file=sys.stderr)
        return 2

    monkeypatch.setattr(cli, "run", good)
    call = Call("simulate", ("--json",))
    assert [*checks.faults(call, checks.end(call, 5.0)), *guard.harm()] == []


def test_faults_are_shown_by_their_shortest_call():
    """A fault that needs two options is shown with these two; the line can be pasted into a shell."""
    call = Call("derive", ("--json", "--teacher", "2,1", "--seed", "3", "--hidden", "7"))
    short = search.shorten(call, lambda tried: {"--teacher", "2,1", "7"} <= set(tried.arguments))
    assert short.arguments == ("--teacher", "2,1", "7")
    line = search.command_line(Call("derive", ("--teacher", "2,1", "--network", "a b", "--output", "x\x00y")))
    assert line == "quadflow derive --teacher 2,1 --network 'a b' --output $'x\\x00y'"
