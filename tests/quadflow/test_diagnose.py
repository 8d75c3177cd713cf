"""`quadflow diagnose`, inference and the conservation figures on the command line."""

import numpy as np
import pytest
import torch


@pytest.fixture
def start(tmp_path):
    """Four units with all a > 0 and c_k < 0 for λ = (2, −1.9): no unit can ever become negative."""
    rng = np.random.default_rng(0)
    W = 0.1 * rng.standard_normal((4, 2))
    np.savez(tmp_path / "start.npz", W=W, a=np.full(4, 0.5))
    torch.save({"0.weight": torch.tensor(W), "2.weight": torch.full((1, 4), 0.5)}, tmp_path / "start.pt")
    return tmp_path


@pytest.mark.parametrize("suffix", ["npz", "pt"])
def test_a_start_without_negative_units_fails(quadflow, start, suffix):
    """It ends at L_{1} = λ_2² + λ_2²/3 = 4.8133… (theory, sections 2 and 3)."""
    arguments = ["--teacher", "2,-1.9", "--init-file", start / f"start.{suffix}", "--json"]
    result = quadflow("diagnose", *arguments).json
    assert result["verdict"] == "fails"
    assert result["predicted_loss"] == pytest.approx(1.9**2 * 4 / 3, rel=1e-9)
    assert result["needed"] == {"positive": 1, "negative": 1}
    assert result["frozen_signs"] == [1, 1, 1, 1]
    assert len(result["conserved"]) == 4
    assert max(result["conserved"]) < 0


def test_single_mode_rule(quadflow, tmp_path):
    """λ > 0: fails iff a₀ < 0 and p₀² ≤ 2a₀² (theory, section 2)."""
    for p, verdict in ((1.3, "fails"), (1.5, "succeeds")):
        np.savez(tmp_path / "one.npz", W=[[p]], a=[-1.0])
        result = quadflow("diagnose", "--teacher", "1", "--init-file", tmp_path / "one.npz", "--json").json
        assert result["verdict"] == verdict


def test_in_words_and_to_a_file(quadflow, start):
    path = start / "verdict.json"
    result = quadflow("diagnose", "--teacher", "2,-1.9", "--init-file", start / "start.npz", "--output", path)
    assert result.out.startswith("fails: ")
    assert path.exists()


def test_inference_recovers_the_balances_of_a_run(quadflow, tmp_path):
    """A recorded training run: c_k of every unit, constant to the size of its drift."""
    run = tmp_path / "run.npz"
    problem = ["--teacher", "2,1", "--hidden", "2", "--init-scale", "0.5"]
    quadflow("train", *problem, "--steps", "1000", "--step", "1e-3", "--dtype", "float64", "--output", run)
    result = quadflow("conserved", "--infer", run, "--json").json
    assert result["count"] == 2
    assert all("balance of unit" in law["match"] for law in result["laws"])
    assert all(law["drift"] < 0.05 for law in result["laws"])


@pytest.mark.parametrize(
    ("name", "quick"),
    [
        ("phase-diagram", ["--points", "4"]),
        ("scale-diagram", ["--points", "2", "--replicates", "2"]),
        ("conserved", ["--steps", "100", "--seeds", "4"]),
        ("drift", ["--t-end", "0.2"]),
    ],
)
def test_figures(quadflow, tmp_path, name, quick):
    path = tmp_path / f"{name}.png"
    assert quadflow("figure", name, *quick, "--output", path).status == 0
    assert path.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["diagnose"], "missing"),
        (["diagnose", "--teacher", "1", "--init-file", "absent.pt"], "cannot be read"),
        (["conserved", "--infer", "absent.npz"], "cannot be read"),
        (["conserved", "--infer", "notes.txt"], "must end in"),
        (["invariance", "--hidden", "0"], "at least 1"),
        (["invariance", "--activation", "sigmoid"], "must be one of"),
        (["hannet"], "either"),
        (["hannet", "--check", "--layers", "0"], "at least 1"),
        (["figure", "phase-diagram", "--points", "1"], "at least 2"),
        (["figure", "scale-diagram", "--teacher", "a"], "commas"),
    ],
)
def test_bad_input(quadflow, arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = quadflow(*arguments)
    assert result.status == 2
    assert words in result.err
    assert result.err.count("\n") == 1


def test_companions_print_their_keys(quadflow):
    invariance = quadflow(
        "invariance", "--inputs", "3", "--hidden", "4", "--outputs", "2", "--steps", "3", "--json"
    ).json
    # edges 3·4 + 4·2 = 20, basis paths m − H (theory, section 8)
    assert (invariance["edges"], invariance["hidden_units"], invariance["basis_paths"]) == (20, 4, 16)
    assert invariance["gsgd"]["path_difference"] < 1e-9 < invariance["sgd"]["path_difference"]
    han = quadflow("hannet", "--check", "--layers", "10", "--json").json
    assert han["parameters"] == {"hannet": 3032, "dense": 51002}
    np.testing.assert_allclose(han["singular_values"], [1, 1], atol=1e-12)
