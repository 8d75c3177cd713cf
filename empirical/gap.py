"""Curves of the mean loss between gradient flow and measurement, each with one more effect of real training in it.

1. the gradient flow;
2. a finite step;
3. finite data: the very data set of each network;
4. sampling noise.

The differences between neighbours are the parts of the gap, measured minus the last curve is the remainder. Where the
curves come from is the subject of `empirical.gap_account`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

import numpy as np

from dynamics.aliases import Array
from dynamics.curves.result import Result
from dynamics.curves.variables import LOSS_UNIT, TIME_UNIT, Meaning, Variable, Variables, measured_in
from dynamics.files.archives import Archive

LARGEST = {  # what `Gap.largest` gives
    "discretisation": "largest part of the deviation due to the finite step (relative)",
    "finite_data": "largest part of the deviation due to finite data (relative)",
    "sampling_noise": "largest part of the deviation due to sampling noise (relative)",
    "remainder": "largest part of the deviation that no cause explains (relative)",
    "error_bar": "error bar where the remainder is largest (relative)",
    "total": "largest deviation of the loss from the flow (relative)",
}
GRADIENT_FLOW = "gradient flow"
ON_WHOLE_SETS = "training on the whole data sets"
WITH_AND_WITHOUT = "training with and without it"
MEASURED = (ON_WHOLE_SETS, WITH_AND_WITHOUT)  # sources that are no theory
PARTS = ("discretisation", "finite_data", "sampling_noise", "remainder")


@dataclass(frozen=True, eq=False, repr=False)
class Gap(Result):
    """Curves of the mean loss, from the gradient flow to the measurement, each (T,).

    Parameters
    ----------
    times : (T,) array
        Times of the theory.
    flow, discretised, on_data, with_noise : (T,) arrays
        Gradient flow; with a finite step; on the networks' own data; with sampling noise.
    measured : (T,) array
        Mean over the trained networks.
    standard_error : (T,) array
        Of the measured mean about the theory, over networks; NaN for a single one whose spread is not predicted.
    truncation : (T,) array
        What the modified flow leaves out, O(η²): its distance from gradient descent on the population loss.
    spread : (T,) array or None
        Predicted standard deviation over networks, where there is a theory of it.
    sources : dict
        For each part, how its curve was computed; what follows a colon says why so.
    unit : str
        Of the losses.
    """

    KIND = "gap"

    times: Annotated[Array, Meaning("time", "time", TIME_UNIT, label=True, detail=True)]
    flow: Annotated[Array, Meaning("time", "loss of the gradient flow", LOSS_UNIT)]
    discretised: Annotated[Array, Meaning("time", "loss with a finite step", LOSS_UNIT)]
    on_data: Annotated[Array, Meaning("time", "loss on the networks' own data", LOSS_UNIT)]
    with_noise: Annotated[Array, Meaning("time", "loss with sampling noise", LOSS_UNIT)]
    measured: Annotated[Array, Meaning("time", "loss, mean over networks", LOSS_UNIT)]
    standard_error: Annotated[Array, Meaning("time", "standard error of that mean", LOSS_UNIT, detail=True)]
    truncation: Annotated[Array, Meaning("time", "what the modified flow leaves out", LOSS_UNIT, detail=True)]
    spread: Annotated[
        Array | None, Meaning("time", "predicted standard deviation over networks", LOSS_UNIT, detail=True)
    ]
    sources: dict[str, str]
    unit: str = LOSS_UNIT

    def variables(self) -> Variables:
        """The curves, and the error bar of what remains."""
        bar = Variable(("time",), self.error_bar, "error bar of the remainder", LOSS_UNIT)
        return measured_in(self.unit, super().variables() | {"error_bar": bar})

    @classmethod
    def read(cls, f: Archive, about: Mapping[str, Any], number: int) -> Self:
        """The gap in an open archive; those that do not name the unit are of the square loss."""
        return super().read(f, {"unit": LOSS_UNIT} | dict(about), number)

    @property
    def discretisation(self) -> Array:
        """Effect of the finite step, (T,)."""
        return self.discretised - self.flow

    @property
    def finite_data(self) -> Array:
        """Effect of the finite data sets, mean over networks, (T,)."""
        return self.on_data - self.discretised

    @property
    def sampling_noise(self) -> Array:
        """Effect of drawing batches, mean over networks, (T,)."""
        return self.with_noise - self.on_data

    @property
    def remainder(self) -> Array:
        """What no correction explains, (T,)."""
        return self.measured - self.with_noise

    @property
    def total(self) -> Array:
        """Measured loss minus the flow's: the sum of the four parts, (T,)."""
        return self.measured - self.flow

    @property
    def error_bar(self) -> Array:
        """Two standard errors plus the truncation, (T,): what the remainder should stay within."""
        return 2 * self.standard_error + self.truncation

    def largest(self, scale: float = 1.0) -> dict[str, float]:
        """Largest absolute value of each part and of the total over the run, in units of `scale`.

        ``error_bar`` is the one at the time of the largest remainder.
        """
        found = {name: float(np.abs(getattr(self, name)).max() / scale) for name in (*PARTS, "total")}
        worst = int(np.abs(self.remainder).argmax())
        return found | {"error_bar": float(self.error_bar[worst] / scale)}

    def _measured(self) -> str:
        """Which parts come from training without the effect, not from a theory, in words."""
        how = {name: self.sources.get(name, "").partition(":")[0] for name in PARTS}
        names = [name.replace("_", " ") for name in PARTS if how[name] in MEASURED]
        lessened = "; the remainder is no test of it, more seeds or larger batches lessen it"
        noise = lessened if "sampling noise" in names else ""
        return f"\nmeasured by training, not predicted: {', '.join(names)}{noise}" if names else ""

    def summary(self, scale: float | None = None) -> str:
        """The parts at the time of the largest difference, and the remainder against its error bar.

        In per cent of `scale`, by default of the initial loss; as they are if that is NaN.
        """
        first = self.flow[0] if scale is None else scale
        relative = bool(first > 0)
        unit = first if relative else 1.0

        def show(value: float, sign: str = "+") -> str:
            return f"{value / unit:{sign}.2%}" if relative else f"{value:{sign}.3g}"

        n = int(np.abs(self.total).argmax())
        parts = ", ".join(f"{name.replace('_', ' ')} {show(getattr(self, name)[n])}" for name in PARTS)
        largest = self.largest()
        bar = largest["error_bar"]
        known = (
            f"error bar there {show(bar, '')}" if np.isfinite(bar) else "error bar unknown for one network"
        )
        flow, t = self.sources.get("flow", GRADIENT_FLOW), self.times[n]
        return (
            f"mean loss minus {flow}, at its largest, t = {t:.4g}: {show(self.total[n])}\n"
            f"  = {parts}\n"
            f"largest remainder {show(largest['remainder'], '')}, {known}{self._measured()}"
        )
