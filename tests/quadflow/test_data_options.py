"""A data set on the command line: what becomes of its options, and which others it contradicts."""

import json
from dataclasses import fields

import click
import numpy as np
import pytest

from dynamics import Student
from empirical.datasets import load
from quadflow import options as opt
from quadflow.cli import cli
from quadflow.commands.init import find_command
from quadflow.gallery.curves import LEARNING_CURVES
from quadflow.options.reading import build_problem

N, D = 60, 3


@pytest.fixture
def files(rng, tmp_path, monkeypatch):
    """A table with a text column, the same without it, its arrays, and weights."""
    monkeypatch.chdir(tmp_path)
    X = rng.standard_normal((N, D))
    y = 1.5 * X[:, 0] ** 2 + 0.5 * X[:, 1] ** 2
    table = np.column_stack([X, y])
    np.savetxt("my.csv", table, delimiter=",", header="a,b,c,price", comments="")
    np.savez("d.npz", X=X, y=y)
    np.save("X.npy", X)
    np.save("y.npy", y)
    np.savez("start.npz", W=np.ones((2, 2)), a=[0.5, -0.5])
    rows = [
        f"{','.join(map(repr, row))},{'east' if k % 2 else 'west'}" for k, row in enumerate(table.tolist())
    ]
    (tmp_path / "text.csv").write_text("\n".join(["a,b,c,price,side", *rows]))
    return X, y


def build(**options):
    return build_problem(opt.pick(opt.ProblemOptions, {"init_scale": 0.3, "seed": 5} | options))


def test_every_option_arrives(files, received):
    arguments = (
        "--data my.csv --target price --whiten --components 2 --classes 1,2 --split 0.25 --standardize-target"
    )
    _, given = received("empirical.datasets.loading:load", "simulate", *arguments.split(), "--seed", "5")
    assert given == {
        **{"target": "price", "whiten": True, "components": 2, "classes": "1,2", "split": 0.25},
        **{"standardize_target": True, "seed": 5, "taught": False, "classify": False},
    }


@pytest.mark.parametrize(
    "command", ["simulate", "train", "compare", "diagnose", "scope", "fixed-points", "sweep"]
)
def test_commands_that_take_data(command):
    """All options of a data set stand in their help."""
    names = {p.name for p in find_command(click.Context(cli), command).params}
    assert {field.name for field in fields(opt.DataOptions)} <= names


def test_labels_are_learned(files):
    """No teacher; as many inputs, hidden units and outputs as the data have."""
    problem = build(data="my.csv", target="price", split=0.25)
    assert not problem.teacher.given and not problem.has_modes
    assert (problem.inputs, problem.student.hidden, problem.student.outputs) == (D, D, 1)
    same = load("my.csv", target="price", split=0.25, seed=5)
    for name in ("X", "Y", "X_test", "Y_test"):
        np.testing.assert_array_equal(getattr(problem.data, name), getattr(same, name))
    start = Student.initialise(D, D, scale=0.3, seed=5)
    np.testing.assert_array_equal(problem.student.W, start.W)
    # the loss of the samples, as its definition says
    f = ((problem.data.X @ start.W.T) ** 2) @ start.A[0]
    loss = problem.population.loss(start.W, start.A)
    np.testing.assert_allclose(loss, ((problem.data.Y[:, 0] - f) ** 2).mean() / 2, rtol=1e-12)


def test_a_teacher_labels_the_inputs(files):
    X, _ = files
    for data in ("X.npy", "X.npy,y.npy", "d.npz"):
        problem = build(data=data, teacher="2,1", inputs=3, hidden=4)
        assert problem.teacher.given and problem.has_modes
        np.testing.assert_allclose(problem.data.Y[:, 0], 2 * X[:, 0] ** 2 + X[:, 1] ** 2, rtol=1e-12)
        assert problem.student.W.shape == (4, 3)


def test_weights_in_a_file_are_padded(files):
    problem = build(data="d.npz", init_file="start.npz")
    np.testing.assert_array_equal(problem.student.W, [[1, 1, 0], [1, 1, 0]])


def test_more_weights_in_a_file_than_inputs(files, quadflow):
    """Data have the inputs that they have: neither they nor their teacher are padded."""
    np.savez("wide.npz", W=np.ones((2, 4)), a=[0.5, -0.5])
    result = quadflow("simulate", "--data", "d.npz", "--teacher", "2,1", "--init-file", "wide.npz")
    assert result.status == 2
    assert "`inputs` is 3, but the student already has dimension 4" in result.err


def test_the_seed_of_a_split_has_an_effect_beside_weights(files, quadflow):
    command = ["simulate", "--data", "d.npz", "--init-file", "start.npz", "--seed", "5", "--t-end", "0.1"]
    assert "`--seed` has no effect beside `--init-file`" in quadflow(*command).err
    assert "`--seed`" not in quadflow(*command, "--split", 0.25).err


def test_what_was_changed_is_said(files, quadflow):
    np.savez("c.npz", X=np.column_stack([files[0], np.zeros(N)]), y=["no", "yes"] * (N // 2))
    result = quadflow("simulate", "--data", "c.npz", "--t-end", "0.1", "--hidden", 2, "--json")
    sentences = [
        "the labels 'no' and 'yes' of 'c.npz' are taken as −1 and +1",
        "1 column of 'c.npz' is zero in all samples to train on, and left out",
    ]
    assert set(sentences) <= set(result.json["warnings"])
    assert all(sentence in result.err for sentence in sentences)
    assert result.json["modes"] is None
    assert result.json["problem"]["data"] == "c.npz"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("simulate --data text.csv --target price", "column 'side' holds 'west' in line 2, which is no number"),
        ("simulate --data my.csv", "`target` is missing: name the column"),
        ("simulate --data d.npz --inputs 2", "`--inputs` is 2, but `--data` has 3 inputs"),
        ("simulate --data d.npz --outputs 2", "`--outputs` is 2, but a sample of `--data` has 1 label"),
        ("simulate --data d.npz --teacher 4,3,2,1", "`--teacher` '4,3,2,1' has 4 inputs, but `--data` has 3"),
        ("simulate --data d.npz --teacher-activation relu", "`--teacher-activation` is about a teacher"),
        ("simulate --data d.npz --rank 1", "`--rank` is about a teacher"),
        ("simulate --data d.npz --tolerance 0", "`--tolerance` is about a teacher"),
        ("simulate --data d.npz --symmetrize", "`--symmetrize` is about a teacher"),
        ("simulate --data d.npz --covariance S.npy", "`--covariance` says how inputs are drawn, but `--data`"),
        ("simulate --data d.npz --distribution gaussian", "`--distribution` says how inputs are drawn"),
        ("train --data d.npz --samples 60 --steps 1", "`--samples` says how inputs are drawn"),
        ("train --data d.npz --label-noise 0.1 --steps 1", "`label_noise` is 0.1, but `data` brings its labels"),
        ("simulate --teacher 2 --target y", "`--target` says how `--data` is read: give that as well"),
        ("simulate --teacher 2 --whiten", "`--whiten` says how `--data` is read"),
        ("simulate --teacher 2 --components 0", "`--components` says how `--data` is read"),
        ("simulate --teacher 2 --classes 0,1", "`--classes` says how `--data` is read"),
        ("simulate --teacher 2 --split 0.1", "`--split` says how `--data` is read"),
        ("simulate --teacher 2 --standardize-target", "`--standardize-target` says how `--data` is read"),
        ("derive --data d.npz", "`--data` is 'd.npz', but this is known only for laws of the inputs, not for data"),
        ("derive --data d.npz --format tensor", "`--data` is 'd.npz', but this is known only for"),
        ("derive --data d.npz --teacher 2,1", "`--data` is 'd.npz', but this is known only for"),
        ("figure atlas --data d.npz --teacher 2", "`--data` is 'd.npz', but this is known only for"),
        ("figure symmetric-plateau --data d.npz", "`teacher` is missing: overlaps of units"),
        ("escape --data d.npz", "`--data` is 'd.npz', but this is known only for laws of the inputs, not for data"),
        ("schedule --data d.npz", "`data` is 'd.npz', but"),
        ("staircase --data d.npz", "`data` is 'd.npz', but"),
        ("fixed-points --data d.npz", "`data` is 'd.npz', but"),
        ("fixed-points --data d.npz --symbolic", "`--data` is 'd.npz', but this is known only for"),
        ("simulate", "`--teacher` is missing"),
    ],
)  # fmt: skip
def test_what_is_refused(files, quadflow, arguments, words):
    result = quadflow(*arguments.split())
    assert (result.status, result.out) == (2, "")
    assert words in result.err
    assert result.err.startswith("quadflow: ") and result.err.count("\n") == 1


def test_figures_leave_their_teacher(files, received):
    """The demonstration's teacher and inputs go where data are given; its size of the student and times stay."""
    args, given = received("empirical.comparison:compare", "figure", "learning-curves", "--data", "d.npz")
    assert not args[0].teacher.given
    assert args[0].student.hidden == LEARNING_CURVES["hidden"]
    assert given["seeds"] == LEARNING_CURVES["seeds"]
    args, _ = received(
        "empirical.comparison:compare", "figure", "learning-curves", "--data", "d.npz", "--teacher", "3"
    )
    assert args[0].teacher.given


def test_configurations(files, received, quadflow):
    (files[0], quadflow("init", "run.toml", "--command", "compare"))
    with open("run.toml") as file:
        text = file.read()
    for name in ("data", "target", "classes", "split", "components", "whiten", "standardize-target"):
        assert f"\n#{name} = " in text
    with open("mine.toml", "w") as file:
        file.write('data = "my.csv"\ntarget = "price"\nsplit = 0.25\nwhiten = true\nclasses = [1, 2]\n')
    _, given = received("empirical.datasets.loading:load", "simulate", "--config", "mine.toml")
    assert (given["target"], given["split"], given["whiten"], given["classes"]) == (
        "price",
        0.25,
        True,
        "1,2",
    )


def test_completion(files):
    entry = next(p for p in find_command(click.Context(cli), "simulate").params if p.name == "data")
    found = entry.shell_complete(click.Context(cli), "di")
    assert [(item.value, item.type) for item in found] == [
        ("digits", "plain"),
        ("diabetes", "plain"),
        ("di", "file"),
    ]


def test_sweeps_over_data(files, received, tmp_path):
    """Files are found from other folders, and their contents are remembered; commas within a value stay."""

    def planned(*arguments):
        return received("empirical.sweep.sweeping:run_sweep", "sweep", "--hidden", "2", *arguments)[0][0]

    pair = f"{tmp_path / 'X.npy'},{tmp_path / 'y.npy'}"
    plan = planned("--data", "X.npy,y.npy", "--vary", "components=1,2")
    assert plan.options["data"] == pair
    assert {str(tmp_path / "X.npy"), str(tmp_path / "y.npy")} <= set(plan.files)
    assert [build_problem(opt.pick(opt.ProblemOptions, run.options)).inputs for run in plan.runs()] == [1, 2]
    plan = planned("--vary", "data=d.npz;X.npy,y.npy")
    assert plan.axes[0].values == (str(tmp_path / "d.npz"), pair)
    plan = planned("--data", "digits", "--components", "2", "--vary", "classes=0,1;3,8")
    assert (plan.options["data"], plan.axes[0].values) == ("digits", ("0,1", "3,8"))


def test_from_a_table_to_a_figure_in_one_command(files, quadflow, tmp_path):
    """Networks on the flow of their training set, and the figure of both."""
    command = (
        "figure learning-curves --data my.csv --target price --split 0.25 --hidden 3 --seeds 2 --t-end 1"
    )
    result = quadflow(*command.split(), "--step", "0.01")
    assert (result.status, result.err) == (0, "")
    assert (tmp_path / "learning-curves.png").read_bytes().startswith(b"\x89PNG")
    refused = quadflow(*command.replace("my.csv", "text.csv").split())
    assert refused.status == 2 and "column 'side'" in refused.err


def test_theory_on_the_samples(files, quadflow):
    """The loss at the end, and that of the samples at the weights of the file."""
    command = "simulate --data d.npz --hidden 2 --init-scale 0.5 --t-end 2 --output run.npz --json"
    result = quadflow(*command.split()).json
    X, y = files
    with np.load("run.npz") as file:
        W, a = file["W"][-1], file["A"][-1] if "A" in file else file["a"][-1]
    f = ((X @ W.T) ** 2) @ np.ravel(a)
    np.testing.assert_allclose(result["loss"][-1], ((y - f) ** 2).mean() / 2, rtol=1e-10)
    assert json.loads(json.dumps(result))["problem"]["inputs"] == D
