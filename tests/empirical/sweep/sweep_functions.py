"""What the sweeps of the tests compute: functions of a module, because worker processes import them."""

import os
import signal
import time
from pathlib import Path
from typing import ClassVar

import numpy as np

from dynamics import ProblemError
from dynamics.curves.variables import Variable


def parabola(run):
    """A curve and an end known in closed form, with numbers that depend on the run's seed."""
    x = run.options["x"]
    if x == run.options.get("bad"):
        raise ProblemError(f"`x` is {x}, which is refused.")
    if x == run.options.get("broken"):
        raise ZeroDivisionError("of a kind nobody expected")
    times = np.linspace(0.0, run.options.get("t_end", 1.0), 3)
    noise = np.random.default_rng(run.options["seed"]).standard_normal(run.options.get("size", 2))
    return {
        "time": Variable(("time",), times),
        "loss": Variable(("time",), x * times**2, "population loss", "squared output units"),
        "final_loss": Variable((), x * times[-1] ** 2),
        "noise": Variable(("unit",), noise),
        "end": Variable((), "finished"),
    }


def slow_parabola(run):
    """The same, in so much time that a sweep can be interrupted."""
    time.sleep(run.options["pause"])
    return parabola(run)


def deadly(run):
    """Kills its process at the point x = 1; at x = 2 once, if the file `mark` can be made."""
    if run.options["x"] == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if run.options["x"] == 2:
        try:
            Path(run.options["mark"]).touch(exist_ok=False)
        except FileExistsError:
            return parabola(run)
        os.kill(os.getpid(), signal.SIGKILL)
    return parabola(run)


class Halving:
    """A request for half of a number, which all that are asked for at once get in one go; 13 is refused."""

    launches: ClassVar[list[int]] = []  # of this process

    def __init__(self, number):
        self.number = number

    def alone(self):
        return self.together([self])[0]

    def kin(self):
        return "halving"

    def together(self, requests):
        self.launches.append(len(requests))
        return [ProblemError("13 is unlucky.") if r.number == 13 else r.number / 2 for r in requests]


def asking(run):
    """Half of x, asked for; and how many asked for theirs at the same time."""
    half = yield Halving(run.options["x"])
    return {"final_loss": Variable((), half), "noise": Variable((), float(run.options["seed"]))}
