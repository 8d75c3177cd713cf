"""The best learning rate of every schedule, by a search over its logarithm that refines itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ComputationError

DECADES = 5.0  # below the largest rate that are looked at
POINTS = 25  # rates of the first round; later rounds lie between the neighbours of the best
ROUNDS = 4


def best_rates(final: Callable[[Array], Array], schedules: int, largest: float) -> tuple[Array, Array]:
    """Rate and risk at the minimum for each of some schedules, (F,) and (F,).

    The rates are found to half a per mille, the risk, which is flat there, to a millionth. Of several minima the
    deepest is found, of those that rates half as large again can tell apart.

    Parameters
    ----------
    final : callable (F, G) array → (F, G) array
        Risk after the run, for rates of the schedules; not finite where it diverges.
    schedules : int
        F.
    largest : float
        Rate with which the search begins, downwards.

    Raises
    ------
    ComputationError
        If a schedule has no finite risk at any rate.
    """
    low, high = (
        np.full(schedules, np.log(largest) - DECADES * np.log(10)),
        np.full(schedules, np.log(largest)),
    )
    rows = np.arange(schedules)
    for _ in range(ROUNDS):
        logs = np.linspace(low, high, POINTS, axis=1)
        risks = final(np.exp(logs))
        risks = np.where(np.isfinite(risks), risks, np.inf)
        best = risks.argmin(axis=1)
        if not np.isfinite(risks[rows, best]).all():
            least, most = np.exp(logs[0, [0, -1]])
            raise ComputationError(
                f"Every learning rate from {least:.3g} to {most:.3g} leads the mean loss beyond 1.8e308: scale down"
                " the label noise, the weights or the teacher."
            )
        low, high = logs[rows, np.maximum(best - 1, 0)], logs[rows, np.minimum(best + 1, POINTS - 1)]
    return np.exp(logs[rows, best]), risks[rows, best]
