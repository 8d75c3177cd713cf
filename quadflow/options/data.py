"""Options of a data set in place of a law of the inputs: which one, and what is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import click
from click.shell_completion import CompletionItem

from quadflow import groups
from quadflow.options.struct import option


def complete_data(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Sets of packages, and files."""
    from empirical.datasets.sources import PACKAGED

    named = [CompletionItem(name) for name in PACKAGED if name.startswith(incomplete)]
    return [*named, CompletionItem(incomplete, type="file")]


@dataclass(frozen=True)
class DataOptions:
    """A data set, its labels, and its coordinates."""

    GROUP: ClassVar[str] = groups.DATA

    data: str | None = option(
        metavar="SPEC",
        shell_complete=complete_data,
        help="Samples instead of a law: FILE.npz with X, y; FILE.csv or .parquet with --target; X.npy,y.npy; or "
        "digits, breast_cancer, diabetes, iris, wine, mnist1d. A --teacher then labels these inputs.",
    )
    target: str | None = option(
        metavar="COLUMN",
        help="Column of a table with the labels: its name, or its number from 0. Several with commas are several "
        "outputs. Of a --network what it learns: a polynomial in x_0, x_1, …, or teacher:SEED.",
    )
    classes: str | None = option(
        metavar="A,B",
        help="Learn these two classes, A as −1 and B as +1 (0 and 1 with --loss logistic), and leave out the samples "
        "of others.",
    )
    split: float = option(
        type=float,
        default=0.0,
        show_default=True,
        metavar="SHARE",
        help="Share of the samples held out, on which the test loss is measured; --seed chooses them.",
    )
    components: int | None = option(
        type=int, metavar="D", help="Scores along D principal axes as inputs, instead of the columns."
    )
    whiten: bool = option(
        is_flag=True, help="Scores of variance 1, along all principal axes or --components of them."
    )
    standardize_target: bool = option(
        is_flag=True, help="Labels minus their mean, in units of their standard deviation."
    )
