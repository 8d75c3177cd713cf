"""`--init-order`, `--init-form` and `--mean-field`: the curve of the weights that they stand for, or one sentence."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dynamics import GradientFlow, MeanSGD, Problem, Student, Teacher

W = np.random.default_rng(0).standard_normal((2, 5)) * 0.3
V = np.array([[1.0, 0, 0, 0, 0], [0, 1.0, 0, 0, 0]])
A = [0.5, -0.4]
ORDER = {"Q": W @ W.T, "R": W @ V.T}
TIMES = ["--times", "0,0.3,1", "--json"]


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Order parameters of two units and two directions, alone and with more; the weights; a form; a teacher matrix."""
    monkeypatch.chdir(tmp_path)
    np.savez("order.npz", **ORDER, a=A)
    np.savez("alone.npz", **ORDER)
    np.savez("with_P.npz", **ORDER, P=V @ V.T, a=A)
    np.savez("whole.npz", **ORDER, P=V @ V.T, a=A, b=[2.0, 1.0])
    np.savez("single.npz", **{name: X.astype(np.float32) for name, X in ORDER.items()}, a=A)
    np.savez("other_P.npz", **ORDER, P=2 * np.eye(2), a=A)
    np.savez("far.npz", Q=ORDER["Q"], R=ORDER["R"] + 5, a=A)
    np.savez("short.npz", Q=ORDER["Q"], R=ORDER["R"][:, :1], a=A)
    np.savez("start.npz", W=W, a=A)
    np.savez(
        "network.npz", V=V @ np.linalg.qr(np.random.default_rng(3).standard_normal((5, 5)))[0], b=[2.0, 1.0]
    )
    np.save("teacher.npy", np.diag([1.0, 2.0, 0]))
    np.save("form.npy", np.diag([0.1, 0.2, 0.01]))
    np.savetxt("form.csv", np.diag([0.1, 0.2, 0.01]), delimiter=",")
    np.save("stack.npy", np.stack([np.diag([1.0, 2.0]), np.eye(2)]))


@pytest.fixture
def expected(quadflow, files):
    """The curve of the weights themselves."""
    return quadflow("simulate", "--teacher", "2,1", "--init-file", "start.npz", *TIMES).json


@pytest.mark.parametrize(
    "arguments",
    [
        "--teacher 2,1 --init-order order.npz",
        "--teacher 2,1 --init-order with_P.npz --inputs 9",
        "--teacher 2,1 --init-order order.npz --inputs 1000000",
        "--init-order whole.npz",
        "--init-order whole.npz --inputs 40",
        "--teacher network.npz --init-order order.npz",
        "--teacher network.npz --init-order order.npz --inputs 5",
        "--teacher 2,1 --init-order single.npz",
    ],
)
def test_the_curve_is_that_of_the_weights(quadflow, expected, arguments):
    """Whoever brings the teacher, and however many inputs there are: Gaussian theory sees the overlaps alone."""
    found = quadflow("simulate", *arguments.split(), *TIMES).json
    tolerance = 1e-5 if "single" in arguments else 1e-7
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=tolerance)
    np.testing.assert_allclose(found["modes"], expected["modes"], rtol=tolerance, atol=tolerance)
    inputs = arguments.split("--inputs ")[1:]
    assert found["problem"]["inputs"] == (int(inputs[0]) if inputs else 5 if "network" in arguments else 4)


@pytest.mark.parametrize(
    "more", ["--loss log-cosh", "--constraint sphere", "--weight-decay 0.3", "--activation erf"]
)
def test_other_ingredients_are_those_of_the_problem(quadflow, files, more):
    """Losses, constraints, decay and activations: the curve is that of the weights themselves."""
    curves = [
        quadflow("simulate", "--teacher", "2,1", *start.split(), *more.split(), *TIMES).json["loss"]
        for start in ("--init-order order.npz", "--init-file start.npz")
    ]
    np.testing.assert_allclose(*curves, rtol=1e-6)


def test_directions_of_a_matrix_are_its_eigenvectors(quadflow, files, expected):
    """Largest eigenvalue first, as modes are: diag(1, 2, 0) has e_2, e_1."""
    found = quadflow("simulate", "--teacher", "teacher.npy", "--init-order", "order.npz", *TIMES).json
    np.testing.assert_allclose(found["modes"], expected["modes"], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("command", ["diagnose", "scope", "train --steps 3 --inputs 7", "compare --steps 3"])
def test_other_commands_take_it_too(quadflow, files, command):
    """Training pads the weights to all inputs, and starts at the loss of the order parameters."""
    name, *rest = command.split()
    start = ["--teacher", "2,1", "--init-order", "order.npz"]
    found = quadflow(name, *start, *rest, "--json").json
    if name == "train":
        D = np.diag([2.0, 1, 0, 0, 0]) - (W.T * A) @ W
        assert found["loss"][0][0] == pytest.approx(np.sum(D**2) + np.trace(D) ** 2 / 2, rel=1e-6)
        assert found["problem"]["inputs"] == 7


def test_sgd_in_a_million_inputs(files):
    """The mean of SGD depends on d, and not on the inputs that weights are stored in: in a process of 1.5 GB."""
    d, step = 1_000_000, 1e-7
    command = (
        f"simulate --teacher 2,1 --init-order order.npz --inputs {d} --sgd --step {step} --label-noise 0.1"
    )
    limit = lambda: resource.setrlimit(resource.RLIMIT_DATA, (1_500_000_000,) * 2)  # noqa: E731
    run = subprocess.run(
        [sys.executable, "-m", "quadflow", *command.split(), *TIMES],
        capture_output=True,
        text=True,
        preexec_fn=limit,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    small = Problem(Teacher(V, [2.0, 1.0]), Student(W, A), dimension=d)
    theory = MeanSGD(small, step, label_noise=0.1).integrate(times=[0, 0.3, 1])
    np.testing.assert_allclose(found["loss"], theory.loss, rtol=1e-6)
    flow = GradientFlow(small).integrate(times=[0, 0.3, 1])
    assert abs(found["loss"][-1] / flow.loss[-1] - 1) > 0.01  # of order ηd
    assert found["problem"]["inputs"] == d


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--teacher 2,1 --init-order alone.npz", "has no second layer `a`"),
        (
            "--init-order order.npz",
            "`--teacher` is missing, and `--init-order` 'order.npz' has no `P` and `b`",
        ),
        (
            "--teacher 2,1 --init-order whole.npz",
            "has the second layer `b` of a teacher, but `--teacher` is given",
        ),
        (
            "--teacher 2,1 --init-order other_P.npz",
            "has overlaps `P` of teacher directions that are not those",
        ),
        (
            "--teacher 3,2,1 --init-order with_P.npz",
            "has overlaps `P` of teacher directions that are not those",
        ),
        ("--teacher 2,1 --init-order far.npz", "'far.npz': `R` has 5.0"),
        ("--teacher 2,1 --init-order short.npz", "2 hidden units and 2 teacher directions need (2, 2)"),
        (
            "--teacher 2,1 --init-order order.npz --inputs 3",
            "need 2 dimensions beside the teacher's directions, but",
        ),
        ("--teacher 2,1 --init-order order.npz --inputs 1", "2 eigenvalues, but only 1 inputs"),
        ("--teacher 2,1 --init-order order.npz --inputs 0", "`inputs` is 0"),
        (
            "--teacher 2,1 --init-order order.npz --hidden 3",
            "`--hidden` is 3, but `--init-order` 'order.npz' has 2",
        ),
        (
            "--teacher 2,1 --init-order order.npz --init-file start.npz",
            "`--init-file` and `--init-order` both say",
        ),
        (
            "--teacher 2,1 --mean-field --init-form form.npy",
            "`--init-form` and `--mean-field` both say where",
        ),
        (
            "--teacher 2,1 --init-order order.npz --distribution uniform",
            "`distribution` is 'uniform', but a start by",
        ),
        ("--teacher 2,1 --init-order order.npz --data iris", "but this is known only for laws of the inputs"),
        (
            "--teacher stack.npy --init-order order.npz",
            "has several matrices, which have no directions in common",
        ),
        ("--teacher 2,1 --init-order start.npz", "lacks the array 'Q'; it holds 'W', 'a'"),
        ("--teacher 2,1 --init-order missing.npz", "cannot be read"),
        ("--teacher 2,1 --inputs 3 --init-form form.npy", "add `--second-layer fixed`"),
        (
            "--teacher 2,1 --inputs 3 --second-layer fixed --second-layer-value -1 --init-form form.npy",
            "has the eigenvalue 0.2, but Σ a w wᵀ with a = -1 has no positive one",
        ),
        ("--teacher 2,1 --second-layer fixed --init-form start.npz", "must end in .npy or .csv"),
        (
            "--teacher 2,1 --inputs 3 --second-layer fixed --init-form form.npy --activation relu",
            "`activation` is 'relu', but a start by its form is known only for quadratic and centred units",
        ),
        (
            "--teacher 2,1 --mean-field --hidden 4",
            "`--hidden` is 4, but `--mean-field` is the limit of infinitely",
        ),
        (
            "--teacher 2,1 --mean-field --second-layer trainable",
            "but `--mean-field` is a limit of networks in which",
        ),
        (
            "--teacher 2,1 --mean-field --init aligned",
            "`--init` is 'aligned', but `--mean-field` has weights N(0",
        ),
        (
            "--teacher 2,1 --mean-field --activation erf",
            "the limit of infinitely many units is known only for",
        ),
        (
            "--teacher 2,1 --mean-field --sgd --step 0.1",
            "the mean dynamics of SGD is known only for finite numbers",
        ),
        (
            "--teacher 2,1 --mean-field --optimizer adam --step 0.1",
            "the flow of another optimiser than gradient",
        ),
        (
            "--teacher 2,1 --mean-field --hessian",
            "the matrix of second derivatives over all weights is known only",
        ),
    ],
)
def test_contradictions_are_one_sentence(quadflow, files, arguments, message):
    result = quadflow("simulate", *arguments.split(), *TIMES)
    assert (result.status, result.out) == (2, "")
    assert message in result.err and result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        (np.ones(3), "has shape (3,), but must have 2 axes."),
        (np.ones((2, 3)), "has shape (2, 3), but must be a square matrix."),
        (np.zeros((0, 0)), "has shape (0, 0), but must be a square matrix."),
        (
            [[1, 2], [0, 1.0]],
            "is not symmetric (|M_ij − M_ji| is up to 1 of the largest entry; allowed is 1e-06), but",
        ),
        (np.eye(2) * 1j, "does not contain an array of numbers: it holds complex numbers"),
        ([["a"]], "does not contain an array of numbers: it holds text"),
        ([[np.nan]], "contains NaN or infinity"),
        ([[-2.0]], "has the eigenvalue -2, but Σ a w wᵀ with a = 1 has no negative one."),
        (np.eye(4), "has rank 4, but `hidden` is 3"),
        (1e60 * np.eye(2), "has an eigenvalue of size 1e+60, but at most 1e+50 is allowed: scale it."),
    ],
)
def test_a_form_that_is_refused_is_named_by_its_file(quadflow, tmp_path, monkeypatch, form, sentence):
    """And so are the same matrices as teacher or covariance, also of a network of one's own, where they are refused."""
    monkeypatch.chdir(tmp_path)
    np.save("given.npy", np.asarray(form))
    fixed = ("--teacher", "2,1", "--second-layer", "fixed", "--hidden", "3")
    result = quadflow("simulate", *fixed, "--init-form", "given.npy", *TIMES)
    assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
    assert result.err.startswith(f"quadflow: `--init-form` 'given.npy' {sentence}")
    own = ("--network", "a*x_0*x_1", "--target", "x_0")
    for option, problem in (("--teacher", ()), ("--covariance", ("--teacher", "2,1")), ("--covariance", own)):
        other = quadflow("simulate", *problem, option, "given.npy", *TIMES)
        if other.status == 2 and "eigenvalue" not in sentence and "rank" not in sentence:
            assert other.err.startswith(f"quadflow: `{option}` 'given.npy' {sentence}")
        else:
            assert "eigenvalue" in sentence or "rank" in sentence


@pytest.mark.parametrize(
    ("start", "options", "sentence"),
    [
        (
            "--init-order order.npz",
            "--init balanced --init-scale 2",
            "`--init` and `--init-scale` have no effect beside",
        ),
        ("--init-order order.npz", "--seed 4", "`--seed` has no effect beside `--init-order`"),
        ("--init-form form.npy --second-layer fixed", "--init-scale 2", "no effect beside `--init-form`"),
        ("--mean-field", "--seed 4", "`--seed` has no effect beside `--mean-field`"),
        (
            "--init-order order.npz --second-layer fixed",
            "--second-layer-value 2",
            "`--second-layer-value` has no effect beside the second layer in `--init-order` 'order.npz'",
        ),
    ],
)
def test_what_has_no_effect_is_said(quadflow, files, start, options, sentence):
    teacher = ["simulate", "--teacher", "2,1", "--inputs", "4", *start.split(), *TIMES]
    plain, with_them = quadflow(*teacher), quadflow(*teacher, *options.split())
    assert sentence in with_them.err and sentence not in plain.err
    assert with_them.json["loss"] == plain.json["loss"]


@pytest.mark.parametrize(
    "command", ["simulate --times 0,0.1", "train --steps 2 --inputs 5", "compare --steps 2 --inputs 5"]
)
def test_optimisers_of_single_weights_are_told_of_the_axes(quadflow, files, command):
    """Adam sees what a rotation changes; plain descent does not, nor weights that are given."""
    name, *rest = command.split()
    for optimizer, start, said in (
        ("adam", "order", True),
        ("sgd", "order", False),
        ("adam", "start", False),
    ):
        option = "--init-order" if start == "order" else "--init-file"
        chosen = ["--optimizer", optimizer, "--step", "0.001", option, f"{start}.npz"]
        result = quadflow(name, "--teacher", "2,1", *chosen, *rest, "--json")
        assert result.status == 0, result.err
        assert ("looks at single weights, which `--init-order` leaves open" in result.err) == said


@pytest.mark.parametrize("name", ["form.npy", "form.csv"])
def test_a_form_starts_the_flow_of_forms(quadflow, files, name):
    """Modes begin at a form's diagonal; its rank is the number of units, padded beside a wider teacher."""
    command = ["simulate", "--teacher", "2,1,1,1", "--activation", "centred", "--second-layer", "fixed"]
    result = quadflow(*command, "--init-form", name, *TIMES)
    np.testing.assert_allclose(result.json["modes"][0], [0.1, 0.2, 0.01, 0], atol=1e-15)
    assert result.json["problem"]["hidden"] == 3
    assert "`--init-form` has 3 inputs and the problem 4: it is padded with zeros" in result.err
    more = quadflow(*command, "--init-form", name, "--hidden", "7", *TIMES).json
    np.testing.assert_allclose(more["loss"], result.json["loss"], rtol=1e-9)


def test_the_limit_of_many_units(quadflow, files):
    """The example of the theory, L(¼) = .42394; hidden units are not counted, and a report says so."""
    limit = "simulate --teacher 2,1,0.5 --inputs 4 --mean-field --init-scale 0.2 --times 0,0.25 --json"
    found = quadflow(*limit.split(), "--output", "run.json").json
    assert found["loss"][-1] == pytest.approx(0.42394, abs=5e-6)
    assert found["problem"]["hidden"] is None
    assert "`hidden` is null: the student is the limit" in found["warnings"][0]
    assert found["conserved"] is None and found["conserved_drift"] is None
    assert quadflow("report", "run.json", "--output", "r.html").status == 0
    assert "∞" in Path("r.html").read_text(encoding="utf-8")
    rows = {
        row["command"]: row["status"]
        for row in quadflow("scope", *limit.split()[1:6], "--json").json["scope"]
    }
    assert (rows["simulate"], rows["compare"], rows["train"]) == ("exact", "not known", "not known")


def test_sweeps_take_them(quadflow, files):
    """Over files of order parameters, from wherever the worker runs; what is drawn otherwise has no effect."""
    sweep = ["sweep", "--teacher", "2,1", "--times", "0,0.1", "--workers", "0", "--init-order", "order.npz"]
    result = quadflow(*sweep, "--vary", "inputs=4,1000", "--vary", "init-scale=0.1", "--output", "a.nc")
    assert result.status == 0, result.err
    assert "`--vary init-scale` has no effect beside `--init-order`" in result.err
