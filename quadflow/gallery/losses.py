"""Figures of the gallery about losses other than the square, and about classifiers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from quadflow import options as opt
from quadflow.examples import Command
from quadflow.gallery.common import FigureCommand, draw_into, figure_output
from quadflow.gallery.curves import until_learned

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The worked example of the logistic loss, from a start that waits for its modes.
CLASSIFICATION = {
    **{"teacher": "2,-1,0.5", "inputs": 3, "hidden": 6, "init_scale": 0.1, "seed": 5},
    **{"loss": "logistic", "bias": "0.4", "step": 5e-2, "t_end": 200.0, "batch": 512, "seeds": 8},
}
HELD_OUT = 0.25  # of a data set of one's own, unless something else is said


@click.command(
    "losses", cls=Command, epilog="Example: quadflow figure losses --losses square,huber:2 --teacher 3,1"
)
@click.option("--teacher", default="4,2,1", show_default=True, help="Eigenvalues.")
@click.option("--inputs", type=int, default=3, show_default=True, help="Input dimension.")
@click.option("--hidden", type=int, default=6, show_default=True, help="Hidden units.")
@click.option(
    "--init-scale", type=float, default=0.03, show_default=True, help="Scale of the initial weights."
)
@click.option(
    "--losses",
    default="square,log-cosh,huber:1,logistic",
    show_default=True,
    help="Names with commas between: a panel each.",
)
@click.option(
    "--bias",
    type=float,
    default=2.0,
    show_default=True,
    help="Output bias of two classes, of the teacher too.",
)
@click.option(
    "--step",
    type=float,
    default=None,
    help="Learning rate under every loss. [default: one for each, smaller where sampling noise is too large]",
)
@click.option("--batch", type=int, default=256, show_default=True, help="Fresh samples per step.")
@click.option("--seeds", type=int, default=6, show_default=True, help="Networks under each loss.")
@opt.seed_option
@figure_output("losses")
def losses(
    teacher: str,
    inputs: int,
    hidden: int,
    init_scale: float,
    losses: str,
    bias: float,
    step: float | None,
    batch: int,
    seeds: int,
    seed: int,
    output: str,
) -> None:
    """One teacher and one start under several losses: plateaus and curves, predicted and trained."""

    def make() -> Figure:
        from dynamics.problem import Problem, Student, Teacher
        from empirical.experiments.losses import account, loss_curves
        from figures.losses import losses_figure

        eigenvalues = opt.parse_numbers("--teacher", teacher)
        compared = loss_curves(
            Problem(
                Teacher.from_eigenvalues(eigenvalues, inputs=inputs),
                Student.initialise(hidden, inputs, scale=init_scale, seed=seed),
            ),
            [name.strip() for name in losses.split(",")],
            bias=bias,
            step=step,
            batch=batch,
            seeds=seeds,
            seed=seed,
            progress=True,
        )
        click.echo("\n".join(map(account, compared)))
        return losses_figure(compared)

    draw_into(output, make)


@click.command(
    "classification",
    cls=FigureCommand,
    context_settings={"default_map": CLASSIFICATION},
    epilog="Example: quadflow figure classification --teacher 2,1 --labels hard --flip 0.1 --bias 2",
)
@opt.compare_options
@figure_output("classification")
def classification(options: opt.CompareOptions, output: str) -> None:
    """Loss, accuracy and modes of classifiers trained on the logistic loss, on the curves of the theory.

    With two classes of a data set, --data digits --classes 3,8, a quarter of it is held out, and the bias is trained,
    unless said otherwise; the theory is the flow on these very samples.
    """

    def make() -> Figure:
        from figures import learning_curves

        comparison = opt.run_comparison(until_learned(of_data(options)))
        click.echo(comparison.summary())
        return learning_curves(comparison)

    draw_into(output, make)


def of_data(options: opt.CompareOptions) -> opt.CompareOptions:
    """The options with what goes without saying of a data set: samples that are held out, and a trained bias."""
    from quadflow.options.ignored import given

    data = options.problem.data
    if data is None:
        return options
    said = given(["split", "bias"])
    changed = options.problem
    if "bias" not in said:
        changed = replace(changed, bias="trainable")
    if "split" not in said and not data.lower().endswith(".npz"):  # which may hold out samples of its own
        changed = replace(changed, split=HELD_OUT)
    return replace(options, problem=changed)


FIGURES = (losses, classification)
