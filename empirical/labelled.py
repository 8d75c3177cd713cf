"""Training runs and comparisons as xarray data sets; see `dynamics.curves.labelled`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynamics.curves.labelled import LOSS_UNIT, TIME_UNIT, dataset, eigenvalues, network_attributes

if TYPE_CHECKING:
    import xarray

    from empirical.comparison import Comparison
    from empirical.recorder import TrainingRun

Variables = dict[str, tuple[tuple[str, ...], Any]]

GAP_CURVES = {
    "loss_flow": "loss of the gradient flow",
    "loss_discretised": "loss with a finite step",
    "loss_on_data": "loss on the networks' own data",
    "loss_with_noise": "loss with sampling noise",
    "loss_measured": "loss, mean over networks",
    "loss_error_bar": "error bar of the remainder",
}


def run_dataset(run: TrainingRun) -> xarray.Dataset:
    """`TrainingRun` over networks and time; W where it was kept."""
    return dataset("quadflow training run", _measured(run), _times(run), _about(run))


def comparison_dataset(comparison: Comparison) -> xarray.Dataset:
    """`Comparison`: what the networks did, the theory at the same times, the gap's curves and largest parts.

    The variables theory_loss, theory_modes, error_… and gap_… are called as in the files of `quadflow sweep`.
    """
    theory, gap = comparison.trajectory, comparison.gap
    variables = _measured(comparison.run) | {
        "theory_loss": (("time",), theory.loss),
        "theory_modes": (("time", "mode"), theory.modes),
        "theory_conserved": (("time", "unit"), theory.conserved),
    }
    for name in ("loss_std", "modes_std"):
        spread = getattr(theory, name, None)
        if spread is not None:
            variables[f"theory_{name}"] = ("time", "mode")[: spread.ndim], spread
    variables |= {name: (("time",), getattr(gap, name.removeprefix("loss_"))) for name in GAP_CURVES}
    variables |= {f"error_{name}": ((), value) for name, value in comparison.relative_error.items()}
    variables |= {f"gap_{name}": ((), value) for name, value in gap.largest(comparison.initial_loss).items()}
    coordinates = _times(comparison.run) | {
        "theory_time": (("time",), theory.times),
        "eigenvalue": eigenvalues(theory.problem),
    }
    about = {"theory": comparison.theory} | network_attributes(theory.problem) | _about(comparison.run)
    found = dataset("quadflow comparison", variables, coordinates, about)
    for name, meaning in GAP_CURVES.items():
        found[name].attrs |= {"long_name": meaning, "units": LOSS_UNIT}
    found["theory_time"].attrs |= {"long_name": "time of the theory", "units": TIME_UNIT}
    return found


def _measured(run: TrainingRun) -> Variables:
    """What was recorded of every network."""
    variables: Variables = {
        "loss": (("network", "time"), run.loss),
        "modes": (("network", "time", "mode"), run.modes),
        "conserved": (("network", "time", "unit"), run.conserved),
        "A": (("network", "time", "output", "unit"), run.A),
    }
    if run.W is not None:
        variables["W"] = ("network", "time", "unit", "input"), run.W
    return variables


def _times(run: TrainingRun) -> Variables:
    return {"time": (("time",), run.times), "step": (("time",), run.steps)}


def _about(run: TrainingRun) -> dict[str, Any]:
    about = {"step_size" if name == "step" else name: value for name, value in run.about.items()}
    return {"loss_measured": run.loss_measured} | about
