"""What the tests of figures share: reading axes back from their artists."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.ticker import NullFormatter


def assert_decades(axis, most=8):
    """As many decades as `most` have a number each, of one more not every one has; between them there is none."""
    locator = axis.get_major_locator()
    for n in (most, most + 1):
        end = 10.0 ** (n - 1)
        numbered = [t for t in locator.tick_values(1.0, end) if 1 <= t <= end * (1 + 1e-9)]
        assert (len(numbered) == n) == (n == most), numbered
    assert isinstance(axis.get_minor_formatter(), NullFormatter)


def assert_aligned(figure, first, second):
    """Names of two vertical axes stay in line when one of them has much wider numbers."""
    second.set_yticks([np.mean(second.get_ylim())], ["a very long text"])
    figure.draw_without_rendering()
    (left, right) = (axes.yaxis.label.get_window_extent().x1 for axes in (first, second))
    assert abs(left - right) < 1e-6


def bands(axes):
    """Every band between two curves: {x: (lower edge, upper edge)}."""
    found = []
    for band in axes.collections:
        if isinstance(band, FillBetweenPolyCollection):
            edges: dict[float, tuple[float, float]] = {}
            for x, y in band.get_paths()[0].vertices.tolist():
                low, high = edges.get(x, (y, y))
                edges[x] = min(low, y), max(high, y)
            found.append(edges)
    return found


def names(figure):
    """Texts of the figure's legend."""
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def beside(name: str) -> ModuleType:
    """A file of this folder as a module, for its made-up data; other folders have files of the same names."""
    spec = spec_from_file_location(f"figures_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
