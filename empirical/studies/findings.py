"""What a study found: of every contender the result at its best rate, and the differences of pairs, with intervals."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.words import counted
from empirical.studies.evaluation import evaluate
from empirical.studies.study import KIND, Study
from empirical.sweep.sweeping import run_sweep

if TYPE_CHECKING:
    from xarray import Dataset

CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class Result:
    """A contender at the learning rate that did best on the samples to choose by.

    Parameters
    ----------
    label, family : str
    parameters, steps : int
        Trained parameters, and steps of the optimiser.
    rate : float
        The learning rate.
    edge : str
        "lowest" or "highest" where the best rate is the end of the grid, so that a better one may lie beyond; empty
        elsewhere.
    scores : (S,) array
        Of every replicate on the samples to test on; NaN where training failed.
    failed : (E,) array
        Share of the replicates that failed, at every rate.
    curve : (E, S) array
        Scores on the samples to test on, at every rate.
    rates : (E,) array
        The learning rates.
    """

    label: str
    family: str
    parameters: int
    steps: int
    rate: float
    edge: str
    scores: Array
    failed: Array
    curve: Array
    rates: Array

    @property
    def mean(self) -> float:
        """Mean score over the replicates that did not fail; NaN if all did."""
        kept = self.scores[np.isfinite(self.scores)]
        return float(kept.mean()) if len(kept) else float("nan")

    @property
    def standard_error(self) -> float:
        """Of that mean; NaN for fewer than two."""
        kept = self.scores[np.isfinite(self.scores)]
        return float(kept.std(ddof=1) / np.sqrt(len(kept))) if len(kept) > 1 else float("nan")

    @property
    def collapsed(self) -> float:
        """Share of failed replicates at the best rate."""
        return float(np.mean(~np.isfinite(self.scores)))


@dataclass(frozen=True, eq=False)
class Difference:
    """First contender minus second, replicate by replicate.

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
        """Mean difference."""
        return float(self.differences.mean()) if len(self.differences) else float("nan")

    @property
    def half_width(self) -> float:
        """Half of the interval that covers the mean with 95 % if differences are normal (Student's law)."""
        from scipy.stats import t

        n = len(self.differences)
        if n < 2:
            return float("nan")
        return float(t.ppf(0.5 + CONFIDENCE / 2, n - 1) * self.differences.std(ddof=1) / np.sqrt(n))

    @property
    def decided(self) -> bool:
        """Whether the interval leaves 0 out."""
        return bool(abs(self.mean) > self.half_width)


@dataclass(frozen=True, eq=False)
class Findings:
    """All that a study says.

    Parameters
    ----------
    study : Study
    score : str
        "accuracy" (larger is better) or "loss" (half the mean square error of labels of variance 1, smaller is better).
    results : tuple of Result
    differences : tuple of Difference
    warnings : list of str
        Best rates at the end of the grid, and trainings that could not be made.
    """

    study: Study
    score: str
    results: tuple[Result, ...]
    differences: tuple[Difference, ...]
    warnings: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, study: Study, dataset: Dataset) -> Findings:
        """Read off the labelled file of all trainings."""
        score = "accuracy" if f"{KIND}_test_accuracy" in dataset else "loss"
        results = tuple(_result(study, dataset, label, score) for label in study.labels)
        of_label = {result.label: result for result in results}
        differences = []
        for first, second in study.pairs:
            gap = of_label[first].scores - of_label[second].scores
            differences.append(Difference(first, second, gap[np.isfinite(gap)]))
        return cls(study, score, results, tuple(differences), _warnings(results, dataset))

    def to_dict(self) -> dict[str, Any]:
        """What the command prints."""
        s = self.study.settings
        return {
            "study": self.study.name,
            "score": self.score,
            "results": [
                {
                    "model": r.label,
                    "parameters": r.parameters,
                    "steps": r.steps,
                    "rate": r.rate,
                    "mean": r.mean,
                    "standard_error": r.standard_error,
                    "collapsed": r.collapsed,
                    "collapsed_by_rate": r.failed,
                    "rates": r.rates,
                    "seeds": len(r.scores),
                    "scores": r.scores,
                }
                for r in self.results
            ],
            "differences": [
                {
                    "first": d.first,
                    "second": d.second,
                    "mean": d.mean,
                    "interval": [d.mean - d.half_width, d.mean + d.half_width],
                    "pairs": len(d.differences),
                    "decided": d.decided,
                }
                for d in self.differences
            ],
            "data": s.data,
            "budget": {"epochs": s.epochs, "batch": s.batch, "seeds": s.seeds, "rates": self.study.rates},
            "warnings": self.warnings,
        }

    def summary(self) -> str:
        """The table, and the differences in words."""
        s = self.study.settings
        unit, factor = ("accuracy, %", 100.0) if self.score == "accuracy" else ("½ mean square error", 1.0)
        width = max(len(r.label) for r in self.results)
        lines = [
            f"{self.study.title}: {s.data}, {counted(s.epochs, 'epoch')}, batches of {s.batch}, "
            f"{counted(s.seeds, 'seed')}; best rate of {len(self.study.rates)} on the samples to choose by",
            f"{'':{width}}  parameters  steps      rate  {unit} on the samples to test on    failed",
        ]
        for r in self.results:
            value = f"{factor * r.mean:.4g} ± {factor * r.standard_error:.2g}"
            lines.append(
                f"{r.label:{width}}  {r.parameters:10d}  {r.steps:5d}  {r.rate:8.3g}  {value:35}  {r.collapsed:6.0%}"
            )
        lines += [self._sentence(d, factor) for d in self.differences]
        return "\n".join([*lines, *(f"note: {warning}" for warning in self.warnings)])

    def _sentence(self, d: Difference, factor: float) -> str:
        """One difference, with what it means."""
        if not len(d.differences):
            return f"{d.first} minus {d.second}: no replicate in which neither failed"
        better = "better" if (d.mean > 0) == (self.score == "accuracy") else "worse"
        verdict = better if d.decided else "no difference shown"
        return (
            f"{d.first} minus {d.second}: {factor * d.mean:+.3g} ± {factor * d.half_width:.2g} "
            f"(95 %, {counted(len(d.differences), 'pair')}): {verdict}"
        )


def run_study(study: Study, output: str | Path, **how: Any) -> Findings:
    """Carry a study out, every finished training being on disk at once.

    Parameters
    ----------
    study : Study
    output : path
        Labelled file of all trainings, .nc or .zarr.
    **how
        `resume`, `overwrite`, `scheduler`, `workers` and `progress` of `empirical.sweep.sweeping.run_sweep`.

    Raises
    ------
    ProblemError, ComputationError
        As `run_sweep` does.
    """
    from empirical.studies.tasks import digests

    s = study.settings
    return Findings.of(study, run_sweep(study.plan(digests(s.data)), evaluate, output, **how))


def _result(study: Study, dataset: Dataset, label: str, score: str) -> Result:
    """One contender, at the rate whose mean on the samples to choose by is best."""
    ours = dataset.sel(model=label).transpose("rate", "replicate", ...)

    def values(name: str) -> NDArray[np.float64]:
        return np.asarray(ours[f"{KIND}_{name}"].values, dtype=float)

    done = ours[f"{KIND}_status"].values == "done"
    failed = np.where(done, values("failed"), 1.0)
    worst = 0.0 if score == "accuracy" else np.inf
    chosen_by = np.where(failed > 0, worst, values(f"validation_{score}")).mean(axis=1)
    best = int(np.argmax(chosen_by) if score == "accuracy" else np.argmin(chosen_by))
    curve = np.where(failed > 0, np.nan, values(f"test_{score}"))
    rates = np.asarray(dataset["rate"].values, dtype=float) * study.contender(label).unit
    edge = {0: "lowest", len(rates) - 1: "highest"}.get(best, "") if len(rates) > 2 else ""
    return Result(
        label,
        study.contender(label).family,
        int(np.nanmax(values("parameters"))),
        int(np.nanmax(values("steps"))),
        float(rates[best]),
        edge,
        curve[best],
        failed.mean(axis=1),
        curve,
        rates,
    )


def _warnings(results: tuple[Result, ...], dataset: Dataset) -> list[str]:
    """Best rates at the end of the grid, and trainings that raised."""
    found = [
        f"the best rate of {r.label!r}, {r.rate:g}, is the {r.edge} tried: a better one may lie beyond"
        for r in results
        if r.edge
    ]
    reasons = {str(r) for r in dataset[f"{KIND}_reason"].values.ravel() if r}
    return found + [f"some trainings could not be made: {reason}" for reason in sorted(reasons)[:3]]
