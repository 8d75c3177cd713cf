"""`quadflow fixed-points`: the complete catalogue of stationary points."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click

from dynamics.errors import ProblemError
from dynamics.words import counted
from quadflow import options as opt
from quadflow.examples import Command
from quadflow.output import echo_result, to_json, validate_output, write_file, write_text
from quadflow.provenance import problem_json
from quadflow.reports import report_option, validate_report, write_report

if TYPE_CHECKING:
    from dynamics.problem import Problem
    from dynamics.stationary import Catalogue


@dataclass(frozen=True)
class CatalogueOptions:
    """What is listed, proven and drawn."""

    signs: str | None = opt.option(
        metavar="+,-,…",
        help="Signs of the a_k for which the Hessian is counted; 0 is a unit at the origin. "
        "[default: as each point needs, spare units +]",
    )
    lowest: int | None = opt.option(
        type=int, metavar="N", help="Only the N lowest feasible points, without listing all."
    )
    minima: bool = opt.option(is_flag=True, help="Only the local minima.")
    search: int | None = opt.option(
        type=int,
        metavar="N",
        help="Search numerically from N random starts, and match. On data, and where a law of the inputs singles out "
        "axes, from N random subspaces for each rank up to K, with a count that says what may be missing; learned "
        "values are then the eigenvalues of M = Σ a_k w_k w_kᵀ at each point.",
    )
    certify: bool = opt.option(is_flag=True, help="Prove existence and signature by interval arithmetic.")
    graph: bool = opt.option(
        is_flag=True, help="Which plateau the unstable directions of each point lead to."
    )
    symbolic: bool = opt.option(
        is_flag=True,
        help="The catalogue for symbolic eigenvalues, as many as inputs; with --distribution independent:symbolic for "
        "every excess kurtosis kappa.",
    )
    representative: str | None = opt.option(
        metavar="I,J,…",
        help="Write a student (W, a) that sits at the point with these learned modes; none: the empty text.",
    )
    seed: int = opt.option(type=int, default=0, show_default=True, help="Seed of every random number.")


@click.command(
    cls=Command, epilog="Example: quadflow fixed-points --teacher 4,2,1 --hidden 4 --search 100 --certify"
)
@opt.network_options
@opt.take(CatalogueOptions, "options")
@opt.output_option("Write the JSON object (.json), a --representative (.npz) or LaTeX (.tex).")
@report_option
@opt.json_option
@opt.takes_networks("fixed_points")
def command(
    network: opt.NetworkOptions,
    options: CatalogueOptions,
    output: str | None,
    report: str | None,
    as_json: bool,
) -> None:
    """Every stationary point of the population loss: learned modes, loss, Hessian signature, kind.

    With --weight-decay of the objective, the loss with its penalty. Modes are numbered from 0 by descending eigenvalue.
    With --loss log-cosh, huber:C and logistic the same catalogue holds, with other learned values, of Gaussian inputs.
    Under --distribution sphere and student-t the catalogue is that of Gaussian inputs; under independent coordinates it
    lists the points on the axes, of a teacher along them. Other laws and --data leave --search. With --constraint
    sphere every point says which units hold which modes together, and with which multiplier.
    """
    from dynamics.problem.scope import THEORIES
    from dynamics.stationary.report import fixed_points_report
    from quadflow.options.reading import read_catalogue

    suffix = validate_output(output, ("json", "npz", "tex"))
    validate_report(report)
    if options.symbolic:
        if report is not None:
            raise ProblemError("`--symbolic` has formulas, not numbers: `--report` does not go with it.")
        symbolic(network, output, suffix, as_json)
        return
    problem = read_problem(network, options.seed)
    gap = THEORIES["catalogue on the sphere" if problem.constraint else "catalogue"].gap(problem)
    if gap:
        numerical(problem, options, gap, output, suffix, report, as_json)
        return
    if options.minima and options.search is not None:
        raise ProblemError("`--search` finds saddles as well: to match what it finds leave out `--minima`.")
    if problem.constraint:
        from dynamics.stationary import fixed_points

        catalogue = fixed_points(problem, signs=options.signs, lowest=options.lowest, minima=options.minima)
    else:
        catalogue = read_catalogue(network, options.signs, options.lowest, options.minima)
    if (suffix == "npz") != (options.representative is not None):
        raise ProblemError("`--representative` and an `--output` ending in .npz need each other.")
    result = fixed_points_report(
        catalogue,
        search=options.search,
        seed=options.seed,
        certify=options.certify,
        progress=True,
    ) | {"problem": problem_json(catalogue)}
    if options.graph:
        from dynamics.stationary.connections import saddle_graph

        graph = saddle_graph(catalogue)
        result |= graph.to_dict()
        result["warnings"] += [graph.either_sign] if graph.either_sign else []
    if report is not None:
        write_report(report, {"fixed-points": result})
    if suffix == "npz":
        assert output is not None and options.representative is not None
        write_representative(catalogue, options.representative, output)
    elif output is not None:
        write_text(output, to_json(result) + "\n")
    echo_result(result, lambda: describe(catalogue, result), as_json)


def numerical(
    problem: Problem,
    options: CatalogueOptions,
    gap: str,
    output: str | None,
    suffix: str | None,
    report: str | None,
    as_json: bool,
) -> None:
    """Search where there is no catalogue, `gap` saying why."""
    if options.search is None:
        raise ProblemError(gap.replace("use the numerical search", "`--search N` looks for them numerically"))
    for name in ("signs", "lowest", "minima", "certify", "graph", "representative"):
        if getattr(options, name):
            raise ProblemError(f"`--{name}` needs the catalogue: {gap}")
    if suffix not in (None, "json"):
        raise ProblemError(f"`--output` is {output!r}, but what a search finds is written as .json only.")
    result, text = searched(problem, options.search, options.seed)
    result |= {"problem": problem_json(problem)}
    if report is not None:
        write_report(report, {"fixed-points": result})
    if output is not None:
        write_text(output, to_json(result) + "\n")
    echo_result(result, lambda: text, as_json)


def searched(problem: Problem, starts: int, seed: int) -> tuple[dict[str, Any], str]:
    """What a search finds, as data and in words: critical subspaces where the loss has them, or networks."""
    from dynamics.stationary.numerical import describe_points, numerical_points
    from dynamics.stationary.subspaces.points import find_stationary_points, subspaces_gap

    gap = subspaces_gap(problem)
    if not gap:
        found = find_stationary_points(problem, starts, seed, progress=True)
        return found.to_dict(), found.summary()
    result = numerical_points(problem, starts, seed, progress=True)
    if not problem.law.gaussian:
        result["warnings"].append(gap)
    return result, describe_points(result)


def read_problem(network: opt.NetworkOptions, seed: int) -> Problem:
    """Problem with a placeholder for a start: random weights of order 1."""
    from quadflow.options.reading import build_problem

    return build_problem(opt.ProblemOptions(**asdict(network), init_scale=1.0, seed=seed))


def write_representative(catalogue: Catalogue, modes: str, path: str) -> None:
    """Save W and a of a student at one of the points, usable as `--init-file`."""
    import numpy as np

    learned = [int(m) for m in opt.parse_numbers("--representative", modes)] if modes else []
    student = catalogue.representative(catalogue.point(learned))
    write_file(path, lambda file: np.savez(file, W=student.W, a=student.a))


def symbolic(network: opt.NetworkOptions, output: str | None, suffix: str | None, as_json: bool) -> None:
    """The catalogue with symbolic eigenvalues, as many as the teacher has."""
    from dynamics.problem.mode_numbers import mode_set
    from dynamics.problem.weight_decay import WeightDecay
    from dynamics.stationary.symbolic import symbolic_fixed_points
    from quadflow.options.reading import read_decay, read_network, refuse_data

    refuse_data(network)
    teacher, _, _ = read_network(network)
    if WeightDecay.of(read_decay(network.weight_decay), network.second_layer == "trainable"):
        raise ProblemError(
            f"`--weight-decay` is {network.weight_decay}, but `--symbolic` knows only points without weight decay."
        )
    points = symbolic_fixed_points(teacher.inputs, network.activation, network.distribution)
    latex = "\n".join(rf"\[ {point.latex()} \]" for point in points)
    result = {
        "count": len(points),
        "fixed_points": [
            {
                "learned_modes": point.learned_modes,
                "learned_values": [str(mu) for mu in point.learned_values],
                "residual_trace": str(point.residual_trace),
                "loss": str(point.loss),
            }
            for point in points
        ],
        "distribution": network.distribution,
    }
    if output is not None:
        write_text(output, (latex if suffix == "tex" else to_json(result)) + "\n")
    lines = [
        f"{mode_set(p.learned_modes)}: L = {p.loss}, learned values {list(p.learned_values)}" for p in points
    ]
    echo_result(result, lambda: "\n".join(lines), as_json)


def where_matched(search: dict[str, Any]) -> str:
    """What the number of matched starts counts: levels that are listed, where others lie above a list of the lowest."""
    if not search["beyond"]:
        return "predicted levels"
    rest = search["converged"] - search["matched"] - sum(root["hits"] for root in search["unmatched"])
    levels = counted(search["beyond"], "point")
    return f"the levels that are listed, {rest} on {levels} above them, which are not compared"


def describe(catalogue: Catalogue, result: dict[str, Any]) -> str:
    """Table, reasons of what is surprising, search and certificates."""
    from dynamics.problem.mode_numbers import mode_set

    lines = [catalogue.summary()]  # which says what is known of points off the axes
    ignored = catalogue.spectrum.zeros
    if any(ignored.intersection(point.learned_modes) for point in catalogue.points):
        lines.append(f"modes {mode_set(sorted(ignored))} have the eigenvalue 0: the teacher ignores them")
    for point in catalogue.points:
        if point.kind == "spurious minimum" or point.degenerate:
            lines.append(f"{mode_set(point.learned_modes)} is a {point.kind}: {point.reason}")
    if "search" in result:
        s = result["search"]
        lines.append(
            f"search: {s['converged']} of {counted(s['starts'], 'start')} converged, "
            f"{s['matched']} on {where_matched(s)}"
        )
        where = "off the axes" if catalogue.off_axis else "not predicted"
        lines += [
            f"  {where}: loss {root['loss']:.6g}, index {root['index']}, {root['kind']}"
            for root in s["unmatched"]
        ]
        lines += [
            ": ".join(filter(None, (f"rank {c['rank']}", c["verdict"], c["reason"])))
            for c in s.get("certificate", [])
        ]
        lines += [warning for warning in result["warnings"] if warning not in lines]
    proved = [p for p in result["fixed_points"] if p.get("certified")]
    if proved:
        worst = max(p["radius"] for p in proved)
        lines.append(
            f"certified: {counted(len(proved), 'point')}, each within {worst:.1e} of its representative"
        )
    families = sum(p.get("certified") is False and p.get("frame", False) for p in result["fixed_points"])
    if families:
        lines.append(
            f"not certified: {counted(families, 'family', 'families')} of states in which units share modes"
        )
    lines += [warning for warning in result["warnings"] if warning not in "\n".join(lines)]
    lines += [f"{mode_set(c['from'])} → {mode_set(c['to'])}" for c in result.get("connections", [])]
    return "\n".join(lines)
