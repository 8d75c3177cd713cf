"""README and tour run: their commands print what they show, words and numbers; their blocks of Python execute."""

import re
import shlex

import pytest

from benchmarks.shown_commands import PAGES, README, all_chains, blocks_before, python_blocks
from quadflow.cli import run

TOUR = [page for page in PAGES if page != README and ".. python::" in page.read_text()]
LONG = ("sweep simulate", "compare", "gaussianity", "figure learning-curves")  # more than five seconds
NUMBER = re.compile(r"[-+]?\d[\d.,]*(?:e[-+]?\d+)?")
# What depends on the machine: its speed, typical durations in a column, and the size of a page that holds a library.
SPEED = re.compile(r"\d[\d.]* (?=s,|s$|MB|steps per second)|(?<=  )\d+ (?:s|min)(?=  )", re.MULTILINE)
ROUNDING = 1e-9  # below, numbers are what rounding has left: only their magnitude is that of the page
RELATIVE = 1e-2


def shown_commands():
    """Chains of commands with their shown output: a command, and those that read the files it writes."""
    for chain in all_chains():
        marks = [pytest.mark.slow] if chain[0][0].startswith(LONG) else []
        yield pytest.param(chain, id=chain[0][0][:40], marks=marks)


def differences(printed: str, shown: str) -> list[str]:
    """Where a text differs from the one shown: in its words, or in digits that do not depend on the machine.

    Whole numbers are the same, but for the evaluations of a solver, which rounding shifts: within 10 %. Others agree
    within 1 % or one unit of the last digit shown, and numbers at the level of rounding within a factor of 100.
    """
    printed, shown = (SPEED.sub("", text) for text in (printed, shown))
    if NUMBER.sub("#", printed).split() != NUMBER.sub("#", shown).split():
        return [f"the words differ: {printed!r} instead of {shown!r}"]
    pairs = zip(NUMBER.finditer(printed), NUMBER.finditer(shown), strict=True)
    return [
        f"{a.group()} instead of {b.group()} in {shown[max(0, b.start() - 30) : b.end() + 20]!r}"
        for a, b in pairs
        if not agree(a.group(), b.group(), counted=shown[b.end() :].startswith(" evaluations"))
    ]


def agree(printed: str, shown: str, *, counted: bool = False) -> bool:
    """Whether two numbers are the same to the digits that do not depend on the machine."""
    a, b = (float(text.rstrip(".,").replace(",", "")) for text in (printed, shown))
    mantissa, _, exponent = shown.rstrip(".,").partition("e")
    if not exponent and "." not in mantissa:
        return abs(a - b) <= (0.1 * b if counted else 0)
    if 0 < abs(b) < ROUNDING:
        return 0 < abs(a) < 100 * abs(b) and abs(b) < 100 * abs(a)
    last = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return abs(a - b) <= max(RELATIVE * abs(b), last * (1 + 1e-9))


@pytest.mark.parametrize("chain", list(shown_commands()))
def test_commands_print_what_pages_show(chain, capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for block in blocks_before(chain):
        exec(block, {})
    for command, output in chain:
        capfd.readouterr()
        assert run(shlex.split(command)) == 0
        assert differences(capfd.readouterr().out, output) == [], command


@pytest.mark.parametrize(
    ("printed", "shown", "same"),
    [
        ("loss 7.901e-03", "loss 7.878e-03", True),
        ("loss 7.78e-03", "loss 7.88e-03", False),
        ("modes 4, 2, 1", "modes 4, 2, 1", True),
        ("modes 4, 3, 1", "modes 4, 2, 1", False),
        ("drift 3e-13", "drift 5.97e-12", True),
        ("drift 3e-14", "drift 5.97e-12", False),
        ("drift 3e-9", "drift 5.97e-12", False),
        ("drift 0.0", "drift 5.97e-12", False),
        ("remainder +0.01%", "remainder -0.00%", True),
        ("remainder +0.02%", "remainder -0.00%", False),
        ("sampling noise -0.20%", "sampling noise +0.20%", False),
        ("LSODA: 8400 evaluations, 3.5 s, 6", "LSODA: 8384 evaluations, 0.189 s, 6", True),
        ("LSODA: 9384 evaluations, 3.5 s, 6", "LSODA: 8384 evaluations, 0.189 s, 6", False),
        ("LSODA: 8384 evaluations, 0.189 s, 5", "LSODA: 8384 evaluations, 0.189 s, 6", False),
        ("100 steps per second (all)", "2813 steps per second (all)", True),
        ("drift  5 s  Drift", "drift  2 min  Drift", True),
        ("drift  5 s  Drift", "drift  5 s  Spread", False),
        ("explorer.html: 4.1 MB, opens", "explorer.html: 5.0 MB, opens", True),
        ("t = 555.9 unit", "t = 555.222 unit", True),
        ("t = 562 unit", "t = 555.222 unit", False),
        ("saddle {0}", "minimum {0}", False),
        ("learned modes {0, 1}", "learned modes {0, 2}", False),
    ],
)
def test_what_counts_as_the_same(printed, shown, same):
    assert (differences(printed, shown) == []) is same


def test_blocks_of_the_readme_run_as_they_stand(tmp_path, monkeypatch, capsys):
    """Each alone, in an empty folder and without a name that another one has defined."""
    monkeypatch.chdir(tmp_path)
    blocks = python_blocks(README.read_text())
    assert len(blocks) >= 2
    for block in blocks:
        exec(block, {"__name__": "__main__"})
    assert {"M.csv", "mine.pdf", "my-loop.pdf"} <= {path.name for path in tmp_path.iterdir()}
    printed = capsys.readouterr().out
    assert "loss 45.5001 → " in printed
    learned = re.findall(r"t = ([\d.]+) to [\d.]+: loss (\S+), learned \(([\d, ]*)\)", printed)
    assert [modes for *_, modes in learned] == ["", "0,", "0, 1", "0, 1, 2"]
    levels = [45.5, 8, 1.25]  # L_S of λ = (4, 2, 1), in closed form: docs/learn/stages.rst
    assert [float(loss) for _, loss, _ in learned[:3]] == pytest.approx(levels, rel=0.02)
    assert learned[2][0] == "4.3"  # as the comment says
    assert "1 seed, 1000 steps" in printed


SHORTER = {"range(5001)": "range(201)", "steps=8000": "steps=400"}


@pytest.mark.parametrize("page", TOUR, ids=lambda page: page.stem)
def test_blocks_of_a_page_run_in_their_order(page, tmp_path, monkeypatch):
    """One namespace, as for a reader who types them one after the other; with fewer training steps."""
    monkeypatch.chdir(tmp_path)
    text = page.read_text()
    blocks, namespace = python_blocks(text), {}
    assert len(blocks) == text.count(".. python::")
    if page.stem == "python":
        assert all(long in text for long in SHORTER)
    for block in blocks:
        for long, short in SHORTER.items():
            block = block.replace(long, short)
        exec(block, namespace)
    if page.stem == "python":
        assert {path.name for path in tmp_path.iterdir()} == {"run.npz", "curves.pdf"}
        assert namespace["run"].steps.tolist() == [0, 100, 200]


def test_the_readme_is_short():
    assert len(README.read_text().splitlines()) <= 200


def test_what_the_readme_links_to_exists():
    """Pages, pictures and files of the repository; nothing outside is linked."""
    text = README.read_text()
    targets = re.findall(r"\]\(([^)]+)\)", text) + re.findall(r'(?:src|srcset)="([^"]+)"', text)
    assert len(targets) > 20
    assert [target for target in targets if not (README.parent / target).is_file()] == []
