"""Published results in a report: every number is in its table, and the verdict is that of the result."""

import json

import numpy as np
from drawn import beside

from figures.report_sections import section

made_up = beside("test_published").made_up


def as_json(*found):
    """What the command prints, its arrays as lists."""
    rows = [
        {
            key: np.asarray(value).tolist() if isinstance(value, np.ndarray) else value
            for key, value in row.items()
        }
        for row in (one.as_dict() for one in found)
    ]
    agree = sum(row["agrees"] for row in rows)
    return json.loads(
        json.dumps({"results": rows, "agree": agree, "disagree": len(rows) - agree, "seconds": 0.5})
    )


def test_verdicts_and_numbers():
    """Of the made-up result of the figure: nine numbers, three of them with errors of ours, and a note."""
    found = made_up()
    shown = section(as_json(found), "r")
    assert shown.title == "reproduce"
    verdicts, numbers = shown.parts
    assert [cell.text for cell in verdicts.rows[0]] == [
        *("made-up", "yes", "9", "1", "abstract", "arXiv:2311.01644: abstract"),
    ]
    assert (numbers.title, numbers.note) == ("made-up", "A claim. r")
    names, published, ours, tolerance = zip(
        *([cell.text for cell in row] for row in numbers.rows), strict=True
    )
    assert names[0] == "MSE, κ* = 0.5, n/d² = 1" and names[-1] == "laws"
    assert published == ("3 ± 0.1", "2 ± 0.2", "1 ± 0.3", "5", "4", "0.3", "0.2", "0.1", "7")
    assert ours == ("3.25 ± 0.2", "2 ± 0.5", "0.5", "5", "4.25", "0.3", "0.2", "0.05", "7")
    assert set(tolerance) == {"0.5"}
    assert shown.facts == {"seconds of computation": "0.5"}


def test_what_disagrees_is_said():
    from dataclasses import replace

    found = made_up()
    wrong = replace(found, ours=(*found.ours[:3], replace(found.ours[3], values=np.array([9.0]))))
    verdicts, *_ = section(as_json(wrong), "r").parts
    assert [cell.text for cell in verdicts.rows[0]][1:4] == ["no", "9", "4"]
