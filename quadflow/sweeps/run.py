"""One run of a sweep: the calls of the commands, from options to what the sweep keeps."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from quadflow import options as opt
from quadflow.problem_input import build_problem

if TYPE_CHECKING:
    from dynamics.curves.variables import Variables
    from empirical.sweep.grid import Run

# what a kind understands beside the options of its command
EXTRA = {"simulate": set(), "train": {"t_end", "times"}, "compare": set(), "diagnose": set()}
NO_CHOICE = {"output", "as_json", "config", "seed"}


def options_of(kind: str) -> set[str]:
    """Names of the options that a kind of run depends on, its seed aside."""
    command = import_module(f"quadflow.commands.{kind}").command
    found = {str(p.name) for p in command.params} | EXTRA[kind]
    return found - NO_CHOICE


def evaluate(run: Run) -> Variables:
    """Compute a run; worker processes import this function."""
    wanted = options_of(run.kind) | {"seed"}
    return KINDS[run.kind]({name: value for name, value in run.options.items() if name in wanted})


def _simulate(options: dict[str, Any]) -> Variables:
    from empirical.sweep.results import of_trajectory
    from quadflow.commands.simulate import choose_theory

    # Options of training, which have other defaults there, concern the flow only if it is corrected for them.
    options["momentum"] = options["momentum"] or 0.0
    if not options["sgd"]:
        options |= {"batch": None, "label_noise": None}
        if options["correction"] == "none":
            options |= {"step": None, "momentum": 0.0}
    solver = opt.solver_arguments(options)
    trajectory = choose_theory(build_problem(options), options).integrate(
        options["t_end"],
        times=_times(options),
        samples=options["records"],
        log_times=options["log_times"],
        until_loss=options["until_loss"],
        **solver,
    )
    return of_trajectory(trajectory)


def _train(options: dict[str, Any]) -> Variables:
    from empirical.sweep.results import of_training
    from empirical.training import train
    from quadflow.commands.compare import training_clock, training_steps
    from quadflow.commands.train import training_arguments

    t_end, times = options.pop("t_end"), _times(options)
    del options["times"]
    clock, steps = training_clock(options), options["steps"]  # if given, the end time is that of the flow
    steps = options["steps"] = training_steps(steps, t_end if steps is None else None, times, clock)
    record_at = None if times is None else clock.steps_at(times)
    if record_at is not None:
        record_at = record_at[record_at <= steps]
    problem = build_problem(options)
    return of_training(train(problem, record_at=record_at, **training_arguments(options)))


def _compare(options: dict[str, Any]) -> Variables:
    from empirical.sweep.results import of_comparison
    from quadflow.commands.compare import run_comparison

    return of_comparison(run_comparison(options, progress=False))


def _diagnose(options: dict[str, Any]) -> Variables:
    from dynamics.outcome.diagnosis import diagnose
    from empirical.sweep.results import of_diagnosis

    return of_diagnosis(diagnose(build_problem(options), follow=not options["no_follow"]))


KINDS = {"simulate": _simulate, "train": _train, "compare": _compare, "diagnose": _diagnose}


def _times(options: Mapping[str, Any]) -> list[float] | None:
    return None if options["times"] is None else opt.parse_numbers("--times", options["times"])
