"""What became of one contender of a study, and of the difference of two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from empirical.studies.study import KIND, Study

if TYPE_CHECKING:
    from xarray import Dataset

CONFIDENCE = 0.95
NAN = float("nan")


@dataclass(frozen=True, eq=False)
class Result:
    """A contender at every learning rate, and which of them did best on the samples to choose by.

    Parameters
    ----------
    label, family : str
    parameters, steps : int or None
        Trained parameters, and steps of the optimiser; None if no training could be made.
    rates : (E,) array
        Learning rates.
    best : int
        Which of them is best: that of the best mean score on the samples to choose by, to which a failed training adds
        the worst score; of several, that of fewer failures, then that which is better without these.
    scores : (E, S) array
        Of every replicate on the samples to test on; NaN where training failed.
    failed, collapsed : (E, S) array
        Whether training failed; whether it failed or ended at chance (`empirical.collapsed`).
    rebases : (E, S) array or None
        Changes of basis, of optimisers that have one.
    gradients : (E, S, M, L) array or None
        Gradients by the outputs of L layers relative to the last, at M moments, see `empirical.studies.gradients`.
    """

    label: str
    family: str
    parameters: int | None
    steps: int | None
    rates: Array
    best: int
    scores: Array
    failed: NDArray[np.bool_]
    collapsed: NDArray[np.bool_]
    rebases: Array | None = None
    gradients: Array | None = None

    @property
    def rate(self) -> float:
        """The best learning rate."""
        return float(self.rates[self.best])

    @property
    def edge(self) -> str:
        """Which end of the grid the best rate is, "lowest" or "highest", so that a better one may lie beyond; or ""."""
        if len(self.rates) < 3:
            return ""
        return {0: "lowest", len(self.rates) - 1: "highest"}.get(self.best, "")

    @property
    def at_best(self) -> Array:
        """Scores (S,) at the best rate."""
        return np.asarray(self.scores[self.best])

    @property
    def mean(self) -> float:
        """Mean score at the best rate over the replicates that did not fail; NaN if all did."""
        return float(moments(self.at_best)[0])

    @property
    def standard_error(self) -> float:
        """Of that mean; NaN for fewer than two."""
        return float(moments(self.at_best)[1])

    @property
    def rebases_at_best(self) -> float:
        """Mean number of changes of basis at the best rate; NaN where there is nothing to change."""
        return NAN if self.rebases is None else float(moments(self.rebases[self.best])[0])


@dataclass(frozen=True, eq=False)
class Difference:
    """Score of a first contender minus that of a second one at their best rates, replicate by replicate.

    Parameters
    ----------
    first, second : str
    differences : (n,) array
        Of the n replicates in which neither failed.
    """

    first: str
    second: str
    differences: Array

    @property
    def mean(self) -> float:
        """Mean difference; NaN without any."""
        return float(moments(self.differences)[0])

    @property
    def half_width(self) -> float:
        """Half of the interval that covers the mean with 95 % if differences are normal (Student's law); or NaN."""
        from scipy.stats import t

        n = len(self.differences)
        return float(t.ppf(0.5 + CONFIDENCE / 2, n - 1) * moments(self.differences)[1]) if n > 1 else NAN

    @property
    def interval(self) -> tuple[float, float]:
        """Both ends."""
        return self.mean - self.half_width, self.mean + self.half_width

    @property
    def decided(self) -> bool:
        """Whether the interval leaves 0 out."""
        return bool(abs(self.mean) > self.half_width)


def moments(values: Array) -> tuple[Array, Array]:
    """Mean and its standard error along the last axis, over what is finite; NaN of none, or the latter of one."""
    there = np.isfinite(values)
    n = there.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(there, values, 0).sum(axis=-1) / n
        squares = np.where(there, (values - mean[..., None]) ** 2, 0).sum(axis=-1)
        error = np.sqrt(squares / (n - 1) / n)
    return mean, np.where(n > 1, error, np.nan)


def read_result(study: Study, dataset: Dataset, label: str, score: str) -> Result:
    """One contender from the labelled file of all trainings; what could not be trained counts as failed."""
    ours = dataset.sel(model=label).transpose("rate", "replicate", ...)
    missing = np.full((ours.sizes["rate"], ours.sizes["replicate"]), np.nan)

    def values(name: str) -> Array:
        found = ours.get(f"{KIND}_{name}")
        return missing if found is None else np.asarray(found.values, dtype=float)

    def optional(name: str) -> Array | None:
        """Those of this contender; another one may have some where it has none."""
        return found if np.isfinite(found := values(name)).any() else None

    def largest(name: str) -> int | None:
        return None if (found := optional(name)) is None else int(np.nanmax(found))

    done = ours[f"{KIND}_status"].values == "done"
    failed = np.where(done, values("failed"), 1.0) != 0
    rates = np.asarray(dataset["rate"].values, dtype=float) * study.contender(label).unit
    return Result(
        label,
        study.contender(label).family,
        largest("parameters"),
        largest("steps"),
        rates,
        best_rate(np.where(failed, np.nan, values(f"validation_{score}")), score),
        np.where(failed, np.nan, values(f"test_{score}")),
        failed,
        failed | (values("collapsed") == 1),
        optional("rebases"),
        optional("gradients"),
    )


def best_rate(chosen_by: Array, score: str) -> int:
    """Which of E rates is best, from scores (E, S) that are NaN where training failed: see `Result.best`.

    The worst accuracy is 0, the worst loss infinity.
    """
    sign, worst = (-1.0, 0.0) if score == "accuracy" else (1.0, np.inf)
    failures = np.isnan(chosen_by)
    with_worst = sign * np.where(failures, worst, chosen_by).mean(axis=1)
    without = sign * moments(chosen_by)[0]
    return int(np.lexsort((np.nan_to_num(without, nan=np.inf), failures.sum(axis=1), with_worst))[0])
