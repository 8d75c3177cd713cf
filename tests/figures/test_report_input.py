"""What a result must look like to become a report: every key, its type, and the sentence about one that is wrong."""

import json
import math

import pytest

from dynamics import ProblemError
from figures.report_input import validate_result

PROBLEM = {
    **{"inputs": 2, "hidden": 1, "outputs": 1, "activation": "relu", "covariance": "identity"},
    **{"second_layer": "fixed", "second_layer_values": [[1.0]], "eigenvalues": [2.0, 1.0]},
}
STAGE = {"start": 0.0, "end": 1.0, "loss": 2.0, "learned_modes": [0], "predicted_loss": None}
THEORY = {
    **{"times": [0.0, 1.0], "loss": [2.0, None], "modes": [[0.0], [1.0]], "problem": PROBLEM},
    **{"stages": [STAGE], "conserved": {"initial": [1.0], "drift": [None]}},
}
TRAINING = THEORY | {"loss": [[2.0, None]], "modes": [[[0.0], [None]]]}
GAP = {"sources": {"flow": "theory", "on_data": None}, "curves": {"flow": [1.0, None]}, "flow": 0.1}
ABOUT = {"command": "quadflow", "versions": {"numpy": "2"}, "warnings": ["a note"]}
POINT = {
    **{"learned_modes": [0], "learned_values": [1.0], "loss": 0.0, "index": 0, "nullity": 1, "positive": 2},
    **{"kind": "saddle"},
}
JUMP = {"time": 1.0, "unit": 0, "learned_modes": [0], "loss_before": 2.0, "loss_after": None}
CURVE = {"kind": "train", "times": [0.0], "loss": [None], "hidden": 3, "teacher": "2,1", "on": True}
RESULTS = {
    "simulate": ABOUT | THEORY,
    "train": ABOUT | TRAINING,
    "compare": ABOUT | {"theory": THEORY, "training": TRAINING, "gap": GAP},
    "neuron": {"times": [0.0], "loss": [None], "problem": None},
    "catalogue": {"fixed_points": [POINT, POINT | {"index": None, "kind": None}]},
    "staircase": {"jumps": [JUMP, JUMP | {"unit": None}]},
    "laws": {"laws": ["a", {"formula": "b"}]},
    "sweep": {"grid": [{"hidden": 3, "kind": "train", "done": None}], "median_curves": [CURVE]},
    "others": {"verdict": "fails", "fixed": [1, {"a": None}]},
}


@pytest.mark.parametrize("name", RESULTS)
def test_results_as_they_are_printed(name):
    validate_result(RESULTS[name], "x.json")


NUMBER, FINITE, INDEX = "a number", "a finite number", "a whole number ≥ 0"
WRONG = {  # what must stand there → what is refused
    NUMBER: ["x", True, [1], {}],
    FINITE: [None, False, math.inf, -math.inf, math.nan, "1", [1.0]],
    INDEX: [None, True, -1, 1.0, 2**31, "0"],
    "a text": [None, 1, ["x"], True],
    "a number or text": [[1], {}],
    "a list": [None, 1, "x", {}, True],
    "an object": [None, 1, "x", [1], True],
}
KINDS = {
    "simulate": {
        **{"command": "a text", "versions": "an object", "versions.numpy": "a text", "warnings": "a list"},
        **{"warnings[0]": "a text", "times": "a list", "times[1]": FINITE, "loss[1]": NUMBER},
        **{"modes": "a list", "modes[0]": "a list", "modes[1][0]": NUMBER},
        **{"problem.inputs": INDEX, "problem.hidden": INDEX, "problem.outputs": INDEX},
        **{"problem.activation": "a text", "problem.covariance": "a text", "problem.second_layer": "a text"},
        **{"problem.second_layer_values[0][0]": FINITE, "problem.eigenvalues": "a list"},
        **{"problem.eigenvalues[1]": FINITE, "stages": "a list", "stages[0]": "an object"},
        **{f"stages[0].{name}": NUMBER for name in ("start", "end", "loss", "predicted_loss")},
        **{"stages[0].learned_modes[0]": INDEX, "conserved.initial[0]": NUMBER, "conserved.drift": "a list"},
    },
    "train": {"loss[0]": "a list", "loss[0][1]": NUMBER, "modes[0][1][0]": NUMBER, "modes[0][0]": "a list"},
    "compare": {
        **{"theory": "an object", "theory.loss[0]": NUMBER, "theory.times[0]": FINITE},
        **{"theory.problem": "an object", "training.problem": "an object", "training": "an object"},
        **{"training.loss[0][0]": NUMBER, "training.modes": "a list", "training.stages[0].end": NUMBER},
        **{"gap": "an object", "gap.sources": "an object", "gap.sources.flow": "a number or text"},
        **{"gap.curves": "an object", "gap.curves.flow": "a list", "gap.curves.flow[0]": NUMBER},
    },
    "neuron": {"times[0]": FINITE, "loss[0]": NUMBER},
    "catalogue": {
        **{
            "fixed_points": "a list",
            "fixed_points[1]": "an object",
            "fixed_points[0].learned_modes": "a list",
        },
        **{"fixed_points[0].learned_values[0]": FINITE, "fixed_points[0].learned_modes[0]": INDEX},
        **{f"fixed_points[0].{name}": NUMBER for name in ("loss", "index", "nullity", "positive")},
    },
    "staircase": {
        **{"jumps": "a list", "jumps[0].time": FINITE, "jumps[1].learned_modes[0]": INDEX},
        **{"jumps[0].loss_before": NUMBER, "jumps[0].loss_after": NUMBER},
    },
    "laws": {"laws": "a list", "laws[1].formula": "a text"},
    "sweep": {
        **{"grid": "a list", "grid[0]": "an object", "grid[0].hidden": "a number or text"},
        **{"median_curves": "a list", "median_curves[0].kind": "a text", "median_curves[0].times[0]": FINITE},
        **{"median_curves[0].loss[0]": NUMBER, "median_curves[0].hidden": "a number or text"},
    },
}


def opened(result, where):
    """A copy, the part of it that holds a place such as `theory.loss[0]`, and the place's key there."""
    copied = inner = json.loads(json.dumps(result))
    *path, last = (
        int(key) if key.isdigit() else key for key in where.replace("[", ".").replace("]", "").split(".")
    )
    for key in path:
        inner = inner[key]
    return copied, inner, last


def with_value(result, where, value):
    """A copy with another value at a place such as `theory.loss[0]`."""
    copied, inner, key = opened(result, where)
    inner[key] = value
    return copied


@pytest.mark.parametrize(("name", "where"), [(name, where) for name in KINDS for where in KINDS[name]])
def test_every_place_is_looked_at(name, where):
    """Named with what stands there, 40 characters at most, and with what must."""
    kind = KINDS[name][where]
    # a curve without modes is another kind of result; a conserved value that is no object is not drawn
    for value in WRONG[kind]:
        if (value is None and where.rpartition(".")[2] in ("problem", "modes", "hidden")) or (
            where == "loss[0]" and not isinstance(value, list)
        ):
            continue
        with pytest.raises(ProblemError) as refused:
            validate_result(with_value(RESULTS[name], where, value), "x.json")
        assert str(refused.value) == (
            f"The run 'x.json' is not a result as quadflow prints it: `{where}` is {value!r}, but must be {kind}."
        )


@pytest.mark.parametrize(
    ("name", "where", "inside"),
    [
        ("simulate", "stages[0].start", "stages[0]"),
        ("simulate", "stages[0].learned_modes", "stages[0]"),
        ("simulate", "conserved.drift", "conserved"),
        ("compare", "theory.modes", "theory"),
        ("compare", "training.times", "training"),
        ("catalogue", "fixed_points[0].loss", "fixed_points[0]"),
        ("catalogue", "fixed_points[0].learned_values", "fixed_points[0]"),
        ("staircase", "jumps[0].unit", "jumps[0]"),
        ("laws", "laws[1].formula", "laws[1]"),
        ("sweep", "median_curves[0].kind", "median_curves[0]"),
    ],
)
def test_what_is_missing_is_named(name, where, inside):
    result, inner, key = opened(RESULTS[name], where)
    del inner[key]
    with pytest.raises(ProblemError) as refused:
        validate_result(result, "x.json")
    assert str(refused.value).endswith(f": `{key}` is missing in `{inside}`.")


@pytest.mark.parametrize(
    ("name", "where"),
    [
        *(("simulate", f"problem.{name}") for name in PROBLEM),
        *(
            ("simulate", name)
            for name in ("problem", "stages", "command", "versions", "warnings", "conserved")
        ),
        *(("compare", name) for name in ("gap", "gap.sources", "gap.curves")),
        *(("catalogue", f"fixed_points[0].{name}") for name in ("index", "nullity", "positive", "kind")),
        ("simulate", "stages[0].predicted_loss"),
    ],
)
def test_what_may_be_missing(name, where):
    """As in files of older versions, or where nothing is known."""
    result, inner, key = opened(RESULTS[name], where)
    del inner[key]
    validate_result(result, "x.json")


def test_values_of_either_kind():
    """No second layer's values, no kind of a point, no unit; laws as texts or objects; the largest index."""
    for name, where, value in (
        ("simulate", "problem.second_layer_values", None),
        ("simulate", "problem.inputs", 2**31 - 1),
        ("catalogue", "fixed_points[0].kind", None),
        ("staircase", "jumps[0].unit", None),
        ("simulate", "loss[0]", math.inf),  # only places on an axis must be finite
        ("sweep", "grid[0].hidden", True),
    ):
        validate_result(with_value(RESULTS[name], where, value), "x.json")
    for name, where, value, kind in (
        ("catalogue", "fixed_points[0].kind", 3, "a text"),
        ("staircase", "jumps[0].unit", 0.5, INDEX),
        ("laws", "laws[0]", 3, "a text"),
        ("simulate", "problem.second_layer_values", 3, "a list"),
        ("simulate", "problem", 3, "an object"),
    ):
        with pytest.raises(
            ProblemError, match=f"`{where}`".replace("[", r"\[") + f" is {value}, but must be {kind}"
        ):
            validate_result(with_value(RESULTS[name], where, value), "x.json")


HESSIAN = {
    **{"times": [0.0, 1.0], "sharpness": [2.0, None], "lowest_eigenvalue": [0.0, 0.0], "index": [0, 1]},
    "tolerance": 1e-9,
}
LENGTHS = [  # result, place that gets one entry more and one less, what it goes with
    *[(THEORY, name, "times") for name in ("loss", "modes")],
    (THEORY, "conserved.drift", "conserved.initial"),
    *[(THEORY | {"hessian": HESSIAN}, f"hessian.{name}", "hessian.times") for name in list(HESSIAN)[1:4]],
    *[(TRAINING, name, "times") for name in ("loss[0]", "modes[0]")],
    (TRAINING, "modes", "loss"),
    *[
        (THEORY | {"modes": None, "overlaps": [[[1.0]]] * 2, "norms": [[1.0]] * 2}, name, "times")
        for name in ("overlaps", "norms")
    ],
    (TRAINING | {"modes": None, "norms": [[[1.0]] * 2]}, "norms[0]", "times"),
    (RESULTS["neuron"], "loss", "times"),
    *[(RESULTS["compare"], f"theory.{name}", "theory.times") for name in ("loss", "modes")],
    (RESULTS["compare"], "training.loss[0]", "training.times"),
    (RESULTS["compare"], "gap.curves.flow", "theory.times"),
    (RESULTS["sweep"], "median_curves[0].loss", "median_curves[0].times"),
]


@pytest.mark.parametrize(
    ("result", "where", "of"), LENGTHS, ids=[f"{n}-{row[1]}" for n, row in enumerate(LENGTHS)]
)
@pytest.mark.parametrize("change", [1, -1])
def test_lengths_that_do_not_fit_are_refused(result, where, of, change):
    """Both lists are named with their lengths; as they belong together they are read."""
    validate_result(result, "x.json")
    copied, inner, key = opened(result, where)
    values = inner[key]
    inner[key] = values + values[-1:] if change == 1 else values[:-1]
    with pytest.raises(ProblemError) as refused:
        validate_result(copied, "x.json")
    assert str(refused.value) == (
        f"The run 'x.json' is not a result as quadflow prints it: `{where}` has {len(inner[key])} entries, but"
        f" `{of}` has {len(values)}."
    )


def test_times_alone_are_no_result():
    """Without the name of a command there must be something to show at them."""
    with pytest.raises(
        ProblemError, match="says no command and has neither times with their loss nor one of"
    ):
        validate_result({"times": [1.0]}, "x.json")
    validate_result({"times": [1.0], "loss": [1.0]}, "x.json")


def test_long_names_and_values_are_cut():
    name, value = "x" * 100, ["y" * 100]
    with pytest.raises(ProblemError) as refused:
        validate_result({"grid": [{name: value}], "median_curves": []}, "x.json")
    assert f"`grid[0].{'x' * 40}` is ['{'y' * 38}, but must be a number or text." in str(refused.value)
    with pytest.raises(ProblemError, match=f"`versions.{'w' * 40}`"):
        validate_result({"versions": {"w" * 100: 1}}, "x.json")
