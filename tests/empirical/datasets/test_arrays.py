"""Arrays of one's own as data sets: one archive, or two files."""

import pickle

import numpy as np
import pytest

from dynamics import ProblemError
from empirical.datasets import load

X = np.array([[1.0, 2], [3, 4], [5, 7]])
Y = np.array([0.5, 1.5, 2.0])


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", ["y", "Y"])
@pytest.mark.parametrize("labels", [Y, Y[:, None], np.column_stack([Y, -Y])])
def test_archives(name, labels):
    np.savez("d.npz", X=X, **{name: labels})
    data = load("d.npz")
    assert data.X.tolist() == X.tolist()
    assert data.Y.tolist() == labels.reshape(3, -1).tolist()
    assert data.X_test is data.Y_test is None


@pytest.mark.parametrize("first", ["X.npy", "a,b.NPY"])
def test_pairs(first):
    np.save("X.npy", X.astype(np.float32))
    with open("a,b.NPY", "wb") as file:
        np.save(file, X)
    np.save("y.npy", Y)
    data = load(f"{first},y.npy")
    assert data.X.tolist() == X.tolist()
    assert data.Y.tolist() == Y[:, None].tolist()


def test_what_an_archive_holds_out():
    np.savez("d.npz", X=X, y=Y, X_test=X[:2] + 1, y_test=Y[:2] + 1)
    data = load("d.npz")
    assert data.X.tolist() == X.tolist()
    assert data.X_test.tolist() == (X[:2] + 1).tolist()
    assert data.Y_test.tolist() == (Y[:2, None] + 1).tolist()
    with pytest.raises(
        ProblemError, match=r"`split` is 0.2, but `data` 'd.npz' holds out samples of its own"
    ):
        load("d.npz", split=0.2)


def test_classes_of_what_is_held_out():
    """The held-out samples of other classes go as well, and the same class is +1."""
    np.savez("d.npz", X=X, y=["a", "b", "c"], X_test=X + 1, y_test=["c", "b", "b"])
    data = load("d.npz", classes="c,b")
    assert (data.X.tolist(), data.Y.tolist()) == ([[3, 4], [5, 7]], [[1], [-1]])
    assert (data.X_test.tolist(), data.Y_test.tolist()) == ((X + 1).tolist(), [[-1], [1], [1]])


def test_inputs_alone_for_a_teacher():
    np.save("X.npy", X)
    np.savez("d.npz", X=X)
    for name in ("X.npy", "d.npz"):
        assert load(name, taught=True).X.tolist() == X.tolist()
    with pytest.raises(ProblemError, match=r"labels are missing: give two files, X.npy,y.npy"):
        load("X.npy")
    with pytest.raises(ProblemError, match="lacks the array 'y'; it holds 'X'"):
        load("d.npz")


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"X": X[:2], "y": Y}, "its labels have the shape (3,), but 2 samples need (2,) or (2, O)"),
        ({"X": X[:, 0], "y": Y}, "its inputs have the shape (3,)"),
        ({"X": X[None], "y": Y[:1]}, "its inputs have the shape (1, 3, 2)"),
        ({"X": X[:0], "y": Y[:0]}, "its inputs have the shape (0, 2)"),
        ({"X": X[:, :0], "y": Y}, "its inputs have the shape (3, 0)"),
        ({"X": X, "y": np.zeros((3, 0))}, "its labels have the shape (3, 0)"),
        ({"X": np.where(X == 4, np.nan, X), "y": Y}, "'X' holds NaN, a missing value, in row 1, column 1"),
        ({"X": np.where(X == 5, -np.inf, X), "y": Y}, "'X' holds infinity in row 2, column 0"),
        ({"X": X, "y": [0, 1, np.nan]}, "'y' holds NaN, a missing value, in row 2 "),
        ({"X": X + 0j, "y": Y}, "it holds complex numbers"),
        ({"X": X.astype(str), "y": Y}, "it holds text"),
        ({"y": Y}, "lacks the array 'X'"),
        ({"X": X, "y": Y, "X_test": X}, "lacks the array 'y_test'"),
        ({"X": X, "y": Y, "y_test": Y}, "lacks the array 'X_test'"),
        ({"X": X, "y": Y, "X_test": X[:, :1], "y_test": Y}, "'X' and 'X_test' do not fit together"),
        ({"X": X, "y": Y, "X_test": X, "y_test": ["a", "b", "c"]}, "'y' and 'y_test' do not fit together"),
        ({"X": X, "y": [["a"], ["b"], ["c"]]}, "its labels are texts of the shape (3, 1)"),
        ({"X": X, "y": np.array([1, "a", None], object)}, "'y'"),
    ],
)
def test_what_is_refused(arrays, words):
    np.savez("d.npz", **arrays)
    with pytest.raises(ProblemError) as error:
        load("d.npz")
    text = str(error.value)
    assert words in text
    assert text.startswith("`data` 'd.npz' ") and "\n" not in text


def test_files_of_a_pair_are_named():
    np.save("X.npy", X)
    with pytest.raises(
        ProblemError, match=r"`data` 'X.npy,y.npy', file 'y.npy', cannot be read: No such file"
    ):
        load("X.npy,y.npy")
    with open("y.npy", "wb") as file:
        file.write(b"nothing")
    with pytest.raises(
        ProblemError, match=r"`data` 'X.npy,y.npy' cannot be used: of 'y.npy', it has no header"
    ):
        load("X.npy,y.npy")


def test_nothing_is_unpickled():
    with open("X.npy", "wb") as file:
        pickle.dump(X, file)
    with pytest.raises(ProblemError, match="it has no header of NumPy"):
        load("X.npy", taught=True)


def test_columns_of_arrays_have_no_names():
    np.savez("d.npz", X=X, y=Y)
    with pytest.raises(ProblemError, match=r"^`target` is 'y', but `data` 'd.npz' brings its labels"):
        load("d.npz", target="y")
