"""What was measured of networks of one's own in training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.curves.result import Result
from dynamics.curves.variables import LOSS_UNIT, TIME_UNIT, Meaning, Variable, Variables
from dynamics.files.archives import Archive
from dynamics.networks import NetworkProblem
from dynamics.networks.laws import conserved_laws
from dynamics.networks.trajectory import DRIFT, problem_read, problem_stored
from dynamics.words import counted


@dataclass(frozen=True, eq=False, repr=False)
class NetworkRun(Result):
    """What was measured of S networks in training, at T recorded steps.

    Parameters
    ----------
    problem : NetworkProblem
    steps : (T,) integer array
    times : (T,) array
        Of the flow (`dynamics.clock.Clock`).
    loss : (S, T) array
        Population loss, without label noise, measured from the weights as the theory's is.
    theta : (S, T, P) array
        Parameters.
    about : dict
        Options of the training, speed, notes.
    """

    KIND = "network training run"

    problem: NetworkProblem
    steps: Annotated[NDArray[np.int64], Meaning("time", "number of training steps", label=True, kind=int)]
    times: Annotated[Array, Meaning("time", "time", TIME_UNIT, label=True)]
    loss: Annotated[Array, Meaning("network time", "population loss", LOSS_UNIT)]
    theta: Annotated[Array, Meaning("network time parameter", "parameters", detail=True)]
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def drifts(self) -> Array | None:
        """Largest deviation of a law from its start, or from e^{−sρt}, of each network (S,); None without laws."""
        laws, rho = conserved_laws(self.problem.network), self.problem.weight_decay
        if not laws:
            return None
        found = []
        for network in self.theta:
            worst = 0.0
            for law in laws:
                values = np.array([law.values(theta) for theta in network])
                falls = np.exp(-(law.degree or 0) * rho * self.times)[:, None]
                worst = max(worst, float(np.abs(values - values[0] * falls).max(initial=0.0)))
            found.append(worst)
        return np.array(found)

    @property
    def conserved_drift(self) -> float | None:
        """The largest of them over networks."""
        return None if self.drifts is None else float(self.drifts.max())

    def variables(self) -> Variables:
        """What was recorded, and the drift of the laws."""
        found = super().variables()
        if self.drifts is not None:
            found["conserved_drift"] = Variable(("network",), self.drifts, DRIFT)
        return found

    def attributes(self) -> dict[str, Any]:
        """Network, target, and the options of the training."""
        about = {"step_size" if name == "step" else name: value for name, value in self.about.items()}
        return {"network": self.problem.network.spec, "target": self.problem.target.spec} | about

    def summary(self) -> str:
        """What happened, in a few lines."""
        first, last = np.median(self.loss[:, 0]), np.median(self.loss[:, -1])
        lines = [
            self.problem.network.summary(),
            f"{counted(len(self.loss), 'seed')}, {counted(self.steps[-1], 'step')} up to t = {self.times[-1]:.6g}",
            f"loss (median) {first:.6g} → {last:.6g}",
        ]
        if self.conserved_drift is not None:
            lines.append(f"largest drift of a conserved quantity {self.conserved_drift:.2e}")
        if "steps_per_second" in self.about:
            lines.append(f"{self.about['steps_per_second']:.0f} steps per second (all seeds together)")
        return "\n".join(lines)

    def _parts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        about, arrays = problem_stored(self.problem)
        return {"problem": about}, arrays

    @classmethod
    def _read_parts(cls, f: Archive, about: Mapping[str, Any]) -> dict[str, Any]:
        return {"problem": problem_read(f, f.part(about, "problem", dict))}
