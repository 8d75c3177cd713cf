"""What a report is made of before it is a page: names, problems, stationary points; and the pages' sizes in words."""

import numpy as np
import pytest

from dynamics import Problem, Student, Teacher
from dynamics.stationary import fixed_points
from quadflow.commands.report import short_names
from quadflow.provenance import problem_json
from quadflow.reports import atlas_of, plain, with_atlas


def test_reports_say_how_many_results(quadflow, tmp_path):
    pytest.importorskip("plotly")
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text('{"verdict": "fails"}')
    page = tmp_path / "report.html"
    one = quadflow("report", tmp_path / "a.json", "--output", page)
    assert one.out == f"{page}: 1 result, {page.stat().st_size / 1e6:.1f} MB, opens in any browser\n"
    two = quadflow("report", tmp_path / "a.json", tmp_path / "b.json", "--output", page)
    assert two.out.startswith(f"{page}: 2 results, ")
    listed = quadflow("report", tmp_path / "a.json", "--output", page, "--json").json
    assert listed["runs"] == [str(tmp_path / "a.json")]
    assert listed["output"] == str(page)
    assert listed["bytes"] == page.stat().st_size


def test_a_report_needs_a_run(quadflow, tmp_path):
    result = quadflow("report", "--output", tmp_path / "x.html")
    assert result.status == 2
    assert result.err.startswith(
        "quadflow: No run is given: name one or more .json, .npz, .nc or .zarr files"
    )
    assert not list(tmp_path.iterdir())


def test_the_explorer_says_how_large_it_is(quadflow, tmp_path, monkeypatch):
    pytest.importorskip("plotly")
    monkeypatch.setattr("dynamics.explorer_models.explorer_models", lambda: None)
    monkeypatch.setattr("figures.explorer_page.explorer_page", lambda models: "ε" * 123_456)
    page = tmp_path / "x.html"
    assert quadflow("explore", "--output", page).out == f"{page}: 0.2 MB, opens in any browser\n"
    assert quadflow("explore", "--output", page, "--json").json["bytes"] == 246_912


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (("a/x.json", "b/y.json"), ["x.json", "y.json"]),
        (("a/x.json", "b/x.json"), ["a/x.json", "b/x.json"]),
        (("a/x.json", "b/x.json", "c/z.json"), ["a/x.json", "b/x.json", "c/z.json"]),
        (("a/x.json", "a/x.json", "b/x.json"), ["a/x.json (1)", "a/x.json (2)", "b/x.json"]),
    ],
)
def test_names_of_files_in_a_report(paths, names):
    assert short_names(paths) == names


PROBLEM = {
    **{"inputs": 2, "hidden": 2, "outputs": 1, "activation": "quadratic"},
    **{"second_layer": "trainable", "covariance": "identity", "eigenvalues": [2.0, 1.0]},
}


def test_stationary_points_belong_to_a_problem():
    """Of the result, or of either of its sides; not if it has points of its own, or no problem."""
    for result in (
        {"problem": PROBLEM},
        {"theory": {"problem": PROBLEM}},
        {"training": {"problem": PROBLEM}},
    ):
        found = with_atlas(result)
        assert found["problem"] == PROBLEM
        assert len(found["fixed_points"]) == 4
    assert with_atlas({"problem": PROBLEM, "fixed_points": []}) == {"problem": PROBLEM, "fixed_points": []}
    assert with_atlas({"theory": [1.0]}) == {"theory": [1.0]}
    relu = {"problem": PROBLEM | {"activation": "relu"}}
    assert with_atlas(relu) == relu


def test_a_fixed_second_layer_has_its_own_points():
    """a = 2 for both units: learned values are those of a = 1, and negative modes cannot be learned."""
    fixed = PROBLEM | {
        "second_layer": "fixed",
        "second_layer_values": [[2.0, 2.0]],
        "eigenvalues": [2.0, -1.0],
    }
    found = atlas_of(fixed)["fixed_points"]
    expected = fixed_points(
        Teacher.from_eigenvalues([2, -1]), 2, second_layer="fixed", second_layer_value=2.0
    ).to_dict()["fixed_points"]
    assert found == expected
    centred = atlas_of(PROBLEM | {"activation": "centred"})["fixed_points"]
    assert [p["loss"] for p in centred] == pytest.approx(
        [0, 1, 4, 5]
    )  # Σ of the squares that are not learned


@pytest.mark.parametrize(("modes", "points"), [(7, 128), (8, 200)])
def test_many_points_are_the_lowest_ones(modes, points):
    """2⁷ = 128 are listed, of 2⁸ = 256 the lowest 200."""
    problem = PROBLEM | {
        "inputs": modes,
        "hidden": modes,
        "eigenvalues": [float(n + 1) for n in range(modes)][::-1],
    }
    found = atlas_of(problem)["fixed_points"]
    assert len(found) == points
    losses = [p["loss"] for p in found]
    assert losses == sorted(losses)


def test_plain_results():
    assert plain({"a": np.array([1.0, np.nan])})["a"] == [1.0, None]


def test_problems_in_json():
    """Sizes, eigenvalues in their order, the second layer where it is fixed; of problems and of catalogues."""
    teacher = Teacher.from_eigenvalues([1, 2], 3)
    found = problem_json(Problem(teacher, Student.initialise(4, 3, scale=0.1)))
    assert found | {"eigenvalues": [*found["eigenvalues"]]} == {
        **{"inputs": 3, "hidden": 4, "outputs": 1, "activation": "quadratic", "second_layer": "trainable"},
        **{"covariance": "identity", "eigenvalues": [2, 1], "weight_decay": [0, 0]},
        **{"teacher_activation": "quadratic", "distribution": "gaussian", "constraint": "none"},
        **{"loss": "square", "labels": "exact", "flip": 0, "bias": "0"},
    }
    taught = Problem(teacher, Student.initialise(4, 3), teacher_activation="erf")
    told = problem_json(taught)
    assert told["teacher_activation"] == "erf"
    assert atlas_of(told | {"eigenvalues": [2.0, 1.0]}) is None  # the catalogue is of quadratic teachers
    assert atlas_of(told | {"eigenvalues": [2.0, 1.0], "teacher_activation": "quadratic"}) is not None
    decayed = Problem(teacher, Student.initialise(4, 3, scale=0.1), weight_decay=(0.1, 0.2))
    assert problem_json(decayed)["weight_decay"] == [0.1, 0.2]
    fixed = Student.initialise(2, 3, second_layer="fixed", second_layer_value=0.7)
    found = problem_json(Problem(teacher, fixed, "centred", np.diag([1.0, 2, 3])))
    assert np.array(found["second_layer_values"]).tolist() == [[0.7, 0.7]]
    assert (found["second_layer"], found["covariance"], found["activation"]) == ("fixed", "given", "centred")
    found = problem_json(fixed_points(teacher, 4))
    assert (found["inputs"], found["hidden"], found["second_layer"]) == (3, 4, "trainable")
    assert "second_layer_values" not in found
    found = problem_json(fixed_points(teacher, 4, second_layer="fixed", second_layer_value=0.7))
    assert np.array(found["second_layer_values"]).tolist() == [[0.7] * 4]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, (None, "trainable", 1.0)),
        ({"inputs": 1000}, (200, "trainable", 1.0)),  # 2 · 2 · 999 sets
        ({"inputs": 1001}, None),
        ({"inputs": 51}, (None, "trainable", 1.0)),  # 2 · 2 · 50 = 200 sets
        ({"inputs": 52}, (200, "trainable", 1.0)),
        ({"inputs": 100, "eigenvalues": [1.0] * 99}, (None, "trainable", 1.0)),  # 100 · 2
        ({"inputs": 101, "eigenvalues": [1.0] * 100}, (200, "trainable", 1.0)),
        ({"second_layer": "fixed", "second_layer_values": [[2.0, 2.0]]}, (None, "fixed", 2.0)),
        ({"second_layer": "fixed", "second_layer_values": [[2.0, 1.0]]}, None),
        ({"second_layer_values": None}, (None, "trainable", 1.0)),
        ({"outputs": 2}, None),
        ({"covariance": "given"}, None),
        ({"activation": "abs"}, None),
        ({"activation": "centred"}, (None, "trainable", 1.0)),
        ({"eigenvalues": []}, None),
        ({"hidden": None}, None),
    ],
)
def test_which_catalogue_is_asked_for(monkeypatch, change, found):
    """All points up to 200 of them, else the lowest 200; none where there is no catalogue."""
    seen = []

    def keep(teacher, hidden, **how):
        seen.append((teacher.inputs, hidden, how))
        return type("Catalogue", (), {"to_dict": lambda _: {"fixed_points": ["x"], "origin": 1}})()

    monkeypatch.setattr("dynamics.stationary.fixed_points", keep)
    problem = {
        key: value for key, value in (PROBLEM | change).items() if value is not None or key != "hidden"
    }
    result = atlas_of(problem)
    if found is None:
        assert (result, seen) == (None, [])
        return
    assert result == {"fixed_points": ["x"]}
    lowest, layer, value = found
    assert seen == [
        (
            problem["inputs"],
            2,
            {
                **{"second_layer": layer, "second_layer_value": value, "lowest": lowest},
                "activation": problem["activation"],
            },
        )
    ]


def test_stationary_points_of_another_loss():
    """Those of the loss, from problems in JSON: the levels of log-cosh are the worked values; or none."""
    teacher = Teacher.from_eigenvalues([4, 2, 1])
    problem = problem_json(Problem(teacher, Student.initialise(3, 3), loss="log-cosh"))
    problem["eigenvalues"] = [*problem["eigenvalues"]]
    found = atlas_of(problem)["fixed_points"]
    assert [point["loss"] for point in found][:2] == pytest.approx([0, 0.558880], abs=1e-6)
    assert atlas_of(problem | {"weight_decay": [0.1, 0.1]}) is None
    assert atlas_of(problem | {"bias": "trainable"}) is None
    assert atlas_of(problem | {"loss": "one of my own"}) is None
    assert atlas_of(problem | {"constraint": "sphere"}) is None


@pytest.mark.parametrize(
    ("change", "minima"),
    [
        ({"weight_decay": [0.1, 0.2]}, True),
        ({"weight_decay": [0.1, 0.2], "hidden": 8}, True),
        ({"weight_decay": [0.1, 0.2], "hidden": 9}, None),
        ({"weight_decay": [0.1, 0.0]}, None),  # no unit rests
        ({"weight_decay": [0.1, 0.0], "second_layer": "fixed", "second_layer_values": [[1.0, 1.0]]}, False),
        (
            {
                **{"weight_decay": [0.1, 0.0], "second_layer": "fixed", "second_layer_values": [[1.0, 1.0]]},
                "inputs": 52,
            },
            None,
        ),
    ],
)
def test_which_catalogue_is_asked_for_with_weight_decay(change, minima):
    """Minima alone where both layers decay, of few units; all points of a fixed second layer, if they are few."""
    problem = PROBLEM | change
    result = atlas_of(problem)
    if minima is None:
        assert result is None
        return
    expected = fixed_points(
        Teacher.from_eigenvalues(problem["eigenvalues"], problem["inputs"]),
        problem["hidden"],
        second_layer=problem["second_layer"],
        weight_decay=problem["weight_decay"],
        minima=minima,
    )
    assert result == {"fixed_points": expected.to_dict()["fixed_points"]}
