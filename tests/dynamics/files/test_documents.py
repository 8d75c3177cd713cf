"""JSON and TOML as people have them are read; what is damaged, foreign or bottomless is refused in one sentence."""

import json

import pytest

from dynamics.errors import ProblemError
from dynamics.files.documents import DEEPEST, LARGEST_TOML, read_json, read_toml

READERS = {"json": read_json, "toml": read_toml}


def read(tmp_path, suffix, content):
    file = tmp_path / f"x.{suffix}"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return READERS[suffix](str(file), "The file")


@pytest.mark.parametrize(
    ("suffix", "content", "expected"),
    [
        ("json", '{"a": [1, 2.5, null, true, "ε"]}', {"a": [1, 2.5, None, True, "ε"]}),
        ("json", b'\xef\xbb\xbf{"a": 1}', {"a": 1}),  # a byte-order mark, as Windows writes it
        ("json", '{"a": 9223372036854775807}', {"a": 2**63 - 1}),
        ("json", '{"a": 9223372036854775808, "b": -1' + "0" * 400 + "}", {"a": 2.0**63, "b": float("-inf")}),
        ("json", '{"a": [NaN]}', None),  # Python's own spelling, read as it is: reports show it as missing
        ("toml", "a = [1, 2]\r\nb = 'ε'\r\n", {"a": [1, 2], "b": "ε"}),
        ("toml", b"\xef\xbb\xbfa = 1", {"a": 1}),
        ("toml", "", {}),
    ],
)
def test_what_people_have_is_read(tmp_path, suffix, content, expected):
    found = read(tmp_path, suffix, content)
    if expected is None:
        assert found["a"][0] != found["a"][0]
    else:
        assert found == expected
        assert {type(value) for value in found.values()} == {type(value) for value in expected.values()}


@pytest.mark.parametrize(
    ("suffix", "content", "why"),
    [
        ("json", "", "not a JSON object: Expecting value at line 1"),
        ("json", '{"a": 1', "line 1, column 8"),
        ("json", "[1]", "but a list"),
        ("json", "null", "but null"),
        ("json", "3", "but 3"),
        ("json", '{"a": ' + "1" * 5000 + "}", "hold"),
        ("json", "[" * 100_000, "levels deep"),
        ("json", '{"a":' * 900 + "1" + "}" * 900, "levels deep"),
        ("json", '{"a": "\\ud800"}', "not valid Unicode"),
        ("json", '{"\\ud800": 1}', "not valid Unicode"),
        ("json", b'{"a": "\xff"}', "byte 7"),
        ("json", '{"a": 1}'.encode("utf-16"), "UTF-8"),
        ("toml", "a = ", "not valid TOML"),
        ("toml", "a = 1\na = 2", "not valid TOML"),
        ("toml", "a = 1979-13-45", "not valid TOML"),
        ("toml", "a = " + "1" * 5000, "not valid TOML"),
        ("toml", "a=" + "[" * 3000 + "]" * 3000, "levels deep"),
        ("toml", "a" + ".a" * 60 + " = 1", "levels deep"),
        ("toml", b"a = '\xff'", "byte 5"),
        ("toml", "a = 1".encode("utf-16"), "UTF-8"),
        ("toml", "#" * (LARGEST_TOML + 1), "bytes"),
    ],
)
def test_everything_else_is_refused(tmp_path, suffix, content, why):
    with pytest.raises(ProblemError, match=why) as refused:
        read(tmp_path, suffix, content)
    assert str(refused.value).startswith("The file ")
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("depth", [DEEPEST, DEEPEST + 1])
def test_the_depth_that_is_allowed(tmp_path, depth):
    """One level of objects more than `DEEPEST` is one too many."""
    content = '{"a":' * depth + "1" + "}" * depth
    if depth == DEEPEST:
        assert read(tmp_path, "json", content) == json.loads(content)
    else:
        with pytest.raises(ProblemError, match="50 levels"):
            read(tmp_path, "json", content)


def test_the_size_that_is_allowed(tmp_path):
    """A configuration of 32 kB, and not one byte more."""
    assert read(tmp_path, "toml", "a=1\n#" + "#" * (2**15 - 5)) == {"a": 1}
    with pytest.raises(ProblemError, match="more than 32768 bytes"):
        read(tmp_path, "toml", "a=1\n#" + "#" * (2**15 - 4))


def test_whole_numbers_that_are_floats(tmp_path):
    """From 2⁶³ on, where other readers have no whole numbers either."""
    values = [2**63 - 1, -(2**63) + 1, 2**63, -(2**63)]
    found = read(tmp_path, "json", json.dumps({"a": values}))["a"]
    assert found == values
    assert [type(value) for value in found] == [int, int, float, float]


@pytest.mark.parametrize("reader", READERS.values())
def test_names_that_cannot_be_opened(tmp_path, reader):
    for path, why in ((tmp_path, "directory"), (tmp_path / "absent", "No such file"), ("a\0", "NUL")):
        with pytest.raises(ProblemError, match=f"The file cannot be read: .*{why}"):
            reader(str(path), "The file")
