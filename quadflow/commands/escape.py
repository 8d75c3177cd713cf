"""`quadflow escape`: how long one unit on the sphere takes to learn anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from quadflow import options as opt
from quadflow.examples import Command
from quadflow.output import echo_result, to_json, validate_output, write_text
from quadflow.provenance import problem_json

if TYPE_CHECKING:
    from dynamics.escape.prediction import Escape
    from dynamics.problem import Problem
    from empirical.escape import TrainedEscape


@dataclass(frozen=True)
class EscapeOptions:
    """What is to be reached, and how networks are trained."""

    overlap: float = opt.option(
        type=float,
        default=0.5,
        show_default=True,
        metavar="m",
        help="Cosine with the teacher that is reached.",
    )
    overlap_at_start: float | None = opt.option(
        type=float, metavar="m₀", help="That at the start [default: 1/√d, typical of a random direction]."
    )
    step: float | None = opt.option(
        type=float, metavar="η", help="Learning rate of one-pass SGD [default: the flow alone]."
    )
    batch: int = opt.option(type=int, default=1, show_default=True, help="Fresh samples per step of SGD.")
    label_noise: float = opt.option(
        type=float, default=0.0, show_default=True, help="Variance Δ of the label noise."
    )
    seeds: int = opt.option(
        type=int,
        default=0,
        show_default=True,
        help="Networks trained by this SGD, from random directions unless --overlap-at-start is given; 0: none.",
    )
    t_end: float | None = opt.option(
        type=float,
        metavar="T",
        help="Time at which their training ends [default: well after what is predicted].",
    )
    seed: int = opt.option(type=int, default=0, show_default=True, help="Seed of every random number.")
    gradients: str | None = opt.gradients_option()
    device: str = opt.option(default="cpu", show_default=True, help="PyTorch device, such as cuda.")


# What the theory has one value of alone: `build_unit` and the scope refuse any other.
DATA = ("data", "target", "classes", "split", "components", "whiten", "standardize_target")
LEARNED = ("loss", "labels", "flip", "bias", "weight_decay", "covariance", "distribution")
NETWORK = ("hidden", "outputs", "second_layer", "constraint")


@opt.refuses(*DATA, *LEARNED, *NETWORK)
@click.command(
    cls=Command,
    epilog="Example: quadflow escape --teacher 1 --inputs 100 --activation hermite:2 --step 0.0005 --seeds 16",
)
@opt.network_options
@opt.take(EscapeOptions, "how")
@opt.output_option("Write the JSON object (.json).")
@opt.json_option
def command(network: opt.NetworkOptions, how: EscapeOptions, output: str | None, as_json: bool) -> None:
    """Information exponent, and when one unit of norm 1 reaches an overlap with its teacher: flow and one-pass SGD.

    For the information exponent 2 also the law of the time over starts and data: its mean, spread and quantiles. Two
    learning rates of SGD bound what it learns: from largest_step on its mean stops before --overlap, from
    threshold_step on it does not grow from 0. Both shrink with --label-noise and --inputs, and grow with --batch. There
    is one unit, always on the sphere, one output, Gaussian inputs, the square loss.
    """
    from dynamics.escape.prediction import escape_time
    from quadflow.options.ignored import note_without_effect

    validate_output(output, ("json",))
    problem = build_unit(network)
    start: dict[str, Any] = {"overlap": how.overlap, "overlap_at_start": how.overlap_at_start}
    sgd: dict[str, Any] = {"batch": how.batch, "label_noise": how.label_noise}
    prediction = escape_time(problem, step=how.step, **start, **sgd)
    if how.step is None:
        note_without_effect([*sgd, "seeds"], "without `--step`")
    trained = None
    if how.seeds and how.step is not None:
        from empirical.escape import train_escape

        trained = train_escape(
            problem,
            step=how.step,
            t_end=prediction.patience if how.t_end is None else how.t_end,
            seeds=how.seeds,
            seed=how.seed,
            gradients=how.gradients,
            device=how.device,
            progress=True,
            **start,
            **sgd,
        )
    else:
        note_without_effect(["t_end", "seed", "gradients", "device"], "unless networks are trained")
    result = with_training(prediction, trained) | {"problem": problem_json(problem)}
    if output is not None:
        write_text(output, to_json(result) + "\n")
    lines = [prediction.summary, *([] if trained is None else [lambda: trained_lines(trained, result)])]
    echo_result(result, lambda: "\n".join(line() for line in lines), as_json)


def trained_lines(trained: TrainedEscape, result: dict[str, Any]) -> str:
    """Times of the networks, and how well the law fits them."""
    p = result["trained"]["kolmogorov_smirnov"]
    mean, spread = trained.mean, trained.deviation
    lines = [trained.summary()]
    if mean is not None and spread is not None:
        lines.append(
            f"mean {mean[0]:.4g} ± {mean[1]:.2g}, standard deviation {spread[0]:.4g} ± {spread[1]:.2g}"
        )
    return "\n".join([*lines, *([] if p is None else [f"Kolmogorov–Smirnov test of the law: p = {p:.2g}"])])


def build_unit(options: opt.NetworkOptions) -> Problem:
    """One unit of fixed weight, 1 unless `--second-layer-value` says otherwise; its direction does not matter."""
    import numpy as np

    from dynamics.errors import ProblemError
    from dynamics.problem import Problem, Student
    from dynamics.validation import validate_count, validate_real
    from quadflow.options.ignored import given
    from quadflow.options.reading import options_teacher, read_covariance, read_decay, refuse_data

    if options.second_layer != "fixed" and given(["second_layer"]):
        raise ProblemError(
            f"`--second-layer` is {options.second_layer}, but the escape time is known only for a fixed one."
        )
    if options.hidden is not None and validate_count("hidden", options.hidden) != 1:
        raise ProblemError(
            f"`hidden` is {options.hidden}, but the escape time is known only for one hidden unit."
        )
    if options.constraint == "none" and given(["constraint"]):
        raise ProblemError(
            "`--constraint` is none, but the escape time is known only for a unit on the sphere."
        )
    refuse_data(options)
    teacher = options_teacher(options)
    weight = np.full((teacher.outputs, 1), validate_real("second_layer_value", options.second_layer_value))
    student = Student(np.ones((1, teacher.inputs)), weight, trainable=False)
    covariance = read_covariance(options, teacher.inputs)
    decay = read_decay(options.weight_decay)
    return Problem(
        teacher,
        student,
        options.activation,
        covariance,
        decay,
        options.teacher_activation,
        options.distribution,
        constraint="sphere",
        **options.learned(),
    )


def with_training(prediction: Escape, trained: TrainedEscape | None) -> dict[str, Any]:
    """The result with the times of trained networks; null and a warning for those that are not known.

    ``kolmogorov_smirnov`` is the p-value of a test of the times against the law, null where there is none.
    """
    result = prediction.as_dict()
    if trained is None:
        return result | {"trained": None}
    from empirical.experiments.exit_times import kolmogorov_smirnov

    law = prediction.exit_law
    p = None if law is None or not law.start_deviation else kolmogorov_smirnov(trained.times, law)
    numbers = trained.as_dict() | {"kolmogorov_smirnov": p}
    if trained.unfinished:
        result["warnings"].append(
            f"{trained.unfinished} of {len(trained.times)} networks had not reached the overlap at time "
            f"{trained.t_end:g}: their times are null, and count as infinite in the quartiles"
        )
    return result | {"trained": numbers}
