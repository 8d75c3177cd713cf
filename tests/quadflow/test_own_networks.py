"""`--network` on the command line: a call each derives, simulates, trains, compares and searches the example."""

import numpy as np
import pytest
import sympy

from dynamics.networks import NetworkFlow, NetworkProblem, NetworkTrajectory, derive_network, read_network
from empirical.polynomial import NetworkRun

NETWORK = (
    "q*x_1*(k_0*v_0*x_0**2 + k_1*v_1*x_1**2)"  # attention on two tokens of one dimension, the second one asks
)
TARGET = "x_0**2*x_1 + x_1**3/2"
OWN = ("--network", NETWORK, "--target", TARGET)
START = ("--init-scale", "0.3", "--seed", "1")
PROBLEM = NetworkProblem(NETWORK, TARGET, init_scale=0.3, seed=1)


def test_it_is_derived(quadflow, tmp_path):
    """The numbers of the printed program are those of the grid."""
    text = quadflow("derive", *OWN).out
    assert "dq/dt = 3*(k_0*v_0*(D_0_3 + D_2_1) + k_1*v_1*(5*D_0_3 + D_2_1))" in text
    path = tmp_path / "flow.py"
    quadflow("derive", *OWN, "--output", path)
    space = {}
    exec(path.read_text(), space)  # what our own exporter wrote
    slopes = PROBLEM.population.gradient(PROBLEM.theta0)
    assert space["rhs"](0.0, PROBLEM.theta0) == pytest.approx(-slopes, rel=1e-12)
    data = quadflow("derive", *OWN, "--json").json
    assert data["residual"] == {"D_2_1": "-k_0*q*v_0 + 1", "D_0_3": "-k_1*q*v_1 + 1/2"}
    latex = quadflow("derive", *OWN, "--format", "latex", "--json").json
    assert latex["latex"].startswith(r"\begin{align*}") and latex["loss"] == data["loss"]
    free = quadflow("derive", "--network", "a*x_0").out
    assert "m_1" in free and free == derive_network(read_network("a*x_0")).text() + "\n"


def test_it_is_simulated(quadflow, tmp_path):
    """The curve of `NetworkFlow`, its laws and problem, in JSON and in every file."""
    calls = ("simulate", *OWN, *START, "--t-end", "1", "--records", "5")
    data = quadflow(*calls, "--json").json
    curve = NetworkFlow(PROBLEM).integrate(1.0, samples=5)
    assert data["times"] == curve.times.tolist()
    assert data["loss"] == pytest.approx(curve.loss, rel=1e-12)
    laws = {law["law"]: law for law in data["conserved_laws"]}
    assert set(laws) == {"k_0**2 - v_0**2", "k_1**2 - v_1**2", "q**2 - v_0**2 - v_1**2"}
    theta = dict(zip(("k_0", "k_1", "q", "v_0", "v_1"), PROBLEM.theta0, strict=True))
    law = laws["k_0**2 - v_0**2"]
    assert law["start"] == [pytest.approx(theta["k_0"] ** 2 - theta["v_0"] ** 2)]
    assert law["end"] == [pytest.approx(law["start"][0], abs=1e-9)] and 0 <= law["drift"] < 1e-9
    assert data["conserved_drift"] == max(law["drift"] for law in laws.values())
    assert data["problem"]["nodes"] == 8 and data["problem"]["degree"] == data["problem"]["order"] == 3
    assert data["problem"]["parameters"] == {name: [] for name in theta}
    assert data["warnings"] == [] and data["loss_error"] is None and data["objective"] is None
    for suffix in ("npz", "json", "csv", "svg"):
        assert quadflow(*calls, "--output", tmp_path / f"x.{suffix}").status == 0
    again = NetworkTrajectory.load(tmp_path / "x.npz")
    assert again.loss == pytest.approx(curve.loss, rel=1e-12)
    rows = (tmp_path / "x.csv").read_text().split()
    assert rows[0] == "time,loss" and [float(v) for v in rows[-1].split(",")] == [
        again.times[-1],
        again.loss[-1],
    ]
    text = quadflow(*calls).out
    assert "2 inputs, 1 output, 5 parameters" in text and "3 laws" in text and "8 nodes" in text


def test_over_draws_it_says_how_sure_it_is(quadflow):
    """Loss and its error bar, beside the exact value of the grid; 6 error bars are far beyond chance."""
    calls = ("simulate", *OWN, *START, "--t-end", "0.1", "--records", "2", "--json")
    exact, drawn = quadflow(*calls).json, quadflow(*calls, "--expectation", "samples:16384").json
    assert abs(drawn["loss"][0] - exact["loss"][0]) < 6 * drawn["loss_error"][0]
    assert 0 < drawn["loss_error"][0] < 0.3 * exact["loss"][0]
    assert "error bar" in drawn["warnings"][0] and drawn["problem"]["expectation"] == "samples:16384"


def test_a_finite_step(quadflow):
    """The modified flow: nearer to the descent, which its warning says keeps no law."""
    calls = ("simulate", *OWN, *START, "--t-end", "0.4", "--records", "2", "--json")
    theta, eta = PROBLEM.theta0, 0.02
    for _ in range(20):
        theta = theta - eta * PROBLEM.population.gradient(theta)
    end = PROBLEM.population.loss(theta)
    plain = quadflow(*calls).json
    modified = quadflow(*calls, "--correction", "modified", "--step", str(eta)).json
    assert abs(modified["loss"][-1] - end) < 0.2 * abs(plain["loss"][-1] - end)
    assert any("finite step" in warning for warning in modified["warnings"])
    assert modified["conserved_drift"] > 1e3 * plain["conserved_drift"]


def test_it_is_trained(quadflow, tmp_path):
    data = quadflow(
        "train", *OWN, *START, "--steps", "20", "--step", "1e-3", "--seeds", "2", "--records", "3", "--json",
        "--output", tmp_path / "run.npz",
    ).json  # fmt: skip
    run = NetworkRun.load(tmp_path / "run.npz")
    assert np.shape(data["loss"]) == (2, 3) and data["steps"] == [0, 10, 20]
    assert data["loss"][0] == run.loss[0].tolist()
    assert data["times"][-1] == pytest.approx(0.02) and data["problem"]["network"] == NETWORK
    assert data["loss"][0][0] == pytest.approx(
        PROBLEM.population.loss(PROBLEM.theta0), rel=1e-5
    )  # single precision


def test_it_is_compared(quadflow, tmp_path):
    """Networks on the flow within three error bars and the effect of the step, and the gap in the keys of others."""
    data = quadflow(
        "compare", *OWN, *START, "--t-end", "0.4", "--step", "1e-3", "--batch", "512", "--seeds", "8", "--records",
        "9", "--json", "--output", tmp_path / "c.svg",
    ).json  # fmt: skip
    gap = data["gap"]
    curves = {name: np.array(curve) for name, curve in gap["curves"].items()}
    bar = 3 * curves["error_bar"] / 2 + 2 * np.abs(curves["discretised"] - curves["flow"])
    assert (np.abs(curves["measured"] - curves["flow"]) <= bar + 1e-6).all()
    assert data["relative_error"]["loss_sup"] < 0.05
    assert {"discretisation", "finite_data", "sampling_noise", "remainder", "error_bar"} <= set(gap)
    assert data["theory"]["problem"] == data["training"]["problem"]
    assert (tmp_path / "c.svg").stat().st_size > 1000


def test_its_stationary_points_are_found(quadflow, tmp_path):
    path = tmp_path / "points.json"
    data = quadflow("fixed-points", *OWN, "--search", "12", "--seed", "3", "--output", path, "--json").json
    losses = [point["loss"] for point in data["fixed_points"]]
    # q k_0 v_0 = c_0, q k_1 v_1 = c_1 with quadratic form [3, 3; 3, 15]/2 of the residuals: each may be unlearned
    assert losses[0] == pytest.approx(0, abs=1e-12) and losses == sorted(losses)
    assert data["fixed_points"][0]["index"] == 0 and data["fixed_points"][0]["nullity"] == 3
    assert data["fixed_points"][0]["symmetries"] == 3
    assert path.read_text().count("symmetries") == data["count"]
    refused = quadflow("fixed-points", *OWN)
    assert refused.status == 2 and "--search N" in refused.err


def test_conserved_takes_the_same_networks(quadflow):
    """The count is exact for families too; the laws are those between layers."""
    data = quadflow("conserved", "--network", "deep-quadratic:2,2,1,1", "--json").json
    assert data["exact"] and data["count"] == 3
    assert "W_2_0_0**2 + W_2_0_1**2 - 2*W_3_0_0**2" in data["laws"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("simulate", *OWN, "--activation", "relu"), "--activation"),
        (("simulate", *OWN, "--sgd", "--step", "0.1"), "--sgd"),
        (("simulate", *OWN, "--hessian"), "--hessian"),
        (("simulate", *OWN, "--step", "0.1"), "--correction modified"),
        (("simulate", *OWN, "--correction", "modified"), "--step"),
        (("simulate", *OWN, "--optimizer", "adam"), "two-layer"),
        (("simulate", "--network", NETWORK), "--target"),
        (("simulate", *OWN, "--weight-decay", "0.1,0.2"), "one rate"),
        (("simulate", *OWN, "--inputs", "1"), "x_1"),
        (
            ("simulate", "--network", "deep-linear:2,1", "--target", "x_0", "--inputs", "3"),
            "`--inputs` is 3, but",
        ),
        (
            ("derive", "--network", "deep-linear:2,1", "--target", "x_0", "--inputs", "3"),
            "`--inputs` is 3, but",
        ),
        (("conserved", "--network", "deep-linear:2,1", "--inputs", "3"), "`--inputs` is 3, but"),
        (("derive", "--network", "deep-linear:2,1", "--target", "x_2"), "names the input x_2"),
        (("derive", *OWN, "--inputs", "0"), "`--inputs` is 0"),
        (("simulate", *OWN, "--expectation", "samples:1000000000000"), "a whole number of at most 4194304"),
        (("simulate", "--teacher", "1", "--expectation", "samples:64"), "--network"),
        (("train", *OWN), "--steps"),
        (("train", *OWN, "--steps", "2", "--gradients", "fused"), "--gradients"),
        (("train", *OWN, "--steps", "2", "--optimizer", "gsgd"), "two-layer"),
        (("compare", *OWN, "--steps", "2", "--gap", "training"), "--gap"),
        (("derive", *OWN, "--aligned"), "--aligned"),
        (("derive", *OWN, "--format", "tensor"), "tensor"),
        (("derive", *OWN, "--output", "x.tex", "--format", "python"), "py"),
        (("fixed-points", *OWN, "--search", "3", "--certify"), "--certify"),
        (("simulate", "--network", "deep-quadratic:30,20,2,1", "--target", "teacher:1"), "samples:N"),
    ],
)
def test_what_it_cannot_do_is_refused_in_one_sentence(quadflow, arguments, word):
    result = quadflow(*arguments)
    assert result.status == 2 and word in result.err and result.err.count("\n") == 1


def test_a_target_beyond_the_inputs_of_an_expression_widens_it_everywhere(quadflow):
    """As in `simulate`; L at the residual x_2² − a x_0² has a as its only parameter: ȧ = −(3a − 1)."""
    network = ("--network", "a*x_0**2", "--target", "x_2**2")
    data = quadflow("derive", *network, "--format", "json").json
    a, loss = sympy.Symbol("a"), sympy.sympify(data["loss"])
    coefficients = {name: sympy.sympify(text) for name, text in data["residual"].items()}
    assert sympy.expand(loss.subs(coefficients) - (3 * a**2 - 2 * a + 3) / 2) == 0
    assert quadflow("simulate", *network, "--t-end", "0.1", "--json").json["problem"]["inputs"] == 3


def test_what_conserved_does_not_ask_of_a_network_it_says(quadflow):
    result = quadflow("conserved", "--network", "a*(w*x_0)**2", "--hidden", "5", "--inputs", "2")
    assert result.status == 0 and "`--hidden` has no effect beside `--network`" in result.err + result.out


def test_a_start_from_a_file(quadflow, tmp_path):
    """Arrays by their names; covariance from a file."""
    np.savez(tmp_path / "start.npz", W_1=np.array([[0.5, 0.2]]), W_2=np.array([[0.7]]))
    np.save(tmp_path / "sigma.npy", np.diag([2.0, 1.0]))
    data = quadflow(
        "simulate", "--network", "deep-linear:2,1,1", "--target", "x_0", "--init-file", tmp_path / "start.npz",
        "--covariance", tmp_path / "sigma.npy", "--t-end", "0.1", "--records", "2", "--json",
    ).json  # fmt: skip
    assert data["loss"][0] == pytest.approx(0.5 * (2 * (1 - 0.35) ** 2 + 0.14**2))
    assert data["problem"]["covariance"] == "given"


def test_reports_show_them(quadflow, tmp_path):
    """Every result becomes a page, alone and with --report; the page holds network, laws and stationary points."""
    pytest.importorskip("plotly")
    short = ("--steps", "3", "--seeds", "2", "--records", "3")
    calls = {
        "simulate": ("--t-end", "0.1", "--records", "4"),
        "train": short,
        "compare": short,
        "fixed-points": ("--search", "5"),
    }
    for verb, more in calls.items():
        data = quadflow(verb, *OWN, *more, "--json").out
        (tmp_path / f"{verb}.json").write_text(data)
        page = tmp_path / f"{verb}.html"
        assert quadflow("report", tmp_path / f"{verb}.json", "--output", page).status == 0
        assert "q*x_1*(k_0*v_0*x_0**2" in page.read_text()
    assert "q**2 - v_0**2 - v_1**2" in (tmp_path / "simulate.html").read_text()
    for verb in ("compare", "fixed-points"):
        page = tmp_path / f"own-{verb}.html"
        assert quadflow(verb, *OWN, *calls[verb], "--report", page).status == 0
        assert page.stat().st_size > 1e5


def test_scope_says_what_is_known(quadflow):
    """Every command of two-layer networks has a row; those that take `--network` are not "not known"."""
    rows = {row["command"]: row for row in quadflow("scope", *OWN, "--json").json["scope"]}
    plain = [row["command"] for row in quadflow("scope", "--teacher", "1", "--json").json["scope"]]
    assert [*rows] == plain
    taken = {
        "derive",
        "simulate",
        "simulate --correction modified",
        "fixed-points",
        "conserved",
        "train",
        "compare",
    }
    assert {name for name, row in rows.items() if row["status"] != "not known"} == taken
    assert "8 nodes" in rows["simulate"]["reason"]
    assert rows["staircase"]["reason"] == "known only for two-layer networks"
    drawn = quadflow("scope", *OWN, "--expectation", "samples:64").out
    assert "means over draws" in drawn
    large = quadflow("scope", "--network", "deep-linear:20,20,1", "--target", "x_0").out
    assert "at most 200 parameters" in large and "as matrices" in large


def test_a_sweep_is_many_calls(quadflow, tmp_path):
    """Every point of the grid is the call with its options: losses and drift of simulate, train and compare."""
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    path = tmp_path / "sweep.nc"
    shared = (
        "--network",
        "a*(w*x_0)**2",
        "--target",
        "x_0**2",
        "--records",
        "4",
        "--steps",
        "9",
        "--step",
        "0.01",
    )
    calls = (
        "simulate",
        "train",
        "compare",
        *shared,
        "--seeds",
        "2",
        "--vary",
        "init-scale=0.2,0.4",
        "--workers",
        "0",
    )
    done = quadflow("sweep", *calls, "--same-seeds", "--seed", "3", "--output", path, "--json").json
    assert (done["done"], done["failed"]) == (6, 0)
    with xarray.open_dataset(path) as sweep:
        assert sweep.sizes["init_scale"] == 2
        problem = NetworkProblem(
            "a*(w*x_0)**2", "x_0**2", init_scale=0.4, seed=int(sweep.run_seed.values[1, 0])
        )
        curve = NetworkFlow(problem).integrate(samples=4)
        assert sweep.simulate_final_loss[1, 0] == pytest.approx(curve.loss[-1], abs=1e-12)
        assert sweep.simulate_conserved_drift[1, 0] == pytest.approx(curve.conserved_drift, rel=1e-9)
        assert sweep.train_final_loss.dims[-1] == "network" and (sweep.train_final_loss > 0).all()
        assert sweep.compare_error_loss_sup.max() < 0.5


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("simulate", "--vary", "hidden=1,2"), "hidden"),
        (("diagnose",), "diagnose"),
        (("simulate", "--activation", "relu"), "--activation"),
        (("simulate", "--inputs", "0"), "input"),
    ],
)
def test_what_a_sweep_cannot_vary_is_refused(quadflow, tmp_path, arguments, word):
    result = quadflow("sweep", *arguments, *OWN, "--workers", "0", "--output", tmp_path / "x.nc")
    assert result.status == 2 and word in result.err and result.err.count("\n") == 1
