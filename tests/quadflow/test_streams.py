"""Standard output and error in this process: what is opened, degraded, flushed and told."""

import errno
import io
import os
import sys
from types import SimpleNamespace

import click
import pytest

from quadflow.output import echo_json
from quadflow.streams import close_streams, degrade_streams, plain, report


def test_a_closed_stream_becomes_one_that_leads_nowhere(monkeypatch):
    """The other keeps its place, and writes plainer characters than it was given."""
    narrow = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", narrow)
    degrade_streams()
    with sys.stdout as opened:
        assert (opened.name, opened.mode) == (os.devnull, "w")
    assert sys.stderr is narrow
    narrow.write("é → 10⁻³")
    narrow.flush()
    assert narrow.buffer.getvalue() == b"e -> 10^-3"


def test_other_streams_are_left_alone(monkeypatch):
    """Such as those of a notebook."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    degrade_streams()
    assert sys.stdout is stream


@pytest.mark.parametrize(("text", "shown"), [("e\u0301", "e"), ("漢", "?"), ("x²·y", "x^2*y"), ("ß∅", "?{}")])
def test_characters(text, shown):
    assert plain(text) == shown


class Stream:
    def __init__(self, error=None, closed=False, file=None):
        self.error, self.closed, self.file, self.flushed = error, closed, file, 0

    def flush(self):
        self.flushed += 1
        if self.error is not None:
            raise self.error

    def fileno(self):
        return self.file


def test_what_is_buffered_is_written(monkeypatch):
    """Closed streams are none of our business, nor is one that is not there."""
    stdout, stderr = Stream(), Stream(closed=True, error=ValueError("closed"))
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setattr(sys, "stderr", stderr)
    assert close_streams() is None
    assert (stdout.flushed, stderr.flushed) == (1, 0)
    monkeypatch.setattr(sys, "stdout", None)
    assert close_streams() is None


def test_the_first_failure_is_told_and_the_rest_discarded(monkeypatch, tmp_path):
    """Both streams lead nowhere afterwards, so that Python has nothing to complain about at its end."""
    errors = [OSError(errno.ENOSPC, "full"), OSError(errno.EIO, "broken")]
    files = [os.open(tmp_path / name, os.O_CREAT | os.O_WRONLY) for name in "ab"]
    streams = [Stream(error, file=file) for error, file in zip(errors, files, strict=True)]
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    assert close_streams() is errors[0]
    if before is not None:
        assert len(os.listdir("/proc/self/fd")) == before  # nothing is left open
    nowhere = os.stat(os.devnull)
    for file in files:
        assert os.path.samestat(os.fstat(file), nowhere)
        os.close(file)


@pytest.mark.parametrize(("variable", "colour"), [(None, None), ("", None), ("1", False)])
def test_a_line_of_error(monkeypatch, variable, colour):
    """Bold red, but not where nobody wants colours; white space is that of one line."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    if variable is not None:
        monkeypatch.setenv("NO_COLOR", variable)
    seen = []
    monkeypatch.setattr(click, "echo", lambda *args, **kwargs: seen.append((args, kwargs)))
    assert report("a\n  b", 3) == 3
    assert seen == [(("\x1b[31m\x1b[1mquadflow:\x1b[0m a b",), {"err": True, "color": colour})]


def test_nobody_can_be_told(monkeypatch):
    def echo(*_, **__):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(click, "echo", echo)
    assert report("x", 2) == 2


@pytest.mark.parametrize("stream", [io.StringIO(), SimpleNamespace()])
def test_json_for_streams_without_an_encoding_is_ascii(monkeypatch, stream):
    printed = []
    monkeypatch.setattr(click, "echo", printed.append)
    monkeypatch.setattr(sys, "stdout", stream)
    echo_json({"a": "→"})
    assert printed == ['{"a": "\\u2192"}']
