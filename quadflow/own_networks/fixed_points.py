"""`quadflow fixed-points --network --search N`: stationary points of a network of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynamics.errors import ProblemError
from quadflow.output import echo_result, to_json, validate_output, write_text
from quadflow.own_networks.building import build_network_problem, network_json
from quadflow.reports import validate_report, write_report

if TYPE_CHECKING:
    from quadflow import options as opt
    from quadflow.options.own_network import OwnNetworkOptions

HONOURS = ("target", "inputs", "weight_decay", "covariance", "search", "seed", "report")


def run(
    own: OwnNetworkOptions,
    network: opt.NetworkOptions,
    options: Any,
    output: str | None,
    report: str | None,
    as_json: bool,
) -> None:
    """Search, print and write."""
    from dynamics.networks import find_network_points

    validate_output(output, ("json",))
    validate_report(report)
    if options.search is None:
        raise ProblemError(
            "There is no catalogue of the stationary points of a `--network`: `--search N` looks for them numerically."
        )
    problem = build_network_problem(own, network, 1.0, None, options.seed)
    found = find_network_points(problem, options.search, options.seed, progress=True)
    result = found.to_dict() | {"problem": network_json(problem)}
    if report is not None:
        write_report(report, {"fixed-points": result})
    if output is not None:
        write_text(output, to_json(result) + "\n")
    echo_result(result, found.summary, as_json)
