"""What the explorer page knows: the derived equations and stationary points as JavaScript, and initial weights.

Nothing is written by hand for the page: the flows are `dynamics.symbolic.code_export.to_javascript_object` of the
symbolic derivation, the stationary points come from the symbolic catalogue, the initial weights from
`Student.initialise`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dynamics.activations import ACTIVATIONS
from dynamics.problem import Student
from dynamics.stationary.javascript import fixed_points_to_javascript
from dynamics.symbolic.code_export import to_javascript_object
from dynamics.symbolic.derivation import derive
from dynamics.validation import validate_count


@dataclass(frozen=True)
class ExplorerModels:
    """Models for every number of inputs d and of hidden units K up to a largest one.

    Parameters
    ----------
    hidden, inputs : int
        Largest K and d.
    script : str
        JavaScript that defines ``FLOWS[activation]["K,d"]``, the exported derivations, and
        ``FIXED_POINTS[activation][d]``, functions of the eigenvalues.
    starts : mapping "K,d" → list of {"W", "a"}
        Gaussian initial weights of scale 1, one entry per seed 0, 1, …: those of `Student.initialise`.
    """

    hidden: int
    inputs: int
    script: str
    starts: dict[str, list[dict[str, Any]]]


def explorer_models(hidden: int = 4, inputs: int = 3, seeds: int = 6) -> ExplorerModels:
    """Derive everything that the explorer shows.

    Parameters
    ----------
    hidden, inputs : int
        Largest numbers of hidden units and inputs.
    seeds : int
        Number of random starts for each size.
    """
    validate_count("seeds", seeds)
    sizes = [
        (K, d)
        for d in range(1, validate_count("inputs", inputs) + 1)
        for K in range(1, validate_count("hidden", hidden) + 1)
    ]
    flows, points = [], []
    names = [phi.name for phi in ACTIVATIONS.values() if phi.trace_coupling is not None]
    for activation in names:
        for K, d in sizes:
            flow = to_javascript_object(derive(K, d, activation=activation))
            flows.append(f'FLOWS.{activation}["{K},{d}"] = {flow};')
        for d in range(1, inputs + 1):
            points.append(f"FIXED_POINTS.{activation}[{d}] = {fixed_points_to_javascript(d, activation)};")
    empty = "{ " + ", ".join(f"{activation}: {{}}" for activation in names) + " }"
    script = [f"const FLOWS = {empty};", *flows, f"const FIXED_POINTS = {empty};", *points]
    starts = {f"{K},{d}": [_start(K, d, seed) for seed in range(seeds)] for K, d in sizes}
    return ExplorerModels(hidden, inputs, "\n".join(script) + "\n", starts)


def _start(K: int, d: int, seed: int) -> dict[str, Any]:
    student = Student.initialise(K, d, scale=1.0, seed=seed)
    return {"W": student.W.tolist(), "a": student.a.tolist()}
