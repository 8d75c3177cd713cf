"""A folder of files as people and accidents make them, of every format that a command reads."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np


class Evil:
    """Pickled, it leaves a file behind when it is read carelessly."""

    def __reduce__(self) -> tuple[Any, ...]:
        return open, ("EXECUTED", "w")


def write_files(folder: Path) -> list[str]:
    """Write them all; their names."""
    for name, content in {**arrays(), **texts(), **checkpoints()}.items():
        (folder / name).write_bytes(content)
    for name in ("folder.npy", "folder.json", "folder.toml", "folder.zarr", "folder.pt"):
        (folder / name).mkdir()
    return sorted(path.name for path in folder.iterdir())


def write_results(folder: Path) -> list[str]:
    """Results of the commands themselves, which others read, and the same damaged; their names."""
    from quadflow.cli import run

    training = "--teacher 2,1 --steps 3 --records 3 --batch 8"
    files = {
        "result.json": "simulate --teacher 2,1 --t-end 1 --records 3",
        "curve.npz": "simulate --teacher 2,1 --t-end 1 --records 3",
        "trained.npz": f"train {training} --seeds 2",
        "good.nc": f"sweep {training} --workers 0 --vary init-scale=0.1,0.2",
    }
    names = []
    for name, command in files.items():
        with contextlib.redirect_stdout(io.StringIO()):
            status = run([*command.split(), "--output", str(folder / name)])
        assert status == 0
        content = (folder / name).read_bytes()
        half = len(content) // 2
        (folder / f"cut-{name}").write_bytes(content[:half])
        (folder / f"flipped-{name}").write_bytes(
            content[:half] + bytes([content[half] ^ 0x5A]) + content[half + 1 :]
        )
        names += [name, f"cut-{name}", f"flipped-{name}"]
    return names


def _npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def _npz(**members: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **members)
    return stream.getvalue()


def arrays() -> dict[str, bytes]:
    """Matrices and weights: good ones, and of wrong shape, type, size or content."""
    rng = np.random.default_rng(5)
    S, W, a = np.array([[2, 0.5], [0.5, 1]]), rng.standard_normal((2, 2)), np.array([0.3, -0.2])
    good = _npz(W=0.3 * W, a=a)
    flipped = bytearray(good)
    flipped[len(flipped) // 3] ^= 0xFF
    foreign = io.BytesIO()
    with zipfile.ZipFile(foreign, "w") as archive:
        archive.writestr("W.npy", "no array")
        archive.writestr("../a.npy", _npy(a))
    header = _npy(S).replace(b"(2, 2)", b"(9**9,2)"), _npy(S).replace(b"(2, 2), ", b"(99999999, 99999), ")
    return {
        "good.npy": _npy(S),
        "identity.npy": _npy(np.eye(2)),
        "three.npy": _npy(np.diag([3.0, 2, 1])),
        "single.npy": _npy(S.astype("f4")),
        "semidefinite.npy": _npy(np.ones((2, 2))),
        "negative.npy": _npy(-S),
        "zero.npy": _npy(np.zeros((2, 2))),
        "asymmetric.npy": _npy(W),
        "nearly.npy": _npy(np.array([[2, 0.5 + 1e-8], [0.5, 1]])),
        "nan.npy": _npy(np.full((2, 2), np.nan)),
        "infinite.npy": _npy(np.diag([np.inf, 1])),
        "huge.npy": _npy(1e308 * np.ones((2, 2))),
        "tiny.npy": _npy(1e-300 * S),
        "complex.npy": _npy(S * (1 + 1j)),
        "objects.npy": _npy(np.array([[Evil()]], dtype=object)),
        "words.npy": _npy(np.array([["a", "b"], ["c", "d"]])),
        "empty.npy": _npy(np.zeros((0, 0))),
        "line.npy": _npy(np.ones(3)),
        "number.npy": _npy(np.array(1.0)),
        "nothing.npy": b"",
        "cut.npy": _npy(S)[:-9],
        "code.npy": header[0],
        "claims.npy": header[1],
        "good.npz": good,
        "start.npz": _npz(W=0.1 * rng.standard_normal((3, 2)), a=0.1 * np.ones(3)),
        "teacher.npz": _npz(V=W, b=a),
        "both.npz": _npz(V=W, b=rng.standard_normal((2, 2)), W=W, a=a),
        "only.npz": _npz(W=W),
        "samples.npz": _npz(X=rng.standard_normal((8, 2)), y=rng.standard_normal(8)),
        "words.npz": _npz(X=rng.standard_normal((3, 2)), y=["a", "b", "a"]),
        "held.npz": _npz(X=np.eye(2), y=a, X_test=np.eye(3), y_test=a),
        "giant.npz": _npz(X=1e300 * np.eye(2), y=1e300 * a),
        "record.npz": _npz(W=rng.standard_normal((6, 2, 2)), a=rng.standard_normal((6, 2))),
        "great.npz": _npz(W=1e200 * W, a=1e200 * a),
        "nan.npz": _npz(W=W * np.nan, a=a),
        "complex.npz": _npz(W=W + 1j, a=a),
        "hollow.npz": _npz(W=np.zeros((0, 2)), a=np.zeros(0)),
        "objects.npz": _npz(W=np.array([[Evil()]], dtype=object), a=a),
        "clusters.npz": _npz(weights=[0.4, 0.6], means=W, covariances=[S, np.eye(2)]),
        "heavy.npz": _npz(weights=[2.0, -1], means=W, covariances=[S, np.eye(2)]),
        "collapsed.npz": _npz(weights=[0.4, 0.6], means=0 * W, covariances=[0 * S, 0 * S]),
        "about.npz": _npz(about=np.array(json.dumps({"format": "quadflow trajectory 1"}))),
        "result.npz": _npz(result=np.array("[1, 2]")),
        "nothing.npz": b"",
        "cut.npz": good[:-30],
        "flipped.npz": bytes(flipped),
        "foreign.npz": foreign.getvalue(),
        "noise.npz": b"PK\x03\x04" + rng.bytes(200),
    }


def texts() -> dict[str, bytes]:
    """CSV, TOML, JSON and random bytes under other names."""
    rng = np.random.default_rng(6)
    files = {
        "good.csv": "2,0.5\n0.5,1\n",
        "mark.csv": "\ufeff2,0.5\n0.5,1\n",
        "semicolons.csv": "2;0.5\n0.5;1\n",
        "header.csv": "x,y\n2,0.5\n0.5,1\n",
        "ragged.csv": "1,2\n3\n",
        "words.csv": "a,b\nc,d\n",
        "table.csv": "a,b,y\n1,0.5,2\n-1,2,0.5\n0.5,-1,1\n2,1,-1\n",
        "cities.csv": "a,city,y\n1,Oslo,2\n2,Rome,3\n",
        "gaps.csv": "a,b,y\n1,,2\n-1,2,NA\n",
        "quotes.csv": 'a,b,y\n1,"2,3\n',
        "noise.parquet": "PAR1 and nothing PAR1",
        "nan.csv": "nan,0\n0,1\n",
        "large.csv": "1e400,0\n0,1\n",
        "empty.csv": "",
        "good.toml": 'command = "simulate"\nteacher = "2,1"\nt-end = 1.0\nrecords = 3\n',
        "plain.toml": 'teacher = "2,1"\n',
        "mark.toml": '\ufeffcommand = "diagnose"\nteacher = "2,1"\n',
        "types.toml": 'command = "simulate"\nteacher = true\nhidden = "x"\nt-end = [1, 2]\nsgd = 1\n',
        "bool.toml": 'command = "simulate"\nteacher = "2"\nhidden = true\nt-end = 1\n',
        "large.toml": f'command = "simulate"\nteacher = "2"\nt-end = 1\nseed = {10**60}\n',
        "date.toml": 'command = "simulate"\nteacher = 1979-05-27\n',
        "table.toml": 'command = "simulate"\n[teacher]\nx = 1\n',
        "nul.toml": 'command = "simulate"\nteacher = "\\u0000.npy"\n',
        "twice.toml": 'command = "simulate"\nteacher = "2"\nt-end = 1\nt_end = 2\n',
        "again.toml": 'command = "run"\nfile = "again.toml"\n',
        "code.toml": "command = \"conserved\"\nnetwork = \"open('EXECUTED', 'w') + x_0*a\"\n",
        "figure.toml": 'command = "figure nope"\n',
        "deep.toml": "a = " + "[" * 3000 + "]" * 3000,
        "broken.toml": "command =\n",
        "empty.toml": "",
        "run.json": json.dumps({"times": [0, 1], "loss": [1, 0.5], "final_loss": 0.5}),
        "list.json": "[1]",
        "nan.json": '{"times": [0, 1], "loss": [NaN, Infinity]}',
        "wrong.json": '{"times": "abc", "loss": null, "modes": 3, "versions": [], "problem": "x"}',
        "points.json": '{"fixed_points": [{"loss": "x"}], "count": 1}',
        "large.json": '{"times": [0, 1], "loss": [1' + "0" * 400 + ", 1]}",
        "surrogate.json": '{"command": "\\ud800", "times": [0, 1], "loss": [1, 2]}',
        "deep.json": "[" * 100000,
        "empty.json": "",
    }
    binary = {
        "utf16.csv": files["good.csv"].encode("utf-16"),
        "latin.toml": b'teacher = "\xff"\n',
        "latin.json": b'{"a": "\xff"}',
        "noise.csv": rng.bytes(200),
        "noise.json": rng.bytes(200),
        "noise.nc": rng.bytes(200),
        "hdf.nc": b"\x89HDF\r\n\x1a\n" + rng.bytes(200),
        "empty.nc": b"",
        "file.zarr": b"x",
    }
    return {name: text.encode() for name, text in files.items()} | binary


def checkpoints() -> dict[str, bytes]:
    """PyTorch files, damaged or of other things than two layers."""
    import torch

    def saved(content: Any) -> bytes:
        stream = io.BytesIO()
        torch.save(content, stream)
        return stream.getvalue()

    good = saved({"W": 0.3 * torch.ones(2, 2), "a": torch.ones(2)})
    return {
        "good.pt": good,
        "layers.pt": saved({"0.weight": torch.ones(2, 2), "2.weight": torch.ones(1, 2)}),
        "meta.pt": saved({"W": torch.empty(2, 2, device="meta"), "a": torch.ones(2)}),
        "sparse.pt": saved({"W": torch.eye(2).to_sparse(), "a": torch.ones(2)}),
        "complex.pt": saved({"W": torch.ones(2, 2, dtype=torch.complex64), "a": torch.ones(2)}),
        "hollow.pt": saved({"W": torch.zeros(0, 2), "a": torch.zeros(0)}),
        "strings.pt": saved({"W": "x", "a": "y"}),
        "number.pt": saved(torch.tensor(3.0)),
        "evil.pt": saved({"W": Evil()}),
        "cut.pt": good[:-100],
        "text.pt": b"hello",
        "nothing.pt": b"",
    }
