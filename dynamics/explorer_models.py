"""What the explorer page knows: the derived equations and stationary points as JavaScript, and initial weights.

Nothing is written by hand for the page: the flows are `dynamics.symbolic.code_export.to_javascript_object` of the
symbolic derivation, the stationary points come from the symbolic catalogue, the initial weights from
`Student.initialise`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dynamics.activations import ACTIVATIONS
from dynamics.activations.base import Activation
from dynamics.problem import Student
from dynamics.stationary.javascript import fixed_points_to_javascript
from dynamics.symbolic.code_export import to_javascript_object
from dynamics.symbolic.derivation import derive
from dynamics.validation import validate_count

OWN_UNITS, OWN_INPUTS = 4, 3  # up to so many of both every size has a flow of its own, derived for it


@dataclass(frozen=True)
class ExplorerModels:
    """Models for every number of inputs d and of hidden units K up to a largest one.

    Parameters
    ----------
    hidden, inputs : int
        Largest K and d.
    script : str
        JavaScript that defines, for every activation, ``FLOWS[activation]["K,d"]``, the exported derivations with free
        rates of the weight decay, for small sizes and for the largest one, in which those between are its weights with
        zeros; ``FIXED_POINTS[activation][d]``, functions of the eigenvalues; and ``TRACE_COUPLING[activation]``.
    starts : mapping "K,d" → list of {"W", "a"}
        Gaussian initial weights of scale 1, one entry per seed 0, 1, …: those of `Student.initialise`.
    """

    hidden: int
    inputs: int
    script: str
    starts: dict[str, list[dict[str, Any]]]


def explorer_models(hidden: int = 6, inputs: int = 6, seeds: int = 6) -> ExplorerModels:
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
    derived = [(K, d) for K, d in sizes if (K <= OWN_UNITS and d <= OWN_INPUTS) or (K, d) == sizes[-1]]
    activations = [phi for phi in ACTIVATIONS.values() if phi.trace_coupling is not None]
    empty = "{ " + ", ".join(f"{phi.name}: {{}}" for phi in activations) + " }"
    couplings = ", ".join(f"{phi.name}: {phi.trace_coupling!r}" for phi in activations)
    script = [
        f"const FLOWS = {empty};",
        *(_flow(phi, K, d) for phi in activations for K, d in derived),
        f"const FIXED_POINTS = {empty};",
        *(_points(phi, d) for phi in activations for d in range(1, inputs + 1)),
        f"const TRACE_COUPLING = {{ {couplings} }};",
    ]
    starts = {f"{K},{d}": [_start(K, d, seed) for seed in range(seeds)] for K, d in sizes}
    return ExplorerModels(hidden, inputs, "\n".join(script) + "\n", starts)


def _flow(phi: Activation, K: int, d: int) -> str:
    flow = to_javascript_object(derive(K, d, activation=phi, weight_decay="symbolic"))
    return f'FLOWS.{phi.name}["{K},{d}"] = {flow};'


def _points(phi: Activation, d: int) -> str:
    return f"FIXED_POINTS.{phi.name}[{d}] = {fixed_points_to_javascript(d, phi.name)};"


def _start(K: int, d: int, seed: int) -> dict[str, Any]:
    student = Student.initialise(K, d, scale=1.0, seed=seed)
    return {"W": student.W.tolist(), "a": student.a.tolist()}
