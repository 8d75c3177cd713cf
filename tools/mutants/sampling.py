"""The sample of mutants, and those nobody could notice."""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tools.mutants.operators import Mutation, mutations, package_files


@dataclass(frozen=True)
class Exclusions:
    """What `equivalent.toml` names, each with a reason.

    Parameters
    ----------
    keywords
        Arguments that no mutation touches, such as the width of a line.
    equivalent
        (file, text of the line, change) → why the mutant computes the same.
    """

    keywords: frozenset[str]
    equivalent: dict[tuple[str, str, str], str]

    @classmethod
    def read(cls, path: Path) -> Exclusions:
        """Read the file."""
        content = tomllib.loads(path.read_text())
        entries = content.get("equivalent", [])
        unexplained = [entry for entry in entries if not entry.get("reason")]
        if unexplained:
            raise SystemExit(f"{path}: the entry {unexplained[0]} gives no reason.")
        names = frozenset(name for group in content.get("keywords", []) for name in group["names"])
        return cls(names, {(e["file"], e["line"], e["change"]): e["reason"] for e in entries})

    def reason(self, mutation: Mutation) -> str | None:
        """Why the mutant is not counted, if it is not."""
        return self.equivalent.get((mutation.file, mutation.text, mutation.change))


def sample(
    root: Path,
    packages: list[str],
    files: list[str] | None,
    lines: list[int] | None,
    count: int,
    seed: int,
    exclusions: Exclusions,
) -> list[Mutation]:
    """`count` mutations, shared evenly by the packages, from places drawn at random: one change of each place.

    With `lines`, all mutations of these lines instead.
    """

    def places(modules: list[str]) -> list[list[Mutation]]:
        return [
            found
            for file in modules
            for found in mutations((root / file).read_bytes(), file, exclusions.keywords)
        ]

    if files and lines:
        return [m for place in places(files) for m in place if m.line in lines]
    groups = [files] if files else [[*package_files(root, [package])] for package in packages]
    random_numbers = random.Random(seed)
    chosen = []
    for number, modules in enumerate(groups):
        share = count // len(groups) + (number < count % len(groups))
        found = places(modules)
        drawn = random_numbers.sample(found, min(share, len(found)))
        chosen += [random_numbers.choice(place) for place in drawn]
    return chosen
