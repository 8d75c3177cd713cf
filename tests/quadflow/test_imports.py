"""What a command loads: no library that it does not use, of those that take long to import.

Commands of one group may load the same, and run one after the other in one process, in which each is asked what has
been loaded beyond that. A line for a command is here, or the name of its test in `ELSEWHERE`.
"""

import subprocess
import sys
from textwrap import dedent

import pytest

from quadflow.cli import COMMANDS

HEAVY = (  # libraries, and parts of them that others do without
    *("numpy", "scipy", "scipy.signal", "scipy.stats", "scipy.interpolate", "sympy", "matplotlib", "torch"),
    *("torch._dynamo", "pandas", "xarray", "h5netcdf", "zarr", "dask", "distributed", "sklearn", "mnist1d"),
    *("pyarrow", "heyoka", "numba", "jax", "flint", "plotly", "jinja2"),
)
ARRAYS = {"numpy", "scipy"}
SYMBOLS = {*ARRAYS, "sympy", "flint"}  # which sympy takes where it is installed
NETWORKS = {*ARRAYS, "torch"}
PAGES = {*SYMBOLS, "plotly", "jinja2"}
PAPER = {*ARRAYS, "matplotlib"}
TRAINED = {*NETWORKS, "matplotlib"}
TEACHER = "--teacher 2,1 --hidden 2"

GROUPS = {
    "nothing": (
        set(),
        {
            "--help": "--help",
            "--version": "--version",
            "init": "init experiment.toml --command simulate",
            "completion": "completion bash",
            "figure": "figure --list",
            "train --help": "train --help",
        },
    ),
    "arrays": (
        ARRAYS,
        {
            "simulate": f"simulate {TEACHER} --t-end 1",
            "diagnose": f"diagnose {TEACHER}",
            "staircase": f"staircase {TEACHER} --init-scale 1e-3",
            "fixed-points": f"fixed-points {TEACHER} --search 3",
            "sample-size": "sample-size --teacher marchenko-pastur:2 --alpha 0.5",
            "escape": "escape --teacher 1 --inputs 40 --activation hermite:2 --step 0.005",
            "schedule": "schedule --teacher 1 --inputs 3 --hidden 1 --second-layer fixed --steps 20",
            "reproduce": "reproduce double-descent --quick",
            "neuron": "neuron --inputs 2 --hidden 2 --rates 1,0.1,0.1",
            "gaussianity": f"gaussianity --distribution uniform {TEACHER} --t-end 1",
            "run": "run experiment.toml --teacher 2,1 --t-end 1",
        },
    ),
    "symbols": (
        SYMBOLS,
        {
            "derive": "derive --inputs 2 --hidden 1",
            "conserved": "conserved --inputs 2 --hidden 2",
            "scope": "scope --teacher 2,1",
        },
    ),
    "networks": (
        NETWORKS,
        {
            "train": f"train {TEACHER} --steps 5 --step 1e-3",
            "train on sets": f"train {TEACHER} --steps 5 --step 1e-3 --samples 8 --batch 4",
            "compare": f"compare {TEACHER} --steps 5 --step 1e-3",
            "networks of neurons": "neuron --inputs 2 --hidden 2 --rates 1,0.1,0.1 --step 0.01 --steps 5",
            "invariance": "invariance --inputs 2 --hidden 2 --steps 3",
            "hannet": "hannet --check --layers 3",
        },
    ),
    "pages": (PAGES, {"explore": "explore --output explorer.html"}),
    "theory drawn": (
        PAPER,
        {
            "simulate --output": f"simulate {TEACHER} --t-end 1 --output curves.png",
            "phase-portrait": "figure phase-portrait",
        },
    ),
    "training drawn": (
        TRAINED,
        {"learning-curves": f"figure learning-curves {TEACHER} --steps 5 --step 1e-3"},
    ),
}
SLOW = ("pages", "theory drawn", "training drawn")
ELSEWHERE = {
    "sweep": "its points, files and scheduler: xarray, dask and what they load",
    "study": "as a sweep, with scikit-learn",
    "report": "reads whatever results there are",
}

CODE = """
import shlex, sys
from quadflow.cli import run

heavy, allowed, lines = {heavy!r}, {allowed!r}, {lines!r}
for name, line in lines.items():
    assert run(shlex.split(line)) == 0, name
    more = [module for module in heavy if module in sys.modules and module.partition(".")[0] not in allowed]
    more += [part for part in {parts!r} if part in sys.modules]
    assert not more, f"{{name}} loads {{', '.join(more)}}"
"""
PARTS = [name for name in HEAVY if "." in name]


@pytest.mark.parametrize(
    "group", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in GROUPS]
)
def test_commands_load_what_they_use(group, tmp_path):
    """And no more: in a process of its own, which says what a command has loaded."""
    allowed, lines = GROUPS[group]
    if group == "arrays":  # a configuration to be run
        lines = {"init": GROUPS["nothing"][1]["init"], **lines}
    code = dedent(CODE).format(heavy=HEAVY, allowed=allowed, lines=lines, parts=PARTS)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_command_is_listed():
    listed = {line.split()[0] for _, lines in GROUPS.values() for line in lines.values()}
    assert set(COMMANDS) == (listed - {"--help", "--version"}) | set(ELSEWHERE)
    assert not listed & set(ELSEWHERE)


def test_a_library_that_is_not_allowed_is_seen(tmp_path):
    """Of a command that is known to need it."""
    code = CODE.format(heavy=HEAVY, allowed=ARRAYS, lines=GROUPS["symbols"][1], parts=PARTS)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "AssertionError: derive loads sympy" in done.stderr
