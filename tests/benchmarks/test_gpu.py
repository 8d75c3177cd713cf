"""The script for GPUs, in small and on the processor: what it checks, what it measures, what it says."""

import json

import pytest

from benchmarks import gpu
from empirical import train

SMALL = ["--device", "cpu", "--seeds", "1,3", "--seconds", "0.01"]


def test_everything_is_written_and_passes(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(gpu, "SIZES", gpu.SIZES[:1])
    assert gpu.main([*SMALL, "--output", str(tmp_path)]) == 0
    tables = {t["name"]: t for t in json.loads((tmp_path / "results.json").read_text())["tables"]}
    checks, speeds = tables["gpu-checks"]["rows"], tables["gpu"]["rows"]
    assert [row["passed"] for row in checks] == ["yes"] * len(gpu.CHECKS)
    assert [(row["networks"], row["gradients"]) for row in speeds] == [
        (S, gradients) for S in (1, 3) for gradients in ("fused", "autograd")
    ]
    assert all(row["steps/s, processor"] > 0 for row in speeds)
    printed = capsys.readouterr().out
    assert "is it right" in printed
    assert "steps per second" in printed


@pytest.mark.parametrize(
    ("check", "broken"),
    [
        (gpu.gap_closes, "seed"),
        (gpu.same_data, "seed"),
        (gpu.loss_on_the_flow, "step"),
    ],
)
def test_checks_see_what_is_wrong(check, broken, monkeypatch):
    """Theory on the data of another seed, or networks whose step is a tenth larger: the check fails by far."""
    if broken == "seed":
        practice_of = gpu.Practice.of

        def other(run, schedule=None):
            run.about["seed"] += 1
            return practice_of(run, schedule)

        monkeypatch.setattr(gpu.Practice, "of", other)
    else:
        monkeypatch.setattr(
            gpu, "train", lambda problem, **options: train(problem, **options | {"step": 1.1 * gpu.STEP})
        )
    found = check("cpu")
    assert not found.passed
    assert found.found > 2 * found.allowed


def test_a_failed_check_is_the_exit_status(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(gpu, "CHECKS", (lambda device: gpu.Check("a number", 2.0, 1.0),))
    monkeypatch.setattr(gpu, "speeds", lambda *_: iter([{"networks": 1}]))
    assert gpu.main([*SMALL, "--output", str(tmp_path)]) == 1
    assert "NO" in capsys.readouterr().out


def test_rates_are_of_steps_alone(monkeypatch):
    """A run that takes a second for its records and 1/50 a step makes 50 steps per second, timed for half a second."""
    asked = []

    def run(size, seeds, gradients, device, steps):
        asked.append(steps)
        return 1 + steps / 50

    monkeypatch.setattr(gpu, "seconds", run)
    assert gpu.rate(gpu.SIZES[0], 1, "fused", "cpu", 0.5) == pytest.approx(50)
    assert asked[-1] - gpu.BEGUN == 25


def test_ratios_are_of_the_card_over_the_processor(monkeypatch):
    monkeypatch.setattr(
        gpu, "rate", lambda size, S, gradients, device, budget: {"cuda": 60.0, "cpu": 20.0}[device]
    )
    rows = list(gpu.speeds({"card": "cuda", "processor": "cpu"}, [2], 1.0))
    assert len(rows) == 2 * len(gpu.SIZES)
    assert all((row["steps/s, card"], row["steps/s, processor"], row["ratio"]) == (60, 20, 3) for row in rows)


def test_a_device_that_is_not_there_is_refused(capsys, tmp_path):
    assert gpu.main(["--device", "cuda:99", "--output", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("`device` is 'cuda:99', but PyTorch can use here: cpu")
    assert not list(tmp_path.iterdir())
