"""`quadflow sweep --network`: runs of networks of one's own over a grid, and what a sweep keeps of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dynamics.errors import ProblemError
from quadflow import options as opt
from quadflow.options.own_network import OwnNetworkOptions
from quadflow.own_networks import compare, simulate, train

if TYPE_CHECKING:
    from dynamics.curves.variables import Variables

MACHINE = (
    "vary",
    "replicates",
    "same_seeds",
    "scheduler",
    "workers",
    "resume",
    "overwrite",
    "report",
    "kinds",
)
TIMES = ("t_end", "times")  # which training in a sweep understands


def honoured(kinds: Iterable[str]) -> tuple[str, ...]:
    """Options that some of these kinds of runs understand.

    Raises
    ------
    ProblemError
        If one of the kinds knows two-layer networks only.
    """
    found: set[str] = set(TIMES)
    for kind in kinds:
        if kind not in KINDS:
            raise ProblemError(
                f"`kinds` has {kind!r}, which knows two-layer networks only: of a `--network` sweep {', '.join(KINDS)}."
            )
        found |= {*HONOURED[kind]}
    return tuple(sorted(found))


def check_axes(kinds: Iterable[str], names: Iterable[str]) -> None:
    """Refuse to vary what means nothing to a network of one's own."""
    known = honoured(kinds)
    for name in names:
        if name not in known:
            raise ProblemError(
                f"`--vary` names {name.replace('_', '-')}, an option of two-layer networks, but `--network` is given:"
                " leave one of both out."
            )


def check_problem(options: Mapping[str, Any]) -> None:
    """Build the problem of a run, to see whether there is one."""
    from quadflow.own_networks.building import build_network_problem

    problem = opt.pick(opt.ProblemOptions, options)
    build_network_problem(_own(options), problem, problem.init_scale, problem.init_file, problem.seed)


def _own(options: Mapping[str, Any]) -> OwnNetworkOptions:
    return OwnNetworkOptions(options["own_network"], options["expectation"])


def _simulate(options: Mapping[str, Any]) -> Variables:
    from empirical.sweep.results import of_trajectory
    from quadflow.simulation import SimulationOptions, TheoryDetails

    theory, details = opt.pick(opt.TheoryOptions, options), opt.pick(TheoryDetails, options)
    if theory.name == "flow":  # options of training, which stand beside in a sweep
        details = replace(details, step=None, momentum=None, schedule="constant")
    if details.schedule == "constant":
        details = replace(details, steps=None)
    return of_trajectory(
        simulate.integrate(
            _own(options),
            opt.pick(opt.ProblemOptions, options),
            opt.pick(SimulationOptions, options),
            theory.name,
            details,
            opt.pick(opt.SolverOptions, options),
        )
    )


def _train(options: Mapping[str, Any]) -> Variables:
    from empirical.sweep.results import of_training

    training = opt.pick(opt.TrainingOptions, options)
    times = None if options["times"] is None else opt.parse_numbers("--times", options["times"])
    # if steps are given, the end time is that of the flow
    steps = training.length(options["t_end"] if training.steps is None else None, times)
    training = replace(training, steps=steps)
    at = None if times is None else training.clock.steps_at(times)
    at = None if at is None else at[at <= steps]
    return of_training(
        train.trained(_own(options), opt.pick(opt.ProblemOptions, options), training, record_at=at)
    )


def _compare(options: Mapping[str, Any]) -> Variables:
    from empirical.sweep.results import of_comparison

    return of_comparison(compare.compared(_own(options), opt.CompareOptions.pick(options)))


KINDS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "simulate": _simulate,
    "train": _train,
    "compare": _compare,
}
HONOURED = {"simulate": simulate.HONOURS, "train": train.HONOURS, "compare": compare.HONOURS}
