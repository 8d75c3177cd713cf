"""The spectrum of the Hessian along a trajectory: closed forms, Lanczos against dense, and what is counted."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse.linalg import ArpackNoConvergence

from dynamics import ComputationError, GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.curvature import HessianSpectrum, hessian_spectrum
from dynamics.curvature import hessian as module
from dynamics.flows.modified import ModifiedFlow
from dynamics.stability import sharpness


def flow(K=2, d=3, lam=(2, 1), decay=0.0, **student):
    start = Student.initialise(K, d, **{"scale": 0.3, "seed": 1} | student)
    return GradientFlow(Problem(Teacher.from_eigenvalues(lam, d), start, weight_decay=decay))


def made_up(*rows, **more):
    values = np.array(rows, dtype=float)
    ones = np.ones(values.shape, dtype=int)
    return HessianSpectrum(
        np.arange(len(rows)) * 1.0, np.ones(len(rows)), values, ones, values.shape[1], **more
    )


def test_closed_form_at_the_origin_and_at_the_minimum():
    """One centred unit of weight a = 1 that learns λ e₁e₁ᵀ: L = tr(λ e₁e₁ᵀ − wwᵀ)².

    At w = 0 the Hessian is −4λ e₁e₁ᵀ; at w = √λ e₁ it is 8λ along e₁ (L = (λ − w²)²) and 4λ in the others (twice w²).
    """
    lam, d = 3.0, 4
    student = Student(np.eye(1, d) * 1e-9, [[1.0]], trainable=False)
    end = GradientFlow(Problem(Teacher.from_eigenvalues([lam], d), student, "centred")).integrate(
        8.0, samples=2
    )
    spectrum = hessian_spectrum(end)
    np.testing.assert_allclose(spectrum.at(0), [0, 0, 0, -4 * lam], atol=1e-12)
    np.testing.assert_allclose(spectrum.at(-1), [8 * lam, 4 * lam, 4 * lam, 4 * lam], rtol=1e-9)
    assert spectrum.index.tolist() == [1, 0]
    assert spectrum.nullity.tolist() == [3, 0]
    np.testing.assert_allclose(spectrum.sharpness, [0, 8 * lam], atol=1e-12)
    np.testing.assert_allclose(spectrum.lowest, [-4 * lam, 4 * lam], rtol=1e-9)


def test_samples_are_those_of_the_sharpness():
    """Where nothing is reduced the largest eigenvalue is the known one, at the same samples."""
    gradient = flow(K=3, d=3)
    curve = gradient.integrate(1.0, samples=30)
    spectrum = hessian_spectrum(curve, points=7)
    np.testing.assert_allclose(spectrum.sharpness, sharpness(gradient, curve, points=7), rtol=1e-12)
    at = np.searchsorted(curve.times, spectrum.times)
    np.testing.assert_array_equal(curve.times[at], spectrum.times)
    np.testing.assert_array_equal(spectrum.loss, curve.loss[at])
    assert len(spectrum.times) == 7
    assert len(hessian_spectrum(curve).times) == 30  # not more than there are


def test_along_another_flow_it_is_the_hessian_of_the_loss():
    """Of the modified flow too, whose objective is another one."""
    plain = flow()
    curve = ModifiedFlow(plain, 0.01).integrate(0.5, samples=2)
    H = plain.problem.population.hessian(curve.W_at(-1), curve.A[-1])
    np.testing.assert_allclose(hessian_spectrum(curve).at(-1), np.linalg.eigvalsh(H)[::-1], atol=1e-10)


def test_what_counts_as_zero():
    """A part of the largest in size at all times: 0.1 · 20."""
    spectrum = made_up([10, 2, -2, -2.1], [5, 1.9, 0, -20], zero=0.1)
    assert spectrum.tolerance == 2.0
    assert spectrum.index.tolist() == [1, 1]
    assert spectrum.nullity.tolist() == [2, 2]
    assert made_up([1, 0, -1e-9], zero=0).index.tolist() == [1]
    doubled = replace(spectrum, multiplicities=spectrum.multiplicities * 3, weights=12)
    assert doubled.index.tolist() == [3, 3]
    assert doubled.nullity.tolist() == [6, 6]
    np.testing.assert_array_equal(doubled.at(1), np.repeat([5, 1.9, 0, -20], 3))


@pytest.mark.parametrize("second_layer", ["trainable", "fixed"])
def test_lanczos_against_dense(monkeypatch, second_layer):
    """The highest and lowest of 40 to 45 eigenvalues inside, and those outside, are those of the dense Hessian."""
    curve = flow(K=5, d=20, lam=(3, 2, -1), decay=0.7, second_layer=second_layer).integrate(0.3, samples=3)
    dense = hessian_spectrum(curve)
    monkeypatch.setattr(module, "LARGEST_DENSE", 10)
    some = hessian_spectrum(curve, count=12)
    assert not some.whole
    assert some.eigenvalues.shape == (3, 24)
    size = np.abs(dense.eigenvalues).max()
    np.testing.assert_allclose(some.eigenvalues[:, :12], dense.eigenvalues[:, :12], atol=1e-7 * size)
    np.testing.assert_allclose(some.eigenvalues[:, 12:], dense.eigenvalues[:, -12:], atol=1e-7 * size)
    np.testing.assert_array_equal(some.multiplicities[:, :12], dense.multiplicities[:, :12])


def test_some_of_few_are_the_same():
    """Where Lanczos is not worth it; all, if so many are asked for."""
    curve = flow().integrate(0.3, samples=2)
    whole = hessian_spectrum(curve)
    some = hessian_spectrum(curve, count=2)
    np.testing.assert_array_equal(some.eigenvalues, whole.eigenvalues[:, [0, 1, -2, -1]])
    for name in ("index", "nullity"):
        with pytest.raises(ProblemError, match=f"`{name}` counts all eigenvalues, but these are"):
            getattr(some, name)
    assert "index" not in some.variables()
    assert "index" not in some.summary()
    everything = hessian_spectrum(curve, count=50)
    assert everything.whole
    np.testing.assert_array_equal(everything.index, whole.index)


def test_what_is_refused(monkeypatch):
    curve = flow().integrate(0.3, samples=2)
    with pytest.raises(ProblemError, match="`count` is 0, but must be at least 1"):
        hessian_spectrum(curve, count=0)
    with pytest.raises(ProblemError, match="`zero` is -1, but must not be negative"):
        hessian_spectrum(curve, zero=-1)
    with pytest.raises(ProblemError, match="`points` is 1, but must be at least 2"):
        hessian_spectrum(curve, points=1)
    monkeypatch.setattr(module, "LARGEST_WHOLE", 7)
    with pytest.raises(
        ProblemError, match=r"The Hessian after the reduction has 8 rows, .* at most 7: give `count`"
    ):
        hessian_spectrum(curve)


def test_lanczos_that_does_not_converge(monkeypatch):
    def never(*args, **kwargs):
        raise ArpackNoConvergence("no", [], [])

    curve = flow().integrate(0.3, samples=2)
    whole = hessian_spectrum(curve).eigenvalues
    monkeypatch.setattr(module, "LARGEST_DENSE", 1)
    monkeypatch.setattr(module, "eigsh", never)
    ends = hessian_spectrum(curve, count=2).eigenvalues  # found among all
    np.testing.assert_allclose(ends, whole[:, [0, 1, -2, -1]], rtol=0, atol=1e-12)
    monkeypatch.setattr(module, "LARGEST_WHOLE", 7)
    with pytest.raises(
        ComputationError, match="The Lanczos iterations for 2 eigenvalues of 8 did not converge"
    ):
        hessian_spectrum(curve, count=2)


def test_it_is_a_result(tmp_path):
    """Saved, loaded, labelled and shown as other results are."""
    spectrum = hessian_spectrum(flow().integrate(1.0, samples=3), zero=0.01)
    file = tmp_path / "spectrum.npz"
    spectrum.save(file)
    again = HessianSpectrum.load(file)
    for name in ("times", "loss", "eigenvalues", "multiplicities"):
        np.testing.assert_array_equal(getattr(again, name), getattr(spectrum, name))
    assert (again.whole, again.weights, again.zero) == (True, 8, 0.01)
    labelled = spectrum.to_xarray()
    assert set(labelled) == {
        *("loss", "eigenvalues", "multiplicities", "sharpness", "lowest_eigenvalue", "index", "nullity"),
    }
    np.testing.assert_array_equal(labelled["index"], spectrum.index)
    assert labelled["sharpness"].attrs["units"] == "1 / time of the flow"
    s, top = spectrum.sharpness, int(np.argmax(spectrum.sharpness))
    assert spectrum.summary().splitlines() == [
        "3 times up to t = 1",
        f"sharpness {s[0]:.6g} → {s[-1]:.6g}, largest {s[top]:.6g} at t = {spectrum.times[top]:.4g}",
        f"index {spectrum.index[0]} → {spectrum.index[-1]}, nullity {spectrum.nullity[0]} → {spectrum.nullity[-1]}"
        f" (zero: up to {0.01 * np.abs(spectrum.eigenvalues).max():.3g})",
    ]
