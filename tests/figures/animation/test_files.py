"""Animations as files, read back: how many frames, how long each, of which colours; MP4 by what ffmpeg is given."""

from __future__ import annotations

import io
import json
import shutil
import sys
from itertools import pairwise

import numpy as np
import pytest
from filmed import animate_small
from matplotlib import rc_context
from PIL import Image

from dynamics import ComputationError, ProblemError
from figures import save_animation
from figures.animation.gif_writer import ColourTable


def read(file):
    """Frames (n, height, width, 3) of a GIF, seconds for which each is shown."""
    with Image.open(file) as image:
        shown, seconds = [], []
        for n in range(image.n_frames):
            image.seek(n)
            shown.append(np.asarray(image.convert("RGB")).astype(int))
            seconds.append(image.info["duration"] / 1000)
        assert image.info["loop"] == 0  # for ever
    return np.array(shown), np.array(seconds)


@pytest.fixture(scope="module")
def film(trajectory, networks):
    return animate_small("learning-curves", trajectory, networks, seconds=0.5, frames_per_second=12)


def test_a_gif_has_so_many_frames_and_lasts_so_long(film):
    """Six frames of 1/12 s, in hundredths: ends at 8, 17, 25, 33, 42, 50; the last stays for 2 s more."""
    file = io.BytesIO()
    save_animation(film, file, "gif")
    shown, seconds = read(file)
    assert shown.shape == (6, 252, 204, 3)
    np.testing.assert_allclose(seconds, [0.08, 0.09, 0.08, 0.08, 0.09, 2.08])
    assert all((a != b).any() for a, b in pairwise(shown))


def test_its_last_frame_is_the_still_figure_in_255_colours(film, frames):
    """White stays white, and no colour changes from frame to frame where nothing moves, as in the legend."""
    file = io.BytesIO()
    save_animation(film, file, "gif", hold=0.0)
    shown, seconds = read(file)
    assert seconds[-1] == pytest.approx(0.08)
    last = frames(film)[-1]
    code = last[..., 0] << 16 | last[..., 1] << 8 | last[..., 2]
    np.testing.assert_array_equal(shown[-1], np.asarray(ColourTable(code).reduce(code).convert("RGB")))
    assert (shown[-1] == last).all(axis=-1).mean() > 0.95
    assert (np.abs(shown[-1] - last) < 32).mean() > 0.999
    assert (shown[:, 0, 0] == 255).all()
    legend = shown[:, :24]
    assert (legend == legend[-1]).all()
    assert (legend != 255).any()


def test_the_same_animation_gives_the_same_bytes(film):
    """Also if an earlier film was broken off, and the figure is where that was left: colours are those of the whole."""
    files = [io.BytesIO(), io.BytesIO()]
    film.finish()
    save_animation(film, files[0], "gif")
    film._func(0.0)
    save_animation(film, files[1], "gif")
    assert files[0].getvalue() == files[1].getvalue()


def test_frequent_colours_are_kept_others_become_the_nearest():
    """255 greys twice each, and (250, 0, 0) once: nearest is the grey n with the least (n − 250)² + 2 n², n = 83."""
    greys = np.arange(255, dtype=np.int32) * 0x010101
    picture = np.append(np.repeat(greys, 2), [250 << 16, 250 << 16])[None, :-1]
    reduced = np.asarray(ColourTable(picture).reduce(picture).convert("RGB"))[0]
    np.testing.assert_array_equal(reduced[:510], np.repeat(np.arange(255), 2)[:, None] * [1, 1, 1])
    assert reduced[510].tolist() == [83, 83, 83]


@pytest.fixture(scope="module")
def short(plane):
    return animate_small("phase-portrait", plane, seconds=0.25, frames_per_second=12)


FAKE = """#!{python}
import json, sys
data = sys.stdin.buffer.read()
json.dump({{"options": sys.argv[1:-1], "bytes": len(data), "last": list(data[-4:])}}, open(sys.argv[-1], "w"))
"""
BROKEN = """#!{python}
import sys
sys.stdin.buffer.read()
sys.exit("Unknown encoder\\nConversion failed!")
"""


@pytest.fixture
def ffmpeg(tmp_path):
    """A program in the place of ffmpeg, by its text."""

    def install(text):
        program = tmp_path / "ffmpeg"
        program.write_text(text.format(python=sys.executable))
        program.chmod(0o755)
        return rc_context({"animation.ffmpeg_path": str(program)})

    return install


def test_ffmpeg_gets_all_frames_and_holds_the_last(short, ffmpeg, tmp_path):
    """Three of 204 x 234 points of 4 bytes at 12 per second; it clones the last frame for 2 s, as H.264."""
    with ffmpeg(FAKE):
        save_animation(short, tmp_path / "x.mp4")
    got = json.loads((tmp_path / "x.mp4").read_text())
    assert got["bytes"] == 3 * 204 * 234 * 4
    assert got["last"] == [255] * 4
    options = dict(pairwise(got["options"]))
    assert options["-s"] == "204x234"
    assert float(options["-framerate"]) == pytest.approx(12)
    assert options["-vf"] == "tpad=stop_mode=clone:stop_duration=2"
    assert got["options"][-7:-3] == ["-vcodec", "h264", "-pix_fmt", "yuv420p"]


def test_why_ffmpeg_failed_is_said(short, ffmpeg, tmp_path):
    with (
        ffmpeg(BROKEN),
        pytest.raises(ComputationError, match="ffmpeg could not write the film: Conversion failed!"),
    ):
        save_animation(short, tmp_path / "x.mp4")
    assert not (tmp_path / "x.mp4").exists()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_the_real_ffmpeg(short, tmp_path):
    """An ISO file, whose first box is of the type ftyp."""
    save_animation(short, tmp_path / "x.mp4")
    assert (tmp_path / "x.mp4").read_bytes()[4:8] == b"ftyp"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x.mp4", "'.*x.mp4', but ffmpeg, which writes .mp4, is not installed: install it, or write a .gif."),
        ("x.avi", "an animation must end in: gif, mp4."),
    ],
)
def test_what_cannot_be_written_is_refused(name, words, film, tmp_path):
    film._draw_was_started = True
    with rc_context({"animation.ffmpeg_path": "no-such-program"}), pytest.raises(ProblemError, match=words):
        save_animation(film, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_an_interruption_leaves_nothing(film, tmp_path, monkeypatch):
    """Neither a file, nor the folder in which it is made."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def interrupted(*arguments, blit):
        raise KeyboardInterrupt

    monkeypatch.setattr(film, "_draw_next_frame", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_animation(film, tmp_path / "x.gif")
    assert not list(tmp_path.iterdir())
