"""The directives of the documentation, in a small project that is built in a temporary folder."""

import re
import sys
from pathlib import Path

import pytest

EXTENSIONS = Path(__file__).parents[1] / "docs" / "extensions"
pytest.importorskip("sphinx", reason="needs the extra docs")

PAGE = r"""
Title
=====

.. steps:: Why: a *step* of :math:`x^2`

   Both sides :math:`a^2`.

.. derived::

   from dynamics import form_moment

   "E = " + form_moment(["D", "D"]).latex()

.. derived::
   :by: sympy.Symbol

   import sympy

   sympy.latex(sympy.Symbol("x") ** 2)

.. python::

   from pathlib import Path

   x = 6 * 7

.. python::
   :figure: curve.svg
   :alt: A curve

   Path("curve.svg").write_text("<svg/>")
   print(x)

.. python::
   :folded: written by
   :figure: second.svg
   :alt: Another curve

   Path("second.svg").write_text("<svg/>")
   print("hidden   twice")

.. shell::
   :fails: 2

   quadflow simulate --hidden none

.. shell::

   quadflow completion bash
   quadflow completion fish

.. picture:: stages/flow
   :alt: A flow

   See *it*.

.. literature::

   green1999: what *it* showed,
      on two lines.
   gone1900: something.
"""

TABLE = """
[green1999]
authors = "Green & Grün"
year = 1999
title = "Title"
place = "arXiv:9901.00001"
url = "https://arxiv.org/abs/9901.00001"
read = "abstract"

[gone1900]
authors = "Gone"
year = 1900
title = "Old"
place = "Annals"
read = "nothing"
"""


@pytest.fixture(autouse=True)
def extensions_can_be_imported(monkeypatch):
    """They import each other by their names."""
    monkeypatch.syspath_prepend(str(EXTENSIONS))


def build(folder, page, dark=True):
    """The page as HTML, and the warnings; extensions as in docs/conf.py."""
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace

    images = folder / "auto_gallery" / "stages" / "images"
    images.mkdir(parents=True)
    (folder / "auto_gallery" / "stages" / "plot_flow.rst").write_text("Flow\n====\n")
    for name in ("001", *(["001_dark"] if dark else [])):
        (images / f"sphx_glr_plot_flow_{name}.png").write_bytes(b"")
    (folder / "literature.toml").write_text(TABLE)
    (folder / "index.rst").write_text(page)
    names = [
        "folded",
        "derived_formulas",
        "executed_examples",
        "gallery_picture",
        "literature",
        "dark_pictures",
        "published_results",
    ]
    overrides = {"extensions": ["sphinx.ext.mathjax", *names], "html_theme": "basic"}
    with docutils_namespace(), (folder / "warnings").open("w") as warnings:
        out = folder / "out"
        Sphinx(
            str(folder), None, str(out), str(out / "trees"), "html", overrides, status=None, warning=warnings
        ).build()
    return (out / "index.html").read_text(), (folder / "warnings").read_text()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page above, built once."""
    sys.path.insert(0, str(EXTENSIONS))
    try:
        html, warnings = build(tmp_path_factory.mktemp("docs"), PAGE)
    finally:
        sys.path.remove(str(EXTENSIONS))
    assert "ERROR" not in warnings, warnings
    return html


def test_steps_fold_under_their_title(page):
    """A details element with a summary, formulas in both; closed, as it has no attribute `open`."""
    found = re.search(r'<details class="steps">\s*<summary>(.*?)</summary>(.*?)</details>', page, re.S)
    assert "<em>step</em>" in found[1] and "x^2" in found[1]
    assert "Both sides" in found[2] and "a^2" in found[2]


def test_formulas_name_the_call_that_printed_them(page):
    """The call as it stands in the code, the code folded below it; `:by:` where nothing is imported by name."""
    summaries = re.findall(r'<details class="printed">\s*<summary>(.*?)</summary>', page, re.S)
    said = [re.sub(r"<[^>]+>", "", summary).replace("&quot;", '"') for summary in summaries]
    assert said == ['printed by form_moment(["D", "D"])', "printed by sympy.Symbol", "written by"]
    assert r"\operatorname{tr}(D)^{2} + 2 \operatorname{tr}(D^{2})" in page


def test_examples_say_what_they_print_and_write(page):
    """Words between code and outcome: what was printed, which file was written, which of two commands spoke."""
    said = [re.sub(r"<[^>]+>", "", word) for word in re.findall(r'<p class="said">(.*?)</p>', page)]
    assert said == ["prints", "writes curve.svg", "prints", "the last one prints"]
    outputs = [
        re.sub(r"<[^>]+>", "", text) for text in re.findall(r'<div class="output.*?</div>', page, re.S)
    ]
    assert outputs[0].strip() == "42"
    assert outputs[1].strip() == "hidden   twice"
    assert "none" in outputs[2] and "42" not in outputs[2]
    assert "fish_complete" in outputs[3] and "bash_complete" not in outputs[3]
    assert 'alt="A curve"' in page
    kinds = re.findall(r'<div class="output[^"]*', page)
    assert [" columns" in kind for kind in kinds[:2]] == [False, True]


def test_code_may_be_folded_below_what_came_of_it(page):
    """Output and figure first, without a word before them; then the code, closed."""
    folded = page.index("written by")
    assert (
        page.index("hidden") < page.index('alt="Another curve"') < folded < page.index("second.svg", folded)
    )


def test_pictures_lead_to_their_code_and_have_a_dark_variant(page):
    """Two images, shown by the theme of the reader, both linked; the caption below."""
    figure = re.search(r"<figure.*?</figure>", page, re.S)[0]
    assert figure.count('href="auto_gallery/stages/plot_flow.html"') == 2
    kinds = ("only-light", "only-dark")
    shown = [(kind, tag) for tag in re.findall(r"<img[^>]*>", figure) for kind in kinds if kind in tag]
    dark = [(kind, "_dark.png" in tag) for kind, tag in shown]
    assert dark == [("only-light", False), ("only-dark", True)]
    assert "See <em>it</em>" in figure and figure.count('alt="A flow"') == 2


def test_literature_says_what_was_read(page):
    """From the table; the link where there is one."""
    items = [re.sub(r"<[^>]+>", "", item) for item in re.findall(r"<li><p>(.*?)</p></li>", page, re.S)]
    assert items == [
        "Green &amp; Grün (1999), Title, arXiv:9901.00001 [abstract read]: what it showed, on two lines.",
        "Gone (1900), Old, Annals [not consulted]: something.",
    ]
    assert 'href="https://arxiv.org/abs/9901.00001"' in page


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (".. derived::\n\n   x = 1", "must be an expression"),
        (".. derived::\n\n   '1'", "name what derives the formula by :by:"),
        (".. derived::\n   :by: f\n\n   1", "gave a int, not LaTeX"),
        (".. literature::\n\n   nobody2000: nothing.", "nobody2000 is not in literature.toml"),
        (".. literature::\n\n   Green, 1999: nothing.", "is not of the form"),
        (".. python::\n   :figure: gone.png\n   :alt: x\n\n   x = 1", "gone.png was not written"),
        (".. picture:: stages/flow\n\n   See.", "those who do not see it"),
        (".. shell::\n\n   quadflow --nonsense", "exit status 2"),
    ],
)
def test_mistakes_are_errors_of_the_build(tmp_path, page, reason):
    """One error with its reason; nothing is shown that did not happen."""
    _, warnings = build(tmp_path, f"Title\n=====\n\n{page}\n")
    assert reason in warnings


def test_a_picture_without_dark_variant_is_shown_always(tmp_path):
    """One image, without a class of a theme."""
    html, _ = build(
        tmp_path, "Title\n=====\n\n.. picture:: stages/flow\n   :alt: A flow\n\n   See.\n", dark=False
    )
    assert html.count("<img") == 1 and "only-light" not in html


def test_what_renders_latex_is_not_what_derived():
    """The call inside of to_latex, and the outer one of two that are both more than rendering."""
    from derived_formulas import derivation

    export = "from dynamics import derive, modified\nfrom dynamics.symbolic.export import to_latex\n"
    assert (
        derivation(f"{export}to_latex(derive(hidden=1, inputs=2).aligned())") == "derive(hidden=1, inputs=2)"
    )
    assert derivation(f"{export}'L' + to_latex(modified(derive(1)).loss)") == "modified(derive(1))"


def test_published_results_stand_with_source_figure_and_numbers(tmp_path):
    """Of an entry with a curve and of one without; every number of the first as it is stored and as we compute it."""
    from empirical.published.reproduction import reproduce
    from empirical.published.table import find_entry

    names = ("recovery", "product-laws")
    page = "Title\n=====\n\n.. published::\n   :overview:\n\n   recovery\n\n.. published::\n\n   "
    html, warnings = build(tmp_path, page + "\n   ".join(names) + "\n")
    assert "ERROR" not in warnings and warnings.count("WARNING") == 1  # the page in no table of contents
    text = re.sub(r"<[^>]+>", "", html).replace("&#64;", "@")
    for name in names:
        source = find_entry(name).source
        assert f'href="{source.url}"' in html
        assert source.place in text and source.paper in text
    assert len(re.findall(r'<img[^>]*src="_images/recovery(?:_dark)?\.png"', html)) == 2  # light and dark
    assert "laws.png" not in html
    tables = re.findall(r"<table.*?</table>", html, re.S)
    overview, recovery, laws = (
        [re.sub(r"<[^>]+>", "", c).strip() for c in re.findall(r"<td.*?</td>", t, re.S)] for t in tables
    )
    found = reproduce(find_entry("recovery"))
    assert overview == ["recovery", "simonmartin15/QuadraticNets", "stored data", "6", f"{found.largest:.2g}"]
    assert recovery[1::4] == [f"{value:.6g}" for value in found.published]
    assert recovery[2::4] == [f"{value:.6g}" for value in found.values]
    assert laws[1:4] == ["2", "2", "0"]


@pytest.mark.parametrize("name", ["absent", "recovery"])
def test_what_cannot_be_shown_fails_the_build(tmp_path, monkeypatch, name):
    """An entry that does not exist, and one that does not agree, here because a number was changed."""
    from dataclasses import replace

    import published_results

    from empirical.published import recovery

    published_results.reproduction.cache_clear()
    (series,) = recovery.ENTRY.series
    changed = replace(series, values=(0.2, *series.values[1:]))
    monkeypatch.setattr(recovery, "ENTRY", replace(recovery.ENTRY, series=(changed,)))
    try:
        _, warnings = build(tmp_path, f"Title\n=====\n\n.. published::\n\n   {name}\n")
    finally:
        published_results.reproduction.cache_clear()
    assert "ERROR: published: " in warnings
    assert ("is 'absent'" if name == "absent" else "recovery disagrees") in warnings
