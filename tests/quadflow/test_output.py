"""How output leaves the program: characters, disks, names, links, permissions, and errors that nobody foresaw."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest

from dynamics.errors import ProblemError
from quadflow import cli
from quadflow.output import echo_json, validate_folder, validate_output, write_file, write_text
from quadflow.streams import PLAIN, SUPERSCRIPTS, degrade, plain

SIMULATE = ["simulate", "--teacher", "2,1", "--hidden", "2", "--t-end", "0.2", "--records", "3"]
ROOT = Path(__file__).parents[2]


def process(arguments, *, encoding="utf-8", stdout=subprocess.PIPE, before=""):
    """The program itself: what happens when Python opens and closes the streams cannot be seen in process."""
    code = f"{before}\nfrom quadflow.cli import main\nmain({arguments!r})"
    environment = {
        **os.environ,
        "PYTHONIOENCODING": encoding,
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "",
    }
    return subprocess.run(
        [sys.executable, "-c", code], stdout=stdout, stderr=subprocess.PIPE, env=environment
    )


# characters


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "ascii"])
def test_a_terminal_without_arrows(encoding):
    """The refusal repeats a text that no such terminal can show; standard error is one line, in its encoding."""
    done = process(["simulate", "--teacher", "ε→10⁻³", "--json"], encoding=encoding)
    assert done.returncode == 2
    line = done.stderr.decode(encoding if encoding != "ascii" else "utf-8")
    assert line.count("\n") == 1
    assert "Traceback" not in line
    assert encoding == "ascii" or "'epsilon->10^-" in line


def test_plain_text():
    assert (
        plain("η → ∞ at 10⁻¹² ≤ ‖w‖², §2: Küche “ẋ” 漢")
        == 'eta -> inf at 10^-12 <= ||w||^2, section 2: Kuche "x" ?'
    )


def test_damaged_input_stays_an_error():
    """Plainer characters are for what is written; what cannot be read has none."""
    with pytest.raises(UnicodeDecodeError, match="invalid start byte"):
        degrade(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"))


def test_every_character_of_our_sources_has_a_plain_form():
    """Characters of the packages that the table forgets would come out as question marks."""
    known = {*PLAIN, *SUPERSCRIPTS}
    assert all(text.isascii() for text in PLAIN.values())
    used = set()
    for package in ("quadflow", "dynamics", "empirical"):
        for file in (ROOT / package).rglob("*.py"):
            used |= {c for c in file.read_text(encoding="utf-8") if not c.isascii()}
    forgotten = {c for c in used - known if plain(c) == "?"}
    assert forgotten <= set("⪰∉⊙⟂∖⊕₋∘✓⊥⟶⇝‴⁗⌊⌋ø"), "signs of docstrings alone may stand here"


class Narrow:
    """A standard output of another encoding."""

    def __init__(self, encoding):
        self.encoding, self.text = encoding, ""

    def write(self, text):
        text.encode(self.encoding)
        self.text += text

    def flush(self):
        pass


@pytest.mark.parametrize(("encoding", "escaped"), [("utf-8", False), ("latin-1", True), ("ascii", True)])
def test_json_escapes_what_the_terminal_lacks(monkeypatch, encoding, escaped):
    """JSON has a spelling for every character, so nothing is lost; quotes and backslashes stay what they are."""
    stream = Narrow(encoding)
    monkeypatch.setattr(click, "echo", lambda text: stream.write(text))
    monkeypatch.setattr(sys, "stdout", stream)
    value = 'é → "ε" \\ 𝔽'
    echo_json({"a": value, "command": "", "versions": {}})
    assert json.loads(stream.text)["a"] == value
    assert stream.text.isascii() == escaped


def test_names_that_are_no_text_do_not_break_json(quadflow, tmp_path):
    """A file name with the byte FF arrives as a lone surrogate, which no file in UTF-8 can hold."""
    target = tmp_path / "x\udcff.json"
    assert quadflow(*SIMULATE, "--json", "--output", target).json["command"].endswith("x?.json'")
    assert json.loads(target.read_text(encoding="utf-8"))["times"] == [0.0, 0.1, 0.2]


# disks and readers


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs the device of a full disk")
@pytest.mark.parametrize("arguments", [["--help"], ["completion", "bash"]])
def test_a_full_disk_is_one_line(arguments):
    with open("/dev/full", "wb") as full:
        done = process(arguments, stdout=full)
    assert done.returncode == 1
    assert done.stderr == b"quadflow: Standard output cannot be read or written: No space left on device.\n"


def test_what_is_only_buffered_is_lost_with_one_line(monkeypatch, capfd):
    """The write succeeds, the last flush does not."""

    class Full:
        closed = False
        encoding = "utf-8"

        def flush(self):
            raise OSError(28, "No space left on device")

        def fileno(self):
            return os.open(os.devnull, os.O_WRONLY)

    monkeypatch.setattr(cli, "run", lambda _: 0)
    monkeypatch.setattr(sys, "stdout", Full())
    with pytest.raises(SystemExit) as exit_:
        cli.main([])
    assert exit_.value.code == 1
    assert (
        capfd.readouterr().err
        == "quadflow: Standard output cannot be read or written: No space left on device.\n"
    )


def test_a_reader_that_has_gone_hears_nothing():
    done = process(
        ["completion", "bash"],
        before="import os, sys\nr, w = os.pipe()\nos.close(r)\nos.dup2(w, 1)",
    )
    assert done.returncode == 1
    assert done.stderr == b""


def test_closed_streams():
    done = process(["simulat"], before="import sys\nsys.stderr = None\nsys.stdout = None")
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", b"")


def test_a_file_that_does_not_fit_leaves_nothing(tmp_path):
    """A limit on the size of files stands in for the full disk."""
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))"
    target = tmp_path / "x.json"
    done = process(["conserved", "--hidden", "1", "--inputs", "1", "--output", str(target)], before=limit)
    assert done.returncode == 2
    assert (
        done.stderr == f"quadflow: `--output` {str(target)!r} cannot be written: File too large.\n".encode()
    )
    assert not list(tmp_path.iterdir())


# names, links, permissions


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("x" * 260 + ".json", "File name too long"),
        ("a\0.json", "NUL"),
        ("a\ud800.json", "NUL or another character"),
        ("folder.json", "it is a folder"),
        ("circle.json", "leads in a circle"),
        ("absent/x.json", "does not exist"),
        ("file/x.json", "does not exist"),
        ("dangling-folder.json", "does not exist"),
        ("x.txt", "must end in: json"),
    ],
)
def test_names_that_cannot_be_written(tmp_path, monkeypatch, name, why):
    monkeypatch.chdir(tmp_path)
    os.mkdir("folder.json")
    Path("file").touch()
    os.symlink("circle.json", "circle.json")
    os.symlink("absent/y.json", "dangling-folder.json")
    with pytest.raises(ProblemError, match=why) as refused:
        validate_output(name, ("json",))
    assert str(refused.value).startswith("`--output` is ")


@pytest.mark.parametrize("name", ["a\0.nc", "a\ud800.nc"])
def test_names_of_sweeps_that_cannot_be_written(name):
    with pytest.raises(ProblemError, match=r"`--output` is .* NUL or another character"):
        validate_folder(name)


def test_a_nul_in_an_argument_is_refused(quadflow):
    result = quadflow(*SIMULATE, "--output", "a\0.json")
    assert result.status == 2
    assert "NUL" in result.err
    assert result.err.count("\n") == 1


def test_the_longest_name_that_the_disk_allows(tmp_path):
    """The temporary file must not have a longer one."""
    name = "x" * 250 + ".json"
    validate_output(str(tmp_path / name), ("json",))
    write_text(str(tmp_path / name), "text")
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("there", [True, False])
def test_symbolic_links_are_written_through(tmp_path, there):
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "real.json", tmp_path / "link.json"
    link.symlink_to(target)
    if there:
        target.write_text("old")
    validate_output(str(link), ("json",))
    write_text(str(link), "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert [*target.parent.iterdir()] == [target]


def test_a_pipe_is_written_into(tmp_path):
    """What is no ordinary file, as a device or a pipe, must not be replaced by one."""
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    validate_output(str(pipe), ("json",))
    write_text(str(pipe), "text")
    assert os.read(reader, 100) == b"text"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_new_files_have_the_permissions_of_the_shell(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_text(str(tmp_path / "x.json"), "text")
        assert os.umask(mask) == mask  # as it was
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x.json").stat().st_mode) == 0o666 & ~mask


def test_replaced_files_keep_their_permissions(tmp_path):
    target = tmp_path / "x.json"
    target.write_text("secret")
    target.chmod(0o600)
    write_text(str(target), "new")
    assert (stat.S_IMODE(target.stat().st_mode), target.read_text()) == (0o600, "new")


def test_a_failed_write_is_a_sentence(tmp_path):
    def fail(_):
        raise OSError(5, "Input/output error")

    with pytest.raises(ProblemError, match=r"x\.npz' cannot be written: Input/output error\.$"):
        write_file(str(tmp_path / "x.npz"), fail)
    assert not list(tmp_path.iterdir())


# what is in the files


@pytest.mark.parametrize("suffix", ["json", "JSON", "npz", "NPZ", "csv", "Csv", "png", "PNG"])
def test_suffixes_in_capitals(quadflow, tmp_path, suffix):
    """First bytes of each format, and the numbers where they are text."""
    path = tmp_path / f"x.{suffix}"
    assert quadflow(*SIMULATE, "--output", path).status == 0
    data = path.read_bytes()
    start = {"json": b'{"times"', "npz": b"PK\3\4", "csv": b"t", "png": b"\x89PNG"}[suffix.lower()]
    assert data.startswith(start)
    if suffix.lower() == "npz":
        with np.load(path) as file:
            np.testing.assert_array_equal(file["times"], [0, 0.1, 0.2])


def test_the_file_of_hannet_is_what_it_prints(quadflow, tmp_path):
    path = tmp_path / "x.json"
    printed = quadflow("hannet", "--check", "--layers", "3", "--width", "4", "--output", path, "--json").json
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written == printed
    assert (written["layers"], written["width"]) == (3, 4)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--teacher", "2,1", "--times", "0"],
        ["--teacher", "2,1", "--times", "0.1"],
        ["--teacher", "2,1", "--times", "0", "--sgd", "--step", "0.01", "--batch", "4"],
        ["--teacher", "2,1", "--init-scale", "0", "--t-end", "1", "--records", "3"],
        ["--teacher", "0,0", "--init-scale", "0", "--t-end", "1", "--records", "3"],
    ],
)
def test_figures_of_one_sample_and_of_constant_curves(quadflow, tmp_path, arguments):
    """Matplotlib would warn of empty intervals and of zeros on logarithmic axes; warnings are errors here."""
    path = tmp_path / "x.png"
    result = quadflow("simulate", "--hidden", "2", *arguments, "--output", path)
    assert (result.status, result.err) == (0, "")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_the_figure_of_the_gap_at_the_start_alone(quadflow, tmp_path):
    """There are no distances to draw: all curves start from the same weights."""
    path = tmp_path / "gap.png"
    small = ["--teacher", "2,1", "--steps", "2", "--seeds", "2", "--batch", "4", "--step", "0.01"]
    quadflow("figure", "gap-step", *small, "--times", "0", "--output", str(path))
    assert path.stat().st_size > 1000


# errors that nobody foresaw


@pytest.fixture
def broken(monkeypatch):
    """A command that fails as it should not."""

    def break_(error):
        def main(*_, **__):
            raise error

        monkeypatch.setattr(cli.cli, "main", main)

    return break_


@pytest.mark.parametrize("error", [ValueError("two\nlines"), ZeroDivisionError(), AssertionError("x" * 5000)])
def test_unforeseen_errors_are_one_line(quadflow, broken, monkeypatch, error):
    monkeypatch.delenv("QUADFLOW_TRACEBACK", raising=False)
    broken(error)
    result = quadflow("simulate")
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(f"quadflow: internal error ({type(error).__name__}: ")
    assert "please report it" in result.err
    assert result.err.count("\n") == 1
    assert len(result.err) < 500


def test_their_traceback_is_there_for_those_who_ask(quadflow, broken, monkeypatch):
    monkeypatch.setenv("QUADFLOW_TRACEBACK", "1")
    broken(ValueError("why"))
    result = quadflow("simulate")
    assert result.status == 1
    assert result.err.startswith("Traceback")
    assert "ValueError: why\n" in result.err


def test_a_file_that_ends_too_early_is_no_interrupt(quadflow, monkeypatch):
    """click turns EOFError into what it makes of Ctrl-C."""
    error = click.Abort()
    error.__cause__ = EOFError("No data left in file")
    monkeypatch.setattr(cli.cli, "main", lambda *_, **__: (_ for _ in ()).throw(error))
    result = quadflow("simulate")
    assert result.status == 1
    assert "internal error (EOFError: No data left in file)" in result.err


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            OSError(28, "No space left on device"),
            "Standard output cannot be read or written: No space left on device.",
        ),
        (OSError(5, "Input/output error", "x.npz"), "'x.npz' cannot be read or written: Input/output error."),
        (MemoryError("Unable to allocate 8 TiB"), "Not enough memory: Unable to allocate 8 TiB"),
        (MemoryError(), "Not enough memory."),
    ],
)
def test_failures_of_the_machine(quadflow, broken, error, line):
    broken(error)
    result = quadflow("simulate")
    assert (result.status, result.err) == (1, f"quadflow: {line}\n")


@pytest.mark.parametrize(
    "command", [["train", "--teacher", "2,1", "--steps", "2"], ["hannet", "--train", "checkerboard"]]
)
def test_devices_without_numbers_are_refused(quadflow, command):
    """PyTorch's "meta" knows shapes only."""
    result = quadflow(*command, "--device", "meta")
    assert result.status == 2
    assert "`device` is 'meta', but PyTorch can use here: cpu" in result.err
    assert result.err.count("\n") == 1
