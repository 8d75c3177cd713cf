"""Every bad input exits 2 with one clear line on standard error, and never a traceback."""

import subprocess
import sys

import numpy as np
import pytest

from quadflow.cli import run

SIMULATE = ["simulate", "--hidden", "2", "--t-end", "1"]
TRAIN = ["train", "--teacher", "2,1", "--hidden", "2", "--steps", "3", "--batch", "4"]
COMPARE = ["compare", *TRAIN[1:]]
GOOD = [*SIMULATE, "--teacher", "2,1"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (SIMULATE, "--teacher` is missing"),
        ([*SIMULATE, "--teacher", "4,x"], "eigenvalues such as"),
        ([*SIMULATE, "--teacher", ""], "missing"),
        ([*SIMULATE, "--teacher", ","], "eigenvalues such as"),
        ([*SIMULATE, "--teacher", "nan"], "NaN"),
        ([*SIMULATE, "--teacher", "inf,1"], "infinity"),
        ([*SIMULATE, "--teacher", "power-law:2"], "power-law:ALPHA:COUNT"),
        ([*SIMULATE, "--teacher", "power-law:a:3"], "power-law:ALPHA:COUNT"),
        ([*SIMULATE, "--teacher", "power-law:1:0"], "at least 1"),
        ([*SIMULATE, "--teacher", "absent.npy"], "cannot be read"),
        ([*SIMULATE, "--teacher", "absent.npz"], "cannot be read"),
        ([*SIMULATE, "--teacher", "absent.csv"], "cannot be read"),
        ([*GOOD, "--inputs", "1"], "inputs"),
        ([*GOOD, "--inputs", "0"], "at least 1"),
        ([*GOOD, "--inputs", "2.5"], "--inputs"),
        ([*GOOD, "--hidden", "0"], "at least 1"),
        ([*GOOD, "--hidden", "-3"], "at least 1"),
        ([*GOOD, "--outputs", "0"], "at least 1"),
        ([*GOOD, "--activation", "cubic"], "quadratic"),
        ([*GOOD, "--second-layer", "frozen"], "trainable, fixed"),
        ([*GOOD, "--second-layer", "fixed", "--second-layer-value", "nan"], "finite"),
        ([*GOOD, "--init", "zeros"], "gaussian, balanced, aligned"),
        ([*GOOD, "--init-scale", "-1"], "negative"),
        ([*GOOD, "--init-scale", "nan"], "finite"),
        ([*GOOD, "--init-file", "absent.npz"], "cannot be read"),
        ([*GOOD, "--covariance", "absent.npy"], "cannot be read"),
        ([*GOOD, "--covariance", "sigma.txt"], ".npy or .csv"),
        ([*GOOD, "--seed", "-1"], "at least 0"),
        ([*GOOD, "--t-end", "0"], "positive"),
        ([*GOOD, "--t-end", "nan"], "finite"),
        ([*GOOD, "--t-end", "1e-300"], "too short to integrate over"),
        ([*GOOD, "--times", "0,1,0.5"], "increasing"),
        ([*GOOD, "--times", "a,b"], "separated by commas"),
        ([*GOOD, "--times", "-1,0"], "non-negative"),
        ([*GOOD, "--times", "0,2"], "t_end"),
        ([*GOOD, "--records", "1"], "at least 2"),
        ([*GOOD, "--until-loss", "0"], "positive"),
        ([*GOOD, "--method", "Euler"], "LSODA"),
        ([*GOOD, "--correction", "exact"], "none, modified"),
        ([*GOOD, "--correction", "modified"], "--step"),
        ([*GOOD, "--correction", "modified", "--step", "-1"], "positive"),
        ([*GOOD, "--momentum", "0.1"], "belong"),
        ([*GOOD, "--rtol", "1e-20"], "1e-13"),
        ([*GOOD, "--atol", "-1"], "positive"),
        ([*GOOD, "--output", "run.xlsx"], "must end in"),
        ([*GOOD, "--config", "absent.toml"], "cannot be read"),
        ([*GOOD, "superfluous"], "superfluous"),
        ([*TRAIN[:-4]], "--steps` is missing"),
        ([*TRAIN, "--steps", "0"], "at least 1"),
        ([*TRAIN, "--step", "0"], "positive"),
        ([*TRAIN, "--batch", "0"], "whole set"),
        ([*TRAIN, "--batch", "-4"], "at least 0"),
        ([*TRAIN, "--samples", "2"], "only 2 samples"),
        ([*TRAIN, "--label-noise", "-1"], "negative"),
        ([*TRAIN, "--seeds", "0"], "at least 1"),
        ([*TRAIN, "--optimizer", "lion"], "sgd, momentum"),
        ([*TRAIN, "--momentum", "1"], "below 1"),
        ([*TRAIN, "--device", "abacus"], "can use here"),
        ([*TRAIN, "--dtype", "half"], "float32, float64"),
        ([*TRAIN, "--records", "1"], "at least 2"),
        ([*TRAIN, "--output", "run.png"], "must end in"),
        ([*COMPARE, "--t-end", "1"], "one of them"),
        ([*COMPARE[:-4]], "--t-end"),
        ([*COMPARE[:-4], "--times", "0,nan"], "NaN"),
        ([*COMPARE[:-4], "--times", "-1"], "non-negative"),
        ([*COMPARE[:-4], "--t-end", "1e308", "--step", "1e-320"], "more than 2^63 − 1 steps"),
        ([*COMPARE, "--output", "curves.bmp"], "must end in"),
        (["derive"], "input dimension is missing"),
        (["derive", "--inputs", "2", "--format", "word"], "text, latex"),
        (["derive", "--inputs", "0"], "at least 1"),
        (["derive", "--inputs", "2", "--hidden", "0"], "at least 1"),
        (["derive", "--inputs", "2", "--output", "flow.doc"], "must end in"),
        (["derive", "--inputs", "2", "--format", "javascript", "--output", "flow.tex"], "must end in: js"),
        (["derive", "--format", "tensor", "--output", "flow.py"], "must end in: txt, tex"),
        (["staircase", "--teacher", "2,1", "--init-scale", "1e200"], "between 1e-100 and 1e+50"),
        (["figure", "saddle-graph", "--teacher", "2,1", "--step", "0"], "`step` is 0"),
        (["figure", "neuron", "--step", "0"], "`step` is 0"),
        (["figure", "staircase", "--step", "0"], "`step` is 0"),
        (["figure"], "Which figure"),
        (["figure", "learning-curve"], "Did you mean 'learning-curves'"),
        (["figure", "learning-curves", "--output", "x.bmp"], "must end in"),
        (["simulat"], "Did you mean 'simulate'"),
    ],
)
def test_bad_input_exits_2_with_one_line(quadflow, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    result = quadflow(*arguments)
    assert result.status == 2
    assert result.out == ""
    assert words in result.err
    assert result.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("asymmetric.npy", [[1.0, 2.0], [0.0, 1.0]])
    np.save("oblong.npy", np.ones((2, 3)))
    np.save("objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save("indefinite.npy", np.diag([1.0, -1.0]))
    np.save("large.npy", np.eye(3))
    np.save("nan.npy", np.full((2, 2), np.nan))
    np.savez("wrong_names.npz", X=np.ones(2))
    np.savez("mismatch.npz", W=np.ones((3, 2)), a=np.ones(2), V=np.ones((3, 2)), b=np.ones(2))
    np.savez("good.npz", W=np.ones((3, 2)), a=np.ones(3))
    contents = {
        "text.npy": "no array",
        "text.npz": "no arrays",
        "empty.npy": "",
        "words.csv": "a,b\nc,d\n",
        "broken.toml": "hidden = = 2",
        "misspelt.toml": "hiden = 2",
    }
    for name, text in contents.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--teacher", "asymmetric.npy"], "not symmetric"),
        (["--teacher", "oblong.npy"], "square"),
        (["--teacher", "objects.npy"], "array of numbers"),
        (["--teacher", "nan.npy"], "NaN"),
        (["--teacher", "text.npy"], "array of numbers"),
        (["--teacher", "empty.npy"], "no header"),
        (["--teacher", "words.csv"], "'c' in line 2 is no number"),
        (["--teacher", "text.npz"], "npz file"),
        (["--teacher", "wrong_names.npz"], "lacks the array 'V'"),
        (["--teacher", "mismatch.npz"], "directions"),
        (["--teacher", "2,1", "--init-file", "wrong_names.npz"], "--init-tensors"),
        (["--teacher", "2,1", "--init-file", "mismatch.npz"], "(…, O, K)"),
        (["--teacher", "2,1", "--init-file", "text.npz"], "npz file"),
        (["--teacher", "2,1", "--init-file", "good.npz", "--hidden", "2"], "3 hidden units"),
        (["--teacher", "2,1", "--init-file", "good.npz", "--inputs", "2", "--outputs", "2"], "outputs"),
        (["--teacher", "2,1", "--covariance", "indefinite.npy"], "must be positive"),
        (["--teacher", "2,1", "--covariance", "large.npy"], "dimension 2"),
        (["--teacher", "2,1", "--covariance", "asymmetric.npy"], "not symmetric"),
        (["--teacher", "2,1", "--config", "broken.toml"], "not valid TOML"),
        (["--teacher", "2,1", "--config", "misspelt.toml"], "'hiden'"),
    ],
)
def test_bad_files_exit_2_with_one_line(quadflow, files, arguments, words):
    result = quadflow("simulate", "--t-end", "1", *arguments)
    assert result.status == 2
    assert result.out == ""
    assert words in result.err
    assert result.err.count("\n") == 1


def test_a_folder_cannot_be_written(quadflow, tmp_path):
    (tmp_path / "run.npz").mkdir()
    result = quadflow(*GOOD, "--output", tmp_path / "run.npz")
    assert result.status == 2
    assert "cannot be written" in result.err


def test_divergence_exits_1_with_one_line_and_keeps_the_records(quadflow, tmp_path):
    result = quadflow(
        *TRAIN, "--steps", "200", "--step", "1", "--init-scale", "1", "--output", tmp_path / "run.npz"
    )
    assert result.status == 1
    assert "largest stable step" in result.err
    assert result.err.count("\n") == 1
    assert (tmp_path / "run.npz").exists()


def test_failed_integration_exits_1_and_keeps_the_trajectory(quadflow, tmp_path, monkeypatch):
    """A budget of evaluations stands in for a solver that gives up."""
    from dynamics import GradientFlow

    integrate = GradientFlow.integrate
    monkeypatch.setattr(GradientFlow, "integrate", lambda *a, **k: integrate(*a, **k, max_evaluations=50))
    result = quadflow(*GOOD, "--t-end", "50", "--output", tmp_path / "run.npz")
    assert result.status == 1
    assert "gave up at t = " in result.err
    assert (tmp_path / "run.npz").exists()


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    from quadflow.output import write_file

    target = tmp_path / "result.npz"
    target.write_bytes(b"old")

    def interrupted(file):
        file.write(b"half of the n")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_file(str(target), interrupted)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_ctrl_c_exits_130_without_a_traceback(quadflow, monkeypatch):
    from dynamics import GradientFlow

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(GradientFlow, "integrate", interrupt)
    result = quadflow(*GOOD)
    assert result.status == 130
    assert result.err.strip() == "quadflow: Interrupted."


def test_help_imports_nothing_heavy():
    """What makes `quadflow --help` answer at once."""
    code = (
        "import sys\nfrom quadflow.cli import run\nrun(['--help'])\nrun(['simulate', '--help'])\n"
        "assert not {'numpy', 'scipy', 'torch', 'sympy', 'matplotlib'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_simulating_imports_neither_torch_nor_sympy_nor_matplotlib():
    code = (
        "import sys\nfrom quadflow.cli import run\nassert run(['simulate', '--teacher', '2,1', '--t-end', '1']) == 0\n"
        "assert not {'torch', 'sympy', 'matplotlib'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            "simulate --teacher 2,1 --max-evaluations -1",
            "`max_evaluations` is -1, but must be at least 1.",
        ),
        ("simulate --teacher 2,1 --step nan --t-end 1", "`step` is nan, but must be finite."),
        ("simulate --teacher 2,1 --step -1 --t-end 1", "`step` is -1, but must be positive."),
        (
            "simulate --teacher 2,1 --momentum -1 --t-end 1",
            "`momentum` is -1, but must not be negative.",
        ),
        ("hannet --train checkerboard --layers -1", "`layers` is -1, but must be at least 1."),
        ("hannet --check --steps -1", "`steps` is -1, but must be at least 1."),
        ("figure staircase --step nan --seeds 0", "`step` is nan, but must be finite."),
        ("figure staircase --batch -1 --seeds 0", "`batch` is -1, but must be at least 1."),
    ],
)
def test_values_are_refused_where_they_have_no_effect_too(capsys, arguments, words):
    assert run(arguments.split()) == 2
    assert capsys.readouterr().err == f"quadflow: {words}\n"
