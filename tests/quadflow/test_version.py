"""`--version`, completion, suggestions and colours: what a command line is expected to do."""

import os
import platform
import pty
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from dynamics.suggestions import did_you_mean

CALL = "import sys; from quadflow.cli import main; main(sys.argv[1:])"


def test_version_lists_what_a_bug_report_needs(quadflow):
    """Versions as the packages themselves give them, and the platform."""
    result = quadflow("--version")
    shown = dict(line.split(maxsplit=1) for line in result.out.splitlines())
    assert result.status == 0
    assert shown["python"] == platform.python_version()
    assert shown["platform"] == platform.platform()
    for name in ("quadflow", "numpy", "scipy", "sympy", "torch", "matplotlib", "click"):
        assert shown[name] == metadata.version(name)


def test_version_says_what_is_not_installed(quadflow, monkeypatch):
    monkeypatch.setattr("quadflow.versions.OPTIONAL", ("no-such-distribution",))
    assert re.search(r"^no-such-distribution +not installed$", quadflow("--version").out, flags=re.M)


def test_version_and_completion_import_nothing_heavy():
    """What makes them answer at once."""
    code = (
        "import sys\nfrom quadflow.cli import run\n"
        "run(['--version'])\nrun(['completion', 'fish'])\nrun(['init', '--help'])\n"
        "assert not {'numpy', 'scipy', 'torch', 'sympy', 'matplotlib', 'xarray', 'dask'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_the_script_of_each_shell(quadflow, shell):
    result = quadflow("completion", shell)
    assert result.status == 0
    assert f"_QUADFLOW_COMPLETE={shell}_complete" in result.out
    assert result.out.startswith("# ")


def test_an_unknown_shell_is_refused(quadflow):
    result = quadflow("completion", "tcsh")
    assert result.status == 2
    assert "'bash', 'zsh', 'fish'" in result.err


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["fix"], ["fixed-points"]),
        (["figure", "learning"], ["learning-curves"]),
        (["simulate", "--init-s"], ["--init-scale"]),
        (["simulate", "--activation", "re"], ["relu", "relu2"]),
        (["simulate", "--method", "LS"], ["LSODA"]),
        (["init", "x.toml", "--command", "figure sad"], ["figure saddle-graph"]),
        (["completion", "z"], ["zsh"]),
    ],
)
def test_words_are_completed(typed, offered):
    """Asked as the shell asks, through the variable that the script sets."""
    words = [f"'{word}'" if " " in word else word for word in ("quadflow", *typed)]
    environment = os.environ | {
        "_QUADFLOW_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(typed)),
    }
    answer = subprocess.run(
        [sys.executable, "-c", CALL], env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout.split("\n")[:-1] == [f"plain,{word}" for word in offered]


def test_file_names_are_left_to_the_shell():
    environment = os.environ | {
        "_QUADFLOW_COMPLETE": "bash_complete",
        "COMP_WORDS": "quadflow run exp",
        "COMP_CWORD": "2",
    }
    answer = subprocess.run(
        [sys.executable, "-c", CALL], env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout == "file,exp\n"


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_with_the_script(tmp_path):
    """The script is loaded by a real bash, and its function asked for the word under the cursor."""
    command = tmp_path / "quadflow"
    command.write_text(f"#!{sys.executable}\n{CALL}\n")
    command.chmod(0o755)
    script = (
        'eval "$(quadflow completion bash)"\nCOMP_WORDS=(quadflow conse)\nCOMP_CWORD=1\n'
        '_quadflow_completion quadflow conse quadflow\necho "${COMPREPLY[@]}"\n'
    )
    environment = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    answer = subprocess.run(
        ["bash", "--norc", "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "conserved"


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("relux", ["quadratic", "centred", "linear", "relu", "abs"], " Did you mean 'relu'?"),
        ("RELU", ["relu", "abs"], " Did you mean 'relu'?"),
        ("Isoda", ["RK45", "LSODA"], " Did you mean 'LSODA'?"),
        ("zebra", ["relu", "abs"], ""),
        ("", ["relu"], ""),
        ("relu", [], ""),
    ],
)
def test_suggestions(word, known, hint):
    """By eye: near misses and capitals are recognised, anything else is not guessed at."""
    assert did_you_mean(word, known) == hint


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["simulat"], "'simulate'"),
        (["figure", "atlass"], "'atlas'"),
        (["simulate", "--hiddn", "2"], "--hidden"),
        (["simulate", "--teacher", "2,1", "--activation", "relux"], "'relu'"),
        (["simulate", "--teacher", "2,1", "--init", "ballanced"], "'balanced'"),
        (["simulate", "--teacher", "2,1", "--second-layer", "fix"], "'fixed'"),
        (["simulate", "--teacher", "2,1", "--method", "radua"], "'radau'"),
        (["derive", "--inputs", "2", "--format", "lates"], "'latex'"),
    ],
)
def test_misspelt_names_are_answered_with_the_right_one(quadflow, arguments, hint):
    result = quadflow(*arguments)
    assert result.status == 2
    assert hint in result.err.lower().partition("did you mean")[2]


def error_on_a_terminal(**environment) -> str:
    """What a bad command writes when standard error is a terminal."""
    ours, theirs = pty.openpty()
    variables = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | environment
    subprocess.run([sys.executable, "-c", CALL, "simulat"], stderr=theirs, env=variables, check=False)
    os.close(theirs)
    text = os.read(ours, 10_000).decode()
    os.close(ours)
    return text


def test_colours_only_on_a_terminal(quadflow):
    """Escape codes on a terminal, none in a pipe or where NO_COLOR is set; the words are the same."""
    coloured, plain = error_on_a_terminal(), error_on_a_terminal(NO_COLOR="1")
    assert "\x1b[" in coloured
    assert "\x1b[" not in plain
    assert "\x1b[" not in quadflow("simulat").err
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_the_citation_names_this_version():
    text = Path(__file__).parents[2].joinpath("CITATION.cff").read_text()
    assert re.search(r"^version: (.*)$", text, flags=re.M).group(1) == metadata.version("quadflow")


def test_what_the_guide_for_contributors_names_exists():
    """Every file and folder in CONTRIBUTING.md, and every command."""
    root = Path(__file__).parents[2]
    text = root.joinpath("CONTRIBUTING.md").read_text()
    named = re.findall(r"`((?:dynamics|empirical|figures|quadflow|tests|docs)/[\w/.-]*)`", text)
    assert len(named) > 10
    built = "docs/_build/"  # by `make docs`
    assert [name for name in named if not name.startswith(built) and not root.joinpath(name).exists()] == []
    targets = set(re.findall(r"`make (\w+)`", text))
    assert targets <= set(re.findall(r"^(\w+):", root.joinpath("Makefile").read_text(), flags=re.M))
