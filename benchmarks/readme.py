"""The commands that the README shows, with what they print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^    \$ quadflow .*\n(?:    (?!\$).*\n|\n(?=    (?!\$)))*", flags=re.M)

Chain = list[tuple[str, str]]
"""A command without its first word and its output, and those that read the files it writes."""


def chains(text: str) -> list[Chain]:
    """All commands of a text, those that need each other's files together."""
    found: list[Chain] = []
    made: dict[str, Chain] = {}  # file → chain of the command that writes it
    for block in BLOCK.findall(text.replace("\\\n", " ")):
        lines = [line[4:] for line in block.rstrip().splitlines()]
        command = " ".join(lines[0].removeprefix("$ quadflow ").split())
        chain = next((made[word] for word in shlex.split(command) if word in made), [])
        if not chain:
            found.append(chain)
        chain.append((command, "\n".join(lines[1:])))
        made |= {file: chain for file in re.findall(r"--output (\S+)", command)}
    return found
