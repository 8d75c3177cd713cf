"""What n = αd² samples teach, over α: the state evolution, the Bayes-optimal error, thresholds, the best decay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.curves.result import Result
from dynamics.curves.variables import Meaning
from dynamics.errors import ProblemError
from dynamics.progress import progress_bar
from dynamics.sample_size.bayes import bayes_mse
from dynamics.sample_size.best_decay import best_decay
from dynamics.sample_size.design import INFINITE, Design, GaussianInputs
from dynamics.sample_size.equations import Regression, validate_alpha
from dynamics.sample_size.spectral_law import SpectralLaw
from dynamics.sample_size.thresholds import Thresholds, thresholds
from dynamics.validation import validate_array, validate_choice, validate_count
from dynamics.versions import versions

UNITS = {"centred": False, "quadratic": True}  # activation → whether it sees the trace
CONJECTURAL = (
    "a width below 1 is a conjecture: the minimum over few units is not convex, and the equations ignore the jump of "
    "the denoiser"
)
HEURISTIC = (
    "the correction for finite d is heuristic, of first order in 1/d: with weight decay it covers about a third to a "
    "half of the excess over d → ∞ that is measured at d = 30 to 100, so that the MSE is too low; without decay most "
    "of it, and too much near the peak"
)
AT_JUMP = "an `alpha` is the threshold of recovery itself: its row is the limit from below, and above it the MSE is 0"
ROUNDING, JUST_BELOW = 1e-13, 1e-12  # relative to a threshold: what is the same, and what is below it
FITTED = "raw units that can fit all labels: the minimum of the trace, a heuristic derivation"
NO_DECAY = "the weight decay has no effect on raw units: labels pin the trace"
FEWEST_INPUTS = 10
INTERPOLATING = 1e-12  # training error over m₂ + Δ that is none
NUMBERS = ("mse", "training_error", "rank_fraction", "trace", "sigma", "threshold")


@dataclass(frozen=True, eq=False, repr=False)
class SampleSize(Result):
    """Error against the number of samples, of networks trained to the minimum with weight decay.

    Parameters
    ----------
    teacher, activation : str
    weight_decay_order, label_noise, width : float
        ℓ, Δ and κ.
    inputs : int or None
        d of the correction for finite dimension; None: d → ∞.
    alpha : (A,) array
        n/d².
    mse, training_error, rank_fraction, trace, sigma, threshold : (A,) arrays
        As in `dynamics.sample_size.equations.Point`.
    bayes : (A,) array or None
        Least error of all.
    best_decay, best_mse : (A,) arrays or None
        ℓ of the least error, and that.
    thresholds : Thresholds
    versions : dict
    """

    KIND = "sample size"

    teacher: str
    activation: str
    weight_decay_order: float
    label_noise: float
    width: float
    inputs: int | None
    second: float
    alpha: Annotated[Array, Meaning("alpha", "samples over the squared input dimension", label=True)]
    mse: Annotated[Array, Meaning("alpha", "‖Ŝ − S*‖²/d", "squared eigenvalues of S*")]
    training_error: Annotated[Array, Meaning("alpha", "mean of (y − f)² over the samples", "squared outputs")]
    rank_fraction: Annotated[Array, Meaning("alpha", "rank of Ŝ over d")]
    trace: Annotated[Array, Meaning("alpha", "tr Ŝ/d", "eigenvalues of S*")]
    sigma: Annotated[
        Array, Meaning("alpha", "standard deviation of the equivalent noise", "eigenvalues of S*")
    ]
    threshold: Annotated[Array, Meaning("alpha", "threshold of its eigenvalues", "eigenvalues of S*")]
    bayes: Annotated[Array | None, Meaning("alpha", "‖Ŝ − S*‖²/d of the Bayes-optimal estimate")]
    best_decay: Annotated[Array | None, Meaning("alpha", "order ℓ of the weight decay of the least error")]
    best_mse: Annotated[Array | None, Meaning("alpha", "‖Ŝ − S*‖²/d at that decay")]
    thresholds: Thresholds
    versions: dict[str, str] = field(default_factory=versions)

    @property
    def conjectural(self) -> bool:
        """Whether the width is below 1."""
        return self.width < 1

    @property
    def heuristic(self) -> bool:
        """Whether a correction for finite d is in the numbers, or raw units fit all labels."""
        return self.inputs is not None or self._fitted_raw

    @property
    def _fitted_raw(self) -> bool:
        fitted = (self.training_error <= INTERPOLATING * (self.second + self.label_noise)) & (self.mse > 0)
        return bool(UNITS[self.activation] and fitted.any())

    @property
    def _at_recovery(self) -> Array:
        """Whether α is the threshold from which on the solution is S*."""
        ends = UNITS[self.activation] or self.weight_decay_order == 0
        recovery = self.thresholds.recovery if ends and self.inputs is None else None
        return np.array([_is_threshold(a, recovery) for a in self.alpha])

    @property
    def warnings(self) -> list[str]:
        """What a reader of the numbers should know."""
        said = {
            CONJECTURAL: self.conjectural,
            HEURISTIC: self.inputs is not None,
            FITTED: self._fitted_raw,
            NO_DECAY: UNITS[self.activation] and self.weight_decay_order > 0,
            AT_JUMP: bool((self.mse[self._at_recovery] > 0).any()),
        }
        return [text for text, true in said.items() if true]

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of the command."""
        found = {name: getattr(self, name) for name in ("alpha", *NUMBERS, "bayes", "best_decay", "best_mse")}
        about = ("teacher", "activation", "weight_decay_order", "label_noise", "width", "inputs")
        return (
            found
            | {"thresholds": self.thresholds.values(), "threshold_reasons": self.thresholds.reasons}
            | {name: getattr(self, name) for name in about}
            | {"conjectural": self.conjectural, "heuristic": self.heuristic, "warnings": self.warnings}
        )

    def summary(self) -> str:
        """A table over α, and the thresholds."""
        columns = {"α": self.alpha, "MSE": self.mse, "training error": self.training_error}
        columns |= {"rank/d": self.rank_fraction, "tr/d": self.trace}
        optional = {"Bayes": self.bayes, "best ℓ": self.best_decay, "its MSE": self.best_mse}
        columns |= {name: values for name, values in optional.items() if values is not None}
        where = "d → ∞" if self.inputs is None else f"d = {self.inputs} to first order"
        lines = [
            f"{self.teacher}, {self.activation} units, {where}: weight decay of order ℓ = {self.weight_decay_order:g}, "
            f"label noise Δ = {self.label_noise:g}" + f", width κ = {self.width:g}" * self.conjectural,
            "  ".join(f"{name:>14}" for name in columns),
            *("  ".join(f"{x:>14.6g}" for x in row) for row in zip(*columns.values(), strict=True)),
        ]
        lines.append(self.thresholds.summary())
        return "\n".join([*lines, *(f"warning: {text}" for text in self.warnings)])


def state_evolution(
    law: SpectralLaw,
    alpha: ArrayLike | Sequence[float],
    *,
    weight_decay_order: float = 0.0,
    label_noise: float = 0.0,
    activation: str = "centred",
    width: float = 1.0,
    inputs: int | None = None,
    bayes: bool = False,
    best: bool = False,
    progress: bool = False,
) -> SampleSize:
    """The error of wide networks of fixed equal second layer, trained to the minimum on n = αd² samples, d → ∞.

    Parameters
    ----------
    law : SpectralLaw
        Of S* = √d M*: `MarchenkoPastur` or `Atoms`.
    alpha : (A,) array
    weight_decay_order : float
        ℓ = ρ√d/(2a) of the weight decay ρ and the second layer a; 0 is the limit ℓ → 0.
    label_noise : float
        Variance Δ.
    activation : {"centred", "quadratic"}
        z² − 1 or z².
    width : float
        κ = K/d; below 1 the equations are a conjecture.
    inputs : int, optional
        Correct for this d, to first order: a heuristic.
    bayes : bool
        Also the least error of all.
    best : bool
        Also the weight decay of the least error.
    progress : bool

    Raises
    ------
    ProblemError
        If an argument is not usable.
    ComputationError
        If the equations have no solution.

    Examples
    --------
    >>> from dynamics import state_evolution
    >>> from dynamics.sample_size.marchenko_pastur import MarchenkoPastur
    >>> found = state_evolution(MarchenkoPastur(0.5), [0.5], weight_decay_order=0.1, label_noise=0.5)
    >>> round(float(found.mse[0]), 4), round(found.thresholds.interpolation, 5)
    (0.4172, 0.32363)
    """
    raw = UNITS[validate_choice("activation", activation, UNITS)]
    alphas = [validate_alpha(a) for a in validate_array("alpha", np.atleast_1d(np.asarray(alpha)), 1)]
    if not alphas:
        raise ProblemError("`alpha` is empty, but must name at least one number of samples over d².")
    design = INFINITE if inputs is None else _finite(validate_count("inputs", inputs), width)
    regression = Regression(law, weight_decay_order, label_noise, raw, width, design)
    limits = thresholds(law, label_noise, raw=raw, width=width)
    points, least, decays = [], [], []
    for a in progress_bar(alphas, "state evolution", shown=progress, remedy="give fewer `alpha`"):
        # of full rank, S* + σ·GOE solves the equations at the threshold for every small σ: the limit from below
        jumps = inputs is None and _is_threshold(a, limits.recovery)
        points.append(regression.solve(a * (1 - JUST_BELOW) if jumps else a))
        if bayes:
            least.append(bayes_mse(law, a, label_noise))
        if best:
            decays.append(best_decay(regression, a))
    columns: dict[str, Any] = {name: np.array([getattr(point, name) for point in points]) for name in NUMBERS}
    return SampleSize(
        law.name,
        activation,
        float(weight_decay_order),
        float(label_noise),
        float(width),
        inputs,
        law.second,
        np.array(alphas),
        bayes=np.array(least) if bayes else None,
        best_decay=np.array([one.decay for one in decays]) if best else None,
        best_mse=np.array([one.mse for one in decays]) if best else None,
        thresholds=limits,
        **columns,
    )


def _is_threshold(alpha: float, threshold: float | None) -> bool:
    """Whether they are one number up to rounding."""
    return threshold is not None and abs(alpha / threshold - 1) < ROUNDING


def _finite(inputs: int, width: float) -> Design:
    """The correction for a finite dimension."""
    if inputs < FEWEST_INPUTS:
        raise ProblemError(
            f"`inputs` is {inputs}, but the correction of first order in 1/d needs at least {FEWEST_INPUTS}."
        )
    if width * inputs < 1:
        raise ProblemError(
            f"`width` is {width:g}, which of {inputs} inputs is not one hidden unit: raise one of them."
        )
    return GaussianInputs(inputs)
