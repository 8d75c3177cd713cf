"""Nothing asks for POSIX, or for the encoding of the machine, without a way around: Windows has neither, macOS not all.

No such machine was there to try. What can be tried: that names which they lack stand behind a guard, that guards work
where the names are taken away, and that files are read and written in an encoding that is said.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOORS = ("dynamics", "empirical", "figures", "quadflow")
FILES = [file for floor in FLOORS for file in sorted((ROOT / floor).rglob("*.py"))]

# Modules that Windows lacks, and attributes that Windows or macOS lack (documentation of Python 3.13).
MODULES = {
    "curses",
    "fcntl",
    "grp",
    "posix",
    "pty",
    "pwd",
    "readline",
    "resource",
    "syslog",
    "termios",
    "tty",
}
LACKING = {
    "os": {
        *("chown", "fchmod", "fork", "forkpty", "getegid", "geteuid", "getgid", "getloadavg", "getpgid"),
        *("getuid", "killpg", "lchown", "mkfifo", "mknod", "nice", "openpty", "posix_spawn", "pread"),
        *("sched_getaffinity", "sched_setaffinity", "setpgid", "setsid", "statvfs", "sysconf", "uname"),
        *("wait3", "wait4", "waitid", "O_NOFOLLOW", "O_DIRECTORY", "O_CLOEXEC", "sync", "sendfile"),
    },
    "signal": {
        *("alarm", "pause", "pthread_kill", "pthread_sigmask", "setitimer", "sigwait", "SIGALRM", "SIGHUP"),
        *(
            "SIGKILL",
            "SIGPIPE",
            "SIGPROF",
            "SIGQUIT",
            "SIGSTOP",
            "SIGUSR1",
            "SIGUSR2",
            "SIGXCPU",
            "SIG_BLOCK",
        ),
        *("SIG_SETMASK", "SIG_UNBLOCK"),
    },
    "time": {"clock_gettime", "tzset"},
    "socket": {"AF_UNIX"},
}
# What is used all the same, and where its absence is dealt with: each is tried below.
GUARDED = {
    "dynamics/budget.py": {"os.sched_getaffinity", "os.sysconf"},
    "empirical/sweep/execution.py": {
        "signal.pthread_sigmask",
        "signal.SIG_BLOCK",
        "signal.SIG_SETMASK",
    },
}


def used(tree):
    """Attributes of `LACKING` that a file uses."""
    for node in ast.walk(tree):
        owner = node.value if isinstance(node, ast.Attribute) else None
        if isinstance(owner, ast.Name) and node.attr in LACKING.get(owner.id, ()):
            yield f"{owner.id}.{node.attr}"
        if isinstance(node, ast.ImportFrom) and node.module in LACKING:
            yield from (f"{node.module}.{a.name}" for a in node.names if a.name in LACKING[node.module])


def imported(tree):
    """Top-level names of the modules that a file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_what_systems_lack_is_used_behind_guards_alone():
    found = {}
    for file in FILES:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        assert not MODULES & set(imported(tree)), file
        names = set(used(tree))
        if names:
            found[file.relative_to(ROOT).as_posix()] = names
    assert found == GUARDED


def test_sizes_of_a_machine_that_says_nothing(monkeypatch):
    """Without `sysconf` and `sched_getaffinity`: half of 4 GiB, and the cores that Python counts."""
    import os

    from dynamics import budget

    monkeypatch.delattr(os, "sysconf")
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    monkeypatch.setattr(budget, "CONTAINER_LIMIT", Path("/absent"))
    assert budget.memory_budget() == budget.SHARE * 2**32
    assert budget.usable_cores() == 3


def test_interrupts_without_masks_of_signals(monkeypatch):
    """Windows has none: what is started in the context is started all the same."""
    import signal

    from empirical.sweep.execution import _interrupts_for_this_thread

    for name in ("pthread_sigmask", "SIG_BLOCK", "SIG_SETMASK"):
        monkeypatch.delattr(signal, name)
    begun = []
    with _interrupts_for_this_thread():
        begun.append(True)
    assert begun == [True]


COMMANDS = """
import os, runpy, signal, sys, warnings
sys.path.insert(0, {root!r})
import dask, matplotlib, numpy, scipy.integrate, sympy, torch, xarray, zarr  # what libraries ask is theirs
for name in {os!r}:
    if hasattr(os, name):
        delattr(os, name)
for name in {signal!r}:
    if hasattr(signal, name):
        delattr(signal, name)
mine = r"(quadflow|dynamics|empirical|figures)\\b"
warnings.filterwarnings("error", category=EncodingWarning, module=mine)
sys.warnoptions.append("error::EncodingWarning")  # the program would ignore all warnings otherwise
from quadflow.cli import run
for line in {lines!r}:
    status = run(line.split())
    assert status == 0, (line, status)
"""
LINES = [
    "simulate --teacher 2,1 --hidden 2 --t-end 1 --output curves.csv",
    "simulate --teacher 2,1 --hidden 2 --t-end 1 --output run.npz",
    "train --teacher 2,1 --hidden 2 --steps 3 --output run.json",
    "conserved --inputs 2 --hidden 1 --output laws.json",
    "derive --inputs 1 --hidden 1 --output flow.py",
    "init experiment.toml --command simulate",
    "run experiment.toml --teacher 2,1 --t-end 1",
    "figure phase-portrait --output portrait.svg",
    "sweep --teacher 2,1 --vary init-scale=0.1,0.2 --t-end 1 --workers 0",
    "figure --list",
]


@pytest.mark.slow
def test_commands_where_names_are_lacking_and_encodings_must_be_said(tmp_path):
    """In a process from which the names are taken, and where a file opened in the machine's encoding is an error."""
    lacking = {module: sorted(names - {"SIG_UNBLOCK"}) for module, names in LACKING.items()}
    code = COMMANDS.format(root=str(ROOT), os=lacking["os"], signal=lacking["signal"], lines=LINES)
    done = subprocess.run(
        [sys.executable, "-X", "warn_default_encoding", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert {"curves.csv", "run.npz", "portrait.svg", "sweep.nc"} <= {file.name for file in tmp_path.iterdir()}


@pytest.mark.slow
def test_importing_says_nothing():
    """No package warns on import, with warnings as errors, under the version of Python that runs this."""
    code = "import " + ", ".join(FLOORS) + "; [getattr(quadflow, name) for name in dir(quadflow)]"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_tables_of_contents_are_plain():
    """`lazy_loader` reads the stubs of packages in the encoding of the machine."""
    stubs = [file for floor in FLOORS for file in (ROOT / floor).rglob("*.pyi")]
    assert len(stubs) > 10
    assert all(file.read_bytes().isascii() for file in stubs)


@pytest.mark.parametrize("folder", FLOORS)
def test_no_path_is_written_for_one_system(folder):
    """Names of files and folders that a program makes: no colon, which Windows forbids, in those of the package."""
    assert not [path for path in (ROOT / folder).rglob("*") if set(path.name) & set('<>:"|?*\\')]
