"""What README and tour show: commands with what they print, and blocks of Python."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = (README, *sorted(ROOT.glob("docs/tour/*.rst")))
BLOCK = re.compile(r"^    \$ quadflow .*\n(?:    (?!\$).*\n|\n(?=    (?!\$)))*", flags=re.M)
PYTHON = re.compile(r"^(?:```python\n((?:.*\n)*?)```|\.\. python::\n((?:   .*\n|\n)+))", flags=re.M)

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


def all_chains() -> list[Chain]:
    """Those of README and tour, each once."""
    found: list[Chain] = []
    for page in PAGES:
        found += [chain for chain in chains(page.read_text()) if chain not in found]
    return found


def python_blocks(text: str) -> list[str]:
    """Blocks of Python, in Markdown or of the directive `python`."""
    return [fenced or dedent(directive) for fenced, directive in PYTHON.findall(text)]


def blocks_before(chain: Chain) -> list[str]:
    """Blocks of the README that write files that the commands of a chain read."""
    words = {word for command, _ in chain for word in shlex.split(command)}
    written = re.compile(r'\bsave\w*\("([^"]+)"')
    return [block for block in python_blocks(README.read_text()) if words & {*written.findall(block)}]
