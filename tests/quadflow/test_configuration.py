"""Configurations of a made-up command: the file that `init` writes, and what a file's values mean."""

import datetime

import click
import pytest

from dynamics import ProblemError
from quadflow import options as opt
from quadflow.commands.init import template, toml_value
from quadflow.configuration import chosen_parameters, parameters, takes_several, to_arguments
from quadflow.gallery.common import is_larger

LONG = " ".join(["a"] * 60)
HYPHENS = " ".join(["word-word"] * 12)


@click.command(
    help="Do something.\n\n    More about it.",
    epilog="Example: quadflow toy run.npz --number 3 --names a --names b --on",
)
@click.argument("file", metavar="FILE.npz")
@click.option("--number", type=int, help="How many.")
@click.option("--count", type=int, metavar="N", help="How many more.")
@click.option("--real", "-r", type=float, default=0.5, help="A real number.")
@click.option("--size", type=float, help="Another one.")
@click.option("--text", help="Words.")
@click.option("--names", multiple=True, metavar="NAME=V", help="Several.")
@click.option("--more", multiple=True, help="Several more.")
@click.option("--colour", type=click.Choice(["red", "blue"]), help="A colour.")
@click.option("--kind", type=click.Choice(["red", "blue"]), default="blue", help="Another.")
@click.option("--on", is_flag=True, help="On.")
@click.option("--off", is_flag=True, help="Off.")
@click.option("--unit", default="ε", help=LONG)
@click.option("--two-words", type=int, default=2, help=HYPHENS)
@opt.config_option
def toy(**_):
    pass


WRITTEN = f"""\
# Configuration of `quadflow toy`: Do something.
#
# Run it with `quadflow run x.toml`. Options that follow the file name win over the file.
# What is set is a worked example. Remove the # before a name to set that option; the value shown is
# the default, or a placeholder in capitals where there is none. Paths are relative to the folder
# where you run.

command = "toy"

# What the usage line of --help calls FILE.npz.
file = "run.npz"

# How many.
number = 3

# How many more.
#count = N

# A real number.
#real = 0.5

# Another one.
#size = FLOAT

# Words.
#text = "TEXT"

# Several.
names = ["a", "b"]

# Several more.
#more = ["TEXT"]

# A colour. One of: red, blue.
#colour = "red"

# Another. One of: red, blue.
#kind = "blue"

# On.
on = true

# Off.
#off = false

# {" ".join(["a"] * 49)}
# {" ".join(["a"] * 11)}
#unit = "ε"

# {" ".join(["word-word"] * 9)}
# {" ".join(["word-word"] * 3)}
#two-words = 2
"""


def test_the_file_of_init():
    """Every option in the order of the help, the worked example set, lines of 100 characters at most."""
    assert template(toy, "toy", "x.toml") == WRITTEN


def test_a_command_without_words():
    @click.command()
    @click.option("--number", type=int)
    def bare(**_):
        pass

    lines = template(bare, "bare", "x.toml").splitlines()
    assert lines[0] == "# Configuration of `quadflow bare`:"
    assert lines[-2:] == ["# What the usage line of --help calls INTEGER.", "#number = INTEGER"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e-05, "1e-05"), (0.1, "0.1"), (3, "3"), (True, "true"), ('a"b', '"a\\"b"'), ("ε", '"ε"'), ((), "[]")],
)
def test_values_in_toml(value, text):
    assert toml_value(value) == text


def test_what_one_would_type():
    values = {
        **{"number": 3, "real": 2, "text": [1, 2.5, "x"], "names": ["a", "b"], "more": "c", "colour": "red"},
        **{"on": True, "off": False, "file": "run.npz", "two_words": 4, "unit": 5, "count": "7"},
    }
    options, positional = to_arguments(chosen_parameters(toy, values, "The file"))
    assert positional == ["run.npz"]
    assert " ".join(options) == (
        "--number 3 --real 2 --text 1,2.5,x --names a --names b --more c --colour red --on --two-words 4 --unit 5 "
        "--count 7"
    )
    assert list(parameters(toy)) == [
        *("file", "number", "count", "real", "size", "text", "names", "more", "colour", "kind", "on", "off"),
        *("unit", "two-words"),
    ]


def test_who_takes_several():
    assert [name for name, parameter in parameters(toy).items() if takes_several(parameter)] == [
        "names",
        "more",
    ]
    assert takes_several(click.Argument(["runs"], nargs=-1))
    assert not takes_several(click.Argument(["run"]))


LIST = ["x" * 56]  # 60 characters with brackets and quotes
TYPES = "a text, a number or a list of numbers"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"number": 2.0}, "sets `number` to 2.0, but it must be a whole number."),
        ({"number": LIST}, f"sets `number` to ['{'x' * 56}'], but it must be a whole number."),
        ({"number": ["x" * 57]}, f"sets `number` to ['{'x' * 57}'…, but it must be a whole number."),
        ({"real": True}, "sets `real` to true, but it must be a number."),
        ({"real": [1.5]}, "sets `real` to [1.5], but it must be a number."),
        ({"colour": 1}, "sets `colour` to 1, but it must be one of: red, blue."),
        ({"colour": ["red"]}, "sets `colour` to ['red'], but it must be one of: red, blue."),
        ({"text": []}, f"sets `text` to [], but it must be {TYPES}."),
        ({"text": [[1], 2]}, f"sets `text` to [[1], 2], but it must be {TYPES}."),
        ({"text": [1, False]}, f"sets `text` to false, but it must be {TYPES}."),
        ({"text": "a\0"}, "sets `text` to 'a\\x00', but it must be without NUL characters."),
        ({"text": datetime.date(1979, 5, 27)}, f"sets `text` to the date or time 1979-05-27, but it must be {TYPES}."),
        ({"names": [True]}, f"sets `names` to true, but it must be {TYPES}."),
        ({"on": 1}, "sets `on` to 1, but it must be true or false."),
        ({"on": "true"}, "sets `on` to 'true', but it must be true or false."),
        ({"two-words": 1, "two_words": 2}, "sets 'two-words' twice: once with - and once with _ in its name."),
        ({"text": {"a": 1}}, "has a table [text], but options stand on the top level."),
    ],
)  # fmt: skip
def test_what_is_refused(values, words):
    with pytest.raises(ProblemError) as refused:
        chosen_parameters(toy, values, "The file")
    assert str(refused.value) == f"The file {words}"


def test_unknown_names():
    with pytest.raises(ProblemError) as refused:
        chosen_parameters(toy, {"numbre": 1}, "The file")
    assert str(refused.value).startswith(
        "The file names the unknown option 'numbre'. Did you mean 'number'? Known"
    )
    assert str(refused.value).endswith(f" are: {', '.join(sorted(parameters(toy)))}.")


@pytest.mark.parametrize(
    ("teacher", "inputs", "larger"),
    [
        ("3,2,1", 3, False),
        ("3,2,1", 2, True),
        ("3,2,1", None, False),
        ("M.npy", 9, True),
        ("M.npy", None, False),
    ],
)
def test_teachers_that_outgrow_a_figure(teacher, inputs, larger):
    assert is_larger(teacher, inputs) is larger
