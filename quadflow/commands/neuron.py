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


@click.command(
    cls=Command,
    epilog="Example: quadflow neuron --inputs 4 --hidden 4 --rates 1,0.1,0.1 --step 0.01 --steps 2000",
)
@opt.neuron_options
@opt.take(NeuronStudy, "study")
@opt.output_option("Write the result (.json; .npz: the flow) or the figure (.png, .pdf, .svg).")
@opt.json_option
def command(neuron: opt.NeuronOptions, study: NeuronStudy, output: str | None, as_json: bool) -> None:
    """Quadratic neurons (w^r·x + b^r)(w^g·x + b^g) + w^b·(x⊙x) + c: flow, conserved quantities, stability, training.

    A figure shows the learning curve, with --collapse the diverging runs.
    """
    suffix = validate_output(output, OUTPUTS)
    if study.derive:
        _derive(neuron, output, suffix, as_json)
        return
    from dynamics.neuron import NeuronFlow
    from dynamics.neuron.function_space import function_space_dimensions
    from quadflow.options.neuron import build_neurons, build_target

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


def _derive(options: opt.NeuronOptions, output: str | None, suffix: str | None, as_json: bool) -> None:
    from dynamics.neuron import derive_neurons
    from quadflow.options.neuron import build_target

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
