"""When a training has collapsed: one rule for every study, and the share of collapsed runs with its interval.

A run has collapsed if

1. it ended before its last step: the loss of a batch was NaN, infinite or `empirical.trainer.EXPLOSION` times the first
   one, or its optimiser could not go on (`ModuleRun.failure`); or
2. it ended at chance: on the samples that it was trained on, at its last record, it is no better than what needs no
   inputs. For classes: its accuracy is at most p + 3 √(p(1 − p)/n), p the share of the most frequent class among the n
   samples. Always that class has accuracy p, and answers that are independent of the labels exceed the bound by chance
   once in a thousand runs or less. For numbers: its loss is at least that of the mean label, ½ Σ var y.

Whether runs collapse depends on all of the scale of the initial weights, the batch, the number of steps, the learning
rate and what is learned. A study of collapse is defined by these, and has to state them.
"""

from __future__ import annotations

import numpy as np

from dynamics.errors import ProblemError
from dynamics.validation import validate_count, validate_real
from empirical.module_training import ModuleRun
from empirical.splits import Samples

DEVIATIONS = 3.0  # of the accuracy of guesses, beyond which it is none
NORMAL = 1.959963984540054  # a standard normal number is within ± this with a probability of 95 %


def collapse_reason(run: ModuleRun, samples: Samples) -> str:
    """Why a run has collapsed, in a sentence; empty if it has not.

    Parameters
    ----------
    run : ModuleRun
        By the loss "mse", where labels are numbers.
    samples : Samples
        Those that it was trained on.
    """
    if run.failure:
        return run.failure
    last = run.last("train")
    if run.accuracy is not None:
        bound = chance_accuracy(samples)
        if last["accuracy"] <= bound:  # type: ignore[operator]
            return f"Training ended at chance: its accuracy is {last['accuracy']:.3g}, at most {bound:.3g}."
        return ""
    constant = 0.5 * float(samples.y.var(axis=0).sum())
    if last["loss"] >= constant:  # type: ignore[operator]
        return f"Training ended at chance: its loss is {last['loss']:.3g}, that of the mean label {constant:.3g}."
    return ""


def chance_accuracy(samples: Samples) -> float:
    """Accuracy up to which a run counts as guessing: p + 3 √(p(1 − p)/n)."""
    p, n = float(np.bincount(samples.y).max()) / len(samples), len(samples)
    return float(p + DEVIATIONS * np.sqrt(p * (1 - p) / n))


def share_interval(count: int, total: int, deviations: float = NORMAL) -> tuple[float, float]:
    """Wilson's interval of a probability, from how often something happened in independent runs.

    Parameters
    ----------
    count, total : int
        Of so many runs.
    deviations : float
        Standard deviations; by default those of 95 %.

    Returns
    -------
    (float, float)
        The probabilities p for which count/total is within `deviations` · √(p(1 − p)/total) of p.

    Notes
    -----
    E. B. Wilson, *Probable inference, the law of succession, and statistical inference* (1927), not consulted: derived
    here as the roots of (k/n − p)² = z² p(1 − p)/n.
    """
    n, k = validate_count("total", total), validate_count("count", count, minimum=0)
    z = validate_real("deviations", deviations, positive=True)
    if k > n:
        raise ProblemError(f"`count` is {k}, but of {n} runs at most all can be counted.")
    middle = (k + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * np.sqrt(k * (n - k) / n + z**2 / 4)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))
