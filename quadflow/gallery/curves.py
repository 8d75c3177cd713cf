"""Figures of the gallery that follow learning in time, and in the phase plane of one mode."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from dynamics.errors import ProblemError
from quadflow import options as opt
from quadflow.examples import Command
from quadflow.gallery.common import FigureCommand, draw_into, figure_output
from quadflow.gallery.film import film_output, show_into

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from empirical.comparison import Comparison


# The demonstration: three modes, plateaus at 45.5, 8 and 1.25 with the drops between them.
LEARNING_CURVES = {
    "teacher": "4,2,1",
    "inputs": 6,
    "hidden": 8,
    "init_scale": 0.05,
    "seed": 3,
    "step": 5e-4,
    "t_end": 7.0,
    "batch": 512,
    "seeds": 8,
}


LENGTHS = ("steps", "t_end", "times")  # options that say how long to train


@click.command(
    "learning-curves",
    cls=FigureCommand,
    context_settings={"default_map": LEARNING_CURVES},
    epilog="Example: quadflow figure learning-curves --teacher 3,1,-2 --init-scale 0.03 --t-end 12 --output mine.pdf",
)
@opt.compare_options
@film_output("learning-curves")
def learning_curves(options: opt.CompareOptions, output: str) -> None:
    """Loss and teacher modes: trained networks on the curves of the theory, with the plateau levels.

    With a teacher or a data set of one's own training lasts, unless said otherwise, until the flow has learned nearly
    everything, with a step that follows it: both are printed. So is the step of a data set with --t-end.
    """

    def compute() -> Comparison:
        comparison = opt.run_comparison(until_learned(options))
        click.echo(comparison.summary())
        return comparison

    show_into(output, "learning-curves", compute)


def until_learned(options: opt.CompareOptions) -> opt.CompareOptions:
    """The options with a length of training, and a step unless it was given, where nobody said a length.

    The length of the demonstration is none for another teacher.
    """
    from empirical.experiments.learning_span import MOST, learning_span
    from quadflow.options.ignored import given
    from quadflow.options.reading import build_problem

    training, when = options.training, options.comparison
    said = training.steps is not None or when.t_end is not None or when.times is not None
    own_step = bool(given(["data"]) and given(["t_end"]) and not given(["step", "steps", "times"]))
    if said and not own_step and (given(LENGTHS) or not given(["teacher"])):
        return options
    problem = build_problem(options.problem)
    if problem.teacher.given and not problem.teacher.B.any():  # nothing to learn: weights fade for ever
        return options
    step = training.step if given(["step"]) else None
    span = learning_span(problem, when.t_end if own_step else None, step)
    # of teachers the demonstration's step, unless that is unstable or takes too long
    if step is None and not given(["data"]):
        span = replace(span, step=max(min(training.step, span.step), span.t_end / MOST))
    click.echo(f"trained up to t = {span.t_end:.4g} with step {span.step:.3g}")
    return replace(
        options, training=replace(training, step=span.step), comparison=replace(when, t_end=span.t_end)
    )


@click.command(
    "phase-portrait",
    cls=Command,
    epilog="Example: quadflow figure phase-portrait --eigenvalue 1 --start -1,1.6 --start -1.2,1",
)
@click.option("--eigenvalue", type=float, default=1.0, show_default=True, help="λ of the teacher.")
@click.option(
    "--activation",
    type=opt.OneOf(("quadratic", "centred")),
    default="quadratic",
    show_default=True,
    help="Of the unit.",
)
@click.option(
    "--start", "starts", multiple=True, metavar="A,P", help="Initial state of a trajectory; repeat at will."
)
@click.option("--extent", type=float, default=2.0, show_default=True, help="Shown are |a|, |p| up to this.")
@film_output("phase-portrait")
def phase_portrait(
    eigenvalue: float, activation: str, starts: tuple[str, ...], extent: float, output: str
) -> None:
    """One mode in its phase plane (a, p): nullclines, fixed points, separatrix, and who fails to learn."""
    from dynamics.phase_plane import phase_plane

    states = [parse_start(start) for start in starts] or PORTRAIT_STARTS
    show_into(
        output,
        "phase-portrait",
        lambda: phase_plane(eigenvalue, states, activation=activation, extent=extent),
    )


def parse_start(text: str) -> list[float]:
    """Weights a, p of one unit."""
    start = opt.parse_numbers("--start", text)
    if len(start) != 2:
        raise ProblemError(f"`--start` is {text!r}, but must be two numbers, a and p, as -1,1.6.")
    return start


# on both sides of the separatrix, and one beyond the minima
PORTRAIT_STARTS = [[-1.0, 1.6], [-1.2, 1.0], [-0.5, 0.3], [0.1, -0.3], [-0.9, -1.4], [1.6, -1.8]]


@click.command(
    "staircase",
    cls=FigureCommand,
    context_settings={"default_map": {"teacher": "4,2,1", "hidden": 6, "init_scale": 0.01, "seed": 1}},
    epilog="Example: quadflow figure staircase --teacher 3,1,-2 --hidden 8 --init-scale 1e-2 --seeds 0",
)
@opt.problem_options
@click.option(
    "--step", type=float, default=2e-3, show_default=True, help="Learning rate of the trained networks."
)
@click.option("--batch", type=int, default=512, show_default=True, help="Their batch size.")
@click.option("--seeds", type=int, default=6, show_default=True, help="How many; 0: theory alone.")
@figure_output("staircase")
def staircase(problem: opt.ProblemOptions, step: float, batch: int, seeds: int, output: str) -> None:
    """Jumps and plateaus predicted without integration, against the flow and trained networks."""

    def make() -> Figure:
        from empirical.experiments.staircase import staircase_curves
        from figures.staircase import staircase_figure
        from quadflow.options.reading import build_problem

        curves = staircase_curves(
            build_problem(problem), step=step, batch=batch, seeds=seeds, seed=problem.seed, progress=True
        )
        return staircase_figure(curves)

    draw_into(output, make)


FIGURES = (learning_curves, phase_portrait, staircase)
