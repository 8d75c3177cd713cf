"""What every command and every figure keeps: an example that runs, JSON that says its origin, refusals in one line.

The commands are those that the program itself lists, so a new one is held to all of it.
"""

import shlex
import shutil
import sys
from pathlib import Path

import click
import pytest

from quadflow.cli import cli
from quadflow.examples import example_of

ROOT = click.Context(cli, info_name="quadflow")
FLOORS = tuple(str(Path(__file__).parents[2] / name) for name in ("dynamics", "empirical", "figures"))


def leaves(group, context, *words):
    """Every command below a group, by the words that call it."""
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        if isinstance(command, click.Group):
            yield from leaves(command, click.Context(command, parent=context), *words, word)
        else:
            yield " ".join((*words, word)), command


COMMANDS = dict(leaves(cli, ROOT))

# What examples that would take long are given in addition: the last value of an option counts.
COMPARE = "--inputs 3 --hidden 2 --t-end 0.01 --batch 16 --seeds 2"
GAP = "--steps 5 --batch 16 --seeds 2"
SMALLER = {
    "train": "--steps 20",
    "compare": COMPARE,
    "study": "--data wine --epochs 1 --workers 0",
    "sweep": "--replicates 1 --workers 0 --t-end 0.1 --no-follow --overwrite",
    "fixed-points": "--search 5",
    "invariance": "--steps 3",
    "hannet": "--steps 3",
    "schedule": "--steps 20 --seeds 2",
    "escape": "--seeds 2",
    "sample-size": "--alpha 0.5",
    "neuron": "--steps 3",
    "run": COMPARE,
    "figure learning-curves": COMPARE,
    "gaussianity": "--components 3 --hidden 2 --t-end 0.01 --seeds 2",
    "figure gaussianity": "--components 3 --hidden 2 --t-end 0.01 --seeds 2",
    "figure universality": "--dimensions 3,4 --draws 2 --t-end 0.1",
    "figure staircase": "--step 0.01",
    "figure atlas": "--search 5",
    "figure saddle-graph": "--teacher 2 --inputs 2 --hidden 2 --init-scale 0.3",
    "figure symmetric-plateau": "--search 3 --t-end 1 --seeds 2",
    "reproduce": "--quick",
    "figure published": "--result bayes-threshold",
    "figure activations": "--t-end 0.2",
    "figure losses": "--losses log-cosh --init-scale 0.7 --hidden 2 --batch 4 --seeds 2",
    "figure classification": "--steps 5 --batch 8 --seeds 2",
    "figure overlay": "--t-end 0.1 --batch 16 --seeds 2",
    "figure hannet": "--layers 5",
    "figure phase-diagram": "--points 3",
    "figure scale-diagram": "--points 2 --replicates 2",
    "figure conserved": "--steps 10",
    "figure drift": "--t-end 0.1",
    "figure neuron": "--t-end 0.1",
    "figure neuron-collapse": "--starts 2 --steps 5",
    "figure neuron-functions": "--inputs 3",
    "figure pieces": "--hidden 2 --layers 1 --starts 1",
    "figure fluctuations": GAP,
    "figure schedules": "--steps 10 --seeds 2",
    "figure train-test": "--steps 10",
    "figure escape-times": "--largest 7,0 --rates none --seeds 2",
    "figure exit-times": "--inputs 20,40 --seeds 20",
    "figure sample-size": "--inputs 10 --alphas 0.6 --decays 0.5 --points 3",
    "figure scaling-law": "--count 1000 --trained-modes 3",
    "figure growth": "--teacher 2,-1,0.5 --step 0.1 --batch 4 --seeds 1",
    "figure late-time": "--teacher 1 --inputs 2 --step 0.05 --batch 16",
    "figure stability": "--t-end 0.1",
    "figure weight-decay": "--t-end 1",
    "figure collapse": "--rates 0.2,0.5,2 --points 2 --patience 0.1",
    "figure gap-step": GAP,
    "figure gap-data": "--steps 5 --seeds 2",
    "figure gap-noise": GAP,
}
# Calls that make the files which an example reads; what they print goes into a file if one is named.
SWEEP = "sweep --teacher 4,2,1 --vary init-scale=0.1,0.2,0.3 --vary hidden=3,4 --t-end 20 --workers 0"
NEEDS = {
    "run": [("init experiment.toml --command compare", None)],
    "report": [
        ("simulate --teacher 2,1 --hidden 2 --init-scale 0.4 --t-end 1 --json", "run.json"),
        ("fixed-points --teacher 2,1 --json", "saddles.json"),
    ],
    "figure sweep": [(f"{SWEEP} --output sweep.zarr", None)],
    "figure study": [("study gsgd --quick --data wine --epochs 1 --workers 0", None)],
}
# What a command itself refuses, the first of these options that it has; without any, one word too many.
REFUSED = {
    "--teacher": "4,x",
    "--eigenvalue": "nan",
    "--exponents": "x",
    "--value": "x",
    "--points": "0",
    "--inputs": "0",
    "--seed": "-1",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Where the files that examples read are kept, a folder each, once they have been made."""
    return tmp_path_factory.mktemp("made")


@pytest.fixture
def ready(quadflow, made, tmp_path, monkeypatch):
    """Put the files that an example reads into an empty current folder; returns the words of the example."""

    def make(name):
        kept = made / name
        if not kept.exists():
            kept.mkdir()
            monkeypatch.chdir(kept)
            for arguments, file in NEEDS.get(name, ()):
                result = quadflow(*arguments.split())
                assert result.status == 0, result.err
                if file is not None:
                    Path(file).write_text(result.out)
        shutil.copytree(kept, tmp_path, dirs_exist_ok=True)
        monkeypatch.chdir(tmp_path)
        return example_of(COMMANDS[name])

    return make


def options(command):
    """Options by their longest name."""
    return {max(p.opts, key=len): p for p in command.params if isinstance(p, click.Option)}


def assert_refused(result):
    """Status 2, one line on standard error, nothing on standard output."""
    assert (result.status, result.out) == (2, ""), result
    assert result.err.startswith("quadflow: ") and result.err.count("\n") == 1
    assert len(result.err) > len("quadflow: .\n")


@pytest.mark.parametrize("width", [50, 110])
@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_an_example_to_be_copied(name, width):
    """A shell reads its lines as the call that the test below runs; no option is torn from its value."""
    command = COMMANDS[name]
    text = command.get_help(click.Context(command, info_name=f"quadflow {name}", max_content_width=width))
    _, found, example = text.rpartition("\nExample:\n")
    assert found
    assert shlex.split(example.replace("\\\n", " ")) == ["quadflow", *example_of(command)]
    assert example_of(command)[: len(name.split())] == name.split()
    lines = [line.strip().removesuffix(" \\") for line in example.splitlines()]
    assert all(line.startswith("--") for line in lines[1:])


@pytest.mark.parametrize("name", COMMANDS)
def test_the_example_runs(quadflow, ready, name, monkeypatch):
    """As it stands, sizes aside; what it prints with --json is one object that says what made it."""
    arguments = [*ready(name), *SMALLER.get(name, "").split()]
    if "--json" in options(COMMANDS[name]) and "--json" not in arguments:
        arguments.append("--json")
    result = quadflow(*arguments)
    assert (result.status, result.err) == (0, "")
    assert result.out or name == "derive"
    if "--json" in arguments:
        assert result.json.keys() >= {"format", "versions"}
        made_by = "compare" if name == "run" else name
        assert result.json["command"].startswith(f"quadflow {made_by} ")
        assert_report(result.json, made_by, monkeypatch)


class Recorded(dict):
    """A dictionary that keeps which keys it was asked for and has not."""

    def __init__(self, entries):
        super().__init__(entries)
        self.missing = set()

    def get(self, key, default=None):
        self.missing |= {key} - self.keys()
        return super().get(key, default)


def assert_report(result, name, monkeypatch):
    """A report has a section for the result, with words for all of its keys; of files that were written it has none."""
    pytest.importorskip("plotly")
    from dynamics.errors import ProblemError
    from figures.report_input import validate_result
    from figures.report_sections import section
    from figures.report_words import COMMANDS, WORDS
    from quadflow.reports import plain

    if name not in COMMANDS or name == "explore":  # the latter's results are those that its page exports
        with pytest.raises(
            ProblemError, match=r"is not a result as quadflow prints it: (`command`|it holds nothing)"
        ):
            validate_result(result, "x.json")
        return
    asked = Recorded(WORDS)
    monkeypatch.setattr("figures.report_words.WORDS", asked)
    validate_result(result, "x.json")
    found = section(plain(result), "x.json")
    assert (found.title, found.about) == (name, COMMANDS[name])
    assert found.facts or found.parts
    assert asked.missing == set()


def test_reports_know_all_commands():
    """Every command that prints a result has a line in the table of the report, and nothing else has."""
    from figures.report_words import COMMANDS as KNOWN

    assert set(KNOWN) == {name for name in COMMANDS if "--json" in options(COMMANDS[name])} - {
        "report",
        "init",
        "run",
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_bad_input_is_refused_in_one_line(quadflow, ready, name):
    """What click refuses: an unknown option, and a word wherever a number belongs."""
    example = ready(name)
    assert_refused(quadflow(*example, "--no-such-option"))
    for option, parameter in options(COMMANDS[name]).items():
        if isinstance(parameter.type, click.types.IntParamType | click.types.FloatParamType):
            result = quadflow(*example, option, "many")
            assert_refused(result)
            assert option in result.err and "many" in result.err


def output_of(name):
    """A file name with a suffix that the command writes; None if it has no --output."""
    known = options(COMMANDS[name])
    if "--output" not in known:
        return None
    suffixes = ("json", "png", "html", "zarr")
    words = str(known["--output"].help)
    return next(f"result.{suffix}" for suffix in suffixes if f".{suffix}" in words)


WRITING = [name for name in COMMANDS if output_of(name)]


@pytest.mark.parametrize("name", COMMANDS)
def test_what_a_command_refuses_leaves_an_earlier_file(quadflow, ready, name):
    """What our own code refuses: the same one line, and the file that was to be replaced is as it was."""
    example, known = ready(name), options(COMMANDS[name])
    bad = next(([option, value] for option, value in REFUSED.items() if option in known), ["superfluous"])
    output = output_of(name)
    if output is not None:
        Path(output).write_bytes(b"earlier")
    assert_refused(quadflow(*example, *bad, *([] if output is None else ["--output", output])))
    if output is not None:
        assert Path(output).read_bytes() == b"earlier"


def importing(frame):
    """Whether a module is being imported further up the stack."""
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_code.co_filename.startswith(FLOORS):
            return True
        frame = frame.f_back
    return False


def functions_called(call):
    """Result of a call, and the functions of ours below the command line that ran meanwhile, imports aside."""
    found = set()

    def look(frame, event, _):
        if event == "call" and frame.f_code.co_filename.startswith(FLOORS) and not importing(frame):
            found.add(f"{frame.f_code.co_filename}:{frame.f_code.co_qualname}")

    sys.setprofile(look)
    try:
        return call(), found
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize("name", WRITING)
def test_a_folder_that_does_not_exist_is_refused_before_any_work(quadflow, ready, name):
    """Nothing of the theory, the networks or the figures runs: the example is called in its full size."""
    arguments = [*ready(name), "--output", f"absent/{output_of(name)}"]
    result, worked = functions_called(lambda: quadflow(*arguments))
    assert_refused(result)
    assert "`--output`" in result.err and "does not exist" in result.err
    assert not worked
