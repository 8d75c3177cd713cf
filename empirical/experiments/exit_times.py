"""Exit times of hundreds of networks beside their law, in a few dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dynamics.activations import Activation
from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.escape.exit_law import ExitLaw
from dynamics.escape.prediction import escape_time
from dynamics.validation import validate_count, validate_real
from dynamics.words import counted
from empirical.escape import TrainedEscape
from empirical.exits import train_exits
from empirical.experiments.escape import one_unit

PER_SAMPLE = (
    125  # inputs d for each sample of a batch: with step times d over batch the step is the same for all
)
WAITED = 1e-5  # part of the networks that are expected not to be there when training ends
HALF = 0.5**0.5  # overlap at which half of the loss is gone


@dataclass(frozen=True, eq=False)
class Exits:
    """Networks of one input dimension, and their law.

    Parameters
    ----------
    run : TrainedEscape
    law : ExitLaw
    """

    run: TrainedEscape
    law: ExitLaw

    @property
    def p_value(self) -> float:
        """Of a Kolmogorov–Smirnov test of the times against the law; networks that are not there count as infinite."""
        return kolmogorov_smirnov(self.run.times, self.law)

    @property
    def scaled(self) -> Array:
        """2μT − ln(ρ²/Var m̂), (S,), of those that are there; from a random start −ln χ²₁ in every dimension."""
        times = self.run.times[np.isfinite(self.run.times)]
        law = self.law
        return 2 * law.growth * times - 2 * np.log(law.reach / law.start_deviation)

    def summary(self) -> str:
        """Measured beside predicted."""
        law, times = self.law, self.run.times[np.isfinite(self.run.times)]
        S = len(times)
        left = f", {self.run.unfinished} not there" if self.run.unfinished else ""
        return (
            f"d = {self.run.inputs}: {counted(S, 'network')}, mean {times.mean():.4f} ± {times.std() / S**0.5:.4f} "
            f"(law {law.mean:.4f}), standard deviation {times.std():.4f} (law {law.deviation:.4f}), "
            f"Kolmogorov–Smirnov p = {self.p_value:.2g}{left}"
        )


@dataclass(frozen=True, eq=False)
class ExitTimes:
    """Exit times in a few dimensions.

    Parameters
    ----------
    activation : Activation
        Of student and teacher.
    rate : float
        ηd/B.
    label_noise : float
    overlap : float
        That is reached.
    exits : tuple of Exits
    """

    activation: Activation
    rate: float
    label_noise: float
    overlap: float
    exits: tuple[Exits, ...]

    def summary(self) -> str:
        """A line for every dimension."""
        return "\n".join(part.summary() for part in self.exits)


def exit_times(
    inputs: Sequence[int] = (200, 2000),
    rate: float = 0.05,
    *,
    label_noise: float = 0.0,
    activation: Activation | str = "quadratic",
    overlap: float = HALF,
    seeds: int = 400,
    seed: int = 0,
    progress: bool = False,
) -> ExitTimes:
    """Train one unit on the sphere from random starts, in a few input dimensions, and hold its times against their law.

    Parameters
    ----------
    inputs : sequence of int
        d. Batches have d/125 samples, at least one, so that steps η = rate·B/d are all but the same.
    rate : float
        ηd/B.
    label_noise : float
        Variance.
    activation : Activation or str
        Of student and teacher alike, of information exponent 2.
    overlap : float
    seeds : int
        Networks of each dimension.
    seed : int
    progress : bool
        Show progress bars on standard error if that is a terminal.

    Raises
    ------
    ProblemError
        If an argument is not usable, or no law is known, or nothing is learned at this rate.
    """
    g = validate_real("rate", rate, positive=True)
    phi = Activation.parse(activation)
    if not len(inputs):
        raise ProblemError("`inputs` is empty, but must name at least one dimension.")
    found = []
    for d in (validate_count("inputs", n, minimum=2) for n in inputs):
        problem, batch = one_unit(phi, d), max(1, d // PER_SAMPLE)
        sgd = {"step": g * batch / d, "batch": batch, "overlap": overlap, "label_noise": label_noise}
        prediction = escape_time(problem, **sgd)  # type: ignore[arg-type]
        law = prediction.exit_law
        if law is None:
            raise ProblemError(f"There is no law of the exit time: {prediction.exit_reason}.")
        t_end = law.quantile(1 - WAITED)
        run = train_exits(problem, t_end=t_end, seeds=seeds, seed=seed, progress=progress, **sgd)  # type: ignore[arg-type]
        found.append(Exits(run, law))
    return ExitTimes(phi, g, label_noise, overlap, tuple(found))


def kolmogorov_smirnov(times: Array, law: ExitLaw) -> float:
    """p-value of times (S,) under a law, those of networks that are not there being infinite."""
    from scipy.stats import kstest

    return float(kstest(times, law.distribution).pvalue)
