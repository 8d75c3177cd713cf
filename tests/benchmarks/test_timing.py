"""Times are those of the processor, taken in turn, and one thread is one."""

import os
import subprocess
import sys

import pytest

from benchmarks import timing
from benchmarks.one_thread import VARIABLES, check_one_thread, set_one_thread


class Clocks:
    """Clocks that only calls move on: by seconds on the wall, and as many times more for the processor."""

    def __init__(self, monkeypatch):
        self.wall = self.processor = 0.0
        monkeypatch.setattr(timing.time, "perf_counter", lambda: self.wall)
        monkeypatch.setattr(timing.time, "process_time", lambda: self.processor)

    def call(self, wall, threads=1.0):
        """A call that takes so long and keeps so many threads busy."""

        def run():
            self.wall += wall
            self.processor += threads * wall

        return run


def test_the_shortest_run_of_the_processor_counts(monkeypatch):
    clocks = Clocks(monkeypatch)
    lengths = iter([3.0, 1.0, 2.0])
    # waiting beside others makes the wall clock run on, not the processor's
    calls = {"a": lambda: clocks.call(next(lengths), 0.5)(), "b": clocks.call(0.25)}
    assert timing.fastest(calls, 3) == {"a": 0.5, "b": 0.25}


@pytest.mark.parametrize(("threads", "several"), [(1.0, False), (1.2, False), (1.3, True), (2.0, True)])
def test_of_more_than_one_busy_thread_the_wall_counts(monkeypatch, capsys, threads, several):
    """In favour of who did not keep to one thread, and standard error says who."""
    clocks = Clocks(monkeypatch)
    found = timing.fastest({"solver": clocks.call(1.0, threads)}, 1)
    assert found == {"solver": 1.0 if several else threads}
    said = capsys.readouterr().err
    assert (f"solver kept {threads:.2f} threads busy" in said) == several
    assert not several or all(name in said for name in VARIABLES)


def test_a_tenth_of_a_millisecond_says_nothing_about_threads(monkeypatch):
    assert timing.fastest({"": Clocks(monkeypatch).call(1e-4, 3.0)}, 1)[""] == pytest.approx(3e-4)
    with pytest.raises(RuntimeError):
        check_one_thread("", 3e-4, 1e-4)


def test_calls_are_taken_in_turn():
    order: list[str] = []
    timing.interleaved({name: lambda name=name: order.append(name) for name in "ab"}, 2)
    assert order == list("abab")


def test_wishes_of_the_user_stay(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    set_one_thread()
    assert {name: os.environ[name] for name in VARIABLES} == VARIABLES | {"OMP_NUM_THREADS": "3"}


def test_the_variables_are_set_before_a_library_reads_them():
    """NumPy, which every benchmark imports, is not there when they are set."""
    code = (
        "import sys, benchmarks.one_thread as o; "
        "o.set_one_thread = lambda: sys.exit(str('numpy' in sys.modules));"
        "import benchmarks.__main__"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert found.stderr.strip() == "False"
