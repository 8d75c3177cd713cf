"""`simulate --hessian`: what the command says of the Hessian is what Python says."""

import numpy as np

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.curvature import hessian_spectrum
from quadflow import simulation as module

START = [
    "--teacher",
    "2,1",
    "--inputs",
    "3",
    "--hidden",
    "2",
    "--init-scale",
    "0.3",
    "--seed",
    "5",
    "--t-end",
    "1",
]


def curve():
    problem = Problem(Teacher.from_eigenvalues([2, 1], 3), Student.initialise(2, 3, scale=0.3, seed=5))
    return GradientFlow(problem).integrate(1.0)


def test_sharpness_index_and_nullity(quadflow):
    spectrum = hessian_spectrum(curve())
    found = quadflow("simulate", *START, "--hessian", "--json").json["hessian"]
    for name in ("times", "loss", "sharpness", "index", "nullity"):
        np.testing.assert_allclose(found[name], getattr(spectrum, name), rtol=1e-12, err_msg=name)
    np.testing.assert_allclose(found["lowest_eigenvalue"], spectrum.lowest, rtol=1e-12)
    assert found["tolerance"] == spectrum.tolerance
    said = quadflow("simulate", *START, "--hessian").out
    assert said.endswith("Hessian of the loss at " + spectrum.summary() + "\n")


def test_nothing_unless_it_is_asked_for(quadflow):
    assert quadflow("simulate", *START, "--json").json["hessian"] is None
    assert "Hessian" not in quadflow("simulate", *START).out


def test_of_many_weights_the_extremes(quadflow, monkeypatch):
    monkeypatch.setattr(module, "SECONDS", 7)
    found = quadflow("simulate", *START, "--hessian", "--json").json["hessian"]
    np.testing.assert_allclose(found["sharpness"], hessian_spectrum(curve(), count=1).sharpness, rtol=1e-12)
    assert found["index"] is None
    assert found["nullity"] is None


def test_the_mean_of_sgd_has_no_weights(quadflow):
    result = quadflow("simulate", *START, "--hessian", "--sgd", "--step", "0.01")
    assert result.status == 2
    assert "`--hessian` looks at weights, which the mean of `--sgd` has none of" in result.err


def test_a_flow_that_failed_is_not_looked_at(quadflow):
    result = quadflow("simulate", *START, "--hessian", "--max-evaluations", "5")
    assert result.status == 1
    assert result.err.count("quadflow: ") == 1
