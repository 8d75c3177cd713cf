"""Activations from callables: fits and their errors, quadrature where there is no fit, claims, and training."""

import warnings

import numpy as np
import pytest
import torch

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.activations import ACTIVATIONS, Activation, register
from dynamics.activations.fitting import fit
from dynamics.activations.pairing import kernel_of
from dynamics.activations.smooth import ELU, finer
from dynamics.errors import ComputationError
from dynamics.population.gram_pairs import GramPairs
from empirical import train


def expansion_at(expansion, z):
    """Σ p_n zⁿ + Σ e S̃_a(z) or 2 e S̃_a′(z), from S̃_a(z) = z(Φ(z/a) − ½) + a n(z/a)."""
    from scipy.special import erf, ndtr

    total = sum(p * z**n for n, p in enumerate(expansion.polynomial))
    for component in expansion.components:
        for a, e in component.sizes:
            kink = z * (ndtr(z / a) - 0.5) + a * np.exp(-((z / a) ** 2) / 2) / np.sqrt(2 * np.pi)
            total = total + e * (erf(z / (a * np.sqrt(2))) if component.operation.parity else kink)
    return total


@pytest.mark.parametrize(
    ("phi", "bound"),
    [
        (lambda z: z * np.tanh(np.logaddexp(0, z)), 1e-11),
        (np.arctan, 1e-12),
        (lambda z: np.sqrt(1 + z * z) - 1, 1e-12),
        (lambda z: 0.3 * z * z - z, 1e-12),
        (lambda z: np.tanh(z) ** 3, 1e-9),
    ],
    ids=["mish", "arctan", "root", "parabola", "tanh³"],
)
def test_the_error_of_a_fit_is_the_largest_on_the_line(phi, bound):
    """On points that the fit has not seen; the error that it states is reached within a factor."""
    found = fit(phi, "phi")
    z = np.random.default_rng(0).uniform(-50, 50, 20_000)
    z = np.concatenate([z, z / 30])
    error = np.abs((expansion_at(found.expansion, z) - phi(z)) / (1 + np.abs(z))).max()
    assert error <= 1.2 * found.error + 1e-14 and found.error < bound


def test_elu_is_a_mixture():
    """Relative to 1 + |z| to 1e-13, far and near."""
    z = np.concatenate([np.linspace(-60, 60, 8001), np.geomspace(1e-6, 1, 500), -np.geomspace(1e-6, 1, 500)])
    assert np.abs((expansion_at(ELU.expansion, z) - ELU.phi(z, None)) / (1 + np.abs(z))).max() < 1e-13


def sine():
    with pytest.warns(UserWarning, match=r"'sin' is fitted only to 0\.0\d by smoothed kinks: .* quadrature"):
        return Activation.from_callable(np.sin, torch=torch.sin)


@pytest.mark.parametrize("size", [0.2, 1.0, 2.5])
def test_quadrature_has_the_kernel_of_the_sine(size):
    """E sin z_1 sin z_2 = e^{−(q_1 + q_2)/2} sinh s, and its derivatives."""
    phi = sine()
    pairs = GramPairs(size * np.array([[1.0, 0.0]]), size * np.array([[0.8, 0.6], [1.0, 0.0], [-0.3, 0.2]]))
    s, damping = pairs.s, np.exp(-(pairs.q1 + pairs.q2) / 2)
    value, by_s, by_1, by_12, by_ss = kernel_of(phi, phi)(pairs, "", "s", "1", "12", "ss")
    close = {"rtol": 0, "atol": 1e-13}
    np.testing.assert_allclose(value, damping * np.sinh(s), **close)
    np.testing.assert_allclose(by_s, damping * np.cosh(s), **close)
    np.testing.assert_allclose(by_1, -0.5 * damping * np.sinh(s), **close)
    np.testing.assert_allclose(by_12, 0.25 * damping * np.sinh(s), rtol=0, atol=1e-11)
    np.testing.assert_allclose(by_ss, damping * np.sinh(s), rtol=0, atol=1e-11)


def test_quadrature_agrees_with_the_mixture_beside_every_other_kind():
    """tanh by quadrature and by its mixture of 32 nodes, against a polynomial and against GELU."""
    by_quadrature = Activation("t", "tanh", lambda z, q: np.tanh(z), None, -1, quadrature=True)
    mixture = finer("tanh", 32)
    pairs = GramPairs(np.array([[0.9, 0.1], [0.2, -0.4]]), np.array([[0.5, -0.3], [1.1, 0.6]]))
    for name in ("tanh", "gelu", "hermite:3", "relu"):
        other = finer("tanh", 32) if name == "tanh" else Activation.parse(name)
        names = ("",) if name == "relu" else ("", "s", "1", "2", "ss", "1s", "s2", "11", "12")
        if name == "relu":  # its coefficients decay too slowly
            with pytest.raises(ComputationError, match=r"'t' and 'relu' needs more than 800 Hermite terms"):
                kernel_of(by_quadrature, other)(GramPairs(5 * pairs.U, 5 * pairs.U), *names)
            continue
        ours, theirs = (kernel_of(phi, other)(pairs, *names) for phi in (by_quadrature, mixture))
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=2e-13)


def test_long_weights_and_variances_are_refused():
    phi = sine()
    long = 40 * np.eye(2)
    clipped = Activation("clip", "clip", lambda z, q: np.clip(z, -1, 1), None, -1, quadrature=True)
    with pytest.raises(ComputationError, match=r"'clip' and 'clip' needs more than 800 .* lengths up to 40"):
        kernel_of(clipped, clipped)(GramPairs(long, long), "")
    with pytest.raises(ProblemError, match="'sin' beside 'centred'"):
        kernel_of(phi, Activation.parse("centred"))


def test_claims_are_measured():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cube = Activation.from_callable(lambda z: 0.5 * z * z, "half square")
        mish = Activation.from_callable(lambda z: z * np.tanh(np.logaddexp(0, z)), "mish", label="Mish")
    assert (cube.degree, cube.parity, mish.degree, mish.parity) == (2, 1, None, None)
    assert (
        0 < mish.error < 1e-11
        and repr(mish) == f"Activation('mish': φ(w·x) = mish(w·x), to {mish.error:.1g})"
    )
    assert mish.label == "Mish" and "by quadrature" in repr(sine())
    for wrong in (lambda z: z[:2], lambda z: 1 / z, lambda z: z + 1j):
        with pytest.raises(ProblemError, match=r"'wrong' must give a finite real number"):
            Activation.from_callable(wrong, "wrong")


def test_a_callable_of_ones_own_is_trained_and_saved(tmp_path):
    """The flow, PyTorch, and a file; functions of arrays alone are not trained, nor unknown names loaded."""
    from dynamics import GradientFlow, Trajectory

    phi = Activation.from_callable(np.arctan, torch=torch.arctan)
    problem = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(3, 2, seed=1, degree=None), phi)
    path = tmp_path / "run.npz"
    trajectory = GradientFlow(problem).integrate(t_end=1)
    trajectory.save(path)
    run = train(problem, steps=100, step=0.01, batch=0, samples=4000, seeds=2, dtype="float64")
    assert run.loss.mean(axis=0)[-1] == pytest.approx(trajectory.loss[-1], rel=0.02)
    with pytest.raises(ProblemError, match="arctan"):
        Trajectory.load(path)
    register(phi)
    try:
        assert Trajectory.load(path).problem.activation is phi
    finally:
        del ACTIVATIONS["arctan"]
    alone = Activation.from_callable(lambda z: np.arctan(np.asarray(z, dtype=float)), "alone")
    with pytest.raises(ProblemError, match=r"'alone' takes arrays only: give `torch`"):
        train(Problem(problem.teacher, problem.student, alone), steps=2, step=0.01, batch=4, seeds=1)
