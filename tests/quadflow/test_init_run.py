"""Configurations: written from the options of every command, read back as what was typed."""

import json
import re
import tomllib

import click
import pytest

from quadflow.cli import cli
from quadflow.commands.init import find_command, names
from quadflow.configuration import parameters
from quadflow.examples import example_of

ROOT = click.Context(cli, info_name="quadflow")
COMMANDS = list(names(ROOT))


@pytest.fixture
def called(monkeypatch):
    """Commands hand over the values of their parameters instead of computing."""

    def replace(name):
        calls = []
        monkeypatch.setattr(find_command(ROOT, name), "callback", lambda **values: calls.append(values))
        return calls

    return replace


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lines_of(command: click.Command, text: str) -> dict[str, tuple[bool, bool, str]]:
    """Options of a configuration: name → whether it is set, whether it has a default, and the value shown."""
    defaults = command.make_context("x", [], resilient_parsing=True).params
    found = {}
    for hash_, name, value in re.findall(r"^(#?)([a-z][a-z-]*) = (.*)$", text, flags=re.M):
        if name != "command":
            default = defaults.get(str(parameters(command)[name].name))
            found[name] = not hash_, default not in (None, ()), value
    return found


def test_every_command_but_the_helpers_can_be_configured():
    assert {"compare", "sweep", "report", "figure learning-curves", "figure sweep"} < set(COMMANDS)
    assert not {"init", "run", "completion", "figure"} & set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_init_then_run_is_the_example_of_the_help(quadflow, called, folder, name):
    """The parameters that reach the command equal those of the example typed into a shell."""
    example = example_of(find_command(ROOT, name))
    calls = called(name)
    assert quadflow(*example).status == 0
    assert quadflow("init", "x.toml", "--command", name).status == 0
    assert quadflow("run", "x.toml").status == 0
    assert calls[0] == calls[1]
    assert len(example) > len(name.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_template_has_every_option_with_its_help(quadflow, folder, name):
    """Names and help texts are those of `--help`, in its order."""
    quadflow("init", "x.toml", "--command", name)
    text = (folder / "x.toml").read_text()
    command = find_command(ROOT, name)
    typed = [max(p.opts, key=len).removeprefix("--") for p in command.params]
    assert list(lines_of(command, text)) == [option for option in typed if option not in ("config", "help")]
    prose = " ".join(line.removeprefix("# ") for line in text.splitlines())
    for option in command.params:
        if isinstance(option, click.Option) and option.name != "config":
            assert " ".join(option.help.split()) in prose


@pytest.mark.parametrize("name", COMMANDS)
def test_the_defaults_of_the_template_are_those_of_the_command(quadflow, called, folder, name):
    """To set every option that has a default to the value shown is to set nothing."""
    command = find_command(ROOT, name)
    quadflow("init", "x.toml", "--command", name)
    shown = lines_of(command, (folder / "x.toml").read_text())
    lines = [f"{option} = {value}" for option, (set_, known, value) in shown.items() if known and not set_]
    (folder / "defaults.toml").write_text("\n".join([f'command = "{name}"', *lines]))
    needed = ["X" for p in command.params if isinstance(p, click.Argument)]
    calls = called(name)
    assert quadflow("run", "defaults.toml", *needed).status == 0
    assert quadflow(*name.split(), *needed).status == 0
    assert lines or name in ("report", "figure study", "figure published")  # of which the example sets all
    assert calls[0] == calls[1]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_can_be_set_in_a_file(quadflow, called, folder, name):
    """Placeholders replaced and flags set: each value reaches the command; with --config as well, where that exists."""
    command = find_command(ROOT, name)
    quadflow("init", "x.toml", "--command", name)
    values = {}
    for option, (_, _, value) in lines_of(command, (folder / "x.toml").read_text()).items():
        parameter = parameters(command)[option]
        number = isinstance(parameter.type, click.types.IntParamType | click.types.FloatParamType)
        values[option] = 3 if number else tomllib.loads(f"x = {value}")["x"]
        if values[option] is False:
            values[option] = True
    lines = [f"{option} = {json.dumps(value)}" for option, value in values.items()]
    (folder / "all.toml").write_text("\n".join([f'command = "{name}"', *lines]))
    calls = called(name)
    assert quadflow("run", "all.toml").status == 0
    expected = {
        str(parameters(command)[option].name): tuple(value) if isinstance(value, list) else value
        for option, value in values.items()
        if parameters(command)[option].expose_value  # the look of a figure is kept aside: `test_look_options`
    }
    assert calls[0] == expected
    if any(p.name == "config" for p in command.params):
        needed = ["X" for p in command.params if isinstance(p, click.Argument)]
        assert quadflow(*name.split(), "--config", "all.toml", *needed).status == 0
        assert calls[1] == expected | ({"kinds": ("X",)} if needed else {})


def test_the_command_line_wins_over_the_file(quadflow, called, folder):
    """Single values, lists of values, arguments and flags; an option that is repeatable replaces the whole list."""
    (folder / "x.toml").write_text(
        'command = "sweep"\nkinds = ["simulate"]\nvary = ["hidden=1,2", "init-scale=1,2"]\nseed = 1\nhidden = 5\n'
    )
    calls = called("sweep")
    result = quadflow("run", "x.toml", "--vary", "seeds=1,2", "--seed", "7", "--sgd", "train", "diagnose")
    assert result.status == 0
    assert calls[0]["vary"] == ("seeds=1,2",)
    assert calls[0]["kinds"] == ("train", "diagnose")
    assert (calls[0]["seed"], calls[0]["hidden"], calls[0]["sgd"]) == (7, 5, True)


def test_a_name_that_looks_like_an_option_among_others(quadflow, called, folder):
    (folder / "x.toml").write_text('command = "report"\nruns = ["one.json", "-two.json"]\n')
    calls = called("report")
    assert quadflow("run", "x.toml").status == 0
    assert calls[0]["runs"] == ("one.json", "-two.json")


def test_a_configured_run_prints_what_the_command_prints(quadflow, folder):
    """Really run, with values that look like options; the result names the command in full."""
    (folder / "x.toml").write_text(
        'command = "simulate"\nteacher = [-2, 1.5]\nhidden = 2\nrecords = 5\nt-end = 0.5\n'
    )
    configured = quadflow("run", "x.toml", "--seed", "3", "--json").json
    typed = quadflow(
        *("simulate", "--teacher", "-2,1.5", "--hidden", "2", "--records", "5", "--t-end", "0.5"),
        *("--seed", "3", "--json"),
    ).json
    for result in (configured, typed):
        del result["solver"]["seconds"]
    assert configured == typed
    assert configured["command"].startswith("quadflow simulate --teacher -2,1.5")
    assert len(configured["loss"]) == 5


def test_the_file_of_init_serves_as_config(quadflow, called, folder):
    """Of its own command only."""
    quadflow("init", "x.toml", "--command", "simulate")
    calls = called("simulate")
    assert quadflow("simulate", "--config", "x.toml", "--hidden", "3").status == 0
    assert calls[0]["teacher"] == "4,2,1"
    assert calls[0]["hidden"] == 3
    refused = quadflow("train", "--config", "x.toml")
    assert refused.status == 2
    assert "'simulate', but this is 'train'" in refused.err


def test_an_existing_file_is_kept(quadflow, folder):
    (folder / "x.toml").write_text("mine")
    refused = quadflow("init", "x.toml")
    assert refused.status == 2
    assert "--force" in refused.err
    assert (folder / "x.toml").read_text() == "mine"
    assert quadflow("init", "x.toml", "--force", "--json").json["configures"] == "compare"
    assert 'command = "compare"' in (folder / "x.toml").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["init"], "FILE"),
        (["init", "x.json"], "must end in: toml"),
        (["init", "absent/x.toml"], "does not exist"),
        (["init", "x.toml", "--command", "comparr"], "Did you mean 'compare'"),
        (["init", "x.toml", "--command", "figure"], "figure learning-curves"),
        (["init", "x.toml", "--command", "figure atlass"], "Did you mean 'atlas'"),
        (["init", "x.toml", "--command", "train atlas"], "no subcommands"),
        (["init", "x.toml", "--command", "run"], "has no configuration"),
        (["init", "x.toml", "--command", ""], "has no configuration"),
        (["run"], "FILE"),
        (["run", "absent.toml"], "cannot be read"),
    ],
)
def test_bad_names_exit_2_with_one_line(quadflow, folder, arguments, words):
    result = quadflow(*arguments)
    assert (result.status, result.out) == (2, "")
    assert words in result.err
    assert result.err.count("\n") == 1
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("command = ", "not valid TOML"),
        ('command = "simulate"\nhidden = K', "line 2"),
        ("hidden = 2", "which command"),
        ("command = 3", "which command"),
        ('command = "simulat"', "Did you mean 'simulate'"),
        ('command = "run"', "has no configuration"),
        ('command = "simulate"\nhiden = 2', "Did you mean 'hidden'"),
        ('command = "simulate"\nconfig = "y.toml"', "unknown option 'config'"),
        ('command = "simulate"\nhidden = "two"', "--hidden"),
        ('command = "simulate"\nhidden = 2.5', "`hidden` to 2.5, but it must be a whole number"),
        ('command = "simulate"\nsgd = "yes"', "true or false"),
        ('command = " run "', "has no configuration"),
        ('command = "simulate"\nt-end = 1\nt_end = 2', "'t-end' twice"),
        ('command = "simulate"\n[teacher]\nvalues = [1]', "table [teacher]"),
        ('command = "simulate"\nteacher = "2,1"\nactivation = "relux"', "did you mean 'relu'"),
    ],
)
def test_bad_configurations_exit_2_with_one_line(quadflow, folder, text, words):
    (folder / "x.toml").write_text(text)
    result = quadflow("run", "x.toml")
    assert (result.status, result.out) == (2, "")
    assert words in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sgd = 1", "`sgd` to 1, but it must be true or false"),
        ("log-times = 0.0", "`log-times` to 0.0, but it must be true or false"),
        ("hidden = true", "`hidden` to true, but it must be a whole number"),
        ("hidden = 2.0", "`hidden` to 2.0, but it must be a whole number"),
        ("hidden = [2]", "`hidden` to [2], but it must be a whole number"),
        ("hidden = 'two'", "'two' is not a valid integer"),
        ("t-end = false", "`t-end` to false, but it must be a number"),
        ("t-end = 07:32:00", "the date or time 07:32:00"),
        ("teacher = 1979-05-27", "the date or time 1979-05-27"),
        ("teacher = true", "`teacher` to true"),
        ("teacher = [2, true]", "`teacher` to true"),
        ("teacher = []", "`teacher` to []"),
        ("teacher = [[2, 1], [1, 2]]", "`teacher` to [[2, 1], [1, 2]]"),
        ('teacher = "\\u0000.npy"', "NUL"),
        ('output = "a\\u0000.npz"', "NUL"),
        ('"wibble" = 1', "unknown option 'wibble'"),
        ("[teacher]\nx = 1", "table [teacher]"),
        ('"" = 1', "unknown option ''"),
    ],
)
def test_values_of_the_wrong_type_are_refused_by_both_ways_in(quadflow, folder, line, words):
    """`run` and `--config` read a file alike: no flag is a number, no number a flag, and nothing is converted."""
    (folder / "x.toml").write_text(f"command = 'simulate'\n{line}\n")
    for arguments in (["run", "x.toml"], ["simulate", "--teacher", "2,1", "--config", "x.toml"]):
        if "teacher" in line and arguments[0] == "simulate":
            arguments = ["simulate", "--config", "x.toml"]
        result = quadflow(*arguments)
        assert (result.status, result.out) == (2, ""), arguments
        assert words in result.err
        assert result.err.count("\n") == 1
        assert len(result.err) < 800


def test_values_that_may_be_written_in_several_ways(quadflow, called, folder):
    """Numbers for texts, texts for numbers, whole numbers for real ones, one value for a list, a byte-order mark."""
    (folder / "x.toml").write_bytes(
        b'\xef\xbb\xbfcommand = " sweep "\nteacher = -2\nt-end = 1\nhidden = "3"\ninit_scale = 1e-3\nsgd = false\n'
        b'vary = "inputs=3,4"\nkinds = "simulate"\ntimes = [0, 0.5, 1]\nsame-seeds = true\n'
    )
    calls = called("sweep")
    for arguments in (["run", "x.toml"], ["sweep", "--config", "x.toml", "simulate"]):
        assert quadflow(*arguments).status == 0
    for call in calls:
        expected = {
            "teacher": "-2",
            "t_end": 1.0,
            "hidden": 3,
            "init_scale": 1e-3,
            "sgd": False,
            "times": "0,0.5,1",
        }
        expected |= {"vary": ("inputs=3,4",), "kinds": ("simulate",), "same_seeds": True}
        assert {name: call[name] for name in expected} == expected
        assert type(call["t_end"]) is float


def test_a_network_in_a_shared_file_is_not_run(quadflow, folder):
    """The file of a colleague; what SymPy would have executed is refused."""
    (folder / "x.toml").write_text(
        "command = 'conserved'\nnetwork = \"__import__('os').mkdir('executed') + x_0*a\"\n"
    )
    result = quadflow("run", "x.toml")
    assert result.status == 2
    assert "is none of these" in result.err
    assert not (folder / "executed").exists()
