"""Weights come back from every supported file, and other files are refused in one sentence."""

import json
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.conserved import infer_quantities
from empirical import QuadraticNetwork, train
from empirical.checkpoints import read_student, read_times, read_weights


@pytest.fixture
def problem():
    return Problem(Teacher.from_eigenvalues([2, -1], 3), Student.initialise(2, 3, scale=0.5, seed=4))


def sequential(student, bias=False):
    model = nn.Sequential(nn.Linear(3, 2, bias=bias), nn.Identity(), nn.Linear(2, 1, bias=bias))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor(student.W))
        model[2].weight.copy_(torch.tensor(student.A))
    return model.double() if not bias else model


@pytest.mark.parametrize(
    "wrap", [lambda s: s, lambda s: {"epoch": 3, "model_state_dict": s}, lambda s: {"state_dict": s}]
)
def test_one_checkpoint(wrap, problem, tmp_path):
    """By the names W and A, and by shape in a module of two linear layers, wrapped as loops do."""
    for n, model in enumerate((QuadraticNetwork.from_student(problem.student), sequential(problem.student))):
        torch.save(wrap(model.state_dict()), tmp_path / f"{n}.pt")
        student = read_student(tmp_path / f"{n}.pt")
        np.testing.assert_allclose(student.W, problem.student.W, atol=1e-7)
        np.testing.assert_allclose(student.A, problem.student.A, atol=1e-7)


def test_a_series_of_checkpoints_for_inference(problem, tmp_path):
    """Saved along a run by somebody's own loop; the c_k are found in them."""
    path = GradientFlow(problem).integrate(t_end=1.0, samples=8)
    files = []
    for n in range(8):
        files.append(tmp_path / f"step{n}.pth")
        torch.save(QuadraticNetwork.from_student(Student(path.W_at(n), path.A[n])).state_dict(), files[-1])
    W, A = read_weights(files)
    np.testing.assert_array_equal(W, path.W)
    assert len(infer_quantities(W, A, tolerance=1e-6).quantities) == 2


def test_archives(problem, tmp_path):
    """Trajectories and training runs as they are saved, and plain arrays of anybody."""
    path = GradientFlow(problem).integrate(t_end=1.0, samples=5)
    path.save(tmp_path / "theory.npz")
    W, A = read_weights(tmp_path / "theory.npz")
    np.testing.assert_array_equal(W, path.W)
    np.testing.assert_array_equal(A, path.A)
    run = train(problem, steps=10, step=1e-3, batch=4, seeds=2, records=4)
    run.save(tmp_path / "run.npz")
    assert read_weights(tmp_path / "run.npz")[0].shape == (2, 4, 2, 3)
    with pytest.raises(ProblemError, match="holds 2 networks"):
        read_student(tmp_path / "run.npz")
    np.savez(tmp_path / "own.npz", W=problem.student.W, a=problem.student.a)
    np.testing.assert_array_equal(read_student(tmp_path / "own.npz", trainable=False).A, problem.student.A)
    np.savez(tmp_path / "names.npz", first=problem.student.W, second=problem.student.A)
    np.testing.assert_array_equal(read_student(tmp_path / "names.npz").W, problem.student.W)


def test_square_matrices_are_taken_in_the_order_of_the_layers(tmp_path):
    W, A = np.arange(9.0).reshape(3, 3), np.eye(3)
    torch.save({"0.weight": torch.tensor(W), "2.weight": torch.tensor(A)}, tmp_path / "square.pt")
    np.testing.assert_array_equal(read_weights(tmp_path / "square.pt")[0], W)
    swapped = read_weights(tmp_path / "square.pt", first="2.weight", second="0.weight")
    np.testing.assert_array_equal(swapped[0], A)


class Mischief:
    """Pickles that run code when they are loaded."""

    def __reduce__(self):
        return (print, ("this must not run",))


def test_files_that_are_refused(problem, tmp_path, capsys):
    torch.save({"model": Mischief()}, tmp_path / "mischief.pt")
    (tmp_path / "mischief2.pt").write_bytes(pickle.dumps(Mischief()))
    np.savez(tmp_path / "object.npz", W=np.array([Mischief()], dtype=object), a=np.ones(2))
    (tmp_path / "text.npz").write_text("no archive")
    torch.save([1, 2], tmp_path / "list.pt")
    torch.save(sequential(problem.student, bias=True).state_dict(), tmp_path / "bias.pt")
    torch.save(nn.Linear(3, 2, bias=False).state_dict(), tmp_path / "single.pt")
    np.savez(tmp_path / "shapes.npz", W=np.ones((2, 3)), A=np.ones((1, 5)))
    for name, message in [
        ("mischief.pt", "of the kind print"),
        ("mischief2.pt", "plain tensors"),
        ("object.npz", "Python objects"),
        ("text.npz", "no zip archive"),
        ("list.pt", "state_dict"),
        ("bias.pt", "biases"),
        ("single.pt", "no second layer"),
        ("shapes.npz", "must have"),
        ("missing.pt", "cannot be read: No such file"),
        ("weights.txt", "suffix"),
    ]:
        with pytest.raises(ProblemError, match=message) as error:
            read_weights(tmp_path / name)
        assert "\n" not in str(error.value)
    assert "this must not run" not in capsys.readouterr().out
    with pytest.raises(ProblemError, match="no 'V'"):
        read_weights(tmp_path / "shapes.npz", first="V")
    with pytest.raises(ProblemError, match="empty"):
        read_weights([])
    other = tmp_path / "other.npz"
    np.savez(other, W=np.ones((3, 3)), a=np.ones(3))
    np.savez(tmp_path / "one.npz", W=np.ones((2, 3)), a=np.ones(2))
    with pytest.raises(ProblemError, match="different shapes"):
        read_weights([other, tmp_path / "one.npz"])


W = np.arange(6.0).reshape(2, 3) + 1
A = np.array([0.5, -2.0])


def checkpoint(path, **tensors):
    torch.save({name: torch.tensor(array) for name, array in tensors.items()}, path)
    return path


def archive(path, **arrays):
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    "tensors",
    [
        {"W": W, "a": A},
        {"W": W, "A": A[None]},
        {"layer.weight": W, "readout": A},
        {"readout": A, "layer.weight": W, "epoch": 3.0},
        {"A": A[None], "first": W},
        {"layer.weight": W, "out.weight": A[None], "layer.bias": np.zeros(2), "out.bias": np.zeros(1)},
    ],
)
def test_layouts_with_two_layers(tensors, tmp_path):
    """A vector or a matrix as second layer, in any order, biases only if they are zero."""
    student = read_student(checkpoint(tmp_path / "net.pt", **tensors))
    np.testing.assert_array_equal(student.W, W)
    np.testing.assert_array_equal(student.A, A[None])


@pytest.mark.parametrize(
    "tensors", [{"W": W}, {"layer.weight": W}, {"layer.weight": W, "layer.bias": np.zeros(2)}]
)
def test_first_layer_alone(tensors, tmp_path):
    """Phase retrieval and matrix sensing: f = Σ_k a_k (w_k·x)² with a_k that are known."""
    file = checkpoint(tmp_path / "net.pt", **tensors)
    np.testing.assert_array_equal(read_student(file, fixed=0.5).A, [[0.5, 0.5]])
    np.testing.assert_array_equal(read_student(file, fixed=A).A, A[None])
    np.testing.assert_array_equal(read_student(file, fixed=[[1.0], [2.0]]).A, [[1, 1], [2, 2]])
    np.testing.assert_array_equal(read_student(file, fixed=0.5, trainable=False).W, W)
    with pytest.raises(ProblemError, match=r"W of shape \(2, 3\) and no second layer: give `fixed`"):
        read_student(file)
    with pytest.raises(ProblemError, match="does not fit 3 fixed"):
        read_student(file, fixed=[1.0, 2.0, 3.0])


def test_a_recorded_first_layer_alone(tmp_path):
    """Four records without a second layer, in one archive and in four checkpoints."""
    records = np.stack([W, 2 * W, 3 * W, 4 * W])
    read, layer = read_weights(archive(tmp_path / "log.npz", W=records, loss=np.ones(4)), fixed=-1.0)
    np.testing.assert_array_equal(read, records)
    np.testing.assert_array_equal(layer, -np.ones((4, 1, 2)))
    files = [checkpoint(tmp_path / f"{n}.pt", W=w) for n, w in enumerate(records)]
    np.testing.assert_array_equal(read_weights(files, fixed=-1.0)[0], records)


@pytest.mark.parametrize(
    ("make", "names", "words"),
    [
        (checkpoint, {"a": A}, "does not hold exactly two arrays that fit"),  # a without W
        (checkpoint, {"one": W, "two": W, "three": A[None]}, "--init-tensors"),
        (checkpoint, {"W": W, "gain": A, "scale": A}, "--init-tensors"),
        (checkpoint, {"w": W, "a": A, "b": A}, "--init-tensors"),
        (checkpoint, {"W": W, "A": A[None], "W.bias": A}, "biases (W.bias)"),
        (
            checkpoint,
            {"0.weight": W, "2.weight": A[None], "0.bias": np.zeros(2), "2.bias": np.ones(1)},
            "(2.bias)",
        ),
        (checkpoint, {"layer.weight": W, "layer.bias": A}, "biases (layer.bias)"),
        (checkpoint, {"W": W, "a": np.ones(3)}, "shapes (2, 3) and (1, 3)"),
        (checkpoint, {"W": np.ones(3)}, "`W` has shape (3,), which does not fit 1 fixed"),
        (checkpoint, {"W": np.ones(3), "b": np.ones(1)}, "biases (b)"),
        (checkpoint, {"W": W[:0], "a": A[:0]}, "must not be empty"),
        (
            archive,
            {"matrix": W, "eigenvalues": A},
            "--init-tensors",
        ),  # in an archive a vector can be anything
        (archive, {}, "but: nothing"),
        (archive, {"W": np.zeros(3), "a": A}, "shapes (3,)"),
    ],
)
def test_what_is_in_doubt_is_refused(make, names, words, tmp_path):
    file = make(tmp_path / ("net.pt" if make is checkpoint else "net.npz"), **names)
    with pytest.raises(ProblemError) as error:
        read_weights(file, fixed=1.0)
    assert words in str(error.value) and str(file) in str(error.value) and "\n" not in str(error.value)


def test_names_decide(tmp_path):
    tensors = {"fc1.weight": W, "other": 7 * W, "gain": A, "fc1.bias": A}
    for file in (checkpoint(tmp_path / "net.pt", **tensors), archive(tmp_path / "net.npz", **tensors)):
        student = read_student(file, first="fc1.weight", second="gain")
        np.testing.assert_array_equal(student.W, W)
        np.testing.assert_array_equal(student.A, A[None])
        np.testing.assert_array_equal(read_student(file, first="other", fixed=1.0).W, 7 * W)
        with pytest.raises(ProblemError, match="holds no 'fc2'"):
            read_student(file, first="fc1.weight", second="fc2")
    with pytest.raises(ProblemError, match="`first`"):
        read_weights(file, second="gain")


def test_a_long_trajectory_is_lifted(tmp_path):
    """Reduced coordinates (T, K, r) with their basis (d, r): W = coordinates basisᵀ, by hand."""
    basis = np.linalg.qr(np.arange(12.0).reshape(4, 3) ** 2).Q
    file = archive(tmp_path / "long.npz", coordinates=np.stack([W, 2 * W]), basis=basis, a=np.stack([A, A]))
    student = read_student(file)
    np.testing.assert_allclose(student.W, W @ basis.T)
    np.testing.assert_array_equal(read_weights(file)[0][1], 2 * W)


def test_upper_case_suffixes(tmp_path):
    with open(tmp_path / "NET.NPZ", "wb") as file:
        np.savez(file, W=W, a=A)
    np.testing.assert_array_equal(read_student(tmp_path / "NET.NPZ").W, W)
    np.testing.assert_array_equal(read_student(checkpoint(tmp_path / "NET.PT", W=W, a=A)).W, W)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_no_student_has(bad, tmp_path):
    """Whoever asks for a student learns which file is meant."""
    np.savez(tmp_path / "x.npz", W=np.array([[1.0, bad]]), a=np.ones(1))
    with pytest.raises(ProblemError, match=r"x\.npz.*finite"):
        read_student(tmp_path / "x.npz")


def test_a_run_of_one_network_is_a_student(tmp_path):
    """Weights with axes of networks and records, of one network: the first record; of none there is nothing to read."""
    run = np.stack([W, 2 * W])[None]
    file = archive(tmp_path / "one.npz", W=run, A=np.stack([A[None], A[None]])[None])
    np.testing.assert_array_equal(read_student(file).W, W)
    two = archive(tmp_path / "two.npz", W=np.concatenate([run, run]), A=np.ones((2, 2, 1, 2)))
    with pytest.raises(ProblemError, match=r"two\.npz holds 2 networks, but one is needed"):
        read_student(two)


def test_vectors_beside_the_layers(tmp_path):
    """A checkpoint's other vectors are biases, whatever they are called, unless W and A are there by name.

    Steps of an optimiser, say, may lie beside `W` and `A`; a vector beside layers that are told by shape must be zero.
    """
    named = checkpoint(tmp_path / "named.pt", W=W, A=A[None], moment=np.ones(5))
    np.testing.assert_array_equal(read_student(named).W, W)
    layers = {"first.weight": W, "second.weight": A[None]}
    zero = checkpoint(tmp_path / "zero.pt", **layers, offset=np.zeros(2))
    np.testing.assert_array_equal(read_student(zero).W, W)
    doubtful = checkpoint(tmp_path / "doubtful.pt", **layers, offset=np.ones(2))
    with pytest.raises(ProblemError, match=r"has biases \(offset\)"):
        read_student(doubtful)
    anything = archive(tmp_path / "anything.npz", **layers, offset=np.ones(2))
    np.testing.assert_array_equal(read_student(anything).W, W)


def test_times_of_records(tmp_path):
    """The array `times` of one archive, if it fits; of runs of the first format in the time of the flow, over 1 − β."""
    W, a = np.ones((3, 2, 2)), np.ones((3, 2))
    times = np.array([0.0, 0.5, 1.0])
    about = {"format": "quadflow training run 1", "momentum": 0.75, "optimizer": "momentum"}
    np.savez(tmp_path / "plain.npz", W=W, a=a, times=times)
    np.savez(tmp_path / "older.npz", W=W, a=a, times=times, about=json.dumps(about))
    np.savez(
        tmp_path / "newer.npz",
        W=W,
        a=a,
        times=times,
        about=json.dumps(about | {"format": "quadflow trajectory 1"}),
    )
    np.savez(tmp_path / "none.npz", W=W, a=a)
    assert read_times(tmp_path / "plain.npz", 3).tolist() == [0, 0.5, 1]
    assert read_times([tmp_path / "older.npz"], 3).tolist() == [0, 2, 4]
    assert read_times(tmp_path / "newer.npz", 3).tolist() == [0, 0.5, 1]
    assert read_times(tmp_path / "plain.npz", 4) is None
    assert read_times(tmp_path / "none.npz", 3) is None
    assert read_times([tmp_path / "plain.npz"] * 2, 3) is None
    assert read_times("weights.pt", 3) is None
