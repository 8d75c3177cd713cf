"""From options and files to a problem: sizes, paddings, several outputs; and what a run of a sweep is given."""

from dataclasses import asdict
from importlib import import_module

import numpy as np
import pytest

from dynamics import ComputationError, ProblemError, Teacher
from dynamics.requests import alone
from empirical.sweep.grid import Run
from quadflow.options import MatrixOptions, ProblemOptions, pick
from quadflow.options.reading import build_problem, matrix_arguments, read_teacher
from quadflow.options.starts import parse_tensors
from quadflow.sweeps.run import evaluate, options_of

OPTIONS = {
    **{"teacher": "2,1", "inputs": None, "hidden": None, "outputs": None, "activation": "quadratic"},
    **{"second_layer": "trainable", "second_layer_value": 1.0, "covariance": None, "init_scale": 0.3},
    **{"init": "gaussian", "init_file": None, "seed": 5},
    **{"init_tensors": None, "rank": None, "tolerance": None, "symmetrize": False},
}
V = np.array([[1.0, 2], [0.5, -1], [0, 1]])
B = np.array([[1.0, -1, 2], [0, 3, 1]])


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("two.npz", V=V, b=B)
    np.savez("one.npz", V=V, b=B[0])
    np.savez("start.npz", W=np.ones((2, 3)), a=[0.5, -0.5])
    np.save("M.npy", np.array([[2.0, 1], [1, 0]]))
    return tmp_path


def matrices(teacher):
    return [teacher.matrix(o).tolist() for o in range(teacher.outputs)]


def expected(rows):
    return [(V.T * b @ V).tolist() for b in rows]


def test_teacher_networks_with_several_outputs(files):
    """Σ_m b_om v_m v_mᵀ for every output; one output is repeated if several are asked for."""
    assert matrices(read_teacher("two.npz", None, None)) == expected(B)
    assert matrices(read_teacher("two.npz", None, 2)) == expected(B)
    assert matrices(read_teacher("one.npz", None, None)) == expected(B[:1])
    assert matrices(read_teacher("one.npz", None, 3)) == expected(B[[0, 0, 0]])
    wide = read_teacher("two.npz", 4, None)
    assert wide.inputs == 4
    np.testing.assert_array_equal(wide.matrix(1)[:2, :2], expected(B)[1])
    assert not wide.matrix(1)[2:].any()
    for outputs in (1, 3):
        with pytest.raises(
            ProblemError, match=f"`--outputs` is {outputs}, but the teacher of 'two.npz' has 2"
        ):
            read_teacher("two.npz", None, outputs)


def test_other_teachers(files):
    assert read_teacher("2,1", 3, 2).outputs == 2
    assert matrices(read_teacher("2,1", None, 2)) == [np.diag([2, 1]).tolist()] * 2
    law = read_teacher("power-law:1.5:3", 4, 2)
    assert (law.inputs, law.outputs) == (4, 2)
    np.testing.assert_allclose(np.diag(law.matrix()), [1, 2**-1.5, 3**-1.5, 0])
    np.testing.assert_allclose(
        read_teacher("M.npy", 3, 2, "centred").matrix(1)[:2, :2], [[2, 1], [1, 0]], atol=1e-15
    )
    assert read_teacher("M.npy", 3, None).inputs == 3


def test_sizes_by_default(files):
    """As many inputs as the teacher has, as many units as inputs, one output."""
    problem = build_problem(pick(ProblemOptions, OPTIONS))
    assert (problem.inputs, problem.student.hidden, problem.student.outputs) == (2, 2, 1)
    problem = build_problem(pick(ProblemOptions, OPTIONS | {"inputs": 4}))
    assert (problem.inputs, problem.student.hidden) == (4, 4)
    assert build_problem(pick(ProblemOptions, OPTIONS | {"teacher": "two.npz"})).student.outputs == 2


def test_weights_from_a_file_and_the_teacher_are_padded_to_each_other(files):
    """Weights of three inputs make the teacher of two one of three; a given number of inputs pads both."""
    problem = build_problem(pick(ProblemOptions, OPTIONS | {"init_file": "start.npz"}))
    assert problem.teacher.inputs == problem.student.inputs == 3
    problem = build_problem(pick(ProblemOptions, OPTIONS | {"init_file": "start.npz", "inputs": 5}))
    assert problem.student.W.tolist() == [[1, 1, 1, 0, 0]] * 2
    assert problem.student.trainable
    wide = build_problem(pick(ProblemOptions, OPTIONS | {"init_file": "start.npz", "teacher": "4,3,2,1"}))
    assert wide.student.inputs == 4
    fixed = build_problem(
        pick(ProblemOptions, OPTIONS | {"init_file": "start.npz", "second_layer": "fixed", "hidden": 2})
    )
    assert not fixed.student.trainable
    with pytest.raises(ProblemError, match=r"`--hidden` is 3, but 'start\.npz' has 2"):
        build_problem(pick(ProblemOptions, OPTIONS | {"init_file": "start.npz", "hidden": 3}))


def test_the_kinds_of_a_sweep_know_their_options():
    """Those of their command, without what is about its answer."""
    assert {"records", "t_end", "until_loss", "teacher"} <= options_of("simulate")
    assert not {"samples", "seed", "output", "as_json", "config"} & options_of("simulate")
    assert {"samples", "t_end", "times", "batch"} <= options_of("train")
    assert "no_follow" in options_of("diagnose") and "no_follow" not in options_of("compare")


@pytest.fixture
def trained(monkeypatch):
    """Arguments with which a run of the kind `train` would train."""
    found = []

    def keep(problem, **arguments):
        found.append((problem, arguments))
        raise ComputationError("reached")

    monkeypatch.setattr("empirical.training_request.train", keep)

    def call(**changes):
        options = {
            **OPTIONS,
            **{"steps": None, "step": 0.02, "batch": 8, "samples": 0, "label_noise": 0.0, "seeds": 1},
            **{"optimizer": "sgd", "momentum": None, "device": "cpu", "dtype": "float32", "records": 7},
            **{"log_times": False, "test_samples": 0, "t_end": None, "times": None},
        }
        with pytest.raises(ComputationError, match="reached"):
            alone(evaluate(Run(0, "train", options | changes)))
        return found[-1][1]

    return call


@pytest.mark.parametrize(
    ("changes", "steps", "record_at"),
    [
        ({"steps": 9}, 9, None),
        ({"t_end": 0.2}, 10, None),
        ({"t_end": 0.001}, 1, None),
        ({"times": "0.1,0.4"}, 20, [0, 5, 20]),
        ({"times": "0.1,0.4", "t_end": 0.2}, 10, [0, 5]),  # beyond the end there is nothing to record
        ({"times": "0.1,0.4", "steps": 20}, 20, [0, 5, 20]),
        ({"times": "0.1,0.4", "steps": 19}, 19, [0, 5]),
    ],
)
def test_times_beyond_the_last_step_are_left_out(trained, changes, steps, record_at):
    arguments = trained(**changes)
    assert arguments["steps"] == steps
    found = arguments["record_at"]
    assert (found if found is None else found.tolist()) == record_at
    assert {"seed": 5, "step": 0.02, "batch": 8, "records": 7}.items() <= arguments.items()
    assert trained(**changes, gradients="autograd")["gradients"] == "autograd"


def test_a_length_is_needed(monkeypatch):
    with pytest.raises(ProblemError, match="give `--steps` or `--t-end`"):
        alone(
            evaluate(Run(0, "train", OPTIONS | {"step": 0.02, "steps": None, "t_end": None, "times": None}))
        )


@pytest.mark.parametrize(
    ("changes", "target", "wanted"),
    [
        ({}, "dynamics.flows.gradient.GradientFlow", ()),
        ({"correction": "modified", "momentum": 0.6}, "dynamics.flows.modified.ModifiedFlow", (0.02, 0.6)),
        ({"correction": "modified"}, "dynamics.flows.modified.ModifiedFlow", (0.02, 0.0)),
        ({"sgd": True, "label_noise": 0.3}, "dynamics.sgd.sphere_sgd.MeanSGD", (0.02, 8, 0.3)),
        ({"sgd": True, "fluctuations": True}, "dynamics.sgd.fluctuations.FluctuatingSGD", (0.02, 8, 0.0)),
    ],
)
def test_options_of_training_concern_the_flow_if_it_is_corrected(monkeypatch, changes, target, wanted):
    seen = []

    def keep(problem, *arguments, **schedule):
        assert schedule.pop("schedule", "constant") == "constant"
        seen.append((problem.teacher, arguments))
        raise ComputationError("reached")

    import_module("dynamics.flows.modified")  # while GradientFlow, from which it inherits, is in its place
    monkeypatch.setattr(target, keep)
    options = {
        **OPTIONS,
        **{
            "step": 0.02,
            "batch": 8,
            "label_noise": 0.0,
            "momentum": None,
            "fluctuations": False,
            "sgd": False,
        },
        **{
            "correction": "none",
            "method": "auto",
            "rtol": None,
            "atol": None,
            "max_evaluations": None,
            "records": 5,
            "t_end": 1.0,
        },
        **{"times": None, "log_times": False, "until_loss": None},
    }
    with pytest.raises(ComputationError, match="reached"):
        alone(evaluate(Run(0, "simulate", options | changes)))
    assert isinstance(seen[0][0], Teacher)
    assert seen[0][1] == wanted


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (None, (None, None)),
        ("a", ("a", None)),
        ("a,b", ("a", "b")),
        (" a , b.c ", ("a", "b.c")),
        *((wrong, None) for wrong in ("", ",", "a,", ",b", "a,b,c", "a, ,c")),
    ],
)
def test_names_of_tensors(text, names):
    if names is not None:
        assert parse_tensors(text) == names
    else:
        with pytest.raises(ProblemError) as refused:
            parse_tensors(text)
        assert (
            str(refused.value) == f"`--init-tensors` is {text!r}, but must be W_NAME,A_NAME or W_NAME alone."
        )


@pytest.mark.parametrize(
    ("given", "useless"),
    [
        ({}, None),
        ({"rank": 1}, "rank"),
        ({"tolerance": 0.0}, "tolerance"),
        ({"symmetrize": True}, "symmetrize"),
        ({"covariance": "S.npy", "tolerance": 0.1}, None),
        ({"covariance": "S.npy", "symmetrize": True}, None),
        ({"covariance": "S.npy", "rank": 2}, "rank"),
        ({"covariance": "S.npy", "tolerance": 0.1, "rank": 2}, "rank"),
    ],
)
def test_how_a_matrix_is_read(given, useless):
    """What no file can use is refused: eigenvalues have no rank, but a covariance has a tolerance."""
    options, covariance = pick(MatrixOptions, given), given.get("covariance")
    for teacher in ("M.npy", "folder/M.CSV"):
        assert matrix_arguments(teacher, options, covariance) == asdict(options)
    for teacher in ("2,1", "net.npz"):
        if useless is None:
            assert matrix_arguments(teacher, options, covariance) == {}
        else:
            with pytest.raises(ProblemError) as refused:
                matrix_arguments(teacher, options, covariance)
            assert str(refused.value) == (
                f"`--{useless}` says how a matrix in a file is read, but `--teacher` is {teacher!r}."
            )
