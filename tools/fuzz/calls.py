"""Calls as hypothesis draws them, from the click commands: every command, every option and argument."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click
from hypothesis import strategies as st

from quadflow.cli import cli
from tools.fuzz.values import OUTPUTS, values

# Options that keep a call short, given before the drawn ones (the last one wins); only those that the command has.
SHORT = {
    "derive": "--inputs 2 --hidden 2",
    "simulate": "--teacher 2,1 --t-end 1 --records 3",
    "train": "--teacher 2,1 --steps 3 --records 3 --batch 8",
    "compare": "--teacher 2,1 --steps 3 --records 3 --batch 8",
    "sweep": "--teacher 2,1 --steps 3 --records 3 --batch 8 --workers 0 --vary init-scale=0.1,0.2",
    "study": "--data wine --quick --epochs 1 --seeds 1 --workers 0",
    "fixed-points": "--teacher 2,1 --hidden 2",
    "reproduce": "--quick",
    "schedule": "--teacher 2,1 --hidden 2 --steps 3 --schedules cosine",
    "staircase": "--teacher 2,1 --hidden 3",
    "gaussianity": "--teacher 2,1 --t-end 0.1 --records 3 --batch 8",
    "sample-size": "--teacher marchenko-pastur:2 --alpha 0.5",
    "escape": "--teacher 1 --inputs 3 --t-end 0.1 --step 0.01",
    "conserved": "--inputs 1 --hidden 2",
    "diagnose": "--teacher 2,1",
    "invariance": "--inputs 2 --hidden 2 --outputs 1 --steps 3 --batch 4",
    "hannet": "--layers 3 --width 4 --steps 2 --train checkerboard",
    "neuron": "--inputs 2 --hidden 2 --t-end 1 --records 3 --starts 2 --seeds 1",
    "figure": "--teacher 2,1 --inputs 2 --hidden 2 --outputs 1 --steps 3 --t-end 0.1 --records 3 --batch 8 --seeds 2 "
    "--samples 8 --points 2 --replicates 1 --search 2 --starts 2 --count 100 --trained-modes 2 --layers 3 --width 4",
}
# Figures whose options have other meanings, and whose other options would make them long.
FIGURES = {
    "activations": "--inputs 2 --hidden 2 --t-end 0.1,0.1,0.1 --batch 8 --seeds 1",
    "escape-times": "--activations quadratic,relu --largest 7,7 --rates none --seeds 2",
    "exit-times": "--inputs 10,20 --seeds 3",
    "gaussianity": "--components 3 --hidden 2 --t-end 0.1 --step 0.01 --batch 8 --seeds 2",
    "universality": "--teacher 2,1 --dimensions 2,3 --hidden 2 --t-end 0.1 --draws 1",
    "sample-size": "--inputs 10 --alphas 0.6 --decays 0.5 --clean-alphas none --points 2 --seeds 1",
    "published": "--result recovery",
    "late-time": "--teacher 2,1 --inputs 2 --step 0.1 --batch 8",
    "scaling-law": "--count 100 --trained-modes 2 --step 0.1",
    "scale-diagram": "--hidden 2 --points 2 --replicates 1 --step 0.1",
    "phase-diagram": "--points 2 --step 0.1",
    "collapse": "--teacher 2,1 --hidden 2 --rates 1,2,2 --points 2 --patience 0.1 --batch 8",
    "symmetric-plateau": "--teacher 1,1 --hidden 2 --inputs 2 --search 1 --t-end 0.1 --batch 8 --seeds 1",
    "saddle-graph": "--teacher 2,1 --hidden 2 --t-end 0.1 --batch 8",
}
# With a scheduler's address a call would wait for an answer of the network; all published results take seconds.
LEFT_OUT = {"scheduler", "everything"}


@dataclass(frozen=True)
class Call:
    """A command with its arguments."""

    command: str
    arguments: tuple[str, ...]


def commands(
    group: click.Group | None = None, words: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    """Every command and figure, by the words that call it."""
    group = group or cli
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


def calls(files: list[str]) -> st.SearchStrategy[Call]:
    """Any call; figures count together as much as one or two commands, since drawing takes its time."""
    every = dict(commands())
    figures = [name for name in every if name.startswith("figure ")]
    others = [name for name in every if name not in figures]
    named = st.sampled_from([*others, *["figure "] * 2]).flatmap(
        lambda name: st.sampled_from(figures) if name == "figure " else st.just(name)
    )
    return named.flatmap(lambda name: _call(name, every[name], files))


def drawn_options(command: click.Command) -> dict[str | None, click.Option]:
    """Its options by name, but those left out."""
    return {p.name: p for p in command.params if isinstance(p, click.Option) and p.name not in LEFT_OUT}


@st.composite
def _call(draw: st.DrawFn, name: str, command: click.Command, files: list[str]) -> Call:
    """Most values are sensible, so that many calls go all the way; up to two are not."""
    options = drawn_options(command)
    hostile = draw(st.sampled_from([0, 0, 1, 1, 1, 2]))

    def value(parameter: click.Parameter) -> str:
        nonlocal hostile
        sensible, others = values(name, parameter, files)
        strange = hostile > 0 or not sensible
        hostile -= strange
        return draw(st.sampled_from(others if strange else sensible))

    drawn: list[str] = []
    for option in (
        draw(st.lists(st.sampled_from([*options.values()]), max_size=4, unique=True)) if options else []
    ):
        flag = draw(st.sampled_from(option.opts))
        text = None if option.is_flag else value(option)
        drawn += [flag] if text is None else [f"{flag}={text}"] if text.startswith("-") else [flag, text]
    positional = []
    for argument in (p for p in command.params if isinstance(p, click.Argument)):
        many = draw(st.integers(0, 2)) if argument.nargs == -1 else draw(st.sampled_from([1] * 7 + [0]))
        positional += [value(argument) for _ in range(many)]
    if name == "run":  # the options belong to the command that the file names
        drawn = [*draw(st.sampled_from([[], ["--json"], ["--seed", "1"], ["--nonsense"], ["--seed", "x"]]))]
        return Call(name, (*positional[:1], *drawn))
    if any(text.startswith("-") for text in positional):
        drawn.append("--")
    return Call(name, (*_short(name, options), *drawn, *positional))


def _short(name: str, options: dict[str | None, click.Option]) -> list[str]:
    """Options that keep the call short and put a default output where nothing is harmed."""
    first, _, figure = name.partition(" ")
    words = FIGURES.get(figure, SHORT.get(first, ""))
    pairs = [tuple(f"--{part}".split()) for part in f" {words}".split(" --")[1:]]  # a flag has no value
    if name.startswith("figure ") or name in ("report", "explore", "sweep", "study"):
        pairs.append(("--output", OUTPUTS[name.split()[0]]))
    if "max_evaluations" in options:
        pairs.append(("--max-evaluations", "3000"))
    known = {flag for option in options.values() for flag in option.opts}
    if {"--steps", "--t-end"} <= known and name.startswith("figure "):  # one of them
        pairs = [pair for pair in pairs if pair[0] != "--t-end"]
    return [word for pair in pairs if pair[0] in known for word in pair]
