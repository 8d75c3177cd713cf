"""The report: one self-contained web page about one or several results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dynamics.errors import ProblemError
from figures.report_parts import Chart
from figures.report_sections import Section, section, together
from figures.web_page import render_page


def report_page(results: Mapping[str, Mapping[str, Any]]) -> str:
    """The page as one HTML document that needs neither files nor network.

    Parameters
    ----------
    results : mapping str → mapping
        File name → what a command printed with ``--json``.

    Raises
    ------
    ProblemError
        If a result lacks what a command prints.
    """
    sections = [_section(result, source) for source, result in results.items()]
    overlay = together(results)
    charts = [part for s in sections for part in s.parts if isinstance(part, Chart)]
    figures = [chart.figure for chart in ([overlay] if overlay else []) + charts]
    return render_page("report.html", sections=sections, overlay=overlay, figures=figures)


def _section(result: Mapping[str, Any], source: str) -> Section:
    try:
        # Numbers are only drawn here, and 1e308 may stand beside -1e308.
        with np.errstate(all="ignore"):
            return section(result, source)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ProblemError(
            f"The run {source!r} is not a result as quadflow prints it ({type(error).__name__}: {error})."
        ) from error
