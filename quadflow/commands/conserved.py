"""`quadflow conserved`: the conservation laws of a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from dynamics.errors import ProblemError
from dynamics.words import counted
from quadflow import options as opt
from quadflow.examples import Command
from quadflow.options.ignored import note_without_effect
from quadflow.output import echo_result, to_json, validate_output, write_text

if TYPE_CHECKING:
    from dynamics.conserved.decay_records import DecayAlong
    from dynamics.conserved.weight_log import InferredQuantity
    from dynamics.laws import PolynomialNetwork


# sizes and layers of a --model or an --activation
OF_MODELS = (
    "hidden",
    "outputs",
    "second_layer",
    "second_layer_value",
    "second_layer_values",
    "output_weight",
)


@dataclass(frozen=True)
class LawOptions(opt.MatrixOptions):
    """Which network, and what is sought."""

    model: str | None = opt.option(
        type=opt.OneOf(("quadratic", "linear", "relu", "bilinear", "abs")), help="Units [default: quadratic]."
    )
    activation: str | None = opt.option(
        metavar="SPEC",
        help="Units of this activation, instead of a --model: relu2, leaky-relu:0.1, …",
    )
    expression: str | None = opt.option(
        "--network",
        metavar="EXPR",
        help="Any polynomial network instead: an expression such as a*(w*x_0)**2 in inputs x_0, x_1, … and parameters, "
        "pieces such as 'linear:2,3 >> square >> linear:3,1', or deep-linear:D,H1,…,O, deep-quadratic:D,K1,…,O, "
        "bilinear:D,K,O, attention:T,D,H.",
    )
    inputs: int | None = opt.option(
        type=int, metavar="D", help="Input dimension d [default: 2, or the teacher's]."
    )
    hidden: int = opt.option(type=int, metavar="K", default=2, show_default=True, help="Hidden units.")
    outputs: int = opt.option(type=int, metavar="O", default=1, show_default=True, help="Outputs.")
    second_layer: str = opt.option(
        type=opt.OneOf(("trainable", "fixed")),
        default="trainable",
        show_default=True,
        help="Trained with the first, or fixed at one value.",
    )
    second_layer_value: float = opt.option(
        type=float, default=1.0, show_default=True, help="a_k if it is fixed."
    )
    second_layer_values: str | None = opt.option(
        metavar="A1,A2,…", help="A fixed second layer of different values [default: trainable]."
    )
    output_weight: str | None = opt.option(
        type=click.Choice(["yes", "no"]), help="Whether bilinear units have one."
    )
    teacher: str | None = opt.option(
        metavar="SPEC", help="Look also for polynomial laws special to this teacher."
    )
    logs: tuple[str, ...] = opt.option(
        "--infer",
        multiple=True,
        metavar="FILE",
        help="Find instead what stayed constant in recorded weights: an .npz with W, a (and times), or checkpoints.",
    )
    init_tensors: str | None = opt.option(
        metavar="W_NAME[,A_NAME]",
        help="Names of W and of the second layer in the files of --infer [default: found by name or shape].",
    )
    degree: int = opt.option(
        type=int, default=2, show_default=True, help="Largest degree of the polynomial laws sought."
    )
    weight_decay: str = opt.option(
        default="0",
        show_default=True,
        metavar="ρ[,ρ_a]",
        help="What becomes of the laws under this decay, of all weights or of w and a; with --infer: there.",
    )
    seed: int = opt.option(type=int, default=0, show_default=True, help="Seed of every random number.")

    @property
    def fixed_values(self) -> list[float] | None:
        """Values of a fixed second layer; None if it is trained."""
        from dynamics.problem import SECOND_LAYERS
        from dynamics.validation import validate_choice

        fixed = validate_choice("second_layer", self.second_layer, SECOND_LAYERS) == "fixed"
        if self.second_layer_values is not None:
            return opt.parse_numbers("--second-layer-values", self.second_layer_values)
        return [self.second_layer_value] * self.hidden if fixed else None


@click.command(
    cls=Command,
    epilog="Example: quadflow conserved --model quadratic --inputs 2 --hidden 3 --second-layer-values 1,1,-1",
)
@opt.take(LawOptions, "options")
@opt.output_option("Write the JSON object (.json).")
@opt.json_option
def command(options: LawOptions, output: str | None, as_json: bool) -> None:
    """Conservation laws of gradient flow that hold for every target, and how many there are.

    The number is parameters minus dimension of the Lie algebra of the gradients; it is called exact where as many
    independent laws are listed.
    """
    from dynamics.laws import conserved_report, laws_for_teacher
    from dynamics.laws.activation_models import unknown_laws
    from quadflow.options.reading import read_decay

    validate_output(output, ("json",))
    if options.logs:
        infer(options, output, as_json)
        return
    if options.init_tensors is not None:
        raise ProblemError("`--init-tensors` names tensors in the files of `--infer`: give that as well.")
    network, matrix = build_network(options)
    special = None if matrix is None or network is None else laws_for_teacher(network, matrix, options.degree)
    if network is None:
        result = unknown_laws(
            options.activation or "",
            options.inputs or 2,
            options.hidden,
            options.outputs,
            options.fixed_values is None,
        )
    else:
        result = conserved_report(
            network,
            degree=options.degree,
            weight_decay=read_decay(options.weight_decay),
            seed=options.seed,
            progress=True,
        )
    if special is not None:
        result["special_laws"] = [str(law.expression) for law in special.special.laws]
    if output is not None:
        write_text(output, to_json(result) + "\n")
    echo_result(result, lambda: describe(result), as_json)


def infer(options: LawOptions, output: str | None, as_json: bool) -> None:
    """Quadratic quantities that recorded weights kept constant, matched with the known laws."""
    import numpy as np

    from dynamics.conserved.decay_records import decay_along_records
    from dynamics.conserved.inference import infer_quantities
    from empirical.checkpoints import read_times, read_weights
    from quadflow.options.reading import read_decay
    from quadflow.options.starts import parse_tensors

    values = options.fixed_values
    first, second = parse_tensors(options.init_tensors)
    decay = read_decay(options.weight_decay)
    W, A = read_weights(
        options.logs,
        first=first,
        second=second,
        fixed=values,
        missing="`--second-layer-values 1` would read it as a network with every a_k = 1",
    )
    times = read_times(options.logs, W.shape[-3]) if W.ndim > 2 else None  # a single state is refused below
    inference = infer_quantities(W, A, times=times)
    result = {
        "count": len(inference.quantities),
        "laws": [quantity_json(q) for q in inference.quantities],
        "nearly_constant": [quantity_json(q) | {"residual": q.residual} for q in inference.nearly_constant],
        "decaying": [quantity_json(q) | {"residual": q.residual, "rate": q.rate} for q in inference.decaying],
        "moving": [quantity_json(q) for q in inference.moving],
        "warnings": inference.notes,
    }
    words = inference.summary
    if np.any(decay):
        along = decay_along_records(W, A, times, decay, options.activation or options.model or "quadratic")
        result["decayed_laws"] = [law_json(law) for law in along]
        words = lambda: "\n".join([inference.summary(), *map(law_line, along)])  # noqa: E731
    if output is not None:
        write_text(output, to_json(result) + "\n")
    echo_result(result, words, as_json)


def law_json(law: DecayAlong) -> dict[str, Any]:
    """A law of decay along records, and how well it was kept."""
    return {
        "law": law.name,
        "constant": law.constant,
        "rate": law.rate,
        "start": law.values[:, 0],
        "end": law.values[:, -1],
        "deviation": law.deviation,
        "uncertainty": law.uncertainty,
    }


def law_line(law: DecayAlong) -> str:
    """The same in words."""
    unsure = f" (known to ±{law.uncertainty:.1g})" if law.uncertainty else ""
    return f"under this decay {law.constant}: kept to {law.deviation:.2g}{unsure}"


def quantity_json(q: InferredQuantity) -> dict[str, Any]:
    """One quantity, and how constant it was."""
    return {
        "formula": q.formula,
        "match": q.match,
        "value": q.values,
        "drift": q.drift,
        "constancy": q.constancy,
    }


def build_network(options: LawOptions) -> tuple[PolynomialNetwork | None, Any]:
    """The network, None where an activation has no algebra, and the teacher's matrix if one is given."""
    from dynamics.laws import build_model
    from dynamics.laws.activation_models import activation_network
    from quadflow.options.reading import matrix_arguments, read_teacher

    teacher = None
    if options.teacher:
        teacher = read_teacher(
            options.teacher, options.inputs, None, **matrix_arguments(options.teacher, options)
        )
        if teacher.outputs > 1 or options.outputs > 1:
            raise ProblemError("`--teacher` looks for special laws of one output, but there are several.")
    d = options.inputs or (2 if teacher is None else teacher.inputs)
    matrix = None if teacher is None else teacher.matrix()
    named = {"--model": options.model, "--activation": options.activation, "--network": options.expression}
    given = [name for name, value in named.items() if value is not None]
    if len(given) > 1:
        raise ProblemError(f"`{given[0]}` and `{given[1]}` both name the network: give one of them.")
    if options.activation is not None:
        if teacher is not None:
            raise ProblemError(
                "`--teacher` looks for special laws of a `--model`, but an `--activation` is given."
            )
        if options.output_weight is not None:
            raise ProblemError("`--output-weight` is one of bilinear units, but an `--activation` is given.")
        network = activation_network(
            options.activation, d, options.hidden, options.outputs, second_layer=options.fixed_values
        )
        return network, None
    if options.expression is not None:
        from dynamics.networks import read_network
        from dynamics.networks.laws import polynomial_network

        note_without_effect(OF_MODELS, "beside `--network`, which says its own sizes")
        return polynomial_network(read_network(options.expression, options.inputs, "--inputs")), matrix
    network = build_model(
        options.model or "quadratic",
        d if options.inputs is None else options.inputs,
        options.hidden,
        options.outputs,
        output_weight=None if options.output_weight is None else options.output_weight == "yes",
        second_layer=options.fixed_values,
    )
    return network, matrix


def describe(result: dict[str, Any]) -> str:
    """The report in words."""
    if result["count"] is None:
        return "\n".join([counted(result["parameters"], "parameter"), *result["warnings"]])
    bound = "" if result["exact"] else "at most "
    lines = [
        f"{counted(result['parameters'], 'parameter')}, Lie algebra of dimension {result['lie_algebra_dimension']}: "
        f"{bound}{counted(result['count'], 'independent law')}" + (" (exact)" if result["exact"] else ""),
        *(f"  {law}" for law in result["laws"]),
    ]
    if not result["exact"] and len(result["laws"]) < result["count"]:
        lines.append(f"  ({len(result['laws'])} of them found)")
    if "decayed_laws" in result:
        lines += [
            "with weight decay, instead:",
            *(f"  {decayed_line(law)}" for law in result["decayed_laws"]),
        ]
    if "special_laws" in result:
        lines.append("special to this teacher: " + ("none" if not result["special_laws"] else ""))
        lines += [f"  {law}" for law in result["special_laws"]]
    return "\n".join(lines)


def decayed_line(law: dict[str, Any]) -> str:
    """What becomes of one law."""
    if law["rate"] is None:
        return f"d/dt ({law['law']}) = {law['velocity']}"
    if law["rate"] == 0:
        return f"{law['law']} stays"
    verb = "falls" if law["rate"] > 0 else "grows"
    return f"{law['law']} {verb} as e^({-law['rate']:g}t)"
