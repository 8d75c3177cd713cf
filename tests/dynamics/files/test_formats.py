"""What earlier versions wrote: old files are made here by hand, with times computed from η, β and the steps."""

import json

import numpy as np
import pytest

from dynamics import GradientFlow, MeanSGD, Problem, ProblemError, Student, Teacher, Trajectory
from dynamics.curves.older_results import converted_result
from dynamics.files.formats import (
    check_pieces,
    command_momentum,
    format_number,
    kind_of,
    options_momentum,
)
from dynamics.sgd.trajectory import SGDTrajectory


@pytest.mark.parametrize(
    ("command", "momentum"),
    [
        ("quadflow train --teacher 2,1 --steps 5", 0.0),
        ("quadflow train --momentum 0.5 --steps 5", 0.5),
        ("quadflow train --momentum=0.25", 0.25),
        ("quadflow train --optimizer momentum", 0.9),
        ("quadflow train --optimizer=momentum --momentum 0.3", 0.3),
        ("quadflow train --optimizer gsgd", 0.0),
        ("quadflow compare --teacher 'power-law:1:3' --momentum .75 --json", 0.75),
        ("quadflow train --config my.toml --momentum 0.5", 0.5),
        ("quadflow train --config my.toml", None),  # the file may say it
        ("quadflow run my.toml", None),
        ("quadflow simulate --momentum 0.5", None),  # trains nothing
        ("quadflow train --optimizer adam", None),  # which version 0.1 did not have
        ("quadflow train --momentum much", None),
        ("quadflow train --momentum 1", None),
        ("quadflow train 'unfinished", None),
        ("", None),
        (None, None),
    ],
)
def test_momentum_of_a_command_line(command, momentum):
    assert command_momentum(command) == momentum


def test_momentum_of_options():
    """As `quadflow train` chose it: what is given, else 0.9 for the optimizer "momentum" and 0 for the others."""
    assert options_momentum({}) == 0
    assert options_momentum({"momentum": None, "optimizer": "momentum"}) == 0.9
    assert options_momentum({"momentum": 0.5, "optimizer": "sgd"}) == 0.5
    assert options_momentum({"momentum": "x"}) is None
    assert options_momentum({"momentum": True}) is None


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            "quadflow trajectory 3",
            "'x' is of the format 'quadflow trajectory 3', but this version of quadflow reads",
        ),
        ("quadflow trajectory 0", "'x' is not a trajectory saved by quadflow"),
        ("quadflow trajectory two", "'x' is not a trajectory saved by quadflow"),
        ("quadflow SGD trajectory 1", "'x' is not a trajectory saved by quadflow"),
        (None, "'x' is not a trajectory saved by quadflow"),
        (3.5, "'x' is not a trajectory saved by quadflow"),
    ],
)
def test_foreign_and_later_formats_are_refused(found, words):
    with pytest.raises(ProblemError, match=words):
        format_number(found, "trajectory", "'x'")


def test_numbers_and_kinds():
    assert [format_number(f"quadflow training run {n}", "training run", "x") for n in (1, 2)] == [1, 2]
    assert kind_of("quadflow training run 1") == "training run"
    assert kind_of("something else") == kind_of(None) == ""


NETWORKS = {"times": [0.0, 0.5], "steps": [0, 50], "loss": [[2.0, 1.0]], "modes": [[[0.0], [1.0]]]}


def test_times_of_old_trainings_become_those_of_the_flow():
    """η = 0.01, 50 steps, β = 0.9: η × steps = 0.5, time of the flow 5."""
    old = NETWORKS | {"command": "quadflow train --momentum 0.9 --step 0.01"}
    assert converted_result(old, "x")["times"] == pytest.approx([0, 5])
    assert converted_result(NETWORKS, "x", momentum=0.5)["times"] == [0, 1]
    assert old["times"] == [0.0, 0.5]  # what was read is left alone
    new = old | {"format": "quadflow result 2"}
    assert converted_result(new, "x") == new


def test_what_does_not_say_its_momentum_is_refused():
    with pytest.raises(ProblemError, match=r"^'x' is of version 0\.1.*does not say the momentum") as error:
        converted_result(NETWORKS | {"command": "quadflow run x.toml"}, "'x'")
    assert "\n" not in str(error.value)


def test_old_comparisons_take_the_clock_of_their_theory():
    """Both sides were recorded at the same moments: the theory's times were those of the flow already."""
    theory = {"times": [0.0, 5.0], "loss": [2.0, 1.0], "modes": [[0.0], [1.0]]}
    old = {"times": [0.0, 0.5], "theory": theory, "training": NETWORKS, "gap": {}}
    new = converted_result(old, "x")
    assert new["times"] == new["theory"]["times"] == new["training"]["times"] == [0, 5]
    assert new["training"]["steps"] == [0, 50]


def test_old_plateaus_call_modes_by_columns():
    """λ = 3, −1.5 in five dimensions: column 1 is the mode 4. Of several outputs columns stay what they are."""
    stage = {"start": 0.0, "end": 1.0, "loss": 1.0, "learned_modes": [0, 1]}
    old = {"times": [0.0], "loss": [1.0], "modes": [[0.0, 0.0]], "stages": [stage]}
    problem = {"inputs": 5, "outputs": 1, "eigenvalues": [3.0, -1.5]}
    assert converted_result(old | {"problem": problem}, "x")["stages"][0]["learned_modes"] == [0, 4]
    two = problem | {"outputs": 2}
    assert converted_result(old | {"problem": two}, "x")["stages"][0]["learned_modes"] == [0, 1]
    nobody = converted_result(old | {"problem": None}, "x")
    assert nobody["stages"][0]["learned_modes"] == [0, 1]
    assert converted_result({"verdict": "fails"}, "x") == {"verdict": "fails"}


def test_pieces_of_version_1_are_continued_unless_their_clock_has_changed():
    def definition(kinds, vary=(), **options):
        return json.dumps({"kinds": kinds, "options": options, "vary": vary})

    old = "quadflow sweep pieces 1"
    check_pieces(old, definition(["train"], momentum=None, optimizer="sgd"), "x")
    check_pieces(old, definition(["simulate"], momentum=0.5), "x")
    check_pieces("quadflow sweep pieces 2", "", "x")
    with_momentum = [
        definition(["train"], momentum=0.5),
        definition(["simulate", "compare"], optimizer="momentum"),
        definition(["train"], [["hidden", [1, 2]], ["momentum", [0.0, 0.5]]]),
        definition(["train"], [["optimizer", ["sgd", "momentum"]]]),
    ]
    for text in with_momentum:
        with pytest.raises(ProblemError, match="begin the sweep anew with `--overwrite`"):
            check_pieces(old, text, "x")


def test_trajectories_of_version_1_are_read(tmp_path):
    """Arrays and entries that version 0.1 wrote, and nothing else."""
    problem = Problem(Teacher.from_eigenvalues([2, 1], 9), Student.initialise(2, 9, scale=0.5, seed=1))
    flow = GradientFlow(problem).integrate(times=[0, 0.2])
    mean = MeanSGD(problem, 0.01, 4).integrate(times=[0, 0.2])
    arrays = {"teacher_V": problem.teacher.V, "teacher_B": problem.teacher.B}
    arrays |= {"initial_W": problem.student.W, "initial_A": problem.student.A}
    about = {"activation": "quadratic", "trainable": True, "versions": {"numpy": "1"}}
    for result, name, held, more in (
        (flow, "trajectory", "times loss modes coordinates basis W", {}),
        (mean, "SGD trajectory", "times Q R A loss modes conserved mean_field_loss",
         {"step": 0.01, "batch": 4, "label_noise": 0.0}),
    ):  # fmt: skip
        said = about | more | {"format": f"quadflow {name} 1", "solver": vars(result.solver)}
        own = {key: getattr(result, key) for key in held.split()} | ({"a": flow.a} if result is flow else {})
        np.savez(tmp_path / "x.npz", about=json.dumps(said), **arrays, **own)
        back = {"trajectory": Trajectory, "SGD trajectory": SGDTrajectory}[name].load(tmp_path / "x.npz")
        for key in ("times", "loss", "modes", "A"):
            np.testing.assert_array_equal(getattr(back, key), getattr(result, key))
        assert back.versions == {"numpy": "1"}
        np.testing.assert_array_equal(back.conserved, result.conserved)
