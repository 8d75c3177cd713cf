"""`quadflow derive --network`: loss and flow of a network of one's own in symbols."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dynamics.errors import ProblemError
from quadflow.output import echo_json, to_json, validate_output, write_text
from quadflow.own_networks.building import build_network

if TYPE_CHECKING:
    from quadflow import options as opt
    from quadflow.options.own_network import OwnNetworkOptions

HONOURS = ("target", "inputs", "weight_decay", "form")
FORMATS = {"text": "txt", "latex": "tex", "json": "json", "python": "py"}


def run(
    own: OwnNetworkOptions,
    network: opt.NetworkOptions,
    form: str | None,
    aligned: bool,
    output: str | None,
    as_json: bool,
) -> None:
    """Derive, print and write; without `--target` its coefficients stay symbols."""
    from dynamics.networks import derive_network
    from dynamics.validation import validate_choice
    from quadflow.options.reading import read_decay

    suffix = validate_output(output, tuple(FORMATS.values()))
    if form is None:
        by_suffix = {ending: name for name, ending in FORMATS.items()}
        form = by_suffix.get(suffix or "", "json" if as_json else "text")
    validate_choice("format", form, FORMATS)
    if suffix is not None and suffix != FORMATS[form]:
        raise ProblemError(
            f"`--output` is {output!r}, but with `--format` {form} its name must end in: {FORMATS[form]}."
        )
    decay = read_decay(network.weight_decay)
    if isinstance(decay, list):
        raise ProblemError(
            f"`--weight-decay` is {network.weight_decay}, but a network of one's own has one rate for all parameters."
        )
    derivation = derive_network(build_network(own, network), network.target or "", decay)
    data = derivation.to_dict()
    makers = {
        "text": derivation.text,
        "latex": derivation.latex,
        "python": derivation.python,
        "json": lambda: to_json(data, origin=False),
    }
    text = makers[form]()
    if output is not None:
        write_text(output, text.rstrip("\n") + "\n")
    if as_json and form != "json":
        echo_json(data | {form: text})
    elif as_json or output is None:
        click.echo(text.rstrip("\n"))
