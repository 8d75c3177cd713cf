"""An activation that is registered here, in one object, and what every floor then does with it.

The third Hermite polynomial with variance, φ(z, q) = z³ − 3zq, q = wᵀΣw. E φ(u·x)φ(v·x) = 6 (uᵀΣv)³, so the loss, the
flow and what is learned can be written down by hand.
"""

import json

import numpy as np
import pytest
import torch

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.activations import ACTIVATIONS, Activation, register
from empirical import QuadraticNetwork, compare, train
from quadflow.cli import run

TEACHER = "--teacher 2,-1 --inputs 3 --hidden 4 --activation hermite3"
START = f"{TEACHER} --init-scale 0.8 --seed 1"


@pytest.fixture(scope="module")
def hermite3():
    """Registered for the tests of this file."""
    activation = register(
        Activation(
            "hermite3", "φ(w·x) = (w·x)³ − 3 (w·x) wᵀΣw", lambda z, q: z**3 - 3 * z * q, degree=3, parity=-1
        )
    )
    yield activation
    del ACTIVATIONS["hermite3"]


@pytest.fixture
def problem(hermite3):
    teacher = Teacher.from_eigenvalues([2, -1], 3)
    return Problem(teacher, Student.initialise(4, 3, scale=0.8, seed=1, degree=3), hermite3)


def by_hand(problem, W, A):
    """L = 3 Σ_o CᵀSC, S_ij = (u_i·u_j)³, with U = [W; V] and C_o = [A_o, −B_o]."""
    U, C = np.vstack([W, problem.teacher.V]), np.hstack([A, -problem.teacher.B])
    return 3 * float(np.einsum("oi,ij,oj->", C, (U @ U.T) ** 3, C))


def printed(capsys, *words):
    """JSON of a command that succeeds."""
    assert run([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_flow_is_that_of_the_network(problem):
    """Loss by hand along the flow, falling; c_k = ‖w_k‖² − 3a_k² constant; what is learned has the teacher's signs."""
    trajectory = GradientFlow(problem).integrate()
    losses = [by_hand(problem, W, A) for W, A in zip(trajectory.W, trajectory.A, strict=True)]
    np.testing.assert_allclose(trajectory.loss, losses, rtol=0, atol=1e-12 * losses[0])
    c = np.sum(trajectory.W**2, axis=2) - 3 * trajectory.a**2
    assert np.ptp(c, axis=0).max() < 1e-8
    np.testing.assert_allclose(trajectory.modes[-1], [2, -1], atol=1e-4)
    stages = GradientFlow(problem).integrate(t_end=3.0).stages
    assert stages[-1].learned_modes == (0, 2)  # by their numbers among the eigenvalues 2, 0, −1


def test_networks_compute_it_and_follow_the_flow(problem, hermite3):
    """The module against the formula; trained with small steps on large batches, it stays on the flow."""
    network = QuadraticNetwork.from_student(problem.student, activation=hermite3)
    x = torch.randn(7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    W, a = problem.student.W, problem.student.a
    z = x.numpy() @ W.T
    expected = (z**3 - 3 * z * np.sum(W**2, axis=1)) @ a
    np.testing.assert_allclose(network(x).detach().numpy()[:, 0], expected, rtol=1e-12)
    comparison = compare(problem, steps=200, step=2e-4, batch=4096, seeds=4, dtype="float64", gap="training")
    assert comparison.relative_error["loss_sup"] < 0.02
    training = train(problem, steps=10, step=1e-4, batch=64, seeds=1)
    assert training.conserved.shape == (1, len(training.steps), 4)


def test_the_command_line_knows_it(hermite3, problem, capsys, tmp_path):
    """Derived, simulated, trained, searched, reported and drawn by its name."""
    derived = printed(capsys, "derive", *["--inputs", "2", "--hidden", "1", "--activation", "hermite3"])
    assert derived["activation"] == "hermite3" and "m_0_0_1" in derived["targets"]
    assert derived["conserved"] == ["w_0_0**2 + w_0_1**2 - 3*a_0**2"]
    file = tmp_path / "run.json"
    simulated = printed(capsys, "simulate", *START.split(), "--t-end", "20", "--output", str(file))
    assert simulated["loss"][0] == pytest.approx(by_hand(problem, problem.student.W, problem.student.A))
    np.testing.assert_allclose(simulated["modes"][-1], [2, -1], atol=0.05)
    trained = printed(
        capsys, "train", *START.split(), *["--steps", "20", "--step", "1e-4", "--dtype", "float64"]
    )
    assert trained["loss"][0][0] == pytest.approx(simulated["loss"][0])
    small = "--teacher 2 --inputs 1 --hidden 1 --activation hermite3"
    found = printed(capsys, "fixed-points", *small.split(), "--search", "8")
    assert found["fixed_points"][0]["loss"] == pytest.approx(0, abs=1e-9)
    for point in found["fixed_points"]:
        assert point["loss"] == pytest.approx(0 if point["learned_modes"] else 12, abs=1e-9)  # 3·2² at zero
    scope = {row["command"]: row["status"] for row in printed(capsys, "scope", *START.split())["scope"]}
    assert (scope["derive"], scope["fixed-points"], scope["staircase"]) == ("exact", "numerical", "not known")
    assert run(["staircase", *START.split()]) == 2
    assert "known only for quadratic and centred units" in capsys.readouterr().err
    assert run(["report", str(file), "--output", str(tmp_path / "page.html")]) == 0
    assert "hermite3" in (tmp_path / "page.html").read_text()
    assert run(["simulate", *START.split(), "--t-end", "1", "--output", str(tmp_path / "x.png")]) == 0
    assert (tmp_path / "x.png").stat().st_size > 10_000


def test_the_figure_of_activations_shows_it(hermite3, tmp_path, capsys):
    words = (
        f"figure activations {START.replace('--activation hermite3', '')} --activations quadratic,hermite3"
    )
    output = tmp_path / "x.png"
    assert run([*words.split(), *["--t-end", "1,0.5", "--seeds", "0", "--output"], str(output)]) == 0
    assert output.stat().st_size > 10_000
