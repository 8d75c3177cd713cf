"""At any size nothing that is written lies on something else that is written, and nothing leaves the figure.

The data are those of the other tests of figures. A size that has no room is refused, in one sentence.
"""

from importlib import import_module

import pytest
from drawn import beside
from legible import faults

from dynamics import ProblemError
from figures.finishing import fit_labels
from figures.look import look
from figures.style import paper

made_up = beside("test_axes")
MAKERS = made_up.MAKERS
globals().update(
    {name: it for name, it in vars(made_up).items() if isinstance(it, type(made_up.gap))}
)  # fixtures

LOOKS = {"column": ("paper", (3.4, 2.6)), "wide": ("paper", (7.0, 3.0)), "slides": ("slides", None)}
# five saddles within one decade of eight, on a figure this low: a rate finds no free place on its short arrow
TOO_CROWDED = ("column", "saddle_graph.saddle_graph_figure")
FAST = ("gap.gap_figure", "sweep.phase_map")


def drawn(name, style, size, request):
    """The figure of a maker in a look, as the command line finishes it."""
    stem, maker = name.split(".")
    with look(style, size):
        figure = getattr(import_module(f"figures.{stem}"), maker)(*MAKERS[name](request.getfixturevalue))
        with paper():
            fit_labels(figure)
    return figure


@pytest.mark.parametrize("name", FAST)
@pytest.mark.parametrize("kind", ["column"])
def test_figures_that_can_be_read(name, kind, request):
    assert not faults(drawn(name, *LOOKS[kind], request))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(MAKERS))
@pytest.mark.parametrize("kind", LOOKS)
def test_every_figure_can_be_read_or_is_refused(name, kind, request):
    """As slides, none is refused."""
    if (kind, name) == TOO_CROWDED:
        pytest.xfail("names of nodes and rates of growth at five points close by")
    try:
        figure = drawn(name, *LOOKS[kind], request)
    except ProblemError as refused:
        assert "which leaves the panels no room beside what is written: make it larger" in str(refused)
        assert kind != "slides"
        return
    assert not faults(figure)
