"""Interval tools: they enclose what is known, and prove nothing that is false."""

import importlib
import sys

import mpmath
import numpy as np
import pytest

from dynamics import ProblemError, Teacher

flint = pytest.importorskip("flint")
from dynamics.stationary import intervals as iv  # noqa: E402  # only where python-flint is installed


def column(entries):
    return flint.arb_mat(len(entries), 1, entries)


def test_krawczyk_encloses_the_root_of_two():
    """x² = 2 from x₀ = 1.4142: the box contains the number, and is no wider than x₀'s error."""
    with iv.workprec(200):
        box = iv.krawczyk(
            lambda x: column([x[0, 0] ** 2 - 2]), lambda x: column([2 * x[0, 0]]), np.array([1.4142])
        )
        assert box is not None
        assert box[0, 0].contains(flint.arb(2).sqrt())
        assert iv.magnitude(box[0, 0] - flint.arb(2).sqrt()) < 1e-4


def test_krawczyk_proves_an_exact_zero():
    """x² = 4 from x₀ = 2: no correction, so that the box of 10⁻³⁰ is mapped into one of ½ (10⁻³⁰)²."""
    with iv.workprec(300):
        box = iv.krawczyk(
            lambda x: column([x[0, 0] ** 2 - 4]), lambda x: column([2 * x[0, 0]]), np.array([2.0])
        )
        assert box is not None
        assert 0 < iv.magnitude(box[0, 0] - 2) < 0.51e-60


@pytest.mark.parametrize(
    ("f", "df", "x0"),
    [
        (lambda x: x**2 + 1, lambda x: 2 * x, 0.1),  # no real zero
        (lambda x: x**2, lambda x: 2 * x, 1e-9),  # a double zero: not isolated from none by any perturbation
        (lambda x: x - x + 1, lambda x: x - x, 0.0),  # singular Jacobian
    ],
)
def test_krawczyk_proves_nothing_false(f, df, x0):
    with iv.workprec(128):
        assert (
            iv.krawczyk(lambda x: column([f(x[0, 0])]), lambda x: column([df(x[0, 0])]), np.array([x0]))
            is None
        )


def test_inertia_of_matrices_with_a_known_kernel():
    """Q = TᵀΛT with chosen signs; T regular, so Sylvester's law gives the inertia exactly."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        signs = rng.integers(-1, 2, 6)
        T = rng.integers(-3, 4, (6, 6)) + 4 * np.eye(6)
        Q = (T.T * signs) @ T  # integers: exact
        with iv.workprec(128):
            kernel = int(np.sum(signs == 0))
            assert iv.inertia(iv.mat(Q), kernel) == (np.sum(signs < 0), np.sum(signs > 0))
            if kernel:
                assert iv.inertia(iv.mat(Q), kernel - 1) is None


@pytest.mark.parametrize(("radius", "certain"), [(0.9, True), (1.1, False)])
def test_signs_hold_for_all_matrices_of_an_interval(radius, certain):
    """diag(1, −2) and up to r beside the diagonal: discs of radius r about 1 and −2, without zero for r < 1."""
    ball = flint.arb(0, radius)
    Q = flint.arb_mat(2, 2, [1, ball, ball, -2])
    assert iv.inertia(Q, 0) == ((1, 1) if certain else None)


def test_no_inertia_of_a_matrix_with_a_zero_more_than_is_known():
    """diag(2, 0, −3) has one exact zero: with a kernel of 1 its signs are proven, with 0 there is nothing to prove.

    Its eigenvectors are exact, so the disc of the zero is the number 0 itself and no ball of undecided sign.
    """
    with iv.workprec(128):
        assert iv.inertia(iv.mat(np.diag([2.0, 0.0, -3.0])), 0) is None
        assert iv.inertia(iv.mat(np.diag([2.0, 0.0, -3.0])), 1) == (1, 1)
        assert iv.inertia(iv.mat(np.zeros((2, 2))), 2) == (0, 0)


def test_signs_that_are_known_and_one_that_is_not():
    assert [iv.sign(x) for x in (flint.arb(0), flint.fmpq(0), flint.arb(2, 1), flint.arb(-2, 1))] == [
        0,
        0,
        1,
        -1,
    ]
    assert iv.sign(flint.arb(0.5, 1)) is None


def test_upper_bounds_are_not_below():
    """|x| ≤ 3 for the ball 2 ± 1, and the Frobenius norm of (3 ± 1, −4) is at most (16 + 16)^½."""
    assert iv.magnitude(flint.arb(0)) == 0
    assert 3 <= iv.magnitude(flint.arb(2, 1)) < 3 + 1e-8
    norm = float(iv.frobenius(flint.arb_mat(1, 2, [flint.arb(3, 1), flint.arb(-4)])).mid())
    assert np.sqrt(32) - 1e-12 <= norm < np.sqrt(32) + 1e-6


@pytest.mark.parametrize("kind", ["dense", "low rank", "dependent", "covariance"])
def test_eigenvalues_are_enclosed(kind):
    """Against mpmath's eigenvalues of the same floats at 60 digits; radii stay near double precision."""
    rng = np.random.default_rng(1)
    d, R = (4, 4) if kind != "low rank" else (6, 3)
    V, b, Sigma = rng.standard_normal((R, d)), rng.standard_normal(R), None
    if kind == "dependent":
        d = 6
        V = np.pad(V, ((0, 0), (0, 2)))
        V[3] = V[0] + V[1]
    if kind == "covariance":
        F = rng.standard_normal((d, d))
        Sigma = F @ F.T + np.eye(d)
    with mpmath.workdps(60), iv.workprec(128):
        A = mpmath.matrix(V.tolist()).T * mpmath.diag(b.tolist()) * mpmath.matrix(V.tolist())
        if Sigma is not None:
            L = mpmath.cholesky(mpmath.matrix(Sigma.tolist()))
            A = L.T * A * L
        exact = sorted(mpmath.eigsy(A, eigvals_only=True), reverse=True)
        found = [value for value, count in iv.eigenvalues(Teacher(V, b), Sigma) for _ in range(count)]
        assert len(found) == d
        for ball, value in zip(found, exact, strict=True):
            midpoint = mpmath.mpf(float(flint.arb(ball).mid()))
            radius = float(flint.arb(ball).rad()) + 1e-16 * abs(float(value)) + 1e-40
            assert abs(midpoint - value) <= radius
            assert radius < 1e-12
        exact_zeros = sum(ball == 0 for ball in found)
        assert exact_zeros == (d - R if kind == "low rank" else 0)


def test_axis_parallel_teachers_have_exact_eigenvalues():
    values = iv.eigenvalues(Teacher.from_eigenvalues([0.1, -3], inputs=4), None)
    assert values == [(flint.fmpq(*(0.1).as_integer_ratio()), 1), (flint.fmpq(0), 2), (flint.fmpq(-3), 1)]


def test_missing_library_is_a_clear_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "flint", None)
    monkeypatch.delitem(sys.modules, "dynamics.stationary.intervals")
    with pytest.raises(ProblemError, match=r"pip install 'quadflow\[certify\]'"):
        importlib.import_module("dynamics.stationary.intervals")
