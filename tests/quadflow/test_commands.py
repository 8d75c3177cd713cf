"""What the commands print and write: keys of the interface, values of the Python calls behind them."""

import numpy as np
import pytest
import sympy

from dynamics import GradientFlow, Student, Teacher, Trajectory
from empirical import TrainingRun

PROBLEM = ["--teacher", "2,1", "--inputs", "4", "--hidden", "3", "--init-scale", "0.4", "--seed", "7"]
TRAINING = ["--steps", "40", "--step", "5e-3", "--batch", "16", "--seeds", "2"]


def flow():
    return GradientFlow(Teacher.from_eigenvalues([2, 1], 4), Student.initialise(3, 4, scale=0.4, seed=7))


def test_simulate_prints_the_trajectory(quadflow):
    result = quadflow("simulate", *PROBLEM, "--times", "0,0.5,1", "--json").json
    expected = flow().integrate(times=[0, 0.5, 1])
    assert result["times"] == [0, 0.5, 1]
    assert result["loss"] == expected.loss.tolist()
    assert result["modes"] == expected.modes.tolist()
    assert result["conserved_drift"] == expected.conserved_drift < 1e-9
    assert result["solver"]["method"] == "LSODA"
    assert result["solver"]["reduced_dimension"] == 4
    assert result["warnings"] == []


def test_the_modified_flow_is_closer_to_gradient_descent(quadflow):
    """First- against second-order theory of the same descent, by the exact descent on the population loss."""
    from empirical.descent import gradient_descent_loss

    eta, steps = 5e-3, np.arange(0, 201, 20)
    times = ",".join(str(n * eta) for n in steps)
    descent = gradient_descent_loss(flow(), eta, steps)
    plain = quadflow("simulate", *PROBLEM, "--times", times, "--json").json
    arguments = ["--correction", "modified", "--step", eta, "--times", times, "--json"]
    modified = quadflow("simulate", *PROBLEM, *arguments).json
    errors = [np.abs(np.array(r["loss"]) - descent).max() for r in (plain, modified)]
    assert errors[1] < 0.1 * errors[0]
    assert any("conserve" in w for w in modified["warnings"])


def test_simulate_finds_the_plateaus(quadflow):
    result = quadflow(
        "simulate", "--teacher", "4,2,1", "--hidden", "8", "--init-scale", "0.01", "--t-end", "40", "--json"
    )
    stages = result.json["stages"]
    assert [s["learned_modes"] for s in stages] == [[], [0], [0, 1], [0, 1, 2]]
    # L_S = Σ_{j∉S} λ_j² + T²/(r + 2) (theory, section 3), approached as ε → 0
    np.testing.assert_allclose([s["loss"] for s in stages[:3]], [45.5, 8, 1.25], rtol=0.01)
    assert all(s["start"] < s["end"] for s in stages)
    np.testing.assert_allclose([s["predicted_loss"] for s in stages], [45.5, 8, 1.25, 0], atol=1e-12)
    for stage, scale in zip(
        stages, [45.5, 8, 1.25, 45.5], strict=True
    ):  # of the initial loss where none is left
        assert stage["deviation"] == pytest.approx(
            (stage["loss"] - stage["predicted_loss"]) / scale, abs=1e-12
        )


def test_simulate_in_words(quadflow):
    result = quadflow("simulate", *PROBLEM, "--t-end", "1")
    assert result.status == 0
    assert "loss" in result.out
    assert result.err == ""


def test_simulate_writes_every_format(quadflow, tmp_path):
    for suffix in ("npz", "json", "csv", "png", "svg", "pdf"):
        path = tmp_path / f"run.{suffix}"
        assert quadflow("simulate", *PROBLEM, "--t-end", "1", "--records", "5", "--output", path).status == 0
        assert path.stat().st_size > 100
    expected = flow().integrate(t_end=1, samples=5)
    np.testing.assert_array_equal(Trajectory.load(tmp_path / "run.npz").loss, expected.loss)
    table = np.genfromtxt(tmp_path / "run.csv", delimiter=",", names=True)
    np.testing.assert_array_equal(table["loss"], expected.loss)
    np.testing.assert_array_equal(table["mode_2"], expected.modes[:, 1])


def test_simulate_warns_that_a_fixed_layer_conserves_nothing(quadflow):
    result = quadflow("simulate", *PROBLEM, "--second-layer", "fixed", "--t-end", "1", "--json").json
    assert any("fixed" in w for w in result["warnings"])


@pytest.mark.parametrize("suffix", ["npy", "csv"])
def test_a_matrix_file_is_a_teacher(quadflow, tmp_path, suffix):
    """A rotated diag(3, 1): the same modes as the eigenvalues, smaller than d and padded."""
    c, s = np.cos(0.4), np.sin(0.4)
    R = np.array([[c, -s], [s, c]])
    M = R @ np.diag([3.0, 1.0]) @ R.T
    path = tmp_path / f"M.{suffix}"
    if suffix == "npy":
        np.save(path, M)
    else:
        np.savetxt(path, M, delimiter=",", fmt="%.17g")
    result = quadflow(
        "simulate", "--teacher", path, "--inputs", "3", "--hidden", "6", "--init-scale", "0.5", "--json"
    )
    np.testing.assert_allclose(result.json["modes"][-1], [3, 1], atol=1e-6)


def test_weights_and_teacher_network_from_files(quadflow, tmp_path):
    rng = np.random.default_rng(0)
    V, b, W, a = rng.standard_normal((2, 3)), [1.0, -1.0], rng.standard_normal((2, 2)), rng.standard_normal(2)
    np.savez(tmp_path / "t.npz", V=V, b=b)
    np.savez(tmp_path / "s.npz", W=W, a=a)
    arguments = [
        "--teacher",
        tmp_path / "t.npz",
        "--init-file",
        tmp_path / "s.npz",
        "--times",
        "0,0.1",
        "--json",
    ]
    result = quadflow("simulate", *arguments).json
    padded = Student(np.pad(W, ((0, 0), (0, 1))), a)
    expected = GradientFlow(Teacher(V, b), padded).integrate(times=[0, 0.1])
    assert result["loss"] == expected.loss.tolist()


def test_several_outputs(quadflow):
    result = quadflow("simulate", *PROBLEM, "--outputs", "2", "--t-end", "1", "--json").json
    assert len(result["modes"][0]) == 4


def test_config_file_and_its_precedence(quadflow, tmp_path):
    config = tmp_path / "experiment.toml"
    config.write_text(
        'teacher = [2, 1]\ninputs = 4\nhidden = 9\ninit-scale = 0.4\nseed = 7\ntimes = "0,0.5"\n'
    )
    from_file = quadflow("simulate", "--config", config, "--hidden", "3", "--json").json
    assert from_file["loss"] == flow().integrate(times=[0, 0.5]).loss.tolist()


def test_train_prints_the_run(quadflow, tmp_path):
    result = quadflow("train", *PROBLEM, *TRAINING, "--output", tmp_path / "run.npz", "--json").json
    run = TrainingRun.load(tmp_path / "run.npz")
    assert np.shape(result["loss"]) == (2, 41)
    assert result["loss"] == run.loss.tolist()
    assert result["times"][-1] == pytest.approx(0.2)
    assert result["loss_measured"] == "exactly from the weights"
    assert np.shape(result["modes"]) == (2, 41, 2)
    assert result["conserved_drift"] > 0
    assert result["steps_per_second"] > 0


def test_train_says_how_the_loss_was_measured(quadflow):
    result = quadflow("train", *PROBLEM, *TRAINING, "--test-samples", "50", "--json").json
    assert result["loss_measured"] == "on a test sample of 50"


def test_compare_prints_error_and_gap_and_writes_the_figure(quadflow, tmp_path):
    path = tmp_path / "curves.png"
    result = quadflow("compare", *PROBLEM, *TRAINING, "--output", path, "--json").json
    theory, run = np.array(result["theory"]["loss"]), np.mean(result["training"]["loss"], axis=0)
    assert result["relative_error"]["loss_sup"] == pytest.approx(np.abs(run - theory).max() / theory[0])
    assert set(result["gap"]) >= {"discretisation", "finite_data", "sampling_noise"}
    assert path.read_bytes().startswith(b"\x89PNG")


def test_compare_up_to_a_time(quadflow):
    arguments = ["--t-end", "0.2", "--step", "5e-3", "--batch", "16", "--method", "DOP853", "--json"]
    result = quadflow("compare", *PROBLEM, *arguments).json
    assert result["training"]["steps"][-1] == 40
    assert result["theory"]["solver"]["method"] == "DOP853"


def test_figure_learning_curves(quadflow, tmp_path):
    path = tmp_path / "curves.svg"
    result = quadflow("figure", "learning-curves", "--t-end", "0.02", "--seeds", "2", "--output", path)
    assert result.status == 0
    assert path.exists()
    listed = quadflow("figure", "--list")
    assert "learning-curves" in listed.out


def test_figure_phase_portrait(quadflow, tmp_path):
    path = tmp_path / "portrait.png"
    assert quadflow("figure", "phase-portrait", "--start", "-1,1.6", "--output", path).status == 0
    assert path.stat().st_size > 10_000
    bad = quadflow("figure", "phase-portrait", "--eigenvalue", "0", "--output", path)
    assert bad.status == 2
    for start in ("1", "1,2,3"):
        bad = quadflow("figure", "phase-portrait", "--start", start, "--output", path)
        assert bad.status == 2
        assert f"`--start` is {start!r}, but must be two numbers" in bad.err


def test_derive_prints_parsable_odes(quadflow):
    """The printed ODE is minus the derivative of the printed loss."""
    result = quadflow("derive", "--teacher", "2,1", "--hidden", "2", "--json").json
    assert result["parameters"][:2] == ["w_0_0", "w_0_1"]
    assert result["targets"] == ["m_0_0", "m_0_1", "m_1_1"]
    loss = sympy.sympify(result["loss"])
    for name, right in result["ode"].items():
        assert sympy.expand(sympy.sympify(right) + sympy.diff(loss, sympy.Symbol(name))) == 0
    assert len(result["conserved"]) == 2


@pytest.mark.parametrize("form", ["text", "latex", "json", "python", "javascript", "tensor"])
def test_derive_formats(quadflow, tmp_path, form):
    result = quadflow("derive", "--inputs", "2", "--hidden", "1", "--format", form)
    assert result.status == 0
    assert result.out
    suffix = {
        "text": "txt",
        "latex": "tex",
        "json": "json",
        "python": "py",
        "javascript": "js",
        "tensor": "txt",
    }[form]
    written = tmp_path / f"flow.{suffix}"
    again = quadflow("derive", "--inputs", "2", "--hidden", "1", "--format", form, "--output", written)
    assert again.out == ""
    assert written.read_text() == result.out
    by_suffix = quadflow("derive", "--inputs", "2", "--hidden", "1", "--output", tmp_path / f"other.{suffix}")
    assert by_suffix.status == 0


def test_exported_python_is_the_flow(quadflow, tmp_path):
    """The generated module, with NumPy alone, gives the closed-form velocity."""
    path = tmp_path / "exported.py"
    quadflow("derive", "--inputs", "4", "--hidden", "3", "--output", path)
    module: dict = {}
    exec(path.read_text(), module)
    f = flow()
    m = f.problem.teacher.matrix()[np.triu_indices(4)]
    np.testing.assert_allclose(module["rhs"](0.0, f.theta0, m), f(0.0, f.theta0), rtol=1e-11, atol=1e-13)
    assert module["loss"](f.theta0, m) == pytest.approx(f.loss(f.theta0), rel=1e-12)


def test_derive_aligned_and_json_with_a_format(quadflow):
    result = quadflow(
        "derive", "--inputs", "2", "--hidden", "2", "--aligned", "--format", "latex", "--json"
    ).json
    assert result["parameters"] == ["p_0", "p_1", "a_0", "a_1"]
    assert "align" in result["latex"]


def test_nan_becomes_null_with_a_warning():
    from quadflow.output import to_json

    assert (
        to_json({"x": [1.0, float("nan")]})
        == '{"x": [1.0, null], "warnings": ["not finite, given as null: x"]}'
    )


def test_progress_is_silent_in_a_pipe(quadflow):
    result = quadflow("compare", *PROBLEM, *TRAINING, "--json")
    assert result.err == ""


def test_version(quadflow):
    from importlib.metadata import version

    assert version("quadflow") in quadflow("--version").out
