"""Figures of the gallery about what separates real training from the gradient flow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from quadflow import options as opt
from quadflow.examples import Command
from quadflow.gallery.common import FigureCommand, draw_into, figure_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SMALL = {"teacher": "2,1", "inputs": 4, "hidden": 3, "init_scale": 0.3, "seed": 1, "dtype": "float64"}

# One regime per cause: large batches and steps; few samples, all in every step; small batches and noisy labels.
REGIMES: dict[str, dict[str, Any]] = {
    "gap-step": SMALL | {"step": 1e-2, "steps": 300, "batch": 8192, "seeds": 8, "records": 150},
    "gap-data": SMALL | {"step": 2e-3, "steps": 1500, "batch": 0, "samples": 200, "seeds": 8, "records": 150},
    "gap-noise": {
        **{"teacher": "2,1", "inputs": 50, "hidden": 2, "init": "aligned", "init_scale": 0.5},
        **{"second_layer": "fixed", "step": 1e-3, "steps": 1500, "batch": 4, "label_noise": 0.5},
        **{"seeds": 32, "records": 60},
    },
}


def gap_command(name: str, what: str) -> click.Command:
    """The gap figure with the defaults of one regime."""

    @click.command(
        name,
        cls=FigureCommand,
        context_settings={"default_map": REGIMES[name]},
        help=f"Why trained networks differ from the flow, one correction after the other: {what}.",
        epilog=f"Example: quadflow figure {name} --seeds 16",
    )
    @opt.compare_options
    @figure_output(name)
    def command(options: opt.CompareOptions, output: str) -> None:
        def make() -> Figure:
            from figures.gap import gap_figure

            gap = opt.run_comparison(options).gap
            assert gap is not None  # of networks that were trained here
            return gap_figure(gap)

        draw_into(output, make)

    return command


@click.command(
    "fluctuations",
    cls=FigureCommand,
    context_settings={"default_map": REGIMES["gap-noise"] | {"sgd": True, "gap": "training"}},
    epilog="Example: quadflow figure fluctuations --batch 1 --step 2.5e-4 --steps 6000",
)
@opt.compare_options
@figure_output("fluctuations")
def fluctuations(options: opt.CompareOptions, output: str) -> None:
    """Spread of SGD over seeds: predicted band against the band of trained networks."""

    def make() -> Figure:
        from figures import learning_curves

        comparison = opt.run_comparison(options)
        click.echo(comparison.summary())
        return learning_curves(comparison)

    draw_into(output, make)


@click.command(
    "train-test",
    cls=FigureCommand,
    context_settings={
        "default_map": {"teacher": "2,1", "inputs": 10, "hidden": 6, "init_scale": 0.3, "seed": 1}
    },
    epilog="Example: quadflow figure train-test --samples 40 --label-noise 0.5",
)
@opt.problem_options
@click.option("--samples", type=int, default=60, show_default=True, help="Training set size N.")
@click.option("--step", type=float, default=1e-3, show_default=True, help="Learning rate.")
@click.option("--steps", type=int, default=6000, show_default=True, help="Training steps.")
@click.option(
    "--label-noise", type=float, default=0.2, show_default=True, help="Variance of the label noise."
)
@click.option("--seeds", type=int, default=6, show_default=True, help="Networks, each on a set of its own.")
@figure_output("train-test")
def train_test(
    problem: opt.ProblemOptions,
    samples: int,
    step: float,
    steps: int,
    label_noise: float,
    seeds: int,
    output: str,
) -> None:
    """Train and test loss on finite data sets: theory on exactly these sets against trained networks."""

    def make() -> Figure:
        from empirical.experiments.generalisation import train_and_test
        from figures.generalisation import generalisation_figure
        from quadflow.options.reading import build_problem

        curves = train_and_test(
            build_problem(problem),
            samples=samples,
            steps=steps,
            step=step,
            label_noise=label_noise,
            seeds=seeds,
            seed=problem.seed,
            progress=True,
        )
        return generalisation_figure(curves)

    draw_into(output, make)


@click.command(
    "scaling-law", cls=Command, epilog="Example: quadflow figure scaling-law --exponents 1,2 --count 100000"
)
@click.option("--exponents", default="0.75,1,1.5", show_default=True, help="α of the teachers λ_j = j^−α.")
@click.option("--count", type=int, default=1_000_000, show_default=True, help="Modes N of the exact curves.")
@click.option(
    "--trained-modes", type=int, default=100, show_default=True, help="Modes of the trained networks."
)
@click.option("--step", type=float, default=4e-3, show_default=True, help="Their learning rate.")
@opt.seed_option
@figure_output("scaling-law")
def scaling_law(exponents: str, count: int, trained_modes: int, step: float, seed: int, output: str) -> None:
    """Power-law teachers: loss against time, exact, asymptotic with exponent and prefactor, and trained."""

    def make() -> Figure:
        from empirical.experiments.power_law import scaling_laws
        from figures.scaling_law import scaling_law_figure

        laws = scaling_laws(
            opt.parse_numbers("--exponents", exponents),
            count=count,
            trained_modes=trained_modes,
            step=step,
            seed=seed,
            progress=True,
        )
        return scaling_law_figure(laws)

    draw_into(output, make)


@click.command(
    "late-time", cls=Command, epilog="Example: quadflow figure late-time --teacher 2,1,0.5 --inputs 6"
)
@click.option("--teacher", default="2,1", show_default=True, help="Eigenvalues, positive, fewer than inputs.")
@click.option("--inputs", type=int, default=5, show_default=True, help="Inputs and hidden units.")
@click.option("--step", type=float, default=2e-3, show_default=True, help="Learning rate.")
@click.option("--batch", type=int, default=512, show_default=True, help="Fresh samples per step.")
@opt.seed_option
@figure_output("late-time")
def late_time(teacher: str, inputs: int, step: float, batch: int, seed: int, output: str) -> None:
    """Power laws in which the loss ends where units are to spare: closed forms, flows and trained networks."""

    def make() -> Figure:
        from empirical.experiments.late_time import late_time as compute
        from figures.late_time import late_time_figure

        eigenvalues = opt.parse_numbers("--teacher", teacher)
        return late_time_figure(
            compute(eigenvalues, inputs, step=step, batch=batch, seed=seed, progress=True)
        )

    draw_into(output, make)


@click.command("growth", cls=Command, epilog="Example: quadflow figure growth --teacher 3,1,-2 --seeds 2")
@click.option(
    "--teacher", default="2,-1,0.5", show_default=True, help="Eigenvalues of both signs, three or more."
)
@click.option("--step", type=float, default=0.05, show_default=True, help="Learning rate.")
@click.option("--batch", type=int, default=512, show_default=True, help="Fresh samples per step.")
@click.option("--seeds", type=int, default=4, show_default=True, help="How many networks.")
@opt.seed_option
@figure_output("growth")
def growth(teacher: str, step: float, batch: int, seeds: int, seed: int, output: str) -> None:
    """Hard labels under the logistic loss, learned for ever: powers of time, the flow and trained networks."""

    def make() -> Figure:
        from empirical.experiments.growth import growth as compute
        from figures.growth import growth_figure

        eigenvalues = opt.parse_numbers("--teacher", teacher)
        return growth_figure(
            compute(eigenvalues, step=step, batch=batch, seeds=seeds, seed=seed, progress=True)
        )

    draw_into(output, make)


@click.command(
    "stability",
    cls=FigureCommand,
    context_settings={
        "default_map": {"teacher": "2,1", "inputs": 4, "hidden": 4, "init_scale": 0.3, "seed": 1}
    },
    epilog="Example: quadflow figure stability --factors 0.5,1.2,3",
)
@opt.problem_options
@click.option(
    "--factors", default="0.9,1.1,2", show_default=True, help="Steps in units of the largest stable one."
)
@click.option("--samples", type=int, default=400, show_default=True, help="Training set, all in every step.")
@click.option(
    "--label-noise", type=float, default=0.0, show_default=True, help="Variance of the label noise."
)
@click.option("--t-end", type=float, default=6.0, show_default=True, help="Training time.")
@figure_output("stability")
def stability(
    problem: opt.ProblemOptions, factors: str, samples: int, label_noise: float, t_end: float, output: str
) -> None:
    """Sharpness along the flow against 2/η, and networks trained below and beyond the largest stable step."""

    def make() -> Figure:
        from empirical.experiments.edge_of_stability import edge_of_stability
        from figures.stability import stability_figure
        from quadflow.options.reading import build_problem

        edge = edge_of_stability(
            build_problem(problem),
            samples=samples,
            t_end=t_end,
            factors=opt.parse_numbers("--factors", factors),
            label_noise=label_noise,
            seed=problem.seed,
            progress=True,
        )
        return stability_figure(edge)

    draw_into(output, make)


@click.command(
    "schedules",
    cls=FigureCommand,
    context_settings={
        "default_map": {
            "teacher": "1",
            "inputs": 30,
            "hidden": 1,
            "second_layer": "fixed",
            "label_noise": 0.5,
        }
    },
    epilog="Example: quadflow figure schedules --schedules constant,wsd:0.5,inverse-time:0.02",
)
@opt.problem_options
@click.option("--steps", type=int, default=4000, show_default=True, help="Training steps N.")
@click.option("--batch", type=int, default=1, show_default=True, help="Fresh samples per step.")
@click.option(
    "--label-noise", type=float, default=0.0, show_default=True, help="Variance of the label noise."
)
@click.option(
    "--schedules",
    default="constant,linear,cosine,step",
    show_default=True,
    help="Each at its best rate; for one unit the optimal one beside them.",
)
@click.option(
    "--start-risk", type=float, default=0.012, show_default=True, help="Loss from which one unit starts."
)
@click.option("--seeds", type=int, default=256, show_default=True, help="Networks under each schedule.")
@figure_output("schedules")
def schedules(
    problem: opt.ProblemOptions,
    steps: int,
    batch: int,
    label_noise: float,
    schedules: str,
    start_risk: float,
    seeds: int,
    output: str,
) -> None:
    """Learning-rate schedules at their best rates: rates and risk, theory against trained networks."""

    def make() -> Figure:
        from empirical.experiments.schedules import schedule_curves
        from figures.schedules import schedules_figure
        from quadflow.options.reading import build_problem

        curves = schedule_curves(
            build_problem(problem),
            steps=steps,
            batch=batch,
            label_noise=label_noise,
            schedules=schedules.split(","),
            start_risk=start_risk,
            seeds=seeds,
            seed=problem.seed,
            progress=True,
        )
        return schedules_figure(curves)

    draw_into(output, make)


FIGURES = (
    fluctuations,
    schedules,
    train_test,
    scaling_law,
    late_time,
    growth,
    stability,
    gap_command("gap-step", "the step size dominates"),
    gap_command("gap-data", "few samples dominate"),
    gap_command("gap-noise", "sampling noise dominates"),
)
