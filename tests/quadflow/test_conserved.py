"""`quadflow conserved`: counts of the table in theory section 2, laws that parse, bad input."""

import pytest
import sympy


@pytest.mark.parametrize(
    ("arguments", "parameters", "count"),
    [
        (["--inputs", "2", "--hidden", "2"], 6, 2),  # K
        (["--inputs", "1", "--hidden", "3"], 6, 5),  # 2K − 1
        (["--inputs", "2", "--hidden", "3", "--second-layer-values", "1,1,1"], 6, 2),  # d(K − d)
        (["--inputs", "3", "--hidden", "3", "--second-layer-values", "1,1,-1"], 9, 2),  # n₊n₋
        (
            ["--inputs", "2", "--hidden", "2", "--second-layer-values", "1,2"],
            4,
            0,
        ),  # distinct absolute values
        (["--model", "linear", "--inputs", "3", "--hidden", "2", "--outputs", "2"], 10, 3),  # r(r + 1)/2
        (["--model", "relu", "--inputs", "3", "--hidden", "4"], 16, 4),  # hidden units
        (["--model", "bilinear", "--output-weight", "no", "--inputs", "3", "--hidden", "2"], 12, 4),  # p²
        (["--network", "a*(w*x_0)**2"], 2, 1),
    ],
)
def test_counts(quadflow, arguments, parameters, count):
    result = quadflow("conserved", *arguments, "--json").json
    assert result["parameters"] == parameters
    assert result["count"] == len(result["laws"]) == count
    assert result["lie_algebra_dimension"] == parameters - count
    assert result["exact"] is True


def test_laws_parse_as_sympy(quadflow):
    (law,) = quadflow("conserved", "--inputs", "2", "--hidden", "1", "--json").json["laws"]
    w0, w1, a = sympy.symbols("w_0_0 w_0_1 a_0")
    ratio = sympy.simplify(sympy.sympify(law) / (w0**2 + w1**2 - 2 * a**2))
    assert ratio.is_number


def test_in_words_and_to_a_file(quadflow, tmp_path):
    path = tmp_path / "laws.json"
    result = quadflow("conserved", "--hidden", "1", "--teacher", "2,1", "--output", path)
    assert "1 independent law" in result.out
    assert "special to this teacher: none" in result.out
    assert path.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "cubic"], "quadratic, linear"),
        (["--hidden", "0"], "at least 1"),
        (["--inputs", "0"], "at least 1"),
        (["--second-layer-values", "1,x"], "commas"),
        (["--second-layer-values", "1,1,1"], "second_layer"),
        (["--output-weight", "no"], "no such option"),
        (["--network", "1++"], "rules of arithmetic"),
        (["--network", "a*x_0\0"], "NUL"),
        (["--network", "a*w"], "inputs x_0"),
        (["--network", "a*sin(x_0)"], "polynomial"),
        (["--network", "a*x_0", "--model", "relu"], "one of them"),
        (["--teacher", "2,1", "--outputs", "2"], "one output"),
    ],
)
def test_bad_input(quadflow, arguments, words):
    result = quadflow("conserved", *arguments)
    assert result.status == 2
    assert words in result.err
    assert result.err.count("\n") == 1
