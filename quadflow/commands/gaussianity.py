"""`quadflow gaussianity`: would the theory of Gaussian inputs have done?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from quadflow import options as opt
from quadflow.examples import Command
from quadflow.options import option
from quadflow.output import echo_result, to_json, validate_output, write_figure, write_run, write_text
from quadflow.provenance import problem_json

if TYPE_CHECKING:
    from dynamics.gaussian_theory.comparison import GaussianComparison

OUTPUTS = ("npz", "json", "csv", "png", "pdf", "svg")
CURVES = ("times", "loss", "gaussian", "rescaled", "at_same_weights")


@dataclass(frozen=True)
class SpanOptions:
    """How far, and at how many times."""

    t_end: float | None = option(
        type=float, help="End time of the flows [default: until the exact one converges]."
    )
    records: int = option(
        type=int,
        default=201,
        show_default=True,
        help="Number of evenly spaced times; as many more are spaced evenly in log time.",
    )


@click.command(
    cls=Command,
    epilog="Example: quadflow gaussianity --data digits --components 8 --whiten --teacher 4,2,1 --hidden 4 "
    "--init-scale 0.3 --t-end 2",
)
@opt.problem_options
@opt.take(SpanOptions, "span")
@opt.solver_options
@opt.output_option("Write the curves (.npz, .json, .csv) or their figure (.png, .pdf, .svg).")
@opt.json_option
def command(
    problem: opt.ProblemOptions,
    span: SpanOptions,
    solver: opt.SolverOptions,
    output: str | None,
    as_json: bool,
) -> None:
    """Would the theory of Gaussian inputs have done, for these inputs or this data set?"""
    from dynamics.gaussian_theory.comparison import gaussian_comparison
    from quadflow.options.reading import build_problem

    validate_output(output, OUTPUTS)
    found = gaussian_comparison(
        build_problem(problem, more_is_drawn=False),
        span.t_end,
        samples=span.records,
        progress=True,
        **solver.arguments(),
    )
    result = comparison_json(found)
    if output is not None:
        write_comparison(found, output, result)
    echo_result(result, found.summary, as_json)


def comparison_json(found: GaussianComparison) -> dict[str, Any]:
    """The keys that interface and README promise."""
    from dynamics.curves.variables import printed

    numbers = {name: variable.array for name, variable in printed(found.variables()).items()}
    return numbers | {
        "dimension": found.gaussianity.dimension,
        "answer": found.answer,
        "problem": problem_json(found.problem),
        "warnings": found.warnings,
    }


def write_comparison(found: GaussianComparison, path: str, result: dict[str, Any]) -> None:
    """Write a comparison in the format of the suffix; `result` is its JSON."""
    suffix = path.rpartition(".")[2].lower()
    if suffix == "json":
        write_text(path, to_json(result) + "\n")
    elif suffix == "csv":
        rows = zip(*(result[name] for name in CURVES), strict=True)
        lines = [
            ",".join(CURVES).replace("times", "time"),
            *(",".join(repr(float(x)) for x in row) for row in rows),
        ]
        write_text(path, "\n".join(lines) + "\n")
    elif suffix == "npz":
        write_run(path, found.save, result)
    else:
        from figures.gaussianity import gaussianity_figure

        write_figure(gaussianity_figure(found), path, suffix)
