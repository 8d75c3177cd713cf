"""`--size`, `--title`, `--xscale`, `--style` and `--dpi` of every figure."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.image import imread

from quadflow.cli import run
from quadflow.commands import figure

PORTRAIT = ["figure", "phase-portrait", "--output"]
LOOK = ("--size", "--title", "--xscale", "--style", "--dpi")


def call(*arguments) -> int:
    return run([str(a) for a in arguments])


@pytest.mark.parametrize("name", figure.command.commands)
def test_every_figure_has_them(name):
    known = {option for p in figure.command.commands[name].params for option in p.opts}
    assert known >= set(LOOK)


def test_size_and_resolution_are_those_of_the_file(tmp_path):
    assert call(*PORTRAIT, tmp_path / "a.png", "--size", "4x3", "--dpi", "50") == 0
    assert imread(tmp_path / "a.png").shape[:2] == (150, 200)
    assert call(*PORTRAIT, tmp_path / "b.png", "--dpi", "100") == 0
    assert imread(tmp_path / "b.png").shape[:2] == (390, 340)


def test_style_and_title_are_in_the_file(tmp_path):
    assert call(*PORTRAIT, tmp_path / "a.svg", "--style", "dark", "--title", "Mine & yours") == 0
    text = (tmp_path / "a.svg").read_text()
    assert "#131416" in text
    assert "Mine &amp; yours" in text
    assert call(*PORTRAIT, tmp_path / "b.svg") == 0
    assert "#131416" not in (tmp_path / "b.svg").read_text()


def test_a_dark_picture_is_dark(tmp_path):
    assert call(*PORTRAIT, tmp_path / "a.png", "--style", "dark", "--dpi", "40") == 0
    assert np.median(imread(tmp_path / "a.png")[..., :3]) < 0.15


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--size", "4"], "'4' is no size: give width and height in inches"),
        (["--size", "4x0.5"], "'4x0.5' is no size"),
        (["--size", "nanx3"], "'nanx3' is no size"),
        (["--dpi", "5"], "`dpi` is 5, but must lie between 20 and 1200"),
        (["--style", "neon"], "'neon' is not one of"),
        (["--size", "1x1"], "`size` is 1x1, which leaves the panels no room"),
        (["--xscale", "log"], "`xscale` is 'log', but this figure has no time axis"),
    ],
)
def test_what_cannot_be_is_refused(arguments, words, tmp_path, capsys):
    assert call(*PORTRAIT, tmp_path / "a.png", *arguments) == 2
    assert words in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_one_figure_does_not_leave_its_look_to_the_next(tmp_path):
    assert call(*PORTRAIT, tmp_path / "a.png", "--size", "4x3", "--dpi", "50") == 0
    assert call(*PORTRAIT, tmp_path / "b.png", "--dpi", "50") == 0
    assert imread(tmp_path / "b.png").shape[:2] == (195, 170)


def test_a_configuration_sets_them_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "figure.toml"
    file.write_text('command = "figure phase-portrait"\nsize = "4x3"\ndpi = 50\noutput = "a.png"\n')
    assert call("run", file) == 0
    assert imread(tmp_path / "a.png").shape[:2] == (150, 200)
