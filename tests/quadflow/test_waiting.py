"""Long work is never silent on a terminal, and leaves no trace in a pipe.

Jobs that last are made of sleep, in processes of their own: what is expected follows from how long they sleep.
"""

import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from terminal import on_terminal

from dynamics import progress
from dynamics.progress import flow_bar, progress_bar
from quadflow.waiting import LONG, OBSERVED, Watch, in_words

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")

# Silent work, then work with a bar, then a result; standard output is written to in between.
JOB = """
import time, click
from dynamics.progress import progress_bar, stage
from quadflow.examples import Command

@click.command("slow", cls=Command)
def slow():
    with stage("boiling eggs"):
        time.sleep(2.6)
    click.echo("eggs are ready")
    for _ in progress_bar(range(4), "toast", shown=True):
        time.sleep(0.2)
    click.echo("toast is ready")

slow(prog_name="quadflow slow")
"""


class Terminal(io.StringIO):
    """Something that says it is a terminal."""

    def isatty(self):
        return True


def test_a_terminal_without_rows_has_some():
    """As of `docker run -t`, and of a new pseudo-terminal: its size is 0 × 0."""
    ours, theirs = os.openpty()
    job = "from dynamics.progress import progress_bar; list(progress_bar(range(3), 'toast', shown=True))"
    subprocess.run([sys.executable, "-c", job], stdin=theirs, stderr=theirs, check=True, cwd=ROOT)
    assert b"toast" in os.read(ours, 1000)
    os.close(ours)
    os.close(theirs)


@pytest.fixture
def watched(monkeypatch):
    """Standard error from now on; pytest sets its own between the phases of a test."""

    def stand_in():
        stream = Terminal()
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return stand_in


@pytest.fixture(scope="module")
def seen():
    return on_terminal("-c", JOB)


def test_silent_work_is_named_and_timed(seen):
    """From 1.2 s on, by the name of its stage; the clock runs while the work says nothing."""
    said = [frame for frame in seen.frames if "boiling" in frame]
    assert said[0] == "quadflow slow: boiling eggs [00:01]"
    assert said[-1] == "quadflow slow: boiling eggs [00:02]"


def test_a_bar_shows_how_far_it_is_and_what_is_left(seen):
    shown = [frame for frame in seen.frames if frame.startswith("toast: ")]
    assert re.search(r"toast: +0%\|.*\| 0/4 \[00:00<\?", shown[0])
    assert any(re.search(r"toast: +50%\|.*\| 2/4 \[00:00<00:00, +\d\.\d\dit/s\]", frame) for frame in shown)


def test_results_stand_alone_at_the_end(seen):
    """Nothing of lines and bars is left on the terminal, and nothing of the results is lost."""
    assert seen.status == 0
    assert seen.left == ["eggs are ready", "toast is ready"]


def test_a_pipe_gets_results_alone():
    done = subprocess.run([sys.executable, "-c", JOB], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "eggs are ready\ntoast is ready\n", "")


def test_json_in_a_pipe_is_json_though_people_watch():
    """Standard error is a terminal and shows a bar, standard output is read by a program."""
    command = "simulate --teacher 4,2,1 --hidden 4 --init-scale 0.01 --json"
    seen = on_terminal("-m", "quadflow", *command.split(), piped=True)
    assert json.loads(seen.out)["solver"]["status"] == "converged"
    assert any(frame.startswith("flow: t = ") for frame in seen.frames)


def test_an_open_end_is_not_given_in_percent(watched):
    """The horizon of a flow without an end time is no amount of work: time, loss and speed are shown instead."""
    terminal = watched()
    with flow_bar(None, "flow", shown=True) as bar:
        bar.set_postfix_str("loss 2, speed 1e-3", refresh=False)
        bar.update(17.25)
        bar.refresh()
    assert "flow: t = 17.25, loss 2, speed 1e-3 [00:00]" in terminal.getvalue()
    assert "%" not in terminal.getvalue()


def test_what_stands_beside_the_time_is_that_of_the_state(watched, monkeypatch):
    """Loss and ‖θ̇‖ are those of the flow at the state that was reached, and below which speed it would rest."""
    watched()
    from dynamics import GradientFlow, Problem, Student, Teacher
    from dynamics.integration import driver

    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    flow = GradientFlow(Problem(Teacher.from_eigenvalues([2.0], 1), Student([[0.3]], [0.4])))
    states = []
    monkeypatch.setattr(
        driver.Shown, "update", lambda self, t, theta: states.append((self.standing(t, theta), theta.copy()))
    )
    flow.integrate(progress=True)
    said, theta = states[0]
    W, A = flow.unpack(theta)
    w, a = W[0, 0], A[0, 0]
    D = a * w * w - 2.0  # one unit, one mode: L = ½E[(Dx²)²] = 3D²/2, ẇ = −6aDw, ȧ = −3Dw²
    loss, speed = 1.5 * D**2, 3 * abs(D * w) * (4 * a * a + w * w) ** 0.5
    assert said.startswith(f"loss {loss:.4g}, speed {speed:.1e} (it rests below ")


def test_minutes_to_come_are_said_once_with_what_helps(watched):
    """Ten of a hundred in five seconds: 45 s are left, no reason to warn; two of them: 245 s, 4 minutes."""
    terminal = watched()
    watch = Watch("quadflow slow")
    bar = progress_bar(total=100, what="training", shown=True, remedy="lower `steps`")
    bar.started = time.monotonic() - 5.0
    bar.n = 10
    watch._warn((bar,))
    assert "about" not in terminal.getvalue()
    assert bar.left == pytest.approx(45.0, abs=0.5)
    bar.n = 2
    watch._warn((bar,))
    watch._warn((bar,))
    bar.close()
    sentence = "quadflow slow: training will take about 4 minutes more: lower `steps` to wait less."
    assert terminal.getvalue().count(sentence) == 1
    assert terminal.getvalue().count("will take") == 1


def test_nobody_is_warned_by_the_first_moments(watched):
    """An estimate from less than three seconds is none, nor is one of what has not begun, or has no known end."""
    terminal = watched()
    assert OBSERVED > 2 and LONG >= 60
    watch = Watch("quadflow slow")
    with progress_bar(total=1000, what="training", shown=True) as bar:
        bar.n, bar.started = 1, time.monotonic() - OBSERVED + 1
        watch._warn((bar,))
        bar.n, bar.started = 0, time.monotonic() - 1000
        assert bar.left is None
        watch._warn((bar,))
    with flow_bar(1e10, "flow", shown=True) as bar:  # time of the flow is no measure of work
        bar.n, bar.started = 1.0, time.monotonic() - 1000
        assert bar.left is None
        watch._warn((bar,))
    assert "will take" not in terminal.getvalue()


def test_what_was_done_before_counts_for_nothing(watched):
    """A sweep that goes on where it stopped: the rate is that of now."""
    watched()
    with progress_bar(total=100, what="sweep", shown=True, initial=80) as bar:
        bar.started = time.monotonic() - 20
        assert bar.left is None  # nothing yet
        bar.n = 90
        assert bar.left == pytest.approx(20.0, abs=0.5)


def test_a_slow_beginning_is_no_reason_to_warn(watched, monkeypatch):
    """Ten steps took 100 s, of which the last nine took 1 s: the other 90 will take 10 s, not 900."""
    watched()
    with progress_bar(total=100, what="training", shown=True) as bar:
        bar.n, bar.started = 10, time.monotonic() - 100
        monkeypatch.setattr(type(bar), "format_dict", property(lambda self: {"rate": 9.0}))
        assert bar.left == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(60, "1 minute"), (89, "1 minute"), (95, "2 minutes"), (3600, "60 minutes"), (9000, "2 hours")],
)
def test_spans_in_words(seconds, words):
    assert in_words(seconds) == words


def test_bars_know_of_each_other(watched):
    """The innermost last; what is closed, or not shown, is not among them."""
    watched()
    with progress_bar(range(3), "outer", shown=True) as outer:
        with progress_bar(range(3), "inner", shown=True) as inner:
            assert progress.shown_bars() == (outer, inner)
        hidden = progress_bar(range(3), "hidden", shown=False)
        assert hidden.disable and progress.shown_bars() == (outer,)
    assert progress.shown_bars() == ()


def test_stages_nest():
    with progress.stage("outer"):
        with progress.stage("inner"):
            assert progress.current_stage() == "inner"
        assert progress.current_stage() == "outer"
    assert progress.current_stage() == ""


def test_all_bars_are_of_one_kind():
    """`dynamics.progress` makes them: nobody else takes them from tqdm, or they would not be watched."""
    floors = ("dynamics", "empirical", "figures", "quadflow")
    files = [file for floor in floors for file in (ROOT / floor).rglob("*.py")]
    users = {
        file.relative_to(ROOT).as_posix()
        for file in files
        if "from tqdm import" in file.read_text(encoding="utf-8")
    }
    assert users == {"dynamics/progress.py", "quadflow/waiting.py"}
