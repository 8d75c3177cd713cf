"""`quadflow compare`: theory against practice."""

from __future__ import annotations

import click

from quadflow import options as opt
from quadflow.examples import Command
from quadflow.output import echo_result, validate_output, write_figure
from quadflow.reports import report_option, validate_report, write_report
from quadflow.results import comparison_json, instability_of

FIGURES = ("png", "pdf", "svg")


@click.command(
    cls=Command,
    epilog="Example: quadflow compare --teacher 4,2,1 --inputs 6 --hidden 8 --init-scale 0.05 --seed 3 --step 5e-4 "
    "--t-end 7 --batch 512 --seeds 8 --output learning-curves.png",
)
@opt.compare_options
@opt.output_option("Write the overlay figure (.png, .pdf, .svg).")
@report_option
@opt.json_option
@opt.takes_networks("compare")
def command(options: opt.CompareOptions, output: str | None, report: str | None, as_json: bool) -> None:
    """Train networks, integrate the theory from the same weights, and compare."""
    suffix = validate_output(output, FIGURES)
    validate_report(report)
    comparison = opt.run_comparison(options)
    if output is not None:
        from figures import learning_curves

        assert suffix is not None
        write_figure(learning_curves(comparison), output, suffix)
    result = comparison_json(comparison)
    if report is not None:
        write_report(report, {"compare": result})
    lines = [f"warning: {unstable}" for unstable in instability_of(comparison)]
    lines += [] if output is None else [f"written: {output}"]
    echo_result(result, lambda: "\n".join([comparison.summary(), *lines]), as_json)
