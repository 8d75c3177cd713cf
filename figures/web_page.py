"""Self-contained web pages: the parts in `figures/web` and plotly.js put together into one HTML file."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynamics.errors import ProblemError
from figures.palette import PALETTE

if TYPE_CHECKING:
    from jinja2 import Environment

PARTS = Path(__file__).with_name("web")
INK = (
    "#000000"  # the palette's black: pages draw it in the text colour, which is light where the page is dark
)
DASHES = (
    "solid",
    "dash",
    "dashdot",
    "dot",
    "longdashdot",
    "longdash",
)  # plotly's names, in the order of LINES
SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")  # in the order of MARKERS


def require_report_extra() -> None:
    """Check that plotly and Jinja are installed.

    Raises
    ------
    ProblemError
        If one is not.
    """
    try:
        import jinja2  # noqa: F401
        import plotly  # noqa: F401
    except ImportError as error:
        raise ProblemError(
            f"Web pages need {error.name}, which is not installed: pip install 'quadflow[report]'."
        ) from None


def render_page(template: str, **values: Any) -> str:
    """One HTML document from a template in `figures/web`.

    Parameters
    ----------
    template : str
        File name. A template includes other parts with ``part("name")`` and plotly.js with ``plotly()``.
    **values
        Variables of the template; texts are escaped.
    """
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    require_report_extra()
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    environment = Environment(
        loader=FileSystemLoader(PARTS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.globals |= {
        "part": lambda name: Markup((PARTS / name).read_text(encoding="utf-8")),
        "plotly": lambda: Markup(_without_source_map(get_plotlyjs())),
        "style": {"palette": PALETTE, "dashes": DASHES, "symbols": SYMBOLS, "ink": INK},
    }
    return environment


def _without_source_map(script: str) -> str:
    """The script without the comment that makes developer tools ask the network for a source map."""
    return re.sub(r"^//# sourceMappingURL=.*$", "", script, flags=re.MULTILINE)
