"""Pages of the reference, written before the build: one per command, one per module, and the public names.

The commands come from the table in `quadflow.cli`, the public names from the `__init__.pyi` stubs of the packages,
the modules from the folders: nothing is listed twice.
"""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

from plain_docstrings import escape
from quadflow.cli import cli

FLOORS = {
    "dynamics": "The theory: NumPy, SciPy and SymPy.",
    "empirical": "Networks, data, training and measurement: PyTorch.",
    "figures": "Results to figures: Matplotlib.",
}
FOLDER = "reference/generated"


def commands(
    group: click.Group = cli, path: str = "quadflow"
) -> Iterator[tuple[str, click.Context]]:
    """Every command with its full name; a group comes before its commands."""
    context = click.Context(group, info_name=path)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(
            command, info_name=f"{path} {name}", **command.context_settings
        )
        yield inner.info_name or name, inner
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


def command_page(name: str, context: click.Context) -> str:
    """Usage, help, options with the same words as `--help`, and the example."""
    command = context.command
    pieces = " ".join(command.collect_usage_pieces(context))
    lines = [
        name,
        "=" * len(name),
        "",
        f".. program:: {name}",
        "",
        "::",
        "",
        f"   {name} {pieces}",
        "",
    ]
    lines += [escape(line) for line in inspect.cleandoc(command.help or "").splitlines()]
    if command.epilog:
        lines += [
            "",
            escape(command.epilog)
            .replace("Example: ", "Example::\n\n   ", 1)
            .replace("\\", ""),
        ]
    lines.append("")
    if isinstance(command, click.Group):
        lines += overview(dict(commands(command, name)))
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and record[0] != "-h, --help":
            lines += [
                f".. option:: {record[0]}",
                "",
                f"   {escape(' '.join(record[1].split()))}",
                "",
            ]
    return "\n".join(lines)


def overview(found: dict[str, click.Context]) -> list[str]:
    """Commands, each with its sentence and a link to its page."""
    lines = ["", ".. list-table::", "   :widths: 30 70", ""]
    for name, context in found.items():
        help = escape(context.command.get_short_help_str(200))
        lines += [f"   * - :doc:`{name} </{FOLDER}/{_file(name)}>`", f"     - {help}"]
    return [
        *lines,
        "",
        ".. toctree::",
        "   :hidden:",
        "",
        *(f"   /{FOLDER}/{_file(name)}" for name in found),
        "",
    ]


def modules(package: str) -> Iterator[str]:
    """Names of all modules of a package that have something public to say."""
    folder = importlib.import_module(package).__path__
    for info in pkgutil.walk_packages(folder, f"{package}."):
        if not info.ispkg:
            yield info.name


def public_names(package: str) -> dict[str, str]:
    """Name → full name where it is defined, from the stubs of a package and of its subpackages."""
    names: dict[str, str] = {}
    root = Path(importlib.import_module(package).__path__[0])
    for stub in sorted(root.rglob("__init__.pyi")):
        where = ".".join([package, *stub.parent.relative_to(root).parts])
        for statement in ast.parse(stub.read_text()).body:
            if isinstance(statement, ast.ImportFrom):
                for alias in statement.names:
                    names[f"{where}.{alias.name}"] = (
                        f"{where}.{statement.module}.{alias.name}"
                    )
    return names


def first_sentence(full_name: str) -> str:
    """What an object says about itself first."""
    module, name = full_name.rsplit(".", 1)
    thing = getattr(importlib.import_module(module), name)
    if isinstance(thing, Mapping):
        return f"Table of {', '.join(thing)}."
    text = inspect.getdoc(thing) or ""
    return " ".join(text.split("\n\n")[0].split())


def package_page(package: str) -> str:
    """Public names of a package, by the package one imports them from, and the list of its modules."""
    lines = [package, "=" * len(package), "", FLOORS[package], ""]
    by_package: dict[str, list[tuple[str, str]]] = {}
    for name, full_name in public_names(package).items():
        where, short = name.rsplit(".", 1)
        by_package.setdefault(where, []).append((short, full_name))
    for where, names in by_package.items():
        title = f"``from {where} import`` …"
        lines += [title, "-" * len(title), "", ".. list-table::", "   :widths: 30 70", ""]
        for short, full_name in names:
            lines += [
                f"   * - `{short} <{full_name}>`",
                f"     - {escape(first_sentence(full_name))}",
            ]
        lines.append("")
    lines += ["Modules", "-------", "", ".. toctree::", "   :maxdepth: 1", ""]
    lines += [
        f"   {name.removeprefix(f'{package}.')} <{name}>" for name in modules(package)
    ]
    return "\n".join([*lines, ""])


def module_page(name: str) -> str:
    """One module, everything public in it."""
    return "\n".join(
        [name, "=" * len(name), "", f".. automodule:: {name}", "   :members:", ""]
    )


def write_pages(app: Sphinx) -> None:
    """Write the pages that changed and remove those whose subject is gone."""
    folder = Path(app.srcdir, FOLDER)
    found = dict(commands())
    pages = {_file(name): command_page(name, context) for name, context in found.items()}
    first = {name: context for name, context in found.items() if name.count(" ") == 1}
    pages["commands.inc"] = "\n".join(overview(first))
    for package in FLOORS:
        pages[package] = package_page(package)
        pages |= {name: module_page(name) for name in modules(package)}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        path = folder / (name if name.endswith(".inc") else f"{name}.rst")
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    for path in folder.glob("*.rst"):
        if path.stem not in pages:
            path.unlink()


def resolve_public_name(
    app: Sphinx, env: Any, node: pending_xref, text: nodes.TextElement
) -> Any:
    """`dynamics.GradientFlow`, or `GradientFlow` alone, leads to where the class is defined."""
    if node.get("refdomain") != "py":
        return None
    names = {
        name: full for package in FLOORS for name, full in public_names(package).items()
    }
    short = {name.rsplit(".", 1)[1]: full for name, full in reversed(names.items())}
    target = node["reftarget"]
    full = names.get(target) or short.get(target)
    if full is None:
        return None
    domain = env.domains["py"]
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", full, node, text)


def _file(command: str) -> str:
    return command.replace(" ", "-")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write before the sources are looked for."""
    app.connect("builder-inited", write_pages)
    app.connect("missing-reference", resolve_public_name)
    return {"parallel_read_safe": True}
