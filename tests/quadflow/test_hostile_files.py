"""Files that are damaged, foreign or made to harm: exit status 2 and one line, whichever command reads them.

The reading functions have their own tests, byte by byte; here every command that reads a binary file meets one file of
each kind of harm, and saved results with each of their parts wrong.
"""

import json
import os
import pickle

import numpy as np
import pytest
import torch

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher, Trajectory
from empirical import train
from empirical.training_run import TrainingRun

FLOW = ["--teacher", "2,1", "--inputs", "3", "--t-end", "0.5"]
DATA = ["--t-end", "1", "--target", "0", "--data"]
READERS = {
    ".npy": [
        ["simulate", "--t-end", "1", "--teacher"],
        ["simulate", *FLOW, "--covariance"],
        ["simulate", *FLOW, "--data"],
        ["simulate", *FLOW, "--second-layer", "fixed", "--init-form"],
    ],
    ".csv": [["simulate", "--t-end", "1", "--teacher"], ["simulate", *DATA]],
    ".tsv": [["simulate", *DATA]],
    ".parquet": [["simulate", *DATA]],
    ".npz": [
        ["simulate", "--t-end", "1", "--data"],
        ["simulate", "--t-end", "1", "--teacher"],
        ["diagnose", "--teacher", "2,1", "--init-file"],
        ["diagnose", "--teacher", "2,1", "--init-order"],
        ["report"],
        ["conserved", "--infer"],
    ],
    ".pt": [["simulate", *FLOW, "--init-file"], ["conserved", "--infer"]],
    ".safetensors": [["simulate", *FLOW, "--init-file"], ["conserved", "--infer"]],
}
READERS |= {suffix.upper(): readers for suffix, readers in READERS.items()}


class Mischief:
    """Pickles that leave a mark when they are loaded."""

    def __reduce__(self):
        return (os.mkdir, ("executed",))


def tensors(**found):
    """A checkpoint; tensors that PyTorch warns about are made when the test runs."""
    return lambda name: torch.save(
        {"a": ONES} | {k: v() if callable(v) else v for k, v in found.items()}, name
    )


def content(data):
    return lambda name: open(name, "wb").write(data)


def arrays(**found):
    return lambda name: np.savez(name, **found)


EYE, ONES = torch.eye(3), torch.ones(3)
HARM = {
    "empty.npy": content(b""),
    "empty.csv": content(b""),
    "empty.npz": content(b""),
    "empty.pt": content(b""),
    "empty.safetensors": content(b""),
    "UPPER.NPY": content(b"no array"),
    "UPPER.NPZ": content(b"no archive"),
    "UPPER.CSV": content(b"a,b\n"),
    "UPPER.PT": content(b"hello"),
    "pickle.npy": content(pickle.dumps(Mischief())),
    "pickle.npz": content(pickle.dumps(Mischief())),
    "pickle.pt": content(pickle.dumps(Mischief())),
    "objects.npz": lambda name: np.savez(
        name,
        **{letter: np.array([[Mischief()]]) for letter in "WVQR"},
        **{"a": [1], "b": [1]},
    ),
    "complex.npy": lambda name: np.save(name, np.eye(3) + 0j),
    "complex.npz": arrays(**dict.fromkeys("WVQR", np.eye(3) + 0j), a=np.ones(3), b=np.ones(3)),
    "huge.npz": arrays(**dict.fromkeys("WVQR", 1e300 * np.eye(3)), a=np.ones(3), b=np.ones(3)),
    "three.npz": arrays(**dict.fromkeys("WVQR", np.ones((3, 3, 3))), a=np.ones(3), b=np.ones(2)),
    "nan.npz": arrays(**dict.fromkeys("WVQR", np.full((2, 2), np.nan)), a=np.ones(2), b=np.ones(2)),
    "complex.pt": tensors(W=EYE + 0j),
    "none.npz": arrays(
        W=np.zeros((0, 3)),
        a=np.zeros(0),
        V=np.zeros((3, 0)),
        b=np.zeros(3),
        Q=np.zeros((0, 0)),
        R=np.zeros((0, 2)),
    ),
    "text.csv": content(b"y,city\n1,Oslo\n2,Rome\n"),
    "gap.csv": content(b"y,x\n1,\n2,3\n"),
    "infinite.csv": content(b"y,x\n1,2\n2,1e999\n"),
    "quotes.csv": content(b'y,x\n1,"2\n3,4\n'),
    "bytes.csv": content(b"y,x\n1,\xff\n"),
    "code.csv": content(b"y,x\n1,__import__('os').mkdir('executed')\n2,=1+1\n"),
    "empty.tsv": content(b""),
    "empty.parquet": content(b""),
    "noise.parquet": content(b"PAR1" + bytes(range(256)) + b"PAR1"),
    "table.parquet": content(b"y,x\n1,2\n"),
    "none.pt": tensors(W=torch.zeros(0, 3), a=torch.zeros(0)),
    "text.npz": arrays(**{letter: np.array(letter) for letter in "WaVbQR"}),
    "mischief.pt": tensors(W=EYE, more=Mischief()),
    "module.pt": lambda name: torch.save(torch.nn.Linear(3, 3), name),
    "sparse.pt": tensors(W=EYE.to_sparse),
    "rows.pt": tensors(W=EYE.to_sparse_csr),
    "meta.pt": tensors(W=torch.empty(3, 3, device="meta")),
    "quantised.pt": tensors(W=lambda: torch.quantize_per_tensor(EYE, 0.1, 0, torch.qint8)),
    "eight_bits.pt": tensors(W=EYE.to(torch.float8_e4m3fn)),
    "nested.pt": tensors(W=lambda: torch.nested.nested_tensor([torch.ones(3), torch.ones(2)])),
    "repeats.pt": tensors(W=torch.ones(1).expand(10**6, 10**6), a=torch.ones(1).expand(10**6)),
    "list.pt": lambda name: torch.save([EYE], name),
    "program.pt": lambda name: torch.jit.script(torch.nn.Sequential(torch.nn.Linear(3, 3, bias=False))).save(
        name
    ),
}


@pytest.mark.filterwarnings("ignore")  # PyTorch warns while such files are made
@pytest.mark.parametrize("name", HARM)
def test_harm_is_one_line(quadflow, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    HARM[name](name)
    for command in READERS[os.path.splitext(name)[1]]:
        result = quadflow(*command, name)
        assert (result.status, result.out) == (2, ""), command
        assert result.err.startswith("quadflow: ") and result.err.count("\n") == 1
        assert "Interrupted" not in result.err
    assert sorted(os.listdir()) == [name]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A trajectory and a run of two networks, as Python saves them: name → (how it is loaded, arrays, about)."""
    folder = tmp_path_factory.mktemp("results")
    problem = Problem(Teacher.from_eigenvalues([2, 1], 3), Student.initialise(2, 3, scale=0.5, seed=1))
    GradientFlow(problem).integrate(0.5, samples=3).save(folder / "flow.npz")
    train(problem, steps=4, step=1e-3, batch=4, seeds=2, records=3).save(folder / "run.npz")
    found = {}
    for name, load in (("flow", Trajectory.load), ("run", TrainingRun.load)):
        with np.load(folder / f"{name}.npz") as file:
            stored = {key: file[key] for key in file.files}
        found[name] = load, stored, json.loads(str(stored.pop("about")))
    return found


WRONG = [np.zeros(()), np.ones(2), np.ones((2, 2)), np.ones((9, 9, 9, 9)), np.array("x"), np.full(3, 1j)]


@pytest.mark.parametrize("name", ["flow", "run"])
def test_every_part_of_a_result_is_checked(results, name, tmp_path):
    """Each array missing, or of another shape or type; each entry of its JSON missing or of another type."""
    load, stored, about = results[name]
    computed = {"conserved", "conserved_drift", "eigenvalues"}  # when it is loaded
    stored = {
        k: v for k, v in stored.items() if k not in computed - ({"conserved"} if name == "run" else set())
    }
    path = tmp_path / "result.npz"
    cases = [
        (about, {k: v for k, v in stored.items() if k != key})
        for key in stored
        if (name, key) != ("run", "W")
    ]
    cases += [(about, stored | {key: wrong}) for key in stored for wrong in WRONG]
    cases += [(about, stored | {key: stored[key].repeat(2, axis=0)}) for key in stored if key != "basis"]
    needed = {
        "flow": ("format", "trainable", "activation", "solver", "versions"),
        "run": ("format", "loss_measured"),
    }
    cases += [({k: v for k, v in about.items() if k != key}, stored) for key in needed[name]]
    cases += [
        (about | {key: wrong}, stored) for key in (*needed[name], "versions") for wrong in (None, 3.5, [])
    ]
    if name == "flow":
        solver = about["solver"]
        cases += [(about | {"solver": solver | {key: []}}, stored) for key in solver]
        cases += [
            (about | {"activation": "cubic"}, stored),
            (about, stored | {"loss": stored["loss"] * np.nan}),
        ]
        cases += [(about, stored | {key: stored[key] * 1e200}) for key in ("W", "teacher_V") if key in stored]
    else:
        cases += [(about | {key: "x"}, stored) for key in ("step", "momentum", "steps_per_second", "notes")]
        cases += [(about, stored | {"steps": stored["steps"] * np.nan})]
    for number, (said, parts) in enumerate(cases):
        np.savez(path, about=json.dumps(said), **parts)
        with pytest.raises(ProblemError) as error:
            load(path)
            pytest.fail(f"case {number} was read")
        assert str(path) in str(error.value) and "\n" not in str(error.value)
    np.savez(path, about=json.dumps(about), **stored)
    assert load(path).times.tolist() == stored["times"].tolist()


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"about": np.array("[1, 2]")}, "no JSON object"),
        ({"about": np.array("{}")}, "not written by simulate or train"),
        ({"about": np.array('{"format": "quadflow trajectory 1"}')}, "lacks the array 'times'"),
        ({"about": np.array('{"format": "quadflow training run 1"}')}, "lacks the array 'steps'"),
        ({"result": np.array("nope")}, "no JSON object"),
        ({"result": np.array("[1, 2]")}, "no JSON object"),
        ({"result": np.ones(3)}, "is no text"),
        ({"result": np.array([{}])}, "Python objects"),
    ],
)
def test_reports_of_what_is_no_result(quadflow, tmp_path, monkeypatch, entries, words):
    monkeypatch.chdir(tmp_path)
    np.savez("run.npz", **entries)
    result = quadflow("report", "run.npz")
    assert result.status == 2 and words in result.err and result.err.count("\n") == 1
    assert os.listdir() == ["run.npz"]


def test_diverged_networks_are_still_reported(quadflow, tmp_path, monkeypatch, results):
    """Infinite invariants of a network that diverged are no damage, and no warning."""
    monkeypatch.chdir(tmp_path)
    _, stored, about = results["run"]
    stored = stored | {"conserved": np.where(stored["conserved"] < 9, np.inf, 0.0)}
    np.savez("run.npz", about=json.dumps(about), **stored)
    assert np.isnan(TrainingRun.load("run.npz").conserved_drift)
    assert quadflow("report", "run.npz").status == 0


def test_teacher_networks_with_several_outputs(quadflow, tmp_path, monkeypatch):
    """V, b in an archive, its suffix in capitals: the loss of zero weights is Σ_o (tr M_o² + ½ (tr M_o)²)."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    V, B = rng.standard_normal((2, 3)), rng.standard_normal((2, 2))
    with open("teacher.NPZ", "wb") as file:
        np.savez(file, V=V, b=B)
    np.savez("start.npz", W=np.zeros((1, 3)), A=np.zeros((2, 1)))
    M = [(V.T * b) @ V for b in B]
    expected = sum(np.sum(m**2) + 0.5 * np.trace(m) ** 2 for m in M)
    arguments = ["diagnose", "--no-follow", "--teacher", "teacher.NPZ", "--init-file", "start.npz", "--json"]
    assert quadflow(*arguments, "--outputs", "3").status == 2
    problem = quadflow(*arguments).json["problem"]
    assert problem["outputs"] == 2
    loss = quadflow("simulate", *arguments[2:], "--times", "0,1e-9").json["loss"]
    assert loss[0] == pytest.approx(expected, rel=1e-12)
    np.savez("one.npz", V=V, b=B[0])  # one output, asked for several: the same for all
    single = quadflow(
        "simulate", "--teacher", "one.npz", "--outputs", "2", *arguments[4:], "--times", "0,1e-9"
    )
    one = np.sum(M[0] ** 2) + 0.5 * np.trace(M[0]) ** 2
    assert single.json["loss"][0] == pytest.approx(2 * one, rel=1e-12)
