"""`figure spectrum` says which problem it draws, and follows a teacher of one's own until it is learned."""

import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.flows.learning_time import learning_time
from empirical.experiments.learning_span import BEYOND
from quadflow.cli import run

OWN = ["figure", "spectrum", "--teacher", "2,0.5", "--inputs", "2", "--hidden", "2", "--points", "3"]


@pytest.fixture
def drawn(tmp_path, capsys):
    """What a call prints."""

    def of(*arguments):
        assert run([*OWN, *arguments, "--dpi", "20", "--output", str(tmp_path / "s.png")]) == 0
        return capsys.readouterr().out

    return of


def test_the_problem_and_the_length_for_another_teacher(drawn):
    """The length is 1.3 times that by which the flow's loss has fallen by 99 %."""
    student = Student.initialise(2, 2, scale=1e-3, seed=1, second_layer="fixed")
    flow = GradientFlow(Problem(Teacher.from_eigenvalues([2, 0.5]), student, "centred"))
    t_end = BEYOND * learning_time(flow)
    first, second = drawn().splitlines()[:2]
    assert first == "centred units, second layer fixed at 1"
    assert float(second.rpartition(" = ")[2]) == pytest.approx(t_end, rel=1e-5)


def test_the_quadratic_network_when_asked_for(drawn):
    said = drawn("--activation", "quadratic", "--second-layer", "trainable", "--t-end", "0.5")
    assert said.startswith("quadratic units, second layer trained\n")
    assert "up to t = 0.5\n" in said
