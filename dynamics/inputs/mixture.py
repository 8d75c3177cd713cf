"""Mixtures of Gaussian clusters with means and covariances of their own.

Quadratic networks need their fourth moment (derived here; Σ, μ, π those of a cluster)

    C[D] = Σ π {2ΣDΣ + tr(DΣ)Σ + (μᵀDμ)Σ + tr(DΣ)μμᵀ + 2(ΣDμμᵀ + μμᵀDΣ) + (μᵀDμ)μμᵀ},

all others the mean over clusters of the loss for Gaussian inputs with a mean. Flows stay in the span of teacher,
weights and means, made invariant under every Σ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dynamics.aliases import Array
from dynamics.covariance import symmetric_root
from dynamics.errors import ProblemError
from dynamics.files.archives import open_archive
from dynamics.inputs.base import InputLaw, LawFamily, Restored, Source, register_family
from dynamics.inputs.moments import form_loss, is_form
from dynamics.inputs.setting import Setting
from dynamics.inputs.subspaces import basis_of, krylov_closure
from dynamics.matrices import negligible
from dynamics.population.fourth_moment import FourthMoment
from dynamics.validation import validate_array, validate_symmetric

if TYPE_CHECKING:
    from dynamics.population.base import Population

PARTS = ("weights", "means", "covariances")


@dataclass(frozen=True, eq=False)
class MixtureMoment(FourthMoment):
    """C of a mixture of Gaussian clusters.

    Parameters
    ----------
    weights : (C,) array
    means : (C, d) array
    covariances : (C, d, d) array
    """

    weights: Array
    means: Array
    covariances: Array

    @property
    def inputs(self) -> int:
        """d."""
        return self.means.shape[1]

    def __call__(self, D: Array) -> Array:
        """C[D]."""
        C = np.zeros_like(D)
        for pi, mu, S in zip(self.weights, self.means, self.covariances, strict=True):
            second = S + np.outer(mu, mu)
            Dmu = D @ mu  # (…, d)
            trace = np.einsum("...ij,ij->...", D, second)[..., None, None]
            mixed = 2 * (Dmu @ S)[..., :, None] * mu
            C += pi * (2 * S @ D @ S + trace * second + mixed + mixed.swapaxes(-1, -2))
        return C


@dataclass(frozen=True, eq=False)
class Mixture(InputLaw):
    """x ~ N(μ_c, Σ_c) with probability π_c.

    Parameters
    ----------
    weights : (C,) array
        π_c, which add up to 1.
    means : (C, d) array
    covariances : (C, d, d) array

    Raises
    ------
    ProblemError
        If the arrays do not fit together, weights are no probabilities, or a covariance is none.
    """

    standard: ClassVar[bool] = False
    uniform_outside: ClassVar[bool] = False  # clusters differ in their covariances
    known: ClassVar[str] = "activations of w·x alone, or centred units in student and teacher alike"

    weights: Array
    means: Array
    covariances: Array

    def __post_init__(self) -> None:
        weights, means = validate_array("weights", self.weights, 1), validate_array("means", self.means, 2)
        covariances = validate_array("covariances", self.covariances, 3)
        C, d = means.shape
        if weights.shape != (C,) or covariances.shape != (C, d, d) or 0 in (C, d):
            raise ProblemError(
                f"`weights` {weights.shape}, `means` {means.shape} and `covariances` {covariances.shape} do not fit:"
                " they must be (C,), (C, d) and (C, d, d)."
            )
        if weights.min() < 0 or abs(weights.sum() - 1) > 1e-6:
            raise ProblemError(
                f"`weights` are {weights.tolist()}, but must be probabilities that add up to 1."
            )
        covariances = np.stack([validate_symmetric("covariances", S) for S in covariances])
        for c, lam in enumerate(np.linalg.eigvalsh(covariances)):
            if lam[0] < -negligible(d) * max(lam[-1], 0.0):
                raise ProblemError(
                    f"`covariances` has in cluster {c} the eigenvalue {lam[0]:.3g}, but none may be negative."
                )
        if not (means[weights > 0].any() or covariances[weights > 0].any()):
            raise ProblemError(
                "`means` and `covariances` are zero, but inputs that are all zero teach nothing."
            )
        object.__setattr__(self, "weights", weights / weights.sum())
        object.__setattr__(self, "means", means)
        object.__setattr__(self, "covariances", covariances)

    @property
    def name(self) -> str:
        """What files call it: they hold its arrays too."""
        return "mixture"

    def bound(self, inputs: int) -> Mixture:
        """The mixture itself.

        Raises
        ------
        ProblemError
            If it has another dimension.
        """
        if self.means.shape[1] != inputs:
            raise ProblemError(
                f"`distribution` is a mixture in {self.means.shape[1]} dimensions, but there are {inputs} inputs."
            )
        return self

    def knows(self, problem: Setting) -> bool:
        """Where activations depend on w·x alone, or are centred alike."""
        own = problem.activation.uses_variance or problem.teacher_activation.uses_variance
        return is_form(problem) or not own

    def second_moment(self, covariance: Array | None) -> Array:
        """Σ π (Σ + μμᵀ)."""
        return np.asarray(
            np.einsum("c,cij->ij", self.weights, self.covariances)
            + np.einsum("c,ci,cj->ij", self.weights, self.means, self.means)
        )

    def fourth_moment(self, covariance: Array | None, inputs: int) -> FourthMoment:
        """C."""
        return MixtureMoment(self.weights, self.means, self.covariances)

    def loss(self, problem: Setting) -> Population:
        """Through the fourth moment, or the mean over clusters."""
        from dynamics.population.scaled import ScaledPopulation
        from dynamics.population.sum import SumPopulation

        if is_form(problem):
            return form_loss(problem, self.fourth_moment(None, problem.inputs))
        phi, psi, teacher = problem.activation, problem.teacher_activation, problem.teacher
        clusters = zip(self.weights, self.means, self.covariances, strict=True)
        return SumPopulation(
            tuple(
                ScaledPopulation(phi.loss(teacher.V, teacher.B, S, psi, mu if mu.any() else None), float(pi))
                for pi, mu, S in clusters
            )
        )

    def closure(self, problem: Setting, rows: Array) -> Array | None:
        """The span with the means in it, made invariant under every Σ."""
        if len(rows) + len(self.means) >= rows.shape[1]:
            return None
        return krylov_closure(basis_of(np.vstack([rows, self.means])), *self.covariances)

    def within(self, Q: Array) -> Mixture:
        """The mixture in the coordinates Qᵀx."""
        return Mixture(self.weights, self.means @ Q, Q.T @ self.covariances @ Q)

    @cached_property
    def _roots(self) -> Array:
        """Σ_c^{1/2}, (C, d, d)."""
        return np.stack([symmetric_root(S) for S in self.covariances])

    def draw(self, source: Source, count: int, inputs: int) -> Any:
        """Normal numbers, and one cluster for each sample."""
        u, z, x = source.uniform(count)[..., None], source.normal(count, inputs), 0.0
        ends = np.cumsum(self.weights)
        starts = np.append(0.0, ends[:-1])
        ends[-1] = 1.0
        for start, end, mu, root in zip(starts, ends, self.means, self._roots, strict=True):
            inside = ((u >= start) & (u < end)) * 1.0
            x = x + inside * (z @ source.array(root) + source.array(mu))
        return x

    def arrays(self) -> Mapping[str, Array]:
        """All of it."""
        return {"weights": self.weights, "means": self.means, "covariances": self.covariances}


def _member(path: str) -> Mixture:
    """The mixture in a file of `weights`, `means` and `covariances`."""
    with open_archive(path, f"`--distribution` 'mixture:{path}'") as archive:
        return of_arrays({name: archive.numbers(name) for name in PARTS})


def of_arrays(arrays: Mapping[str, Array]) -> Mixture:
    """The mixture of these arrays."""
    return Mixture(arrays["weights"], arrays["means"], arrays["covariances"])


register_family(LawFamily("mixture", "FILE.npz", _member, restored=Restored(PARTS, of_arrays)))
