"""Test error against the number of samples: networks trained to the minimum beside their state evolution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.progress import progress_bar
from dynamics.sample_size.equations import validate_alpha
from dynamics.sample_size.marchenko_pastur import MarchenkoPastur
from dynamics.sample_size.prediction import HEURISTIC, SampleSize, state_evolution
from dynamics.sample_size.thresholds import interpolation_threshold, trace_threshold
from dynamics.validation import validate_count, validate_real
from empirical.minimum import descend, train_to_minimum
from empirical.proximal_gradient import FormData, FormEstimate

VANISHING = 1e-3  # ℓ that stands for ℓ → 0 where labels can be fitted
SMALL_START = 1e-3  # entries of W from which descent finds nearly the same
CLOSE = 1e-6  # gradient, over its unit, at which a network of the figure is at its minimum


@dataclass(frozen=True, eq=False)
class TrainedSizes:
    """Networks at some α.

    Parameters
    ----------
    name : str
    inputs : int
        d = K.
    alpha : (A,) array
        n/d² of the rounded n.
    mse : (A, seeds) array
        ‖Ŝ − S*‖²/d.
    """

    name: str
    inputs: int
    alpha: Array
    mse: Array

    @property
    def mean(self) -> Array:
        """Over the seeds."""
        return np.asarray(self.mse.mean(axis=1))

    @property
    def standard_error(self) -> Array:
        """Of the mean."""
        seeds = self.mse.shape[1]
        spread = self.mse.std(axis=1, ddof=1) if seeds > 1 else np.full(len(self.mse), np.nan)
        return np.asarray(spread / seeds**0.5)


@dataclass(frozen=True, eq=False)
class SampleSizeCurves:
    """Errors against α with label noise, for several decays, and without, for raw and centred units.

    Parameters
    ----------
    noisy : tuple of SampleSize
        One for each decay, the first with the Bayes-optimal error.
    corrected : tuple of SampleSize
        The same for the dimension of the networks.
    trained : tuple of TrainedSizes
    clean : tuple of SampleSize
        Without noise and decay: centred and raw units; none: not asked for.
    recovered : tuple of TrainedSizes
        Raw and centred units from large weights, centred ones from small weights by gradient descent.
    """

    noisy: tuple[SampleSize, ...]
    corrected: tuple[SampleSize, ...]
    trained: tuple[TrainedSizes, ...]
    clean: tuple[SampleSize, ...]
    recovered: tuple[TrainedSizes, ...]

    def summary(self) -> str:
        """A line for all networks of one kind at one α, and what the errors and the corrected theory mean."""
        lines = []
        for networks in (*self.trained, *self.recovered):
            for alpha, mean, error in zip(
                networks.alpha, networks.mean, networks.standard_error, strict=True
            ):
                bar = f" ± {error:.2g}" if np.isfinite(error) else ""
                lines.append(f"{networks.name}, d = {networks.inputs}, α = {alpha:.4g}: MSE {mean:.4g}{bar}")
        return "\n".join([*lines, self._errors(), f"dotted lines: {HEURISTIC}"])

    def _errors(self) -> str:
        """What ± is."""
        seeds = self.trained[0].mse.shape[1]
        if seeds == 1:
            return "one seed: no error bar"
        reach = float(stdtrit(seeds - 1, 0.975))
        return f"±: standard error over {seeds} seeds; a 95 % interval is {reach:.3g} times as wide"


def sample_size_curves(
    kappa: float = 0.5,
    label_noise: float = 0.5,
    decays: Sequence[float] = (0.0, 0.3, 1.2),
    *,
    clean_kappa: float = 0.2,
    inputs: int = 30,
    alphas: Sequence[float] = (0.15, 0.22, 0.3, 0.4, 0.55, 0.75),
    clean_alphas: Sequence[float] = (0.15, 0.22, 0.3, 0.38),
    points: int = 31,
    seeds: int = 4,
    seed: int = 0,
    progress: bool = False,
) -> SampleSizeCurves:
    """Theory and networks of K = d units, with label noise for several decays, and without for both activations.

    Parameters
    ----------
    kappa, label_noise : float
        κ* of the Marchenko–Pastur teacher, and Δ.
    decays : sequence of float
        ℓ; where ℓ = 0 leaves many minima, networks are trained with 10⁻³: theory takes the limit.
    clean_kappa : float
        κ* where there is no noise.
    inputs : int
        d of the networks.
    alphas, clean_alphas : sequence of float
        α at which networks are trained; without the latter there is no part without noise.
    points : int
        α of the lines, besides that of the peak.
    seeds : int
        Networks at each α, with data of their own; all have the teacher that is typical of the law.
    seed : int
    progress : bool

    Raises
    ------
    ProblemError
        If an argument is not usable.
    ComputationError
        If a training does not converge.
    """
    d, count = validate_count("inputs", inputs, minimum=10), validate_count("seeds", seeds)
    lines = validate_count("points", points, minimum=2)
    if not decays:
        raise ProblemError("`decays` is empty, but must name at least one weight decay of order ℓ.")
    if not len(alphas):
        raise ProblemError("`alphas` is empty, but must name at least one number of samples over d².")
    trained_at = [validate_alpha(a) for a in (*alphas, *clean_alphas)]
    ends = 0.5 * min(trained_at), 1.1 * max(trained_at)
    law, noise = MarchenkoPastur(kappa), validate_real("label_noise", label_noise, nonnegative=True)
    even = np.linspace(*ends, lines)
    grid = np.union1d(even, fitted := interpolation_threshold(law, noise))
    noisy, corrected = [], []
    for ell in decays:
        how: dict[str, Any] = {"weight_decay_order": ell, "label_noise": noise, "progress": progress}
        noisy.append(state_evolution(law, grid, bayes=ell == decays[0], **how))
        corrected.append(state_evolution(law, even[::2], inputs=d, **how))
    jobs = Jobs(d, count, seed, progress)
    trained = [jobs.train(f"ℓ = {ell:g}", law, alphas, noise, _regularised(ell, fitted)) for ell in decays]
    clean: list[SampleSize] = []
    recovered: list[TrainedSizes] = []
    if len(clean_alphas):
        few = MarchenkoPastur(clean_kappa)
        even_clean = np.linspace(0.5 * min(clean_alphas), trace_threshold(few), lines)
        for activation in ("centred", "quadratic"):
            clean.append(state_evolution(few, even_clean, activation=activation, progress=progress))
        kinds = (
            ("raw units", True, _minimum(0.0)),
            ("centred units", False, _minimum(0.0)),
            ("centred units, small start", False, _descent),
        )
        for name, raw, train in kinds:
            recovered.append(jobs.train(name, few, clean_alphas, 0.0, train, raw=raw))
    return SampleSizeCurves(tuple(noisy), tuple(corrected), tuple(trained), tuple(clean), tuple(recovered))


Training = Callable[[FormData, int, int], FormEstimate]


@dataclass(frozen=True)
class Jobs:
    """Networks of one size, each on data of its own."""

    inputs: int
    seeds: int
    seed: int
    progress: bool

    def train(
        self,
        name: str,
        law: MarchenkoPastur,
        alphas: Sequence[float],
        label_noise: float,
        train: Training,
        *,
        raw: bool = False,
    ) -> TrainedSizes:
        """Some at every α; the same inputs whatever is trained. Their law has no directions, nor need S* have any."""
        d, S = self.inputs, np.diag(law.eigenvalues(self.inputs))
        sizes = [max(1, round(a * d**2)) for a in alphas]
        mse = np.empty((len(sizes), self.seeds))
        what = progress_bar(
            [*np.ndindex(mse.shape)], name, shown=self.progress, remedy="lower `inputs` or `seeds`"
        )
        for i, s in what:
            data = FormData.draw(S, sizes[i], label_noise, raw=raw, seed=[self.seed, s])
            mse[i, s] = train(data, d, self.seed + s).mse(S)
        return TrainedSizes(name, d, np.array(sizes) / d**2, mse)


def _regularised(decay: float, fitted: float) -> Training:
    """At the minimum; where ℓ = 0 leaves many, with a decay so small that it picks the one of least trace."""

    def train(data: FormData, hidden: int, seed: int) -> FormEstimate:
        below = len(data.X) < fitted * hidden**2
        return _minimum(VANISHING if below and decay == 0 else decay)(data, hidden, seed)

    return train


def _minimum(decay: float) -> Training:
    return lambda data, hidden, seed: train_to_minimum(data, decay, hidden, seed=seed, tolerance=CLOSE)


def _descent(data: FormData, hidden: int, seed: int) -> FormEstimate:
    return descend(data, hidden, scale=SMALL_START, seed=seed)
