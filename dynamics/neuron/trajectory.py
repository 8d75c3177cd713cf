"""The flow of quadratic neurons, integrated: a learning curve and what can be read off it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Annotated, Any

import numpy as np

from dynamics.aliases import Array
from dynamics.curves.followed import Followed
from dynamics.curves.variables import LOSS_UNIT, TIME_UNIT, Meaning, Variable, Variables, printed
from dynamics.files.archives import Archive
from dynamics.integration import SolverReport
from dynamics.neuron.conserved import NeuronLaws
from dynamics.neuron.problem import Neurons, QuadraticTarget, Rates
from dynamics.versions import versions
from dynamics.words import counted


@dataclass(frozen=True, eq=False, repr=False)
class NeuronTrajectory(Followed):
    """A solution of the flow of quadratic neurons at T times.

    Parameters
    ----------
    target : QuadraticTarget
    rates : Rates
    shrink : float
        Rate at which G and B are drawn to their ReLinear start, per unit of time.
    times : (T,) array
        Of the flow.
    R, G, B : (T, K, d + 1) array
    a : (T, K) array
    loss : (T,) array
        Population loss, in squared units of the output.
    largest_stable_step : float
        Step beyond which gradient descent is unstable where the flow ended.
    solver : SolverReport
    versions : dict
    """

    KIND = "neuron trajectory"

    target: QuadraticTarget
    rates: Rates
    shrink: float
    times: Annotated[Array, Meaning("time", "time", TIME_UNIT, label=True)]
    R: Annotated[Array, Meaning("time unit weight", "weights (w^r, b^r)", detail=True)]
    G: Annotated[Array, Meaning("time unit weight", "weights (w^g, b^g)", detail=True)]
    B: Annotated[Array, Meaning("time unit weight", "weights (w^b, c)", detail=True)]
    a: Annotated[Array, Meaning("time unit", "output weights", detail=True)]
    loss: Annotated[Array, Meaning("time", "population loss", LOSS_UNIT)]
    largest_stable_step: Annotated[
        float, Meaning("", "step beyond which gradient descent is unstable at the end")
    ]
    solver: SolverReport
    versions: dict[str, str] = field(default_factory=versions)

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

    def variables(self) -> Variables:
        """The curve, weights and conserved quantities."""
        laws = {
            name: Variable(("time", "unit"), Q, f"conserved quantity {name} of each unit", detail=True)
            for name, Q in self.conserved.items()
        }
        return super().variables() | laws

    def attributes(self) -> dict[str, Any]:
        """Rates, solver, versions."""
        rates = {f"rate_{name}": rate for name, rate in asdict(self.rates).items()}
        return rates | {"shrink": self.shrink} | asdict(self.solver) | {"versions": self.versions}

    def to_dict(self) -> dict[str, object]:
        """What the command prints."""
        warnings = []
        if self.shrink:
            warnings.append("`shrink` is no gradient flow of the loss: Q1 and Q2 are not conserved.")
        if self.solver.status == "finished, not converged":
            warnings.append(f"not converged up to t = {self.times[-1]:.6g}.")
        return {
            **{name: variable.array for name, variable in printed(self.variables()).items()},
            "conserved_drift": self.conserved_drift,
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
                f"{counted(self.a.shape[1], 'quadratic neuron')}, {counted(self.target.inputs, 'input')}; "
                f"rates {gamma.r:g}, {gamma.g:g}, {gamma.b:g}"
                + (f"; shrunk at rate {self.shrink:g}" if self.shrink else ""),
                f"loss {self.loss[0]:.6g} → {self.loss[-1]:.6g} at t = {self.times[-1]:.6g} ({self.solver.ending}); "
                f"best affine function {self.target.best_affine_loss:.6g}",
                law if not self.shrink else f"{law} (not conserved under shrinking)",
                f"largest stable step at the end {self.largest_stable_step:.4g}",
            ]
        )

    def _parts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return {}, {f"target_{name}": np.array(getattr(self.target, name)) for name in "Mve"}

    @classmethod
    def _read_parts(cls, f: Archive, about: Mapping[str, Any]) -> dict[str, Any]:
        e = float(f.numbers("target_e", ()))
        return {
            "target": QuadraticTarget(
                f.numbers("target_M", ("input", "input")), f.numbers("target_v", ("input",)), e
            )
        }
