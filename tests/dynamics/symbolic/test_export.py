"""Text, LaTeX and JSON say what the derivation says."""

import json
import re

import numpy as np
import pytest
import sympy
from matplotlib.mathtext import MathTextParser

from dynamics.symbolic.derivation import derive
from dynamics.symbolic.exact import vanishes
from dynamics.symbolic.export import to_json_dict, to_latex, to_text

DERIVATIONS = {
    "plain": lambda: derive(2, 2),
    "one of each": lambda: derive(1, 1),
    "outputs": lambda: derive(2, 3, 2, "centred"),
    "fixed": lambda: derive(3, 2, second_layer="fixed", second_layer_value=[1, -1, 0.5]),
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


def test_json_survives_a_round_trip(derived):
    """Written, read and parsed by SymPy, each expression minus the original expands to zero."""
    data = json.loads(json.dumps(to_json_dict(derived)))
    assert set(data) == {
        "activation", "hidden", "inputs", "outputs", "second_layer", "covariance",
        "parameters", "targets", "loss", "ode", "conserved",
    }  # fmt: skip
    assert data["parameters"] == [s.name for s in derived.parameters] == list(data["ode"])
    assert data["targets"] == [s.name for s in derived.targets]
    assert (data["hidden"], data["inputs"], data["outputs"]) == (
        derived.hidden,
        derived.inputs,
        derived.outputs,
    )
    assert (data["activation"], data["second_layer"]) == (derived.activation.name, derived.second_layer)
    assert vanishes(sympy.sympify(data["loss"]) - derived.loss)
    for theta, rate in derived.ode.items():
        assert vanishes(sympy.sympify(data["ode"][theta.name]) - rate)
    assert [sympy.sympify(law) for law in data["conserved"]] == list(derived.conserved)
    if derived.covariance is None:
        assert data["covariance"] is None
    else:
        assert sympy.Matrix(sympy.sympify(data["covariance"])) == derived.covariance


def test_text_can_be_read_back(derived):
    """The equations of the text, with the residual inserted, are loss and ODEs."""
    equations = dict(re.findall(r"^  (\S+) = (.+)$", to_text(derived), flags=re.MULTILINE))
    residual = {name: sympy.sympify(equations[name.name]) for name in derived.residual}
    assert vanishes(sympy.sympify(equations["L"]).xreplace(residual) - derived.loss)
    for theta, rate in derived.ode.items():
        assert vanishes(sympy.sympify(equations[f"d{theta}/dt"]).xreplace(residual) - rate)
    assert [sympy.sympify(equations[f"c_{k}"]) for k in range(len(derived.conserved))] == list(
        derived.conserved
    )


def latex_rows(latex):
    """The equations of all environments, line breaks and alignment removed."""
    for environment in re.findall(r"\\begin{align\*}\n(.*?)\n\\end{align\*}\n", latex, flags=re.DOTALL):
        joined = environment.replace(" \\\\\n&\\quad", " ")
        yield from (row.replace("&=", "=") for row in joined.split(" \\\\\n"))


def test_latex_is_valid_and_free_of_python(derived):
    """Every equation parses as mathematics; no operators, names or indices of Python are left."""
    latex = to_latex(derived)
    assert "**" not in latex
    assert "*" not in latex.replace("align*", "")
    assert not re.search(r"_\d", latex)
    assert "lambda" not in latex.replace(r"\lambda", "")
    assert latex.count("{") == latex.count("}")
    rows = list(latex_rows(latex))
    for row in rows:
        plain = row.replace(r"\bigl", "").replace(r"\bigr", "")
        MathTextParser("path").parse(f"${plain}$")
    entries = 0 if derived.covariance is None else derived.inputs * (derived.inputs + 1) // 2
    assert len(rows) == entries + len(derived.residual) + 1 + len(derived.ode) + len(derived.conserved)


def test_latex_says_what_it_should():
    """One unit in one dimension: D = m − a w², L = 3D²/2, ẇ = 6aDw, ȧ = 3Dw², by hand."""
    rows = list(latex_rows(to_latex(derive(1, 1))))
    assert rows == [
        "D_{0,0} = m_{0,0} - a_{0} w_{0,0}^{2}",
        r"L = \frac{3 D_{0,0}^{2}}{2}",
        r"\dot{w}_{0,0} = 6 D_{0,0} a_{0} w_{0,0}",
        r"\dot{a}_{0} = 3 D_{0,0} w_{0,0}^{2}",
        "c_{0} = w_{0,0}^{2} - 2 a_{0}^{2}",
    ]


def test_long_latex_is_broken_into_lines():
    """With a symbolic Σ the sums are long: lines stay short, and joined again the value is unchanged."""
    derived = derive(2, 3, covariance="symbolic")
    latex = to_latex(derived)
    assert r"\\" + "\n" + r"&\quad" in latex
    assert max(map(len, latex.splitlines())) < 300
    rate = derived.residual_ode[sympy.Symbol("w_0_0")]
    row = next(row for row in latex_rows(latex) if row.startswith(r"\dot{w}_{0,0} = "))
    # Back to Python by rules of its own: names, products by juxtaposition, brackets.
    text = row.split(" = ", 1)[1]
    text = re.sub(r"\\(?:left|right|bigl|bigr)", "", text)
    text = re.sub(r"_\{([\d,]+)\}", lambda match: "_" + match[1].replace(",", "_"), text)
    text = re.sub(r"\^\{(\d+)\}", r"**\1", text)
    text = re.sub(r"(?<=[\w)]) +(?=[\w(])", "*", text)
    assert vanishes(sympy.sympify(text) - rate)
