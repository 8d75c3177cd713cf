"""Generated programs are run, and their numbers compared with SymPy's evaluation of the derived expressions."""

import ast
import json
import shutil
import subprocess

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

from dynamics.symbolic.code_export import WIDTH, to_javascript, to_javascript_object, to_python
from dynamics.symbolic.derivation import derive

DERIVATIONS = {
    "plain": lambda: derive(2, 2),
    "one of each": lambda: derive(1, 1),
    "outputs": lambda: derive(3, 3, 2, "centred"),
    "fixed": lambda: derive(3, 2, second_layer="fixed", second_layer_value=[1, -1, 0.5]),
    "constant": lambda: derive(2, 2, second_layer="fixed", second_layer_value=0),
    "covariance": lambda: derive(2, 2, covariance=[[2.0, 0.25], [0.25, 1.1]]),
    "symbolic": lambda: derive(2, 3, activation="centred", covariance="symbolic"),
    "aligned": lambda: derive(2, 3).aligned(),
    "aligned outputs": lambda: derive(2, 2, 2, "centred").aligned(),
    "many digits": lambda: derive(2, 2, covariance=[[np.pi, 0.1234567890123456], [0.1234567890123456, np.e]]),
}


@pytest.fixture(params=DERIVATIONS)
def derived(request):
    """Every kind of derivation."""
    return DERIVATIONS[request.param]()


@pytest.fixture
def point(derived, rng):
    """Arguments theta, m and, where Σ is symbolic, s."""
    groups = (derived.parameters, derived.targets, derived.covariance_symbols)
    return [rng.standard_normal(len(group)) for group in groups if group]


def exact_values(derived, point):
    """Loss and rates from the fully inserted expressions, by SymPy with 30 digits."""
    symbols = derived.parameters + derived.targets + derived.covariance_symbols
    values = dict(zip(symbols, map(sympy.Float, np.concatenate(point), [30] * len(symbols)), strict=True))
    return float(derived.loss.xreplace(values)), [
        float(rate.xreplace(values)) for rate in derived.ode.values()
    ]


def exact_laws(derived, theta):
    """Conserved quantities by SymPy with 30 digits."""
    values = dict(zip(derived.parameters, map(sympy.Float, theta, [30] * len(theta)), strict=True))
    return [float(law.xreplace(values)) for law in derived.conserved]


def module_of(source):
    """Run a generated module in a namespace of its own."""
    namespace = {"__name__": "generated"}
    exec(compile(source, "generated.py", "exec"), namespace)
    return namespace


def test_python_module_computes_the_derived_equations(derived, point):
    """Loss and rates at a random point, to rounding (1e-13 of the largest rate)."""
    module = module_of(to_python(derived))
    loss, rates = exact_values(derived, point)
    theta, *others = point
    assert module["loss"](theta, *others) == pytest.approx(loss, rel=1e-12)
    velocity = module["rhs"](0.0, theta, *others)
    assert velocity.shape == theta.shape
    np.testing.assert_allclose(velocity, rates, rtol=0, atol=1e-13 * max(1, *np.abs(rates)))
    np.testing.assert_array_equal(module["rhs"](0.0, list(theta), *others), velocity)
    assert module["PARAMETERS"] == tuple(s.name for s in derived.parameters)
    assert module["TARGETS"] == tuple(s.name for s in derived.targets)
    if derived.conserved:
        np.testing.assert_allclose(module["conserved"](theta), exact_laws(derived, theta), rtol=0, atol=1e-13)
    assert ("conserved" in module) == bool(derived.conserved)
    assert module.get("COVARIANCE", ()) == tuple(s.name for s in derived.covariance_symbols)


def test_python_module_takes_batches(derived, point):
    """Columns of an (n, B) array are independent states, as SciPy's vectorised solvers want them."""
    module = module_of(to_python(derived))
    theta, *others = point
    batch = np.stack([theta, -theta, 0.5 * theta], axis=1)
    velocity = module["rhs"](0.0, batch, *others)
    for column in range(3):
        np.testing.assert_array_equal(
            velocity[:, column], module["rhs"](0.0, batch[:, column].copy(), *others)
        )


def test_python_module_needs_numpy_alone(derived):
    """Its only import, from its syntax tree; it documents itself, and its lines are of ordinary length."""
    source = to_python(derived)
    tree = ast.parse(source)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [alias.name for node in imports for alias in node.names] == ["numpy"]
    assert "derivation" in ast.get_docstring(tree)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert [f.name for f in functions] == ["loss", "rhs"] + ["conserved"] * bool(derived.conserved)
    assert all(ast.get_docstring(f) for f in functions)
    assert max(map(len, source.splitlines())) <= WIDTH + len("  # da_0_0/dt")


def test_python_module_is_what_solve_ivp_expects(rng):
    """Integrated as its docstring says: the loss falls to zero and ‖w_k‖² − 2a_k² keeps its value."""
    derived = derive(3, 2)
    module = module_of(to_python(derived))
    theta, m = np.array([0.5, 0.1, -0.2, 0.6, 0.3, 0.3, 0.3, 0.2, 0.4]), np.array([2.0, 0.3, 1.0])
    run = solve_ivp(module["rhs"], (0.0, 50.0), theta, args=(m,), method="LSODA", rtol=1e-10, atol=1e-12)
    assert run.success
    assert module["loss"](run.y[:, -1], m) < 1e-12
    c = np.sum(run.y[:6].reshape(3, 2, -1) ** 2, axis=1) - 2 * run.y[6:] ** 2
    # Each step is within rtol of the exact flow, relative to the state, of which c is a quadratic function.
    assert np.ptp(c, axis=1).max() < 1e-10 * run.t.size * np.sum(run.y**2, axis=0).max()


def test_common_subexpressions_are_computed_once():
    """K = 8, d = 6: from the syntax tree, no two assignments share a value, and every helper is used.

    A rate costs O(d) products on top of the shared matrix G, against O(Kd) terms written out; the whole program,
    residual included, stays below a fifth of the operations that SymPy counts in the expressions.
    """
    derived = derive(8, 6)
    functions = [f for f in ast.parse(to_python(derived)).body if isinstance(f, ast.FunctionDef)]
    (rhs,) = (f for f in functions if f.name == "rhs")
    assigned = [node for node in rhs.body if isinstance(node, ast.Assign)]
    values = [ast.dump(node.value) for node in assigned]
    assert len(set(values)) == len(values)
    helpers = {node.targets[0].id for node in assigned if isinstance(node.targets[0], ast.Name)} - {
        "velocity"
    }
    read = {
        node.id for node in ast.walk(rhs) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    assert helpers <= read
    operations = sum(isinstance(node, ast.BinOp) for node in ast.walk(rhs))
    assert operations < 0.2 * sum(int(rate.count_ops()) for rate in derived.ode.values())


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("form", ["module", "object"])
def test_javascript_module_computes_the_derived_equations(derived, point, tmp_path, form):
    """Imported and run by node, as a module or as the default export of one; the numbers come back through JSON."""
    source = (
        to_javascript(derived) if form == "module" else f"export default {to_javascript_object(derived)};"
    )
    (tmp_path / "flow.mjs").write_text(source, encoding="utf-8")
    theta, *others = (list(group) for group in point)
    script = (
        "import * as imported from './flow.mjs';\nconst flow = imported.default ?? imported;\n"
        f"const theta = {json.dumps(theta)}, others = {json.dumps(others)};\n"
        "console.log(JSON.stringify([flow.loss(theta, ...others), flow.rhs(0, theta, ...others),"
        " flow.PARAMETERS, flow.TARGETS, flow.COVARIANCE ?? [], flow.conserved?.(theta) ?? []]));\n"
    )
    (tmp_path / "main.mjs").write_text(script, encoding="utf-8")
    run = subprocess.run(
        ["node", "main.mjs"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    computed_loss, velocity, *names, laws = json.loads(run.stdout)
    np.testing.assert_allclose(laws, exact_laws(derived, theta), rtol=0, atol=1e-13)
    loss, rates = exact_values(derived, point)
    assert computed_loss == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(velocity, rates, rtol=0, atol=1e-13 * max(1, *np.abs(rates)))
    groups = (derived.parameters, derived.targets, derived.covariance_symbols)
    assert names == [[s.name for s in group] for group in groups]


def test_what_decays_is_exported_beside_what_is_conserved():
    """c_k = ‖w_k‖² − 2a_k² by its definition, in both languages; with decay nothing is called conserved."""
    derived = derive(2, 2, weight_decay="symbolic")
    module = module_of(to_python(derived))
    theta = np.array([0.5, 0.1, -0.2, 0.6, 0.3, 0.4])
    c = [0.26 - 2 * 0.09, 0.40 - 2 * 0.16]
    np.testing.assert_allclose(module["decaying"](theta), c, rtol=1e-15)
    assert module["decaying"](np.stack([theta, theta], axis=1)).shape == (2, 2)
    assert "conserved" not in module
    assert "decaying" not in module_of(to_python(derive(2, 2)))
    source = to_javascript_object(derived)
    assert source.endswith(
        "return { PARAMETERS, TARGETS, WEIGHT_DECAY, loss, rhs, objective, decaying };\n})()"
    )
    if shutil.which("node"):
        script = f"console.log(JSON.stringify(({source}).decaying({theta.tolist()})))"
        run = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True, timeout=60)
        np.testing.assert_allclose(json.loads(run.stdout), c, rtol=1e-15)


def test_numbers_stay_as_readable_as_they_were():
    """A covariance of 0.3 appears as a fraction of small whole numbers; sixteen digits appear as a decimal."""
    assert "9/100" in to_python(derive(1, 1, activation="centred", covariance=[[0.3]]))
    long = to_python(derive(1, 1, activation="centred", covariance=[[0.1234567890123456]]))
    assert repr(float(sympy.Rational("0.1234567890123456") ** 2)) in long
