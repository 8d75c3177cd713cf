"""What a study found: of every contender the result at its best rate, and the differences of pairs, with intervals."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dynamics.errors import ProblemError
from dynamics.words import counted
from empirical.studies.evaluation import evaluate
from empirical.studies.outcomes import Difference, Result, read_result
from empirical.studies.study import KIND, Settings, Study
from empirical.studies.table import find_study
from empirical.studies.tasks import read_task
from empirical.sweep.dataset import read_dataset
from empirical.sweep.sweeping import run_sweep

if TYPE_CHECKING:
    from xarray import Dataset


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
        Best rates at the end of the grid, contenders all of whose trainings failed, trainings that could not be made.
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
        results = tuple(read_result(study, dataset, label, score) for label in study.labels)
        of_label = {result.label: result for result in results}
        differences = []
        for first, second in study.pairs:
            gap = of_label[first].at_best - of_label[second].at_best
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
                    "collapsed": r.collapsed[r.best].mean(),
                    "failed": r.failed[r.best].mean(),
                    "rebases": r.rebases_at_best,
                    "seeds": len(r.at_best),
                    "scores": r.at_best,
                    "rates": r.rates,
                    "collapsed_by_rate": r.collapsed.mean(axis=1),
                    "failed_by_rate": r.failed.mean(axis=1),
                }
                for r in self.results
            ],
            "differences": [
                {
                    "first": d.first,
                    "second": d.second,
                    "mean": d.mean,
                    "interval": list(d.interval),
                    "pairs": len(d.differences),
                    "decided": d.decided,
                }
                for d in self.differences
            ],
            "data": s.data,
            "budget": {
                "epochs": s.epochs,
                "batch": s.batch,
                "seeds": s.seeds,
                "seed": s.seed,
                "rates": len(self.study.rates),
            },
            "warnings": self.warnings,
        }

    def summary(self) -> str:
        """The table, and the differences in words."""
        s = self.study.settings
        unit, factor = ("accuracy, %", 100.0) if self.score == "accuracy" else ("½ mean square error", 1.0)
        width = max(len(r.label) for r in self.results)
        counts = any(r.rebases is not None for r in self.results)
        lines = [
            f"{self.study.title}: {s.data}, {counted(s.epochs, 'epoch')}, batches of {s.batch}, "
            f"{counted(s.seeds, 'seed')}; best of {counted(len(self.study.rates), 'rate')} on the samples to choose by",
            f"{'':{width}}  parameters   steps       rate  {'test ' + unit:>24}  collapsed"
            + ("  rebases" if counts else ""),
        ]
        for r in self.results:
            value = f"{factor * r.mean:.4g} ± {factor * r.standard_error:.2g}"
            lines.append(
                f"{r.label:{width}}  {_or_dash(r.parameters):>10}  {_or_dash(r.steps):>6}  {r.rate:9.3g}  {value:>24}  "
                f"{r.collapsed[r.best].mean():9.0%}"
                + (f"  {_or_dash(r.rebases_at_best):>7}" if counts else "")
            )
        lines += [self._sentence(d, factor) for d in self.differences]
        return "\n".join([*lines, *(f"note: {warning}" for warning in self.warnings)])

    def _sentence(self, d: Difference, factor: float) -> str:
        """One difference, with what it means."""
        if not len(d.differences):
            return f"{d.first} minus {d.second}: no replicate in which neither failed"
        better = "better" if (d.mean > 0) == (self.score == "accuracy") else "worse"
        verdict = (
            better if d.decided else "no difference shown" if d.differences.any() else "the same in each"
        )
        return (
            f"{d.first} minus {d.second}: {factor * d.mean:+.3g} ± {factor * d.half_width:.2g} "
            f"(95 %, {counted(len(d.differences), 'pair')}): {verdict}"
        )


def _or_dash(value: float | None) -> str:
    """A number, rounded; a dash where there is none."""
    return "–" if value is None or not np.isfinite(value) else f"{value:.0f}"


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
        As `run_sweep` does; or if the data cannot be read.
    """
    s = study.settings
    task = read_task(
        s.data, s.target, s.network == "cnn", s.image_size
    )  # refused here, and not in every training
    for contender in study.contenders:
        contender.build(task.shape, task.outputs, 0)
    return Findings.of(study, run_sweep(study.plan(), evaluate, output, **how))


def read_findings(path: str | Path) -> Findings:
    """What a finished study found, from its file.

    Raises
    ------
    ProblemError
        If it cannot be read, or is not of a study that there is.
    """
    dataset = read_dataset(path)
    definition = json.loads(dataset.attrs["definition"])
    if definition["kinds"] != [KIND]:
        raise ProblemError(f"{str(path)!r} is not the result of a study.")
    options = dict(definition["options"])
    try:
        study = find_study(options.pop("study", ""), Settings(**options))
        same = {"model": [*study.labels], "rate": [*study.rates]} == {
            name: dataset[name].values.tolist() for name in ("model", "rate")
        }
    except (TypeError, KeyError) as error:  # settings that there are not, an axis that is not there
        raise ProblemError(f"{str(path)!r} is a damaged study: {error}.") from None
    if not same:
        raise ProblemError(
            f"{str(path)!r} is of another version of the study {study.name!r}, with other contenders or rates: make it"
            " again."
        )
    return Findings.of(study, dataset)


def _warnings(results: tuple[Result, ...], dataset: Dataset) -> list[str]:
    """What limits the findings."""
    lost = [f"all trainings of {r.label!r} failed" for r in results if r.failed.all()]
    edges = [
        f"the best rate of {r.label!r}, {r.rate:g}, is the {r.edge} tried: a better one may lie beyond"
        for r in results
        if r.edge and not r.failed.all()
    ]
    reasons = {str(r) for r in dataset[f"{KIND}_reason"].values.ravel() if r}
    return lost + edges + [f"some trainings could not be made: {reason}" for reason in sorted(reasons)[:3]]
