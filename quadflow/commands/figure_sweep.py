"""Figure of the gallery that is drawn from the file of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dynamics.errors import ProblemError
from quadflow.commands.gallery import draw_into, figure_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from xarray import Dataset


@click.command(
    "sweep",
    epilog="Example: quadflow figure sweep sweep.zarr --x init-scale --curves hidden --value simulate_time_to_loss "
    "--below 20 --fit",
)
@click.argument("file", metavar="FILE")
@click.option("--x", metavar="NAME", help="Varied option along x [default: the first].")
@click.option("--y", metavar="NAME", help="Varied option along y of a phase diagram [default: the second].")
@click.option("--curves", metavar="NAME", help="Draw curves instead, one for each value of this option.")
@click.option(
    "--value",
    metavar="NAME",
    help="What is drawn: a variable of the file, KIND_success or KIND_time_to_loss (with --below) "
    "[default: diagnose_success if diagnosed, else the final loss].",
)
@click.option(
    "--below", type=float, metavar="LOSS", help="Loss that counts as success, or whose time is taken."
)
@click.option(
    "--select",
    multiple=True,
    metavar="NAME=VALUE",
    help="One value of an option that is not drawn; repeat at will.",
)
@click.option("--fit", is_flag=True, help="Fit a power law to each curve.")
@figure_output("sweep")
def sweep(
    file: str,
    x: str | None,
    y: str | None,
    curves: str | None,
    value: str | None,
    below: float | None,
    select: tuple[str, ...],
    fit: bool,
    output: str,
) -> None:
    """Phase diagrams and scaling laws from the file of a sweep."""
    if y is not None and (curves is not None or fit):
        raise ProblemError(
            "`--y` draws a phase diagram, `--curves` and `--fit` draw curves: give one of them."
        )

    def make() -> Figure:
        from empirical.sweep.dataset import read_dataset
        from empirical.sweep.reading import sweep_curves, sweep_map
        from figures.sweep import phase_map, scaling_curves

        dataset = read_dataset(file)
        chosen = dict(_assignment(text) for text in select)
        axes = [str(dim) for dim in dataset["run_seed"].dims if dim != "replicate" and dim not in chosen]
        if not axes:
            raise ProblemError(
                f"{file!r} holds a sweep of replicates only, with no option varied to draw against."
            )
        along = _python(x) or next(name for name in axes if name not in (_python(y), _python(curves)))
        shown = value or _default_value(dataset)
        others = [name for name in axes if name != along]
        up = _python(y) or (others[0] if others and curves is None and not fit else None)
        if up is not None:
            return phase_map(sweep_map(dataset, along, up, shown, below=below, chosen=chosen))
        data = sweep_curves(
            dataset, along, shown, curves=_python(curves), below=below, chosen=chosen, fit=fit
        )
        return scaling_curves(data)

    draw_into(output, make)


def _python(name: str | None) -> str | None:
    return None if name is None else name.replace("-", "_")


def _assignment(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise ProblemError(f"`--select` is {text!r}, but must be NAME=VALUE.")
    return name.strip().replace("-", "_"), value.strip()


def _default_value(dataset: Dataset) -> str:
    if "diagnose_verdict" in dataset:
        return "diagnose_success"
    found: list[Any] = [name for name in dataset.data_vars if str(name).endswith("_final_loss")]
    if not found:
        raise ProblemError("No run of this sweep was done: there is nothing to draw.")
    return str(found[0])


FIGURES = (sweep,)
