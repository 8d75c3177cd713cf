"""The mutation run: what is changed and what is not, and that the verdicts are those of the tests."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tools.mutants.operators import mutations
from tools.mutants.report import score
from tools.mutants.sampling import Exclusions, sample
from tools.mutants.trial import Result

ROOT = Path(__file__).parents[2]
EXCLUSIONS = Path(ROOT, "tools", "mutants", "equivalent.toml")


def changes(code: str, **options) -> set[str]:
    return {m.change for place in mutations(code.encode(), "a.py", **options) for m in place}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("a < b", {"a < b → a >= b"}),
        ("len(a) < b", {"len(a) < b → len(a) >= b", "len(a) < b → len(a) <= b"}),
        ("a is  not b", {"a is not b → a is b"}),
        ("x = a ** b", {"a ** b → a * b"}),
        ("ε += (λ) * w", {"ε += (λ) * w → ε -= (λ) * w", "(λ) * w → (λ) / w"}),
        ("x = 0, 0.0, 0.5, 1e-9", {"0 → 1", "0.0 → 1.0", "0.5 → 1.0", "1e-9 → 0.001"}),
        ("x = -a", {"-a → (a)"}),
        ("x = not a", {"not a → (a)"}),
        ("x = a and b", {"a and b → a or b", "a and b → ((a))", "a and b → ((b))"}),
        ("x = a[b:]", {"b → None"}),
        ("x = np.min(a)", {"np.min → np.max"}),
        ("f(a, b.c)", {"f(a, b.c) → f(b.c, a)", "f(a, b.c) → pass"}),
        ("a.b = c", {"a.b = c → pass"}),
        ("if a:\n    raise E(1)", {"a → (not a)", "raise E(1) → pass"}),
        ("def f(a=True):\n    return a", {"True → False", "a → None"}),
        ("x = min(a, b)", {"min → max"}),
    ],
)
def test_mutations(code, expected):
    assert changes(code) == expected


@pytest.mark.parametrize(
    "code",
    [
        '"""Text of 1 + 1."""',
        "x: Array[1] = a",
        "x = f'{a + 1:.3f}'",
        "x = 'a' + b",
        "import a, b",
        "@dataclass(order=True)\nclass A:\n    x: int",
        "class A:\n    def __repr__(self):\n        return 1",
        "if TYPE_CHECKING:\n    a(1)",
        "x = plot(linewidth=2)",
    ],
)
def test_what_is_left_alone(code):
    assert changes(code, keywords=frozenset({"linewidth"})) == set()


def test_defaults_of_options_are_changed():
    assert changes("@option('--a', default=3, width=2)\ndef f():\n    pass") == {"3 → 4"}


def test_every_mutant_of_the_project_is_another_program():
    """Sampled: each compiles, and its syntax tree differs from the original's."""
    import ast

    exclusions = Exclusions.read(EXCLUSIONS)
    packages = ["dynamics", "empirical", "figures", "quadflow"]
    for mutation in sample(ROOT, packages, None, None, 60, 3, exclusions):
        source = (ROOT / mutation.file).read_bytes()
        assert ast.dump(ast.parse(mutation.apply(source))) != ast.dump(ast.parse(source)), mutation
        assert mutation.text in source.decode().splitlines()[mutation.line - 1]


def test_the_sample_follows_its_seed_and_is_shared_by_the_packages():
    exclusions = Exclusions.read(EXCLUSIONS)
    first, again, other = (
        sample(ROOT, ["figures", "quadflow"], None, None, 21, seed, exclusions) for seed in (1, 1, 2)
    )
    assert first == again != other
    assert sum(m.file.startswith("figures/") for m in first) == 11
    assert len({(m.file, m.start, m.stop) for m in first}) >= 20


def test_equivalent_mutants_still_exist():
    """Every entry names a mutant that can be made: one that moved away or was mistyped excludes nothing."""
    exclusions = Exclusions.read(EXCLUSIONS)
    files = {file for file, _, _ in exclusions.equivalent}
    possible = {
        (m.file, m.text, m.change)
        for file in files
        for place in mutations((ROOT / file).read_bytes(), file, exclusions.keywords)
        for m in place
    }
    assert set(exclusions.equivalent) <= possible


def test_score_leaves_out_the_equivalent_ones():
    """3 of 4 noticed; the standard error is that of a proportion."""
    outcomes = ["killed", "timeout", "killed", "survived", "equivalent"]
    assert score([Result(None, outcome, 1) for outcome in outcomes]) == (0.75, (0.75 * 0.25 / 4) ** 0.5)


CODE = """
from time import sleep
def area(a, b):
    return a * b

def size(a):
    if a > 10:
        return "large"
    return "small"

def unused(a):
    return a

def loop(n):
    while n > 0:
        n -= 1
        sleep(0.01)
    return n
"""
TESTS = """
import subprocess, sys
from toy.code import area, loop, size

def test_area():
    code = "from toy.code import area; print(area(3, 2))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "6\\n"

def test_size():
    assert size(1) == "small"

def test_loop():
    assert loop(3) == 0
"""
RUN = """
import json, os
import hypothesis
from pathlib import Path
from tools.mutants.coverage_map import measure
from tools.mutants.operators import mutations
from tools.mutants.sampling import Exclusions
from tools.mutants.trial import try_all

root = Path.cwd()
os.environ["PYTHONPATH"] = str(root)
known = measure(root, ["toy"], root / "map.json", 2, tell=lambda text: None)
exclusions = Exclusions.read(root / "equivalent.toml")
mutants = [m for place in mutations((root / "toy/code.py").read_bytes(), "toy/code.py") for m in place]
results = try_all(root, mutants, known, exclusions, 2, 10.0, 60.0)
print("\\n" + json.dumps({f"{r.mutation.function}: {r.mutation.change}": r.outcome for r in results}))
"""


@pytest.mark.slow
def test_verdicts_on_a_small_project(tmp_path):
    """Noticed in process and in a subprocess, missed, never called, endless, excluded by name: all told apart."""
    Path(tmp_path, "toy").mkdir()
    Path(tmp_path, "tests", "toy").mkdir(parents=True)
    Path(tmp_path, "toy", "__init__.py").touch()
    code = Path(tmp_path, "toy", "code.py")
    code.write_text(textwrap.dedent(CODE))
    Path(tmp_path, "tests", "toy", "test_code.py").write_text(TESTS)
    Path(tmp_path, "pyproject.toml").write_text("[tool.pytest.ini_options]\npythonpath = ['.']\n")
    entry = {"file": "toy/code.py", "line": "if a > 10:", "change": "10 → 11", "reason": "for this test"}
    lines = [f"{key} = {value!r}" for key, value in entry.items()]
    Path(tmp_path, "equivalent.toml").write_text("\n".join(["[[equivalent]]", *lines]))
    run = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout.strip().splitlines()[-1]) == {
        "area: a * b → a / b": "killed",
        "area: a * b → None": "killed",
        "size: a > 10 → a <= 10": "killed",
        "size: a > 10 → a >= 10": "survived",
        "size: 10 → 11": "equivalent",
        'size: "large" → None': "survived",
        'size: "small" → None': "killed",
        "unused: a → None": "survived",
        "loop: n > 0 → n <= 0": "killed",
        "loop: n > 0 → n >= 0": "killed",
        "loop: 0 → 1": "killed",
        "loop: n -= 1 → n += 1": "timeout",
        "loop: 1 → 2": "killed",
        "loop: sleep(0.01) → pass": "survived",
        "loop: 0.01 → 0.02": "survived",
        "loop: n → None": "killed",
    }
    assert code.read_text() == textwrap.dedent(CODE)
