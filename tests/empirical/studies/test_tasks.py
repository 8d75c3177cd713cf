"""Tasks: what their samples are, and that nothing but the samples to train on decides about units."""

import hashlib

import numpy as np
import pytest

from dynamics import ProblemError
from empirical.studies.study import Settings
from empirical.studies.table import find_study
from empirical.studies.tasks import Task, digests, read_task

PARTS = ("train", "validation", "test")


def test_units_are_those_of_the_samples_to_train_on(rng):
    """Recomputed from the split's permutation; what the other parts hold changes nothing."""
    X, y = rng.normal([1, 5, 3], [1, 20, 0], (50, 3)), rng.normal(7, 3, 50)
    task = Task(X, y)
    splits = task.splits(3)
    order = np.random.default_rng([3, 3]).permutation(50)
    train = np.sort(order[20:])  # validation 10, test 10, train the rest
    np.testing.assert_allclose(
        splits.train.X[:, :2], (X[train, :2] - X[train, :2].mean(0)) / X[train, :2].std(0)
    )
    np.testing.assert_array_equal(splits.train.X[:, 2], 0)  # constant
    np.testing.assert_allclose(splits.train.y[:, 0], (y[train] - y[train].mean()) / y[train].std())
    far = np.isin(np.arange(50), order[:20])
    again = Task(np.where(far[:, None], 1e3, X), np.where(far, -1e3, y)).splits(3)
    np.testing.assert_array_equal(again.train.X, splits.train.X)
    np.testing.assert_array_equal(again.train.y, splits.train.y)


def test_pixels_share_one_unit(rng):
    X = rng.normal(2, 3, (40, 1, 2, 2)) * [[1, 10], [1, 1]]
    train = Task(X, np.arange(40) % 2, ("a", "b"), pixels=True).splits(0).train
    assert abs(train.X.mean()) < 1e-12 and abs(train.X.std() - 1) < 1e-12
    assert train.X[:, 0, 0, 1].std() > 3 * train.X[:, 0, 0, 0].std()


def test_classes_are_left_as_they_are():
    task = Task(np.arange(20.0)[:, None], np.arange(20) % 3, ("a", "b", "c"))
    splits = task.splits(1)
    assert task.outputs == 3
    assert sorted(np.concatenate([getattr(splits, part).y for part in PARTS])) == sorted(np.arange(20) % 3)


def test_samples_held_out_by_the_source_are_those_to_test_on(rng):
    """The rest in parts of 75 and 25 %, which a seed chooses."""
    X, held_out = np.arange(48.0)[:, None], np.arange(48) % 6 == 0
    task = Task(X, np.arange(48) % 2, ("a", "b"), held_out=held_out)
    first, second = task.splits(0), task.splits(1)
    assert [len(getattr(first, part)) for part in PARTS] == [30, 10, 8]

    def original(part):  # ranks survive the change of units
        values = np.concatenate([getattr(first, name).X[:, 0] for name in PARTS])
        return np.searchsorted(np.sort(values), part.X[:, 0])

    assert original(first.test).tolist() == np.flatnonzero(held_out).tolist()
    assert not set(original(first.train)) & set(original(first.validation))
    assert not np.array_equal(first.train.y, second.train.y) or not np.allclose(first.train.X, second.train.X)


def friedman(name, X):
    """Friedman's functions as printed in J. H. Friedman, *Multivariate adaptive regression splines* (1991)."""
    x = X.T
    if name == "friedman1":
        return 10 * np.sin(np.pi * x[0] * x[1]) + 20 * (x[2] - 0.5) ** 2 + 10 * x[3] + 5 * x[4]
    reactance = x[1] * x[2] - 1 / (x[1] * x[3])
    return np.hypot(x[0], reactance) if name == "friedman2" else np.arctan(reactance / x[0])


@pytest.mark.parametrize(("name", "inputs"), [("friedman1", 10), ("friedman2", 4), ("friedman3", 4)])
def test_friedmans_functions(name, inputs):
    """Labels minus the formula are noise: of a tenth of the spread, up to 4 standard errors of a thousand samples."""
    task = read_task(name)
    assert task.X.shape == (1000, inputs) and task.outputs == 1
    exact = friedman(name, task.X)
    noise = (task.y - exact) / exact.std()
    assert abs(noise.std() - 0.1) < 4 * 0.1 / np.sqrt(2000)
    assert abs(noise.mean()) < 4 * 0.1 / np.sqrt(1000)
    np.testing.assert_array_equal(read_task(name).y, task.y)


def test_sets_in_packages():
    digits = read_task("digits", images=True)
    assert digits.shape == (1, 8, 8) and digits.outputs == 10 and digits.pixels
    np.testing.assert_array_equal(digits.X.reshape(-1, 64), read_task("digits").X)
    diabetes = read_task("diabetes")
    assert (diabetes.shape, diabetes.outputs, diabetes.pixels) == ((10,), 1, False)
    assert read_task("wine").outputs == 3


def test_tables_of_ones_own(tmp_path, monkeypatch):
    """Text, and numbers that take two values, are classes."""
    monkeypatch.chdir(tmp_path)
    with open("t.csv", "w") as file:
        file.write("u,v,kind,number\n")
        file.writelines(f"{i},{i * i},{'xyz'[i % 3]},{i / 7}\n" for i in range(12))
    with pytest.raises(ProblemError, match="'kind'"):  # a column of text that is no label
        read_task("t.csv", "number")
    with open("numbers.csv", "w") as file:
        file.write("u,v,number,sign\n")
        file.writelines(f"{i},{i * i},{i / 7},{i % 2}\n" for i in range(12))
    task = read_task("numbers.csv", "number")
    assert task.outputs == 1 and task.X.shape == (12, 3)
    assert read_task("numbers.csv", "sign").outputs == 2


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"data": "diabetes", "images": True}, "needs images: digits, mnist1d, or a folder"),
        ({"data": "digits", "image_size": 8}, "`image_size` is 8, but 'digits' is no folder"),
        ({"data": "friedman1", "target": "y"}, "`target` is 'y'"),
        ({"data": "friedman4"}, "`data` is 'friedman4', but must be one of"),
        ({"data": "one.npz"}, "must have samples of two classes or more"),
        ({"data": "two.npz"}, "must have one label for each sample"),
    ],
)
def test_what_is_no_task_is_refused(given, reason, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("one.npz", X=np.ones((4, 2)), y=np.array(["a"] * 4))
    np.savez("two.npz", X=np.ones((4, 2)), y=np.ones((4, 2)))
    with pytest.raises(ProblemError, match=reason):
        read_task(**given)


def test_files_are_part_of_what_a_study_is(tmp_path, monkeypatch):
    """By their digests and absolute paths: another process, in another folder, reads the same."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,2\n")
    path = str(tmp_path / "t.csv")
    assert digests("t.csv") == {path: hashlib.sha256(b"a,b\n1,2\n").hexdigest()}
    plan = find_study("hannet", Settings("t.csv", "b")).plan()
    assert plan.options["data"] == path and plan.files == digests("t.csv")
    (tmp_path / "digits").mkdir()
    assert digests("digits") == {} and find_study("gsgd").plan().options["data"] == "digits"
