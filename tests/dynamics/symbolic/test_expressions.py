"""Text becomes a polynomial or is refused; it never runs, and never grows without end."""

import random

import numpy as np
import pytest
import sympy

from dynamics.errors import ProblemError
from dynamics.laws import laws_for_teacher, polynomial
from dynamics.symbolic import expressions
from dynamics.symbolic.expressions import parse_expression
from dynamics.symbolic.moments import expectation, moment_tensor
from dynamics.symbolic.trace_printing import to_sympy

a, b, w, x_0 = sympy.symbols("a b w x_0")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a*(w*x_0)**2", a * w**2 * x_0**2),
        (" a * x_0^2 ", a * x_0**2),  # ^ binds like **
        ("-a**2 - +b", -(a**2) - b),
        ("2**-0*a", a),
        ("a*x_0/3 + 0.1*b", a * x_0 / 3 + b / 10),  # decimals as they are spelt
        ("1_000*a - 2.50e-1*b", 1000 * a - b / 4),
        ("0.1234567890123456789*a", sympy.Rational(1234567890123456789, 10**19) * a),
        ("0.0*a + b", b),
        ("x_0**(1 + 1)", x_0**2),
        ("(a +\n b)", a + b),
        ("S*N", sympy.Symbol("S") * sympy.Symbol("N")),  # names of SymPy's own are names
        ("lambda_*__import__", sympy.Symbol("lambda_") * sympy.Symbol("__import__")),
    ],
)
def test_what_it_means(text, expected):
    """Expected expressions are typed in as SymPy objects."""
    assert sympy.expand(parse_expression("network", text) - expected) == 0


def test_random_expressions_have_the_values_that_python_computes():
    """Random trees of operators, evaluated by Python on integers (a prime modulus keeps them exact)."""
    draw = random.Random(3)

    def tree(depth):
        if depth == 0:
            return draw.choice(["a", "b", "w", "3", "7"])
        left, right = tree(depth - 1), tree(depth - 1)
        return draw.choice(
            [f"({left} + {right})", f"({left} - {right})", f"{left} * {right}", f"-({left})**2"]
        )

    values = {"a": 5, "b": -2, "w": 11}
    for _ in range(40):
        text = tree(3)
        assert parse_expression("t", text).subs(values) == eval(text, {"__builtins__": {}}, values)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "__import__('os').getcwd()",
            "x_0.a",
            "f(x_0)",
            "x_0[0]",
            "[a]",
            "(a, b)",
            "{a}",
            "'a'",
            "f'{a}'",
            "...",
        ),
        *(
            "a if b else w",
            "lambda: a",
            "(a := 3)",
            "a < b",
            "a and b",
            "not a",
            "~a",
            "a // b",
            "a % b",
            "a @ b",
        ),
        *(
            "True",
            "None",
            "2j*a",
            "pi*a",
            "E*a",
            "I",
            "oo",
            "nan",
            "a#b",
            "a;b",
            "a b",
            "1++",
            "",
            " ",
            "*a",
            "a\0",
        ),
        *(
            "\ud800",
            "a/b",
            "a/0",
            "a/(b - b)",
            "a**-1",
            "a**0.5",
            "a**b",
            "a**65",
            "1e400*a",
            "1e-400*a",
            "0777*a",
        ),
    ],
)
def test_everything_else_is_refused_in_one_sentence(text):
    with pytest.raises(ProblemError, match=r"`network` is .* names, numbers"):
        parse_expression("network", text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("9**9**9**9", "whole number from 0 to 64"),
        ("(9**64)**64", "digits"),
        ("7" * 4000, "digits"),
        ("1/3**64" + "/3**64" * 60, "digits"),
        ("((a + 1)**16)**64", "degree|terms"),
        ("*".join(["a"] * 300), "degree"),
        ("(a + b + w + x_0 + c + d + f + g)**60", "terms"),
        ("*".join(f"(a_{i} + b_{i})" for i in range(15)), "terms"),
        ("(" * 9000 + "a" + ")" * 9000, "rules"),
        ("-" * 9000 + "a", "deep"),
        ("+".join(["a"] * 9000), "terms"),
        ("(" * 10**5 + "a" + ")" * 10**5, "characters"),
    ],
)
def test_what_would_grow_without_end_is_refused_first(text, why):
    """Multiplied out, each would take the memory of the machine or days; the sentence names the bound."""
    with pytest.raises(ProblemError, match=why) as refused:
        parse_expression("network", text)
    assert len(str(refused.value)) < 300


def test_bounds_hold():
    """Number of terms, degree and digits of what was accepted, expanded, stay below the bounds of its parts."""
    text = "((a/3 + b/7 - 2)**3 * (w + 5)**2 - a/11)**2"
    part = expressions._part(expressions.ast.parse(text, mode="eval").body, text)
    polynomial = sympy.Poly(sympy.expand(part.value), a, b, w)
    assert len(polynomial.terms()) <= part.terms
    assert polynomial.total_degree() == part.degree
    coefficients = polynomial.coeffs()
    assert sum(abs(c) for c in coefficients) <= sympy.Rational(part.height, part.denominator)
    assert all((c * part.denominator).is_Integer for c in coefficients)


@pytest.fixture
def trap(tmp_path):
    """Text that leaves a file behind where it runs."""
    file = tmp_path / "executed"
    yield f"open({str(file)!r}, 'w').close()"
    assert not file.exists()


def test_text_among_numbers_never_runs(trap):
    """Every public function of the symbolic modules that takes numbers or expressions, with text in each place."""
    network = polynomial(a * x_0, [x_0])
    calls = [
        lambda: expectation(x_0, x_0, [[trap]]),
        lambda: expectation(x_0, x_0, trap),
        lambda: expectation(x_0, x_0, [[1]], [trap]),
        lambda: expectation(trap, x_0),
        lambda: moment_tensor(2, [[a, trap], [trap, a]]),
        lambda: moment_tensor(2, [[a]], [trap]),
        lambda: laws_for_teacher(network, np.array([[trap]]), 2),
        lambda: laws_for_teacher(network, sympy.Matrix([[1]]), 2, covariance=[[trap]]),
        lambda: laws_for_teacher(network, [trap], 2),
        lambda: polynomial(trap, [x_0]),
        lambda: to_sympy([], trap),
    ]
    for call in calls:
        with pytest.raises(ValueError):  # ProblemError, or SymPy's own
            call()
