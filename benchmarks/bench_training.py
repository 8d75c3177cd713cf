"""(4) Training steps: quadflow's against autograd, `torch.func`, optimisers, passes written by hand, and JAX."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

from benchmarks import training_peers as peers
from benchmarks.report import Table
from benchmarks.solvers import COMPILED, INTERPRETED, OLD, OURS
from benchmarks.timing import fastest
from benchmarks.training_peers import Job, Trained
from dynamics import Problem, Student, Teacher
from empirical import train_ensemble

EIGENVALUES = (4.0, 2.0, 1.0)
ROUNDS = 5


@dataclass(frozen=True)
class Case:
    """Sizes of a job, and who trains the networks of an ensemble one by one."""

    title: str
    networks: int
    units: int
    inputs: int
    batch: int
    steps: int
    momentum: float = 0.0
    samples: int = 0

    @property
    def problem(self) -> Problem:
        """Three modes to learn."""
        start = Student.initialise(self.units, self.inputs, scale=0.3)
        return Problem(Teacher.from_eigenvalues(EIGENVALUES, self.inputs), start)

    @property
    def job(self) -> Job:
        """The same for peers."""
        start = self.problem.student
        return Job(
            start.W,
            start.a,
            np.array(EIGENVALUES),
            self.networks,
            self.batch,
            self.steps,
            1e-4 * (1 - self.momentum),
            self.momentum,
            self.samples,
        )


CASES = (
    Case("1 network, K = 8, d = 6, batch 32", 1, 8, 6, 32, 1000),
    Case("the same with momentum 0.9", 1, 8, 6, 32, 1000, 0.9),
    Case("1 network, K = 8, d = 6, all of 1000 samples", 1, 8, 6, 0, 300, samples=1000),
    Case("32 networks, K = 16, d = 64, batch 64", 32, 16, 64, 64, 60),
)


def ours(case: Case, gradients: str) -> Trained:
    """Quadflow, from a problem to records of its first and last step."""
    runs = train_ensemble(
        case.problem,
        steps=case.steps,
        step=1e-4 * (1 - case.momentum),
        batch=case.batch,
        samples=case.samples,
        seed=[0] if case.networks == 1 else list(range(case.networks)),
        optimizer="momentum" if case.momentum else "sgd",
        momentum=case.momentum or None,
        gradients=gradients,
        records=2,
    )
    return np.stack([run.W[0, -1] for run in runs]), np.stack([run.A[0, -1, 0] for run in runs])


def contenders(case: Case) -> dict[str, Callable[[], Trained]]:
    """Everybody who trains the same networks; the first is the one that all others are compared with."""
    job = case.job
    found: dict[str, Callable[[], Trained]] = {
        "quadflow": partial(ours, case, "fused"),
        "quadflow, --gradients autograd": partial(ours, case, "autograd"),
        "version 0.1: module + SGD(foreach)": partial(peers.optimiser, job, foreach=True),
        "PyTorch: module + SGD(fused)": partial(peers.optimiser, job, fused=True),
        "PyTorch: autograd.grad, updates in place": partial(peers.autograd, job),
        "PyTorch: torch.func.vmap(grad)": partial(peers.vmapped, job),
        "PyTorch: passes by hand": partial(peers.by_hand, job),
    }
    if case.networks > 1:
        for name, run in {"autograd.grad": peers.autograd, "passes by hand": peers.by_hand}.items():
            found[f"PyTorch: {name}, one network after the other"] = partial(
                peers.one_after_the_other(run), job
            )
    if find_spec("jax") is not None and not case.samples:
        found["JAX: compiled loop, random numbers of its own"] = partial(peers.jax_scan(), job)
    return found


def training() -> list[Table]:
    """All cases on one thread."""
    torch.set_num_threads(1)
    return [
        Table("training", "(4) Training, per step", NOTE, [row for case in CASES for row in compared(case)])
    ]


NOTE = (
    "Processor time of a whole run over its steps, the shortest of several interleaved ones, one thread, single "
    "precision; quadflow's runs from the problem to records of the first and last step, JAX's without compilation. "
    "Difference: largest deviation of any trained weight from quadflow's, relative to how far the weights moved; JAX "
    "draws other numbers. Not measured: torch.compile, which needs a compiler of C++ on the user's machine."
)


def compared(case: Case) -> list[dict[str, Any]]:
    """One row for each contender."""
    calls = contenders(case)
    trained = {}
    for name, call in calls.items():
        print(f"    {case.title}: {name}", file=sys.stderr)
        trained[name] = call()
    best = fastest(calls, ROUNDS)
    return [
        {
            "task": case.title,
            "by": name,
            "kind": kind_of(name),
            "µs per step": 1e6 * best[name] / case.steps,
            "time / quadflow": best[name] / best["quadflow"],
            "difference": None
            if name.startswith("JAX")
            else distance(case, trained["quadflow"], trained[name]),
        }
        for name in sorted(calls, key=lambda name: best[name])
    ]


def kind_of(name: str) -> str:
    """As of `benchmarks.solvers.Peer`."""
    known = {"quadflow": OURS, "version 0.1": OLD, "JAX": COMPILED}
    return next((kind for start, kind in known.items() if name.startswith(start)), INTERPRETED)


def distance(case: Case, one: Trained, other: Trained) -> float:
    """Largest deviation of a weight, relative to the largest change by training."""
    start = case.problem.student.W, case.problem.student.a
    moved = max(float(np.abs(x - x0).max()) for x, x0 in zip(one, start, strict=True))
    return max(float(np.abs(x - y).max()) for x, y in zip(one, other, strict=True)) / moved
