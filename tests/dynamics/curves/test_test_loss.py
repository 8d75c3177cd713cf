"""Results on a data set: the loss of samples held out beside that of the others, in everything that holds a curve."""

import io

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.curves.trajectory import Trajectory
from dynamics.inputs.data_set import DataSet
from oracles.sample_losses import sample_loss, skewed_samples


def data_set(n=40, d=3, held_out=10):
    X, y = skewed_samples(n, d)
    kept = n - held_out
    return DataSet(X[:kept], y[:kept], X[kept:], y[kept:]) if held_out else DataSet(X, y)


def solved(problem, t_end=2.0):
    return GradientFlow(problem).integrate(t_end, samples=5)


def student(d=3, K=2, **how):
    return Student.initialise(K, d, scale=0.4, seed=2, **how)


PHI = {"quadratic": np.square, "tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}


@pytest.mark.parametrize("name", PHI)
def test_both_losses_are_means_over_their_samples(name):
    """Along W(t), A(t) of the result, against sums over the samples that are written out."""
    data = data_set()
    found = solved(Problem(None, student(), name, data=data))
    states = found.W, found.A
    np.testing.assert_allclose(found.loss, sample_loss(*states, data.X, data.Y, PHI[name]), rtol=1e-12)
    held_out = sample_loss(*states, data.X_test, data.Y_test, PHI[name])
    np.testing.assert_allclose(found.test_loss, held_out, rtol=1e-12)
    assert np.abs(found.test_loss - found.loss).max() > 0.01


def test_centred_units_lose_their_mean_over_the_training_set():
    """φ = z² − wᵀΣw with Σ = XᵀX/n of the samples to train on, for those held out too."""
    data = data_set()
    found = solved(Problem(None, student(), "centred", data=data))
    W, A = found.W, found.A
    q = np.mean((W @ data.X.T) ** 2, axis=-1)  # (T, K)
    for curve, X, Y in ((found.loss, data.X, data.Y), (found.test_loss, data.X_test, data.Y_test)):
        f = np.einsum("tok,tkn->tno", A, (W @ X.T) ** 2 - q[..., None])
        np.testing.assert_allclose(curve, 0.5 * np.mean((f - Y)[..., 0] ** 2, axis=1), rtol=1e-11)


def test_few_samples_of_many_inputs():
    """Solved in the span of the samples: the parts of the samples held out that lie outside it count for nothing."""
    data = data_set(n=9, d=30, held_out=3)
    found = solved(Problem(None, student(30), data=data))
    assert found.reduced_dimension == 6 + 2
    np.testing.assert_allclose(
        found.test_loss, sample_loss(found.W, found.A, data.X_test, data.Y_test), rtol=1e-11
    )
    whole = GradientFlow(Problem(None, student(30), data=data), reduce=False).integrate(2.0, samples=5)
    np.testing.assert_allclose(found.test_loss, whole.test_loss, rtol=1e-7)
    np.testing.assert_allclose(found.norms, whole.norms, rtol=1e-7)


def test_a_teacher_labels_both_parts():
    """The labels of the file are replaced by Σ_m λ_m x_m² in the samples held out as well."""
    data = data_set()
    found = solved(Problem(Teacher.from_eigenvalues([2.0, -1.0], 3), student(), data=data))
    y = 2 * data.X_test[:, :1] ** 2 - data.X_test[:, 1:2] ** 2
    np.testing.assert_allclose(found.test_loss, sample_loss(found.W, found.A, data.X_test, y), rtol=1e-11)
    assert found.modes.shape == (5, 2) and "norms" not in found.variables()


def test_norms_are_those_of_the_samples():
    """√(wᵀΣw) is the root mean square of w·x over the samples to train on; overlaps mean nothing without a teacher."""
    data = data_set()
    found = solved(Problem(None, student(), "tanh", data=data))
    expected = np.sqrt(np.mean((found.W @ data.X.T) ** 2, axis=-1))
    np.testing.assert_allclose(found.norms, expected, rtol=1e-12)
    variables = found.variables()
    assert "overlaps" not in variables and "modes" not in variables and not found.taught
    np.testing.assert_array_equal(variables["norms"].array, found.norms)
    taught = solved(Problem(Teacher.from_eigenvalues([1.0], 3), student(), "tanh", data=data))
    assert taught.taught
    correlation = [
        np.mean((w @ data.X.T) * data.X[:, 0])
        / np.sqrt(np.mean((w @ data.X.T) ** 2) * np.mean(data.X[:, 0] ** 2))
        for w in taught.W[-1]
    ]
    np.testing.assert_allclose(taught.variables()["overlaps"].array[-1, :, 0], correlation, rtol=1e-12)


def test_without_samples_held_out_there_is_no_test_loss():
    """Neither on a data set that keeps all its samples nor under a law."""
    for problem in (
        Problem(None, student(), data=data_set(held_out=0)),
        Problem(Teacher.from_eigenvalues([1.0], 3), student(), distribution="uniform"),
    ):
        found = solved(problem, 0.5)
        assert found.test_loss is None and "test_loss" not in found.variables()
        assert "held out" not in found.summary()


@pytest.mark.parametrize("teacher", [None, Teacher.from_eigenvalues([1.0], 3)])
@pytest.mark.parametrize("name", ["quadratic", "tanh"])
def test_files_and_labelled_data_hold_it(teacher, name):
    """What was saved is what is loaded, with the problem on its data set; xarray knows both losses by time."""
    pytest.importorskip("xarray")
    found = solved(Problem(teacher, student(), name, data=data_set()))
    file = io.BytesIO()
    found.save(file)
    file.seek(0)
    again = Trajectory.load(file)
    np.testing.assert_array_equal(again.test_loss, found.test_loss)
    np.testing.assert_array_equal(
        again.problem.test_population.loss(again.W[1], again.A[1]), found.test_loss[1]
    )
    np.testing.assert_array_equal(again.norms, found.norms)
    assert again.taught == (teacher is not None)
    labelled = found.to_xarray()
    assert labelled["test_loss"].dims == ("time",)
    np.testing.assert_array_equal(labelled["test_loss"], found.test_loss)
    assert labelled["test_loss"].attrs["long_name"] == "loss of the samples held out"


def test_the_summary_says_both_losses():
    """First and last values as they are in the curve."""
    found = solved(Problem(None, student(), data=data_set()))
    first, last = found.test_loss[[0, -1]]
    assert f"loss on the samples held out {first:.6g} → {last:.6g}" in found.summary()
    assert "norms of the units" in found.summary() and "overlap" not in found.summary()
