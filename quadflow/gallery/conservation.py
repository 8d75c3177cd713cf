"""Figures of the gallery about conserved quantities and failed initialisations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from quadflow import options as opt
from quadflow.examples import Command
from quadflow.gallery.common import FigureCommand, draw_into, figure_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@click.command(
    "phase-diagram",
    cls=Command,
    epilog="Example: quadflow figure phase-diagram --points 41 --output failures.pdf",
)
@click.option("--eigenvalue", type=float, default=1.0, show_default=True, help="λ > 0 of the teacher.")
@click.option(
    "--points", type=int, default=31, show_default=True, help="Starts per axis, each diagnosed and trained."
)
@click.option("--extent", type=float, default=1.5, show_default=True, help="Starts have |a|, p up to this.")
@click.option("--step", type=float, default=5e-3, show_default=True, help="Learning rate.")
@opt.seed_option
@figure_output("phase-diagram")
def phase_diagram(eigenvalue: float, points: int, extent: float, step: float, seed: int, output: str) -> None:
    """Which initial weights (a₀, p₀) of one unit fail: theory, and a network trained from every point of a grid."""

    def make() -> Figure:
        from empirical.experiments.phase_diagram import grid_of_starts, single_mode_diagram
        from figures.phase_diagram import phase_diagram_figure as draw

        a0, p0 = grid_of_starts(points, extent)
        return draw(single_mode_diagram(a0, p0, eigenvalue=eigenvalue, step=step, seed=seed, progress=True))

    draw_into(output, make)


@click.command(
    "scale-diagram", cls=Command, epilog="Example: quadflow figure scale-diagram --teacher 2,-1.9 --hidden 4"
)
@click.option("--teacher", default="2,-1.9", show_default=True, help="Eigenvalues.")
@click.option("--hidden", type=int, default=4, show_default=True, help="Hidden units.")
@click.option("--points", type=int, default=9, show_default=True, help="Scales per axis.")
@click.option(
    "--replicates", type=int, default=16, show_default=True, help="Random starts per pair of scales."
)
@click.option("--step", type=float, default=2e-3, show_default=True, help="Learning rate.")
@opt.seed_option
@figure_output("scale-diagram")
def scale_diagram(
    teacher: str, hidden: int, points: int, replicates: int, step: float, seed: int, output: str
) -> None:
    """Several units: fraction of successes over the initial scales of w and a, predicted and trained."""

    def make() -> Figure:
        from empirical.experiments.phase_diagram import grid_of_scales
        from empirical.experiments.phase_diagram import scale_diagram as compute
        from figures.phase_diagram import scale_diagram as draw

        scales = grid_of_scales(points)
        eigenvalues = opt.parse_numbers("--teacher", teacher)
        return draw(
            compute(
                eigenvalues,
                scales,
                scales,
                hidden=hidden,
                replicates=replicates,
                step=step,
                seed=seed,
                progress=True,
            )
        )

    draw_into(output, make)


CONSERVED = {"teacher": "2,1", "inputs": 3, "hidden": 3, "init_scale": 0.5, "seed": 2}


@click.command(
    "conserved",
    cls=FigureCommand,
    context_settings={"default_map": CONSERVED},
    epilog="Example: quadflow figure conserved --step 2e-3 --batch 64 --label-noise 0.1",
)
@opt.problem_options
@click.option("--step", type=float, default=2e-3, show_default=True, help="Learning rate.")
@click.option("--steps", type=int, default=3000, show_default=True, help="Training steps.")
@click.option("--batch", type=int, default=32, show_default=True, help="Fresh samples per step.")
@click.option(
    "--label-noise", type=float, default=0.1, show_default=True, help="Variance of the label noise."
)
@click.option("--seeds", type=int, default=32, show_default=True, help="Networks.")
@figure_output("conserved")
def conserved(
    problem: opt.ProblemOptions,
    output: str,
    step: float,
    steps: int,
    batch: int,
    label_noise: float,
    seeds: int,
) -> None:
    """Conserved quantities along training with steps and noise: predicted drift against trained networks."""

    def make() -> Figure:
        from empirical.conserved import conserved_curves
        from figures.conserved import conserved_along_training
        from quadflow.options.reading import build_problem

        curves = conserved_curves(
            build_problem(problem),
            steps=steps,
            step=step,
            batch=batch,
            label_noise=label_noise,
            seeds=seeds,
            seed=problem.seed,
            progress=True,
        )
        return conserved_along_training(curves)

    draw_into(output, make)


@click.command(
    "drift",
    cls=FigureCommand,
    context_settings={"default_map": CONSERVED},
    epilog="Example: quadflow figure drift --teacher 2,1 --hidden 3 --momentum 0.5",
)
@opt.problem_options
@click.option(
    "--t-end", type=float, default=2.0, show_default=True, help="Time up to which the drift is taken."
)
@click.option("--momentum", type=float, default=0.0, show_default=True, help="Heavy-ball β.")
@figure_output("drift")
def drift(problem: opt.ProblemOptions, output: str, t_end: float, momentum: float) -> None:
    """Drift of the conserved quantities against the step size of gradient descent: slope 1."""

    def make() -> Figure:
        import numpy as np

        from empirical.conserved import drift_scaling
        from figures.conserved import drift_against_step
        from quadflow.options.reading import build_problem

        start = build_problem(problem, more_is_drawn=False)
        return drift_against_step(drift_scaling(start, np.geomspace(1e-4, 1e-2, 5), t_end, momentum=momentum))

    draw_into(output, make)


FIGURES = (phase_diagram, scale_diagram, conserved, drift)
