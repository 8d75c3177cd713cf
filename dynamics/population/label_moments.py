"""What the population loss of two classes needs of the labels: B = E y zzᵀ and ȳ = E y."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array
from dynamics.population.exceedance import exceedance
from dynamics.population.slope_rules import Convex, SlopeRule


@dataclass(frozen=True, eq=False)
class LabelMoments:
    """Of labels that a Gaussian form f* gives: 1{f* > θ}, or y with E[y | f*] = σ(f*), turned round at random or not.

    Parameters
    ----------
    link : Convex or None
        A loss of which the slope at the label 0 is σ, or another probability.
    threshold : float or None
        θ; None where the labels are drawn with the probability σ(f*).
    flip : float
        Probability p that a label is turned round.
    """

    link: Convex | None
    threshold: float | None = None
    flip: float = 0.0

    def of(self, M: Array, shift: float) -> tuple[Array, float]:
        """B (d, d) and ȳ of f* = zᵀMz − b.

        B and ȳ without flips turn into pI + (1 − 2p)B and p + (1 − 2p)ȳ.
        """
        delta, R = np.linalg.eigh(M)
        if self.threshold is None:
            assert self.link is not None
            rule, moved = SlopeRule(self.link).at(shift, delta[0], delta[-1])
            mean, single = rule.slope_means(delta, moved)
        else:
            mean, single = exceedance(delta, self.threshold + shift)
        p = self.flip
        single, mean = p + (1 - 2 * p) * single, p + (1 - 2 * p) * mean
        return (R * single) @ R.T, mean
