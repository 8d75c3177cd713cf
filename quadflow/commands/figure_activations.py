"""Figure of the gallery that shows quadratic units beside those of degree 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dynamics.errors import ProblemError
from quadflow import options as opt
from quadflow.commands.gallery import FigureCommand, draw_into, figure_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from dynamics.problem import Problem
    from dynamics.trajectory import Trajectory
    from empirical.recorder import TrainingRun

# Small initial weights, from which every activation learns the strongest mode first.
DEFAULTS = {"teacher": "4,2,1", "inputs": 6, "hidden": 8, "init_scale": 0.01, "seed": 6}


@click.command(
    "activations",
    cls=FigureCommand,
    context_settings={"default_map": DEFAULTS},
    epilog="Example: quadflow figure activations --teacher 2,-1 --inputs 3 --hidden 6 --activations quadratic,abs "
    "--t-end 12,15",
)
@opt.problem_options
@click.option(
    "--activations",
    default="quadratic,relu,abs",
    show_default=True,
    metavar="NAME,…",
    help="Activations to show, in place of --activation.",
)
@click.option(
    "--t-end",
    default="12,15,6",
    show_default=True,
    metavar="T,…",
    help="Training time of each, or one for all.",
)
@click.option(
    "--step", type=float, default=1e-3, show_default=True, help="Learning rate of the trained networks."
)
@click.option("--batch", type=int, default=512, show_default=True, help="Their batch size.")
@click.option("--seeds", type=int, default=8, show_default=True, help="How many; 0: theory alone.")
@figure_output("activations")
def activations(
    activations: str, t_end: str, step: float, batch: int, seeds: int, output: str, **problem: Any
) -> None:
    """Quadratic, ReLU and |·| networks from the same weights: plateaus and order of learning, theory and practice."""
    names, ends = activations.split(","), opt.parse_numbers("--t-end", t_end)
    if problem["activation"] != "quadratic":
        raise ProblemError(
            "`--activation` names one, but this figure compares several: give `--activations`."
        )
    if len(ends) not in (1, len(names)):
        raise ProblemError(
            f"`--t-end` has {len(ends)} times, but `--activations` {len(names)} names: one time, or one for each."
        )
    ends = ends * len(names) if len(ends) == 1 else ends

    def make() -> Figure:
        from figures.activations import activations_figure
        from quadflow.problem_input import build_problem

        training = {"step": step, "batch": batch, "seeds": seeds, "seed": problem["seed"]}
        problems = [build_problem(problem | {"activation": name}) for name in names]
        return activations_figure(
            [follow(start, end, training) for start, end in zip(problems, ends, strict=True)]
        )

    draw_into(output, make)


def follow(problem: Problem, t_end: float, training: dict[str, Any]) -> tuple[Trajectory, TrainingRun | None]:
    """Flow up to a time, and networks trained from the same weights; says how far they are apart."""
    import numpy as np

    from dynamics.flow import GradientFlow
    from dynamics.validation import steps_until, validate_real
    from empirical import train

    end = validate_real("t_end", t_end, positive=True)
    flow = GradientFlow(problem)
    trajectory = flow.integrate(end, samples=1000, progress=True)
    if not training["seeds"]:
        return trajectory, None
    steps = steps_until(end, training["step"])
    run = train(problem, steps=steps, progress=True, **training)
    theory = np.interp(run.times, trajectory.times, trajectory.loss)
    apart = np.abs(run.loss.mean(axis=0) - theory).max() / trajectory.loss[0]
    click.echo(
        f"{problem.activation}: networks within {apart:.2%} of the initial loss, "
        f"{sum(stage.loss > 1e-3 * trajectory.loss[0] for stage in trajectory.stages)} plateaus before the end"
    )
    return trajectory, run


FIGURES = (activations,)
