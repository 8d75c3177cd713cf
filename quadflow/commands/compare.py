"""`quadflow compare`: theory against practice."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from dynamics.errors import ProblemError
from quadflow import options as opt
from quadflow.commands.report import report_option, validate_report, write_report
from quadflow.commands.simulate import theory_name, trajectory_json
from quadflow.commands.train import run_json, training_arguments
from quadflow.output import echo_result, validate_output, write_figure

if TYPE_CHECKING:
    from empirical.comparison import Comparison
    from empirical.gap import Gap

FIGURES = ("png", "pdf", "svg")

compare_options = opt.together(
    opt.problem_options,
    opt.training_options,
    click.option("--t-end", type=float, help="Train up to this time instead of a number of steps."),
    click.option("--times", metavar="T1,T2,…", help="Measure at these times, rounded to whole steps."),
    opt.theory_options,
    click.option(
        "--gap",
        default="theory",
        show_default=True,
        help="Explain the difference from the gradient flow by theory curves (theory), or by further training.",
    ),
    opt.solver_options,
)


@click.command(
    epilog="Example: quadflow compare --teacher 4,2,1 --inputs 6 --hidden 8 --init-scale 0.05 --seed 3 --step 5e-4 "
    "--t-end 7 --batch 512 --seeds 8 --output learning-curves.png"
)
@compare_options
@opt.output_option("Write the overlay figure (.png, .pdf, .svg).")
@report_option
@opt.json_option
def command(output: str | None, report: str | None, as_json: bool, **options: Any) -> None:
    """Train networks, integrate the theory from the same weights, and compare."""
    suffix = validate_output(output, FIGURES)
    validate_report(report)
    comparison = run_comparison(options)
    if output is not None:
        from figures import learning_curves

        assert suffix is not None
        write_figure(learning_curves(comparison), output, suffix)
    result = comparison_json(comparison)
    if report is not None:
        write_report(report, {"compare": result})
    lines = [f"warning: {unstable}" for unstable in instability_of(comparison)]
    echo_result(result, lambda: "\n".join([comparison.summary(), *lines]), as_json)


def run_comparison(options: dict[str, Any], progress: bool = True) -> Comparison:
    """`empirical.compare` with the values of `compare_options`."""
    from empirical.comparison import compare
    from quadflow.problem_input import build_problem

    solver = opt.solver_arguments(options)
    theory = theory_name(options.pop("correction"), options.pop("sgd"))
    t_end, times = options.pop("t_end"), options.pop("times")
    if times is not None:
        times = opt.parse_numbers("--times", times)
    options["steps"] = training_steps(options["steps"], t_end, times, options["step"])
    problem = build_problem(options)
    return compare(
        problem, times=times, theory=theory, solver=solver, progress=progress, **training_arguments(options)
    )


def training_steps(steps: int | None, t_end: float | None, times: list[float] | None, step: float) -> int:
    """Length of a training: as said, or up to the end time, or to the last of the times that are asked for."""
    from dynamics.validation import steps_until, validate_real, validate_times

    if steps is not None:
        if t_end is not None:
            raise ProblemError("`--steps` and `--t-end` both say how long to train: give one of them.")
        return steps
    if t_end is not None:
        return steps_until(validate_real("t_end", t_end, positive=True), step)
    if times is None:
        raise ProblemError("The length of training is missing: give `--steps` or `--t-end`.")
    return steps_until(validate_times(times)[-1], step, name="times")  # at least one: the only time may be 0


def gap_json(gap: Gap, initial_loss: float) -> dict[str, Any]:
    """Largest part of each cause relative to the initial loss, where each comes from, and the curves."""
    return {
        **known(gap.largest(initial_loss)),
        "sources": gap.sources,
        "curves": {
            "flow": gap.flow,
            "discretised": gap.discretised,
            "on_data": gap.on_data,
            "with_noise": gap.with_noise,
            "measured": gap.measured,
            "error_bar": gap.error_bar,
        },
    }


def known(values: dict[str, float]) -> dict[str, float | None]:
    """Numbers for JSON, without those that are unknown; the warnings say why."""
    return {name: None if math.isnan(value) else value for name, value in values.items()}


def instability_of(comparison: Comparison) -> list[str]:
    """Warning about a step beyond the largest stable one, where the theory is the modified flow."""
    from dynamics.stability import instability

    if comparison.theory != "modified":
        return []
    about = comparison.run.about
    unstable = instability(comparison.trajectory, about["step"], about["momentum"])  # type: ignore[arg-type]
    return [] if unstable is None else [unstable]


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """The keys that interface and README promise; what `simulate` and `train` print stands under their names."""
    import numpy as np

    theory, run = trajectory_json(comparison.trajectory), run_json(comparison.run)
    unknown = not np.isfinite(comparison.gap.error_bar).all()
    why = ["the error bar of the gap is unknown: it takes several seeds"] if unknown else []
    if np.isnan(comparison.initial_loss):
        why.append("the initial loss is zero: what would be relative to it is null")
    why += instability_of(comparison)
    return {
        "relative_error": known(comparison.relative_error),
        "gap": gap_json(comparison.gap, comparison.initial_loss),
        "times": comparison.run.times,
        "theory": theory,
        "training": run,
        "warnings": [*theory["warnings"], *run["warnings"], *why],
    }
