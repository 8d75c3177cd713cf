"""What a solution for quadratic neurons says, and what it leaves in a file."""

import dataclasses
import json

import numpy as np
import pytest

from dynamics.integration import SolverReport
from dynamics.neuron import NeuronFlow, Neurons, QuadraticTarget, Rates

TARGET = QuadraticTarget.random(2, seed=1)


@pytest.fixture(scope="module")
def path():
    rates = Rates(1, 0.5, 0.25, 1)
    return NeuronFlow(TARGET, Neurons.initialise(3, 2, seed=1, init="random"), rates).integrate(
        0.1, samples=3
    )


def test_conserved_quantities_by_their_formulas(path):
    """Q1 = γ_g‖r‖² − γ_r‖g‖², Q2 = γ_a γ_b‖r‖² + γ_a γ_r‖b‖² − γ_r γ_b a²; drifts from the start."""
    r, g, b = (np.sum(x**2, axis=-1) for x in (path.R, path.G, path.B))
    expected = {"Q1": 0.5 * r - g, "Q2": 0.25 * r + b - 0.25 * path.a**2}
    for name, Q in expected.items():
        np.testing.assert_allclose(path.conserved[name], Q, rtol=1e-12, atol=1e-12)
        assert path.conserved_drift[name] == pytest.approx(np.abs(Q - Q[0]).max(), abs=1e-14)
    assert path.neurons_at(1).a.tolist() == path.a[1].tolist()
    assert path.neurons_at(-1).G.tolist() == path.G[-1].tolist()


def made(path, shrink=0.0, status="finished"):
    solver = SolverReport("LSODA", 1e-9, 1e-12, 50, 5, 0.5, status, 0.1)
    return dataclasses.replace(
        path, loss=np.array([4, 2, 1.0]), largest_stable_step=0.125, solver=solver, shrink=shrink
    )


def test_what_a_solution_says(path):
    q1, q2 = path.conserved_drift["Q1"], path.conserved_drift["Q2"]
    affine = f"{np.sum(TARGET.M**2):.6g}"
    lines = [
        "3 quadratic neurons, 2 inputs; rates 1, 0.5, 0.25",
        f"loss 4 → 1 at t = 0.1 (end time reached); best affine function {affine}",
        f"drift of Q1 {q1:.1e}, of Q2 {q2:.1e}",
        "largest stable step at the end 0.125",
    ]
    found = made(path)
    assert found.summary().split("\n") == lines
    assert repr(found).split("\n") == ["NeuronTrajectory", *(f"  {line}" for line in lines)]
    shrunk = made(path, shrink=0.5).summary().split("\n")
    assert shrunk[0] == f"{lines[0]}; shrunk at rate 0.5"
    assert shrunk[2] == f"{lines[2]} (not conserved under shrinking)"


@pytest.mark.parametrize(
    ("shrink", "status", "warnings"),
    [
        (0.0, "finished", []),
        (0.5, "finished", ["`shrink` is no gradient flow of the loss: Q1 and Q2 are not conserved."]),
        (0.0, "finished, not converged", ["not converged up to t = 0.1."]),
    ],
)
def test_what_the_command_prints(path, shrink, status, warnings):
    found = made(path, shrink, status).to_dict()
    np.testing.assert_array_equal(found.pop("times"), [0, 0.05, 0.1])
    np.testing.assert_array_equal(found.pop("loss"), [4, 2, 1])
    assert found == {
        "conserved_drift": path.conserved_drift,
        "largest_stable_step": 0.125,
        "best_affine_loss": TARGET.best_affine_loss,
        "rates": {"r": 1, "g": 0.5, "b": 0.25, "a": 1},
        "shrink": shrink,
        "solver": {"method": "LSODA", "evaluations": 50, "seconds": 0.5, "status": status},
        "warnings": warnings,
    }


def test_a_file_holds_all_of_it(path, tmp_path):
    path.save(tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz") as arrays:
        for name in ("times", "R", "G", "B", "a", "loss", "largest_stable_step"):
            np.testing.assert_array_equal(arrays[name], getattr(path, name))
        for name in ("M", "v", "e"):
            np.testing.assert_array_equal(arrays[f"target_{name}"], getattr(TARGET, name))
        for name in ("Q1", "Q2"):
            np.testing.assert_array_equal(arrays[name], path.conserved[name])
        about = json.loads(str(arrays["about"]))
    assert about["format"] == "quadflow neuron trajectory 2"
    assert (about["rates"], about["shrink"]) == (dataclasses.asdict(path.rates), 0)
    assert about["solver"] == dataclasses.asdict(path.solver)
    assert about["versions"]["numpy"] == np.__version__
