"""Tables as people have them: what they are is read, what is in doubt is refused with its line."""

import io

import numpy as np
import pytest

from dynamics import ProblemError
from dynamics.files.tables import read_csv

M = np.array([[2.0, 0.5], [0.5, -1e-3]])


@pytest.mark.parametrize(
    "text",
    [
        "2,0.5\n0.5,-1e-3\n",
        "2, 0.5\r\n.5 ,-1E-3\r\n",
        "2;0.5\n0.5;-1e-3",
        "2\t0.5\n0.5\t-1e-3\n",
        "2  0.5\n 0.5 -1e-3\n",
        "# made by hand\n\n2,0.5 # first\n\n0.5,-1e-3\n\n",
        "x,y\n2,0.5\n0.5,-1e-3\n",
        '"first input";"second"\n2;0.5\n0.5;-1e-3\n',
        "i j\n2 0.5\n0.5 -1e-3\n",
        "λ_1,_b\n2,0.5\n0.5,-1e-3\n",
        '"2","0.5"\n"0.5","-1e-3"\n',
        "+2,0.5\n5e-1,-0.001\n",
        ",x,y\nx,2,0.5\ny,0.5,-1e-3\n",  # as pandas writes a frame
        ",0,1\n0,2,0.5\n1,0.5,-1e-3\n",
        '"","V1","V2"\n"1",2,0.5\n"2",0.5,-1e-3\n',  # as R does
        "name;x;y\nx;2;0.5\ny;0.5;-1e-3\n",
        "0,1\n2,0.5\n0.5,-1e-3\n",  # pandas, without the names of rows
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_what_is_read(text, encoding):
    """Separators, names in the first line, quotes, comments, line ends and byte-order marks."""
    np.testing.assert_array_equal(read_csv(io.BytesIO(text.encode(encoding)), "M"), M)


def test_single_rows_columns_and_what_is_not_finite():
    assert read_csv(io.BytesIO(b"3\n"), "M").shape == (1, 1)
    assert read_csv(io.BytesIO(b"1,2,3\n"), "M").shape == (1, 3)
    assert read_csv(io.BytesIO(b"1\n2\n3\n"), "M").shape == (3, 1)
    np.testing.assert_array_equal(
        read_csv(io.BytesIO(b"nan,inf\n-inf,1\n"), "M"), [[np.nan, np.inf], [-np.inf, 1]]
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("# nothing\n", "empty"),
        ("x,y\n", "no numbers"),
        ("x,y\na,b\n", "'a' in line 2 is no number"),
        ("1,2\n3\n", "line 2 has 1 entries, but line 1 has 2"),
        ("x,y\n\n1,2\n3,4,5\n", "line 4 has 3 entries, but line 3 has 2"),
        ("1,2,\n2,1,\n", "line 1 has an empty entry"),
        ("1,,2\n", "line 1 has an empty entry"),
        ("1;2,5\n", "'2,5' in line 1 has a decimal comma"),
        ("-1,5;2\n2;1,5\n", "'-1,5' in line 1 has a decimal comma"),
        ("-1,5;-2,5\n-2,5;1,5\n", "'-1,5' in line 1 has a decimal comma"),  # no line of names
        (",x,y\ny,1,2\nx,2,1\n", "the same names in another order (number 0 is 'y' and 'x')"),
        (",x,y\nx,1,2\ny,2\n", "line 3 has 2 entries, but line 2 has 3"),
        (",x,\nx,1,2\n", "line 1 has an empty entry"),
        ("x,2\n2,1\n", "'x' in line 1 is no number"),
        ("0x10,0\n0,1\n", "'0x10' in line 1"),
        ("1_0,0\n0,1\n", "'1_0' in line 1"),
        ("２,0\n0,1\n", "'２' in line 1"),
        ("1+2j,0\n0,1\n", "is complex"),
        ("1,0\n0,2i\n", "'2i' in line 2 is complex"),
        ("1_0,0\n0,1\n", "'1_0' in line 1 is no number"),
        ("1,0\n0,\u0661\n", "'\u0661' in line 2 is no number"),
        ("(1+0j),0\n0,1\n", "is complex"),
        ("1,1e400\n", "'1e400' in line 1 is beyond the range"),
        ("a" * 1000 + ",b\n" + "c" * 1000 + ",d\n", "…' in line 2"),
        ('1,"' + "2" * 200_000 + '"\n', "line 1 cannot be split"),
    ],
)
def test_what_is_refused(text, words):
    with pytest.raises(ProblemError, match=r"^M does not contain an array of numbers: ") as error:
        read_csv(io.BytesIO(text.encode()), "M")
    assert words in str(error.value)
    assert len(str(error.value)) < 250 and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"1,2\n2,\xff\n", "no text in UTF-8"),
        ("1,2\n".encode("utf-16-le"), "without a byte-order mark"),
        (b"\xff\xfe1", "no text in UTF-16"),
        (b"\x00\x01\x02", "no text"),
    ],
)
def test_what_is_no_text(data, words):
    with pytest.raises(ProblemError) as error:
        read_csv(io.BytesIO(data), "M")
    assert words in str(error.value)


def test_a_line_that_counts_is_one_of_numbers_where_the_table_is_not_square_below_it():
    """0, 1 above one line, above three, and where the numbers are written otherwise: a matrix as it stands."""
    for text, shape in (
        ("0,1\n2,3\n", (2, 2)),
        ("0,1\n2,3\n4,5\n6,7\n", (4, 2)),
        ("0.0,1.0\n2,3\n4,5\n", (3, 2)),
    ):
        assert read_csv(io.BytesIO(text.encode()), "M").shape == shape
    assert read_csv(io.BytesIO(b"0\n2\n"), "M").shape == (2, 1)


def test_frames_as_pandas_writes_them(tmp_path, rng):
    """With and without names of rows, of both kinds; separators; a byte-order mark."""
    pandas = pytest.importorskip("pandas")
    A = rng.normal(size=(4, 4))
    named = pandas.DataFrame(A, index=list("wxyz"), columns=list("wxyz"))
    for frame in (named, pandas.DataFrame(A), pandas.DataFrame(A, columns=list("wxyz"))):
        for how in ({}, {"index": False}, {"sep": ";"}, {"encoding": "utf-8-sig"}, {"index_label": "name"}):
            if "index_label" in how and frame is not named:
                continue  # numbers below a name are a column of numbers
            frame.to_csv(tmp_path / "M.csv", **how)
            np.testing.assert_array_equal(read_csv(tmp_path / "M.csv", "M"), A)


@pytest.mark.parametrize(("rows", "columns"), [(1, 3), (2, 3), (49, 50), (8, 50)])
def test_names_of_columns_that_are_numbers_above_a_table_that_is_not_square(rows, columns, rng):
    """As `DataFrame(W).to_csv(index=False)` writes them; the sentence says how the numbers are meant otherwise."""
    body = "\n".join(",".join(map(str, line)) for line in rng.normal(size=(rows, columns)))
    head = ",".join(map(str, range(columns)))
    with pytest.raises(ProblemError) as refused:
        read_csv(io.BytesIO(f"{head}\n{body}\n".encode()), "W")
    counted = "1 row" if rows == 1 else f"{rows} rows"
    assert f"it seems to be {counted} of {columns} numbers below names of columns" in str(refused.value)
    assert f"0 … {columns - 1}, as pandas" in str(refused.value)
    assert read_csv(io.BytesIO(f"0.0{head[1:]}\n{body}\n".encode()), "W").shape == (rows + 1, columns)


def test_counting_lines_that_are_numbers():
    """One line, such as times; distances |i − j|, whose first column counts too; more lines than columns."""
    for text, shape in (
        ("0,1,2,3\n", (1, 4)),
        ("0,1,2\n1,0,1\n2,1,0\n", (3, 3)),
        ("0,1,2\n1,0,1\n", (2, 3)),
        ("0,1,2\n" + "3,4,5\n" * 4, (5, 3)),
    ):
        assert read_csv(io.BytesIO(text.encode()), "M").shape == shape
