"""The flow of a network of one's own, integrated: a learning curve, its plateaus and what it conserves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Annotated, Any

import numpy as np

from dynamics.aliases import Array
from dynamics.curves.followed import Followed
from dynamics.curves.stages import Stage, find_stages
from dynamics.curves.variables import LOSS_UNIT, OBJECTIVE, TIME_UNIT, Meaning, Variable, Variables
from dynamics.files.archives import Archive
from dynamics.integration import SolverReport
from dynamics.networks.laws import NetworkLaw, conserved_laws
from dynamics.networks.nodes import Expectation
from dynamics.networks.problem import NetworkProblem, Target
from dynamics.networks.reading import read_network
from dynamics.versions import versions
from dynamics.words import counted

DRIFT = "largest deviation of a conserved quantity, from its start or its decay"
INEXACT = "means over the inputs are taken over draws: the loss has the error bar `loss_error`"


@dataclass(frozen=True, eq=False, repr=False)
class NetworkTrajectory(Followed):
    """A solution of the flow of a network at T times.

    Parameters
    ----------
    problem : NetworkProblem
    times : (T,) array
        Of the flow.
    parameters : (T, p) array
        On the inputs that matter (`NetworkProblem.lifted` gives all).
    loss : (T,) array
        Population loss, in squared units of the output.
    loss_error : (T,) array or None
        Its standard error where means are taken over draws; None where they are exact.
    solver : SolverReport
    versions : dict
    theory : {"flow", "modified"}
        The gradient flow, which keeps the laws, or that of a finite step, which lets them drift.
    """

    KIND = "network trajectory"

    problem: NetworkProblem
    times: Annotated[Array, Meaning("time", "time", TIME_UNIT, label=True)]
    parameters: Annotated[
        Array, Meaning("time parameter", "parameters on the inputs that matter", detail=True)
    ]
    loss: Annotated[Array, Meaning("time", "population loss", LOSS_UNIT)]
    loss_error: Annotated[Array | None, Meaning("time", "standard error of the loss over draws", LOSS_UNIT)]
    solver: SolverReport
    versions: dict[str, str] = field(default_factory=versions)
    theory: str = "flow"

    def theta_at(self, index: int) -> Array:
        """All parameters (P,) at one of the times."""
        return self.problem.lifted(self.parameters[index])

    def arrays_at(self, index: int) -> dict[str, Array]:
        """Parameter arrays by name at one of the times."""
        return self.problem.network.named(self.theta_at(index))

    @cached_property
    def laws(self) -> tuple[NetworkLaw, ...]:
        """The laws that are known of the network."""
        return conserved_laws(self.problem.network)

    @cached_property
    def conserved(self) -> dict[str, Array]:
        """Their values (T, m) along the curve, by their texts."""
        lifted = self.problem.lifted(self.parameters)
        return {law.text: np.array([law.values(theta) for theta in lifted]) for law in self.laws}

    @cached_property
    def drifts(self) -> dict[str, float]:
        """Largest deviation of each law from its value at the start, or from its decay e^{−sρt}; NaN without a law."""
        found, rho = {}, self.problem.weight_decay
        for law in self.laws:
            values = self.conserved[law.text]
            if rho and law.degree is None:
                found[law.text] = np.nan
                continue
            falls = np.exp(-(law.degree or 0) * rho * self.times)[:, None]
            found[law.text] = float(np.abs(values - values[0] * falls).max(initial=0.0))
        return found

    @property
    def conserved_drift(self) -> float | None:
        """The largest of them; None where no law is known."""
        return max(self.drifts.values()) if self.drifts else None

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """Plateaus of the loss, in order of time."""
        return find_stages(self.times, self.loss)

    @cached_property
    def objective(self) -> Array | None:
        """Loss with the penalty of the weight decay, (T,); None without decay."""
        rho = self.problem.weight_decay
        return self.loss + 0.5 * rho * np.sum(self.parameters**2, axis=1) if rho else None

    def variables(self) -> Variables:
        """The curve, parameters, and the largest drift of a law."""
        found = super().variables()
        if self.objective is not None:
            found["objective"] = Variable(("time",), self.objective, OBJECTIVE, LOSS_UNIT)
        if self.conserved_drift is not None:
            found["conserved_drift"] = Variable((), self.conserved_drift, DRIFT)
        return found

    def attributes(self) -> dict[str, Any]:
        """Network, target, solver, versions."""
        problem = self.problem
        named = {"network": problem.network.spec, "target": problem.target.spec}
        return (
            named | {"weight_decay": problem.weight_decay} | asdict(self.solver) | {"versions": self.versions}
        )

    def summary(self) -> str:
        """What happened, in a few lines."""
        s, drift = self.solver, self.conserved_drift
        lines = [
            self.problem.network.summary(),
            self.problem.described(),
            f"{counted(len(self.times), 'sample')} up to t = {self.times[-1]:.6g} ({s.ending})",
            f"loss {self.loss[0]:.6g} → {self.loss[-1]:.6g}",
        ]
        if self.loss_error is not None:
            lines.append(f"error bar of the loss at the end {self.loss_error[-1]:.2g}, over draws")
        if drift is not None:
            lines.append(f"{counted(len(self.laws), 'law')}: {', '.join(law.text for law in self.laws[:4])}")
            lines.append(f"largest drift of a conserved quantity {drift:.2e}")
        lines.append(f"{s.method}: {counted(s.evaluations, 'evaluation')}, {s.seconds:.3g} s")
        return "\n".join([*lines, s.message] if s.message else lines)

    def plateaus(self) -> list[tuple[str, ...]]:
        """Rows of the table of plateaus that a notebook shows."""
        return [(f"{p.start:.4g}", f"{p.end:.4g}", f"{p.loss:.6g}") for p in self.stages]

    def __getstate__(self) -> dict[str, Any]:
        """What other processes get: everything but functions, which are made again there."""
        return {name: value for name, value in super().__getstate__().items() if name != "laws"}

    def _parts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return problem_stored(self.problem)

    @classmethod
    def _read_parts(cls, f: Archive, about: Mapping[str, Any]) -> dict[str, Any]:
        return {"problem": problem_read(f, about)}


def problem_stored(problem: NetworkProblem) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a file holds of a problem: the texts that describe it, and its numbers."""
    target = problem.target
    about = {
        "network": problem.network.spec,
        "target_network": target.network.spec,
        "target": target.spec,
        "weight_decay": problem.weight_decay,
        "expectation": str(problem.expectation),
        "expectation_seed": problem.expectation.seed,
        "inputs": problem.network.inputs,
    }
    arrays = {"theta0": problem.theta0, "target_theta": target.theta}
    if problem.covariance is not None:
        arrays["covariance"] = problem.covariance
    return about, arrays


def problem_read(f: Archive, about: Mapping[str, Any]) -> NetworkProblem:
    """The problem in an open archive; its texts are read as those of options are, and never run."""
    inputs = f.part(about, "inputs", int)
    network = read_network(f.part(about, "network", str), inputs)
    theirs = read_network(f.part(about, "target_network", str), inputs)
    seed = f.part(about, "expectation_seed", int)
    return NetworkProblem(
        network,
        Target(
            theirs,
            theirs.checked(f.numbers("target_theta", ("target_parameter",))),
            f.part(about, "target", str),
        ),
        f.numbers("theta0", ("all_parameters",)),
        f.part(about, "weight_decay", (int, float)),
        f.numbers("covariance", ("input", "input")) if "covariance" in f else None,
        Expectation.parse(f.part(about, "expectation", str), seed),
    )
