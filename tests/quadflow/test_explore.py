"""`quadflow explore`: one file of moderate size, refusals. The page itself is tested in tests/figures."""

import sys

import pytest

LARGEST_PAGE = 6_000_000  # bytes


def test_it_writes_one_page(quadflow, tmp_path):
    """One file; it holds, word for word, what `quadflow derive` exports for a small and for the largest size."""
    pytest.importorskip("plotly")
    path = tmp_path / "explorer.html"
    result = quadflow("explore", "--output", path, "--json")
    assert result.json["bytes"] == path.stat().st_size < LARGEST_PAGE
    assert list(tmp_path.iterdir()) == [path]
    page = path.read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    for d, K in (("3", "4"), ("6", "6")):
        sizes = ("--inputs", d, "--hidden", K, "--weight-decay", "symbolic", "--format", "javascript")
        assert quadflow("derive", *sizes).out.replace("export ", "") in page


def test_the_page_of_one_unit(quadflow, tmp_path):
    """It holds, word for word, a function of the kernel that the index-free form derives, for six activations."""
    pytest.importorskip("plotly")
    from dynamics.symbolic.gram_code import kernel_javascript
    from dynamics.symbolic.gram_form import derive_gram

    path = tmp_path / "unit.html"
    result = quadflow("explore", "--unit", "--output", path, "--json")
    assert result.json["bytes"] == path.stat().st_size < LARGEST_PAGE
    page = path.read_text(encoding="utf-8")
    assert kernel_javascript(derive_gram("gelu").student) in page
    assert all(
        f'<option value="{name}">' in page for name in ("quadratic", "relu", "erf", "gelu", "tanh", "silu")
    )


def test_refusals_are_one_line(quadflow, tmp_path, monkeypatch):
    result = quadflow("explore", "--output", tmp_path / "explorer.png")
    assert result.status == 2
    assert "must end in: html" in result.err
    monkeypatch.setitem(sys.modules, "plotly", None)
    result = quadflow("explore", "--output", tmp_path / "explorer.html")
    assert result.status == 2
    assert "pip install 'quadflow[report]'" in result.err
    assert result.err.count("\n") == 1
    assert not list(tmp_path.iterdir())
