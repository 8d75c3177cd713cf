"""`--output x.gif` and `x.mp4` of the figures that can be animated, `--seconds` and `--frames-per-second`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.image import imread
from PIL import Image

from figures.animation.gif_writer import ColourTable
from figures.animation.table import ANIMATED
from quadflow.cli import run
from quadflow.commands import figure

SPECTRUM = ["figure", "spectrum", *["--teacher", "2,1", "--hidden", "2", "--t-end", "0.5", "--points", "5"]]
SHORT = ["--seconds", "0.2", "--dpi", "50"]  # four frames
OPTIONS = {"--seconds", "--frames-per-second"}


def call(*arguments) -> int:
    return run([str(a) for a in arguments])


def read(path):
    """Frames (n, height, width, 3), and seconds in all."""
    with Image.open(path) as image:
        shown, seconds = [], 0.0
        for n in range(image.n_frames):
            image.seek(n)
            shown.append(np.asarray(image.convert("RGB")).astype(int))
            seconds += image.info["duration"] / 1000
    return np.array(shown), seconds


@pytest.mark.parametrize("name", figure.command.commands)
def test_those_of_the_table_have_the_options(name):
    known = {option for p in figure.command.commands[name].params for option in p.opts}
    assert (known >= OPTIONS) == (name in ANIMATED)
    assert not known & OPTIONS or known >= OPTIONS


@pytest.mark.parametrize(
    ("name", "options"),
    [
        pytest.param("learning-curves", "--steps 40 --step 2e-3 --batch 16", marks=pytest.mark.slow),
        pytest.param("phase-portrait", "--start -1,1.6", marks=pytest.mark.slow),
        ("saddle-graph", "--teacher 2,1 --hidden 2 --t-end 0.2 --batch 16"),
        ("spectrum", " ".join(SPECTRUM[2:])),
    ],
)
def test_every_figure_is_animated(name, options, tmp_path):
    path = tmp_path / "x.gif"
    assert call("figure", name, *options.split(), *SHORT, "--output", path) == 0
    assert read(path)[1] == pytest.approx(2.2)
    assert list(tmp_path.iterdir()) == [path]


def test_frames_length_and_last_frame(tmp_path, capsys):
    """Ten frames of 0.1 s, the last 2 s longer; it is the still figure, in at most 255 colours."""
    path = tmp_path / "x.GIF"
    timing = ["--seconds", "1", "--frames-per-second", "10", "--dpi", "50"]
    assert call(*SPECTRUM, *timing, "--title", "Mine", "--output", path) == 0
    assert capsys.readouterr().out.endswith(f"\nwritten: {path}\n")
    shown, seconds = read(path)
    assert (len(shown), seconds) == (10, pytest.approx(3.0))
    assert call(*SPECTRUM, "--title", "Mine", "--dpi", "50", "--output", tmp_path / "x.png") == 0
    still = np.rint(255 * imread(tmp_path / "x.png")[..., :3]).astype(np.int32)
    code = still[..., 0] << 16 | still[..., 1] << 8 | still[..., 2]
    np.testing.assert_array_equal(shown[-1], np.asarray(ColourTable(code).reduce(code).convert("RGB")))


def test_the_look_is_honoured(tmp_path):
    path = tmp_path / "x.gif"
    assert call(*SPECTRUM, *SHORT, "--size", "4x3", "--style", "dark", "--output", path) == 0
    shown, _ = read(path)
    assert shown.shape[1:3] == (150, 200)
    assert (shown[:, 0, 0] == [0x13, 0x14, 0x16]).all()


def test_without_a_resolution_there_are_150_points_to_the_inch(tmp_path):
    assert call(*SPECTRUM, "--seconds", "0.1", "--output", tmp_path / "x.gif") == 0
    assert read(tmp_path / "x.gif")[0].shape[1:3] == (660, 510)


@pytest.mark.parametrize("name", sorted(set(figure.command.commands) - set(ANIMATED)))
def test_others_stand_still(name, tmp_path, capsys):
    """Refused at once, before anything is computed."""
    file = [Path(__file__)] if name in ("study", "sweep") else []
    assert call("figure", name, *file, "--output", tmp_path / "x.gif") == 2
    *most, last = ANIMATED
    words = f"only {', '.join(most)} and {last} can be animated: its name must end in: png, pdf, svg."
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["x.avi"], "its name must end in: png, pdf, svg, gif, mp4."),
        (["x.mp4"], "but ffmpeg, which writes .mp4, is not installed: install it, or write a .gif."),
        (["x.gif", "--seconds", "90"], "`seconds` is 90, but must lie between 0.1 and 60."),
        (["x.gif", "--frames-per-second", "0"], "`frames_per_second` is 0, but must be positive."),
        (["x.gif", "--dpi", "600"], "`dpi` is 600, but must lie between 20 and 300."),
        (["no/x.gif"], "the folder"),
    ],
)
def test_what_cannot_be_is_refused(arguments, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with rc_context({"animation.ffmpeg_path": "no-such-program"}):
        assert call(*SPECTRUM, "--output", *arguments) == 2
    assert words in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_an_interruption_leaves_the_earlier_file(tmp_path, monkeypatch):
    path = tmp_path / "x.gif"
    path.write_bytes(b"earlier")

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("matplotlib.animation.FuncAnimation._draw_frame", interrupted)
    assert call(*SPECTRUM, *SHORT, "--output", path) != 0
    assert [p.name for p in tmp_path.iterdir()] == ["x.gif"]
    assert path.read_bytes() == b"earlier"


def test_of_a_still_picture_they_have_no_effect(tmp_path, capsys):
    assert call(*SPECTRUM, "--seconds", "3", "--dpi", "50", "--output", tmp_path / "x.png") == 0
    assert "`--seconds` has no effect on a picture that stands still." in capsys.readouterr().err
    assert call(*SPECTRUM, "--dpi", "50", "--output", tmp_path / "x.png") == 0
    assert capsys.readouterr().err == ""
