"""How long figures take stands in their list, and was measured."""

import json

import pytest

from benchmarks.durations import FILES, main
from quadflow.commands.figure import command
from quadflow.gallery.durations import FILE, STEPS, durations, in_steps


def test_every_figure_was_measured():
    """A figure without a duration, or one that is no more, fails: `python -m benchmarks.durations NAME` mends it."""
    assert set(durations()) == set(command.commands)
    assert all(0.1 < seconds < 3600 for seconds in durations().values())


def test_the_list_shows_them(quadflow):
    """The next step above what was measured, beside the name of every figure."""
    lines = quadflow("figure", "--list").out.splitlines()
    for line, name in zip(lines, sorted(command.commands), strict=True):
        assert line.split()[0] == name
        assert " ".join(line.split()[1:3]) == in_steps(durations()[name])


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "1 s"),
        (1.0, "1 s"),
        (1.1, "2 s"),
        (9.0, "10 s"),
        (31.0, "1 min"),
        (61, "2 min"),
        (9999, "60 min"),
    ],
)
def test_steps(seconds, words):
    assert in_steps(seconds) == words
    assert list(STEPS) == sorted(STEPS)


def test_files_that_figures_read_are_made_before():
    """By a command whose time does not count; they are figures of the gallery."""
    assert set(FILES) <= set(command.commands)


def test_measuring_writes_what_was_measured(tmp_path):
    """The fastest figure; the entry of another stays, that of a figure that is no more goes."""
    file = tmp_path / "durations.json"
    file.write_text(json.dumps({"seconds": {"atlas": 7.5, "gone": 3.0}}))
    main(["phase-portrait"], file)
    content = json.loads(file.read_text())
    assert set(content["seconds"]) == {"atlas", "phase-portrait"}
    assert content["seconds"]["atlas"] == 7.5
    assert 0.3 < content["seconds"]["phase-portrait"] < 60  # Python alone takes longer than the one
    assert set(content) == set(json.loads(FILE.read_text(encoding="utf-8")))


def test_an_unknown_figure_is_named(tmp_path):
    with pytest.raises(SystemExit, match="no figure phase-potrait: choose from activations, atlas"):
        main(["phase-potrait"], tmp_path / "durations.json")
