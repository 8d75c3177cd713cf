"""A sweep before and after it runs: axes and plans from text, single runs, and what is drawn from its file."""

import hashlib
import json
from types import SimpleNamespace

import pytest

from dynamics import ProblemError
from dynamics.errors import ComputationError
from dynamics.requests import alone
from empirical.sweep.drawing import default_value
from empirical.sweep.grid import Run
from quadflow.commands.report import read_sweep
from quadflow.commands.sweep import command
from quadflow.sweeps.plan import build_plan, parse_axis
from quadflow.sweeps.run import KINDS, evaluate

KNOWN = {"weight_decay", "init_scale", "hidden", "batch", "teacher", "init", "times", "no_follow"}
KNOWN |= {"activation", "teacher_activation"}
FORMS = "must be NAME=START:STOP:COUNT, the same with :log, or NAME=V1,V2,…"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("init-scale=2:18:3:log", (2.0, 6.0, 18.0)),
        ("init-scale=-1:1:3:linear", (-1.0, 0.0, 1.0)),
        ("hidden=3:3:1", (3,)),
        ("init-scale=0.5", (0.5,)),
        ("times=0,1;0,2", ("0,1", "0,2")),
        ("weight-decay=0:0.4:3", (0.0, 0.2, 0.4)),
        ("weight-decay=0.1,0.2", (0.1, 0.2)),
        ("weight-decay=0.1;0.1,0.2", ("0.1", "0.1,0.2")),
        (" init = a , b ", ("a", "b")),
        ("activation=erf, polynomial:0,1,-.5,tanh", ("erf", "polynomial:0,1,-.5", "tanh")),
        ("teacher-activation=leaky-relu:0.1,hermite:3", ("leaky-relu:0.1", "hermite:3")),
        ("activation=tanh,0.1", ("tanh", "0.1")),
    ],
)
def test_values(text, values):
    found = parse_axis(text, command, KNOWN).values
    assert found == (pytest.approx(values) if isinstance(values[0], float) else values)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hidden", FORMS),
        ("hidden=", FORMS),
        ("hidden=a,b", "needs whole numbers separated by commas."),
        ("hidden=1.5", "needs whole numbers separated by commas."),
        ("init-scale=a", "needs numbers separated by commas."),
        ("hidden=1:2", "a range is START:STOP:COUNT, or that with :log."),
        ("hidden=1:2:x", "a range is START:STOP:COUNT, or that with :log."),
        ("hidden=1:2:3:cubic", "after the count only linear or log can stand."),
        ("hidden=1:2:3:log:4", "after the count only linear or log can stand."),
        *(
            (text, "needs a count of at least 1, finite ends, and positive ones for log.")
            for text in ("hidden=1:2:0", "init-scale=inf:1:3", "init-scale=1:nan:3", "init-scale=0:1:3:log")
        ),
        ("init-scale=1:-1:3:log", "needs a count of at least 1, finite ends, and positive ones for log."),
    ],
)
def test_axes_that_are_refused(text, words):
    with pytest.raises(ProblemError) as refused:
        parse_axis(text, command, KNOWN)
    assert str(refused.value) == f"`--vary` is {text!r}, but {words}"


@pytest.mark.parametrize(
    ("text", "label", "hint"),
    [
        ("hiden=1", "hiden", " Did you mean 'hidden'?"),
        ("no-follow=1", "no-follow", ""),
        ("seeds=1", "seeds", ""),
    ],
)
def test_what_cannot_be_varied(text, label, hint):
    """Flags, and options of other kinds of runs."""
    with pytest.raises(ProblemError) as refused:
        parse_axis(text, command, KNOWN)
    assert str(refused.value) == (
        f"`--vary` names {label!r}.{hint} These can be varied: activation, batch, hidden, init, init-scale, teacher, "
        "teacher-activation, times, weight-decay."
    )


def plan(kinds, vary, *arguments):
    options = command.make_context("sweep", [*arguments], resilient_parsing=True).params
    return build_plan(command, kinds, vary, 3, True, options)


def test_a_plan_names_its_files_in_full(tmp_path, monkeypatch):
    """Workers may run elsewhere; what the files hold is part of the sweep. Only options of its kinds are."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "M.csv").write_text("2,0\n0,1\n")
    (tmp_path / "N.csv").write_text("3,0\n0,1\n")
    (tmp_path / "S.csv").write_text("1,0\n0,2\n")
    found = plan(
        ("simulate",), ["teacher=M.csv;N.csv;2,1", "hidden=1,2"], "--covariance", "S.csv", "--seed", "5"
    )
    assert [(axis.name, axis.values) for axis in found.axes] == [
        ("teacher", (str(tmp_path / "M.csv"), str(tmp_path / "N.csv"), "2,1")),
        ("hidden", (1, 2)),
    ]
    assert found.options["covariance"] == str(tmp_path / "S.csv")
    assert (found.kinds, found.replicates, found.seed, found.same_seeds) == (("simulate",), 3, 5, True)
    assert found.files == {
        str(tmp_path / name): hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        for name in ("M.csv", "N.csv", "S.csv")
    }
    assert "sgd" in found.options and not {"seeds", "no_follow", "vary", "output"} & found.options.keys()
    assert plan(("train",), [], "--teacher", "2,1", "--steps", "3").options["seeds"] == 1


def test_one_problem_of_a_plan_is_enough():
    """Points that cannot be built fail later, one by one; if none can, the first says why."""
    assert plan(("simulate",), ["inputs=1,2"], "--teacher", "2,1")
    with pytest.raises(ProblemError, match="has 2 eigenvalues, but only 1 inputs"):
        plan(("simulate",), ["inputs=1,0"], "--teacher", "2,1")
    with pytest.raises(ProblemError) as refused:
        plan(("simulate", "draw"), [], "--teacher", "2,1")
    assert (
        str(refused.value) == "`kinds` has 'draw', but must be some of: simulate, train, compare, diagnose."
    )


@pytest.mark.parametrize("no_follow", [True, False])
def test_a_run_of_diagnose(monkeypatch, no_follow):
    def keep(problem, **arguments):
        raise ComputationError(f"{problem.student.hidden} {arguments}")

    monkeypatch.setattr("dynamics.outcome.diagnosis.diagnosing", keep)
    options = command.make_context("sweep", ["--teacher", "2,1"], resilient_parsing=True).params
    with pytest.raises(ComputationError) as reached:
        alone(evaluate(Run(0, "diagnose", options | {"no_follow": no_follow})))
    assert str(reached.value) == f"2 {{'follow': {not no_follow}}}"


def test_a_run_is_given_the_options_of_its_command_alone(monkeypatch):
    seen = []
    monkeypatch.setitem(KINDS, "compare", seen.append)
    options = command.make_context("sweep", ["--teacher", "2,1"], resilient_parsing=True).params
    alone(evaluate(Run(0, "compare", options)))
    (given,) = seen
    assert {"teacher", "seed", "steps", "sgd"} <= given.keys()
    assert not {"output", "vary", "no_follow", "until_loss"} & given.keys()


def test_a_run_of_compare_is_silent(monkeypatch):
    """The sweep has its own progress."""
    seen = []
    monkeypatch.setattr(
        "quadflow.options.run_comparison", lambda *args, **kwargs: seen.append((args, kwargs))
    )
    monkeypatch.setattr("empirical.sweep.results.of_comparison", lambda found: {"found": found})
    arguments = ["--teacher", "2,1", "--steps", "7", "--times", "1,2", "--sgd", "--rtol", "1e-5"]
    options = command.make_context("sweep", arguments, resilient_parsing=True).params
    assert alone(evaluate(Run(0, "compare", options))) == {"found": None}
    (((given,), named),) = seen
    assert named == {"progress": False}
    assert (given.problem.teacher, given.training.steps, given.comparison.times) == ("2,1", 7, "1,2")
    assert (given.theory.sgd, given.solver.rtol) == (True, 1e-5)


class Swept:
    """As much of a data set as the figure looks at before it is read."""

    def __init__(self, *names, dims=("replicate", "init_scale", "hidden", "batch")):
        self.data_vars, self.dims = names, dims

    def __contains__(self, name):
        return name in self.data_vars

    def __getitem__(self, name):
        assert name == "run_seed"
        return SimpleNamespace(dims=self.dims)


MAP, CURVES = "empirical.sweep.drawing:sweep_map", "empirical.sweep.drawing:sweep_curves"


@pytest.mark.parametrize(
    ("arguments", "target", "positional", "named"),
    [
        ([], MAP, ("init_scale", "hidden", "diagnose_success"), {"below": None, "chosen": {}}),
        (["--x", "hidden"], MAP, ("hidden", "init_scale", "diagnose_success"), {}),
        (["--y", "init-scale"], MAP, ("hidden", "init_scale", "diagnose_success"), {}),
        (["--x", "batch", "--y", "hidden"], MAP, ("batch", "hidden", "diagnose_success"), {}),
        (["--value", "v", "--below", "0.5"], MAP, ("init_scale", "hidden", "v"), {"below": 0.5}),
        (["--select", " init-scale = 0.1 "], MAP, ("hidden", "batch", "diagnose_success"),
         {"chosen": {"init_scale": "0.1"}}),
        (["--select", "init-scale=1", "--select", "batch=2"], CURVES, ("hidden", "diagnose_success"),
         {"curves": None, "fit": False, "below": None, "chosen": {"init_scale": "1", "batch": "2"}}),
        (["--curves", "init-scale", "--below", "2"], CURVES, ("hidden", "diagnose_success"),
         {"curves": "init_scale", "fit": False, "below": 2.0, "chosen": {}}),
        (["--fit"], CURVES, ("init_scale", "diagnose_success"), {"curves": None, "fit": True}),
    ],
)  # fmt: skip
def test_what_a_figure_of_a_sweep_shows(
    received, monkeypatch, tmp_path, arguments, target, positional, named
):
    """What is not named is taken in the order of the file; what is selected is no axis."""
    dataset = Swept("diagnose_verdict", "simulate_final_loss")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("empirical.sweep.drawing.read_dataset", lambda file: dataset)
    args, kwargs = received(target, "figure", "sweep", "s.nc", *arguments)
    assert args == (dataset, *positional)
    assert named.items() <= kwargs.items()


def test_replicates_alone_are_no_axis(quadflow, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("empirical.sweep.drawing.read_dataset", lambda file: Swept("x", dims=("replicate",)))
    result = quadflow("figure", "sweep", "s.nc")
    assert result.status == 2
    assert result.err == (
        "quadflow: 's.nc' holds a sweep of replicates only, with no option varied to draw against.\n"
    )


def test_what_is_shown_by_default():
    """Success where it was diagnosed, else the first final loss of the file."""
    assert default_value(Swept("train_final_loss", "diagnose_verdict")) == "diagnose_success"
    assert default_value(Swept("x", "train_final_loss", "simulate_final_loss")) == "train_final_loss"
    with pytest.raises(ProblemError, match="No run of this sweep was done: there is nothing to draw"):
        default_value(Swept("x", "final_loss_of_x"))


@pytest.mark.parametrize(
    ("recorded", "shown"), [([{"numpy": "1"}, {"numpy": "2"}], {"numpy": "1"}), ([], {})]
)
def test_versions_of_a_sweep(monkeypatch, recorded, shown):
    """Those with which it began; a report does not say that itself made the numbers."""
    dataset = SimpleNamespace(attrs={"versions": json.dumps(recorded)})
    monkeypatch.setattr("empirical.sweep.dataset.read_dataset", lambda file: dataset)
    monkeypatch.setattr(
        "quadflow.results.sweep_report_json",
        lambda given, path: {"grid": [given is dataset, path], "command": "this one", "versions": "mine"},
    )
    assert read_sweep("s.nc") == {"grid": [True, "s.nc"], "command": "", "versions": shown}


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [(KeyboardInterrupt(), 130, "Interrupted."), (ComputationError("lost"), 1, "lost")],
)
def test_an_interrupted_sweep_says_how_to_go_on(quadflow, monkeypatch, tmp_path, error, status, line):
    from empirical.sweep.sweeping import pieces_path

    def stop(*_, **__):
        raise error

    output = str(tmp_path / "s.nc")
    monkeypatch.setattr("empirical.sweep.sweeping.run_sweep", stop)
    monkeypatch.setattr(
        "empirical.sweep.sweeping.finished_runs", lambda plan, path: f"{len(plan)}, {path == output}"
    )
    result = quadflow("sweep", "--teacher", "2,1", "--vary", "hidden=1,2,3", "--output", output)
    assert (result.status, result.out) == (status, "")
    assert [told for told in result.err.split("\n") if told] == [  # click ends the line that holds ^C
        f"quadflow: 3, True of 3 runs are in {pieces_path(output)}; continue with --resume.",
        f"quadflow: {line}",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--workers", "-1"], "`workers` is -1, but must be at least 0."),
        (
            ["--workers", "0", "--scheduler", "x"],
            "`--workers` is for this machine, `--scheduler` for another cluster: give one of them.",
        ),
    ],
)
def test_who_computes_a_sweep(quadflow, received, monkeypatch, tmp_path, arguments, words):
    """No worker means this process; who computes elsewhere has none here."""
    monkeypatch.chdir(tmp_path)
    result = quadflow("sweep", "--teacher", "2,1", *arguments)
    assert (result.status, result.err) == (2, f"quadflow: {words}\n")
    for workers in (0, 1):
        _, kwargs = received(
            "empirical.sweep.sweeping:run_sweep", "sweep", "--teacher", "2,1", "--workers", workers
        )
        assert kwargs["workers"] == workers
