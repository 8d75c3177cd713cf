"""`--init-file` and `--init-tensors`: initial weights as people have them, told apart by the loss they start with."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dynamics import GradientFlow, Problem, Student, Teacher

W = np.array([[0.3, -0.2, 0.1], [0.2, 0.5, -0.4]])
SIMULATE = ["simulate", "--teacher", "2,1", "--inputs", "3", "--times", "0,0.1", "--json"]


@pytest.fixture
def layouts(tmp_path, monkeypatch):
    """The same two units with a = (1, −1) in one checkpoint, and alone in others."""
    from safetensors.torch import save_file

    monkeypatch.chdir(tmp_path)
    first = torch.tensor(W)
    torch.save({"fc1.weight": first, "gain": torch.tensor([1.0, -1.0]), "scale": torch.ones(2)}, "two.pt")
    torch.save({"model": {"weight": first}}, "alone.pt")
    save_file({"weight": first}, "alone.safetensors")


def loss_of(W, a):
    """½ E(f* − f)² = ‖D‖² + ½ (tr D)² of the matrix D that is left, with the teacher diag(2, 1, 0)."""
    D = np.diag([2.0, 1.0, 0.0]) - (W.T * a) @ W
    return np.sum(D**2) + 0.5 * np.trace(D) ** 2


@pytest.mark.parametrize(
    ("arguments", "a"),
    [
        (["two.pt", "--init-tensors", "fc1.weight,gain"], [1, -1]),
        (["two.pt", "--init-tensors", " fc1.weight , scale "], [1, 1]),
        (["two.pt", "--init-tensors", "fc1.weight", "--second-layer", "fixed"], [1, 1]),
        (["alone.pt", "--second-layer", "fixed"], [1, 1]),
        (["alone.pt", "--second-layer", "fixed", "--second-layer-value", "0.5"], [0.5, 0.5]),
        (["alone.safetensors", "--second-layer", "fixed", "--second-layer-value", "-2"], [-2, -2]),
    ],
)
def test_layouts_of_other_people(quadflow, layouts, arguments, a):
    """The loss at time 0 tells which tensors were read, and as what."""
    result = quadflow(*SIMULATE, "--init-file", *arguments)
    assert result.status == 0, result.err
    assert result.json["loss"][0] == pytest.approx(loss_of(W, np.array(a, dtype=float)), rel=1e-12)
    fixed = "fixed" in arguments
    assert (result.json["problem"]["second_layer"] == "fixed") == fixed


def test_a_first_layer_alone_for_several_outputs(quadflow, layouts):
    """The value for every output: twice the loss of one."""
    result = quadflow(*SIMULATE, "--outputs", "2", "--init-file", "alone.pt", "--second-layer", "fixed")
    assert result.json["loss"][0] == pytest.approx(2 * loss_of(W, np.ones(2)), rel=1e-12)


@pytest.mark.parametrize(
    ("teacher", "columns", "said"),
    [
        ("M.csv", 3, ""),
        ("M.csv", 1, "`--init-file` has 1 input and the problem 3: it is padded with zeros"),
        ("M.csv", 4, "`--teacher` has 3 inputs and `--init-file` 4: it is padded with zeros"),
        ("2,1", 1, "`--init-file` has 1 input and the problem 2: it is padded with zeros"),
        ("2,1", 4, ""),
    ],
)
def test_what_is_padded_is_said(quadflow, tmp_path, monkeypatch, teacher, columns, said):
    """Fewer columns than inputs, or more than the teacher's file has: a note, and the loss of the padded problem."""
    monkeypatch.chdir(tmp_path)
    M = np.diag([2.0, 1.0, 0.0])
    np.savetxt("M.csv", M, delimiter=",")
    weights = np.random.default_rng(0).standard_normal((2, columns))
    np.savez("start.npz", W=weights, a=[1.0, -1.0])
    result = quadflow(
        "simulate", "--teacher", teacher, "--init-file", "start.npz", "--times", "0,0.1", "--json"
    )
    assert result.err == (f"quadflow: note: {said}.\n" if said else "")
    assert [w for w in result.json["warnings"] if "padded" in w] == ([said] if said else [])
    d = max(columns, 3)
    D = np.pad(M, (0, d - 3))
    W = np.pad(weights, ((0, 0), (0, d - columns)))
    D -= W.T @ np.diag([1.0, -1.0]) @ W
    assert result.json["loss"][0] == pytest.approx(np.sum(D**2) + 0.5 * np.trace(D) ** 2, rel=1e-12)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--init-file", "alone.pt"], "`--second-layer fixed` would read it"),
        (["--init-file", "two.pt"], "name them: `--init-tensors W_NAME,A_NAME`"),
        (
            ["--init-file", "two.pt", "--init-tensors", "fc1.weight,out"],
            "holds no 'out', but: fc1.weight (2, 3)",
        ),
        (["--init-file", "two.pt", "--init-tensors", "a,b,c"], "W_NAME,A_NAME or W_NAME alone"),
        (["--init-file", "two.pt", "--init-tensors", ",gain"], "W_NAME,A_NAME or W_NAME alone"),
        (["--init-tensors", "fc1.weight"], "`--init-file`: give that as well"),
        (["--init-file", "alone.pt", "--second-layer", "fixed", "--second-layer-value", "nan"], "finite"),
    ],
)
def test_layouts_that_are_refused(quadflow, layouts, arguments, words):
    result = quadflow(*SIMULATE, *arguments)
    assert (result.status, result.out) == (2, "")
    assert words in result.err and result.err.count("\n") == 1


def test_inference_with_named_tensors_and_a_fixed_layer(quadflow, layouts):
    """w_0·w_1 of units with a = ±1 is conserved where the layer is fixed; found in checkpoints of W alone."""
    student = Student(W, np.array([1.0, -1.0]), trainable=False)
    flow = GradientFlow(Problem(Teacher.from_eigenvalues([2, 1], 3), student)).integrate(0.3, samples=6)
    names = [f"{n}.pt" for n in range(6)]
    for name, w in zip(names, flow.W, strict=True):
        torch.save({"first": torch.tensor(w), "other": torch.eye(3)}, name)
    files = [word for name in names for word in ("--infer", name)]
    given = ["--init-tensors", "first", "--second-layer-values", "1,-1"]
    laws = quadflow("conserved", *files, *given, "--json").json["laws"]
    assert [law["match"] for law in laws] == ["product of units 0 and 1, output weights fixed and opposite"]
    assert laws[0]["value"][0] == pytest.approx(W[0] @ W[1], rel=1e-9)
    assert "`--second-layer-values 1` would read it" in quadflow("conserved", *files, *given[:2]).err
    assert "`--infer`: give that" in quadflow("conserved", "--init-tensors", "first").err


def test_starting_from_a_recorded_run(quadflow, layouts):
    """A file of `simulate` starts where that run started, in an upper-case suffix as well."""
    first = quadflow(*SIMULATE[:-1], "--hidden", "3", "--init-scale", "0.5", "--output", "run.npz")
    assert first.status == 0
    Path("run.npz").rename("RUN.NPZ")
    again = quadflow(*SIMULATE, "--init-file", "RUN.NPZ").json
    with np.load("RUN.NPZ") as file:
        np.testing.assert_allclose(again["loss"], file["loss"], rtol=1e-12)
