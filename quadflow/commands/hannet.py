"""`quadflow hannet`: what Householder-absolute layers promise, and the checkerboard problem."""

from __future__ import annotations

from typing import Any

import click

from dynamics.errors import ProblemError
from quadflow import options as opt
from quadflow.examples import Command
from quadflow.options.ignored import note_without_effect
from quadflow.output import echo_result, to_json, validate_output, write_figure, write_text


@click.command(cls=Command, epilog="Example: quadflow hannet --train checkerboard --output surfaces.png")
@click.option(
    "--check", is_flag=True, help="Singular values, conserved norms, gradients through depth, parameters."
)
@click.option(
    "--train", "problem", type=click.Choice(["checkerboard"]), help="Train a HanNet and a dense network."
)
@click.option("--layers", type=int, default=200, show_default=True, help="Depth of the checked stacks.")
@click.option("--width", type=int, default=30, show_default=True, help="Their width.")
@click.option("--steps", type=int, default=15000, show_default=True, help="Training steps of each network.")
@click.option("--device", default="cpu", show_default=True, help="PyTorch device.")
@opt.seed_option
@opt.output_option("Write the JSON object (.json) or the figure (.png, .pdf, .svg).")
@opt.json_option
def command(
    check: bool,
    problem: str | None,
    layers: int,
    width: int,
    steps: int,
    device: str,
    seed: int,
    output: str | None,
    as_json: bool,
) -> None:
    """Check Han layers, or train them on the checkerboard beside a dense network."""
    from dynamics.validation import validate_count

    suffix = validate_output(output, ("json", "png", "pdf", "svg"))
    if check == (problem is not None):
        raise ProblemError("Say what to do: either `--check` or `--train checkerboard`.")
    for name, value in {"layers": layers, "width": width, "steps": steps}.items():
        validate_count(name, value)
    note_without_effect(
        ("steps", "device") if check else ("layers", "width"),
        "beside `--check`" if check else "beside `--train`",
    )
    result: Any
    if check:
        from empirical.hannet.check import check_hannet

        result = check_hannet(layers, width, seed=seed, progress=True)
    else:
        from empirical.hannet.checkerboard import train_checkerboard

        result = train_checkerboard(steps=steps, seed=seed, device=device, progress=True)
    if output is not None and suffix == "json":
        write_text(output, to_json(result.to_dict()) + "\n")
    elif output is not None:
        from figures.hannet import checkerboard, gradient_norms

        assert suffix is not None
        write_figure(gradient_norms(result) if check else checkerboard(result), output, suffix)
    echo_result(result.to_dict(), result.summary, as_json)
