"""`quadflow escape`: the keys of the contract, the numbers of the functions behind it, what it refuses."""

import json

import numpy as np
import pytest
from scipy.stats import kstest

from dynamics import Problem, Student, Teacher
from dynamics.escape.prediction import escape_time
from empirical.escape import TrainedEscape, train_escape
from quadflow.commands.escape import DATA, LEARNED, NETWORK, command, with_training
from quadflow.gallery.escape import split_names

UNIT = ["--teacher", "1", "--inputs", "30", "--activation", "hermite:2"]


def unit(a=1.0, **more):
    return Problem(
        Teacher.from_eigenvalues([1.0], 30),
        Student(np.ones((1, 30)), [a], trainable=False),
        "hermite:2",
        **more,
    )


def test_numbers_of_the_theory(quadflow, tmp_path):
    """The same object in a file; flow time of He₂ by its closed form ¼ ln[m²(1 − m₀²)/((1 − m²)m₀²)]."""
    result = quadflow(
        "escape", *UNIT, "--hidden", "1", "--step", "0.001", "--json", "--output", tmp_path / "e.json"
    ).json
    expected = json.loads(json.dumps(escape_time(unit(), step=0.001).as_dict()))
    assert {name: result[name] for name in expected} == expected
    assert result["information_exponent"] == 2
    assert result["overlap_at_start"] == pytest.approx(30**-0.5)
    assert result["flow_time"] == pytest.approx(np.log(0.25 * (1 - 1 / 30) / (0.75 / 30)) / 4, rel=1e-12)
    assert result["sgd_time"] == pytest.approx(result["flow_time"] / (1 - 0.09), rel=1e-9)
    assert result["trained"] is None
    assert result["problem"]["second_layer"] == "fixed"
    assert json.loads((tmp_path / "e.json").read_text())["starts"] == result["starts"]
    assert (
        quadflow("escape", *UNIT, "--step", "0.001").out.strip() == escape_time(unit(), step=0.001).summary()
    )


def test_a_weight_and_another_teacher(quadflow):
    """a = 0.5 halves α; tanh sees h₃ at order 3 alone."""
    half = quadflow("escape", *UNIT, "--second-layer-value", "0.5", "--json").json
    assert half["strength"] == pytest.approx(0.5, rel=1e-12)
    mixed = quadflow(
        "escape", *UNIT[:4], "--activation", "tanh", "--teacher-activation", "hermite:3", "--json"
    ).json
    assert mixed["information_exponent"] == 3 and mixed["flow_time"] is None
    assert any("α_kβ_k is negative" in warning for warning in mixed["warnings"])
    assert mixed["problem"]["teacher_activation"] == "hermite:3"


def test_networks_beside_it(quadflow):
    """Those of `train_escape` with the patience of the theory; in text a line."""
    options = ["--step", "0.002", "--seeds", "3", "--seed", "4"]
    result = quadflow("escape", *UNIT, *options, "--json").json
    theory = escape_time(unit(), step=0.002)
    run = train_escape(unit(), step=0.002, t_end=theory.patience, seeds=3, seed=4)
    p = kstest(run.times, theory.exit_law.distribution).pvalue
    assert result["trained"] == run.as_dict() | {"kolmogorov_smirnov": pytest.approx(p, rel=1e-12)}
    mean, std, S = run.times.mean(), run.times.std(ddof=1), 3
    assert result["trained"]["mean"] == pytest.approx(mean) and result["trained"]["std"] == pytest.approx(std)
    assert result["trained"]["mean_error"] == pytest.approx(std / S**0.5)
    lines = quadflow("escape", *UNIT, *options).out.strip().splitlines()
    assert "\n".join(lines[:-2]) == f"{theory.summary()}\n{run.summary()}"
    assert lines[-2].startswith(f"mean {mean:.4g} ± {std / S**0.5:.2g}, standard deviation {std:.4g} ± ")
    assert lines[-1] == f"Kolmogorov–Smirnov test of the law: p = {p:.2g}"


def test_the_sphere_is_where_it_always_is(quadflow):
    """The option is accepted and changes nothing; none is refused in one sentence."""
    plain, said = (
        quadflow("escape", *UNIT, *more, "--json").json for more in ([], ["--constraint", "sphere"])
    )
    names = set(plain) - {"command", "versions"}
    assert {name: plain[name] for name in names} == {name: said[name] for name in names}
    assert plain["problem"]["constraint"] == "sphere"
    refused = quadflow("escape", *UNIT, "--constraint", "none")
    assert refused.status == 2 and refused.err.count("\n") == 1
    assert (
        "`--constraint` is none, but the escape time is known only for a unit on the sphere." in refused.err
    )


def test_the_law_of_the_exit_time(quadflow):
    """Mean, deviation π/(2√2μ) and threshold ηd = 2/(12 + Δ) of one quadratic unit, in closed form."""
    given = ["--step", "0.00025", "--label-noise", "0.5", "--overlap", "0.7071067811865476"]
    result = quadflow("escape", "--teacher", "1", "--inputs", "200", *given, "--json").json
    law, mu = result["exit_law"], 4 - 24 * 0.05 - 2 * 0.05 * 0.5
    assert law["growth"] == pytest.approx(mu) and law["std"] == pytest.approx(np.pi / 8**0.5 / mu)
    assert result["threshold_step"] == pytest.approx(2 / 12.5 / 200)
    without = quadflow("escape", "--teacher", "1", "--inputs", "200", "--json").json
    assert without["exit_law"] is None and without["threshold_step"] == pytest.approx(2 / 12 / 200)


def test_unfinished_networks_are_said():
    run = TrainedEscape(30, np.array([1.0, np.inf]), 0.1, 1, 2.0, "fused")
    prediction = escape_time(unit(), step=0.002)
    result = with_training(prediction, run)
    assert result["trained"]["times"] == [1, None] and result["trained"]["mean"] is None
    assert result["trained"]["std"] is result["trained"]["std_error"] is None
    assert result["warnings"] == [
        "1 of 2 networks had not reached the overlap at time 2: their times are null, and count as infinite in the "
        "quartiles",
    ]
    there = with_training(prediction, TrainedEscape(30, np.ones(2), 0.1, 1, 2.0, "fused"))
    assert there["warnings"] == [] and there["trained"]["std"] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--hidden", "2"], "`hidden` is 2, but the escape time is known only for one hidden unit."),
        (["--outputs", "2"], "`outputs` is 2, but the escape time is known only for one output."),
        (["--second-layer", "trainable"], "`--second-layer` is trainable, but the escape time is known only for"),
        (["--teacher", "2,1"], "`teacher` has 2 directions"),
        (["--inputs", "1"], "`inputs` is 1"),
        (["--overlap", "2"], "`overlap` is 2, but an overlap must lie strictly between"),
        (["--weight-decay", "0.1"], "`weight_decay` is"),
    ],
)  # fmt: skip
def test_what_is_refused(quadflow, options, message):
    result = quadflow("escape", *UNIT, *options)
    assert (result.status, result.out) == (2, "")
    assert message in result.err and result.err.count("\n") == 1


def test_options_without_effect_are_said(quadflow):
    err = quadflow("escape", *UNIT, "--seeds", "3", "--batch", "2", "--t-end", "4").err
    assert "`--batch` and `--seeds` have no effect without `--step`" in err
    assert "`--t-end` has no effect unless networks are trained" in err


def test_names_with_commas():
    """A number belongs to the polynomial before it."""
    assert split_names("relu, polynomial:0,1,-0.5,hermite:2") == ["relu", "polynomial:0,1,-0.5", "hermite:2"]
    assert split_names("tanh") == ["tanh"]
    assert split_names("1,tanh") == ["1", "tanh"]


def test_sizes_of_the_figure_are_whole_numbers(quadflow):
    for text, shown in (("1.5", "1.5"), ("inf", "inf"), ("nan", "nan")):
        result = quadflow("figure", "escape-times", "--activations", "relu", "--largest", text)
        assert result.status == 2
        assert f"`--largest` names {shown}, but must name whole numbers" in result.err


def test_help_lists_what_may_be_given(quadflow):
    """Options of which every value but the default is refused are not listed, and still refused with the reason."""
    text = quadflow("escape", "--help").out
    always = (
        "--data",
        "--classes",
        "--outputs",
        "--flip",
        "--loss",
        "--covariance",
        "--hidden",
        "--constraint",
    )
    assert not [name for name in always if f"  {name} " in text]
    assert all(f"  {name} " in text for name in ("--teacher", "--inputs", "--activation", "--overlap"))
    known = {parameter.name for parameter in command.params}
    assert known.issuperset([*DATA, *LEARNED, *NETWORK])
    refused = quadflow("escape", *UNIT, "--outputs", "2")
    assert refused.status == 2 and "`outputs` is 2" in refused.err
