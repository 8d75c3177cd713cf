"""`quadflow explore`: one web page in which initial weights and teacher are moved by hand."""

from __future__ import annotations

import click

from quadflow import options as opt
from quadflow.examples import Command
from quadflow.groups import OUTPUT, Option
from quadflow.output import echo_result, validate_output, write_text


@click.command(cls=Command, epilog="Example: quadflow explore --output explorer.html")
@click.option(
    "--output",
    cls=Option,
    group=OUTPUT,
    default="explorer.html",
    show_default=True,
    metavar="PATH",
    help="Write the page (.html).",
)
@click.option(
    "--unit",
    is_flag=True,
    help="Instead one unit that learns another, of the activations quadratic, relu, erf, gelu, tanh or silu.",
)
@opt.json_option
def command(output: str, unit: bool, as_json: bool) -> None:
    """Write the explorer: drag the initial weights, move eigenvalues, number of units, scale and signs.

    One HTML file that needs neither network nor server; its equations are those of `quadflow derive`.
    """
    from figures.web_page import require_report_extra

    validate_output(output, ("html",))
    require_report_extra()
    page = unit_html() if unit else network_html()
    write_text(output, page)
    size = len(page.encode())
    echo_result(
        {"output": output, "bytes": size, "warnings": []},
        lambda: f"{output}: {size / 1e6:.1f} MB, opens in any browser",
        as_json,
    )


def network_html() -> str:
    """The page of quadratic networks."""
    from dynamics.explorer_models import explorer_models
    from figures.explorer_page import explorer_page

    return explorer_page(explorer_models())


def unit_html() -> str:
    """The page of one unit of any of several activations."""
    from dynamics.unit_models import unit_models
    from figures.unit_page import unit_page

    return unit_page(*unit_models())
