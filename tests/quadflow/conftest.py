"""The command line in process: arguments in, exit status and both streams out."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from dynamics.errors import ComputationError
from quadflow.cli import run

sys.path.insert(0, str(Path(__file__).parent))
from wiring import places, restore


@dataclass
class Result:
    status: int
    out: str
    err: str

    @property
    def json(self):
        """Standard output as the one JSON object it must be, of a call that succeeded; bare NaN or infinity fail."""
        assert self.status == 0, self.err

        def refuse(token):
            raise AssertionError(f"bare {token} in JSON")

        return json.loads(self.out, parse_constant=refuse)


@pytest.fixture
def quadflow(capfd):
    def call(*arguments) -> Result:
        capfd.readouterr()
        status = run([str(a) for a in arguments])
        return Result(status, *capfd.readouterr())

    return call


@pytest.fixture
def received(quadflow, monkeypatch):
    """Run a command, and return the arguments with which it calls a function, positional and by name."""

    def call(target, *arguments):
        found = []

        def keep(*args, **kwargs):
            found.append((args, kwargs))
            raise ComputationError("reached")

        found_in = places(target)
        original = getattr(*found_in[0])
        with monkeypatch.context() as patch:
            for owner, name in found_in:
                patch.setattr(owner, name, keep)
            result = quadflow(*arguments)
        restore(keep, original)
        assert result.err.endswith("quadflow: reached\n")
        assert result.status == 1
        return found[0]

    return call
