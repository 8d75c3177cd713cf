"""`quadflow derive`: the symbolic ODEs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from dynamics.errors import ProblemError
from quadflow import options as opt
from quadflow.examples import Command
from quadflow.output import echo_json, to_json, validate_output, write_text

if TYPE_CHECKING:
    from dynamics.symbolic.derivation import Derivation

FORMATS = {"text": "txt", "latex": "tex", "json": "json", "python": "py", "javascript": "js", "tensor": "txt"}
SUFFIXES = ("txt", "tex", "json", "py", "js")
SYMBOLIC = "symbolic"  # of the weight decay: rates that stay symbols


@click.command(
    cls=Command, epilog="Example: quadflow derive --hidden 2 --inputs 2 --format python --output flow.py"
)
@opt.network_options
@click.option(
    "--format",
    "form",
    type=opt.OneOf(FORMATS),
    help="tensor: index-free, valid for every d and K. [default: from the suffix of --output, else text]",
)
@click.option("--aligned", is_flag=True, help="The mode system: w_k = p_k e_k, M* = diag(λ).")
@opt.output_option("Write the result (.txt, .tex, .json, .py, .js).")
@opt.json_option
@opt.takes_networks("derive")
def command(
    network: opt.NetworkOptions, form: str | None, aligned: bool, output: str | None, as_json: bool
) -> None:
    """Derive loss and gradient-flow ODEs from the moments of the inputs, for concrete K, d and O.

    Polynomial activations have concrete and index-free forms; erf, gelu, relu, leaky-relu:SLOPE, abs and relu2 the
    index-free one, in Gram entries (with --output .py a program for all sizes).
    A --teacher only tells the sizes here: the symbols of its matrix stay free. With --weight-decay symbolic its rates
    stay free too, and with --distribution independent:symbolic the excess kurtosis kappa.
    """
    suffix = validate_output(output, SUFFIXES)
    if form is None:
        by_suffix = None if suffix is None else next(f for f, s in FORMATS.items() if s == suffix)
        form = by_suffix or ("json" if as_json else "text")
    _check_suffix(output, suffix, form)
    exports = tensor_exports(network) if form == "tensor" else concrete_exports(network, form, aligned)
    wanted = {"tex": "latex", "py": "python"}.get(suffix or "", form) if form == "tensor" else form
    if wanted not in exports:
        raise ProblemError(
            f"`--output` is {output!r}, but the index-free form of {network.activation} units is no program: its name"
            " must end in: txt, tex."
        )
    text = exports[wanted]
    if output is not None:
        write_text(output, text.rstrip("\n") + "\n")
    if as_json and form != "json":
        known = json.loads(exports["json"]) if "json" in exports else {}
        echo_json(known | {name: e for name, e in exports.items() if name != "json"})
    elif as_json or output is None:
        click.echo(text.rstrip("\n"))


def _check_suffix(output: str | None, suffix: str | None, form: str) -> None:
    """Refuse a file of one format with the suffix of another."""
    suited = [FORMATS[form]] + ["tex", "py"] * (form == "tensor")
    if suffix is not None and suffix not in suited:
        raise ProblemError(
            f"`--output` is {output!r}, but with `--format` {form} its name must end in: {', '.join(suited)}."
        )


def concrete_exports(network: opt.NetworkOptions, form: str, aligned: bool) -> dict[str, str]:
    """Derivation for given sizes: as JSON, and in the format that was asked for."""
    from dynamics.symbolic import code_export, export
    from dynamics.symbolic.derivation import derive
    from quadflow.options.loss import refuse_losses
    from quadflow.options.reading import options_teacher, read_covariance, refuse_constraint, refuse_data

    refuse_data(network)
    refuse_constraint(network)
    refuse_losses(network)
    d, O = network.inputs, network.outputs
    if network.teacher:
        teacher = options_teacher(network)
        d, O = teacher.inputs, teacher.outputs
    if d is None:
        raise ProblemError("The input dimension is missing: give `--inputs` or a `--teacher`.")
    Sigma = read_covariance(network, d)
    derivation = derive(
        hidden=d if network.hidden is None else network.hidden,
        inputs=d,
        outputs=1 if O is None else O,
        activation=network.activation,
        second_layer=network.second_layer,
        second_layer_value=network.second_layer_value,
        covariance=Sigma,
        weight_decay=decay_of(network),
        teacher_activation=network.teacher_activation,
        distribution=network.distribution,
        progress=True,
    )
    if aligned:
        derivation = derivation.aligned()
    exporters: dict[str, Callable[[Derivation], str]] = {
        "text": export.to_text,
        "latex": export.to_latex,
        "json": lambda derivation: to_json(export.to_json_dict(derivation), origin=False),
        "python": code_export.to_python,
        "javascript": code_export.to_javascript,
    }
    return {name: exporters[name](derivation) for name in dict.fromkeys((form, "json"))}


def decay_of(network: opt.NetworkOptions) -> Any:
    """Rates of `--weight-decay`, or the word for symbols."""
    from quadflow.options.reading import read_decay

    return SYMBOLIC if network.weight_decay == SYMBOLIC else read_decay(network.weight_decay)


def tensor_exports(network: opt.NetworkOptions) -> dict[str, str]:
    """Index-free form: LaTeX alone, and text with the LaTeX below; a program too where it is in Gram entries."""
    from dynamics.activations import Activation
    from dynamics.problem.weight_decay import WeightDecay
    from dynamics.symbolic.tensor_form import derive_tensor, tensor_latex, tensor_text
    from quadflow.options.loss import refuse_losses
    from quadflow.options.reading import check_gaussian, refuse_constraint

    check_gaussian(network)
    refuse_constraint(network)
    refuse_losses(network)
    decay = decay_of(network)
    decayed = decay == SYMBOLIC or bool(WeightDecay.of(decay, network.second_layer == "trainable"))
    correlated = network.covariance is not None
    phi = Activation.parse(network.activation)
    psi = phi if network.teacher_activation is None else Activation.parse(network.teacher_activation)
    if phi != psi or phi.trace_coupling is None:
        return gram_exports(network, correlated, decayed)
    form = derive_tensor(network.activation, network.second_layer, correlated, decayed)
    text, latex = tensor_text(form), tensor_latex(form)
    return {"tensor": f"{text}\n{latex}", "latex": latex}


def gram_exports(network: opt.NetworkOptions, correlated: bool, decayed: bool) -> dict[str, str]:
    """Index-free form in Gram entries: text, LaTeX, a Python module, and as JSON the kernels."""
    from dynamics.symbolic.gram_code import gram_python
    from dynamics.symbolic.gram_form import derive_gram, gram_json, gram_latex, gram_text

    form = derive_gram(
        network.activation, network.teacher_activation, network.second_layer, correlated, decayed
    )
    text, latex = gram_text(form), gram_latex(form)
    kernels = to_json({"kernels": gram_json(form)}, origin=False)
    return {"tensor": f"{text}\n{latex}", "latex": latex, "python": gram_python(form), "json": kernels}
