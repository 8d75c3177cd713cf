"""What the explorer knows is what the project derives."""

import json
import shutil
import subprocess

import numpy as np
import pytest

from dynamics import ProblemError, Student, Teacher
from dynamics.explorer_models import explorer_models
from dynamics.stationary import fixed_points
from dynamics.stationary.javascript import fixed_points_to_javascript
from dynamics.symbolic.code_export import to_javascript
from dynamics.symbolic.derivation import derive


def test_the_script_holds_the_exported_modules(monkeypatch):
    """Word for word what ``derive --weight-decay symbolic --format javascript`` prints, but for ``export``.

    Small sizes, here (1, 1) and (1, 2), and the largest one.
    """
    monkeypatch.setattr("dynamics.explorer_models.OWN_UNITS", 1)
    monkeypatch.setattr("dynamics.explorer_models.OWN_INPUTS", 2)
    models = explorer_models(hidden=2, inputs=3, seeds=1)
    for activation in ("quadratic", "centred"):
        for K, d in [(1, 1), (1, 2), (2, 3)]:
            derived = derive(K, d, activation=activation, weight_decay="symbolic")
            module = to_javascript(derived).replace("export ", "")
            assert f'FLOWS.{activation}["{K},{d}"] = (() => {{\n{module}' in models.script
    assert models.script.count("= (() => {") == 6
    assert models.script.endswith("const TRACE_COUPLING = { quadratic: 1.0, centred: 0.0 };\n")


def test_starts_are_those_of_the_command_line():
    """Seed s scaled by ε is `Student.initialise(…, scale=ε, seed=s)`."""
    models = explorer_models(hidden=3, inputs=2, seeds=2)
    assert len(models.starts) == 6
    start = models.starts["3,2"][1]
    student = Student.initialise(3, 2, scale=0.05, seed=1)
    np.testing.assert_allclose(0.05 * np.array(start["W"]), student.W, rtol=1e-15)
    np.testing.assert_allclose(0.05 * np.array(start["a"]), student.a, rtol=1e-15)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize("lam", [(4.0, 2.0, 1.0), (3.0, -2.5, 0.7), (1.3,), (-0.4, -1.1)])
def test_exported_points_are_those_of_the_numeric_catalogue(activation, lam):
    """Run by node; `fixed_points` computes levels and learned values from closed forms, without SymPy."""
    source = f"console.log(JSON.stringify(({fixed_points_to_javascript(len(lam), activation)})({list(lam)})))"
    run = subprocess.run(["node", "-e", source], capture_output=True, text=True, check=True, timeout=60)
    points = json.loads(run.stdout)
    assert [len(p["learned"]) for p in points] == sorted(len(p["learned"]) for p in points)
    order = np.argsort(
        -np.array(lam), kind="stable"
    ).tolist()  # the catalogue numbers by descending eigenvalue
    catalogue = fixed_points(Teacher.from_eigenvalues(lam), hidden=len(lam), activation=activation)
    assert len(points) == len(catalogue.points) == 2 ** len(lam)
    for point in points:
        expected = catalogue.point([order.index(i) for i in point["learned"]])
        values = dict(zip((order[j] for j in expected.learned_modes), expected.learned_values, strict=True))
        assert point["loss"] == pytest.approx(expected.loss, abs=1e-13)
        assert point["values"] == pytest.approx([values[i] for i in point["learned"]])
        assert point["residualTrace"] == pytest.approx(expected.residual_trace)
        shift = point["residualTrace"] / (len(point["learned"]) + 2) if activation == "quadratic" else 0.0
        assert point["gains"] == pytest.approx(
            [lam[j] + shift for j in point["unlearned"]]
        )  # theory, section 3


def test_sizes_are_checked():
    with pytest.raises(ProblemError, match="hidden"):
        explorer_models(hidden=0)
