"""Matrices in files: what is read into them, what is said about it, and what is refused."""

import click
import numpy as np
import pytest

from dynamics import Teacher, fixed_points
from quadflow.cli import COMMANDS, cli
from quadflow.notes import note, notes, print_notes

SIMULATE = ["simulate", "--hidden", "3", "--t-end", "0.1"]


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A matrix of rank 3 in 50 inputs, with six digits and in single precision, and covariances."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(5)
    Q = np.linalg.qr(rng.standard_normal((50, 3)))[0]
    M = (Q * [4.0, 2.0, 1.0]) @ Q.T
    np.savetxt("six.csv", M, "%.6g", delimiter=",")
    np.save("single.npy", M.astype(np.float32))
    np.save("few.npy", np.cov(rng.standard_normal((3, 4)).T))
    np.save("asymmetric.npy", np.array([[2.0, 0.5], [0.4, 1.0]]))
    np.save("slight.npy", np.array([[2.0, 0.5], [0.5 + 6e-8, 1.0]]))
    np.save("complex.npy", np.eye(4) + 0j)
    np.save("spread.npy", np.diag([4.0, 2.0, 1.0, 1e-3]))
    return tmp_path


@pytest.mark.parametrize("name", ["six.csv", "single.npy"])
def test_a_rounded_matrix_of_rank_3_has_3_modes(quadflow, files, name):
    """Its catalogue is that of 4, 2, 1; the note stands once on standard error and among the warnings."""
    result = quadflow(*SIMULATE, "--teacher", name, "--json")
    assert result.status == 0
    assert len(result.json["modes"][0]) == 3
    assert result.err.count("\n") == 1
    assert result.err.startswith("quadflow: note: 47 eigenvalues of `teacher` below")
    assert "treated as 0" in result.err
    said = [w for w in result.json["warnings"] if "47 eigenvalues" in w]
    assert len(said) == 1
    points = quadflow("fixed-points", "--teacher", name, "--hidden", "3", "--lowest", "4", "--json").json
    expected = fixed_points(Teacher.from_eigenvalues([4, 2, 1], 50), 3, lowest=4).points
    np.testing.assert_allclose(
        [p["loss"] for p in points["fixed_points"]], [p.loss for p in expected], rtol=1e-4, atol=1e-12
    )


def test_a_note_is_said_once_and_only_after_success(quadflow, files):
    both = quadflow(*SIMULATE, "--teacher", "slight.npy", "--inputs", "4", "--covariance", "few.npy")
    assert both.status == 0
    assert both.err.count("\n") == 1
    assert "symmetrised" in both.err
    assert "of dimension 2" in both.err
    failed = quadflow(*SIMULATE, "--teacher", "slight.npy", "--inputs", "4", "--method", "Euler")
    assert failed.status == 2
    assert "note" not in failed.err
    assert failed.err.count("\n") == 1
    assert quadflow(*SIMULATE, "--teacher", "4,2").err == ""


def test_the_same_note_of_several_problems_is_one(capsys):
    with click.Context(cli):
        note(["one thing"])
        note(["one thing", "another"])
        assert notes() == ["one thing", "another"]
        print_notes()
    assert capsys.readouterr().err == "quadflow: note: one thing; another.\n"
    note(["nobody is told outside a command"])
    assert notes() == []


def test_files_written_by_a_command_hold_the_note(quadflow, files):
    quadflow(*SIMULATE, "--teacher", "slight.npy", "--output", "run.json")
    assert "symmetrised" in (files / "run.json").read_text()


@pytest.mark.parametrize(
    ("options", "modes"),
    [
        ([], [4, 2, 1, 1e-3]),
        (["--rank", "2"], [4, 2]),
        (["--tolerance", "1e-3"], [4, 2, 1]),
        (["--tolerance", "0.3"], [4, 2]),
    ],
)
def test_rank_and_tolerance(quadflow, files, options, modes):
    result = quadflow("simulate", "--teacher", "spread.npy", "--t-end", "0.1", *options, "--json").json
    np.testing.assert_allclose(result["problem"]["eigenvalues"], modes)


def test_symmetrize_takes_the_mean(quadflow, files):
    """[[2, 0.45], [0.45, 1]] has the eigenvalues 3/2 ± √(1/4 + 0.45²)."""
    arguments = [*SIMULATE, "--teacher", "asymmetric.npy"]
    refused = quadflow(*arguments)
    assert refused.status == 2
    assert "--symmetrize" in refused.err
    half = np.hypot(0.5, 0.45)
    values = quadflow(*arguments, "--symmetrize", "--json").json["problem"]["eigenvalues"]
    np.testing.assert_allclose(values, [1.5 + half, 1.5 - half])
    covariance = ["--teacher", "2,1", "--covariance", "asymmetric.npy"]
    assert quadflow(*SIMULATE, *covariance).status == 2
    assert quadflow(*SIMULATE, *covariance, "--symmetrize").status == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["simulate", "--t-end", "0.1"],
        ["train", "--steps", "2"],
        ["compare", "--t-end", "0.01"],
        ["fixed-points", "--search", "2"],
        ["diagnose"],
        ["staircase", "--init-scale", "1e-3"],
        ["derive"],
    ],
)
def test_every_verb_takes_a_singular_covariance_or_refuses_it(quadflow, files, arguments):
    """A teacher 1, 1, 1, 1 commutes with whatever Σ there is."""
    arguments = [*arguments, "--hidden", "2", "--teacher", "1,1,1,1", "--covariance", "few.npy"]
    result = quadflow(*arguments)
    assert result.status == 0, result.err
    assert result.err.startswith("quadflow: note: 2 eigenvalues of `covariance`")
    assert result.err.count("\n") == 1
    proof = quadflow("fixed-points", *arguments[-6:], "--certify")
    assert (proof.status, proof.err.count("\n")) == (2, 1)
    assert "singular" in proof.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*SIMULATE, "--teacher", "2,1", "--rank", "1"], "`--rank` says how a matrix"),
        ([*SIMULATE, "--teacher", "2,1", "--symmetrize"], "`--symmetrize` says how a matrix"),
        ([*SIMULATE, "--teacher", "2,1", "--tolerance", "0"], "`--tolerance` says how a matrix"),
        ([*SIMULATE, "--teacher", "spread.npy", "--rank", "5"], "4 eigenvalues only"),
        ([*SIMULATE, "--teacher", "spread.npy", "--tolerance", "2"], "below 1"),
        ([*SIMULATE, "--teacher", "complex.npy"], "complex"),
        ([*SIMULATE, "--teacher", "2,1,1,1", "--covariance", "complex.npy"], "complex"),
        (["conserved", "--teacher", "2,1", "--rank", "1"], "`--rank` says how"),
        (["neuron", "--teacher", "2,1", "--rank", "1"], "`--rank` says how"),
        (["neuron", "--rank", "1"], "needs a `--teacher`"),
        (["derive", "--teacher", "2,1", "--rank", "1"], "`--rank` says how"),
        (["fixed-points", "--teacher", "2,1", "--rank", "1"], "`--rank` says how"),
    ],
)
def test_what_does_not_fit_is_refused(quadflow, files, arguments, words):
    result = quadflow(*arguments)
    assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
    assert words in result.err


def test_other_commands_read_matrices_the_same_way(quadflow, files):
    laws = quadflow("conserved", "--teacher", "spread.npy", "--rank", "1", "--hidden", "1")
    assert (laws.status, "left out by `rank`" in laws.err) == (0, True)
    neuron = quadflow("neuron", "--teacher", "spread.npy", "--tolerance", "0.3", "--t-end", "0.1")
    assert (neuron.status, "2 eigenvalues of `teacher`" in neuron.err) == (0, True)


@pytest.mark.parametrize(
    "arguments",
    [
        [*SIMULATE, "--teacher", "absent.npy"],
        [*SIMULATE, "--teacher", "absent.csv"],
        [*SIMULATE, "--teacher", "absent.npz"],
        [*SIMULATE, "--teacher", "2,1", "--covariance", "absent.csv"],
        [*SIMULATE, "--teacher", "2,1", "--init-file", "absent.npz"],
        [*SIMULATE, "--teacher", "2,1", "--init-file", "absent.pt"],
        [*SIMULATE, "--config", "absent.toml"],
        ["run", "absent.toml"],
        ["report", "absent.npz"],
        ["report", "absent.json"],
        ["report", "absent.nc"],
        ["conserved", "--infer", "absent.npz"],
        ["figure", "sweep", "absent.nc"],
    ],
)
def test_messages_end_with_one_full_stop(quadflow, files, arguments):
    result = quadflow(*arguments)
    assert (result.status, result.err.count("\n")) == (2, 1)
    assert result.err.endswith(".\n")
    assert ".." not in result.err


def whole_numbers():
    """Every option of every command that is a whole number: (words of the command, name of the option)."""

    def walk(command, words):
        if isinstance(command, click.Group):
            for name, inner in command.commands.items():
                yield from walk(inner, [*words, name])
        else:
            for parameter in command.params:
                if isinstance(parameter.type, click.types.IntParamType):
                    yield [*words, parameter.opts[0]]

    context = click.Context(cli)
    for name in COMMANDS:
        yield from walk(cli.get_command(context, name), [name])


def test_no_option_takes_more_than_a_machine_word(quadflow):
    options = list(whole_numbers())
    assert len(options) > 150
    for words in options:
        for value in (2**63, "-" + "9" * 5000):
            result = quadflow(*words, value)
            assert (result.status, result.out, result.err.count("\n")) == (2, "", 1), words
            assert "below 2^63 in size" in result.err, words
            assert len(result.err) < 200
    assert quadflow(*SIMULATE, "--teacher", "2,1", "--seed", 2**63 - 1).status == 0


@pytest.mark.parametrize("option", ["hidden", "inputs"])
def test_nor_does_a_sweep_or_a_configuration(quadflow, files, option):
    sweep = quadflow(
        "sweep", "--teacher", "2,1", "--vary", f"{option}={2**63}", "--workers", "0", "--t-end", "1"
    )
    (files / "big.toml").write_text(f'command = "simulate"\nteacher = "2,1"\n{option} = {10**30}\n')
    for result in (sweep, quadflow("run", "big.toml")):
        assert (result.status, result.err.count("\n")) == (2, 1)
        assert "2^63" in result.err


def test_inputs_default_to_those_of_the_teacher(quadflow, files):
    """Of a matrix, of eigenvalues, and of a teacher network; weights are padded, or are what pads the teacher."""
    np.savez("net.npz", V=np.ones((1, 5)), b=np.ones(1))
    np.savez("start.npz", W=np.ones((2, 7)), a=np.ones(2))
    for teacher, d in (("spread.npy", 4), ("3,2", 2), ("net.npz", 5)):
        problem = quadflow("simulate", "--teacher", teacher, "--t-end", "0.01", "--json").json["problem"]
        assert (problem["inputs"], problem["hidden"]) == (d, d)
    wide = ["simulate", "--teacher", "3,2", "--init-file", "start.npz", "--t-end", "0.01", "--json"]
    assert quadflow(*wide).json["problem"]["inputs"] == 7
    assert quadflow(*wide, "--inputs", "9").json["problem"]["inputs"] == 9
    narrow = quadflow("simulate", "--teacher", "9,8,7,6,5,4,3,2", *wide[3:])
    assert narrow.json["problem"]["inputs"] == 8
