"""Options of a comparison of theory and practice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from quadflow import groups
from quadflow.options.click_options import config_option, parse_numbers, together
from quadflow.options.one_of import OneOf
from quadflow.options.problem import ProblemOptions, problem_options
from quadflow.options.solver import SolverOptions, TheoryOptions, solver_options, theory_options
from quadflow.options.struct import bundle, declare, option, pick, take
from quadflow.options.training import TrainingOptions, training_options

if TYPE_CHECKING:
    from empirical.comparison import Comparison


@dataclass(frozen=True)
class ComparisonOptions:
    """What is compared when."""

    GROUP: ClassVar[str] = groups.TIMES

    t_end: float | None = option(
        type=float, help="Train up to this time of the flow instead of a number of steps."
    )
    times: str | None = option(
        metavar="T1,T2,…", help="Measure at these times of the flow, rounded to whole steps."
    )
    gap: str = option(
        type=OneOf(("theory", "training")),
        default="theory",
        show_default=True,
        help="Explain the difference from the gradient flow by theory curves, or by further training.",
    )


@dataclass(frozen=True)
class CompareOptions:
    """All options of `quadflow compare`."""

    problem: ProblemOptions
    training: TrainingOptions
    comparison: ComparisonOptions
    theory: TheoryOptions
    solver: SolverOptions

    @classmethod
    def pick(cls, values: Mapping[str, Any]) -> CompareOptions:
        """From values by name."""
        return cls(
            pick(ProblemOptions, values),
            pick(TrainingOptions, values),
            pick(ComparisonOptions, values),
            pick(TheoryOptions, values),
            pick(SolverOptions, values),
        )


compare_options = together(
    problem_options,
    training_options,
    take(ComparisonOptions, "comparison"),
    theory_options,
    solver_options,
    bundle(CompareOptions, "options"),
)
STRUCTS = (ProblemOptions, TrainingOptions, ComparisonOptions, TheoryOptions, SolverOptions)
compare_declarations = together(*map(declare, STRUCTS), config_option)


def run_comparison(options: CompareOptions, progress: bool = True) -> Comparison:
    """`empirical.compare` with the values of `compare_options`."""
    from empirical.comparison import compare
    from quadflow.options.reading import build_problem
    from quadflow.options.starts import note_chosen_axes

    when, kind = options.comparison, options.theory.name
    note_chosen_axes(options.problem, options.training.entry)
    times = None if when.times is None else parse_numbers("--times", when.times)
    training = replace(options.training, steps=options.training.length(when.t_end, times))
    return compare(
        build_problem(options.problem),
        times=times,
        theory=None if kind == "flow" else kind,
        gap=when.gap,
        solver=options.solver.arguments(),
        seed=options.problem.seed,
        progress=progress,
        **training.arguments(),
    )
