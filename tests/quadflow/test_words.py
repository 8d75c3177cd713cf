"""What commands say to people: whole lines, against results of the Python calls or numbers known in closed form."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher, diagnose
from dynamics.activations import ACTIVATIONS
from dynamics.curves.stages import Stage
from dynamics.problem.levels import Level
from dynamics.stationary import fixed_points
from empirical.training_run import TrainingRun
from quadflow import results
from quadflow.commands import fixed_points as fixed_points_command
from quadflow.commands import simulate, sweep
from quadflow.commands.conserved import describe as describe_laws
from quadflow.options import complete_from, parse_numbers
from quadflow.provenance import version_of, versions
from quadflow.results import comparison_json, run_json

SMALL = "--teacher 2,1 --hidden 2 --init-scale 0.4 --seed 7"


def test_plateaus_of_a_trajectory():
    """Four digits of the times, six of the losses, the prediction where there is one."""
    stages = (
        Stage(0.0, 12.3456, 45.4999991, (), None),
        Stage(13.0, 2345678.0, 7.99, (0, 2), SimpleNamespace(loss=8.0), -0.00125),
    )
    problem = SimpleNamespace(has_modes=True)
    trajectory = SimpleNamespace(summary=lambda: "summary", stages=stages, problem=problem, times=[0.0])
    assert simulate.describe(trajectory).split("\n") == [
        "summary",
        "plateau  t = 0 … 12.35  loss 45.5  learned modes {}",
        "plateau  t = 13 … 2.346e+06  loss 7.99  (predicted 8)  learned modes {0, 2}",
    ]
    problem.has_modes = False
    assert simulate.describe(trajectory).split("\n")[1] == "plateau  t = 0 … 12.35  loss 45.5"
    assert [results.stage_json(stage) for stage in stages] == [
        {"start": 0.0, "end": 12.3456, "loss": 45.4999991, "learned_modes": ()},
        {
            **{"start": 13.0, "end": 2345678.0, "loss": 7.99, "learned_modes": (0, 2)},
            **{"predicted_loss": 8.0, "deviation": -0.00125},
        },
    ]


def test_json_of_a_trajectory():
    """Everything that the solver reports, the problem, and units' drift by definition."""
    flow = GradientFlow(Teacher.from_eigenvalues([2, 1]), Student.initialise(2, 2, scale=0.4, seed=7))
    run = flow.integrate(times=[0, 0.5, 1.0], rtol=1e-8, atol=1e-10)
    found = results.trajectory_json(run)
    s = run.solver
    assert found["solver"] == {
        **{"method": s.method, "evaluations": s.evaluations, "jacobian_evaluations": s.jacobian_evaluations},
        **{"seconds": s.seconds, "reduced_dimension": 2, "rtol": 1e-8, "atol": 1e-10},
        **{"status": s.status, "time_reached": 1.0},
    }
    c = (run.W**2).sum(axis=2) - 2 * run.a**2
    np.testing.assert_allclose(found["conserved"]["initial"], c[0])
    np.testing.assert_allclose(found["conserved"]["drift"], np.abs(c - c[0]).max(axis=0), atol=1e-15)
    assert found["warnings"] == []
    assert "loss_std" not in found


@pytest.mark.parametrize(
    ("arguments", "warnings"),
    [
        ([], []),
        (
            ["--sgd", "--step", "1e-3"],
            ["real descent does not conserve c_k: its drift is predicted, no error"],
        ),
        (
            ["--second-layer", "fixed"],
            ["the second layer is fixed: c_k is no constant of this flow, and its drift no error"],
        ),
    ],
)
def test_warnings_of_simulate(quadflow, arguments, warnings):
    result = quadflow("simulate", *SMALL.split(), "--times", "0,0.5", *arguments, "--json").json
    assert result["warnings"] == warnings


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            "--sgd --step 1e-3 --momentum 0.5",
            "`--momentum` is 0.5, but the theory of `--sgd` is of plain SGD.",
        ),
        ("--sgd", "`--sgd` needs the learning rate `--step`."),
        ("--correction modified", "`--correction modified` needs the learning rate `--step`."),
        ("--batch 3", "`--batch` belongs to `--sgd`: give that as well."),
        ("--label-noise 0.1", "`--label-noise` belongs to `--sgd`: give that as well."),
        ("--correction modified --step 1e-3 --batch 3", "`--batch` belongs to `--sgd`: give that as well."),
        (
            "--momentum 0.1",
            "`--momentum` belongs to `--correction modified`: give that as well.",
        ),
    ],
)
def test_options_of_another_theory(quadflow, arguments, words):
    result = quadflow("simulate", *SMALL.split(), *arguments.split())
    assert (result.status, result.err) == (2, f"quadflow: {words}\n")


def test_json_of_a_run_that_is_not_ours():
    """Its speed is not known."""
    c, A = np.array([[[1.0, 2.0], [1.5, 2.0]]]), np.ones((1, 2, 1, 2))
    run = TrainingRun(np.arange(2), np.arange(2.0), np.ones((1, 2)), np.ones((1, 2, 1)), c, None, A, "x")
    found = run_json(run)
    assert found["steps_per_second"] is None
    assert found["conserved_drift"] == 0.5
    run = replace(run, about={"steps_per_second": 7.0})
    assert run_json(run)["steps_per_second"] == 7


def test_compare_says_what_it_does_not_know(quadflow):
    """The error bar of one network on mini-batches, and nothing where it is known."""
    options = [*SMALL.split(), "--steps", "4", "--step", "5e-3", "--batch", "8", "--records", "3", "--json"]
    alone = quadflow("compare", *options, "--samples", "16").json
    assert alone["warnings"][0] == "the error bar of the gap is unknown: it takes several seeds"
    known = quadflow("compare", *options)
    assert known.json["warnings"] == []
    gap = known.json["gap"]
    first = gap["curves"]["flow"][0]
    parts = np.diff(
        [gap["curves"][n] for n in ("flow", "discretised", "on_data", "with_noise", "measured")], axis=0
    )
    for name, part in zip(
        ("discretisation", "finite_data", "sampling_noise", "remainder"), parts, strict=True
    ):
        assert gap[name] == pytest.approx(np.abs(part).max() / first, abs=1e-15)
    assert known.json["times"] == known.json["training"]["times"]


def test_warnings_of_both_sides_are_told_together():
    side = {"warnings": ["a"]}
    comparison = SimpleNamespace(
        trajectory=None, run=SimpleNamespace(times=[0], steps=[0], about={}), relative_error={}, initial_loss=1.0,
        theory="flow", gap=SimpleNamespace(error_bar=np.array([0.0, np.nan])),
    )  # fmt: skip
    import quadflow.results as module

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "trajectory_json", lambda _: side)
        patch.setattr(module, "run_json", lambda _: {"warnings": ["b"]})
        patch.setattr(module, "gap_json", lambda *_: {})
        found = comparison_json(comparison)["warnings"]
    assert found == ["a", "b", "the error bar of the gap is unknown: it takes several seeds"]


def test_length_of_a_comparison_is_said_once(quadflow):
    for arguments, words in (
        ([], "The length of training is missing: give `--steps` or `--t-end`."),
        (
            ["--steps", "3", "--t-end", "1"],
            "`--steps` and `--t-end` both say how long to train: give one of them.",
        ),
    ):
        result = quadflow("compare", *SMALL.split(), *arguments)
        assert (result.status, result.err) == (2, f"quadflow: {words}\n")


def test_laws_in_words():
    """Exact or a bound; how many of them were found; special ones, or none."""
    report = {"parameters": 6, "lie_algebra_dimension": 4, "count": 2, "exact": True, "laws": ["a", "b"]}
    assert describe_laws(report).split("\n") == [
        "6 parameters, Lie algebra of dimension 4: 2 independent laws (exact)",
        "  a",
        "  b",
    ]
    bound = report | {"exact": False, "count": 3, "special_laws": []}
    assert describe_laws(bound).split("\n") == [
        "6 parameters, Lie algebra of dimension 4: at most 3 independent laws",
        "  a",
        "  b",
        "  (2 of them found)",
        "special to this teacher: none",
    ]
    found = report | {"exact": False, "special_laws": ["c"]}
    assert describe_laws(found).split("\n")[3:] == ["special to this teacher: ", "  c"]


def test_a_scope_in_words(quadflow):
    """One line for each command, in columns as wide as the longest entry: command, status and reason of the table."""
    arguments = ["scope", "--teacher", "4,2,1", "--activation", "relu"]
    lines, rows = quadflow(*arguments).out.splitlines(), quadflow(*arguments, "--json").json["scope"]
    first, second = (max(len(row[name]) for row in rows) + 2 for name in ("command", "status"))
    assert len(lines) == len(rows) > 5
    for line, row in zip(lines, rows, strict=True):
        columns = line[:first], line[first : first + second], line[first + second :]
        assert [column.rstrip() for column in columns] == [row["command"], row["status"], row["reason"]]
        assert columns[2] == row["reason"]


def test_special_laws_are_of_one_output(quadflow, tmp_path):
    """Whether the teacher has several, or they are asked for."""
    np.savez(tmp_path / "two.npz", V=np.eye(2), b=np.ones((2, 2)))
    for arguments in (["--teacher", tmp_path / "two.npz"], ["--teacher", "2,1", "--outputs", "2"]):
        result = quadflow("conserved", *arguments)
        assert result.status == 2
        assert "looks for special laws of one output, but there are several" in result.err


def test_stationary_points_in_words():
    """The table, what is surprising, and what a search, a proof and the graph added."""
    catalogue = fixed_points(Teacher.from_eigenvalues([2, -1.9]), hidden=1)
    result = {
        "fixed_points": [{"certified": True, "radius": 1e-17}, {"certified": True, "radius": 3e-16}, {}],
        "search": {
            **{"converged": 4, "starts": 5, "matched": 3, "beyond": 0},
            "unmatched": [{"loss": 1.23456789, "index": 2, "kind": "saddle"}],
        },
        "connections": [{"from": [], "to": [0]}, {"from": [0], "to": [0, 1]}],
        "warnings": [],
    }
    lines = fixed_points_command.describe(catalogue, result).split("\n")
    table = catalogue.summary().split("\n")
    assert lines[: len(table)] == table
    assert lines[len(table) :] == [
        "{1} is a spurious minimum: Modes {0} can only be learned by a unit with positive a, but there is none.",
        "search: 4 of 5 starts converged, 3 on predicted levels",
        "  not predicted: loss 1.23457, index 2, saddle",
        "certified: 2 points, each within 3.0e-16 of its representative",
        "{} → {0}",
        "{0} → {0, 1}",
    ]
    plain_ = fixed_points_command.describe(
        catalogue, {"fixed_points": [{"certified": False, "radius": None}], "warnings": []}
    )
    assert len(plain_.split("\n")) == len(table) + 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--teacher 2,1 --symbolic --report x.html", "does not go with it"),
        ("--teacher 2,1 --representative 0", "need each other"),
        ("--teacher 2,1 --output x.npz", "need each other"),
        ("--teacher 2,1 --activation relu --search 2 --output x.tex", "written as .json only"),
        ("--teacher 2,1 --activation relu --search 2 --graph", "`--graph` needs the catalogue"),
        ("--teacher 2,1 --activation relu --search 2 --lowest 1", "`--lowest` needs the catalogue"),
        ("--teacher 2,1 --activation relu --search 2 --signs +", "`--signs` needs the catalogue"),
        ("--teacher 2,1 --activation relu --search 2 --representative 0", "`--representative` needs the"),
    ],
)
def test_what_does_not_go_together(quadflow, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    result = quadflow("fixed-points", *arguments.split())
    assert result.status == 2
    assert words in result.err
    assert not list(tmp_path.iterdir())


def test_representatives(quadflow, tmp_path):
    """Weights at the point of these modes: M = W ᵀ diag(a) W has the learned values in them; none is the origin."""
    path = tmp_path / "x.npz"
    arguments = ["fixed-points", "--teacher", "4,2,1", "--hidden", "3", "--output", path, "--representative"]
    for modes, expected in (("0", [4.0 + 3 / 3, 0, 0]), ("", [0, 0, 0]), ("0,2", [4 + 2 / 4, 0, 1 + 2 / 4])):
        assert quadflow(*arguments, modes).status == 0
        with np.load(path) as file:
            M = (file["W"].T * file["a"]) @ file["W"]
        np.testing.assert_allclose(
            M, np.diag(expected), atol=1e-12
        )  # μ_j = λ_j + T/(r + 2), T what is not learned


def test_symbolic_points_in_words(quadflow):
    lines = quadflow("fixed-points", "--teacher", "2,1", "--symbolic").out.splitlines()
    assert "{0}: L = 4*lambda_1**2/3, learned values [lambda_0 + lambda_1/3]" in lines
    assert lines[0].startswith("{}: L = ")
    assert len(lines) == 4
    result = quadflow("fixed-points", "--teacher", "2,1", "--symbolic", "--json").json["fixed_points"]
    (point,) = [p for p in result if p["learned_modes"] == [0]]
    assert point == {
        **{"learned_modes": [0], "learned_values": ["lambda_0 + lambda_1/3"]},
        **{"residual_trace": "lambda_1", "loss": "4*lambda_1**2/3"},
    }


@pytest.fixture
def swept():
    failures = [
        {"kind": "train", "hidden": n, "step": 1 / 3, "replicate": 0, "reason": f"no {n}"} for n in range(7)
    ]
    return {
        **{"output": "s.nc", "runs": 9, "done": 2, "failed": 7, "failures": failures},
        "dimensions": {"hidden": 7, "replicate": 1},
    }


def test_a_sweep_in_words(swept):
    """Five failures at most, with their places; then how many more."""
    assert sweep.describe(swept).split("\n") == [
        "2 of 9 runs done, 7 failed",
        "dimensions: hidden 7, replicate 1",
        *(f"failed: kind=train, hidden={n}, step=0.3333, replicate=0: no {n}" for n in range(5)),
        "… and 2 more: see the variables *_reason",
        "written: s.nc",
    ]
    few = swept | {"failed": 5, "failures": swept["failures"][:5]}
    assert len(sweep.describe(few).split("\n")) == 8


def test_figures_say_where_they_are(quadflow, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = quadflow("figure", "neuron-functions", "--inputs", "2")
    assert (result.status, result.out) == (0, "written: neuron-functions.png\n")
    listed = quadflow("figure", "--list").out.splitlines()
    assert len(listed) >= 23
    names = [line[:20].strip() for line in listed]
    assert names == sorted(names)
    assert all(line[20] == " " and line[21:].strip() for line in listed)


def test_a_staircase_without_jumps_is_no_figure(quadflow, tmp_path):
    """One unit with a < 0 that cannot learn λ > 0."""
    np.savez(tmp_path / "w.npz", W=[[0.01]], a=[-0.5])
    arguments = [
        "--teacher",
        "1",
        "--init-file",
        tmp_path / "w.npz",
        "--hidden",
        "1",
        "--output",
        tmp_path / "x.png",
    ]
    result = quadflow("figure", "staircase", *arguments)
    assert result.status == 2
    assert "Nothing to draw: from these initial weights no jump follows" in result.err


def test_versions_of_what_took_part(monkeypatch):
    import sys

    found = versions()
    assert list(found)[:2] == ["quadflow", "python"]
    assert found["numpy"] == np.__version__
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert "torch" not in versions()
    assert version_of("no-such-distribution") == "not installed"


def test_numbers_and_names():
    assert parse_numbers("--x", "1,-2.5,1e3") == [1.0, -2.5, 1000.0]
    complete = complete_from("dynamics.activations", "ACTIVATIONS")
    assert complete(None, None, "") == list(ACTIVATIONS)
    assert complete(None, None, "re") == ["relu", "relu2"]


def test_levels_are_not_shared_between_results():
    """The JSON of a stage has its level's height, not the level."""
    level = Level((0,), (1.0,), 0.0, 2.0)
    assert "level" not in json.dumps(results.stage_json(Stage(0, 1, 2.0, (0,), level, 0.0)))


def test_which_modes_the_teacher_ignores():
    """λ = (3, −1) in five dimensions: modes 1, 2 and 3; said where a point learns one of them, and only there."""
    teacher = Teacher.from_eigenvalues([3, -1], 5)
    said = "modes {1–3} have the eigenvalue 0: the teacher ignores them"
    lines = fixed_points_command.describe(
        fixed_points(teacher, 3), {"fixed_points": [], "warnings": []}
    ).split("\n")
    assert said in lines
    few = fixed_points(teacher, 3, lowest=1)
    assert said not in fixed_points_command.describe(few, {"fixed_points": [], "warnings": []})


def test_fifty_modes_fill_no_line():
    """Set by set and number by number: whatever a command prints of λ_j = 1/j, j = 1 … 50, stays on a line."""
    teacher = Teacher.power_law(1.0, 50)
    learned = Student(teacher.V, teacher.B)
    trajectory = GradientFlow(teacher, learned).integrate(times=[0.0, 1.0])
    lowest = fixed_points(teacher, 50, lowest=3)
    assert [row[1] for row in lowest._rows()] == ["{0–49}", "{0–48}", "{0–47, 49}"]
    texts = [trajectory.summary(), repr(teacher), lowest.summary()]
    assert max(len(line) for text in texts for line in text.split("\n")) < 160
    assert "0.02 (50 in all)" in texts[0]
    found = diagnose(Problem(teacher, Student.initialise(50, 50, seed=0)), follow=False)
    assert len(found.possible_losses) > 20
    assert f"{found.possible_losses[-1]:.6g} ({len(found.possible_losses)} in all)" in found.reason
