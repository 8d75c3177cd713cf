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


LEARN = sorted(path for path in DOCS.glob("learn/*.rst") if path.stem != "index")
PROSE = [*LEARN, *(path for folder in ("tour", "do") for path in sorted(DOCS.glob(f"{folder}/*.rst")))]
PROSE += [DOCS / f"{name}.rst" for name in ("index", "glossary", "accuracy", "provenance")]
CODE = re.compile(r"^( *)\.\. (?:python|shell|derived|math|figure|image)::.*\n(?:\1 +.*\n|\s*\n)*", re.M)
LITERAL = re.compile(r"::\n\n(?: {3,}.*\n|\s*\n)+")
MARKED = re.compile(r":math:`[^`]*`|``.*?``|:doc:`[^`]*`|`[^`]*`_?_?|^ *:alt:.*$", re.M | re.S)
FORMULA = re.compile(
    r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿʰᵀ₀-₉ₐ-ₜ‖√∇∂∫∑′″⟨⟩½¼¾⊙∝∈≪≫≤≥≠≈∞\u0307-\u0308]|[ẇȧṁṗ]|:su[bp]:|\b\w_\w\b|\w\^|\{[^},]*\}\^"
)


def prose(path):
    """The text of a page outside code, displayed formulas and inline markup; line numbers stay what they are."""
    blank = lambda match: re.sub(r"[^\n]", " ", match[0])  # noqa: E731
    text = path.read_text()
    for pattern in (CODE, LITERAL, MARKED):
        text = pattern.sub(blank, text)
    return text


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


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.stem)
def test_formulas_are_set_in_one_style(path):
    """What has an index, an exponent, an accent or an operator is :math:, not Unicode; the rule is in CONTRIBUTING."""
    lines = prose(path).splitlines()
    found = [f"{n}: {line.strip()}" for n, line in enumerate(lines, 1) if FORMULA.search(line)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", LEARN, ids=lambda path: path.stem)
def test_learn_pages_are_of_one_form(path):
    """A question in italics first; a picture with words for those who do not see it; literature, and where to go on."""
    text = path.read_text()
    title, underline, _, question, *_ = text.splitlines()
    assert underline == "=" * len(title)
    if path.stem == "literature":
        return
    assert question.startswith("*")
    shown = re.findall(r"^ *\.\. (?:picture|image)::|^ *:figure:", text, flags=re.M)
    assert 1 <= len(shown) == len(re.findall(r"^ *:alt: .{30,}$", text, flags=re.M))
    assert ".. literature::" in text or path.stem == "solvers"
    assert re.search(r"^Next: .*:doc:", text, flags=re.M)


def test_the_course_has_every_page_once_and_in_the_order_of_next():
    """Table of contents, sentences and the links at the ends of pages name the same order."""
    index = (DOCS / "learn" / "index.rst").read_text()
    order = re.findall(r"^   (\w+)$", index.split("toctree::")[1], flags=re.M)
    assert sorted(order) == [path.stem for path in LEARN]
    assert re.findall(r"^:doc:`(\w+)`$", index, flags=re.M) == order
    follows = {path.stem: re.search(r"^Next: .*?:doc:`(/?[\w/]+)`", path.read_text(), re.M) for path in LEARN}
    assert [follows[name][1] for name in order[:-2]] == order[1:-1]


def test_literature_is_known_cited_and_says_what_was_read():
    """No key without an entry, no entry without a page; links are those of arXiv numbers."""
    pytest.importorskip("sphinx", reason="needs the extra docs")
    module = load("literature")
    papers = module.papers(DOCS)
    block = r"^\.\. literature::\n\n((?: +.*\n)+)"
    text = "".join(found for path in LEARN for found in re.findall(block, path.read_text(), re.M))
    cited = set(re.findall(r"^   ([a-z]+\d{4}):", text, re.M))
    assert cited == set(papers)
    for key, paper in papers.items():
        assert key.endswith(str(paper.year))
        assert paper.read in module.READ
        if paper.place.startswith("arXiv:"):
            assert paper.url == f"https://arxiv.org/abs/{paper.place.removeprefix('arXiv:')}"
