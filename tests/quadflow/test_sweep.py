"""`quadflow sweep` runs what the commands run, survives being killed, and says what is wrong in one line."""

import os
import random
import signal
import subprocess
import sys
import time
import tomllib

import numpy as np
import pytest
import xarray

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher, diagnose
from empirical import compare, train
from empirical.sweep.dataset import read_dataset
from quadflow.commands.sweep import command
from quadflow.sweeps.plan import parse_axis
from quadflow.sweeps.run import _train

GRID = ["--teacher", "2,1", "--vary", "init-scale=0.2,0.4", "--vary", "hidden=1:3:2", "--replicates", "2"]
TRAINING = ["--t-end", "0.2", "--step", "1e-2", "--batch", "8", "--records", "5"]


def problem(run):
    """The start of a run, from the labels and the seed in the file."""
    student = Student.initialise(int(run.hidden), 2, scale=float(run.init_scale), seed=int(run.run_seed))
    return Problem(Teacher.from_eigenvalues([2, 1]), student)


def test_every_kind_gives_what_its_command_gives(quadflow, tmp_path):
    """Each of the four calls made here, from the parameters and seeds in the file.

    Flows of a sweep are integrated together, by another method than a single one: the same within the tolerances, which
    keep the relative error of the loss below 1e-8 (`dynamics.integration.driver`).
    """
    path = tmp_path / "s.nc"
    kinds = ["simulate", "train", "compare", "diagnose"]
    result = quadflow("sweep", *kinds, *GRID, *TRAINING, "--workers", "0", "--output", path, "--json").json
    assert result["done"] == result["runs"] == 32
    assert result["dimensions"]["init_scale"] == 2
    data = read_dataset(path)
    for place in (
        {"init_scale": 0.2, "hidden": 1, "replicate": 0},
        {"init_scale": 0.4, "hidden": 3, "replicate": 1},
    ):
        run = data.sel(place)
        start = problem(run)
        seed = int(run.run_seed)
        options = {"steps": 20, "step": 1e-2, "batch": 8, "records": 5, "seed": seed}
        trained = train(start, **options)
        np.testing.assert_array_equal(run.train_loss, trained.loss)
        np.testing.assert_array_equal(run.train_final_loss, trained.loss[:, -1])
        compared = compare(start, **options)
        np.testing.assert_array_equal(run.compare_loss, compared.run.loss)
        assert run.compare_error_loss_sup == compared.relative_error["loss_sup"]
        np.testing.assert_array_equal(run.compare_theory_loss, compared.trajectory.loss)
        expected = diagnose(start)
        assert run.diagnose_verdict == expected.verdict
        padded = run.diagnose_conserved.values
        np.testing.assert_array_equal(padded[: start.student.hidden], expected.conserved)
        assert np.isnan(padded[start.student.hidden :]).all()
        simulated = quadflow(
            *(
                "simulate",
                "--teacher",
                "2,1",
                "--hidden",
                int(run.hidden),
                "--init-scale",
                float(run.init_scale),
            ),
            *("--seed", seed, "--t-end", "0.2", "--records", "5", "--json"),
        ).json
        np.testing.assert_allclose(run.simulate_loss, simulated["loss"], rtol=1e-8)
        np.testing.assert_allclose(run.simulate_modes, simulated["modes"], rtol=1e-8)


def start_sweep(path, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "quadflow", "sweep", *arguments, "--output", str(path), "--resume"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )


@pytest.mark.slow
def test_killed_at_random_moments_and_resumed_is_uninterrupted(quadflow, tmp_path):
    """SIGKILL of the program with its worker processes, three times; then Ctrl-C. The data are those of a loop."""
    many = [a if a != "2" else "8" for a in GRID]
    arguments = ["simulate", "train", *many, *TRAINING]
    whole = tmp_path / "whole.zarr"
    assert quadflow("sweep", *arguments, "--workers", "0", "--output", whole).status == 0
    path = tmp_path / "s.zarr"
    pieces = tmp_path / "s.zarr.pieces"
    moments = random.Random(1)
    size = 0
    for end in (signal.SIGKILL, signal.SIGKILL, signal.SIGKILL, signal.SIGINT):
        process = start_sweep(path, *arguments, "--workers", "2")
        while process.poll() is None and not (pieces.exists() and pieces.stat().st_size > size):
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.2))
        if process.poll() is None:
            os.killpg(process.pid, end)
        message = process.communicate()[1]
        if end == signal.SIGINT and process.returncode != 0:
            assert process.returncode == 130
            assert "continue with --resume" in message
        size = pieces.stat().st_size if pieces.exists() else 0
    assert quadflow("sweep", *arguments, "--workers", "0", "--output", path, "--resume").status == 0
    resumed, expected = read_dataset(path), read_dataset(whole)
    assert resumed.attrs.pop("command").endswith("s.zarr --resume")  # of the last sitting
    assert expected.attrs.pop("command").endswith("whole.zarr")
    xarray.testing.assert_identical(resumed, expected)
    for name in expected.variables:
        assert (
            resumed[name].values.tobytes() == expected[name].values.tobytes()
            or expected[name].dtype.kind in "OT"
        )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["s.zarr", "whole.zarr"]


def test_failed_points_are_told_and_the_rest_is_done(quadflow, tmp_path):
    arguments = ["simulate", "--teacher", "2,1", "--vary", "hidden=0,2", "--t-end", "1", "--workers", "0"]
    result = quadflow("sweep", *arguments, "--output", tmp_path / "s.nc")
    assert result.status == 0
    assert "1 of 2 runs done, 1 failed" in result.out
    assert "hidden=0, replicate=0: `hidden` is 0, but must be at least 1." in result.out
    assert result.err == "quadflow: note: 1 of 2 runs failed.\n"


def test_nothing_but_failures_is_a_failure(quadflow, tmp_path):
    arguments = ["simulate", "--teacher", "2,1", "--hidden", "2", "--method", "Euler", "--t-end", "1"]
    result = quadflow("sweep", *arguments, "--workers", "0", "--output", tmp_path / "s.nc")
    assert result.status == 1
    assert "LSODA" in result.err.splitlines()[-1]
    assert read_dataset(tmp_path / "s.nc").simulate_status == "failed"


def test_a_changed_file_is_another_sweep(quadflow, tmp_path):
    """The digest of the teacher's file belongs to the definition."""
    np.save(tmp_path / "M.npy", np.diag([2.0, 1.0]))
    arguments = [
        "diagnose",
        "--teacher",
        tmp_path / "M.npy",
        "--hidden",
        "2",
        "--workers",
        "0",
        "--no-follow",
    ]
    arguments += ["--output", tmp_path / "s.nc", "--resume"]
    assert quadflow("sweep", *arguments).status == 0
    np.save(tmp_path / "M.npy", np.diag([2.0, 1.5]))
    result = quadflow("sweep", *arguments)
    assert result.status == 2
    assert "differs in: files" in result.err


@pytest.mark.parametrize(
    ("theory", "needed"),
    [
        ([], []),
        (["--correction", "modified"], ["--step", "0.02"]),
        (["--sgd"], ["--step", "0.02", "--batch", "8"]),
    ],
)
def test_the_flow_corrected_for_the_step(quadflow, tmp_path, theory, needed):
    """`--step` and the options of training concern simulate only if it is asked for a correction."""
    path = tmp_path / "s.nc"
    shared = ["--teacher", "2,1", "--init-scale", "0.4", "--t-end", "0.5"]
    training = ["--step", "0.02", "--batch", "8"]
    result = quadflow(
        "sweep",
        "simulate",
        *shared,
        *training,
        *theory,
        "--records",
        "201",
        "--workers",
        "0",
        "--output",
        path,
    )
    assert result.status == 0
    data = read_dataset(path)
    alone = quadflow("simulate", *shared, *theory, *needed, "--seed", data.run_seed.item(), "--json").json
    np.testing.assert_allclose(data.simulate_loss.squeeze(), alone["loss"], rtol=1e-8)


def test_a_sweep_over_weight_decay(quadflow, tmp_path, monkeypatch):
    """A numeric axis; the critical scale of each start is that of `diagnose`, none without decay."""
    xarray = pytest.importorskip("xarray")
    monkeypatch.chdir(tmp_path)
    problem = ["--teacher", "2,1", "--hidden", "2", "--init-scale", "0.01", "--no-follow"]
    quadflow(
        "sweep", "diagnose", *problem, "--vary", "weight-decay=0:0.3:3", "--workers", "0", "--output", "s.nc"
    )
    with xarray.open_dataset("s.nc") as found:
        np.testing.assert_allclose(found.weight_decay, [0, 0.15, 0.3])
        scales = found.diagnose_critical_scale.values.ravel()
    assert np.isnan(scales[0]) and scales[2] == pytest.approx(2 * scales[1], rel=0.1)


def test_a_sweep_over_activations(quadflow, tmp_path):
    """Units and teachers of several kinds, one with a comma in its name: modes where they are the same, else overlaps.

    Curves, overlaps and norms are those of the flow and of the networks that are started here.
    """
    path = tmp_path / "s.nc"
    units, teachers = ("quadratic", "polynomial:0,1,0.5"), ("quadratic", "tanh")
    grid = ["--vary", f"activation={','.join(units)}", "--vary", f"teacher-activation={','.join(teachers)}"]
    words = ["--teacher", "2,1", "--hidden", "2", "--init-scale", "0.3", *grid, *TRAINING, "--workers", "0"]
    result = quadflow("sweep", "simulate", "train", *words, "--output", path, "--json").json
    assert (result["done"], result["failed"]) == (8, 0)
    data = read_dataset(path)
    for phi in units:
        for psi in teachers:
            run = data.sel(activation=phi, teacher_activation=psi, replicate=0)
            student = Student.initialise(2, 2, scale=0.3, seed=int(run.run_seed))
            start = Problem(Teacher.from_eigenvalues([2, 1]), student, phi, teacher_activation=psi)
            flow = GradientFlow(start).integrate(times=run.simulate_time.values)
            np.testing.assert_allclose(run.simulate_loss, flow.loss, rtol=1e-6)
            trained = train(start, steps=20, step=1e-2, batch=8, records=5, seed=int(run.run_seed))
            np.testing.assert_array_equal(run.train_loss, trained.loss)
            assert np.isfinite(run.simulate_modes).all() == (phi == psi == "quadratic")
            if phi == psi == "quadratic":
                assert np.isnan(run.simulate_norms).all()
                np.testing.assert_array_equal(run.train_modes, trained.modes)
            else:
                np.testing.assert_allclose(run.simulate_overlaps, flow.overlaps, atol=1e-6)
                np.testing.assert_allclose(run.simulate_norms, flow.norms, rtol=1e-6)
                np.testing.assert_array_equal(run.train_overlaps, trained.overlaps)
                np.testing.assert_array_equal(run.train_norms, trained.norms)
            # c_k belongs to the units, whatever their teacher
            assert np.isfinite(run.simulate_conserved_drift) == (phi == "quadratic")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("init-scale=1e-3:1e-1:3:log", [1e-3, 1e-2, 1e-1]),
        ("init-scale=0:1:3", [0.0, 0.5, 1.0]),
        ("hidden=2:6:3", [2, 4, 6]),
        ("hidden=1:100:3:log", [1, 10, 100]),
        ("hidden=1:2:5", [1, 2]),  # whole numbers, each once
        ("--batch=1,8", [1, 8]),
        ("teacher=4,2,1;power-law:1:3", ["4,2,1", "power-law:1:3"]),
        ("init=gaussian,balanced", ["gaussian", "balanced"]),
    ],
)
def test_values_of_an_axis(text, values):
    axis = parse_axis(text, command, {"init_scale", "hidden", "batch", "teacher", "init"})
    assert (
        list(axis.values) == pytest.approx(values)
        if isinstance(values[0], float)
        else list(axis.values) == values
    )


SWEEP = ["sweep", "simulate", "--teacher", "2,1", "--t-end", "1", "--workers", "0"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sweep", "derive", "--teacher", "2,1"], "simulate, train, compare, diagnose"),
        (["sweep", "simulate", "simulate", "--teacher", "2,1"], "twice"),
        (["sweep", "simulate"], "--teacher` is missing"),
        ([*SWEEP, "--vary", "hidden"], "NAME=START"),
        ([*SWEEP, "--vary", "hiden=1,2"], "Did you mean 'hidden'"),
        ([*SWEEP, "--vary", "batch=1,2", "--no-follow", "--vary", "no-follow=1"], "can be varied"),
        ([*SWEEP, "--vary", "hidden=1,x"], "whole numbers"),
        ([*SWEEP, "--vary", "init-scale=1,x"], "numbers separated"),
        ([*SWEEP, "--vary", "init-scale=1:2"], "START:STOP:COUNT"),
        ([*SWEEP, "--vary", "init-scale=1:2:3:cubic"], "linear or log"),
        ([*SWEEP, "--vary", "init-scale=0:2:3:log"], "positive ones for log"),
        ([*SWEEP, "--vary", "init-scale=1:2:0"], "at least 1"),
        ([*SWEEP, "--vary", "init-scale=1,1"], "different"),
        ([*SWEEP, "--vary", "seed=1,2"], "can be varied"),
        (["sweep", "compare", "--teacher", "2,1", "--vary", "report=x,y"], "can be varied"),
        ([*SWEEP, "--vary", "hidden=1,2", "--vary", "hidden=3"], "twice"),
        ([*SWEEP, "--replicates", "0"], "at least 1"),
        ([*SWEEP, "--workers", "-1"], "at least 0"),
        ([*SWEEP, "--scheduler", "tcp://127.0.0.1:9"], "one of them"),
        ([*SWEEP, "--hidden", "0"], "at least 1"),
        ([*SWEEP, "--output", "s.csv"], ".nc, .zarr"),
        (["figure", "sweep", "absent.nc"], "cannot be read"),
        (["figure", "sweep", "sweep.txt"], "must end in"),
    ],
)
def test_bad_input_exits_2_with_one_line(quadflow, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    result = quadflow(*arguments)
    assert result.status == 2
    assert result.out == ""
    assert words in result.err
    assert len(result.err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def escape(tmp_path_factory):
    """Times to leave the plateau at ∅ from aligned starts, where every a and p is ε."""
    from quadflow.cli import run

    path = tmp_path_factory.mktemp("sweep") / "escape.nc"
    arguments = ["--teacher", "1", "--init", "aligned", "--vary", "init-scale=1e-3:1e-1:3:log"]
    arguments += [
        "--vary",
        "second-layer-value=1,2",
        "--times",
        ",".join(map(str, np.geomspace(0.1, 1000, 400))),
    ]
    assert run(["sweep", "simulate", "diagnose", *arguments, "--workers", "0", "--output", str(path)]) == 0
    return path


def test_figures_from_the_file(quadflow, tmp_path, escape):
    for i, arguments in enumerate(
        (
            [],
            ["--value", "simulate_final_loss", "--y", "init-scale", "--x", "second-layer-value"],
            ["--value", "simulate_time_to_loss", "--below", "0.5", "--curves", "second-layer-value", "--fit"],
            ["--select", "second-layer-value=2", "--value", "simulate_success", "--below", "0.1"],
        )
    ):
        path = tmp_path / f"{i}.png"
        result = quadflow("figure", "sweep", escape, *arguments, "--output", path)
        assert result.err == ""
        assert path.stat().st_size > 5000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--value", "loss"], "simulate_final_loss"),
        (["--value", "simulate_time_to_loss"], "give `below`"),
        (["--x", "hidden"], "init_scale, second_layer_value"),
        (["--select", "hidden=2"], "was not varied"),
        (["--select", "second-layer-value=3"], "the sweep has: 1.0, 2.0"),
        (["--select", "hidden"], "NAME=VALUE"),
        (["--fit"], "varied too"),
        (["--y", "init-scale", "--fit"], "one of them"),
        (["--y", "init-scale", "--curves", "hidden"], "one of them"),
    ],
)
def test_figures_refuse_what_is_not_there(quadflow, tmp_path, escape, arguments, words):
    result = quadflow("figure", "sweep", escape, *arguments, "--output", tmp_path / "s.png")
    assert result.status == 2
    assert words in result.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--y", "init-scale"], "'init_scale' was varied alone"),
        (["--curves", "init-scale"], "'init_scale' was varied alone"),
        (["--y", "hidden"], "'hidden' was not varied"),
        (["--x", "init-scale", "--y", "init-scale"], "must be different"),
    ],
)
def test_a_single_axis_has_no_second_one(quadflow, tmp_path, arguments, words):
    sweep = ["sweep", "--teacher", "2,1", "--vary", "init-scale=0.1,0.2", "--t-end", "0.1", "--workers", "0"]
    assert quadflow(*sweep, "--output", tmp_path / "s.nc").status == 0
    result = quadflow("figure", "sweep", tmp_path / "s.nc", *arguments, "--output", tmp_path / "s.png")
    assert (result.status, result.out) == (2, "")
    assert words in result.err and result.err.count("\n") == 1


def test_a_configuration_names_several_axes(quadflow, tmp_path):
    config = tmp_path / "sweep.toml"
    config.write_text(
        'teacher = [2, 1]\nvary = ["init-scale=0.1,0.2", "hidden=1,2"]\n"t-end" = 0.5\nworkers = 0\n'
    )
    assert len(tomllib.loads(config.read_text())["vary"]) == 2
    result = quadflow("sweep", "simulate", "--config", config, "--output", tmp_path / "s.nc", "--json").json
    assert {"init_scale": 2, "hidden": 2}.items() <= result["dimensions"].items()


@pytest.mark.parametrize("suffix", ["zarr", "nc"])
def test_resuming_a_finished_sweep_reads_its_answer_from_the_file(quadflow, tmp_path, suffix):
    """Same counts and failures as when it ran: one of two runs fails, as one input is too few for the teacher."""
    arguments = ["sweep", "simulate", "--teacher", "2,1", "--hidden", "2", "--t-end", "0.1", "--records", "3"]
    arguments += ["--vary", "inputs=1,2", "--workers", "0", "--output", tmp_path / f"s.{suffix}", "--json"]
    first = quadflow(*arguments).json
    again = quadflow(*arguments, "--resume").json
    for key in ("runs", "done", "failed", "failures", "dimensions"):
        assert again[key] == first[key]
    assert (first["done"], first["failed"]) == (1, 1)


@pytest.mark.parametrize("suffix", ["zarr", "nc"])
def test_report_of_a_sweep(quadflow, tmp_path, suffix):
    """Beside the sweep, and from its file: a row per grid point with the median final loss that the file has."""
    output = tmp_path / f"s.{suffix}"
    arguments = ["simulate", *GRID, "--t-end", "0.2", "--records", "5", "--workers", "0", "--output", output]
    assert quadflow("sweep", *arguments, "--report", tmp_path / "a.html").status == 0
    assert quadflow("report", output, "--output", tmp_path / "b.html").status == 0
    final = read_dataset(output).simulate_final_loss.median("replicate").values.ravel()
    for name in ("a.html", "b.html"):
        page = (tmp_path / name).read_text()
        assert "Median learning curves" in page
        for loss in final:
            assert f"{loss:.6g}" in page


def test_a_sweep_of_the_theory_is_what_is_meant_if_no_kind_is_named(quadflow, tmp_path):
    arguments = ["--teacher", "2,1", "--hidden", "2", "--t-end", "0.2", "--records", "4"]
    vary = ["--vary", "init-scale=0.1,0.2", "--workers", "0", "--output", tmp_path / "s.nc"]
    assert quadflow("sweep", *arguments, *vary).status == 0
    data = read_dataset(tmp_path / "s.nc")
    for scale in (0.1, 0.2):
        run = data.sel(init_scale=scale, replicate=0)
        single = quadflow(
            "simulate", *arguments, "--init-scale", scale, "--seed", int(run.run_seed), "--json"
        ).json
        np.testing.assert_allclose(run.simulate_loss, single["loss"], rtol=1e-8)


def test_a_missing_file_is_named(quadflow, tmp_path):
    result = quadflow("figure", "sweep", tmp_path / "none.nc")
    assert result.status == 2
    assert "no such file" in result.err


@pytest.mark.parametrize("end", [0.0, -1.0])
def test_training_ends_after_its_start(end):
    """In one sentence of its own: a negative time is not rounded up to one step."""
    options = {"t_end": end, "times": None, "steps": None, "step": 1e-2, "optimizer": "sgd", "momentum": None}
    with pytest.raises(ProblemError, match=r"`t_end` is .* must be positive"):
        next(_train(options))


def test_what_a_run_gives_does_not_depend_on_the_runs_of_its_task(quadflow, tmp_path, monkeypatch):
    """One by one and together: the same file, bit for bit; networks trained as one tensor are the same to rounding.

    Twenty flows of two sizes are two launches, in tasks of ten. (Conserved quantities drift by differences of numbers
    near 1 in single precision, whose roundings are 1e-7.)
    """
    from dynamics.flows import in_bulk

    sizes, own = [], in_bulk.integrate_in_bulk

    def launch(field, theta0, *args, **kwargs):
        sizes.append(len(theta0))
        return own(field, theta0, *args, **kwargs)

    monkeypatch.setattr(in_bulk, "integrate_in_bulk", launch)
    monkeypatch.setattr("empirical.sweep.chunks.SHARES", 2)
    grid = ["--teacher", "2,1", "--vary", "init-scale=0.2,0.4", "--vary", "hidden=1,3", "--replicates", "5"]
    kinds = ["simulate", "diagnose", "train", "--t-end", "0.2", "--batch", "8", "--step", "1e-2"]
    arguments = ["sweep", *kinds, *grid, "--records", "5", "--workers", "0", "--output"]
    assert quadflow(*arguments, tmp_path / "together.nc").status == 0
    assert sizes[:2] == [10, 10]
    assert max(sizes[2:]) > 1  # those of the diagnoses that have to be followed
    monkeypatch.setattr("quadflow.sweeps.run.TOGETHER", {})
    assert quadflow(*arguments, tmp_path / "alone.nc").status == 0
    together, alone = (read_dataset(tmp_path / f"{name}.nc") for name in ("together", "alone"))
    for name in alone.variables:
        if str(name).startswith("train") and alone[name].dtype.kind == "f":
            np.testing.assert_allclose(together[name], alone[name], rtol=1e-5, atol=1e-6, err_msg=str(name))
        else:
            xarray.testing.assert_identical(together[name], alone[name])
