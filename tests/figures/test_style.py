"""Figures become files reproducibly."""

import io

import pytest
from matplotlib.figure import Figure

from dynamics import ProblemError
from figures import paper, save_figure


def drawn():
    with paper():
        figure = Figure()
        figure.subplots().plot([0, 1], [1, 0])
    return figure


@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_the_same_figure_gives_the_same_bytes(kind):
    files = [io.BytesIO(), io.BytesIO()]
    for file in files:
        save_figure(drawn(), file, kind)
    assert files[0].getvalue() == files[1].getvalue()
    assert len(files[0].getvalue()) > 500


def test_unknown_formats_are_refused(tmp_path):
    with pytest.raises(ProblemError, match="png, pdf, svg"):
        save_figure(drawn(), tmp_path / "x.bmp")
