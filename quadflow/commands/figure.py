"""`quadflow figure NAME`: the gallery, one subcommand per figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dynamics.errors import ProblemError
from dynamics.suggestions import did_you_mean
from quadflow import options as opt
from quadflow.commands import (
    figure_activations,
    figure_companions,
    figure_conservation,
    figure_neuron,
    figure_practice,
    figure_sweep,
)
from quadflow.commands.compare import compare_options, run_comparison
from quadflow.commands.gallery import FigureCommand, draw_into, figure_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Gallery(click.Group):
    """Names the figures when one is misspelt."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Figure by name."""
        found = super().get_command(ctx, name)
        if found is None:
            hint = did_you_mean(name, self.commands)
            raise click.UsageError(f"No such figure {name!r}.{hint} Figures: {', '.join(self.commands)}.")
        return found


@click.group(cls=Gallery, invoke_without_command=True, no_args_is_help=False)
@click.option("--list", "list_figures", is_flag=True, help="List the figures.")
@click.pass_context
def command(ctx: click.Context, list_figures: bool) -> None:
    """Draw a figure of the gallery; each has defaults that show its point."""
    if list_figures:
        for name, figure in sorted(command.commands.items()):
            click.echo(f"{name:20} {figure.get_short_help_str(200)}")
    elif ctx.invoked_subcommand is None:
        raise click.UsageError(f"Which figure? One of: {', '.join(command.commands)}.")


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


@command.command(
    "learning-curves",
    cls=FigureCommand,
    context_settings={"default_map": LEARNING_CURVES},
    epilog="Example: quadflow figure learning-curves --teacher 3,1,-2 --init-scale 0.03 --t-end 12 --output mine.pdf",
)
@compare_options
@figure_output("learning-curves")
def learning_curves(output: str, **options: Any) -> None:
    """Loss and teacher modes: trained networks on the curves of the theory, with the plateau levels."""

    def make() -> Figure:
        from figures import learning_curves as draw

        comparison = run_comparison(options)
        click.echo(comparison.summary())
        return draw(comparison)

    draw_into(output, make)


@command.command(
    "phase-portrait",
    epilog="Example: quadflow figure phase-portrait --eigenvalue 1 --start -1,1.6 --start -1.2,1",
)
@click.option("--eigenvalue", type=float, default=1.0, show_default=True, help="λ of the teacher.")
@click.option("--activation", default="quadratic", show_default=True, help="quadratic or centred.")
@click.option(
    "--start", "starts", multiple=True, metavar="A,P", help="Initial state of a trajectory; repeat at will."
)
@click.option("--extent", type=float, default=2.0, show_default=True, help="Shown are |a|, |p| up to this.")
@click.option(
    "--output", metavar="PATH", default="phase-portrait.png", show_default=True, help=".png, .pdf or .svg."
)
def phase_portrait(
    eigenvalue: float, activation: str, starts: tuple[str, ...], extent: float, output: str
) -> None:
    """One mode in its phase plane (a, p): nullclines, fixed points, separatrix, and who fails to learn."""
    from dynamics.phase_plane import phase_plane
    from figures.phase_portrait import phase_portrait as draw

    states = [parse_start(start) for start in starts] or PORTRAIT_STARTS
    draw_into(output, lambda: draw(phase_plane(eigenvalue, states, activation=activation, extent=extent)))


def parse_start(text: str) -> list[float]:
    """Weights a, p of one unit."""
    start = opt.parse_numbers("--start", text)
    if len(start) != 2:
        raise ProblemError(f"`--start` is {text!r}, but must be two numbers, a and p, as -1,1.6.")
    return start


# on both sides of the separatrix, and one beyond the minima
PORTRAIT_STARTS = [[-1.0, 1.6], [-1.2, 1.0], [-0.5, 0.3], [0.1, -0.3], [-0.9, -1.4], [1.6, -1.8]]


@command.command(
    "atlas",
    cls=FigureCommand,
    context_settings={"default_map": {"teacher": "4,2,1", "hidden": 4}},
    epilog="Example: quadflow figure atlas --teacher 3,1,-2 --hidden 3 --search 400",
)
@opt.network_options
@click.option(
    "--search", type=int, default=400, show_default=True, help="Random starts of the numerical search."
)
@opt.seed_option
@figure_output("atlas")
def atlas(search: int, seed: int, output: str, **network: Any) -> None:
    """Stationary points: loss against Morse index, every root of a blind search on a predicted level."""

    def make() -> Figure:
        from dynamics.atlas.matching import catalogue_flow, match_fixed_points
        from dynamics.atlas.search import search_fixed_points
        from figures.atlas import atlas as draw
        from quadflow.commands.fixed_points import read_catalogue

        catalogue = read_catalogue(network)
        found = search_fixed_points(catalogue_flow(catalogue, seed), search, seed=seed)
        return draw(catalogue.feasible, match_fixed_points(found, catalogue))

    draw_into(output, make)


@command.command(
    "saddle-graph",
    cls=FigureCommand,
    context_settings={"default_map": {"teacher": "4,2,1", "hidden": 3, "init_scale": 0.03, "seed": 1}},
    epilog="Example: quadflow figure saddle-graph --teacher 4,2,1 --hidden 3 --init-scale 0.03",
)
@opt.problem_options
@click.option(
    "--step", type=float, default=2e-3, show_default=True, help="Learning rate of the trained network."
)
@click.option("--batch", type=int, default=512, show_default=True, help="Its batch size.")
@click.option("--t-end", type=float, default=40.0, show_default=True, help="Its training time.")
@figure_output("saddle-graph")
def saddle_graph(step: float, batch: int, t_end: float, output: str, **problem: Any) -> None:
    """Which saddle leads to which, with growth rates, and the path of a network trained from small weights."""

    def make() -> Figure:
        from dynamics.atlas import fixed_points
        from dynamics.atlas.connections import saddle_graph as graph_of
        from dynamics.atlas.connections import visited
        from dynamics.validation import steps_until
        from empirical import train
        from figures.saddle_graph import saddle_graph_figure
        from quadflow.problem_input import build_problem

        start = build_problem(problem)
        graph = graph_of(fixed_points(start))
        run = train(
            start,
            steps=steps_until(t_end, step),
            step=step,
            batch=batch,
            records=400,
            seed=problem["seed"],
            progress=True,
        )
        stages = visited(run, start, seed=0)
        return saddle_graph_figure(graph, [stage.learned_modes for stage in stages])

    draw_into(output, make)


@command.command(
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
def staircase(step: float, batch: int, seeds: int, output: str, **problem: Any) -> None:
    """Jumps and plateaus predicted without integration, against the flow and trained networks."""

    def make() -> Figure:
        from dynamics.flow import GradientFlow
        from dynamics.saddle_to_saddle.staircase import staircase as predict
        from dynamics.validation import steps_until
        from empirical import train
        from figures.staircase import staircase_figure
        from quadflow.problem_input import build_problem

        start = build_problem(problem)
        prediction = predict(start)
        if not prediction.jumps:
            raise ProblemError(
                f"Nothing to draw: from these initial weights no jump follows ({prediction.end})"
            )
        t_end = 1.3 * prediction.jumps[-1].time
        trajectory = GradientFlow(start).integrate(t_end, samples=1000, progress=True)
        run = None
        if seeds:
            run = train(
                start,
                steps=steps_until(t_end, step),
                step=step,
                batch=batch,
                seeds=seeds,
                seed=problem["seed"],
                progress=True,
            )
        return staircase_figure(prediction, trajectory, run)

    draw_into(output, make)


# further modules of the gallery: one line each
for module in (
    figure_activations,
    figure_companions,
    figure_conservation,
    figure_neuron,
    figure_practice,
    figure_sweep,
):
    for figure in module.FIGURES:
        command.add_command(figure)
