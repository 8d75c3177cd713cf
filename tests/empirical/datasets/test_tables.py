"""Tables of one's own as data sets: what is an input, what is a label, and what is refused by its name."""

import builtins
import re

import numpy as np
import pandas as pd
import pytest

from dynamics import ProblemError
from empirical.datasets import load

HOUSES = "rooms,area,city,price\n3,70.5,Oslo,2.5\n2,50,Rome,1.5\n4,81,Oslo,3\n"


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def put(text, name="t.csv"):
        (tmp_path / name).write_text(text)
        return name

    return put


def refused(words, *args, **kwargs):
    """One sentence, about `data` or an argument, with these words."""
    with pytest.raises(ProblemError) as error:
        load(*args, **kwargs)
    text = str(error.value)
    assert words in text
    assert re.match("`(data|target)` ", text) and text.endswith(".") and "\n" not in text
    return text


def test_columns_in_their_order_without_the_target(write):
    name = write("a,y,b\n1,10,2\n3,20,4\n5,40,6\n")
    for target in ("y", "1", "-2", " y "):
        data = load(name, target=target)
        assert data.X.tolist() == [[1, 2], [3, 4], [5, 6]]
        assert data.Y.tolist() == [[10], [20], [40]]
    assert data.label == "t.csv"
    assert data.notes == ()


def test_several_targets_are_several_outputs(write):
    data = load(write("a,y,b,z\n1,10,2,7\n3,20,4,8\n5,40,6,9\n"), target="z,y")
    assert data.Y.tolist() == [[7, 10], [8, 20], [9, 40]]
    assert data.X.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_a_name_with_a_comma_is_one_target(write):
    data = load(write('a,"y,b"\n1,10\n3,20\n5,40\n'), target="y,b")
    assert data.Y.tolist() == [[10], [20], [40]]


def test_names_win_over_numbers(write):
    data = load(write("x,0\nhot,1\n") and write("x,1st\n5,6\n7,8\n9,9\n"), target="1st")
    assert data.Y.tolist() == [[6], [8], [9]]


def test_a_file_without_names(write):
    data = load(write("5.1,3.5,setosa\n4.9,3.0,virginica\n"), target="2")
    assert data.X.tolist() == [[5.1, 3.5], [4.9, 3.0]]
    assert data.Y.tolist() == [[-1], [1]]


def test_tabs_and_the_suffix_tsv(write):
    assert load(write("a\ty\n1\t2\n3\t4\n5\t6\n", "t.tsv"), target="y").X.tolist() == [[1], [3], [5]]


def test_a_text_column_is_refused_by_its_name(write):
    text = refused("column 'city' holds 'Oslo' in line 2, which is no number", write(HOUSES), target="price")
    assert "take the column out of the file" in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,y\n1,2\n,4\n", "column 'a' misses a value in line 3: "),
        ("a,y\n1,2\nNA,4\n", "column 'a' misses a value in line 3, where 'NA' stands"),
        ("a,y\nnan,2\n3,4\n", "column 'a' misses a value in line 2, where 'nan' stands"),
        ("a,y\n1,\n3,4\n", "column 'y' misses a value in line 2"),
        ("a,y\n1,?\n3,4\n", "column 'y' misses a value in line 2, where '?' stands"),
        ("a,y\n1,2\ninf,4\n", "column 'a' holds 'inf' in line 3, which is beyond the range"),
        ("a,y\n1,2\n1e999,4\n", "column 'a' holds '1e999' in line 3, which is beyond the range"),
        ("a,y\n1,2\n3,1e999\n5,6\n", "column 'y' holds"),
        ("a,y\n1_0,2\n", "column 'a' holds '1_0' in line 2, which is no number"),
        ("a;y\n1,5;2\n", "column 'a' holds '1,5' in line 2, which has a decimal comma"),
        ("a,y\n1,2\n3\n", "line 3 has 1 entries, but line 1 has 2"),
        ("a,y\n", "a line of names and no rows"),
        ("y\n1\n", "no column of inputs"),
        ("", "it is empty"),
        ("a,y\n" + "x" * 99 + ",2\n", "column 'a' holds '" + "x" * 27 + "…' in line 2"),
    ],
)
def test_what_is_refused_with_its_place(write, text, words):
    refused(words, write(text), target="y")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (None, "name the column of `data` 't.csv' with the labels, 'rooms', 'area', 'city', 'price'"),
        ("prize", "columns of `data` 't.csv' are 'rooms', 'area', 'city', 'price'. Did you mean 'price'?"),
        ("4", "`target` is '4', but the columns"),
        ("-5", "`target` is '-5', but the columns"),
        ("price,price", "names a column twice"),
        ("3,-1", "names a column twice"),
    ],
)  # fmt: skip
def test_targets_that_are_not_there(write, target, words):
    with pytest.raises(ProblemError) as error:
        load(write(HOUSES), target=target)
    assert words in str(error.value)


def test_a_name_of_two_columns(write):
    with pytest.raises(ProblemError, match=r"2 columns of `data` 't.csv' have this name"):
        load(write("a,y,y\n1,2,3\n"), target="y")


def test_many_names_are_not_all_listed(write):
    with pytest.raises(ProblemError, match=r"'c11' and 5 more\.$"):
        load(write(",".join(f"c{i}" for i in range(17)) + "\n"))


def test_labels_of_a_teacher_need_no_target(write):
    data = load(write("a,b\n1,2\n3,4\n"), taught=True)
    assert data.X.tolist() == [[1, 2], [3, 4]]
    taken = load("t.csv", target="a", taught=True)  # a column of labels is no input even so
    assert taken.X.tolist() == [[2], [4]]


def test_several_targets_must_be_numbers(write):
    refused("column 'city' holds 'Oslo', which is no number", write(HOUSES), target="price,city")


FRAME = pd.DataFrame({"a": [1, 2, 3], "b": [True, False, True], "y": [0.5, 1.5, 2.5]})


def test_parquet(tmp_path):
    """Whole numbers, truth values and numbers; the index is left out."""
    FRAME.set_index(pd.Index(["r", "s", "t"], name="row")).to_parquet(tmp_path / "t.parquet")
    data = load(str(tmp_path / "t.parquet"), target="y")
    assert data.X.tolist() == [[1, 1], [2, 0], [3, 1]]
    assert data.Y.tolist() == [[0.5], [1.5], [2.5]]
    both = load(str(tmp_path / "t.parquet"), target="y,b")
    assert both.Y.tolist() == [[0.5, 1], [1.5, 0], [2.5, 1]]


@pytest.mark.parametrize("kind", ["object", "category", "string"])
def test_parquet_with_labels_of_text(tmp_path, kind):
    FRAME.assign(y=pd.Series(["no", "yes", "no"], dtype=kind)).to_parquet(tmp_path / "t.parquet")
    assert load(str(tmp_path / "t.parquet"), target="y").Y.tolist() == [[-1], [1], [-1]]


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (["u", "v", "w"], "column 'a' is of the type "),
        (pd.to_datetime(["2020", "2021", "2022"]), "column 'a' is of the type datetime64"),
        (pd.Series([1, None, 3], dtype="Int64"), "it holds NaN, a missing value, in row 1, column 'a'"),
        ([1.0, 2.0, np.inf], "it holds infinity in row 2, column 'a'"),
    ],
)
def test_parquet_that_is_refused(tmp_path, column, words):
    FRAME.assign(a=column).to_parquet(tmp_path / "t.parquet")
    refused(words, str(tmp_path / "t.parquet"), target="y")


def test_parquet_with_missing_labels(tmp_path):
    FRAME.assign(y=["no", None, "yes"]).to_parquet(tmp_path / "t.parquet")
    refused("column 'y' misses a value in row 1", str(tmp_path / "t.parquet"), target="y")


def test_parquet_that_is_none(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1" + bytes(20) + b"PAR1")
    refused("it is no Parquet file, or a damaged one", str(tmp_path / "t.parquet"), target="y")


def test_more_than_the_memory(write, tmp_path, monkeypatch):
    """Told by the size of the text, or what the file says of itself, before it is read."""
    FRAME.to_parquet(tmp_path / "t.parquet")
    monkeypatch.setattr("dynamics.budget.LEAST", 0)
    monkeypatch.setattr("dynamics.budget.memory_budget", lambda: 100.0)
    refused("of 3 rows and 3 columns would take about 648 bytes", str(tmp_path / "t.parquet"), target="y")
    with pytest.raises(
        ProblemError, match=r"^The text of `data` 't.csv', 64 bytes, would take about 192 bytes"
    ):
        load(write(HOUSES), target="price")


def test_parquet_without_its_library(monkeypatch):
    monkeypatch.setattr(builtins, "__import__", without("pyarrow"))
    with pytest.raises(
        ProblemError, match=r"need pyarrow, which is not installed: pip install 'quadflow\[data\]'\.$"
    ):
        load("t.parquet", target="y")


def without(library):
    """An import that does not find a library."""
    found = builtins.__import__

    def imported(name, *args, **kwargs):
        if name.partition(".")[0] == library:
            raise ModuleNotFoundError(f"No module named {library!r}", name=library)
        return found(name, *args, **kwargs)

    return imported
