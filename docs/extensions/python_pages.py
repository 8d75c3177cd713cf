"""Pages of the Python reference: one for each task with its public names, and one for each module.

Public names come from the `__init__.pyi` stubs of the packages, modules from the folders. A name belongs to the task
that has the longest prefix of the module it is defined in.
"""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from plain_docstrings import escape

PACKAGES = ("dynamics", "empirical", "figures")
FOLDER = "reference/generated"


class Task(NamedTuple):
    """A page: its title, what it is about, and the modules whose public names it lists."""

    title: str
    about: str
    modules: tuple[str, ...]


TASKS = {
    "problem": Task(
        "The problem",
        "What is learned, by which network, from which inputs: teacher, student, activation, law of the inputs or data "
        "set, schedule.",
        (
            "dynamics.problem",
            "dynamics.activations",
            "dynamics.inputs",
            "dynamics.schedules",
            "dynamics.errors",
        ),
    ),
    "equations": Task(
        "Equations",
        "Moments, loss and flow as formulas, for given sizes and for all of them.",
        ("dynamics.symbolic",),
    ),
    "theory": Task(
        "Theory",
        "How it goes on from a start: flows, the mean and the spread of SGD, closed forms, predictions without "
        "integration.",
        ("dynamics",),
    ),
    "landscape": Task(
        "Stationary points, curvature and conserved quantities",
        "Where it can stop, how the loss bends on the way, and what stays constant.",
        (
            "dynamics.stationary",
            "dynamics.conserved",
            "dynamics.laws",
            "dynamics.curvature",
        ),
    ),
    "training": Task(
        "Training and comparison",
        "Real networks, measured as the theory measures them, and laid on it.",
        ("empirical",),
    ),
    "results": Task(
        "Results",
        "What flows, trainings and comparisons return: arrays with axes and units, saved, labelled and printed.",
        (
            "dynamics.curves",
            "dynamics.ensemble.trajectory",
            "empirical.training_run",
            "empirical.comparison.Comparison",
            "dynamics.outcome.verdict",
        ),
    ),
    "figures": Task(
        "Figures",
        "Each maker turns results into a figure, or draws into ``axes=`` of yours: :doc:`/do/my_figure`.",
        ("figures",),
    ),
    "companions": Task(
        "Companion systems",
        "Quadratic neurons with ReLinear, G-SGD on path space, Han layers.",
        (
            "dynamics.neuron",
            "dynamics.path_space",
            "empirical.neuron",
            "empirical.gsgd",
            "empirical.hannet",
        ),
    ),
}


class Name(NamedTuple):
    """A public name: the package one imports it from, and where it is defined."""

    package: str
    short: str
    full: str

    @property
    def thing(self) -> Any:
        """The object itself."""
        return getattr(importlib.import_module(self.package), self.short)


def public_names(package: str) -> list[Name]:
    """Names in the stub of a package, and in those of its subpackages, each once."""
    root = Path(importlib.import_module(package).__path__[0])
    names: dict[str, Name] = {}
    for stub in sorted(root.rglob("__init__.pyi"), key=lambda path: len(path.parts)):
        where = ".".join([package, *stub.parent.relative_to(root).parts])
        for statement in ast.parse(stub.read_text()).body:
            for alias in statement.names if isinstance(statement, ast.ImportFrom) else ():
                name = Name(where, alias.name, f"{where}.{statement.module}.{alias.name}")
                thing = name.thing
                if inspect.isclass(thing) or inspect.isroutine(thing):
                    name = name._replace(full=f"{thing.__module__}.{thing.__qualname__}")
                names.setdefault(name.full, name)
    return list(names.values())


def makers() -> list[Name]:
    """Functions that draw: those of `figures` that take `axes`, or make them."""
    return [
        Name(module, name, f"{module}.{name}")
        for module in modules("figures")
        for name, thing in vars(importlib.import_module(module)).items()
        if inspect.isfunction(thing) and thing.__module__ == module and _draws(thing)
    ]


def _draws(function: Any) -> bool:
    """Whether axes are a choice, as in makers, and not demanded, as in their helpers."""
    axes = inspect.signature(function).parameters.get("axes")
    return axes is not None and axes.default is None and function.__name__[0] != "_"


def place_of(name: Name) -> tuple[str, int]:
    """The task with the longest prefix of the place where a name is defined, and the number of the prefix in it."""
    prefixes = {
        module: (task, n)
        for task, (_, _, modules) in TASKS.items()
        for n, module in enumerate(modules)
        if f"{name.full}.".startswith(f"{module}.")
    }
    return prefixes[max(prefixes, key=len)]


def modules(package: str) -> Iterator[str]:
    """Names of all modules of a package that have something public to say."""
    folder = importlib.import_module(package).__path__
    for info in pkgutil.walk_packages(folder, f"{package}."):
        if not info.ispkg:
            yield info.name


def first_sentence(thing: Any) -> str:
    """What an object says about itself first."""
    if isinstance(thing, Mapping):
        return f"Table of {', '.join(thing)}."
    text = inspect.getdoc(thing) or ""
    return " ".join(text.split("\n\n")[0].split())


def python_pages() -> dict[str, str]:
    """File name → text: a page for each task, one for each module, and the list of these."""
    names = [name for package in PACKAGES for name in public_names(package)]
    shown = {name.full for name in names if name.package in PACKAGES and _has_entry(name)}
    names.sort(key=lambda name: place_of(name)[1])
    pages = {
        f"python-{task}.rst": task_page(
            task, [n for n in names if place_of(n)[0] == task]
        )
        for task in TASKS
    }
    pages["python.inc"] = tasks_list()
    pages["modules.rst"] = modules_page()
    for package in PACKAGES:
        pages |= {f"{name}.rst": module_page(name, shown) for name in modules(package)}
    return pages


def tasks_list() -> str:
    """The pages of the tasks, with what they are about."""
    lines = [".. list-table::", "   :widths: 30 70", ""]
    for task, (title, about, _) in TASKS.items():
        lines += [f"   * - :doc:`{title} </{FOLDER}/python-{task}>`", f"     - {about}"]
    lines += ["", ".. toctree::", "   :hidden:", ""]
    return "\n".join([*lines, *(f"   /{FOLDER}/python-{task}" for task in TASKS), ""])


def task_page(task: str, names: list[Name]) -> str:
    """The names of `import quadflow as qf` with their documentation, and tables of those of other packages."""
    title, about, _ = TASKS[task]
    lines = [title, "=" * len(title), "", about, ""]
    own = [name for name in names if name.package in PACKAGES]
    lines += ["``import quadflow as qf``, then ``qf.`` and the name:", "", *table(own)]
    others = [name for name in names if name.package not in PACKAGES]
    if task == "figures":
        others += [n for n in makers() if n.full not in {name.full for name in own}]
    by_package: dict[str, list[Name]] = {}
    for name in others:
        by_package.setdefault(name.package, []).append(name)
    if by_package:
        lines += ["More, each from the package it is imported from:", ""]
        lines += table(others, packages=True)
    for name in filter(_has_entry, own):
        kind = "class" if inspect.isclass(name.thing) else "function"
        lines += [name.short, "-" * len(name.short), "", f".. auto{kind}:: {name.full}"]
        lines += ["   :members:", ""] if kind == "class" else [""]
    return "\n".join(lines)


def _has_entry(name: Name) -> bool:
    """Classes and functions have an entry with their documentation; tables of names have a line."""
    return inspect.isclass(name.thing) or inspect.isroutine(name.thing)


def table(names: list[Name], *, packages: bool = False) -> list[str]:
    """A line for each name: a link, and the first sentence."""
    lines = [".. list-table::", "   :widths: 35 65", ""]
    for name in names:
        where = f"``{name.package}``: " if packages else ""
        lines += [
            f"   * - {where}`{name.short} <{name.full}>`",
            f"     - {escape(first_sentence(name.thing))}",
        ]
    return [*lines, ""]


def modules_page() -> str:
    """Every module with what it says about itself, by package."""
    lines = [":orphan:", "", "Modules", "=======", ""]
    lines += ["All there is, below the public names of :doc:`/reference/python`.", ""]
    for package in PACKAGES:
        lines += [
            package,
            "-" * len(package),
            "",
            ".. list-table::",
            "   :widths: 35 65",
            "",
        ]
        for name in modules(package):
            sentence = first_sentence(importlib.import_module(name))
            lines += [
                f"   * - :doc:`{name.removeprefix(f'{package}.')} </{FOLDER}/{name}>`",
                f"     - {escape(sentence)}",
            ]
        lines.append("")
    return "\n".join(lines)


def module_page(name: str, shown: set[str]) -> str:
    """One module, everything in it but what has its entry on the page of a task."""
    here = [
        full.rsplit(".", 1)[1] for full in sorted(shown) if full.rsplit(".", 1)[0] == name
    ]
    lines = [":orphan:", "", name, "=" * len(name), "", f".. automodule:: {name}"]
    lines += ["   :members:"]
    if here:
        lines += [f"   :exclude-members: {', '.join(here)}", ""]
        links = ", ".join(f"`{short} <{name}.{short}>`" for short in here)
        lines += [f"With the other public names: {links}."]
    return "\n".join([*lines, ""])
