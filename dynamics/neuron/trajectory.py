"""The flow of quadratic neurons, integrated: a learning curve and what can be read off it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import IO

import numpy as np

from dynamics.aliases import Array
from dynamics.curves.trajectory import versions
from dynamics.integration import SolverReport
from dynamics.neuron.conserved import NeuronLaws
from dynamics.neuron.problem import Neurons, QuadraticTarget, Rates


@dataclass(frozen=True, eq=False)
class NeuronTrajectory:
    """A solution of the flow of quadratic neurons at T times.

    Parameters
    ----------
    target : QuadraticTarget
    rates : Rates
    shrink : float
        Rate at which G and B are drawn to their ReLinear start, per unit of time.
    times : (T,) array
        Learning rate × steps.
    R, G, B : (T, K, d + 1) array
    a : (T, K) array
    loss : (T,) array
        Population loss, in squared units of the output.
    largest_stable_step : float
        Step beyond which gradient descent is unstable where the flow ended.
    solver : SolverReport
    """

    target: QuadraticTarget
    rates: Rates
    shrink: float
    times: Array
    R: Array
    G: Array
    B: Array
    a: Array
    loss: Array
    largest_stable_step: float
    solver: SolverReport

    @cached_property
    def conserved(self) -> dict[str, Array]:
        """Q1 and Q2 of every unit, (T, K); see `dynamics.neuron.conserved`."""
        laws = NeuronLaws.along(self.rates, self.neurons_at(0))
        return laws(self.R, self.G, self.B, self.a)

    @property
    def conserved_drift(self) -> dict[str, float]:
        """Largest |Q(t) − Q(0)| of Q1 and of Q2. Not small, and not meant to be, if the weights are shrunk."""
        return {name: float(np.abs(Q - Q[0]).max()) for name, Q in self.conserved.items()}

    def neurons_at(self, index: int) -> Neurons:
        """The network at one of the times."""
        return Neurons(self.R[index], self.G[index], self.B[index], self.a[index])

    def to_dict(self) -> dict[str, object]:
        """What the command prints."""
        warnings = []
        if self.shrink:
            warnings.append("`shrink` is no gradient flow of the loss: Q1 and Q2 are not conserved.")
        if self.solver.status == "finished, not converged":
            warnings.append(f"not converged up to t = {self.times[-1]:.6g}.")
        return {
            "times": self.times,
            "loss": self.loss,
            "conserved_drift": self.conserved_drift,
            "largest_stable_step": self.largest_stable_step,
            "best_affine_loss": self.target.best_affine_loss,
            "rates": asdict(self.rates),
            "shrink": self.shrink,
            "solver": {
                "method": self.solver.method,
                "evaluations": self.solver.evaluations,
                "seconds": self.solver.seconds,
                "status": self.solver.status,
            },
            "warnings": warnings,
        }

    def summary(self) -> str:
        """What happened, in a few lines."""
        drift = self.conserved_drift
        gamma = self.rates
        law = "drift of Q1 {Q1:.1e}, of Q2 {Q2:.1e}".format(**drift)
        return "\n".join(
            [
                f"{self.a.shape[1]} quadratic neurons, {self.target.inputs} inputs; rates {gamma.r:g}, {gamma.g:g}, "
                f"{gamma.b:g}" + (f"; shrunk at rate {self.shrink:g}" if self.shrink else ""),
                f"loss {self.loss[0]:.6g} → {self.loss[-1]:.6g} at t = {self.times[-1]:.6g} ({self.solver.status}); "
                f"best affine function {self.target.best_affine_loss:.6g}",
                law if not self.shrink else f"{law} (not conserved under shrinking)",
                f"largest stable step at the end {self.largest_stable_step:.4g}",
            ]
        )

    def __repr__(self) -> str:
        return "NeuronTrajectory\n  " + self.summary().replace("\n", "\n  ")

    def save(self, file: str | Path | IO[bytes]) -> None:
        """Write everything to an `.npz` file."""
        about = {
            "format": "quadflow neuron trajectory 1",
            "rates": asdict(self.rates),
            "shrink": self.shrink,
            "solver": asdict(self.solver),
            "versions": versions(),
        }
        arrays = {name: getattr(self, name) for name in ("times", "R", "G", "B", "a", "loss")}
        arrays |= {"target_M": self.target.M, "target_v": self.target.v, "target_e": np.array(self.target.e)}
        arrays |= {"largest_stable_step": np.array(self.largest_stable_step), **self.conserved}
        np.savez_compressed(file, about=json.dumps(about), **arrays)
