"""The reference lists everything public, by task; the glossary leads to pages; the checks of the pages find faults."""

import importlib
import re
import shutil
import subprocess
import sys
from html import escape
from pathlib import Path

import pytest

import quadflow as qf
from quadflow.cli import COMMANDS, cli
from quadflow.groups import option_groups

DOCS = Path(__file__).parents[1] / "docs"
# What people type into a search box who do not know our words; the list of the glossary is longer.
SYNONYMS = [
    "Adam",
    "subplot",
    "weight decay",
    "L2",
    "phase retrieval",
    "saddle-to-saddle",
    "grokking",
    "pandas",
]


@pytest.fixture
def pages(monkeypatch):
    """Modules of docs/extensions, by name."""
    monkeypatch.syspath_prepend(DOCS / "extensions")
    return importlib.import_module


def test_every_public_name_has_its_entry_on_the_page_of_a_task(pages):
    """All names of `import quadflow as qf`, each documented once; tables of names have a line."""
    python_pages = pages("python_pages")
    written = python_pages.python_pages()
    tasks = [text for file, text in written.items() if file.startswith("python-")]
    assert len(tasks) == len(python_pages.TASKS)
    names = set(dir(qf)) - {"__version__"}
    assert {"Problem", "train", "learning_curves"} <= names
    everything = "\n".join(tasks)
    for name in names:
        rows = re.findall(rf"^   \* - `{name} <", everything, flags=re.M)
        assert len(rows) == 1, name
        entries = re.findall(rf"^\.\. auto(?:class|function):: [\w.]+\.{name}$", everything, flags=re.M)
        assert len(entries) == (name != "ACTIVATIONS"), name
    problem = written["python-problem.rst"]
    assert problem.index("`Problem <") < problem.index("`ProblemError <")
    assert ":exclude-members: Problem\n" in written["dynamics.problem.problem.rst"]


def test_names_go_to_the_task_of_where_they_are_defined(pages):
    python_pages = pages("python_pages")
    task = {}
    for package in python_pages.PACKAGES:
        for name in python_pages.public_names(package):
            task[f"{name.package}.{name.short}"] = python_pages.place_of(name)[0]
    assert task["dynamics.Teacher"] == "problem"
    assert task["dynamics.derive"] == "equations"
    assert task["dynamics.GradientFlow"] == "theory"
    assert task["dynamics.laws.count_laws"] == "landscape"
    assert task["empirical.train"] == "training"
    assert task["empirical.Comparison"] == task["dynamics.EnsembleTrajectory"] == "results"
    assert task["figures.paper"] == "figures"
    assert task["empirical.GSGD"] == task["dynamics.neuron.Rates"] == "companions"


def test_the_page_of_figures_lists_every_maker(pages):
    """Those of the table of `tests/figures/test_axes.py`."""
    table = (DOCS.parent / "tests" / "figures" / "test_axes.py").read_text()
    makers = set(re.findall(r'^    "([\w.]+\.\w+)": lambda f|^    "(\w+\.\w+)": atlas', table, flags=re.M))
    named = {f"figures.{first or second}" for first, second in makers}
    assert len(named) > 25
    assert {name.full for name in pages("python_pages").makers()} >= named


def test_commands_stand_under_their_task_and_options_in_their_group(pages):
    command_pages = pages("command_pages")
    written = command_pages.command_pages()
    assert re.findall(r"\* - :doc:`quadflow ([\w-]+) <", written["commands.inc"]) == list(COMMANDS)
    found = dict(command_pages.commands(cli))
    for name in ("quadflow train", "quadflow figure sweep"):
        groups = option_groups(found[name])
        page = written[f"{command_pages.file_name(name)}.rst"]
        titles = re.findall(r"^(.+)\n-+$", page, flags=re.M)
        own, *others = [title for title, options in groups if any("--help" not in o.opts for o in options)]
        assert titles == ["Its own options" if own == "Options" else own, *others]
        shown = re.findall(r"^\.\. option:: (\S+?),?(?: |$)", page, flags=re.M)
        first = [option.get_help_record(found[name])[0] for _, options in groups for option in options]
        assert shown == [record.split()[0].rstrip(",") for record in first if "--help" not in record]
    assert ".. option:: --second-layer [trainable|fixed]" in written["quadflow-train.rst"]


def test_every_word_of_the_glossary_leads_to_a_page():
    """Words, then what they mean here with a link to a page that exists, or is generated."""
    body = (DOCS / "glossary.rst").read_text().partition(":sorted:\n\n")[2]
    terms = []
    for entry in re.split(r"\n\n(?=   \S)", body):
        words = re.findall(r"^   (\S.*)$", entry, flags=re.M)
        targets = re.findall(r":doc:`(?:[^`<]*<)?([\w/-]+)>?`", entry)
        assert words and targets, entry
        for target in targets:
            written = any((DOCS / f"{target}{suffix}").is_file() for suffix in (".rst", ".ipynb"))
            assert written or target.startswith("auto_gallery/"), target
        terms += words
    assert len(terms) == len(set(terms)) > 100
    assert set(SYNONYMS) <= set(terms)


def test_terms_of_a_built_glossary(pages, tmp_path):
    """Terms that share an entry share its pages; links to anchors of the page itself count for nothing."""
    entry = (
        '<dl><dt id="a">Adam<a class="headerlink" href="#a">¶</a></dt><dt>AdamW</dt>'
        '<dd><p>see <a href="x/one.html">one</a></p></dd>'
        '<dt>L2 regularisation</dt><dd><a href="two.html#part">two</a> <a href="three.html">3</a></dd></dl>'
    )
    (tmp_path / "glossary.html").write_text(entry)
    terms = pages("check_search").Terms(tmp_path / "glossary.html").pages
    assert terms == {"Adam": {"x/one"}, "AdamW": {"x/one"}, "L2 regularisation": {"two", "three"}}


def need_browser(pages):
    reason = pages("headless").missing()
    if reason:
        pytest.skip(reason)


def test_wide_pages_are_found(pages, tmp_path):
    """A table of 60 long words is wider than a telephone; in a box that scrolls it is not."""
    need_browser(pages)
    table = "<table><tr>" + f"<td>{'word' * 5}</td>" * 60 + "</tr></table>"
    head = '<!doctype html><meta name="viewport" content="width=device-width, initial-scale=1">'
    (tmp_path / "narrow.html").write_text(
        f'{head}<p>{"word " * 99}<div style="overflow-x: auto">{table}</div>'
    )
    (tmp_path / "wide.html").write_text(f"{head}{table}")
    (found,) = pages("check_width").wide_pages(tmp_path)
    assert re.match(r"wide\.html: \d{4,} px wide, TABLE", found)


@pytest.mark.slow
def test_words_that_the_search_does_not_know_are_found(pages, tmp_path, monkeypatch):
    """A site with a glossary, built by Sphinx: the search leads to each word, until one is another."""
    pytest.importorskip("sphinx", reason="needs the extra docs")
    need_browser(pages)
    source, site = tmp_path / "source", tmp_path / "site"
    source.mkdir()
    (source / "conf.py").write_text("html_theme = 'basic'\n")
    (source / "index.rst").write_text("Start\n=====\n\n.. toctree::\n\n   glossary\n   page\n")
    (source / "page.rst").write_text("A page\n======\n\nText.\n")
    (source / "glossary.rst").write_text(
        "Glossary\n========\n\n.. glossary::\n\n   Zebra\n   Okapi\n      see :doc:`page`\n"
    )
    subprocess.run([sys.executable, "-m", "sphinx", "--quiet", source, site], check=True)
    check_search = pages("check_search")
    lost_words = check_search.lost_words
    assert lost_words(site) == []
    shutil.copy(site / "glossary.html", tmp_path)
    html = (site / "glossary.html").read_text()
    (site / "glossary.html").write_text(html.replace(escape("Okapi"), "Quagga"))
    assert lost_words(site) == ["'Quagga' leads to nothing"]
    monkeypatch.setattr(check_search, "FIRST", 0)  # what stands further below counts as lost
    assert lost_words(site) == ["'Zebra' leads to nothing", "'Quagga' leads to nothing"]
