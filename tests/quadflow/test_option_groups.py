"""Help texts in groups, and choices that are spelt out: the names are those of the tables that decide."""

import click
import pytest

from dynamics.laws.model_table import MODELS
from dynamics.neuron.problem import INITS
from dynamics.problem.student import INITIALISATIONS, SECOND_LAYERS
from empirical.comparison import GAPS
from empirical.devices import DTYPES
from empirical.gradients import GRADIENTS
from empirical.optimizers import OPTIMIZERS
from quadflow.cli import COMMANDS, TASKS, cli
from quadflow.groups import GROUPS, Option, option_groups
from quadflow.options.one_of import OneOf

ROOT = click.Context(cli, info_name="quadflow", **cli.context_settings)


def leaves(group, context):
    """Contexts of all commands below a group."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        inner = click.Context(command, parent=context, info_name=name)
        yield from leaves(command, inner) if isinstance(command, click.Group) else [inner]


LEAVES = {context.command_path: context for context in leaves(cli, ROOT)}
# What may be said, by option, as the functions that take it say it.
TABLES = {
    "second_layer": SECOND_LAYERS,
    "init": INITIALISATIONS,
    "optimizer": OPTIMIZERS,
    "gap": GAPS,
    "dtype": DTYPES,
    "gradients": GRADIENTS,
    "model": MODELS,
}
NEURONS = ("quadflow neuron", "quadflow figure neuron")


@pytest.mark.parametrize("path", LEAVES)
def test_every_option_stands_in_one_group(path):
    """Groups are a partition of the options, in the order of the table, and help shows each under its title."""
    context = LEAVES[path]
    groups = option_groups(context)
    titles = [title for title, _ in groups]
    assert titles == [title for title in GROUPS if title in titles]
    every = context.command.get_params(context)
    shown = [p for p in every if isinstance(p, click.Option) and p.get_help_record(context)]
    listed = [p for _, options in groups for p in options]
    assert sorted(map(id, listed)) == sorted(map(id, shown))
    text = context.get_help()
    at = [text.index(f"\n{title}:\n") for title in titles]
    assert at == sorted(at)
    ends = [*at[1:], len(text)]
    for (_, options), start, end in zip(groups, at, ends, strict=True):
        assert all(f"  {max(p.opts, key=len)}" in text[start:end].replace("-h, ", "  ") for p in options)


def test_help_keeps_to_a_hundred_columns(quadflow, monkeypatch):
    """On wide terminals."""
    monkeypatch.setenv("COLUMNS", "200")
    for path in LEAVES:
        lines = quadflow(*path.split()[1:], "--help").out.splitlines()
        assert 80 < max(map(len, lines)) <= 100, path


def test_options_of_the_problem_stand_together():
    """Structs say where their options belong: those of `simulate`, as its help is read."""
    groups = dict(option_groups(LEAVES["quadflow simulate"]))
    names = {title: [max(p.opts, key=len) for p in options] for title, options in groups.items()}
    assert names["Problem"][:4] == ["--teacher", "--inputs", "--hidden", "--outputs"]
    starts = ["--init-scale", "--init", "--init-file", "--init-tensors", "--init-order", "--init-form"]
    assert names["Start"] == [*starts, "--mean-field", "--seed"]
    assert names["Times"] == ["--t-end", "--times", "--records", "--log-times", "--until-loss"]
    assert names["Integration"] == ["--method", "--rtol", "--atol", "--max-evaluations"]
    assert names["Output"] == ["--output", "--json"]
    assert names["General"] == ["--config", "--help"]
    assert names["Options"] == ["--hessian"]  # of its own


def test_choices_are_those_of_the_tables():
    """Wherever an option takes one of a few names, the help text lists what the called function allows."""
    seen = set()
    for path, context in LEAVES.items():
        for parameter in context.command.params:
            if not isinstance(parameter.type, OneOf) or parameter.name not in TABLES:
                continue
            table = INITS if parameter.name == "init" and path in NEURONS else TABLES[parameter.name]
            assert [*parameter.type.choices] == [*table], (path, parameter.name)
            assert parameter.hidden or f"[{'|'.join(table)}]" in context.get_help()
            seen.add(parameter.name)
    assert seen == set(TABLES)


def test_another_name_is_refused_with_the_nearest(quadflow):
    """In the sentence of the function which the value is for."""
    result = quadflow("simulate", "--teacher", "1", "--second-layer", "trainabel")
    assert result.status == 2
    assert (
        "`second_layer` is 'trainabel' (did you mean 'trainable'?), but must be one of: trainable, fixed."
        in (result.err)
    )


def test_commands_are_listed_by_task(quadflow):
    """Every command once, under its task, with its first sentence in full."""
    assert [name for names in TASKS.values() for name in names] == [*COMMANDS]
    text = quadflow("--help").out
    at = [text.index(f"\n{task}:\n") for task in TASKS]
    assert at == sorted(at)
    for (_, names), start, end in zip(TASKS.items(), at, [*at[1:], len(text)], strict=True):
        assert all(f"\n  {name} " in text[start:end] for name in names)
    assert "..." not in text.replace("[ARGS]...", "")


def test_a_group_that_nobody_listed_is_not_lost():
    """An option's group is one of the table: what stands elsewhere would vanish from the help."""
    for path, context in LEAVES.items():
        strange = [p.name for p in context.command.params if isinstance(p, Option) and p.group not in GROUPS]
        assert not strange, path
