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
from quadflow.results import run_json

if TYPE_CHECKING:
    from dynamics.gaussian_theory.comparison import GaussianComparison
    from dynamics.problem import Problem
    from empirical.experiments.gaussianity import GaussianityCurves
    from empirical.training_run import TrainingRun

OUTPUTS = ("npz", "json", "csv", "png", "pdf", "svg")
CURVES = ("times", "loss", "gaussian", "rescaled", "at_same_weights")


@dataclass(frozen=True)
class CurveOptions:
    """How far, at how many times, and with how many networks."""

    t_end: float | None = option(
        type=float,
        help="End time of flows and training [default: until the exact flow converges; nothing is trained].",
    )
    records: int = option(
        type=int,
        default=201,
        show_default=True,
        help="Number of evenly spaced times; without networks, as many more evenly in log time.",
    )
    seeds: int = option(
        type=int,
        default=0,
        show_default=True,
        help="Networks trained on the same inputs up to --t-end; 0: none.",
    )
    step: float = option(
        type=float, default=2.5e-4, show_default=True, metavar="η", help="Their learning rate."
    )
    batch: int = option(
        type=int, default=512, show_default=True, help="Their samples per step; 0: all samples of --data."
    )


@click.command(
    cls=Command,
    epilog="Example: quadflow gaussianity --data digits --components 8 --whiten --teacher 4,2,1 --hidden 4 "
    "--init-scale 0.3 --seed 1 --t-end 2 --seeds 8",
)
@opt.problem_options
@opt.take(CurveOptions, "curves")
@opt.solver_options
@opt.output_option("Write the curves (.npz, .json, .csv) or their figure (.png, .pdf, .svg).")
@opt.json_option
def command(
    problem: opt.ProblemOptions,
    curves: CurveOptions,
    solver: opt.SolverOptions,
    output: str | None,
    as_json: bool,
) -> None:
    """Would the theory of Gaussian inputs have done, for these inputs or this data set?"""
    from dynamics.gaussian_theory.comparison import gaussian_comparison
    from quadflow.options.ignored import note_without_effect
    from quadflow.options.reading import build_problem

    validate_output(output, OUTPUTS)
    start = build_problem(problem, more_is_drawn=curves.seeds > 0)
    trained: GaussianityCurves | None = None
    if curves.seeds:
        trained = train_beside(start, curves, problem.seed, solver)
        found = trained.comparison
    else:
        note_without_effect(["step", "batch"], "unless networks are trained: give `--seeds`")
        how: dict[str, Any] = {"samples": curves.records, "progress": True}
        found = gaussian_comparison(start, curves.t_end, **how, **solver.arguments())
    result = comparison_json(found, trained)
    if output is not None:
        write_comparison(found, None if trained is None else trained.run, output, result)
    echo_result(result, found.summary if trained is None else trained.summary, as_json)


def train_beside(
    start: Problem, curves: CurveOptions, seed: int, solver: opt.SolverOptions
) -> GaussianityCurves:
    """Theories, and networks."""
    from dynamics.errors import ProblemError
    from empirical.experiments.gaussianity import gaussianity_curves

    if curves.t_end is None:
        raise ProblemError("`--t-end` is missing: it says how far the networks of `--seeds` are trained.")
    how: dict[str, Any] = {
        "step": curves.step,
        "batch": curves.batch,
        "seeds": curves.seeds,
        "records": curves.records,
    }
    return gaussianity_curves(start, curves.t_end, **how, seed=seed, progress=True, **solver.arguments())


def comparison_json(found: GaussianComparison, trained: GaussianityCurves | None) -> dict[str, Any]:
    """The keys that interface and README promise."""
    from dynamics.curves.variables import printed

    numbers = {name: variable.array for name, variable in printed(found.variables()).items()}
    return numbers | {
        "dimension": found.gaussianity.dimension,
        "answer": found.answer,
        "problem": problem_json(found.problem),
        "trained": None if trained is None else trained.trained,
        "training": None if trained is None else run_json(trained.run),
        "warnings": found.warnings,
    }


def write_comparison(
    found: GaussianComparison, run: TrainingRun | None, path: str, result: dict[str, Any]
) -> None:
    """Write a comparison, and networks, in the format of the suffix; `result` is their JSON."""
    suffix = path.rpartition(".")[2].lower()
    if suffix == "json":
        write_text(path, to_json(result) + "\n")
    elif suffix == "csv":
        curves = {name: result[name] for name in CURVES}
        if run is not None:
            curves["trained"] = run.loss.mean(axis=0)
        rows = zip(*curves.values(), strict=True)
        lines = [
            ",".join(curves).replace("times", "time"),
            *(",".join(repr(float(x)) for x in row) for row in rows),
        ]
        write_text(path, "\n".join(lines) + "\n")
    elif suffix == "npz":
        write_run(path, found.save, result)
    else:
        from figures.gaussianity import gaussianity_figure

        write_figure(gaussianity_figure(found, run), path, suffix)
