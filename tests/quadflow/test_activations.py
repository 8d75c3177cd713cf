"""Every command takes linear, relu and abs, or refuses them in one sentence."""

import numpy as np
import pytest

DEGREE_ONE = ["linear", "relu", "abs"]
SMALL = ["--teacher", "2,1", "--hidden", "3", "--init-scale", "0.3", "--seed", "1"]


@pytest.mark.parametrize("activation", DEGREE_ONE)
def test_simulate(quadflow, activation):
    """Modes end at the eigenvalues, c_k = ‖w_k‖² − a_k² stays."""
    result = quadflow("simulate", *SMALL, "--activation", activation, "--t-end", "200", "--json").json
    assert result["conserved_drift"] < 1e-9
    assert 0 <= result["loss"][-1] < 1e-4
    np.testing.assert_allclose(result["modes"][-1], [2, 1], atol=0.02)


WITHOUT = [
    "--teacher",
    "2,1",
    "--hidden",
    "2",
    "--inputs",
    "3",
    "--init-scale",
    "0.3",
    "--activation",
    "tanh",
]


def test_without_modes_overlaps_and_norms_are_printed(quadflow, tmp_path):
    """JSON, summary and table of tanh units: those of the weights in the file, for each unit and direction."""
    path, table = tmp_path / "run.npz", tmp_path / "run.csv"
    words = ["simulate", *WITHOUT, "--t-end", "5", "--records", "41"]
    result = quadflow(*words, "--json", "--output", path).json
    W = np.load(path)["W"]
    norms = np.sqrt((W**2).sum(axis=2))
    overlaps = W[:, :, :2] / norms[..., None]  # the directions of the teacher are the first two axes
    assert result["modes"] is result["conserved_drift"] is None
    np.testing.assert_allclose(result["norms"], norms, rtol=1e-12)
    np.testing.assert_allclose(result["overlaps"], overlaps, rtol=0, atol=1e-12)
    assert result["stages"] and all(stage["learned_modes"] == [] for stage in result["stages"])
    assert any("not homogeneous" in warning for warning in result["warnings"])
    told = quadflow(*words, "--output", table).out
    assert "plateau  t = " in told and "learned modes" not in told
    head, *rows = [line.split(",") for line in table.read_text().splitlines()]
    assert head[2:] == ["norm_1", "norm_2", *(f"overlap_{k}_{m}" for k in (1, 2) for m in (1, 2))]
    columns = np.array(rows, dtype=float)
    np.testing.assert_allclose(columns[:, 2:4], norms, rtol=1e-12)
    np.testing.assert_allclose(columns[:, 4:].reshape(41, 2, 2), overlaps, atol=1e-12)


def test_another_teacher_is_told(quadflow):
    """Quadratic units that learn tanh: no modes, but c_k; networks and comparison alike."""
    words = [*WITHOUT, "--activation", "quadratic", "--teacher-activation", "tanh", "--json"]
    training = ["--step", "1e-2", "--batch", "64", "--steps", "20", "--seeds", "2"]
    compared = quadflow("compare", *words, *training).json
    for side in (compared["theory"], compared["training"], quadflow("train", *words, *training).json):
        assert side["modes"] is None and np.shape(side["overlaps"])[-2:] == (2, 2)
        assert side["conserved_drift"] < (1e-9 if side is compared["theory"] else 1e-2)
        assert any("the teacher has another activation" in warning for warning in side["warnings"])
    assert compared["relative_error"].keys() == {"loss_sup", "modes_sup", "overlaps_sup", "norms_sup"}
    assert compared["relative_error"]["modes_sup"] is None


@pytest.mark.parametrize("activation", DEGREE_ONE)
def test_train_and_compare(quadflow, activation):
    common = [*SMALL, "--activation", activation, "--step", "5e-3", "--batch", "256", "--json"]
    run = quadflow("train", *common, "--steps", "400", "--seeds", "2").json
    assert run["loss"][0][-1] < run["loss"][0][0]
    assert run["loss_measured"] == "exactly from the weights"
    compared = quadflow("compare", *common, "--steps", "400", "--seeds", "4").json
    assert compared["relative_error"]["loss_sup"] < 0.05
    assert {"discretisation", "finite_data", "sampling_noise"} <= set(compared["gap"])


def test_compare_explains_a_finite_set(quadflow):
    """The gap by theory has no closed form on a data set here: it is found by training."""
    result = quadflow(
        "compare",
        *SMALL,
        "--activation",
        "relu",
        "--steps",
        "100",
        "--samples",
        "100",
        "--batch",
        "0",
        "--json",
    )
    assert result.status == 0
    assert result.json["gap"]["finite_data"] > 0


def test_the_modified_flow(quadflow):
    result = quadflow(
        "simulate",
        *SMALL,
        "--activation",
        "abs",
        "--correction",
        "modified",
        "--step",
        "0.01",
        "--t-end",
        "3",
        "--json",
    )
    assert result.status == 0
    assert result.json["loss"][-1] < result.json["loss"][0]


@pytest.mark.parametrize("activation", ["relu", "abs"])
def test_fixed_points_by_search(quadflow, activation):
    """Found at least: the origin with L = ½ E f*², a local minimum that merges the modes, and the teacher itself."""
    arguments = ["--teacher", "2,1", "--hidden", "2", "--activation", activation, "--search", "60", "--json"]
    result = quadflow("fixed-points", *arguments).json
    points = result["fixed_points"]
    assert result["count"] == len(points) >= 4
    assert result["search"]["matched"] is None
    losses = [p["loss"] for p in points]
    assert losses == sorted(losses)
    assert losses[0] < 1e-14
    linear, folded = {"relu": (0.25, 0.25), "abs": (0.0, 1.0)}[activation]
    origin = 0.5 * (linear * 5 + folded * (5 + 2 * 2 * 2 / np.pi))  # ½ λᵀκλ
    assert losses[-1] == pytest.approx(origin, rel=1e-10)
    assert points[-1]["index"] is None
    for p in points:
        if p["index"] is not None:
            assert p["index"] + p["nullity"] + p["positive"] == 6
    text = quadflow("fixed-points", *arguments[:-1]).out
    assert "nothing says that these are all" in text


def test_fixed_points_of_a_linear_network(quadflow):
    """Baldi & Hornik 1989: global minima, and the saddle where Σ a_k w_k = 0, L = ½‖β*‖²; no other level."""
    result = quadflow(
        "fixed-points",
        "--teacher",
        "2,1",
        "--hidden",
        "2",
        "--activation",
        "linear",
        "--search",
        "40",
        "--json",
    ).json
    assert [p["kind"] for p in result["fixed_points"]] == ["global minimum", "saddle"]
    np.testing.assert_allclose([p["loss"] for p in result["fixed_points"]], [0, 2.5], atol=1e-12)


def test_conserved_laws_of_absolute_values(quadflow):
    """One balance per unit, as for the ReLU."""
    result = quadflow("conserved", "--model", "abs", "--inputs", "2", "--hidden", "3", "--json").json
    assert result["count"] == 3
    assert result["exact"]
    assert "a_0**2" in result["laws"][0]


def test_diagnose_says_what_is_not_known(quadflow):
    result = quadflow("diagnose", "--teacher", "2,1", "--activation", "relu", "--json").json
    assert result["verdict"] == "undecided"
    assert "known only for quadratic and centred units" in result["reason"]
    np.testing.assert_equal(len(result["conserved"]), 2)


def test_a_balanced_start_knows_the_degree(quadflow, tmp_path):
    """c_k(0) = 0 for a_k = ±‖w_k‖/√h, h = 1."""
    path = tmp_path / "run.npz"
    arguments = ["--teacher", "2,1", "--activation", "relu", "--init", "balanced", "--t-end", "1"]
    assert quadflow("simulate", *arguments, "--output", path).status == 0
    np.testing.assert_allclose(np.load(path)["conserved"], 0, atol=1e-12)


def test_a_teacher_network(quadflow, tmp_path):
    """Started at the teacher's own weights the loss is zero and stays zero."""
    V, b = np.array([[1.0, 2.0], [-1.0, 0.5]]), np.array([1.0, -0.7])
    np.savez(tmp_path / "teacher.npz", V=V, b=b)
    np.savez(tmp_path / "student.npz", W=V, a=b)
    files = ["--teacher", tmp_path / "teacher.npz", "--init-file", tmp_path / "student.npz"]
    result = quadflow("simulate", *files, "--activation", "relu", "--t-end", "2", "--json").json
    assert max(result["loss"]) < 1e-14


def test_figure(quadflow, tmp_path):
    path = tmp_path / "activations.png"
    quick = ["--init-scale", "0.1", "--t-end", "1", "--seeds", "2", "--batch", "32"]
    result = quadflow("figure", "activations", *quick, "--output", path)
    assert result.status == 0
    assert "relu: networks within" in result.out
    assert path.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fixed-points", "--teacher", "2,1", "--activation", "relu"], "--search N"),
        (
            ["fixed-points", "--teacher", "2,1", "--activation", "relu", "--search", "5", "--certify"],
            "catalogue",
        ),
        (["fixed-points", "--teacher", "2,1", "--activation", "relu", "--search", "0"], "at least 1"),
        (["fixed-points", "--teacher", "2,1", "--activation", "abs", "--symbolic"], "polynomial activations"),
        (["staircase", "--teacher", "2,1", "--activation", "abs"], "quadratic and centred"),
        (["derive", "--teacher", "2,1", "--activation", "relu"], "polynomial activations"),
        (
            ["simulate", "--teacher", "2,1", "--activation", "relu", "--sgd", "--step", "1e-3"],
            "one hidden and one teacher unit",
        ),
        (["simulate", "--teacher", "2,1", "--activation", "swish"], "linear, relu, abs"),
        (["simulate", "--teacher", "M.npy", "--activation", "relu"], "means nothing to relu"),
        (["conserved", "--model", "abs", "--inputs", "1"], "at least 2"),
        (
            ["simulate", "--teacher", "2,1", "--activation", "tanh", "--init", "balanced"],
            "a homogeneous activation",
        ),
        (["figure", "phase-portrait", "--activation", "relu"], "must be one of: quadratic, centred"),
        (["figure", "activations", "--activation", "relu"], "--activations"),
        (["figure", "activations", "--t-end", "1,2"], "2 numbers"),
        (["figure", "overlay", "--step", "1,2"], "`--step` has 2 numbers, but `--activations` 4 names"),
        (["figure", "overlay", "--seeds", "1"], "`seeds` is 1, but the error bar"),
    ],
)
def test_bad_input(quadflow, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    np.save("M.npy", np.eye(2))
    result = quadflow(*arguments)
    assert result.status == 2
    assert words in result.err
    assert result.err.count("\n") == 1
