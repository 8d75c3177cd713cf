"""The README runs: its commands print what it shows (numbers aside), its Python blocks execute."""

import re
import shlex
from pathlib import Path

import pytest
import torch
from torch import nn

from quadflow.cli import run

README = Path(__file__).parents[1].joinpath("README.md").read_text()


def shown_commands():
    """Command, shown output and commands whose files it reads, of the blocks that start with `$ quadflow`."""
    text = README.replace("\\\n", " ")
    made: dict[str, str] = {}  # file → command that writes it
    for block in re.findall(r"^    \$ quadflow .*\n(?:    (?!\$).*\n|\n(?=    (?!\$)))*", text, flags=re.M):
        lines = [line[4:] for line in block.rstrip().splitlines()]
        command = lines[0].removeprefix("$ quadflow ")
        before = [maker for file, maker in made.items() if file in shlex.split(command)]
        yield pytest.param(command, "\n".join(lines[1:]), before, id=lines[0][11:50])
        made |= {file: command for file in re.findall(r"--output (\S+)", command)}


def words(text: str) -> list[str]:
    """Text without its numbers: they depend on the machine in the last digits, and on its speed."""
    return re.sub(r"[-+]?\d[\d.,]*(e[-+]?\d+)?", "#", text).split()


@pytest.mark.slow
@pytest.mark.parametrize(("command", "output", "before"), list(shown_commands()))
def test_commands_print_what_the_readme_shows(command, output, before, capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for maker in before:
        assert run(shlex.split(maker)) == 0
    capfd.readouterr()
    assert run(shlex.split(command)) == 0
    assert words(capfd.readouterr().out) == words(output)


@pytest.mark.slow
def test_python_blocks_execute_in_order(tmp_path, monkeypatch):
    """One namespace, as for a reader who types them one after the other."""
    monkeypatch.chdir(tmp_path)

    class Square(nn.Module):
        def forward(self, z):
            return z**2

    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8, bias=False), Square(), nn.Linear(8, 1, bias=False))
    namespace = {"model": model}
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.S)
    assert len(blocks) >= 4
    for block in blocks:
        exec(block.replace("range(5001)", "range(201)"), namespace)
    assert (tmp_path / "run.npz").exists()
    assert (tmp_path / "curves.pdf").exists()
    assert namespace["run"].steps.tolist() == [0, 100, 200]
