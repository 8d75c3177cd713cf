"""`quadflow staircase` with units that are equal: an answer in JSON and text, nothing on standard error."""

import pytest


@pytest.mark.parametrize(
    ("teacher", "hidden", "units"),
    [
        ("2,1", 3, [[0, 2], [1]]),
        ("2,1", 4, [[0, 2], [1, 3]]),
        ("3,1", 3, [[0, 2], [1]]),
        ("4,2,1", 6, [[0, 3], [1, 4], [2, 5]]),
    ],
)
def test_tied_units(quadflow, teacher, hidden, units):
    """Unit d + 1 of an aligned start copies unit 1: they share its jump, and the text names both."""
    start = ["--teacher", teacher, "--hidden", hidden, "--init", "aligned", "--init-scale", "1e-3"]
    result = quadflow("staircase", *start, "--json")
    assert (result.status, result.err) == (0, "")
    jumps = result.json["jumps"]
    assert [jump["units"] for jump in jumps] == units
    assert [jump["unit"] for jump in jumps] == [shared[0] for shared in units]
    assert all(0 < jump["uncertainty"] < 0.01 * jump["time"] for jump in jumps)
    text = quadflow("staircase", *start)
    assert (text.status, text.err) == (0, "")
    assert f"units {units[0][0]}, {units[0][1]}  learns mode 0" in text.out
