"""Training on a GPU: is it right, and how fast for 1 … 4096 networks, beside the processor: `python -m benchmarks.gpu`.

Some minutes on any machine with CUDA. Unlike the other benchmarks it is timed by the clock on the wall, which is all
that a GPU knows, and leaves PyTorch as many threads as it takes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.files import write_results
from benchmarks.machine import machine
from benchmarks.report import Table
from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.flows.modified import ModifiedFlow
from empirical import TrainingData, compare, train
from empirical.devices import validate_device
from empirical.gradients import GRADIENTS
from empirical.practice import Practice, data_sets

SEEDS = (1, 4, 16, 64, 256, 1024, 4096)
BEGUN = 5  # steps after which a run is under way
FEWEST, MOST = 3, 5000  # steps that are timed
SIGMAS = 5  # standard errors that a mean may be off

PROBLEM = Problem(Teacher.from_eigenvalues([2, 1], 4), Student.initialise(3, 4, scale=0.4, seed=1))
STEP = 2e-3
SET: dict[str, Any] = {
    "samples": 60,
    "batch": 0,
    "label_noise": 0.1,
    "seeds": 8,
    "seed": 7,
    "dtype": "float64",
}


@dataclass(frozen=True)
class Check:
    """Something that must be small: it is `found`, and may be `allowed`."""

    what: str
    found: float
    allowed: float

    @property
    def passed(self) -> bool:
        """Whether it is."""
        return bool(self.found <= self.allowed)


def loss_on_the_flow(device: str) -> Check:
    """16 networks on fresh batches against the modified flow."""
    run = train(PROBLEM, steps=500, step=STEP, batch=1024, seeds=16, device=device, records=5)
    theory = ModifiedFlow(PROBLEM, STEP).integrate(times=STEP * run.steps)
    error = run.loss.std(axis=0, ddof=1) / 4 + 1e-4 * theory.loss[0]  # and what is O(η²)
    off = np.abs(run.loss.mean(axis=0) - theory.loss) / error
    return Check("mean loss off the modified flow, in standard errors", float(off.max()), SIGMAS)


def gap_closes(device: str) -> Check:
    """On finite sets, which the theory draws again: what is left unexplained, in units of what they explain.

    It is the third order of the step; were the sets others, it would be as large as what they explain.
    """
    gap = compare(PROBLEM, steps=400, step=STEP, records=5, device=device, **SET).gap
    assert gap is not None
    left = np.abs(gap.remainder).max() / np.abs(gap.finite_data).max()
    return Check("gap left unexplained, of what finite data explain", float(left), 0.01)


def same_data(device: str) -> Check:
    """What training draws against what theory draws for the same run: entries that differ."""
    run = train(PROBLEM, steps=1, step=STEP, device=device, **SET)
    data = TrainingData(
        PROBLEM, *(SET[name] for name in ("batch", "samples", "label_noise", "seeds", "seed"))
    )
    drawn = next(data.batches(torch.float64, device))
    pairs = zip(drawn, data_sets(PROBLEM, Practice.of(run)), strict=True)
    return Check("numbers of the data that theory sees otherwise", sum(_differ(x, y) for x, y in pairs), 0)


def same_again(device: str) -> Check:
    """Two runs of one seed: losses that differ."""
    one, two = (
        train(PROBLEM, steps=50, step=STEP, batch=64, seeds=4, device=device, records=11) for _ in range(2)
    )
    return Check("losses that a second run has otherwise", float((one.loss != two.loss).sum()), 0)


def alone_as_among_others(device: str) -> Check:
    """A network trained alone and as the first of 64, relative to the initial loss."""
    options = {"steps": 50, "step": STEP, "batch": 64, "records": 11, "device": device, "dtype": "float64"}
    one, many = (train(PROBLEM, seeds=seeds, **options).loss[0] for seeds in (1, 64))
    return Check("loss alone off that among 64", float(np.abs(one - many).max() / one[0]), 1e-9)


def fused_as_autograd(device: str) -> Check:
    """Both ways to take gradients, relative to the initial loss."""
    options = {"steps": 50, "step": STEP, "batch": 64, "records": 11, "device": device, "dtype": "float64"}
    one, two = (train(PROBLEM, gradients=gradients, **options).loss for gradients in GRADIENTS)
    return Check("loss by written gradients off autograd's", float(np.abs(one - two).max() / one[0, 0]), 1e-9)


CHECKS: tuple[Callable[[str], Check], ...] = (
    loss_on_the_flow,
    gap_closes,
    same_data,
    same_again,
    alone_as_among_others,
    fused_as_autograd,
)


def _differ(x: torch.Tensor, y: Any) -> float:
    return float((x.cpu().numpy() != y).sum())


@dataclass(frozen=True)
class Size:
    """Of the networks that are timed."""

    units: int
    inputs: int
    batch: int

    @property
    def problem(self) -> Problem:
        """Three modes to learn."""
        return Problem(
            Teacher.from_eigenvalues([4, 2, 1], self.inputs), Student.initialise(self.units, self.inputs)
        )

    def __str__(self) -> str:
        return f"K = {self.units}, d = {self.inputs}, batch {self.batch}"


SIZES = (Size(8, 6, 32), Size(16, 64, 64))


def seconds(size: Size, seeds: int, gradients: str, device: str, steps: int) -> float:
    """Of a run, with its records at both ends, for which the processor waits."""
    start = time.perf_counter()
    train(
        size.problem, steps=steps, step=1e-4, batch=size.batch, seeds=seeds, gradients=gradients, device=device,
        records=2,
    )  # fmt: skip
    return time.perf_counter() - start


def rate(size: Size, seeds: int, gradients: str, device: str, budget: float) -> float:
    """Steps per second, of as many steps as take `budget` seconds: of a long run less what a short one takes."""
    seconds(size, seeds, gradients, device, BEGUN)  # what is done once
    short = seconds(size, seeds, gradients, device, BEGUN)
    guess = max(short / BEGUN, 1e-9)
    for _ in range(3):  # the short run is mostly records: guess again from what was timed
        steps = int(np.clip(budget / guess, FEWEST, MOST))
        taken = max(seconds(size, seeds, gradients, device, BEGUN + steps) - short, 1e-9)
        if taken >= budget / 4 or steps == MOST:
            break
        guess = taken / steps
    return steps / taken


def speeds(devices: dict[str, str], seeds: Sequence[int], budget: float) -> Iterator[dict[str, Any]]:
    """A row for each size, number of networks and way to take gradients; a column for each device."""
    for size in SIZES:
        for S in seeds:
            for gradients in GRADIENTS:
                print(f"    {size}: {S} networks, {gradients}", file=sys.stderr)
                found = {name: rate(size, S, gradients, where, budget) for name, where in devices.items()}
                first, *others = found.values()
                yield {
                    "networks of": str(size),
                    "networks": S,
                    "gradients": gradients,
                    **{f"steps/s, {name}": value for name, value in found.items()},
                    "ratio": first / others[0] if others else None,
                }


def tables(device: str, seeds: Sequence[int], budget: float) -> list[Table]:
    """Checks and speeds."""
    card = torch.cuda.get_device_name(device) if device.startswith("cuda") else "processor"
    checked = [check(device) for check in CHECKS]
    rows = [
        {"check": c.what, "found": c.found, "allowed": c.allowed, "passed": "yes" if c.passed else "NO"}
        for c in checked
    ]
    devices = {card: device} | ({} if device == "cpu" else {"processor": "cpu"})
    return [
        Table("gpu-checks", f"(10) Training on {card}: is it right", "What must be small.", rows),
        Table(
            "gpu",
            f"(10) Training on {card}: steps per second",
            f"All networks in one step, by the clock on the wall, single precision, fresh data in every step; the "
            f"processor with at most {torch.get_num_threads()} threads. Ratio: {card} over processor.",
            list(speeds(devices, seeds, budget)),
        ),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Check and measure; exit status 1 if a check has failed, 2 where there is no such device."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--device", default="cuda", help="PyTorch device; cpu tries the script")
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)), help="numbers of networks")
    parser.add_argument("--seconds", type=float, default=1.0, help="that each measurement takes, about")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("results"), help="a folder")
    options = parser.parse_args(arguments)
    try:
        device = validate_device(options.device)
    except ProblemError as error:
        print(error, file=sys.stderr)
        return 2
    found = tables(device, [int(S) for S in options.seeds.split(",")], options.seconds)
    about = machine() | ({"card": torch.cuda.get_device_name(device)} if device.startswith("cuda") else {})
    write_results(found, about, options.output)
    for table in found:
        print(table.markdown())
    print(f"Written to {options.output}: results.json, results.md")
    return int(any(row["passed"] == "NO" for row in found[0].rows))


if __name__ == "__main__":
    sys.exit(main())
