"""Given options beat the defaults of a figure as a whole: what they replace falls away, the rest stays."""

import click
import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.errors import ProblemError
from dynamics.flows.learning_time import learning_time
from empirical.experiments.learning_span import BEYOND, MOST
from quadflow.cli import run
from quadflow.commands import figure
from quadflow.gallery.curves import LEARNING_CURVES
from quadflow.gallery.practice import REGIMES
from quadflow.options import ProblemOptions, pick
from quadflow.options.reading import build_problem


@pytest.fixture
def parsed():
    """Options that a figure would draw with, found without drawing."""

    def parse(name, *arguments):
        command = figure.command.commands[name]
        return command.make_context(name, [str(a) for a in arguments]).params

    return parse


def test_defaults_without_anything_given(parsed):
    assert parsed("learning-curves").items() >= LEARNING_CURVES.items()
    assert parsed("gap-noise").items() >= REGIMES["gap-noise"].items()


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("learning-curves", ["--init-file", "w.npz"],
         {"hidden": None, "inputs": None, "init_scale": 0.1, "seed": 3, "teacher": "4,2,1", "t_end": 7.0}),
        ("learning-curves", ["--init-file", "w.npz", "--hidden", "5"], {"hidden": 5, "inputs": None}),
        ("learning-curves", ["--hidden", "5"], {"hidden": 5, "inputs": 6, "init_scale": 0.05}),
        ("learning-curves", ["--steps", "10"], {"steps": 10, "t_end": None, "seeds": 8}),
        ("learning-curves", ["--times", "0,1"], {"steps": None, "t_end": None}),
        ("learning-curves", ["--teacher", "1,1,1,1,1,1,1"], {"inputs": None, "hidden": 8}),
        ("learning-curves", ["--teacher", "3,1,-2"], {"inputs": 6, "hidden": 8}),
        ("learning-curves", ["--teacher", "M.npy"], {"inputs": None}),
        ("learning-curves", ["--teacher", "M.npy", "--inputs", "9"], {"inputs": 9}),
        ("gap-step", ["--t-end", "3"], {"steps": None, "t_end": 3.0, "batch": 8192}),
        ("gap-noise", ["--init-file", "w.npz"], {"second_layer": "trainable", "init": "gaussian", "batch": 4}),
        ("fluctuations", ["--correction", "modified"], {"sgd": False, "gap": "training"}),
        ("saddle-graph", ["--init-file", "w.npz"], {"hidden": None, "init_scale": 0.1, "teacher": "4,2,1"}),
        ("drift", ["--init-file", "w.npz"], {"hidden": None, "inputs": None}),
        ("activations", ["--init-file", "w.npz"], {"hidden": None, "inputs": None, "seed": 6}),
        ("classification", ["--data", "iris"], {"teacher": None, "inputs": None, "t_end": None, "hidden": 6}),
        ("classification", ["--data", "iris"], {"bias": "0", "loss": "logistic", "seeds": 8}),
        ("classification", ["--loss", "square"], {"bias": "0", "teacher": "2,-1,0.5"}),
        ("classification", ["--loss", "logistic"], {"bias": "0.4"}),  # that of the figure, as if it were left out
        ("classification", ["--teacher", "1,1,1,1"], {"inputs": None, "bias": "0.4", "loss": "logistic"}),
        ("neuron", ["--teacher", "1,1,1,1,1"], {"inputs": None, "hidden": 4}),
    ],
)  # fmt: skip
def test_what_falls_away(parsed, name, arguments, expected):
    assert parsed(name, *arguments).items() >= expected.items()


def test_a_configuration_counts_as_given(parsed, tmp_path):
    """Also where it repeats the default: 8 hidden units and a file of 4 are then a contradiction, not a choice."""
    file = tmp_path / "figure.toml"
    file.write_text('init-file = "w.npz"\nhidden = 8\nsteps = 20\n')
    options = parsed("learning-curves", "--config", file)
    assert (
        options.items()
        >= {"hidden": 8, "inputs": None, "steps": 20, "t_end": None, "init_file": "w.npz"}.items()
    )


def test_help_shows_the_defaults_of_the_figure(capsys):
    assert run(["figure", "learning-curves", "--help"]) == 0
    assert "0.05" in capsys.readouterr().out


def test_errors_are_those_of_the_real_call(parsed):
    """The trial is silent; what is wrong is said once."""
    with pytest.raises(click.UsageError, match="No such option"):
        parsed("learning-curves", "--no-such")
    with pytest.raises(click.BadParameter, match="valid integer"):
        parsed("learning-curves", "--hidden", "x")


@pytest.mark.parametrize("name", ["learning-curves", "gap-noise", "conserved", "train-test", "staircase"])
def test_figures_start_from_weights_of_ones_own(parsed, name, tmp_path):
    """Three units and five inputs, which no figure has by default: the problem that is drawn is built from the file."""
    W, a = np.arange(15.0).reshape(3, 5) / 10, np.ones(3)
    np.savez(tmp_path / "start.npz", W=W, a=a)
    problem = build_problem(pick(ProblemOptions, parsed(name, "--init-file", tmp_path / "start.npz")))
    np.testing.assert_array_equal(problem.student.W, W)
    assert problem.student.trainable and problem.inputs == 5


@pytest.mark.parametrize(
    ("name", "shown", "hidden"),
    [
        ("learning-curves", "[default: 8]", "as many as inputs"),
        ("saddle-graph", "[default: 3]", "as many as inputs"),
        ("spectrum", "[default: 4.0]", "until the flow ends"),
    ],
)
def test_defaults_in_words_give_way_to_those_of_the_figure(capsys, name, shown, hidden):
    assert run(["figure", name, "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert shown in text
    assert hidden not in text
    assert run(["simulate", "--help"]) == 0
    assert "Hidden units [default: as many as inputs]." in " ".join(capsys.readouterr().out.split())


@pytest.fixture
def trained(monkeypatch):
    """Length of training and step with which learning curves would be drawn; nothing is trained."""

    def of(*arguments):
        kept = []

        def keep(options):
            kept.append((options.comparison.t_end, options.training.steps, options.training.step))
            raise ProblemError("stopped")

        monkeypatch.setattr("quadflow.options.run_comparison", keep)
        assert run(["figure", "learning-curves", *arguments]) == 2
        return kept[0]

    return of


def test_another_teacher_is_trained_until_it_is_learned(trained, capsys):
    """By the flow's own time, 1.3 times that of 99 % of its fall; what is said is kept, and so is the demonstration."""
    mine = ["--teacher", "2,0.5", "--inputs", "2", "--hidden", "3", "--init-scale", "0.1", "--seed", "1"]
    start = Problem(Teacher.from_eigenvalues([2, 0.5]), Student.initialise(3, 2, scale=0.1, seed=1))
    t_end = BEYOND * learning_time(GradientFlow(start))
    found = trained(*mine)
    assert found == (pytest.approx(t_end), None, 5e-4)
    assert f"trained up to t = {t_end:.4g} with step 0.0005" in capsys.readouterr().out
    assert trained(*mine, "--step", "1e-3") == (pytest.approx(t_end), None, 1e-3)
    assert trained(*mine, "--t-end", "3") == (3.0, None, 5e-4)
    assert trained(*mine, "--steps", "9") == (None, 9, 5e-4)
    assert trained() == (7.0, None, 5e-4)
    assert trained("--init-scale", "0.1") == (7.0, None, 5e-4)


def test_of_a_slow_teacher_the_steps_are_not_too_many(trained):
    """A hundredth of the eigenvalues: a hundred times as long, with a longer step."""
    t_end, _, step = trained(
        "--teacher", "0.04,0.02", "--inputs", "2", "--hidden", "2", "--init-scale", "0.01"
    )
    assert step == pytest.approx(t_end / MOST)
    assert step > 5e-4


def test_a_teacher_of_zero_keeps_the_length_of_the_demonstration(trained):
    """Weights fade algebraically: nearly everything would be learned after t = 20,000 or so."""
    assert trained("--teacher", "0", "--inputs", "3") == (7.0, None, 5e-4)
