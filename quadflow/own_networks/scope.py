"""`quadflow scope --network`: what each command can do for a network of one's own."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from quadflow.coverage import table
from quadflow.options.own_network import PROBLEM
from quadflow.output import echo_result, to_json, validate_output, write_text
from quadflow.own_networks.building import build_network_problem, network_json

if TYPE_CHECKING:
    from quadflow import options as opt
    from quadflow.options.own_network import OwnNetworkOptions

HONOURS = PROBLEM


def run(own: OwnNetworkOptions, problem: opt.ProblemOptions, output: str | None, as_json: bool) -> None:
    """Ask, print and write."""
    from dynamics.networks.scope import network_scope

    validate_output(output, ("json",))
    start = build_network_problem(own, problem, problem.init_scale, problem.init_file, problem.seed)
    rows = network_scope(start)
    result = {"scope": [asdict(row) for row in rows], "problem": network_json(start)}
    if output is not None:
        write_text(output, to_json(result) + "\n")
    echo_result(result, lambda: table(rows), as_json)
