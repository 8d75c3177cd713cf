"""Sizes that no machine holds are refused at once, in one line that says how much it would be and what helps."""

import re

import numpy as np
import pytest

HUGE = 10**12


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["derive", "--inputs", 50, "--hidden", 20], "1,013,725 terms.*--format tensor"),
        (["derive", "--inputs", HUGE], "--format tensor"),
        (["conserved", "--inputs", HUGE], "parameters.*lower `hidden` or `inputs`"),
        (["conserved", "--network", "a*b*x_0", "--degree", HUGE], "monomials.*lower degree"),
        (["hannet", "--check", "--layers", HUGE], "lower `layers` or `width`"),
        (["hannet", "--check", "--width", HUGE], "lower `layers` or `width`"),
        (["train", "--teacher", "2,1", "--steps", 1, "--samples", HUGE], "lower `samples`"),
        (["train", "--teacher", "2,1", "--steps", 1, "--batch", HUGE], "lower `batch`"),
        (["train", "--teacher", "2,1", "--steps", 1, "--hidden", HUGE], "lower `hidden`"),
        (["train", "--teacher", "2,1", "--steps", 1, "--inputs", HUGE], "lower the number of eigenvalues"),
        (["train", "--teacher", "2,1", "--steps", 1, "--outputs", 2**62], "lower .*`outputs`"),
        (["simulate", "--teacher", "0", "--outputs", 2**62], "lower .*`outputs`"),
        (["figure", "neuron-functions", "--inputs", HUGE], "lower `inputs`"),
        (["figure", "pieces", "--hidden", HUGE], "lower `hidden`"),
        (["figure", "pieces", "--starts", HUGE], "lower `layers`, `hidden` or `starts`"),
        (["figure", "pieces", "--layers", HUGE], "lower `layers`: it doubles"),
        (["train", "--teacher", "2,1", "--steps", 1, "--seeds", HUGE], "`seeds`"),
        (["train", "--teacher", "2,1", "--steps", 2**63], "below 2\\^63"),
        (["compare", "--teacher", "2,1", "--steps", 1, "--test-samples", HUGE], "lower `test-samples`"),
        (["simulate", "--teacher", "2,1", "--records", HUGE], "fewer times"),
        (["simulate", "--teacher", f"power-law:1:{10**9}"], "lower the number of eigenvalues"),
        (["sweep", "--teacher", "2,1", "--vary", f"init-scale=1:2:{HUGE}"], "give fewer"),
        (["sweep", "--teacher", "2,1", "--replicates", HUGE], "make several sweeps"),
        (
            ["fixed-points", "--teacher", "power-law:1:2000", "--hidden", 3],
            "e\\+602 points.*fixed-points --lowest N",
        ),
        (["fixed-points", "--teacher", "power-law:1:99", "--lowest", HUGE], "points.*fewer"),
        (["fixed-points", "--teacher", "2,1", "--search", HUGE], "searches.*fewer"),
        (["fixed-points", "--teacher", "2,1", "--hidden", 10**5, "--search", 1], "Hessian"),
        (["invariance", "--layers", HUGE], "lower `batch`, `hidden` or `layers`"),
        (["invariance", "--batch", HUGE], "lower `batch`"),
        (["neuron", "--inputs", HUGE], "lower `inputs`"),
        (["neuron", "--hidden", HUGE], "lower `hidden`"),
        (["neuron", "--hidden", 10**5], "Hessian.*lower `hidden`"),
        (["neuron", "--records", HUGE], "fewer times"),
        (["neuron", "--steps", 1, "--batch", HUGE], "lower `batch`"),
        (["neuron", "--collapse", "--starts", HUGE, "--t-end", 0.1], "lower `starts`"),
        (["neuron", "--derive", "--hidden", HUGE], "derivatives|memory"),
    ],
)
def test_huge_sizes(quadflow, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    result = quadflow(*arguments)
    assert result.status == 2
    assert re.search(words, result.err)
    assert len(result.err.splitlines()) == 1
    assert result.out == ""
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        *((command, 0) for command in ("simulate", "diagnose", "staircase", "compare", "train")),
        ("simulate --activation relu", 0),
        ("simulate --correction modified --step 0.1 --t-end 1", 0),
        ("simulate --sgd --step 0.01 --t-end 1 --fluctuations", 0),
    ],
)
def test_a_start_of_zero(quadflow, arguments, status):
    """Library warnings are errors here."""
    steps = ["--steps", 4] if arguments in ("compare", "train") else []
    result = quadflow(*arguments.split(), "--teacher", "2,1", "--init-scale", 0, *steps)
    assert (result.status, result.err) == (status, "")
    assert "nan" not in result.out


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ("train --teacher 2,1 --steps 3 --step 1e45", 2, "numbers of the type float32 end at 3.4e+38"),
        ("compare --teacher 2,1 --steps 3 --step 1e308", 2, "`step` is 1e+308, but must be at most 1e+50"),
        (
            "train --teacher 2,1 --steps 3 --weight-decay 1e50",
            2,
            "`weight_decay` is 1e+50, but numbers of the type float32",
        ),
        ("compare --teacher 2,1 --steps 3 --step 1e6", 1, "diverged at step 1"),
        ("schedule --teacher 3 --label-noise 1e308", 2, "`label_noise` is 1e+308, but must be at most 1e+50"),
        ("simulate --teacher 3 --sgd --step 0.01 --label-noise 1e308", 2, "`label_noise` is 1e+308, but"),
        ("figure overlay --t-end 0.1,0.1,0.1,0.1 --step 1", 2, "must be at most `t_end` = 0.1"),
        ("train --teacher 1e30 --steps 3", 1, "diverged at step 0"),
        ("neuron --steps 5 --step 1e45 --hidden 2 --inputs 2", 1, "diverged"),
        ("staircase --teacher 1e200,1", 2, "scale it"),
        ("fixed-points --teacher 1e-300,1e-301 --search 5", 2, "scale it"),
        ("invariance --spread 1e200 --steps 4", 2, "between 1 and 1e+06"),
        ("invariance --layers 900 --hidden 1 --activation quadratic", 2, "exceeds all numbers"),
        (
            "simulate --teacher 2,1 --init-scale 1e308",
            2,
            "`init_scale` is 1e+308, but must lie between 1e-100 and 1e+50",
        ),
        ("simulate --teacher 3 --init-scale 1e-320", 2, "must lie between 1e-100 and 1e+50"),
        (
            "simulate --teacher 3 --second-layer fixed --second-layer-value=-1e-320",
            2,
            "1e-100 and 1e+50 in size",
        ),
        ("neuron --rates 1e-320,1,1", 2, "`rates.r` is 9.99989e-321, but must lie between 1e-50 and 1e+50"),
        ("neuron --init random --init-scale 1e308", 2, "must lie between 1e-50 and 1e+50"),
        ("neuron --shrink 1e308", 2, "`shrink` is 1e+308, but must be at most 1e+50"),
        ("figure neuron --gammas 1e-320", 2, "must lie between 1e-50 and 1e+50"),
        ("figure phase-portrait --extent 1e-320", 2, "`extent` is 9.99989e-321, but must lie between"),
        ("figure phase-portrait --extent 1e308", 2, "`extent` is 1e+308, but must lie between"),
        ("figure phase-portrait --eigenvalue=-1e-320", 2, "must lie between 1e-50 and 1e+50 in size"),
        ("figure phase-diagram --extent 1e308", 2, "`extent` is 1e+308, but must lie between"),
        ("figure phase-diagram --points 2 --step 1e45", 2, "numbers of the type float32 end at 3.4e+38"),
        ("figure scale-diagram --points 2 --replicates 1 --step 1e45", 2, "type float32 end at 3.4e+38"),
        ("figure scaling-law --exponents 1,300", 2, "spans N^α = 10^1800 in time, but at most 10^100"),
        ("figure stability --init-scale 1e-100 --teacher 1e-30", 2, "so flat that no step is too large"),
        ("figure stability --factors 1e-9 --samples 9", 2, "steps, but at most 10,000,000 are allowed"),
    ],
)
def test_numbers_beyond_the_numbers(quadflow, arguments, status, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # figures have a default output
    result = quadflow(*arguments.split())
    assert (result.status, result.out) == (status, "")
    assert words in result.err
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize("arguments", ["phase-portrait", "phase-diagram --points 2 --step 0.1"])
@pytest.mark.parametrize("extent", [1e-50, 1e5])
def test_planes_of_any_size_are_drawn(quadflow, arguments, extent, tmp_path):
    result = quadflow("figure", *arguments.split(), "--extent", extent, "--output", tmp_path / "a.svg")
    assert (result.status, result.err) == (0, "")


def test_invariance_of_a_single_unit(quadflow):
    result = quadflow("invariance", "--hidden", 1, "--steps", 5)
    assert (result.status, result.err) == (0, "")


def test_steps_beyond_the_largest_stable_one_warn(quadflow):
    """The curve ends at λ = 2 learned by one unit, where descent is stable up to 0.045."""
    arguments = ["simulate", "--teacher", "2,1", "--init-scale", 0.5, "--t-end", 2]
    arguments += ["--correction", "modified", "--step"]
    assert "stable up to 0.04" in quadflow(*arguments, 0.1).out
    assert any("stable up to 0.04" in text for text in quadflow(*arguments, 0.1, "--json").json["warnings"])
    assert "warning" not in quadflow(*arguments, 0.01).out


def test_a_start_at_the_teacher_is_relative_to_nothing(quadflow, tmp_path):
    """Student and teacher agree to rounding: null with its reason, and words in the text."""
    np.savez(tmp_path / "w.npz", W=np.diag([2**0.5, 1 / 3]), a=[1.0, 9.0])
    arguments = ["compare", "--teacher", "2,1", "--init-file", tmp_path / "w.npz", "--steps", 5]
    text = quadflow(*arguments).out
    assert "%" not in text.replace("% of the largest", "")
    assert "nothing to be relative to" in text
    found = quadflow(*arguments, "--json").json
    assert found["relative_error"]["loss_sup"] is None
    assert all(found["gap"][name] is None for name in ("total", "remainder", "error_bar"))
    assert "the initial loss is zero: what would be relative to it is null" in found["warnings"]


def test_finished_sweeps_are_replaced_when_asked(quadflow, tmp_path):
    path = tmp_path / "s.nc"
    arguments = ["sweep", "diagnose", "--teacher", "2,1", "--no-follow", "--workers", 0, "--output", path]
    assert quadflow(*arguments).status == 0
    before = path.read_bytes()
    refused = quadflow(*arguments, "--replicates", 2)
    assert (refused.status, path.read_bytes()) == (2, before)
    assert "--overwrite" in refused.err
    assert quadflow(*arguments, "--replicates", 2, "--overwrite", "--json").json["runs"] == 2


def test_momentum_conserves_nothing(quadflow, tmp_path):
    """Heavy ball, β = 0.9: what nearly stays is named so, with its residual."""
    run = tmp_path / "run.npz"
    train = ["train", "--teacher", "2,1", "--inputs", 3, "--hidden", 2, "--init-scale", 0.3]
    train += ["--steps", 300, "--step", 3e-4, "--records", 100]
    assert quadflow(*train, "--optimizer", "momentum", "--batch", 400, "--output", run).status == 0
    found = quadflow("conserved", "--infer", run, "--json").json
    assert found["laws"] == []
    assert found["nearly_constant"]
    for q in found["nearly_constant"]:
        assert "but for the drift of finite steps" in q["match"] or "no law" in q["match"]
        assert q["residual"] is None or q["residual"] <= 0.01
