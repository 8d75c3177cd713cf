"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from dynamics.errors import ProblemError
from empirical.optimizers import OPTIMIZERS, default_momenta
from quadflow.configuration import COMMAND, chosen_parameters

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
Completion = Callable[[click.Context, click.Parameter, str], list[str]]


def together(*options: Decorator) -> Decorator:
    """Several options as one decorator, in reading order."""
    return lambda function: reduce(lambda f, option: option(f), reversed(options), function)


class WholeNumber(click.types.IntParamType):
    """Whole numbers below 2⁶³ in size: neither NumPy nor PyTorch counts further."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; a longer one is not even read, and not repeated in the message."""
        text = value.strip() if isinstance(value, str) else ""
        number = (
            2**63 if len(text) > 20 and text.lstrip("+-").isdigit() else super().convert(value, param, ctx)
        )
        if abs(number) >= 2**63:
            self.fail("a whole number must be below 2^63 in size.", param, ctx)
        return int(number)


def limit_counts(command: click.Command) -> None:
    """Make every option of the type `int` a `WholeNumber`, in subcommands as well."""
    for parameter in command.params:
        if parameter.type is click.INT:
            parameter.type = WholeNumber()
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            limit_counts(inner)


def load_config(ctx: click.Context, _: click.Parameter, path: str | None) -> None:
    """Make a TOML file the default of the command's options; the command line wins."""
    if path is None:
        return
    from dynamics.files.documents import read_toml

    what = f"`--config` {path!r}"
    values = read_toml(path, what)
    name = values.pop(COMMAND, None)  # in files of `quadflow init`
    words = ctx.command_path.split()[1:]
    if name is not None and str(name).split() != words:
        raise ProblemError(f"{what} is for the command {str(name)!r}, but this is {' '.join(words)!r}.")
    defaults = {
        str(parameter.name): value for parameter, value in chosen_parameters(ctx.command, values, what)
    }
    ctx.default_map = {**(ctx.default_map or {}), **defaults}


def complete_files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Leave the completion of file names to the shell."""
    return [CompletionItem(incomplete, type="file")]


def complete_from(module: str, table: str) -> Completion:
    """Completion of the names in a table, which is imported only when the shell asks."""

    def complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
        return [name for name in getattr(import_module(module), table) if name.startswith(incomplete)]

    return complete


def listed(names: Iterable[str]) -> str:
    """Names in a sentence: a, b or c."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


config_option = click.option(
    "--config",
    metavar="FILE.toml",
    shell_complete=complete_files,
    is_eager=True,
    expose_value=False,
    callback=load_config,
    help="Options by the same names in a TOML file; the command line wins.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
seed_option = click.option(
    "--seed", type=int, default=0, show_default=True, help="Seed of every random number."
)

matrix_options = together(
    click.option(
        "--rank",
        type=int,
        metavar="R",
        help="Keep R eigenvalues of a teacher matrix [default: by tolerance].",
    ),
    click.option(
        "--tolerance",
        type=float,
        metavar="X",
        help="Eigenvalues of a matrix below X times its largest count as 0 "
        "[default: what the digits of the file can hide].",
    ),
    click.option("--symmetrize", is_flag=True, help="Take (M + Mᵀ)/2 of a matrix that is not symmetric."),
)


def tensors_option(file: str) -> Decorator:
    """`--init-tensors` for the option that names the file."""
    return click.option(
        "--init-tensors",
        metavar="W_NAME[,A_NAME]",
        help=f"Names of W and of the second layer in {file} [default: found by name or shape].",
    )


network_options = together(
    click.option(
        "--teacher",
        metavar="SPEC",
        shell_complete=complete_files,
        help="Eigenvalues of M*, as 4,2,1 (not quadratic: f* = Σ λ_m φ(x_m)); power-law:ALPHA:COUNT; "
        "FILE.npy or .csv with a symmetric matrix; "
        "FILE.npz with a teacher network V (R, d), b (R,).",
    ),
    click.option("--inputs", type=int, metavar="D", help="Input dimension d [default: the teacher's]."),
    click.option("--hidden", type=int, metavar="K", help="Hidden units [default: as many as inputs]."),
    click.option("--outputs", type=int, metavar="O", help="Outputs [default: the teacher's, else 1]."),
    click.option(
        "--activation",
        default="quadratic",
        show_default=True,
        shell_complete=complete_from("dynamics.activations", "ACTIVATIONS"),
        help="quadratic, centred, linear, relu or abs.",
    ),
    click.option(
        "--second-layer",
        default="trainable",
        show_default=True,
        shell_complete=complete_from("dynamics.problem", "SECOND_LAYERS"),
        help="trainable, or fixed at one value.",
    ),
    click.option(
        "--second-layer-value", type=float, default=1.0, show_default=True, help="a_k if it is fixed."
    ),
    click.option(
        "--covariance",
        metavar="FILE.npy",
        shell_complete=complete_files,
        help="Input covariance Σ, which may be singular [default: identity].",
    ),
    matrix_options,
    config_option,
)

start_options = together(
    click.option(
        "--init-scale", type=float, default=0.1, show_default=True, help="Size ε of the initial weights."
    ),
    click.option(
        "--init",
        default="gaussian",
        show_default=True,
        shell_complete=complete_from("dynamics.problem", "INITIALISATIONS"),
        help="gaussian (w ~ N(0, ε²/d), a ~ N(0, ε²)), balanced (same w, a_k = ±‖w_k‖/√h, "
        "h the degree of the activation) "
        "or aligned (w_k = ε e_k, a_k = ε).",
    ),
    click.option(
        "--init-file",
        metavar="FILE",
        shell_complete=complete_files,
        help="Initial weights: .npz with W (K, d), a (K,), or a PyTorch .pt or .safetensors; W alone with "
        "--second-layer fixed.",
    ),
    tensors_option("--init-file"),
    seed_option,
)

problem_options = together(network_options, start_options)

solver_options = together(
    click.option(
        "--method",
        default="auto",
        show_default=True,
        shell_complete=complete_from("dynamics.integration", "METHODS"),
        help="auto, a solver of SciPy by name, or Taylor (needs quadflow[fast]).",
    ),
    click.option(
        "--rtol", type=float, help="Relative tolerance per step [default: 1e-12; 1e-9 or less with --sgd]."
    ),
    click.option(
        "--atol", type=float, help="Absolute tolerance per step [default: rtol × size of the start]."
    ),
    click.option(
        "--max-evaluations",
        type=int,
        metavar="N",
        help="Give up after N evaluations of the right-hand side [default: never].",
    ),
)

theory_options = together(
    click.option(
        "--correction",
        default="none",
        show_default=True,
        help="none, or modified: the flow that gradient descent with a finite --step follows to second order.",
    ),
    click.option("--sgd", is_flag=True, help="Mean dynamics of SGD on fresh samples instead of a flow."),
)

training_options = together(
    click.option("--steps", type=int, help="Number of training steps."),
    click.option("--step", type=float, default=1e-3, show_default=True, metavar="η", help="Learning rate."),
    click.option("--batch", type=int, default=256, show_default=True, help="Batch size; 0 is the whole set."),
    click.option(
        "--samples", type=int, default=0, show_default=True, help="Training set size; 0: always fresh data."
    ),
    click.option(
        "--label-noise", type=float, default=0.0, show_default=True, help="Variance of the label noise."
    ),
    click.option(
        "--seeds",
        type=int,
        default=1,
        show_default=True,
        help="Networks trained together, each on its own data.",
    ),
    click.option(
        "--optimizer",
        default="sgd",
        show_default=True,
        shell_complete=complete_from("empirical.optimizers", "OPTIMIZERS"),
        help=f"{listed(OPTIMIZERS)}.",
    ),
    click.option("--momentum", type=float, help=f"Momentum β [default: {default_momenta(OPTIMIZERS)}]."),
    click.option("--device", default="cpu", show_default=True, help="PyTorch device, such as cuda."),
    click.option("--dtype", default="float32", show_default=True, help="float32 or float64."),
    click.option("--records", type=int, default=200, show_default=True, help="Number of measurements."),
    click.option("--log-times", is_flag=True, help="Space them evenly in log time."),
    click.option(
        "--test-samples",
        type=int,
        default=0,
        show_default=True,
        help="Measure the loss on so many test samples; 0: exactly from the weights.",
    ),
)


def solver_arguments(options: dict[str, Any]) -> dict[str, Any]:
    """Take the values of `solver_options` out of all; what was not given is left to the defaults."""
    taken = {name: options.pop(name) for name in ("method", "rtol", "atol", "max_evaluations")}
    return {name: value for name, value in taken.items() if value is not None}


def output_option(what: str) -> Decorator:
    """`--output` with a help text that says what is written."""
    return click.option("--output", metavar="PATH", shell_complete=complete_files, help=what)


def parse_numbers(option: str, text: str) -> list[float]:
    """Comma-separated numbers."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ProblemError(f"`{option}` is {text!r}, but must be numbers separated by commas.") from None
