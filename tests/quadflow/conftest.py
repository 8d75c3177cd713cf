"""The command line in process: arguments in, exit status and both streams out."""

import json
from dataclasses import dataclass

import pytest

from quadflow.cli import run


@dataclass
class Result:
    status: int
    out: str
    err: str

    @property
    def json(self):
        """Standard output as the one JSON object it must be; bare NaN or infinity fail."""

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
