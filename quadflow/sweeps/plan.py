"""From the options of `quadflow sweep` to its plan."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from dynamics.errors import ProblemError
from dynamics.suggestions import did_you_mean
from empirical.datasets.arrays import files_of
from empirical.sweep.grid import SWEPT, Axis, SweepPlan
from quadflow.notes import note
from quadflow.options.ignored import DRAWN
from quadflow.options.reading import parse_activations
from quadflow.options.reading_data import option_name
from quadflow.sweeps.ranges import number_range, numbers
from quadflow.sweeps.run import check_problem, options_of

FILE_OPTIONS = ("teacher", "covariance", "init_file", "init_order", "init_form", "schedule", "data")
FILE_SUFFIXES = (".npy", ".csv", ".npz", ".pt", ".pth", ".ckpt", ".safetensors", ".tsv", ".parquet")
LISTS = ("teacher", "times", "betas", "data", "target", "classes")  # their values contain commas
ACTIVATIONS = ("activation", "teacher_activation")  # names, whose parameters may have commas between them
RATES = ("weight_decay",)  # a number, or two of them with a comma


def build_plan(
    command: click.Command,
    kinds: tuple[str, ...],
    vary: Iterable[str],
    replicates: int,
    same_seeds: bool,
    options: Mapping[str, Any],
) -> SweepPlan:
    """Plan from the values of the command's options; refused if nothing in it could run."""
    for kind in kinds:
        if kind not in SWEPT:
            raise ProblemError(f"`kinds` has {kind!r}, but must be some of: {', '.join(SWEPT)}.")
    known = set().union(*(options_of(kind) for kind in kinds))
    axes = tuple(parse_axis(text, command, known) for text in vary)
    if options.get("own_network") is not None:
        _check_own(kinds, axes)
    shared = {name: value for name, value in options.items() if name in known}
    for name in FILE_OPTIONS:
        shared[name] = _absolute(shared.get(name))
    axes = tuple(
        Axis(axis.name, tuple(map(_absolute, axis.values))) if axis.name in FILE_OPTIONS else axis
        for axis in axes
    )
    for start in ("init_file", "init_order", "init_form"):
        if shared[start] is not None or start in [axis.name for axis in axes]:
            useless = [option_name(axis.name) for axis in axes if axis.name in DRAWN]
            note(f"`--vary {name[2:]}` has no effect beside `{option_name(start)}`" for name in useless)
    plan = SweepPlan(kinds, shared, axes, replicates, options["seed"], same_seeds)
    _check_first(plan)
    return SweepPlan(kinds, shared, axes, replicates, options["seed"], same_seeds, _digests(plan))


def _check_own(kinds: tuple[str, ...], axes: tuple[Axis, ...]) -> None:
    """Refuse what means nothing to a network of one's own."""
    from quadflow.options.own_network import refuse_others
    from quadflow.own_networks.sweep import MACHINE, check_axes, honoured

    check_axes(kinds, [axis.name for axis in axes])
    refuse_others((*honoured(kinds), *MACHINE))


def parse_axis(text: str, command: click.Command, known: set[str]) -> Axis:
    """Axis from NAME=START:STOP:COUNT[:log] or NAME=V1,V2,… (teachers and lists of times: separated by ;)."""
    label, separator, values = text.partition("=")
    name = label.strip().lstrip("-").replace("-", "_")
    if not separator or not values:
        raise ProblemError(
            f"`--vary` is {text!r}, but must be NAME=START:STOP:COUNT, the same with :log, or NAME=V1,V2,…"
        )
    options = {str(p.name): p for p in command.params if isinstance(p, click.Option) and not p.is_flag}
    if name not in known or name not in options:
        allowed = sorted(n.replace("_", "-") for n in known & set(options))
        hint = did_you_mean(label.strip(), allowed)
        raise ProblemError(f"`--vary` names {label!r}.{hint} These can be varied: {', '.join(allowed)}.")
    type_ = options[name].type
    if name in RATES and ";" not in values:  # one rate each; pairs are separated by ;
        return Axis(
            name, number_range(text, values, False) if ":" in values else numbers(text, values, False)
        )
    if isinstance(type_, click.types.IntParamType | click.types.FloatParamType):
        whole = isinstance(type_, click.types.IntParamType)
        return Axis(
            name, number_range(text, values, whole) if ":" in values else numbers(text, values, whole)
        )
    if name in ACTIVATIONS:
        return Axis(name, tuple(parse_activations(values)))
    separator = ";" if name in (*LISTS, *RATES) else ","
    return Axis(name, tuple(part.strip() for part in values.split(separator)))


def _absolute(value: Any) -> Any:
    """Paths as workers in another folder find them; everything else as it is."""
    if isinstance(value, str) and Path(value).suffix.lower() in FILE_SUFFIXES:
        return ",".join(str(Path(file).absolute()) for file in files_of(value))
    return value


def _digests(plan: SweepPlan) -> dict[str, str]:
    """SHA-256 of every file that the options name."""
    values = [plan.options.get(name) for name in FILE_OPTIONS]
    values += [value for axis in plan.axes if axis.name in FILE_OPTIONS for value in axis.values]
    named = [v for v in values if isinstance(v, str) and Path(v).suffix.lower() in FILE_SUFFIXES]
    files = [Path(file) for value in named for file in files_of(value)]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file()}


def _check_first(plan: SweepPlan) -> None:
    """Refuse a sweep none of whose problems can be built, with what is wrong in the first."""
    first: ProblemError | None = None
    for run in plan.runs():
        try:
            check_problem(run.options)
            return
        except ProblemError as error:
            first = first or error
    assert first is not None
    raise first
