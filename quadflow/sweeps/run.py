"""One run of a sweep: the calls of the commands, from options to what the sweep keeps.

What takes the time is asked for (`dynamics.requests`): runs of one task that want the same for other numbers have it
done together.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from quadflow import options as opt
from quadflow.options.reading import build_problem

if TYPE_CHECKING:
    from dynamics.curves.variables import Variables
    from dynamics.requests import Asking
    from empirical.sweep.grid import Run

# Runs that are computed together at most, and the options in which they may differ at no cost
TOGETHER = {"simulate": 256, "diagnose": 512, "train": 16}
ALIKE = {
    *("teacher", "init", "init_scale", "init_file", "init_order", "init_form", "second_layer_value"),
    *("weight_decay", "step", "t_end", "until_loss"),
}

# what a kind understands beside the options of its command
EXTRA = {"simulate": set(), "train": {"t_end", "times"}, "compare": set(), "diagnose": set()}
NO_CHOICE = {"output", "report", "as_json", "config", "seed"}


def options_of(kind: str) -> set[str]:
    """Names of the options that a kind of run depends on, its seed aside."""
    command = import_module(f"quadflow.commands.{kind}").command
    found = {str(p.name) for p in command.params} | EXTRA[kind]
    return found - NO_CHOICE


def evaluate(run: Run) -> Asking[Variables]:
    """The computation of a run; worker processes import this function."""
    wanted = options_of(run.kind) | {"seed"}
    kinds = kinds_for(run.options)
    found = kinds[run.kind]({name: value for name, value in run.options.items() if name in wanted})
    return (yield from found) if isinstance(found, Generator) else found


def kinds_for(options: Mapping[str, Any]) -> dict[str, Kind]:
    """The table of runs: of two-layer networks, or of a `--network`."""
    if options.get("own_network") is None:
        return KINDS
    from quadflow.own_networks.sweep import KINDS as OWN

    return OWN


def check_problem(options: Mapping[str, Any]) -> None:
    """Build the problem of a run, to see whether there is one.

    Raises
    ------
    ProblemError
        If there is none.
    """
    if options.get("own_network") is None:
        build_problem(opt.pick(opt.ProblemOptions, options))
        return
    from quadflow.own_networks.sweep import check_problem as check_own

    check_own(options)


def _simulate(options: Mapping[str, Any]) -> Asking[Variables]:
    from empirical.sweep.results import of_trajectory
    from empirical.theories import THEORIES, choose_theory
    from quadflow.simulation import SimulationOptions, TheoryDetails, integration

    theory = opt.pick(opt.TheoryOptions, options)
    # Options of training, which have other defaults there, concern the flow only if it is corrected for them.
    details = opt.pick(TheoryDetails, options)
    if theory.name != "sgd":
        details = replace(details, batch=None, label_noise=None)
    if theory.name == "flow":
        details = replace(details, momentum=None)
    if not THEORIES[
        choose_theory(details.entry.theories, None if theory.name == "flow" else theory.name)
    ].rated:
        details = replace(details, schedule="constant")
    if details.schedule == "constant":
        details = replace(details, steps=None)
    problem, simulation = opt.pick(opt.ProblemOptions, options), opt.pick(SimulationOptions, options)
    solver = opt.pick(opt.SolverOptions, options)
    return of_trajectory(
        (yield integration(build_problem(problem, apart=True), simulation, theory, details, solver))
    )


def _train(options: Mapping[str, Any]) -> Asking[Variables]:
    from empirical.sweep.results import of_training
    from empirical.training_request import Training

    problem, training = opt.pick(opt.ProblemOptions, options), opt.pick(opt.TrainingOptions, options)
    times = None if options["times"] is None else opt.parse_numbers("--times", options["times"])
    # if steps are given, the end time is that of the flow
    steps = training.length(options["t_end"] if training.steps is None else None, times)
    training = replace(training, steps=steps)
    record_at = None if times is None else training.clock.steps_at(times)
    if record_at is not None:
        record_at = record_at[record_at <= steps]
    wanted = training.arguments() | {"record_at": record_at, "seed": problem.seed}
    return of_training((yield Training(build_problem(problem), wanted)))


def _compare(options: Mapping[str, Any]) -> Variables:
    from empirical.sweep.results import of_comparison

    return of_comparison(opt.run_comparison(opt.CompareOptions.pick(options), progress=False))


def _diagnose(options: Mapping[str, Any]) -> Asking[Variables]:
    from dynamics.outcome.diagnosis import diagnosing
    from empirical.sweep.results import of_diagnosis

    problem = build_problem(opt.pick(opt.ProblemOptions, options))
    diagnosis = yield from diagnosing(problem, follow=not options["no_follow"])
    return of_diagnosis(diagnosis, problem.loss.unit)


Kind = Callable[[Mapping[str, Any]], "Variables | Asking[Variables]"]
KINDS: dict[str, Kind] = {"simulate": _simulate, "train": _train, "compare": _compare, "diagnose": _diagnose}
