"""(8) One right-hand side for inputs that are not Gaussian: C applied, its matrix of d⁴ numbers, and samples."""

from __future__ import annotations

import numpy as np

from benchmarks.report import Table
from benchmarks.timing import fastest
from dynamics import Problem, Student, Teacher
from dynamics.aliases import Array
from dynamics.inputs.data_set import DataSet
from dynamics.inputs.laws import Independent
from dynamics.population.samples import SampleLoss

UNITS, KURTOSIS, SAMPLES, ROUNDS = 10, 3.0, 2000, 20
INPUTS = (8, 16, 32, 64, 128, 256)
LARGEST_MATRIX = 64  # 134 MB


def matrix_of(d: int) -> Array:
    """C as a matrix (d², d²), E x_i x_j x_k x_l of independent coordinates."""
    I = np.eye(d)
    pairs = np.einsum("ij,kl->ijkl", I, I)
    C = pairs + pairs.transpose(0, 2, 1, 3) + pairs.transpose(0, 3, 2, 1)
    axes = np.arange(d)
    C[axes, axes, axes, axes] += KURTOSIS
    return C.reshape(d * d, d * d)


def naive(C: Array, target: Array, W: Array, A: Array) -> tuple[Array, Array]:
    """Velocity through the matrix."""
    d = len(target)
    D = target - (W.T * A[0]) @ W
    GW = W @ (2 * (C @ D.ravel()).reshape(d, d))
    return A[0][:, None] * GW, 0.5 * np.einsum("ki,ki->k", GW, W)[None]


def fourth_moment() -> list[Table]:
    """A teacher of three directions, 10 units, κ = 3; all ways give the same velocity, samples up to their noise."""
    rows = []
    for d in INPUTS:
        rng = np.random.default_rng(0)
        W, A = rng.standard_normal((UNITS, d)) / np.sqrt(d), rng.standard_normal((1, UNITS))
        teacher = Teacher(rng.standard_normal((3, d)) / np.sqrt(d), np.array([[1.0, 0.7, 0.4]]))
        law = Independent(KURTOSIS)
        operator = Problem(teacher, Student(W, A), distribution=law).population
        X = rng.choice([-1.0, 1.0], (SAMPLES, d)) * np.sqrt(6) * (rng.random((SAMPLES, d)) < 1 / 6)
        data = Problem(teacher, Student(W, A), data=DataSet(X, np.zeros(SAMPLES))).data
        assert data is not None
        samples = SampleLoss(data.X, data.Y, None)
        calls = {
            "operator": lambda operator=operator, W=W, A=A: operator.velocity(W, A),
            "samples": lambda samples=samples, W=W, A=A: samples.velocity(W, A),
        }
        disagreement = None
        if d <= LARGEST_MATRIX:
            C, target = matrix_of(d), teacher.matrix()
            calls["matrix"] = lambda C=C, target=target, W=W, A=A: naive(C, target, W, A)
            pairs = zip(calls["matrix"](), calls["operator"](), strict=True)
            disagreement = float(max(np.abs(a - b).max() for a, b in pairs))
        best = fastest(calls, ROUNDS)
        rows.append(
            {
                "inputs d": d,
                "operator [ms]": 1e3 * best["operator"],
                "matrix of d⁴ numbers [ms]": 1e3 * best["matrix"] if "matrix" in best else None,
                "matrix / operator": best["matrix"] / best["operator"] if "matrix" in best else None,
                f"{SAMPLES} samples [ms]": 1e3 * best["samples"],
                "largest difference": disagreement,
            }
        )
    note = (
        f"K = {UNITS}, independent coordinates of κ = {KURTOSIS:g}, shortest of {ROUNDS} interleaved runs, one thread. "
        f"Beyond d = {LARGEST_MATRIX} the matrix takes gigabytes."
    )
    return [Table("fourth-moment", "(8) Inputs that are not Gaussian", note, rows)]
