"""Labels: which are classes, which of two is +1, and what is said of it."""

import numpy as np
import pytest

from dynamics import ProblemError
from empirical.datasets import load

X = np.arange(12.0).reshape(6, 2) + 1


@pytest.fixture
def save(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def put(y, inputs=X):
        np.savez("d.npz", X=inputs, y=y)
        return "d.npz"

    return put


@pytest.mark.parametrize(
    ("y", "classes", "signs", "names"),
    [
        ([0, 1, 1, 0, 1, 0], None, [-1, 1, 1, -1, 1, -1], ("0", "1")),
        ([3, 1, 1, 1, 1, 1], None, [1, -1, -1, -1, -1, -1], ("1", "3")),
        ([2.5, 1, 1, 1, 1, 1], None, None, None),  # measurements, not classes
        ([True, False] * 3, None, [1, -1] * 3, ("0", "1")),
        (["b", "a"] * 3, None, [1, -1] * 3, ("a", "b")),
        (["b", "a"] * 3, "b,a", [-1, 1] * 3, ("b", "a")),
        ([0, 1, 1, 0, 1, 0], "1, 0", [1, -1, -1, 1, -1, 1], ("1", "0")),
        ([0, 1, 1, 0, 1, 0], "0.0,1e0", [-1, 1, 1, -1, 1, -1], ("0", "1")),
        ([[0], [1], [1], [0], [1], [0]], None, None, None),  # a matrix of labels is fitted as it is
    ],
)
def test_two_classes(save, y, classes, signs, names):
    data = load(save(y), classes=classes)
    if names is None:
        assert data.Y.tolist() == np.reshape(y, (-1, 1)).tolist()
        assert data.notes == ()
        return
    assert data.Y[:, 0].tolist() == signs
    assert data.notes == (f"the labels {names[0]!r} and {names[1]!r} of 'd.npz' are taken as −1 and +1",)


@pytest.mark.parametrize(
    ("y", "classes", "labels", "names"),
    [
        ([0, 1, 1, 0, 1, 0], None, [0, 1, 1, 0, 1, 0], None),
        ([True, False] * 3, None, [1, 0] * 3, None),
        ([-1, 1, 1, -1, 1, 1], None, [0, 1, 1, 0, 1, 1], ("-1", "1")),
        ([2.5, 1, 1, 1, 1, 1], None, [1, 0, 0, 0, 0, 0], ("1", "2.5")),  # two values, whatever they are
        (["yes", "no"] * 3, None, [1, 0] * 3, ("no", "yes")),
        (["yes", "no"] * 3, "yes,no", [0, 1] * 3, ("yes", "no")),
        ([3, 1, 4, 1, 5, 9], "1,9", [0, 0, 1], ("1", "9")),
        ([[0], [1], [1], [0], [1], [0]], None, [0, 1, 1, 0, 1, 0], None),
    ],
)
def test_two_classes_of_a_loss_that_classifies(save, y, classes, labels, names):
    """They are 0 and 1, the expectation of a coin; what is so already is not mentioned."""
    data = load(save(y), classes=classes, classify=True)
    assert data.Y[:, 0].tolist() == labels
    said = (
        [] if names is None else [f"the labels {names[0]!r} and {names[1]!r} of 'd.npz' are taken as 0 and 1"]
    )
    assert list(data.notes[: len(said)]) == said
    assert len(data.notes) == len(said) + (len(labels) < 6)


def test_labels_that_are_signs_already_are_not_mentioned(save):
    data = load(save([-1, 1, 1, -1, 1, 1]))
    assert data.Y[:, 0].tolist() == [-1, 1, 1, -1, 1, 1]
    assert data.notes == ()


def test_two_classes_of_many(save):
    data = load(save(list("abcabc")), classes="c,a")
    assert data.X.tolist() == X[[0, 2, 3, 5]].tolist()
    assert data.Y[:, 0].tolist() == [1, -1, 1, -1]
    assert data.notes[1] == "4 of 6 samples are of these classes"


def test_numbers_are_fitted_as_they_are(save):
    assert load(save([3, 1, 4, 1, 5, 9])).Y[:, 0].tolist() == [3, 1, 4, 1, 5, 9]
    assert load(save([3, 1, 4, 1, 5, 9]), classes="1,9").Y[:, 0].tolist() == [-1, -1, 1]


def test_whole_numbers_that_may_be_classes_are_mentioned(save):
    """At most 20 values, each five times on average; not halves, not rare ones, not what `classes` chose."""
    inputs = np.arange(100.0)[:, None] + 1
    doubt = (
        "the labels of 'd.npz' are fitted as numbers, although they take {} values only: `classes` would make"
    )
    for count, mentioned in ((3, True), (20, True), (21, False), (40, False)):
        data = load(save(np.arange(100) % count, inputs))
        assert (len(data.notes) == 1 and data.notes[0].startswith(doubt.format(count))) is mentioned
        assert data.Y[:, 0].tolist() == (np.arange(100) % count).tolist()
    assert load(save(np.arange(100) % 3 / 2, inputs)).notes == ()
    assert load(save(np.arange(14) % 3, inputs[:14])).notes == ()
    assert "numbers" not in " ".join(load(save(np.arange(100) % 3, inputs), classes="0,1").notes)


def test_labels_that_numpy_keeps_as_bytes(save):
    assert load(save(np.array([b"no", b"yes"] * 3))).Y[:, 0].tolist() == [-1, 1] * 3
    with pytest.raises(ProblemError, match=r"of 'y', it holds bytes that are no text in UTF-8"):
        load(save(np.array([b"no", b"\xff"] * 3)))


def test_a_teacher_leaves_the_choice_of_samples(save):
    """Labels then say which samples are meant, and nothing is said of signs."""
    data = load(save(list("abcabc")), classes="c,a", taught=True)
    assert data.X.tolist() == X[[0, 2, 3, 5]].tolist()
    assert data.notes == ("4 of 6 samples are of these classes",)


@pytest.mark.parametrize(
    ("y", "classes", "words"),
    [
        (list("abcabc"), None, "`data` 'd.npz' has 3 classes, 'a', 'b', 'c': name two of them as `classes`"),
        (["1", "2", "x", "1", "2", "1"], None, "has 3 classes, of which 2 are numbers, '1', '2', 'x'"),
        (["a"] * 6, None, "all of its samples are of the class 'a'"),
        (list("abcabc"), "a", "`classes` is 'a', but must name two classes"),
        (list("abcabc"), "a,a", "must name two classes"),
        (list("abcabc"), "a,b,c", "must name two classes"),
        (list("abcabc"), "a,d", "`classes` names 'd', but `data` 'd.npz' has the classes 'a', 'b', 'c'"),
        ([0, 1, 2, 0, 1, 2], "0,3", "`classes` names '3', but `data` 'd.npz' has the labels '0', '1', '2'"),
        ([0, 1, 2, 0, 1, 2], "1,1.0", "names one class twice"),
        ([[0, 1]] * 6, "0,1", "`data` 'd.npz' has 2 labels for each sample"),
    ],
)
def test_what_is_refused(save, y, classes, words):
    with pytest.raises(ProblemError) as error:
        load(save(y), classes=classes)
    assert words in str(error.value)


def test_classes_need_labels(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("d.npz", X=X)
    with pytest.raises(
        ProblemError, match=r"`classes` is '0,1', but `data` 'd.npz' has no labels to choose by"
    ):
        load("d.npz", classes="0,1", taught=True)


def test_a_class_that_is_held_out_altogether(save):
    np.savez("h.npz", X=X, y=["a"] * 6, X_test=X, y_test=["b"] * 6)
    with pytest.raises(ProblemError, match=r"to train on are of 1 class, but must be of two"):
        load("h.npz")


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (
            [0.5, 1, 2, 0.5, 1, 2],
            "`data` 'd.npz' has 3 different labels, but a loss that classifies takes two, '0.5', '1', '2': name two of"
            " them as `classes`",
        ),
        ([1.0] * 6, "all of its samples are of the class '1'"),
        ([[0, 1]] * 6, "it has 2 labels for each sample, but a loss that classifies takes one"),
    ],
)
def test_what_a_loss_that_classifies_refuses(save, y, words):
    with pytest.raises(ProblemError) as error:
        load(save(y), classify=True)
    assert words in str(error.value)
