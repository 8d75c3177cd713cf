"""The teacher: validated and frozen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.activations import Activation
from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.errors import ProblemError
from dynamics.matrices import axes_of, decompose
from dynamics.problem.outputs import network_outputs
from dynamics.validation import axis_names, misplaced, validate_array, validate_count, validate_real
from dynamics.words import listed

LARGEST_TEACHER = (
    1e50  # size; products of four and more such numbers must not overflow, and those of 1e-50 not vanish
)

Spectrum = tuple[NDArray[np.float64], Callable[[NDArray[np.intp]], NDArray[np.float64]]]
"""Eigenvalues, and what gives the unit eigenvectors of some of them, by their indices, as rows."""


@dataclass(frozen=True, eq=False)
class Teacher:
    """Teacher network f*_o(x) = Σ_m B_om φ(v_m·x); for quadratic φ the form M*_o = Σ_m B_om v_m v_mᵀ.

    Parameters
    ----------
    V : (R, d) array
        Teacher directions v_m as rows; they need be neither orthogonal nor normalised.
    B : (R,) or (O, R) array
        Teacher weights; stored with shape (O, R).
    notes : tuple of str
        What `from_matrix` changed: a sentence each.

    Attributes
    ----------
    given : bool
        False for `NoTeacher`, the teacher of a problem whose labels come from a file.

    Raises
    ------
    ProblemError
        If the arrays are not finite or do not fit together.
    """

    given: ClassVar[bool] = True

    V: NDArray[np.float64]
    B: NDArray[np.float64]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        V = validate_array("V", self.V, 2)
        B = validate_array("b", np.atleast_2d(np.asarray(self.B)), 2)
        if V.shape[1] == 0:
            raise ProblemError("`V` has no columns, but the inputs must have at least one dimension.")
        if B.shape[1] != V.shape[0] or B.shape[0] == 0:
            raise ProblemError(
                f"`b` has shape {B.shape}, but the teacher's {V.shape[0]} directions need (O, {V.shape[0]})."
            )
        with np.errstate(over="ignore", under="ignore"):  # an infinite size is refused
            size = float(np.max(np.abs(B) * np.sum(V**2, axis=1), initial=0.0))
        if size > LARGEST_TEACHER or (size < 1 / LARGEST_TEACHER and B.any() and V.any()):
            raise ProblemError(
                f"`teacher` has the size {size:.3g} (largest |b|‖v‖²), but losses, which are its squares, need a size "
                f"between {1 / LARGEST_TEACHER:.0e} and {LARGEST_TEACHER:.0e}: scale it."
            )
        object.__setattr__(self, "V", V)
        object.__setattr__(self, "B", B)

    @classmethod
    def from_eigenvalues(cls, eigenvalues: ArrayLike, inputs: int | None = None, outputs: int = 1) -> Teacher:
        """Diagonal teacher M* = diag(λ), padded with zeros up to `inputs`; the same for every output."""
        lam = validate_array("teacher", eigenvalues, 1)
        d = len(lam) if inputs is None else validate_count("inputs", inputs)
        if lam.size == 0:
            raise ProblemError("`teacher` is empty, but must name at least one eigenvalue.")
        if lam.size > d:
            raise ProblemError(f"`teacher` has {lam.size} eigenvalues, but only {d} inputs: raise `inputs`.")
        kept = np.flatnonzero(lam)
        _check_teacher(kept.size, d)
        V = np.zeros((kept.size, d))
        V[np.arange(kept.size), kept] = 1.0
        return cls(V, lam[kept]).repeated(outputs)

    @classmethod
    def power_law(cls, exponent: float, count: int, inputs: int | None = None, outputs: int = 1) -> Teacher:
        """Diagonal teacher with λ_j = j^(−exponent), j = 1 … count."""
        alpha, n = validate_real("exponent", exponent), validate_count("count", count)
        _check_teacher(n, n if inputs is None else inputs)
        j = np.arange(1, n + 1, dtype=float)
        with np.errstate(over="ignore"):  # an infinite eigenvalue is refused below
            return cls.from_eigenvalues(j**-alpha, inputs, outputs)

    @classmethod
    def from_matrix(
        cls,
        M: ArrayLike,
        inputs: int | None = None,
        outputs: int = 1,
        *,
        rank: int | None = None,
        tolerance: float | None = None,
        rounding: float | None = None,
        symmetrize: bool = False,
    ) -> Teacher:
        """Teacher of the symmetric matrix M* (d, d), or one matrix per output (O, d, d), padded with zeros.

        Eigenvalues that are but rounding are no modes. What counts as rounding follows from the data type (of a
        float32 matrix some 1e-5 of the largest, of exact ones 1e-14), or is said; `notes` tells what was left out.

        Parameters
        ----------
        M : array
            Asymmetry of up to 1e-6 of its largest entry is taken for rounding and removed.
        inputs, outputs : int, optional
        rank : int, optional
            Keep so many eigenvalues, those of largest |λ|.
        tolerance : float, optional
            Eigenvalues of at most this part of the largest |λ| count as zero.
        rounding : float, optional
            Unit in which the entries were rounded when they were written to a file (0 for whole numbers); see
            `dynamics.matrices.decompose`.
        symmetrize : bool
            Remove any asymmetry.

        Raises
        ------
        ProblemError
            If the matrix is not symmetric or not finite, or if an argument is not usable.
        """
        try:
            stack = np.asarray(M)
        except (ValueError, TypeError, RuntimeError):  # rows of different lengths, or no array: said below
            stack = np.empty(0)
        matrices: list[Any] = list(M) if stack.ndim == 3 else [M]  # type: ignore[arg-type]
        how = {"rank": rank, "tolerance": tolerance, "rounding": rounding, "symmetrize": symmetrize}
        parts = [decompose("teacher", m, **how) for m in matrices]  # type: ignore[arg-type]
        named = [names[0] for names in map(axis_names, matrices) if names]
        for names in named[1:]:
            if wrong := misplaced(named[0], names):
                raise ProblemError(f"`teacher` has outputs whose rows have {wrong}.")
        if not parts:
            raise ProblemError(f"`teacher` has shape {stack.shape}, but must have at least one output.")
        notes = tuple(dict.fromkeys(note for part in parts for note in part.notes))
        if len({part.matrix.tobytes() for part in parts}) == 1:
            teacher = cls(parts[0].vectors, parts[0].values, notes).repeated(
                outputs if len(parts) == 1 else len(parts)
            )
        else:
            B = np.zeros((len(parts), sum(len(part.values) for part in parts)))
            start = 0
            for row, part in zip(B, parts, strict=True):
                row[start : start + len(part.values)] = part.values
                start += len(part.values)
            teacher = cls(np.vstack([part.vectors for part in parts]), B, notes)
        return teacher.padded(teacher.inputs if inputs is None else inputs)

    def __call__(
        self, X: ArrayLike, activation: Activation | str = "quadratic", covariance: ArrayLike | None = None
    ) -> Array:
        """Outputs (n, O) for inputs (n, d), see `dynamics.problem.outputs.network_outputs`."""
        return network_outputs(self.V, self.B, X, activation, covariance)

    @property
    def inputs(self) -> int:
        """Input dimension d."""
        return self.V.shape[1]

    @property
    def outputs(self) -> int:
        """Number of outputs O."""
        return self.B.shape[0]

    @cached_property
    def eigen(self) -> tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]:
        """Non-zero eigenvalues, descending, and their eigenvectors as rows, for each output.

        Works in the span of the directions, so that no d × d matrix is formed when R < d.
        """
        pairs: dict[bytes, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
        for b in self.B:
            if b.tobytes() not in pairs:
                lam, vectors = self._on_axes(b) or self._decomposed(b)
                order = np.argsort(-lam, kind="stable")
                order = order[np.abs(lam[order]) > 1e-13 * np.abs(lam).max(initial=0.0)]
                pairs[b.tobytes()] = lam[order], vectors(order)
        return tuple(pairs[b.tobytes()] for b in self.B)

    @cached_property
    def _orthonormal(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Q (d, r) and T (r, R) with Vᵀ = QT."""
        R, d = self.V.shape
        if d > R:
            Q, T = np.linalg.qr(self.V.T)
            return Q, T
        return np.eye(d), self.V.T

    def _decomposed(self, b: NDArray[np.float64]) -> Spectrum:
        """Eigenvalues of Σ_m b_m v_m v_mᵀ, and the eigenvectors of a number of them as rows."""
        Q, T = self._orthonormal
        lam, E = np.linalg.eigh((T * b) @ T.T)

        def vectors(order: NDArray[np.intp]) -> NDArray[np.float64]:
            found = (Q @ E[:, order]).T
            # Sign convention: the largest entry of an eigenvector is positive.
            peak = np.abs(found).argmax(axis=1)
            found *= np.sign(found[np.arange(len(found)), peak])[:, None]
            return found

        return lam, vectors

    def _on_axes(self, b: NDArray[np.float64]) -> Spectrum | None:
        """The same where directions are multiples of different axes; None where not, or of equal eigenvalues."""
        found = axes_of(self.V)
        if found is None:
            return None
        axes, length = found
        lam = length * b * length
        if len(np.unique(lam[lam != 0])) < np.count_nonzero(lam):
            return None  # their order is a matter of the decomposition

        def vectors(order: NDArray[np.intp]) -> NDArray[np.float64]:
            rows = np.zeros((len(order), self.inputs))
            rows[np.arange(len(order)), axes[order]] = 1.0
            return rows

        return lam, vectors

    def matrix(self, output: int = 0) -> NDArray[np.float64]:
        """Dense M* of one output, (d, d), symmetric to the last bit."""
        M = (self.V.T * self.B[output]) @ self.V
        return np.asarray((M + M.T) / 2)

    def repeated(self, outputs: int) -> Teacher:
        """A teacher of one output, for every output the same."""
        _check_teacher(len(self.V), self.inputs, validate_count("outputs", outputs))
        return self if outputs == 1 else replace(self, B=np.tile(self.B, (outputs, 1)))

    def padded(self, inputs: int) -> Teacher:
        """The same teacher in a larger input space; the new inputs are ignored by it."""
        d = validate_count("inputs", inputs)
        if d < self.inputs:
            raise ProblemError(f"`inputs` is {d}, but the teacher already has dimension {self.inputs}.")
        _check_teacher(len(self.V), d)
        return self if d == self.inputs else replace(self, V=np.pad(self.V, ((0, 0), (0, d - self.inputs))))

    def __repr__(self) -> str:
        notes = "".join(f"; {note}" for note in self.notes)
        return f"Teacher(eigenvalues=[{listed(self.eigen[0][0])}], inputs={self.inputs}, outputs={self.outputs}{notes})"


class NoTeacher(Teacher):
    """No teacher, where the labels are given: a network without units, (0, d) and (O, 0)."""

    given: ClassVar[bool] = False

    @classmethod
    def of(cls, inputs: int, outputs: int) -> NoTeacher:
        """For so many inputs and outputs."""
        return cls(np.zeros((0, inputs)), np.zeros((outputs, 0)))

    def __call__(
        self, X: ArrayLike, activation: Activation | str = "quadratic", covariance: ArrayLike | None = None
    ) -> Array:
        """Refused: nobody knows the labels of other inputs than those of the data.

        Raises
        ------
        ProblemError
            Always.
        """
        raise ProblemError("The labels are those of a data set: there is no teacher that gives others.")

    def __repr__(self) -> str:
        return f"NoTeacher(inputs={self.inputs}, outputs={self.outputs})"


def _check_teacher(directions: int, inputs: int, outputs: int = 1) -> None:
    """Directions, their eigenvectors for every output, and the two matrices from which these are computed."""
    check_memory(
        f"A teacher of {directions} directions in {inputs} dimensions with {outputs} outputs",
        32 * max(directions, 1) * inputs * outputs,
        "lower the number of eigenvalues, `inputs` or `outputs`",
    )
