"""`quadflow compare --network`: theory against practice for a network of one's own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dynamics.errors import ProblemError
from quadflow.options.own_network import PROBLEM
from quadflow.output import echo_result, validate_output, write_figure
from quadflow.own_networks.building import build_network_problem
from quadflow.own_networks.results import comparison_json
from quadflow.own_networks.train import TRAINING, arguments
from quadflow.reports import validate_report, write_report

if TYPE_CHECKING:
    from empirical.polynomial import NetworkComparison
    from quadflow import options as opt
    from quadflow.options.own_network import OwnNetworkOptions

HONOURS = (
    *PROBLEM,
    *TRAINING,
    *("t_end", "times", "correction", "method", "rtol", "atol", "max_evaluations", "report"),
)
FIGURES = ("png", "pdf", "svg")


def run(
    own: OwnNetworkOptions, options: opt.CompareOptions, output: str | None, report: str | None, as_json: bool
) -> None:
    """Train, integrate, print and draw."""
    suffix = validate_output(output, FIGURES)
    validate_report(report)
    comparison = compared(own, options, progress=True)
    if output is not None:
        from figures.own_network import network_curves

        assert suffix is not None
        write_figure(network_curves(comparison), output, suffix)
    result = comparison_json(comparison)
    if report is not None:
        write_report(report, {"compare": result})
    lines = [] if output is None else [f"written: {output}"]
    echo_result(result, lambda: "\n".join([comparison.summary(), *lines]), as_json)


def compared(
    own: OwnNetworkOptions, options: opt.CompareOptions, progress: bool = False
) -> NetworkComparison:
    """Train and integrate what the options say."""
    from empirical.polynomial import compare_network
    from quadflow.options import parse_numbers

    problem, when = options.problem, options.comparison
    if options.theory.name not in ("flow", "modified"):
        raise ProblemError("`--sgd` is known only for two-layer networks: leave it out with a `--network`.")
    times = None if when.times is None else parse_numbers("--times", when.times)
    training = replace(options.training, steps=options.training.length(when.t_end, times))
    start = build_network_problem(own, problem, problem.init_scale, problem.init_file, problem.seed)
    return compare_network(
        start,
        times=times,
        theory=options.theory.name,
        solver=options.solver.arguments(),
        seed=problem.seed,
        progress=progress,
        **arguments(training),
    )
