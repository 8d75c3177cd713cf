"""What is written is what is printed, in whole files with the usual permissions, whatever the case of the suffix."""

import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from dynamics import ProblemError, Trajectory
from empirical import TrainingRun
from quadflow.output import to_json, validate_output, write_file, write_text

SMALL = "--teacher 2,1 --hidden 2 --init-scale 0.4 --seed 7"
TRAINING = "--steps 4 --step 5e-3 --batch 8 --records 3"

COMMANDS = [
    f"simulate {SMALL} --times 0,0.5",
    f"train {SMALL} {TRAINING} --seeds 2",
    f"diagnose {SMALL}",
    f"staircase {SMALL}",
    "fixed-points --teacher 2,1",
    "fixed-points --teacher 2,1 --hidden 1 --activation linear --search 3",
    "fixed-points --teacher 2,1 --symbolic",
    "conserved --hidden 1",
    "derive --inputs 1 --hidden 1",
    "invariance --inputs 2 --hidden 2 --outputs 1 --steps 2",
    "hannet --check --layers 3 --width 4",
    "neuron --inputs 1 --hidden 1 --t-end 0.1 --records 3",
    "neuron --inputs 1 --hidden 1 --derive",
]
FIGURES = [  # and words that stand in them
    (f"simulate {SMALL} --times 0,0.5", "theory: gradient flow"),
    (f"compare {SMALL} {TRAINING}", "networks"),
    ("invariance --inputs 2 --hidden 2 --outputs 1 --steps 2", "G-SGD: path values"),
    ("hannet --check --layers 3 --width 4", "Han layers"),
    ("neuron --inputs 1 --hidden 1 --t-end 0.1 --records 3", "of the flow"),
    ("neuron --inputs 1 --hidden 1 --t-end 0.1 --records 3 --collapse --starts 1", "ReLinear start"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[:60])
def test_the_file_has_what_is_printed(quadflow, tmp_path, command):
    """One JSON object, with --json on standard output too."""
    path = tmp_path / "result.JSON"
    result = quadflow(*command.split(), "--output", path, "--json")
    written = json.loads(path.read_text(encoding="utf-8"))
    if command.startswith("derive"):  # its file is the formulas alone
        assert written["ode"] == result.json["ode"]
    else:
        assert written == result.json
        assert written["command"] == f"quadflow {command} --output {path} --json"
    assert path.read_text(encoding="utf-8").endswith("}\n")
    assert list(tmp_path.iterdir()) == [path]
    assert result.err == ""


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[:60])
def test_words_are_for_people(quadflow, command):
    """Without --json there is text, and the same result gives the same."""
    result = quadflow(*command.split())
    assert (result.status, result.err) == (0, "")
    assert result.out.strip()
    with pytest.raises(ValueError):
        json.loads(result.out)


@pytest.mark.parametrize(("command", "words"), FIGURES, ids=lambda text: text[:60])
def test_figures_are_in_the_format_of_their_suffix(quadflow, tmp_path, command, words):
    path = tmp_path / "figure.SVG"
    assert quadflow(*command.split(), "--output", path).status == 0
    text = path.read_text(encoding="utf-8")
    assert text.startswith("<?xml") and "<svg" in text
    assert words in text


def test_arrays(quadflow, tmp_path):
    """`.npz` files are read by the classes that save them, and carry the JSON of the result."""
    path = tmp_path / "flow.NPZ"
    result = quadflow("simulate", *SMALL.split(), "--times", "0,0.5", "--output", path, "--json").json
    assert Trajectory.load(path).loss.tolist() == result["loss"]
    with np.load(path) as file:
        assert json.loads(str(file["result"])) == result
    path = tmp_path / "run.NPZ"
    result = quadflow("train", *SMALL.split(), *TRAINING.split(), "--output", path, "--json").json
    assert TrainingRun.load(path).loss.tolist() == result["loss"]
    with np.load(path) as file:
        assert json.loads(str(file["result"])) == result
    path = tmp_path / "neuron.npz"
    arguments = ["neuron", "--inputs", "1", "--hidden", "1", "--t-end", "0.1", "--records", "3"]
    result = quadflow(*arguments, "--output", path, "--json").json
    with np.load(path) as file:
        np.testing.assert_array_equal(file["loss"], result["loss"])


def test_table(quadflow, tmp_path):
    """Names in the first line, full precision."""
    path = tmp_path / "flow.csv"
    result = quadflow("simulate", *SMALL.split(), "--times", "0,0.5", "--output", path, "--json").json
    head, *rows = path.read_text().splitlines()
    assert head == "time,loss,mode_1,mode_2"
    assert [[float(x) for x in row.split(",")] for row in rows] == [
        [t, loss, *modes]
        for t, loss, modes in zip(*(result[k] for k in ("times", "loss", "modes")), strict=True)
    ]


@pytest.mark.parametrize(
    ("form", "start"),
    [
        (".tex", "\\begin"),
        (".py", '"""'),
        (".js", "/"),
        (".txt", ""),
        (".json", "{"),
    ],
)
def test_derive_writes_in_the_format_of_the_suffix(quadflow, tmp_path, form, start):
    path = tmp_path / f"flow{form}"
    result = quadflow("derive", "--inputs", "1", "--hidden", "1", "--output", path)
    assert (result.status, result.out) == (0, "")
    text = path.read_text(encoding="utf-8")
    assert text.startswith(start)
    assert text.endswith("\n") and not text.endswith("\n\n")


def test_the_index_free_form_in_latex(quadflow, tmp_path):
    """`.tex` has the formulas alone, `.txt` has text with the formulas below."""
    arguments = ["derive", "--format", "tensor", "--output"]
    texts = []
    for suffix in ("tex", "txt"):
        quadflow(*arguments, tmp_path / f"flow.{suffix}")
        texts.append((tmp_path / f"flow.{suffix}").read_text(encoding="utf-8"))
    assert texts[1].endswith(texts[0])
    assert len(texts[1]) > len(texts[0])


def test_formulas_with_json(quadflow):
    """A format and --json: the export by its name beside the formulas; alone they have no origin in them."""
    result = quadflow("derive", "--inputs", "1", "--hidden", "1", "--format", "latex", "--json").json
    assert result["latex"].startswith("\\begin")
    assert result["parameters"] == ["w_0_0", "a_0"]
    assert "versions" in result
    tensor = quadflow("derive", "--format", "tensor", "--json").json
    assert set(tensor) == {"tensor", "latex", "command", "versions", "format"}
    assert "command" not in quadflow("derive", "--inputs", "1", "--hidden", "1", "--format", "json").json


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_files_have_the_usual_permissions(tmp_path, mask):
    """Those that `open` would give them: 666 without the bits of the mask, which stays as it was."""
    before = os.umask(mask)
    try:
        write_text(str(tmp_path / "x"), "α")
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o666 & ~mask
    assert (tmp_path / "x").read_bytes() == "α".encode()


def test_a_failed_write_leaves_nothing(tmp_path):
    def fail(file):
        raise OSError(28, "No space left on device")

    with pytest.raises(ProblemError, match="No space left on device"):
        write_file(str(tmp_path / "x"), fail)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["x.PnG", "y.png"])
def test_suffixes_are_compared_without_case(tmp_path, name):
    assert validate_output(str(tmp_path / name), ("png",)) == "png"


def test_no_output_is_no_suffix():
    assert validate_output(None, ("png",)) is None


def test_what_cannot_be_written_is_refused_before_any_work(tmp_path):
    folder = str(tmp_path / "x.png")
    os.mkdir(folder)
    for path, words in (
        (folder, "cannot be written"),
        (str(tmp_path / "absent" / "x.png"), "does not exist"),
        (str(tmp_path / "x"), "must end in: png, pdf"),
    ):
        with pytest.raises(ProblemError, match=words) as caught:
            validate_output(path, ("png", "pdf"), "--report")
        assert str(caught.value).startswith("`--report` is ")


def test_json_of_arrays_and_of_what_is_not_finite():
    """Nested places are named once each; a warning is added to those that are there."""
    result = {
        "a": np.array([1.5, np.nan, np.inf]),
        "b": {"c": (1, -np.inf), 2: np.float32(0.5)},
        "d": [{"e": np.nan}],
        "n": np.int64(3),
        "warnings": ["first"],
    }
    assert json.loads(to_json(result)) == {
        "a": [1.5, None, None],
        "b": {"c": [1, None], "2": 0.5},
        "d": [{"e": None}],
        "n": 3,
        "warnings": ["first", "not finite, given as null: a, b.c, d.e"],
    }
    assert to_json({"x": "ε"}) == '{"x": "ε"}'
    assert "warnings" not in json.loads(to_json({"x": 1.0}))


def test_origin_is_not_overwritten(quadflow, monkeypatch):
    """A result that says what made it keeps its word; elsewhere the running command is named, or nothing."""
    import quadflow.output as output

    monkeypatch.setattr(output, "provenance", lambda: {"command": "quadflow x", "versions": {"a": "1"}})
    assert json.loads(to_json({"command": "mine"})) == {"command": "mine", "versions": {"a": "1"}}
    assert json.loads(to_json({"x": 1}, origin=False)) == {"x": 1}


@pytest.mark.parametrize(
    ("name", "denied", "refused"),
    [
        ("old.png", (), False),
        ("old.png", ("old.png",), True),
        ("old.png", ("",), True),  # a file is replaced whole, for which its folder must be writable
        ("new.png", (), False),
        ("new.png", ("",), True),
        ("pipe.png", (), False),
        ("pipe.png", ("pipe.png",), True),
        ("pipe.png", ("",), False),  # a pipe is written into
    ],
)
def test_permissions_are_looked_at_before_any_work(tmp_path, monkeypatch, name, denied, refused):
    """As the system gives them to who is not root."""
    (tmp_path / "old.png").write_text("x")
    os.mkfifo(tmp_path / "pipe.png")
    closed = {tmp_path / part for part in denied}
    monkeypatch.setattr(os, "access", lambda path, mode: mode == os.W_OK and path not in closed)
    if not refused:
        assert validate_output(str(tmp_path / name), ("png",)) == "png"
        return
    with pytest.raises(ProblemError) as caught:
        validate_output(str(tmp_path / name), ("png",))
    path = str(tmp_path / name)
    assert str(caught.value) == f"`--output` is {path!r}, but it cannot be written: permission denied."


def test_an_interrupt_after_the_write_is_an_interrupt(tmp_path, monkeypatch):
    """The temporary file has its final name already: there is nothing to remove."""
    replace = Path.replace

    def late(source, target):
        replace(source, target)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", late)
    with pytest.raises(KeyboardInterrupt):
        write_file(str(tmp_path / "x.json"), lambda file: file.write(b"whole"))
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]
    assert (tmp_path / "x.json").read_bytes() == b"whole"


def test_compare_says_what_it_has_written(quadflow, tmp_path):
    """As `figure` does; among the words for people, not in the JSON object."""
    path = tmp_path / "curves.png"
    command = (*f"compare {SMALL} {TRAINING}".split(), "--output", path)
    assert quadflow(*command).out.endswith(f"\nwritten: {path}\n")
    assert "written" not in quadflow(*command, "--json").json
