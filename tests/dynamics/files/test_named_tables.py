"""Tables with named columns: cells, names and lines as a person sees them in an editor."""

import io

import pytest

from dynamics import ProblemError
from dynamics.files.arrays import Unusable
from dynamics.files.named_tables import read_table

ROWS = [["1", "2.5", "Oslo, N"], ["-3", ".5", "Rome"]]


def table(text, encoding="utf-8"):
    return read_table(io.BytesIO(text.encode(encoding)), "T")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('n,x,city\n1,2.5,"Oslo, N"\n-3,.5,Rome\n', [2, 3]),
        ('n;x;city\r\n1;2.5;Oslo, N\r\n-3;.5;"Rome"\r\n', [2, 3]),
        ("n\tx\tcity\n1\t2.5\tOslo, N\n-3\t.5\tRome\n", [2, 3]),
        ('# by hand\n\nn , x, "city"\n1 ,2.5,"Oslo, N"\n\n# half\n-3,.5, Rome\n\n', [4, 7]),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_separators_quotes_comments_and_line_ends(text, lines, encoding):
    found = table(text, encoding)
    assert (found.names, found.named) == (("n", "x", "city"), True)
    assert [*found.rows] == [*zip(lines, ROWS, strict=True)]


def test_quoted_entries_hold_separators_line_ends_and_quotes():
    found = table('"a;b","say ""hi"""\n"1\n2",3\n')
    assert found.names == ("a;b", 'say "hi"')  # a semicolon in quotes is no separator
    assert [*found.rows] == [(3, ["1\n2", "3"])]


def test_lines_of_old_spreadsheets():
    assert [*table("x,y\r1,2\r3,4").rows] == [(2, ["1", "2"]), (3, ["3", "4"])]


def test_blanks_separate_where_nothing_else_does():
    found = table("x  y\n1 2\n3   4\n")
    assert found.separator is None
    assert [*found.rows] == [(2, ["1", "2"]), (3, ["3", "4"])]


def test_a_line_with_a_number_is_no_line_of_names():
    found = table("5.1,3.5,setosa\n4.9,3.0,virginica\n")
    assert (found.names, found.named) == (("0", "1", "2"), False)
    assert [line for line, _ in found.rows] == [1, 2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is empty"),
        ("\n# nothing\n", "it is empty"),
        (",x,y\n0,1,2\n", "line 1 has an empty name"),
        ("x,y\n1,2\n3\n", "line 3 has 1 entries, but line 1 has 2"),
        ("x,y\n1,2,3\n", "line 2 has 3 entries"),
        ('x,y\n1,"' + "2" * 200_000 + '"\n', "line 2 cannot be split"),
        ("x,y\n1,\0\n", "it is no text"),
    ],
)
def test_what_is_no_table(text, words):
    with pytest.raises(Unusable, match=words):
        list(table(text).rows)


def test_files_that_cannot_be_opened(tmp_path):
    with pytest.raises(ProblemError, match=r"^T cannot be read: it is a folder"):
        read_table(tmp_path, "T")
