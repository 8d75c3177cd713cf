"""The documentation fits the program: figures, commands, options; its small tools do what they say.

The pages themselves are built, with every example executed, by `make docs`.
"""

import ast
import importlib.util
import re
from pathlib import Path

import click
import pytest

from quadflow.cli import cli
from quadflow.commands.figure import command as gallery

DOCS = Path(__file__).parents[1] / "docs"
EXAMPLES = sorted(DOCS.glob("gallery/*/plot_*.py"))
PAGES = [DOCS / "index.rst", DOCS / "accuracy.rst", DOCS / "provenance.rst", *EXAMPLES]
PAGES += [path for folder in ("tour", "learn", "do") for path in sorted(DOCS.glob(f"{folder}/*.*"))]


def load(name):
    """A module of docs/extensions."""
    spec = importlib.util.spec_from_file_location(name, DOCS / "extensions" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def commands(group=cli, path="quadflow"):
    """Full name → options, from the program itself."""
    context = click.Context(group, info_name=path)
    found = {}
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        found[f"{path} {name}"] = {opt for p in command.params for opt in p.opts} | {"--help"}
        if isinstance(command, click.Group):
            found |= commands(command, f"{path} {name}")
    return found


def test_accuracy_names_tests_that_exist():
    """The last column of the table, paths below tests/."""
    named = re.findall(r"``([\w/]+\.py)``", (DOCS / "accuracy.rst").read_text())
    assert len(named) > 20
    for path in named:
        assert (DOCS.parent / "tests" / path).is_file(), path


def test_every_figure_has_its_page():
    """A file plot_NAME.py, or several plot_NAME_MORE.py, for each name of `quadflow figure --list`, and no other."""
    assert {figure_of(path) for path in EXAMPLES} == set(gallery.commands)
    pages = [path.stem.removeprefix("plot_").replace("_", "-") for path in EXAMPLES]
    assert {page for page in pages if page not in gallery.commands} == STUDIES


STUDIES = {"study-gsgd", "study-hannet", "study-relinear"}


def figure_of(path):
    """The figure that a page of the gallery shows."""
    return load("gallery_order").figure_of(path.stem.removeprefix("plot_").replace("_", "-"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_pages_of_figures_say_what_to_see(path):
    """A title, the command, what to see; and a figure is made."""
    source = path.read_text()
    title, underline, _, command, *_ = ast.get_docstring(ast.parse(source)).splitlines()
    assert underline == "=" * len(title)
    assert command.startswith(f"``quadflow figure {figure_of(path)}")
    assert re.search(r"\bSee\s", source)
    assert re.search(r"^figure = ", source, flags=re.M)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_pages_name_only_commands_and_options_that_exist(path):
    """Every `quadflow …` names a command, and every option behind it is one of that command."""
    known = commands()
    text = path.read_text().replace("\\\n", " ")
    for line in re.findall(r"quadflow [a-z][^`\n]*", text):
        words = line.split()
        name = " ".join(words[:3]) if " ".join(words[:3]) in known else " ".join(words[:2])
        if name == "quadflow figure" and words[2:3] == ["NAME"]:
            continue
        options = set(re.findall(r"(?<=\s)--[a-z][a-z-]*", line))
        if name in known:
            assert options <= known[name], f"{name}: {options - known[name]}"
        else:  # a sentence about quadflow
            assert not options, f"{name} is not a command"
    everything = set().union(*known.values(), {"--scheduler"})
    for option in re.findall(r"``(--[a-z][a-z-]*)", text):
        assert option in everything, option


def test_broken_links_are_found(tmp_path):
    """A missing file and a missing anchor, beside links that hold."""
    (tmp_path / "a.html").write_text(
        '<a href="b.html#here">holds</a> <a href="https://example.org">elsewhere</a> <img src="gone.png">'
        '<a href="b.html#nowhere">broken</a>'
    )
    (tmp_path / "b.html").write_text('<p id="here"><a href="#here">holds</a>')
    found = load("check_links").broken_links(tmp_path)
    assert found == [
        "a.html: b.html#nowhere has no such anchor",
        "a.html: gone.png does not exist",
    ]


def test_docstrings_become_rst():
    """Bars, stars and underscores are themselves, formulas keep their layout, parameters become a list."""
    lines = load("plain_docstrings").to_rst(
        [
            "Sum of |a_k| M* over `relinear_` units_",
            "",
            "    L = ‖D‖² + τ*τ",
            "",
            "Parameters",
            "----------",
            "W : (K, d) array",
            "    First layer W*.",
            "seed : int",
            "",
            "Raises",
            "------",
            "ProblemError",
            "    If not.",
        ]
    )
    text = "\n".join(lines)
    assert r"Sum of \|a_k\| M\* over `relinear_` units\_" in text
    assert "::\n\n    L = ‖D‖² + τ*τ\n" in text
    assert ".. rubric:: Parameters\n\n\n**W** : (K, d) array\n    First layer W\\*.\n" in text
    assert "**seed** : int\n    ..\n" in text
    assert "`ProblemError`\n    If not." in text
    assert "----------" not in text


def test_formulas_are_printed_by_their_code():
    """The value of the last line, an expression; a statement there is refused."""
    pytest.importorskip("sphinx", reason="needs the extra docs")
    evaluate = load("derived_formulas").evaluate
    assert evaluate("from dynamics import form_moment\nform_moment(['D', 'D']).latex()").startswith(
        r"\operatorname{tr}(D)^{2} + 2"
    )
    with pytest.raises(ValueError, match="must be an expression"):
        evaluate("x = 1")


@pytest.mark.slow
def test_a_loop_of_one_s_own_lies_on_its_theory(tmp_path, monkeypatch):
    """The page as its reader types it: AdamW with a cosine schedule, Nesterov with a warm-up, one without a theory.

    Errors of a few per cent are those of the step and the batches (the orders: tests/empirical/test_overlaying.py).
    """
    monkeypatch.chdir(tmp_path)
    text = (DOCS / "do" / "my_training_loop.rst").read_text()
    page, errors = {}, []
    for block in re.findall(r"\.\. python::\n((?:   .*\n|\n)+)", text):
        lines = [line[3:] for line in block.splitlines() if not line.strip().startswith(":")]
        exec("\n".join(lines), page)
        if "comparison" in page:
            errors.append(page["comparison"].relative_error["loss_sup"])
    assert max(errors) < 0.05
    assert (
        page["overlay"](page["comparison"].run, page["recorder"].problem).relative_error["loss_sup"]
        == errors[0]
    )
    assert (tmp_path / "my-loop.png").is_file()
