"""Sets that come inside packages: as their packages have them, and without a trace."""

import builtins
import os
import random

import numpy as np
import pytest
from mnist1d.data import make_dataset
from sklearn import datasets

from dynamics import ProblemError
from empirical.datasets import load
from empirical.datasets.packaged import _mnist1d
from empirical.datasets.sources import PACKAGED

CLASSES = {
    "digits": ("3,8", 3, 8),
    "breast_cancer": ("malignant,benign", 0, 1),
    "iris": ("versicolor,setosa", 1, 0),
    "wine": ("0,2", 0, 2),
}


@pytest.mark.parametrize("name", CLASSES)
def test_classes_of_scikit_learn(name):
    """Rows of the two classes in their order, the first of them −1; columns of zeros are left out."""
    classes, first, second = CLASSES[name]
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    kept = (y == first) | (y == second)
    data = load(name, classes=classes)
    np.testing.assert_array_equal(data.X, X[kept][:, X[kept].any(axis=0)])
    np.testing.assert_array_equal(data.Y[:, 0], np.where(y[kept] == second, 1, -1))


def test_values_of_diabetes():
    X, y = datasets.load_diabetes(return_X_y=True)
    data = load("diabetes")
    np.testing.assert_array_equal(data.X, X)
    np.testing.assert_array_equal(data.Y[:, 0], y)


def test_mnist1d(tmp_path, monkeypatch):
    """What its package makes, those to train on first; global generators go on as if nothing had been drawn."""
    monkeypatch.chdir(tmp_path)
    _mnist1d.cache_clear()
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    data = load("mnist1d", classes="4,9")
    drawn = random.random(), np.random.rand()  # noqa: NPY002
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    assert drawn == (random.random(), np.random.rand())  # noqa: NPY002
    assert os.listdir() == []
    made = make_dataset()
    X, y = (np.concatenate([made[name], made[f"{name}_test"]]) for name in "xy")
    kept = (y == 4) | (y == 9)
    assert kept.sum() == 1000
    np.testing.assert_array_equal(data.X, X[kept])
    np.testing.assert_array_equal(data.Y[:, 0], np.where(y[kept] == 9, 1, -1))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "digits",
            "has 10 classes, '0', '1', '2', '3', '4', '5', '6', '7', '8', '9': name two of them as `classes`",
        ),
        ("iris", "has 3 classes, 'setosa', 'versicolor', 'virginica': name two"),
        ("wine", "has 3 classes, 'class_0', 'class_1', 'class_2': name two"),
    ],
)
def test_more_than_two_classes(name, words):
    with pytest.raises(ProblemError) as error:
        load(name)
    assert words in str(error.value)
    assert len(load(name, taught=True).X) in (1797, 150, 178)  # a teacher labels them all


@pytest.mark.parametrize("name", PACKAGED)
def test_no_column_is_named(name):
    with pytest.raises(ProblemError, match=f"^`target` is 'x', but `data` '{name}' brings its labels"):
        load(name, target="x")


@pytest.mark.parametrize(("name", "library"), [("digits", "scikit-learn"), ("mnist1d", "mnist1d")])
def test_without_the_package(monkeypatch, name, library):
    module = {"scikit-learn": "sklearn"}.get(library, library)
    found = builtins.__import__

    def imported(wanted, *args, **kwargs):
        if wanted.partition(".")[0] == module:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)
        return found(wanted, *args, **kwargs)

    _mnist1d.cache_clear()
    monkeypatch.setattr(builtins, "__import__", imported)
    with pytest.raises(ProblemError) as error:
        load(name, classes="0,1")
    assert str(error.value) == (
        f"The data set {name!r} needs {library}, which is not installed: pip install 'quadflow[data]'."
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("digitz", "Did you mean 'digits'?"),
        ("data.xls", "a file that ends in .npz, .csv, .tsv or .parquet"),
        ("", "`data` is '', but must be one of digits, breast_cancer"),
    ],
)
def test_names_of_nothing(name, words):
    with pytest.raises(ProblemError) as error:
        load(name)
    assert words in str(error.value)
