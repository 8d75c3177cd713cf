"""Pieces come back from disk as they were, and only whole ones."""

import io
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from dynamics import ProblemError
from dynamics.curves.variables import Variable
from empirical.sweep.pieces import Piece, pack, unpack
from empirical.sweep.store import PieceStore


def piece(index=3, end="erreicht: ε"):
    values = {
        "loss": Variable(
            ("time",), np.array([1.0, np.nan, 1 / 3]), "population loss", "squared output units"
        ),
        "end": Variable((), end),
        "words": Variable(("unit",), np.array(["a", end])),
        "final": Variable((), 0.1),
    }
    return Piece(index, values, "", {"numpy": "9"})


def test_a_piece_survives_the_file(tmp_path):
    with PieceStore(tmp_path / "x.pieces", "what") as store:
        store.add([piece(), Piece(1, {}, "refused", {})])
    with PieceStore(tmp_path / "x.pieces", "other") as store:
        assert store.definition == "what"
        assert store.finished() == {1, 3}
        back, failed = store
    assert (failed.index, failed.values, failed.reason) == (1, {}, "refused")
    assert back.versions == {"numpy": "9"}
    for name, wanted in piece().values.items():
        got = back.values[name]
        assert (got.dims, got.meaning, got.unit) == (wanted.dims, wanted.meaning, wanted.unit)
        assert got.array.tobytes() == wanted.array.tobytes()


def test_pieces_of_one_form_are_stored_together_and_come_back_apart():
    """Three runs, two failures and one with less to say; texts are as long as they were."""
    given = [
        piece(1, "x"),
        Piece(2, {}, "too large", {"numpy": "9"}),
        piece(5, "a longer text"),
        Piece(4, {}, "too small", {"numpy": "9"}),
        Piece(0, {"final": Variable((), 0.5)}, "", {"numpy": "8"}),
        piece(7, ""),
    ]
    found = {back.index: back for back in unpack(pack(given))}
    assert len(found) == len(given)
    for wanted in given:
        back = found[wanted.index]
        assert (back.reason, back.versions, [*back.values]) == (
            wanted.reason,
            wanted.versions,
            [*wanted.values],
        )
        for name, variable in wanted.values.items():
            assert back.values[name].array.dtype == variable.array.dtype
            assert back.values[name].array.tobytes() == variable.array.tobytes()


def test_a_batch_that_is_damaged_is_refused():
    about = {"forms": [{"runs": [1, 2], "reasons": [""], "axes": {}, "meanings": {}, "versions": {}}]}
    buffer = io.BytesIO()
    np.savez(buffer, about=np.array(json.dumps(about)))
    with pytest.raises(ProblemError, match="a batch of runs of the sweep is damaged"):
        list(unpack(buffer.getvalue()))


def test_equal_pieces_have_equal_bytes():
    assert pack([piece()]) == pack([piece()])


WRITER = """
import sys
import numpy as np
from dynamics.curves.variables import Variable
from empirical.sweep.pieces import Piece
from empirical.sweep.store import PieceStore

store = PieceStore(sys.argv[1], "what")
print("ready", flush=True)
index = len(store.finished())
while True:
    store.add([Piece(index, {"x": Variable(("unit",), np.full(50_000, float(index)))})])
    print(index, flush=True)
    index += 1
"""


def test_what_was_written_before_sigkill_is_there(tmp_path):
    """Killed in the middle of writing, again and again: every number printed is on disk, whole."""
    path = tmp_path / "x.pieces"
    for after in (3, 1, 7):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        ) as process:
            printed = [process.stdout.readline() for _ in range(after + 1)]
            os.kill(process.pid, signal.SIGKILL)
            printed += process.stdout.readlines()
        numbers = {int(line) for line in printed if line.strip().isdigit()}
        with PieceStore(path, "what") as store:
            assert numbers <= store.finished()
            for found in store:
                np.testing.assert_array_equal(found.values["x"].array, np.full(50_000, float(found.index)))


def test_two_programs_cannot_write_into_one_file(tmp_path, monkeypatch):
    monkeypatch.setattr("empirical.sweep.store.PATIENCE", 0.05)
    with PieceStore(tmp_path / "x", "what"), pytest.raises(ProblemError, match="another program"):
        PieceStore(tmp_path / "x", "what")


def test_files_that_are_none_of_ours_are_refused(tmp_path):
    path = tmp_path / "x"
    path.write_text("a text that somebody needs\n" * 100)
    with pytest.raises(ProblemError, match="no runs of a sweep"):
        PieceStore(path, "what")
    assert path.read_text().startswith("a text")
    with pytest.raises(ProblemError, match="cannot be opened"):
        PieceStore(tmp_path / "absent" / "x", "what")
