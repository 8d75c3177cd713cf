"""What is made of a data set: its split, its axes and its labels in units of their own.

Expected values are means, covariances and projections, taken here in other ways.
"""

import numpy as np
import pytest

from dynamics import Problem, ProblemError, Student
from empirical.datasets import load

N, D = 40, 5


@pytest.fixture
def samples(rng, tmp_path, monkeypatch):
    """Correlated inputs with a mean, of sizes far apart, and labels."""
    monkeypatch.chdir(tmp_path)
    X = rng.standard_normal((N, D)) @ rng.standard_normal((D, D)) * [1, 10, 0.1, 3, 1] + [5, 0, 1, -2, 3]
    y = rng.standard_normal(N) + 7
    np.savez("d.npz", X=X, y=y)
    return X, y


def test_inputs_are_left_as_they_are(samples):
    X, y = samples
    data = load("d.npz")
    np.testing.assert_array_equal(data.X, X)
    np.testing.assert_array_equal(data.Y[:, 0], y)


@pytest.mark.parametrize(("share", "count"), [(0.25, 10), (0.01, 1), (0.5, 20)])
def test_split(samples, share, count):
    """round(split n) samples, at least one, by the documented rule; all keep their order and their labels."""
    X, y = samples
    chosen = sorted(np.random.default_rng([3, 2]).permutation(N)[:count])
    rest = np.setdiff1d(np.arange(N), chosen)
    data = load("d.npz", split=share, seed=3)
    np.testing.assert_array_equal(data.X_test, X[chosen])
    np.testing.assert_array_equal(data.X, X[rest])
    np.testing.assert_array_equal(data.Y_test[:, 0], y[chosen])
    np.testing.assert_array_equal(data.Y[:, 0], y[rest])
    assert not np.array_equal(load("d.npz", split=share, seed=4).X_test, data.X_test)


@pytest.mark.parametrize("components", [1, 3, 5])
@pytest.mark.parametrize("split", [0.0, 0.3])
def test_principal_axes_of_the_samples_to_train_on(samples, components, split):
    """Eigenvectors of the covariance of the training part, applied to the other part."""
    plain, data = load("d.npz", split=split), load("d.npz", split=split, components=components)
    mean = plain.X.mean(axis=0)
    values, vectors = np.linalg.eigh((plain.X - mean).T @ (plain.X - mean) / len(plain.X))
    assert data.X.shape[1] == components
    for k in range(components):
        v = vectors[:, -1 - k]
        v = v * np.sign(v[np.abs(v).argmax()])
        np.testing.assert_allclose(data.X[:, k], (plain.X - mean) @ v, atol=1e-10)
        np.testing.assert_allclose((data.X[:, k] ** 2).mean(), values[-1 - k], rtol=1e-9)
        if split:
            np.testing.assert_allclose(data.X_test[:, k], (plain.X_test - mean) @ v, atol=1e-10)


@pytest.mark.parametrize("components", [None, 2])
def test_white_inputs(samples, components):
    """Mean zero and (1/n) Σ xxᵀ = I over the samples to train on; those held out by the same map, so not quite."""
    data = load("d.npz", whiten=True, components=components, split=0.3)
    scores = load("d.npz", components=components or D, split=0.3)
    np.testing.assert_allclose(data.X.mean(axis=0), 0, atol=1e-13)
    np.testing.assert_allclose(data.second_moment(None), np.eye(components or D), atol=1e-13)
    scale = np.sqrt((scores.X**2).mean(axis=0))
    np.testing.assert_allclose(data.X_test, scores.X_test / scale, rtol=1e-12, atol=1e-12)
    assert abs(data.X_test.mean(axis=0)).max() > 1e-3
    assert data.notes == ()


def test_axes_along_which_nothing_varies_are_left_out(samples):
    """A copy and a sum of columns, and a constant one."""
    X, y = samples
    np.savez("flat.npz", X=np.column_stack([X, X[:, 0], X.sum(axis=1), np.full(N, 3.0)]), y=y)
    data = load("flat.npz", whiten=True)
    assert data.X.shape == (N, D)
    np.testing.assert_allclose(data.second_moment(None), np.eye(D), atol=1e-12)
    assert data.notes == ("the inputs of 'flat.npz' vary along 5 of 8 axes: the others are left out",)
    with pytest.raises(
        ProblemError,
        match=r"`components` is 6, but .* 'flat.npz' to train on vary along 5",
    ):
        load("flat.npz", components=6)


def test_small_columns_are_no_rounding(samples):
    """Down to some n ε of the largest, 1e-14 here: units of measurement lie far apart."""
    X, y = samples
    np.savez("units.npz", X=X * [1, 1, 1, 1, 1e-11], y=y)
    assert load("units.npz", whiten=True).X.shape == (N, D)


def test_more_axes_than_samples(samples):
    """n samples with their mean subtracted vary along n − 1 axes."""
    X, y = samples
    np.savez("few.npz", X=X[:4], y=y[:4])
    assert load("few.npz", whiten=True).X.shape == (4, 3)
    with pytest.raises(ProblemError, match=r"vary along 3 axes only"):
        load("few.npz", components=4)


def test_columns_of_zeros_are_left_out_and_other_constants_are_biases(samples):
    X, y = samples
    np.savez("z.npz", X=np.column_stack([np.zeros(N), X, np.ones(N), np.zeros(N)]), y=y)
    data = load("z.npz")
    np.testing.assert_array_equal(data.X, np.column_stack([X, np.ones(N)]))
    assert data.notes == ("2 columns of 'z.npz' are zero in all samples to train on, and left out",)


def test_a_column_that_only_held_out_samples_use(samples):
    """Nothing can be learned about it."""
    X, y = samples
    used = np.column_stack([X, np.zeros(N)])
    np.savez("h.npz", X=used, y=y, X_test=used + 1, y_test=y)
    data = load("h.npz")
    assert data.X_test.shape == (N, D)
    assert data.notes == ("1 column of 'h.npz' is zero in all samples to train on, and left out",)


def test_labels_in_units_of_their_own(samples):
    data, plain = load("d.npz", standardize_target=True, split=0.3), load("d.npz", split=0.3)
    np.testing.assert_allclose([data.Y.mean(), data.Y.std()], [0, 1], atol=1e-13)
    mean, scale = plain.Y.mean(), np.sqrt((plain.Y**2).mean() - plain.Y.mean() ** 2)
    np.testing.assert_allclose(data.Y_test, (plain.Y_test - mean) / scale, rtol=1e-9)


def test_outputs_have_units_of_their_own_each(samples):
    X, y = samples
    np.savez("two.npz", X=X, y=np.column_stack([y, 100 * y**2]))
    Y = load("two.npz", standardize_target=True).Y
    np.testing.assert_allclose(Y.std(axis=0), 1, rtol=1e-12)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"split": 1.0}, "`split` is 1, but must be below 1"),
        ({"split": -0.1}, "`split` is -0.1, but must not be negative"),
        ({"split": float("nan")}, "`split` is nan"),
        ({"split": 0.2, "seed": -1}, "`seed` is -1"),
        ({"components": 0}, "`components` is 0, but must be at least 1"),
        ({"components": 6}, "vary along 5 axes only"),
        (
            {"standardize_target": True, "taught": True},
            "`standardize_target` is given, but a `teacher` labels",
        ),
        ({"split": 0.999}, "No sample of `data` 'd.npz' is left to train on"),
    ],
)
def test_what_is_refused(samples, options, words):
    with pytest.raises(ProblemError) as error:
        load("d.npz", **options)
    assert words in str(error.value)


def test_labels_and_inputs_without_variation(samples):
    X, y = samples
    np.savez("c.npz", X=X, y=np.full(N, 2.0))
    with pytest.raises(ProblemError, match=r"labels of `data` 'c.npz' to train on are all the same"):
        load("c.npz", standardize_target=True)
    np.savez("k.npz", X=X, y=["a", "b"] * (N // 2))
    with pytest.raises(ProblemError, match=r"the labels of `data` 'k.npz' are classes\."):
        load("k.npz", standardize_target=True)
    np.savez("s.npz", X=np.full((N, D), 0.1), y=y)
    with pytest.raises(ProblemError, match=r"`whiten` needs inputs that vary, but all samples of 's.npz'"):
        load("s.npz", whiten=True)
    np.savez("0.npz", X=np.zeros((N, D)), y=y)
    with pytest.raises(ProblemError, match=r"All inputs of '0.npz' to train on are zero"):
        load("0.npz")


@pytest.mark.parametrize(("name", "size"), [("X", 1e31), ("X", 1e-31), ("y", 1e51), ("y", 1e-51)])
def test_numbers_whose_powers_are_none(samples, name, size):
    """Refused by the loader before it computes with them, and by data sets made in Python."""
    arrays = {"X": samples[0] / abs(samples[0]).max(), "y": samples[1] / abs(samples[1]).max()}
    arrays[name] = size * arrays[name]
    np.savez("s.npz", **arrays)
    words = rf"^`{name}` has the size {size:.3g} ".replace("+", r"\+")
    with pytest.raises(ProblemError, match=words):
        load("s.npz", whiten=True)
    with pytest.raises(ProblemError, match=words):
        Problem(None, Student.initialise(1, D), data=(arrays["X"], arrays["y"]))


def test_more_than_the_memory(samples, monkeypatch):
    monkeypatch.setattr("dynamics.budget.LEAST", 0)
    monkeypatch.setattr("dynamics.budget.memory_budget", lambda: 1000.0)
    with pytest.raises(ProblemError, match=r"A data set of 40 samples of 5 inputs would take about 6.4 kB"):
        load("d.npz")


def test_arrays_in_memory_are_those_of_a_file(samples):
    """The same samples, axes and labels as from `d.npz`; lists and texts too."""
    how = {"whiten": True, "components": 2, "split": 0.25, "seed": 3}
    given, file = load(samples, **how), load("d.npz", **how)
    for name in ("X", "Y", "X_test", "Y_test"):
        np.testing.assert_array_equal(getattr(given, name), getattr(file, name))
    assert given.name == "(X, y)"
    X, y = samples
    texts = np.where(y > 7, "up", "down")
    for labels in (texts, texts.tolist(), texts.astype(object)):
        classes = load((X.tolist(), labels), classes="up,down")
        np.testing.assert_array_equal(classes.Y[:, 0], np.where(texts == "up", -1, 1))
    assert load((X, None), taught=True).X.shape == X.shape
    assert (
        repr(Problem(None, Student.initialise(1, X.shape[1]), data=load(samples))).count(
            "data=(X, y) (40 × 5)"
        )
        == 1
    )


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        (lambda X, y: X, {}, "`data` is of type 'ndarray', but must be the name .* or a pair"),
        (lambda X, y: (X, y, y), {}, "`data` is of type 'tuple', but must"),
        (lambda X, y: (X, y[:-1]), {}, r"its labels have the shape \(39,"),
        (lambda X, y: (X[:, 0], y), {}, r"its inputs have the shape \(40,\)"),
        (lambda X, y: (X * np.nan, y), {}, "'X' holds NaN, a missing value, in row 0"),
        (lambda X, y: (X, None), {}, "of 'y'"),
        (lambda X, y: ([[1, 2], [3]], [1, 2]), {}, "'X' is no array"),
        (lambda X, y: (X, y), {"target": "y"}, "`target` is 'y', but"),
    ],
)
def test_arrays_that_are_no_samples(samples, change, options, words):
    with pytest.raises(ProblemError, match=words):
        load(change(*samples), **options)
