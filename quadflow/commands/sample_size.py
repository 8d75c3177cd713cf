"""`quadflow sample-size`: what n = αd² samples teach a wide network, by its state evolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from quadflow import groups
from quadflow import options as opt
from quadflow.examples import Command
from quadflow.options.one_of import OneOf
from quadflow.output import echo_result, to_json, validate_output, write_figure, write_run, write_text

if TYPE_CHECKING:
    from dynamics.sample_size.prediction import SampleSize

OUTPUTS = ("json", "csv", "npz", "png", "pdf", "svg")
COLUMNS = ("alpha", "mse", "training_error", "rank_fraction", "trace")
OPTIONAL = ("bayes", "best_decay", "best_mse")


@dataclass(frozen=True)
class SampleSizeOptions(opt.MatrixOptions):
    """Teacher, samples and what is minimised."""

    alpha: str = opt.option(
        metavar="A1,A2,…",
        default="0.1:1:10",
        show_default=True,
        help="Samples over d², n = αd²: numbers, or a grid LOW:HIGH:COUNT.",
    )
    weight_decay_order: float = opt.option(
        type=float,
        default=0.0,
        show_default=True,
        metavar="ℓ",
        help="Weight decay ρ = 2aℓ/√d of weights whose second layer is a; 0: the limit ℓ → 0.",
    )
    label_noise: float = opt.option(
        type=float,
        default=0.0,
        show_default=True,
        metavar="Δ",
        help="Variance of the label noise. With any, S* is never recovered exactly, and the thresholds of that are "
        "none, null in JSON.",
    )
    width: float = opt.option(
        type=float,
        default=1.0,
        show_default=True,
        metavar="κ",
        help="Hidden units over d; below 1 the equations are a conjecture.",
    )
    bayes: bool = opt.option(is_flag=True, help="Also the least error of all, of the Bayes-optimal estimate.")
    best_decay: bool = opt.option(is_flag=True, help="Also the weight decay of the least error.")
    teacher: str | None = opt.option(
        metavar="SPEC",
        group=groups.PROBLEM,
        shell_complete=opt.complete_files,
        help="marchenko-pastur:KAPPA, S* = GGᵀ/(κ*d) with κ*d Gaussian columns; or M* = S*/√d by eigenvalues as "
        "4,2,1, power-law:ALPHA:COUNT, FILE.npy or .csv with a symmetric matrix, FILE.npz with a network V, b.",
    )
    inputs: int | None = opt.option(
        type=int,
        metavar="D",
        group=groups.PROBLEM,
        help="Correct for this dimension, to first order and heuristically, which with weight decay leaves errors "
        "too low; M* is padded with zeros up to it "
        "[default: d → ∞].",
    )
    activation: str = opt.option(
        type=OneOf(("centred", "quadratic")),
        default="centred",
        show_default=True,
        group=groups.PROBLEM,
        help="Units z² − 1, or z², whose outputs give the trace of M* away.",
    )


@click.command(
    "sample-size",
    cls=Command,
    epilog="Example: quadflow sample-size --teacher marchenko-pastur:0.5 --alpha 0.2,0.5,0.8 "
    "--weight-decay-order 0.1 --label-noise 0.5 --bayes",
)
@opt.take(SampleSizeOptions, "options")
@opt.config_option
@opt.output_option("Write the numbers (.json, .csv, .npz) or their figure (.png, .pdf, .svg).")
@opt.json_option
def command(options: SampleSizeOptions, output: str | None, as_json: bool) -> None:
    """Test error against the number of samples n = αd² of wide networks trained to the minimum, for d → ∞.

    The second layer is fixed at one value; inputs are Gaussian. Errors are ‖Ŝ − S*‖²/d, which for centred units is the
    loss of the other commands.
    """
    from dynamics.sample_size.prediction import state_evolution
    from quadflow.options.spectrum import parse_grid, read_law

    suffix = validate_output(output, OUTPUTS)
    found = state_evolution(
        read_law(options.teacher, options.inputs, options),
        parse_grid("--alpha", options.alpha),
        weight_decay_order=options.weight_decay_order,
        label_noise=options.label_noise,
        activation=options.activation,
        width=options.width,
        inputs=options.inputs,
        bayes=options.bayes,
        best=options.best_decay,
        progress=True,
    )
    result = found.as_dict()
    if output is not None and suffix is not None:
        write(found, output, suffix, result)
    echo_result(result, found.summary, as_json)


def write(found: SampleSize, path: str, suffix: str, result: dict[str, Any]) -> None:
    """The file in the format of its suffix."""
    if suffix == "json":
        write_text(path, to_json(result) + "\n")
    elif suffix == "npz":
        write_run(path, found.save, result)
    elif suffix == "csv":
        names = [*COLUMNS, *(name for name in OPTIONAL if result[name] is not None)]
        rows = zip(*(result[name] for name in names), strict=True)
        lines = [",".join(names), *(",".join(repr(float(x)) for x in row) for row in rows)]
        write_text(path, "\n".join(lines) + "\n")
    else:
        from figures.sample_size import error_curves

        write_figure(error_curves(found), path, suffix)
