"""What a report says about each result: facts, tables and charts, found by the keys of its JSON object.

Modes and units count from 1 here, as in figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dynamics.activations import Activation
from dynamics.errors import ProblemError
from dynamics.problem.mode_numbers import mode_numbers
from figures import report_charts as charts
from figures.mode_names import set_label
from figures.report_atlas import KEYS as ATLAS_KEYS
from figures.report_atlas import atlas_parts
from figures.report_curvature import curvature_parts
from figures.report_facts import curves_of, facts_and_parts, text_of
from figures.report_parts import Chart, Text, figure_json
from figures.report_published import published_tables
from figures.report_study import study_tables
from figures.report_tables import Cell, Table, make_table, number_cell, value_cell
from figures.report_words import COMMANDS, SIGNS, words

Result = Mapping[str, Any]

NETWORKS = ("trained", "training")  # keys of networks beside curves without modes
NOT_FACTS = {"command", "versions", "warnings", "format"}  # have a place of their own


@dataclass(frozen=True)
class Section:
    """One result of the report."""

    title: str
    about: str
    source: str
    command: str
    versions: Mapping[str, str]
    warnings: Sequence[str]
    facts: Mapping[str, str] = field(default_factory=dict)
    parts: Sequence[Table | Chart | Text] = ()


def section(result: Result, source: str) -> Section:
    """Section of one result.

    Parameters
    ----------
    result : mapping
        What a command printed with ``--json``. What belongs to the same problem may be added to it, as
        ``quadflow report`` does with the stationary points.
    source : str
        Name of the file.
    """
    theory, training = _sides(result)
    problem = result.get("problem") or (theory or {}).get("problem") or (training or {}).get("problem") or {}
    parts: list[Table | Chart | Text] = []
    shown: set[str] = {"problem"}

    def show(keys: Sequence[str], make: Callable[[], Sequence[Table | Chart]]) -> None:
        if all(key in result for key in keys):
            parts.extend(make())
            shown.update(keys)

    if theory or training:
        values, inputs = problem.get("eigenvalues", ()), problem.get("inputs", 0)
        numbers = mode_numbers(values, inputs, problem.get("outputs", 1)).tolist()
        figure = charts.learning_chart(theory, training, values, numbers)
        parts.append(
            Chart("Learning curves", figure_json(figure), timed=True, note=_curve_note(theory, training))
        )
        shown |= {"times", "steps", "loss", "modes", "theory", "training", "stages", "conserved", "solver"}
        shown |= {"overlaps", "norms", "test_loss", "objective"}
        parts += _stages((theory or {}).get("stages", ()), (theory or {}).get("modes") is not None)
    else:  # a curve without modes, such as that of a quadratic neuron
        show(["times", "loss"], lambda: [_curves_alone(result)])
        if "times" in shown:
            shown |= {*curves_of(result), "steps"}
            result = {
                **result,
                **{name: _without_curves(result[name]) for name in NETWORKS if name in result},
            }
    show(["gap"], lambda: _gap(result, theory))
    for side, name in ((theory, "theory"), (training, "networks")):
        if side is not None:
            parts += _conserved(side, name, problem)
    show(["hessian"], lambda: curvature_parts(result["hessian"]))
    show(["jumps"], lambda: _staircase(result["jumps"]))
    show(["laws"], lambda: [_laws(result["laws"])])
    show(["study", "results", "differences"], lambda: study_tables(result))
    show(["results", "agree", "disagree"], lambda: published_tables(result))
    show(["grid", "median_curves"], lambda: _sweep(result["grid"], result["median_curves"]))
    atlas = {key: result[key] for key in ATLAS_KEYS if key in result} if "fixed_points" in result else {}
    rest = {key: value for key, value in result.items() if key not in shown | NOT_FACTS | atlas.keys()}
    facts, further = facts_and_parts(rest)
    command = str(result.get("command", ""))
    title = _title(command, result, theory, training)
    return Section(
        title=title,
        about=COMMANDS.get(title, ""),
        source=source,
        command=command,
        versions=result.get("versions", {}),
        warnings=result.get("warnings", ()),
        facts=_problem_facts(problem) | facts,
        parts=[*parts, *further, *atlas_parts(atlas)],
    )


def _title(command: str, result: Result, theory: Result | None, training: Result | None) -> str:
    """The command that made the result, or would have."""
    called = command.split()
    if len(called) > 1:
        return called[1]
    if theory or training:
        return "compare" if theory and training else "simulate" if theory else "train"
    return next((name for key, name in SIGNS.items() if key in result), "result")


def together(results: Mapping[str, Result]) -> Chart | None:
    """Losses of all results that have a learning curve in one chart, if there are several."""
    curves = {}
    for source, result in results.items():
        theory, training = _sides(result)
        if theory:
            curves[source + (" (theory)" if training else "")] = (theory["times"], theory["loss"])
        if training:
            curves[source + " (median network)"] = (training["times"], _medians(training["loss"]))
    if len(results) < 2 or len(curves) < 2:
        return None
    return Chart("All runs together", figure_json(charts.overlay_chart(curves)), timed=True)


def _curves_alone(result: Result) -> Chart:
    """All that a result without modes has at every time, and the median of networks that were trained for it."""
    curves = {words(name): (result["times"], values) for name, values in curves_of(result).items()}
    for name in NETWORKS:
        side = result.get(name)
        if isinstance(side, Mapping) and side.get("loss") and isinstance(side["loss"][0], list):
            curves["median of trained networks"] = (side["times"], _medians(side["loss"]))
    title = "Learning curves" if len(curves) > 1 else "Learning curve"
    return Chart(title, figure_json(charts.overlay_chart(curves)), timed=True)


def _without_curves(side: Any) -> Any:
    """What networks say beside their curves."""
    if not isinstance(side, Mapping):
        return side
    return {
        key: value
        for key, value in side.items()
        if key not in ("times", "steps", "loss", "modes", "warnings")
    }


def _sides(result: Result) -> tuple[Result | None, Result | None]:
    """Theory and training of a result, as far as it has them."""
    if "theory" in result and "training" in result:
        return result["theory"], result["training"]
    if not {"times", "loss", "modes"} <= result.keys():
        return None, None
    networks = bool(result["loss"]) and isinstance(result["loss"][0], list)
    return (None, result) if networks else (result, None)


def _curve_note(theory: Result | None, training: Result | None) -> str:
    lines = ["Lines: theory."] if theory else []
    lines += ["Markers: trained networks, median over seeds."] if training else []
    lines += ["Dotted: eigenvalues of the teacher, and levels of the plateaus passed." if theory else ""]
    return " ".join(
        [*lines, "Click a name in the legend to hide its curve; drag to zoom, double-click to go back."]
    )


def _stages(stages: Sequence[Result], with_modes: bool) -> list[Table]:
    """Plateaus, with what is learned on each where there are modes."""
    if not stages:
        return []
    rows = [
        (
            number_cell(stage["start"]),
            number_cell(stage["end"]),
            *([Cell(set_label(stage["learned_modes"]), len(stage["learned_modes"]))] if with_modes else []),
            number_cell(stage["loss"]),
            number_cell(stage.get("predicted_loss")),
        )
        for stage in stages
    ]
    learned = ("learned modes",) if with_modes else ()
    return [make_table("Plateaus", ("from t", "to t", *learned, "loss", "predicted loss"), rows)]


def _gap(result: Result, theory: Result | None) -> list[Table | Chart]:
    """Parts of the difference between theory and practice, relative to the initial loss."""
    gap = result["gap"]
    sources = gap.get("sources", {})
    rows = [
        (
            Cell(words(name), name),
            number_cell(value, "{:.2%}"),
            Cell(str(sources.get(name, "")), ""),
        )
        for name, value in gap.items()
        if isinstance(value, int | float) or value is None
    ]
    note = "Largest deviation from the gradient flow along training, in per cent of the initial loss."
    parts: list[Table | Chart] = [
        make_table("Gap between theory and practice", ("cause", "largest", "found by"), rows, note)
    ]
    if "curves" in gap and theory is not None:
        figure = charts.gap_chart(theory["times"], gap["curves"])
        parts.append(Chart("Gap along training", figure_json(figure), timed=True))
    return parts


def _conserved(side: Result, name: str, problem: Result) -> list[Table]:
    """c_k and its drift, unit by unit."""
    conserved = side.get("conserved")
    if not isinstance(conserved, Mapping):
        return []
    note = f"c = ‖w‖² − {_degree(problem)}Σ a² of each unit"
    if problem.get("second_layer") == "fixed":
        note += "; no constant here."
    elif any(problem.get("weight_decay", ())):
        note += ", which gradient flow conserves but for the weight decay; the change is the deviation from that law."
    else:
        note += ", which gradient flow conserves."
    pairs = zip(conserved["initial"], conserved["drift"], strict=True)
    rows = [
        (number_cell(k + 1), number_cell(c), number_cell(drift, "{:.2e}"))
        for k, (c, drift) in enumerate(pairs)
    ]
    return [
        make_table(f"Conserved quantities: {name}", ("unit", "c at the start", "largest change"), rows, note)
    ]


def _degree(problem: Result) -> str:
    """The degree of the activation as a factor; "h " of an activation that is not known here."""
    try:
        degree = Activation.parse(problem.get("activation", "quadratic")).degree
    except ProblemError:
        degree = None
    return "h " if degree is None else "" if degree == 1 else str(degree)


def _staircase(jumps: Sequence[Result]) -> list[Table | Chart]:
    rows = [
        (
            number_cell(jump["time"]),
            number_cell(None if jump["unit"] is None else jump["unit"] + 1),
            Cell(set_label(jump["learned_modes"]), len(jump["learned_modes"])),
            number_cell(jump["loss_before"]),
            number_cell(jump["loss_after"]),
        )
        for jump in jumps
    ]
    table = make_table(
        "Predicted jumps", ("time", "unit", "learned modes", "loss before", "loss after"), rows
    )
    return (
        [table, Chart("Staircase", figure_json(charts.staircase_chart(jumps)), timed=True)]
        if jumps
        else [table]
    )


def _sweep(grid: Sequence[Result], curves: Sequence[Result]) -> list[Table | Chart]:
    """Every grid point of a sweep, and median learning curves; where not of all points, the table says of which."""
    columns = list(dict.fromkeys(key for row in grid for key in row))
    rows = [tuple(value_cell(row.get(column)) for column in columns) for row in grid]
    names = tuple(words(column) for column in columns)
    with_loss = [row for row in grid if "final_loss" in row]
    drawn = [any(_point_of(curve).items() <= row.items() for curve in curves) for row in grid]
    count = sum(drawn)
    if curves and count < len(with_loss):
        names += ("curve",)
        marks = [
            ("not drawn", "drawn")[here] if row in with_loss else "–"
            for row, here in zip(grid, drawn, strict=True)
        ]
        rows = [(*row, Cell(mark, mark)) for row, mark in zip(rows, marks, strict=True)]
    notes = [
        ("final_loss", "Final losses are medians over replicates and networks."),
        ("succeed", "“succeed” counts the runs that are diagnosed to succeed."),
    ]
    note = " ".join(text for column, text in notes if column in columns)
    if not curves:
        none = " No curves are drawn: the runs do not share their times." if with_loss else ""
        return [make_table("Grid", names, rows, (note + none).strip())]
    table = make_table("Grid", names, rows, note)
    named = {_curve_name(curve): (curve["times"], curve["loss"]) for curve in curves}
    of = (
        f"Curves of {count} of {len(with_loss)} grid points; the table says of which."
        if "curve" in names
        else ""
    )
    figure = figure_json(charts.overlay_chart(named))
    return [Chart("Median learning curves", figure, timed=True, note=of), table]


def _point_of(curve: Result) -> dict[str, Any]:
    """Kind and varied options of a curve."""
    return {key: value for key, value in curve.items() if key not in ("times", "loss")}


def _curve_name(curve: Result) -> str:
    """Kind and varied options of a curve, in words."""
    point = {key: value for key, value in _point_of(curve).items() if key != "kind"}
    return ", ".join([curve["kind"], *(f"{key.replace('_', ' ')} {_short(v)}" for key, v in point.items())])


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else text_of(value)


def _laws(laws: Sequence[str | Result]) -> Table:
    texts = [
        law if isinstance(law, str) else law["formula"] for law in laws
    ]  # inferred ones say more than that
    rows = [(number_cell(n + 1), Cell(text, text)) for n, text in enumerate(texts)]
    return make_table(
        "Conservation laws",
        ("law", "expression"),
        rows,
        "Symbols as in `quadflow derive`: indices count from 0.",
    )


def _problem_facts(problem: Result) -> dict[str, str]:
    """Sizes and teacher in words."""
    if not problem:
        return {}
    known = {
        name: problem[name]
        for name in ("inputs", "hidden", "outputs", "activation", "distribution", "data", "covariance")
        if name in problem
    }
    if problem.get("teacher_activation", problem.get("activation")) != problem.get("activation"):
        known["teacher_activation"] = problem["teacher_activation"]
    if known.get("hidden", 0) is None:
        known["hidden"] = "∞"
    values = problem.get("second_layer_values")
    layer = str(problem.get("second_layer", ""))
    facts = {"teacher eigenvalues": text_of(problem.get("eigenvalues", []))}
    facts |= {words(name): str(value) for name, value in known.items()}
    if any(problem.get("weight_decay", ())):
        facts["weight decay ρ_w, ρ_a"] = text_of(problem["weight_decay"])
    return facts | {"second layer": layer if values is None else f"{layer}: {text_of(values)}"}


def _medians(runs: Sequence[Sequence[float | None]]) -> list[float]:
    """At every time the median over networks."""
    return [_median(values) for values in zip(*runs, strict=True)]


def _median(values: Sequence[float | None]) -> float:
    known = sorted(value for value in values if value is not None)
    middle = len(known) // 2
    if not known:
        return math.nan
    return known[middle] if len(known) % 2 else (known[middle - 1] + known[middle]) / 2
