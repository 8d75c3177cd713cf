"""`quadflow neuron`: quadratic neurons (ReLinear), their flow, training, stability, collapse and function space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from dynamics.errors import ProblemError
from quadflow import options as opt
from quadflow.examples import Command
from quadflow.output import echo_result, to_json, validate_output, write_figure, write_file, write_text

if TYPE_CHECKING:
    from dynamics.neuron import Neurons, NeuronTrajectory, QuadraticTarget, Rates
    from empirical.neuron.training import NeuronRun

OUTPUTS = ("json", "npz", "png", "pdf", "svg")
DEFAULT_INPUTS = 6


@dataclass(frozen=True)
class NeuronTarget:
    """The target."""

    teacher: str | None = opt.option(
        metavar="SPEC",
        help="Quadratic part M* of the target: eigenvalues, as 4,2,1; power-law:ALPHA:COUNT; FILE.npy, .csv or .npz "
        "[default: a random quadratic function].",
    )


@dataclass(frozen=True)
class NeuronStart:
    """The rest of the target, and the initial weights."""

    teacher_linear: str | None = opt.option(
        metavar="V", help="Linear part v of the target, as 1,0.5 [default: none]."
    )
    teacher_constant: float | None = opt.option(type=float, metavar="E", help="Constant e of the target.")
    inputs: int | None = opt.option(
        type=int, metavar="D", help="Input dimension d [default: the teacher's, else 6]."
    )
    hidden: int = opt.option(type=int, default=6, show_default=True, help="Quadratic neurons.")
    init: str = opt.option(
        default="relinear", show_default=True, help="relinear (ordinary neurons), or random."
    )
    init_scale: float = opt.option(
        type=float, default=0.7, show_default=True, help="Size of the initial weights."
    )
    seed: int = opt.option(type=int, default=0, show_default=True, help="Seed of every random number.")


@dataclass(frozen=True)
class NeuronOptions(NeuronStart, opt.MatrixOptions, NeuronTarget):
    """Target and initial weights of quadratic neurons."""


@dataclass(frozen=True)
class NeuronStudy:
    """What is integrated, trained and studied."""

    rates: str = opt.option(
        default="1,1,1",
        show_default=True,
        metavar="R,G,B",
        help="Learning rates of (w^r, b^r), (w^g, b^g), (w^b, c), relative to that of the output weights, which is 1.",
    )
    shrink: float = opt.option(
        type=float,
        default=0.0,
        show_default=True,
        metavar="λ",
        help="Draw w^g, b^g, w^b, c to the ReLinear start at this rate.",
    )
    t_end: float | None = opt.option(
        type=float, help="End time [default: steps × step if trained, else converged]."
    )
    records: int = opt.option(type=int, default=201, show_default=True, help="Number of output times.")
    steps: int | None = opt.option(type=int, help="Also train networks, so many steps.")
    step: float = opt.option(type=float, default=0.01, show_default=True, metavar="η", help="Learning rate.")
    batch: int = opt.option(
        type=int, default=256, show_default=True, help="Fresh samples per step; 0: the whole population."
    )
    seeds: int = opt.option(type=int, default=4, show_default=True, help="Networks trained together.")
    collapse: bool = opt.option(is_flag=True, help="Fraction of diverging runs against learning rate and γ.")
    starts: int = opt.option(type=int, default=100, show_default=True, help="Random starts of each.")
    derive: bool = opt.option(is_flag=True, help="Print the symbolic equations instead.")
    device: str = opt.option(default="cpu", show_default=True, help="PyTorch device.")


neuron_options = opt.together(opt.take(NeuronOptions, "neuron"), opt.config_option)


@click.command(
    cls=Command,
    epilog="Example: quadflow neuron --inputs 4 --hidden 4 --rates 1,0.1,0.1 --step 0.01 --steps 2000",
)
@neuron_options
@opt.take(NeuronStudy, "study")
@opt.output_option("Write the result (.json; .npz: the flow) or the figure (.png, .pdf, .svg).")
@opt.json_option
def command(neuron: NeuronOptions, study: NeuronStudy, output: str | None, as_json: bool) -> None:
    """Quadratic neurons (w^r·x + b^r)(w^g·x + b^g) + w^b·(x⊙x) + c: flow, conserved quantities, stability, training.

    A figure shows the learning curve, with --collapse the diverging runs.
    """
    suffix = validate_output(output, OUTPUTS)
    if study.derive:
        _derive(neuron, output, suffix, as_json)
        return
    from dynamics.neuron import NeuronFlow
    from dynamics.neuron.function_space import function_space_dimensions

    target = build_target(neuron)
    neurons = build_neurons(neuron, target.inputs)
    rates, shrink = parse_rates(study.rates), study.shrink
    t_end, steps = study.t_end, study.steps
    run = collapsed = None
    if steps is not None:  # first: a step that diverges says so, while the flow to such times would never end
        run = train(target, neurons, rates, study, neuron.seed)
        t_end = steps * study.step if t_end is None else t_end
    trajectory = NeuronFlow(target, neurons, rates, shrink).integrate(
        t_end, samples=study.records, progress=True
    )
    space = function_space_dimensions(target.inputs)
    result, text = trajectory.to_dict(), [trajectory.summary(), space.summary()]
    result["function_space"] = space.to_dict()
    if run is not None:
        result["trained"] = run.to_dict()
        text.append(run.summary())
    if study.collapse:
        from empirical.neuron.collapse import collapse_study

        collapsed = collapse_study(
            target if neuron.teacher else None,
            inputs=target.inputs,
            hidden=neurons.hidden,
            starts=study.starts,
            scale=neuron.init_scale,
            seed=neuron.seed,
            device=study.device,
            progress=True,
        )
        result["collapse"] = collapsed.to_dict()
        text.append(collapsed.summary())
    if output is not None and suffix is not None:
        _write(output, suffix, result, trajectory, run, collapsed)
    echo_result(result, lambda: "\n".join(text), as_json)


def build_target(options: NeuronOptions) -> QuadraticTarget:
    """Target from `--teacher`, `--teacher-linear`, `--teacher-constant`, or a random one."""
    from dynamics.neuron import QuadraticTarget

    inputs = options.inputs
    if not options.teacher:
        for name in ("teacher_linear", "teacher_constant", "rank", "tolerance", "symmetrize"):
            if getattr(options, name) not in (None, False):
                raise ProblemError(
                    f"`--{name.replace('_', '-')}` needs a `--teacher`: without it all of it is random."
                )
        return QuadraticTarget.random(DEFAULT_INPUTS if inputs is None else inputs, seed=options.seed)
    import numpy as np

    from quadflow.options.reading import matrix_arguments, read_teacher

    M = read_teacher(options.teacher, inputs, 1, **matrix_arguments(options.teacher, options)).matrix()
    v = np.zeros(len(M))
    if options.teacher_linear is not None:
        linear = opt.parse_numbers("--teacher-linear", options.teacher_linear)
        if len(linear) > len(M):
            raise ProblemError(
                f"`--teacher-linear` has {len(linear)} entries, but there are {len(M)} inputs."
            )
        v[: len(linear)] = linear
    return QuadraticTarget(M, v, options.teacher_constant or 0.0)


def build_neurons(options: NeuronOptions, inputs: int) -> Neurons:
    """Initial weights."""
    from dynamics.neuron import Neurons

    return Neurons.initialise(
        options.hidden,
        inputs,
        init=options.init,
        scale=options.init_scale,
        seed=options.seed,
    )


def parse_rates(text: str) -> Rates:
    """Rates r, g, b."""
    from dynamics.neuron import Rates

    values = opt.parse_numbers("--rates", text)
    if len(values) != 3:
        raise ProblemError(f"`--rates` is {text!r}, but must be three numbers r,g,b, such as 1,0.1,0.1.")
    return Rates(*values)


def train(
    target: QuadraticTarget, neurons: Neurons, rates: Rates, study: NeuronStudy, seed: int
) -> NeuronRun:
    """Train as the options say."""
    from empirical.neuron.training import train_neurons

    names = ("steps", "step", "shrink", "batch", "seeds", "device")
    options = {name: getattr(study, name) for name in names}
    return train_neurons(target, neurons, rates=rates, seed=seed, progress=True, **options)


def _derive(options: NeuronOptions, output: str | None, suffix: str | None, as_json: bool) -> None:
    from dynamics.neuron import derive_neurons

    if suffix not in (None, "json"):
        raise ProblemError(f"`--output` is {output!r}, but equations are written as .json.")
    derivation = derive_neurons(options.hidden, build_target(options).inputs, progress=True)
    if output is not None:
        write_text(output, to_json(derivation.to_dict()) + "\n")
    echo_result(derivation.to_dict(), derivation.summary, as_json)


def _write(
    output: str,
    suffix: str,
    result: dict[str, Any],
    trajectory: NeuronTrajectory,
    run: NeuronRun | None,
    study: Any,
) -> None:
    """The file in the format of its suffix."""
    if suffix == "json":
        write_text(output, to_json(result) + "\n")
    elif suffix == "npz":
        write_file(output, trajectory.save)
    else:
        from empirical.experiments.neuron_rates import NeuronCurves
        from figures.neuron import collapse_map, neuron_curves

        curves = [NeuronCurves(trajectory, run)]
        write_figure(collapse_map(study) if study is not None else neuron_curves(curves), output, suffix)
