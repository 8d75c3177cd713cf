"""Every option of a figure reaches the function that computes, as in `test_wiring`; by default what shows its point."""

import click
import numpy as np
import pytest
from wiring import (
    ANYTHING,
    PARAMETERS,
    PARAMETRISED,
    SOLVED,
    SOLVER,
    START,
    TRAINED,
    TRAINING,
    UNTRAINED,
    Call,
    Close,
    Start,
)

from quadflow import options as opt
from quadflow.cli import cli
from quadflow.commands.init import find_command, names

ROOT = click.Context(cli, info_name="quadflow")
GAPS = ("gap-step", "gap-data", "gap-noise", "fluctuations")

# fmt: off
CALLS = [
    Call("figure phase-portrait --eigenvalue 2 --activation centred --start -1,1.6 --start 0.5,2 --extent 3",
         "dynamics.phase_plane:phase_plane", 2.0, [[-1, 1.6], [0.5, 2]], activation="centred", extent=3.0),
    Call("figure phase-portrait",
         "dynamics.phase_plane:phase_plane", 1.0,
         [[-1.0, 1.6], [-1.2, 1.0], [-0.5, 0.3], [0.1, -0.3], [-0.9, -1.4], [1.6, -1.8]],
         activation="quadratic", extent=2.0),
    Call("figure atlas --seed 5 --search 9",
         "dynamics.stationary.matching:search_catalogue", ANYTHING, 9, seed=5, progress=True),
    Call("figure atlas",
         "dynamics.stationary.matching:search_catalogue", ANYTHING, 400, seed=0),
    Call("figure atlas",
         "dynamics.stationary.catalogue:fixed_points", ANYTHING, 4, activation="quadratic"),
    Call(f"figure weight-decay {START} --weight-decay 0.3,0.2 --step 0.02 --batch 8 --t-end 0.1 --seeds 2 "
         "--value 0.7",
         "empirical.experiments.weight_decay:decayed_spectra", Start(), value=0.7, step=0.02, batch=8, t_end=0.1,
         seeds=2, seed=5, progress=True),
    Call("figure weight-decay",
         "empirical.experiments.weight_decay:decayed_spectra", ANYTHING, value=1.0, step=1e-2, batch=256,
         t_end=200.0, seeds=3, seed=1),
    Call(f"figure collapse {START} --weight-decay 1,2 --rates 0.1,0.4,3 --points 4 --step 0.02 --batch 8 "
         "--patience 0.5",
         "empirical.experiments.collapse:collapse_diagram", Start(), Close([0.1, 0.2, 0.4]), points=4, step=0.02,
         batch=8, patience=0.5, seed=5, progress=True),
    Call("figure collapse",
         "empirical.experiments.collapse:collapse_diagram", Start(3, 1.0, 1, 2), ANYTHING, points=10, step=5e-3,
         batch=64, patience=6.0, seed=1),
    Call(f"figure symmetric-plateau {START} --search 7 --step 0.02 --batch 8 --t-end 0.1 --seeds 2",
         "empirical.experiments.symmetric_plateau:symmetric_plateau",
         Start(activation="erf", second_layer="fixed"), starts=7, step=0.02,
         batch=8, t_end=0.1, seeds=2, seed=5, progress=True),
    Call("figure symmetric-plateau",
         "empirical.experiments.symmetric_plateau:symmetric_plateau",
         Start(3, 0.03, 1, 6, (1, 1, 1), activation="erf", second_layer="fixed"), starts=10, step=0.1, batch=1024,
         t_end=220.0, seeds=8, seed=1),
    Call(f"figure saddle-graph {START} --step 0.02 --batch 8 --t-end 0.1",
         "empirical.experiments.saddle_path:saddle_path", Start(), step=0.02, batch=8, t_end=0.1, seed=5,
         progress=True),
    Call("figure saddle-graph",
         "empirical.experiments.saddle_path:saddle_path", Start(3, 0.03, 1, eigenvalues=(4, 2, 1)), step=2e-3,
         batch=512, t_end=40.0, seed=1),
    Call(f"figure spectrum {START} --t-end 0.1 --points 7 --zero 0.02",
         "dynamics.curvature.saddles:saddle_spectrum", Start(activation="centred", second_layer="fixed"), t_end=0.1,
         points=7, zero=0.02, progress=True),
    Call("figure spectrum",
         "dynamics.curvature.saddles:saddle_spectrum",
         Start(3, 1e-3, 1, 5, (5, 2, 0.8), activation="centred", second_layer="fixed"), t_end=4.0, points=200,
         zero=5e-3),
    Call("figure gaussianity --components 3 --hidden 2 --teacher 2,1 --seed 5 --step 0.02 --batch 8 --t-end 0.1 "
         "--seeds 3",
         "empirical.experiments.gaussianity:gaussianity_curves", Start(), 0.1, step=0.02, batch=8, seeds=3, seed=5,
         progress=True),
    Call("figure gaussianity",
         "empirical.experiments.gaussianity:gaussianity_curves", Start(4, 0.3, 1, 8, (4, 2, 1)), 2.0,
         step=2.5e-4, batch=512, seeds=8, seed=1),
    Call("figure universality --teacher 2,1 --distribution uniform --dimensions 3,5 --hidden 2 --init-scale 0.3 "
         "--t-end 0.1 --draws 3 --seed 5",
         "dynamics.gaussian_theory.universality:universality", [2, 1], [3, 5], distribution="uniform", hidden=2,
         scale=0.3, t_end=0.1, draws=3, seed=5, progress=True),
    Call("figure universality",
         "dynamics.gaussian_theory.universality:universality", [4, 2, 1], [6, 12, 24, 48, 96],
         distribution="independent:3", hidden=6, scale=1.0, t_end=6.0, draws=6, seed=0),
    Call(f"figure staircase {START} --step 0.02 --batch 8 --seeds 3",
         "empirical.experiments.staircase:staircase_curves", Start(), step=0.02, batch=8, seeds=3, seed=5,
         progress=True),
    Call("figure staircase",
         "empirical.experiments.staircase:staircase_curves", Start(6, 0.01, 1, eigenvalues=(4, 2, 1)),
         step=2e-3, batch=512, seeds=6, seed=1),
    Call(f"figure activations {START} --activations abs,relu --step 0.02 --batch 8 --seeds 3 --t-end 0.1,3",
         "empirical.experiments.activations:activation_curves", [Start(activation="abs"), Start(activation="relu")],
         [0.1, 3.0], step=0.02, batch=8, seeds=3, seed=5, progress=True),
    Call("figure activations --activations relu,abs --t-end 3",
         "empirical.experiments.activations:activation_curves", ANYTHING, [3.0, 3.0]),
    Call("figure activations",
         "empirical.experiments.activations:activation_curves",
         [Start(8, 0.01, 6, 6, (4, 2, 1), activation=name) for name in ("quadratic", "relu", "abs")],
         [12.0, 15.0, 6.0], step=1e-3, batch=512, seeds=8, seed=6),
    Call(f"figure overlay {START} --activations polynomial:0,1,-0.5,tanh --step 0.02,0.1 --batch 8 --seeds 3 --t-end 2",
         "empirical.experiments.overlay:overlays",
         [Start(activation="polynomial:0,1,-0.5"), Start(activation="tanh")], [2.0, 2.0], steps=[0.02, 0.1], batch=8,
         seeds=3, seed=5, progress=True),
    Call("figure overlay",
         "empirical.experiments.overlay:overlays",
         [Start(4, 0.1, 1, 4, activation=name) for name in ("tanh", "erf", "gelu", "polynomial:0,1,0.3,0.1")],
         [30.0, 40.0, 30.0, 15.0], steps=[0.02, 0.02, 0.02, 0.005], batch=512, seeds=16, seed=1),
    Call("figure invariance --inputs 3 --hidden 4 --outputs 5 --layers 3 --activation abs --steps 6 "
         "--spread 1.5 --seed 8",
         "empirical.experiments.invariance:invariance", inputs=3, hidden=4, outputs=5, layers=3, activation="abs",
         steps=6, spread=1.5, seed=8, progress=True),
    Call("figure invariance",
         "empirical.experiments.invariance:invariance", inputs=6, hidden=8, outputs=2, layers=2, activation="relu",
         steps=300, spread=2.0, seed=0),
    Call("figure hannet --layers 7 --width 4 --seed 5",
         "empirical.hannet.check:check_hannet", 7, 4, seed=5),
    Call("figure hannet",
         "empirical.hannet.check:check_hannet", 100, 30, seed=0),
    Call("figure phase-diagram --eigenvalue 2 --points 4 --extent 2 --step 0.02 --seed 5",
         "empirical.experiments.phase_diagram:single_mode_diagram", Close([-2, -2 / 3, 2 / 3, 2]),
         Close([0.5, 1, 1.5, 2]), eigenvalue=2.0, step=0.02, seed=5, progress=True),
    Call("figure phase-diagram",
         "empirical.experiments.phase_diagram:single_mode_diagram", Close(np.linspace(-1.5, 1.5, 31)),
         Close(np.linspace(1.5 / 31, 1.5, 31)), eigenvalue=1.0, step=5e-3, seed=0),
    Call("figure scale-diagram --teacher 3,-1 --hidden 3 --points 3 --replicates 2 --step 0.02 --seed 5",
         "empirical.experiments.phase_diagram:scale_diagram", [3, -1], Close([0.1, 0.1**0.5, 1]),
         Close([0.1, 0.1**0.5, 1]), hidden=3, replicates=2, step=0.02, seed=5, progress=True),
    Call("figure scale-diagram",
         "empirical.experiments.phase_diagram:scale_diagram", [2, -1.9], Close(np.geomspace(0.1, 1, 9)),
         Close(np.geomspace(0.1, 1, 9)), hidden=4, replicates=16, step=2e-3, seed=0),
    Call(f"figure conserved {START} --step 0.02 --steps 6 --batch 8 --label-noise 0.3 --seeds 3",
         "empirical.conserved:conserved_curves", Start(), steps=6, step=0.02, batch=8, label_noise=0.3,
         seeds=3, seed=5, progress=True),
    Call("figure conserved",
         "empirical.conserved:conserved_curves", Start(3, 0.5, 2), steps=3000, step=2e-3, batch=32,
         label_noise=0.1, seeds=32, seed=2),
    Call(f"figure drift {START} --t-end 0.3 --momentum 0.6",
         "empirical.conserved:drift_scaling", Start(), Close(np.geomspace(1e-4, 1e-2, 5)), 0.3, momentum=0.6),
    Call("figure drift",
         "empirical.conserved:drift_scaling", Start(3, 0.5, 2), Close(np.geomspace(1e-4, 1e-2, 5)), 2.0,
         momentum=0.0),
    Call(f"figure train-test {START} --samples 40 --step 0.02 --steps 6 --label-noise 0.3 --seeds 3",
         "empirical.experiments.generalisation:train_and_test", Start(), samples=40, steps=6, step=0.02,
         label_noise=0.3, seeds=3, seed=5, progress=True),
    Call("figure train-test",
         "empirical.experiments.generalisation:train_and_test", Start(6, 0.3, 1, 10), samples=60, steps=6000, step=1e-3,
         label_noise=0.2, seeds=6, seed=1),
    Call(f"figure schedules {START} --steps 6 --batch 8 --label-noise 0.3 --schedules cosine,wsd:0.5 --start-risk 0.5 "
         "--seeds 3",
         "empirical.experiments.schedules:schedule_curves", Start(second_layer="fixed"), steps=6, batch=8,
         label_noise=0.3, schedules=["cosine", "wsd:0.5"], start_risk=0.5, seeds=3, seed=5, progress=True),
    Call("figure schedules",
         "empirical.experiments.schedules:schedule_curves",
         Start(1, 0.1, 0, 30, (1,), second_layer="fixed"), steps=4000, batch=1, label_noise=0.5,
         schedules=["constant", "linear", "cosine", "step"], start_risk=0.012, seeds=256, seed=0),
    Call("figure escape-times --activations relu,abs --largest 20,0 --rates 0.5,2 --overlap 0.6 --seeds 3 --seed 5 "
         "--device cpu:0",
         "empirical.experiments.escape:escape_times", ["relu", "abs"], [20, 0], [0.5, 2], overlap=0.6, seeds=3, seed=5,
         device="cpu:0", progress=True),
    Call("figure escape-times --rates none",
         "empirical.experiments.escape:escape_times", ["hermite:2", "hermite:3", "hermite:4"], [896, 112, 28], [],
         overlap=0.5, seeds=16, seed=0, device="cpu"),
    Call("figure scaling-law --exponents 1,2 --count 50 --trained-modes 9 --step 0.02 --seed 5",
         "empirical.experiments.power_law:scaling_laws", [1, 2], count=50, trained_modes=9, step=0.02, seed=5,
         progress=True),
    Call("figure scaling-law",
         "empirical.experiments.power_law:scaling_laws", [0.75, 1, 1.5], count=1_000_000, trained_modes=100, step=4e-3,
         seed=0),
    Call("figure late-time --teacher 3,1 --inputs 4 --step 0.02 --batch 8 --seed 5",
         "empirical.experiments.late_time:late_time", [3, 1], 4, step=0.02, batch=8, seed=5, progress=True),
    Call("figure late-time",
         "empirical.experiments.late_time:late_time", [2, 1], 5, step=2e-3, batch=512, seed=0),
    Call(f"figure stability {START} --factors 0.5,3 --samples 40 --label-noise 0.3 --t-end 0.1",
         "empirical.experiments.edge_of_stability:edge_of_stability", Start(), samples=40, t_end=0.1, factors=[0.5, 3],
         label_noise=0.3, seed=5, progress=True),
    Call("figure stability",
         "empirical.experiments.edge_of_stability:edge_of_stability", Start(4, 0.3, 1, 4), samples=400, t_end=6.0,
         factors=[0.9, 1.1, 2], label_noise=0.0, seed=1),
    Call("figure neuron --teacher 2,1 --inputs 3 --teacher-linear 5,6 --teacher-constant 7",
         "dynamics.neuron.problem:QuadraticTarget", Close(np.diag([2, 1, 0])), Close([5, 6, 0]), 7.0),
    Call("figure neuron --gammas 0.5,2 --t-end 0.2 --step 0.02 --batch 8 --seeds 3 --shrink 0.1",
         "empirical.experiments.neuron_rates:neuron_rates", ANYTHING, ANYTHING, [0.5, 2.0], t_end=0.2, step=0.02,
         batch=8, seeds=3, shrink=0.1, seed=1, progress=True),
    Call("figure neuron",
         "empirical.experiments.neuron_rates:neuron_rates", ANYTHING, ANYTHING, [1.0, 0.1, 0.0], t_end=20.0,
         step=0.01, batch=256, seeds=4, shrink=0.0, seed=1),
    Call("figure neuron",
         "dynamics.neuron.problem:Neurons.initialise", 4, 4, init="relinear", scale=0.7, seed=1),
    Call("figure neuron-collapse --inputs 3 --hidden 2 --starts 9 --steps 6 --batch 8 --init-scale 0.4 --seed 5",
         "empirical.neuron.collapse:collapse_study", inputs=3, hidden=2, starts=9, steps=6, batch=8, scale=0.4,
         seed=5, progress=True),
    Call("figure neuron-collapse",
         "empirical.neuron.collapse:collapse_study", inputs=6, hidden=6, starts=100, steps=200, batch=32,
         scale=0.7, seed=0),
    Call("figure neuron-functions --inputs 3",
         "dynamics.neuron.function_space:function_space_dimensions", 3),
    Call("figure neuron-functions",
         "dynamics.neuron.function_space:function_space_dimensions", 5),
    Call("figure pieces --hidden 3 --layers 1 --starts 4 --seed 5",
         "dynamics.neuron.pieces.counts:count_pieces", hidden=3, layers=1, starts=4, seed=5, progress=True),
    Call("figure pieces",
         "dynamics.neuron.pieces.counts:count_pieces", hidden=5, layers=2, starts=10, seed=0),
    Call(f"figure learning-curves {START} {TRAINING} {SOLVER} --times 0,0.1 --t-end 0.2 "
         "--gap training --correction modified",
         "empirical.comparison:compare", Start(), steps=6, times=[0, 0.1], gap="training",
         theory="modified", solver=SOLVED, progress=True, **TRAINED),
    Call("figure learning-curves",
         "empirical.comparison:compare", Start(8, 0.05, 3, 6, (4, 2, 1)), steps=14000, theory=None,
         **(UNTRAINED | {"step": 5e-4, "batch": 512, "seeds": 8, "seed": 3})),
    Call("figure losses --teacher 2,1 --inputs 3 --hidden 2 --init-scale 0.3 --seed 5 --losses huber:2,logistic "
         "--bias 0.7 --batch 8 --seeds 3",
         "empirical.experiments.losses:loss_curves", Start(), ["huber:2", "logistic"], bias=0.7, batch=8, seeds=3,
         seed=5, progress=True),
    Call("figure losses",
         "empirical.experiments.losses:loss_curves", Start(6, 0.03, 0, 3, (4, 2, 1)),
         ["square", "log-cosh", "huber:1", "logistic"], bias=2.0, batch=256, seeds=6, seed=0),
    Call(f"figure classification {START} {TRAINING} {SOLVER} --steps 9 --gap training",
         "empirical.comparison:compare", Start(), steps=9, gap="training", solver=SOLVED, progress=True, **TRAINED),
    Call("figure classification",
         "empirical.comparison:compare", Start(6, 0.1, 5, 3, (2, -1, 0.5)), steps=4000, theory=None,
         **(UNTRAINED | {"step": 5e-2, "batch": 512, "seeds": 8, "seed": 5})),
    Call("figure learning-curves --steps 9 --sgd",
         "empirical.comparison:compare", ANYTHING, steps=9, theory="sgd"),
    Call(f"figure learning-curves {START} {TRAINING} {PARAMETERS} --steps 9",
         "empirical.comparison:compare", Start(), steps=9, **TRAINED, **PARAMETRISED),
    *(
        Call(f"figure {name} {START} {TRAINING} {PARAMETERS} {SOLVER} --steps 9 --times 0,0.1 --gap training --sgd",
             "empirical.comparison:compare", ANYTHING, steps=9, times=[0, 0.1], gap="training", theory="sgd",
             solver=SOLVED, **TRAINED, **PARAMETRISED)
        for name in GAPS
    ),
    Call("figure gap-step",
         "empirical.comparison:compare", Start(3, 0.3, 1, 4), step=1e-2, steps=300, batch=8192, seeds=8,
         records=150, dtype="float64", seed=1),
    Call("figure gap-data",
         "empirical.comparison:compare", Start(3, 0.3, 1, 4), step=2e-3, steps=1500, batch=0, samples=200,
         seeds=8, records=150),
    Call("figure gap-noise",
         "empirical.comparison:compare", Start(2, 0.5, 0, 50, init="aligned", second_layer="fixed"),
         step=1e-3, steps=1500, batch=4, label_noise=0.5, seeds=32, records=60),
    Call("figure fluctuations",
         "empirical.comparison:compare", Start(2, 0.5, 0, 50, init="aligned", second_layer="fixed"),
         step=1e-3, steps=1500, batch=4, theory="sgd", gap="training", seeds=32),
]
# fmt: on


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.arguments[:60])
def test_arguments_arrive(received, tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    call.check(*received(call.target, *call.arguments.split()))


# options of the problem, of which `test_wiring` knows, and of the answer
ELSEWHERE = {
    *(p.name for p in click.command(opt.problem_options(lambda: None)).params if p.name is not None),
    *("output", "size", "title", "xscale", "style", "dpi"),  # `test_look_options`
    *("seconds", "frames_per_second"),  # `test_film_options`
}
# drawn from a file; or with the options of compare, all set in the line of the learning curves
UNTABLED = {"figure sweep", "figure study", *(f"figure {name}" for name in GAPS)}


def test_no_option_is_forgotten():
    """Each option of a figure is set to something in one of its lines."""
    for name in {name for name in names(ROOT) if name.startswith("figure ")} - UNTABLED:
        lines = " ".join(call.arguments for call in CALLS if f"{call.arguments} ".startswith(f"{name} "))
        typed = {word for word in lines.split() if word.startswith("--")}
        known = {p.opts[0] for p in find_command(ROOT, name).params if p.name not in ELSEWHERE}
        assert known - typed == set(), f"{name}: add a line to CALLS that sets it"
