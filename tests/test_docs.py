"""The documentation fits the program: figures, commands, options; its small tools do what they say.

The pages themselves are built, with every example executed, by `make docs`.
"""

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import click
import numpy as np
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


@pytest.fixture
def pictures(tmp_path):
    """What `dark_pictures` makes of an image on a page beside these files: (uri, classes, loading), one by one."""
    pytest.importorskip("sphinx", reason="needs the extra docs")
    from docutils import nodes
    from docutils.utils import new_document

    for name in (
        "light.png",
        "both.png",
        "both_dark.png",
        "film.gif",
        "film.png",
        "film_dark.gif",
        "film_dark.png",
    ):
        (tmp_path / name).touch()
    (tmp_path / "moves.gif").touch()

    def made(uri, linked=False, classes=()):
        page = new_document("page")
        page.settings.env = SimpleNamespace(relfn2path=lambda name: (name, str(tmp_path / name)))
        image = nodes.image(uri=uri, alt="words", classes=list(classes))
        page += nodes.reference("", "", image, refuri="there.html") if linked else image
        load("dark_pictures").DarkPictures(page).apply()
        found = list(page.findall(nodes.image))
        assert all(image["alt"] == "words" for image in found)
        if linked:  # the writer of pages takes one picture in a link
            links = list(page.findall(nodes.reference))
            assert [[*link.children] for link in links] == [[image] for image in found]
            assert {link["refuri"] for link in links} == {"there.html"}
        return [(image["uri"], image["classes"], image.get("loading")) for image in found]

    return made


@pytest.mark.parametrize("linked", [False, True])
def test_pictures_have_their_variants_beside_them(pictures, linked):
    """For light and dark pages, moving and still; those that few see are loaded when they are shown."""
    assert pictures("light.png", linked) == [("light.png", [], None)]
    assert pictures("both.png", linked, ["wide"]) == [
        ("both.png", ["wide", "only-light"], None),
        ("both_dark.png", ["wide", "only-dark"], "lazy"),
    ]
    assert pictures("film.gif", linked) == [
        ("film.gif", ["moving-picture", "only-light"], None),
        ("film.png", ["still-picture", "only-light"], "lazy"),
        ("film_dark.gif", ["moving-picture", "only-dark"], "lazy"),
        ("film_dark.png", ["still-picture", "only-dark"], "lazy"),
    ]
    assert pictures("moves.gif", linked) == [("moves.gif", [], None)]
    assert pictures("both.png", linked, ["only-light"]) == [("both.png", ["only-light"], None)]
    assert pictures("https://example.org/both.png", linked) == [("https://example.org/both.png", [], None)]


def test_the_gallery_saves_pictures_and_animations_for_light_and_dark_pages(tmp_path, monkeypatch):
    """A figure and an animation of two frames; the dark ones are dark where the others are white."""
    pytest.importorskip("sphinx_gallery", reason="needs the extra docs")
    from matplotlib.image import imread
    from PIL import Image

    from dynamics.phase_plane import phase_plane
    from figures import animate, phase_portrait_figure

    monkeypatch.syspath_prepend(DOCS / "extensions")
    plane = phase_plane(1.0, [(-1.0, 1.6)], points=5)
    names = (str(tmp_path / f"sphx_glr_plot_x_y_{n:03}.png") for n in (1, 2))
    made = {
        "figure": phase_portrait_figure(plane),
        "animation": animate("phase-portrait", plane, seconds=0.1),
        "other": 1,
    }
    block = {"example_globals": made, "image_path_iterator": names}
    scraper = load("figure_scraper")
    rst = scraper.scrape((), block, {"src_dir": str(tmp_path), "thumbnail_size": (40, 40)})
    assert made == {"other": 1}
    assert re.findall(r"image:: (.*)\n   :alt: (.*)", rst) == [
        ("/sphx_glr_plot_x_y_001.png", "x y"),
        ("/sphx_glr_plot_x_y_002.gif", "x y"),
    ]
    stems = [f"sphx_glr_plot_x_y_{stem}" for stem in ("001", "002")]
    expected = {f"{stem}{dark}.png" for stem in stems for dark in ("", "_dark")}
    expected |= {f"{stems[1]}{dark}.gif" for dark in ("", "_dark")}
    assert {path.name for path in tmp_path.glob("*.*")} == expected
    for path in tmp_path.glob("*.*"):
        corner = np.rint(
            np.array(imread(path)[0, 0, :3], dtype=float) * (255 if path.suffix == ".png" else 1)
        )
        assert corner.tolist() == ([0x13, 0x14, 0x16] if "dark" in path.stem else [255] * 3), path.name
    with Image.open(tmp_path / "thumb" / "sphx_glr_plot_x_y_thumb_dark.png") as thumbnail:
        assert thumbnail.size == (40, 40)
    assert scraper.scrape((), {"example_globals": {}}, {}) == ""


@pytest.fixture
def dark_copies(monkeypatch):
    pytest.importorskip("sphinx", reason="needs the extra docs")
    monkeypatch.syspath_prepend(DOCS / "extensions")
    return load("dark_copies")


def test_examples_in_python_leave_dark_variants(dark_copies, tmp_path):
    """Of white figures saved as PNG by name, and no longer than the example runs."""
    from matplotlib.figure import Figure
    from matplotlib.image import imread

    save = Figure.savefig
    with dark_copies.dark_copies():
        Figure().savefig(tmp_path / "a.png")
        Figure(facecolor="#222222").savefig(tmp_path / "b.png")
        Figure().savefig(tmp_path / "c.svg")
    assert Figure.savefig is save
    assert {path.name for path in tmp_path.iterdir()} == {"a.png", "a_dark.png", "b.png", "c.svg"}
    assert (imread(tmp_path / "a.png")[..., :3] == 1).all()
    np.testing.assert_allclose(imread(tmp_path / "a_dark.png")[0, 0, :3] * 255, [0x13, 0x14, 0x16])


@pytest.mark.slow
def test_commands_in_examples_leave_dark_variants(tmp_path):
    """It is quadflow: same output, same picture, and beside it the dark one."""
    pytest.importorskip("sphinx", reason="needs the extra docs")
    from matplotlib.image import imread

    program = str(DOCS / "extensions" / "dark_copies.py")
    words = ["figure", "phase-portrait", "--start", "-1,1.6", "--dpi", "40", "--output", "a.png"]
    for start, folder in (([program], "docs"), (["-m", "quadflow"], "plain")):
        (tmp_path / folder).mkdir()
        done = subprocess.run(
            [sys.executable, *start, *words], cwd=tmp_path / folder, capture_output=True, text=True
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "written: a.png\n", "")
    assert (tmp_path / "docs" / "a.png").read_bytes() == (tmp_path / "plain" / "a.png").read_bytes()
    assert [path.name for path in (tmp_path / "plain").iterdir()] == ["a.png"]
    dark = imread(tmp_path / "docs" / "a_dark.png")
    np.testing.assert_allclose(dark[0, 0, :3] * 255, [0x13, 0x14, 0x16])
    refused = subprocess.run([sys.executable, program, "figure", "no"], capture_output=True, text=True)
    assert refused.returncode == 2
    assert refused.stderr.startswith("quadflow: No such figure 'no'.")
