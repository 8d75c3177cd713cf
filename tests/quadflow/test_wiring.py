"""Every option of a command reaches the function that computes, with the value that was typed, or its default.

The function is replaced by one that keeps its arguments and stops, so that nothing is computed. The lines of `CALLS`
set every option of every command to something that is not its default, and leave it out.
"""

import click
import numpy as np
import pytest
from wiring import (
    ANYTHING,
    GRADIENT_FLOW,
    PARAMETERS,
    PARAMETRISED,
    SOLVED,
    SOLVER,
    START,
    TRAINED,
    TRAINING,
    UNTRAINED,
    Call,
    Chosen,
    Close,
    OneUnit,
    OnSphere,
    Own,
    Spec,
    Spectrum,
    Start,
)

from dynamics import Student
from dynamics.flows.momentum import NESTEROV
from dynamics.networks import Expectation, read_network
from dynamics.problem.bias import Bias
from dynamics.schedules.families import FAMILIES
from quadflow import options as opt
from quadflow.cli import cli
from quadflow.commands.init import find_command, names

ROOT = click.Context(cli, info_name="quadflow")
SIMULATE = f"simulate {START}"
OWN = "--network a*(w*x_0)**2 --target x_0**2 --init-scale 0.3 --seed 5"  # that of `Own("a*(w*x_0)**2", "x_0**2")`
UNOWNED = ("--test-samples 11 ", " --gradients autograd")  # options of two-layer networks alone
OWN_TRAINING = f"{TRAINING} --betas 0.5,0.25 --epsilon 0.1 --decoupled".replace(UNOWNED[0], "").replace(
    UNOWNED[1], ""
)
OWN_TRAINED = {
    name: value
    for name, value in (TRAINED | PARAMETRISED).items()
    if name not in ("test_samples", "gradients", "damping")
}
NEURON = "neuron --inputs 3 --hidden 2 --init random --init-scale 0.4 --seed 5 --rates 1,0.5,0.2 --shrink 0.1"

# fmt: off
CALLS = [
    Call(f"{SIMULATE} --t-end 7 --times 0,3 --records 9 --log-times --until-loss 0.1 {SOLVER}",
         GRADIENT_FLOW, Start(), t_end=7.0, times=[0, 3], samples=9, log_times=True, until_loss=0.1, progress=True,
         **SOLVED),
    Call(f"{SIMULATE} --t-end 0.1 --hessian",
         "dynamics.curvature.hessian:hessian_spectrum", Start(), count=None, progress=True),
    Call(f"{SIMULATE} --correction modified --step 0.02 --momentum 0.6",
         "dynamics.flows.modified:ModifiedFlow", Start(), 0.02, 0.6, schedule="constant", steps=None),
    Call(f"{SIMULATE} --correction modified --step 0.02 --momentum 0.6 --schedule step:0.2 --steps 9",
         "dynamics.flows.modified:ModifiedFlow", Start(), 0.02, 0.6, schedule="step:0.2", steps=9),
    Call(f"{SIMULATE} --correction modified --step 0.02 --schedule linear --t-end 0.2",
         "dynamics.flows.modified:ModifiedFlow", Start(), 0.02, 0.0, schedule="linear", steps=19),
    Call(f"{SIMULATE} --sgd --step 0.02 --schedule step:0.2 --steps 9",
         "dynamics.sgd.sphere_sgd:MeanSGD", Start(), 0.02, 1, 0.0, schedule="step:0.2", steps=9),
    Call(f"{SIMULATE} --optimizer adam --betas 0.5,0.25 --epsilon 0.1 --step 0.02 --weight-decay 0.3 --decoupled",
         "dynamics.flows.adam:AdamFlow", Start(), 0.02, (0.5, 0.25), 0.1, (0.3, 0.3), schedule="constant", steps=None),
    Call(f"{SIMULATE} --optimizer adam --step 0.02 --schedule cosine --steps 7 --weight-decay 0.3",
         "dynamics.flows.adam:AdamFlow", Start(), 0.02, (0.9, 0.999), 1e-8, (0, 0), schedule="cosine", steps=7),
    Call(f"{SIMULATE} --optimizer natural --damping 0.2",
         "dynamics.flows.natural_gradient:NaturalGradientFlow", Start(), 0.2, (0, 0)),
    Call(f"{SIMULATE} --optimizer muon --second-layer fixed",
         "dynamics.flows.muon:MuonFlow", ANYTHING, 1e-6, (0, 0)),
    Call(f"{SIMULATE} --optimizer nesterov --correction modified --step 0.02",
         "dynamics.flows.modified:ModifiedFlow", Start(), 0.02, 0.9, form=NESTEROV),
    Call(f"{SIMULATE} --sgd --step 0.02 --batch 8 --label-noise 0.3",
         "dynamics.sgd.sphere_sgd:MeanSGD", Start(), 0.02, 8, 0.3),
    Call(f"{SIMULATE} --sgd --step 0.02",
         "dynamics.sgd.sphere_sgd:MeanSGD", Start(), 0.02, 1, 0.0),
    Call(f"{SIMULATE} --sgd --step 0.02 --fluctuations --batch 8 --label-noise 0.3",
         "dynamics.sgd.fluctuations:FluctuatingSGD", Start(), 0.02, 8, 0.3),
    Call(f"train {START} {TRAINING} {PARAMETERS} --steps 9",
         "empirical.training:train", Start(), steps=9, progress=True, **TRAINED, **PARAMETRISED),
    Call(f"compare {START} {TRAINING} {PARAMETERS} {SOLVER} --steps 9 --times 0,0.1 --gap training "
         "--correction modified",
         "empirical.comparison:compare", Start(), steps=9, times=[0, 0.1], gap="training", theory="modified",
         solver=SOLVED, progress=True, **TRAINED, **PARAMETRISED),
    Call(f"compare {START} --sgd --t-end 0.2",
         "empirical.comparison:compare", Start(), theory="sgd"),
    Call(f"schedule {START} --steps 9 --batch 8 --label-noise 0.3 --start-risk 0.5 --momentum 0.6 "
         "--schedules cosine,wsd:0.5",
         "dynamics.schedule_choice:choose_schedule", Start(), 9, batch=8, label_noise=0.3, start_risk=0.5,
         momentum=0.6, schedules=["cosine", "wsd:0.5"], progress=True),
    Call("schedule --teacher 2,1",
         "dynamics.schedule_choice:choose_schedule", Start(2, 0.1, 0, 2), 2000, batch=1, label_noise=0.0,
         start_risk=0.012, momentum=0.9, schedules=[*FAMILIES]),
    Call(f"schedule {START} --steps 9 --seeds 3 --device cpu:0 --gradients autograd",
         "empirical.experiments.schedules:train_schedules", ANYTHING, 3, seed=5, device="cpu:0", gradients="autograd",
         progress=True),
    Call("escape --teacher 2 --inputs 30 --overlap 0.7 --overlap-at-start 0.2 --step 0.002 --batch 8 --label-noise 0.3",
         "dynamics.escape.prediction:escape_time", OneUnit(30, 2.0), overlap=0.7, overlap_at_start=0.2, step=0.002,
         batch=8, label_noise=0.3),
    Call("escape --teacher 1 --inputs 30",
         "dynamics.escape.prediction:escape_time", OneUnit(30, 1.0), overlap=0.5, overlap_at_start=None, step=None,
         batch=1, label_noise=0.0),
    Call("escape --teacher 2 --inputs 30 --overlap 0.7 --overlap-at-start 0.2 --step 0.002 --batch 8 --label-noise 0.3 "
         "--seeds 3 --t-end 4 --seed 5 --device cpu:0 "
         "--gradients autograd",
         "empirical.escape:train_escape", OneUnit(30, 2.0), step=0.002, t_end=4.0, batch=8, overlap=0.7,
         overlap_at_start=0.2, label_noise=0.3, seeds=3, seed=5, device="cpu:0", gradients="autograd", progress=True),
    Call("escape --teacher 2 --inputs 30 --constraint sphere",
         "dynamics.escape.prediction:escape_time", OneUnit(30, 2.0), step=None, batch=1, label_noise=0.0),
    Call(f"{SIMULATE} --constraint sphere --t-end 7",
         GRADIENT_FLOW, OnSphere(), t_end=7.0),
    Call(f"{SIMULATE} --constraint sphere --sgd --step 0.02 --batch 8 --label-noise 0.3",
         "dynamics.sgd.sphere_sgd:SphereSGD", OnSphere(), 0.02, 8, 0.3),
    Call("fixed-points --teacher 2,1 --hidden 2 --constraint sphere --second-layer-value 0.5 --lowest 3",
         "dynamics.stationary.catalogue:fixed_points", OnSphere(2, a=0.5), signs=None, lowest=3, minima=False),
    Call("sample-size --teacher marchenko-pastur:2 --alpha 0.2:0.6:3 --weight-decay-order 0.3 --label-noise 0.4 "
         "--activation centred --width 0.7 --inputs 40 --bayes --best-decay",
         "dynamics.sample_size.prediction:state_evolution", Spectrum("marchenko-pastur:2", 1, 1.5), [0.2, 0.4, 0.6],
         weight_decay_order=0.3, label_noise=0.4, activation="centred", width=0.7, inputs=40, bayes=True, best=True,
         progress=True),
    Call("sample-size --teacher 4,0,1,0 --activation quadratic",  # S* = √4 M*
         "dynamics.sample_size.prediction:state_evolution", Spectrum("4,0,1,0", 2.5, 17),
         np.linspace(0.1, 1, 10).tolist(),
         weight_decay_order=0.0, label_noise=0.0, activation="quadratic", width=1.0, inputs=None, bayes=False,
         best=False),
    Call("sample-size --teacher 4,1 --inputs 16",  # S* = √16 M*, padded with zeros
         "dynamics.sample_size.prediction:state_evolution", Spectrum("4,1", 1.25, 17), np.linspace(0.1, 1, 10).tolist(),
         inputs=16),
    Call(f"gaussianity {START} --distribution uniform --t-end 7 --records 9 {SOLVER}",
         "dynamics.gaussian_theory.comparison:gaussian_comparison", Start(), 7.0, samples=9, progress=True, **SOLVED),
    Call(f"gaussianity {START} --t-end 7 --records 9 --seeds 3 --step 0.02 --batch 8 {SOLVER}",
         "empirical.experiments.gaussianity:gaussianity_curves", Start(), 7.0, step=0.02, batch=8, seeds=3, seed=5,
         records=9, progress=True, **SOLVED),
    Call("gaussianity --teacher 2,1",
         "dynamics.gaussian_theory.comparison:gaussian_comparison", Start(2, 0.1, 0, 2), None, samples=201,
         method="auto"),
    Call("study gsgd --data t.csv --target y --network cnn --image-size 9 --epochs 4 --batch 16 --seeds 3 --seed 5 "
         "--quick --workers 2 --resume --output x.zarr --figure f.png",
         "empirical.studies.findings:run_study",
         Chosen("gsgd", data="t.csv", target="y", network="cnn", image_size=9, epochs=4, batch=16, seeds=3, seed=5,
                quick=True), "x.zarr", scheduler=None, workers=2, resume=True, overwrite=False, progress=True),
    Call("study hannet --scheduler tcp://127.0.0.1:9 --overwrite",
         "empirical.studies.findings:run_study",
         Chosen("hannet", data="diabetes", target=None, network="mlp", image_size=None, epochs=30, batch=32, seeds=10,
                seed=0, quick=False), "study-hannet.nc", scheduler="tcp://127.0.0.1:9", workers=None, resume=False,
         overwrite=True),
    Call(f"staircase {START}",
         "dynamics.saddle_to_saddle.staircase:staircase", Start()),
    Call(f"diagnose {START} --no-follow",
         "dynamics.outcome.diagnosis:diagnose", Start(), follow=False),
    Call(f"diagnose {START}",
         "dynamics.outcome.diagnosis:diagnose", Start(), follow=True),
    Call("conserved --model bilinear --inputs 3 --hidden 4 --outputs 2 --output-weight no "
         "--second-layer-values 1,2,3,4",
         "dynamics.laws.model_table:build_model", "bilinear", 3, 4, 2, output_weight=False,
         second_layer=[1, 2, 3, 4]),
    Call("conserved --output-weight yes",
         "dynamics.laws.model_table:build_model", "quadratic", 2, 2, 1, output_weight=True,
         second_layer=None),
    Call("conserved --teacher 3,2,1",
         "dynamics.laws.model_table:build_model", "quadratic", 3, 2, 1, output_weight=None,
         second_layer=None),
    Call("conserved --degree 3 --seed 5 --weight-decay 0.1,0.2",
         "dynamics.laws.report:conserved_report", ANYTHING, degree=3, seed=5, weight_decay=[0.1, 0.2]),
    Call("conserved --activation relu2 --inputs 3 --outputs 2 --second-layer fixed --second-layer-value 0.5",
         "dynamics.laws.activation_models:activation_network", "relu2", 3, 2, 2, second_layer=[0.5, 0.5]),
    Call("conserved --network a*x_0*b",
         "dynamics.laws.report:conserved_report", ANYTHING, degree=2, seed=0, weight_decay=0.0),
    Call("conserved --infer a.npz",
         "empirical.checkpoints:read_weights", ("a.npz",), first=None, second=None, fixed=None),
    Call("conserved --infer a.pt --infer b.pt --init-tensors fc1,fc2 --second-layer-values 1,2",
         "empirical.checkpoints:read_weights", ("a.pt", "b.pt"), first="fc1", second="fc2", fixed=[1, 2]),
    Call("derive --teacher 2,1 --inputs 3 --hidden 4 --outputs 2 --activation centred --second-layer fixed "
         "--second-layer-value 0.7",
         "dynamics.symbolic.derivation:derive", hidden=4, inputs=3, outputs=2, activation="centred",
         second_layer="fixed", second_layer_value=0.7, covariance=None),
    Call("derive --inputs 3",
         "dynamics.symbolic.derivation:derive", hidden=3, inputs=3, outputs=1, activation="quadratic",
         second_layer="trainable", second_layer_value=1.0),
    Call("derive --teacher 4,2,1 --outputs 2",
         "dynamics.symbolic.derivation:derive", hidden=3, inputs=3, outputs=2),
    Call("derive --inputs 3 --hidden 2 --aligned",
         "dynamics.symbolic.derivation:Derivation.aligned", ANYTHING),
    Call("derive --inputs 3 --format tensor --activation centred --second-layer fixed",
         "dynamics.symbolic.tensor_form:derive_tensor", "centred", "fixed", False, False),
    Call("derive --inputs 3 --format tensor --weight-decay symbolic",
         "dynamics.symbolic.tensor_form:derive_tensor", "quadratic", "trainable", False, True),
    Call("derive --inputs 3 --format tensor --weight-decay 0,0.1",
         "dynamics.symbolic.tensor_form:derive_tensor", "quadratic", "trainable", False, True),
    Call("derive --inputs 3 --weight-decay symbolic",
         "dynamics.symbolic.derivation:derive", hidden=3, weight_decay="symbolic"),
    Call("derive --inputs 3 --distribution independent:symbolic",
         "dynamics.symbolic.derivation:derive", hidden=3, distribution="independent:symbolic"),
    Call("derive --inputs 3 --activation hermite:3 --teacher-activation polynomial:0,1,2",
         "dynamics.symbolic.derivation:derive", activation="hermite:3", teacher_activation="polynomial:0,1,2"),
    Call("derive --inputs 3 --format tensor --teacher-activation erf --second-layer fixed --weight-decay 0.1",
         "dynamics.symbolic.gram_form:derive_gram", "quadratic", "erf", "fixed", False, True),
    Call("derive --inputs 3 --weight-decay 0.1,0.2",
         "dynamics.symbolic.derivation:derive", hidden=3, weight_decay=[0.1, 0.2]),
    Call("fixed-points --teacher 2,1 --inputs 3 --hidden 2 --activation centred --second-layer fixed "
         "--second-layer-value 0.7 --signs +,- --lowest 4",
         "dynamics.stationary.catalogue:fixed_points", ANYTHING, 2, second_layer="fixed", second_layer_value=0.7,
         activation="centred", signs="+,-", lowest=4, covariance=None),
    Call("fixed-points --teacher 4,2,1",
         "dynamics.stationary.catalogue:fixed_points", ANYTHING, 3, second_layer="trainable",
         second_layer_value=1.0, activation="quadratic", signs=None, lowest=None, minima=False, weight_decay=0.0),
    Call("fixed-points --teacher 4,2,1 --weight-decay 0.1,0.2 --minima",
         "dynamics.stationary.catalogue:fixed_points", ANYTHING, 3, minima=True, weight_decay=[0.1, 0.2]),
    Call("fixed-points --teacher 2,1 --search 9 --seed 5 --certify",
         "dynamics.stationary.report:fixed_points_report", ANYTHING, search=9, seed=5, certify=True),
    Call("fixed-points --teacher 2,1",
         "dynamics.stationary.report:fixed_points_report", ANYTHING, search=None, seed=0, certify=False),
    Call("fixed-points --teacher 2,1 --graph",
         "dynamics.stationary.connections:saddle_graph", ANYTHING),
    Call("fixed-points --teacher 2,1 --inputs 3 --hidden 2 --activation relu --search 9 --seed 5",
         "dynamics.stationary.numerical:numerical_points", Start(scale=1.0), 9, 5),
    Call("fixed-points --teacher 4,2,1 --activation centred --symbolic --distribution independent:symbolic",
         "dynamics.stationary.symbolic:symbolic_fixed_points", 3, "centred", "independent:symbolic"),
    Call("fixed-points --teacher 4,2,1 --distribution uniform",
         "dynamics.stationary.catalogue:fixed_points", ANYTHING, 3, distribution="uniform"),
    Call("fixed-points --teacher 2,1 --inputs 3 --hidden 2 --distribution uniform --search 9 --seed 5",
         "dynamics.stationary.matching:find_stationary_points", Start(scale=1.0), 9, 5),
    Call("fixed-points --teacher 4,2,1 --representative 0,2 --output x.npz",
         "dynamics.stationary.catalogue:Catalogue.point", ANYTHING, [0, 2]),
    Call("invariance --inputs 3 --hidden 4 --outputs 5 --layers 3 --activation abs --steps 6 --step 0.1 --batch 7 "
         "--spread 1.5 --seed 8",
         "empirical.experiments.invariance:invariance", inputs=3, hidden=4, outputs=5, layers=3, activation="abs",
         steps=6, step=0.1, batch=7, spread=1.5, seed=8),
    Call("invariance",
         "empirical.experiments.invariance:invariance", inputs=6, hidden=8, outputs=2, layers=2, activation="relu",
         steps=300, step=None, batch=64, spread=2.0, seed=0),
    Call("hannet --check --layers 7 --width 4 --seed 5",
         "empirical.hannet.check:check_hannet", 7, 4, seed=5),
    Call("hannet --check",
         "empirical.hannet.check:check_hannet", 200, 30, seed=0),
    Call("hannet --train checkerboard --steps 9 --device meta --seed 5",
         "empirical.hannet.checkerboard:train_checkerboard", steps=9, device="meta", seed=5, progress=True),
    Call("hannet --train checkerboard",
         "empirical.hannet.checkerboard:train_checkerboard", steps=15000, device="cpu", seed=0),
    Call(f"{NEURON} --t-end 3 --records 9",
         "dynamics.neuron.flow:NeuronFlow.integrate", ANYTHING, 3.0, samples=9, progress=True),
    Call(f"{NEURON} --steps 50 --step 0.02",
         "dynamics.neuron.flow:NeuronFlow.integrate", ANYTHING, 1.0, samples=201),
    Call("neuron",
         "dynamics.neuron.flow:NeuronFlow.integrate", ANYTHING, None, samples=201),
    Call(NEURON,
         "dynamics.neuron.problem:Neurons.initialise", 2, 3, init="random", scale=0.4, seed=5),
    Call("neuron",
         "dynamics.neuron.problem:Neurons.initialise", 6, 6, init="relinear", scale=0.7, seed=0),
    Call(NEURON,
         "dynamics.neuron.problem:QuadraticTarget.random", 3, seed=5),
    Call("neuron",
         "dynamics.neuron.problem:QuadraticTarget.random", 6, seed=0),
    Call("neuron --teacher 2,1 --inputs 3 --teacher-linear 5,6 --teacher-constant 7",
         "dynamics.neuron.problem:QuadraticTarget", Close(np.diag([2, 1, 0])), Close([5, 6, 0]), 7.0),
    Call("neuron --teacher 2,1",
         "dynamics.neuron.problem:QuadraticTarget", Close(np.diag([2, 1])), Close([0, 0]), 0.0),
    Call(NEURON,
         "dynamics.neuron.problem:Rates", 1.0, 0.5, 0.2),
    Call("neuron",
         "dynamics.neuron.problem:Rates", 1.0, 1.0, 1.0),
    Call(f"{NEURON} --t-end 0.1 --records 2 --steps 7 --step 0.02 --batch 8 --seeds 3 --device cpu:0",
         "empirical.neuron.training:train_neurons", ANYTHING, ANYTHING, steps=7, step=0.02, shrink=0.1,
         batch=8, seeds=3, seed=5, device="cpu:0", progress=True),
    Call("neuron --inputs 2 --hidden 1 --t-end 0.1 --records 2 --steps 7",
         "empirical.neuron.training:train_neurons", ANYTHING, ANYTHING, step=0.01, shrink=0.0, batch=256,
         seeds=4, seed=0, device="cpu"),
    Call(f"{NEURON} --t-end 0.1 --records 2 --collapse --starts 9 --device cpu:0",
         "empirical.neuron.collapse:collapse_study", None, inputs=3, hidden=2, starts=9, scale=0.4, seed=5,
         device="cpu:0", progress=True),
    Call("neuron --inputs 2 --hidden 1 --t-end 0.1 --records 2 --collapse",
         "empirical.neuron.collapse:collapse_study", None, starts=100, scale=0.7, seed=0),
    Call("neuron --inputs 3 --hidden 2 --derive",
         "dynamics.neuron.derivation:derive_neurons", 2, 3, progress=True),
    Call(f"simulate {OWN} --expectation samples:64 --t-end 7 --times 0,3 --records 9 --log-times --until-loss 0.1 "
         f"--weight-decay 0.2 {SOLVER}",
         "dynamics.networks.flow:NetworkFlow.integrate",
         Own("a*(w*x_0)**2", "x_0**2", expectation=Expectation(64, 5), weight_decay=0.2),
         t_end=7.0, times=[0, 3], samples=9, log_times=True, until_loss=0.1, progress=True, **SOLVED),
    Call(f"simulate {OWN} --correction modified --step 0.02 --momentum 0.6 --schedule step:0.2 --steps 9",
         "dynamics.networks.modified:ModifiedNetworkFlow", Own("a*(w*x_0)**2", "x_0**2"), 0.02, 0.6,
         schedule="step:0.2", steps=9),
    Call(f"simulate {OWN} --optimizer nesterov --correction modified --step 0.02",
         "dynamics.networks.modified:ModifiedNetworkFlow", Own("a*(w*x_0)**2", "x_0**2"), 0.02, 0.9, form=NESTEROV),
    Call("simulate --network deep-linear:2,2,1 --target x_0",
         "dynamics.networks.flow:NetworkFlow.integrate", Own("deep-linear:2,2,1", "x_0", 0.1, 0), t_end=None,
         times=None, samples=201, log_times=False, until_loss=None, method="auto"),
    Call("simulate --network a*x_0 --target x_0 --inputs 3",
         "dynamics.networks.flow:NetworkFlow", Own(read_network("a*x_0", 3), "x_0", 0.1, 0)),
    Call(f"train {OWN} {OWN_TRAINING} --expectation grid --steps 9",
         "empirical.polynomial.training:train_network", Own("a*(w*x_0)**2", "x_0**2"), steps=9, progress=True,
         **OWN_TRAINED),
    Call("train --network a*x_0 --target x_0 --steps 9",
         "empirical.polynomial.training:train_network", Own("a*x_0", "x_0", 0.1, 0), steps=9,
         **{name: value for name, value in UNTRAINED.items() if name in OWN_TRAINED}),
    Call(f"compare {OWN} {OWN_TRAINING} {SOLVER} --expectation grid --times 0,0.1 --steps 9 "
         "--correction modified",
         "empirical.polynomial.comparison:compare_network", Own("a*(w*x_0)**2", "x_0**2"), steps=9, times=[0, 0.1],
         theory="modified", solver=SOLVED, progress=True, **OWN_TRAINED),
    Call("derive --network a*x_0 --target x_0 --expectation grid --weight-decay 0.2 --inputs 2",
         "dynamics.networks.derivation:derive_network", Spec("a*x_0"), "x_0", 0.2),
    Call("derive --network a*x_0",
         "dynamics.networks.derivation:derive_network", Spec("a*x_0"), "", 0.0),
    Call("scope --network a*x_0 --target x_0 --expectation samples:64",
         "dynamics.networks.scope:network_scope", Own("a*x_0", "x_0", 0.1, 0, expectation=Expectation(64, 0))),
    Call("fixed-points --network a*x_0 --target x_0 --search 9 --seed 5 --expectation grid --weight-decay 0.2",
         "dynamics.networks.search:find_network_points", Own("a*x_0", "x_0", 1.0, 5, weight_decay=0.2), 9, 5,
         progress=True),
    Call("simulate --teacher 2,1",
         GRADIENT_FLOW, Start(2, 0.1, 0, 2), t_end=None, times=None, samples=201, log_times=False, until_loss=None,
         method="auto"),
    Call("train --teacher 2,1 --steps 9",
         "empirical.training:train", Start(2, 0.1, 0, 2), steps=9, **UNTRAINED),
    Call("compare --teacher 2,1 --steps 9",
         "empirical.comparison:compare", Start(2, 0.1, 0, 2), steps=9, times=None, theory=None, gap="theory",
         solver={"method": "auto"}, **UNTRAINED),
]
# fmt: on


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.arguments[:60])
def test_arguments_arrive(received, tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    call.check(*received(call.target, *call.arguments.split()))


# set for every problem by `test_options_of_the_problem`, or about the answer and not about what is computed
ELSEWHERE = {
    *(p.name for p in click.command(opt.problem_options(lambda: None)).params if p.name is not None),
    *("output", "as_json", "report", "graph"),
    "name",  # of a study, which is no option
}
# tested option by option, below or in files of their own
UNTABLED = {
    "explore",
    "report",
    "reproduce",
    "sweep",
    *(name for name in names(ROOT) if name.startswith("figure ")),
}


def test_no_option_is_forgotten():
    """Each option of a command that computes is set to something in one of its lines."""
    for name in set(names(ROOT)) - UNTABLED:
        lines = " ".join(call.arguments for call in CALLS if f"{call.arguments} ".startswith(f"{name} "))
        typed = {word for word in lines.split() if word.startswith("--")}
        known = {p.opts[0] for p in find_command(ROOT, name).params if p.name not in ELSEWHERE}
        assert known - typed == set(), f"{name}: add a line to CALLS that sets it"


@pytest.mark.parametrize(
    ("arguments", "student"),
    [
        ([], {}),
        (["--init", "balanced"], {"init": "balanced"}),
        (["--init", "balanced", "--activation", "relu"], {"init": "balanced", "degree": 1}),
        (["--init", "aligned", "--init-scale", "0.7"], {"init": "aligned", "scale": 0.7}),
        (["--seed", "8"], {"seed": 8}),
        (
            ["--second-layer", "fixed", "--second-layer-value", "0.7"],
            {"second_layer": "fixed", "second_layer_value": 0.7},
        ),
        (["--second-layer", "fixed"], {"second_layer": "fixed", "second_layer_value": 1.0}),
    ],
)
def test_options_of_the_problem(received, arguments, student):
    """The weights of `Student.initialise`, called here."""
    args, _ = received(GRADIENT_FLOW, *SIMULATE.split(), *arguments)
    assert args[0] == Start(**({"scale": 0.3, "seed": 5} | student))


def test_sizes_activation_and_covariance(received, tmp_path):
    Sigma = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 3.0]])
    np.save(tmp_path / "S.npy", Sigma)
    arguments = ["--outputs", "2", "--activation", "centred", "--covariance", tmp_path / "S.npy"]
    arguments += ["--weight-decay", "0.1,0.2", "--teacher-activation", "hermite:3"]
    problem = received(GRADIENT_FLOW, *SIMULATE.split(), *arguments)[0][0].problem
    assert problem.student.W.tolist() == Student.initialise(2, 3, outputs=2, scale=0.3, seed=5).W.tolist()
    assert problem.student.outputs == problem.teacher.outputs == 2
    assert (problem.activation.name, problem.teacher_activation.name) == ("centred", "hermite:3")
    np.testing.assert_array_equal(problem.covariance, Sigma)
    assert (problem.weight_decay.first, problem.weight_decay.second) == (0.1, 0.2)


def test_loss_labels_and_bias(received):
    """All four reach the problem."""
    given = ["--loss", "logistic", "--labels", "hard:0.3", "--flip", "0.1", "--bias", "trainable:0.4"]
    problem = received(GRADIENT_FLOW, *SIMULATE.split(), *given)[0][0].problem
    assert (problem.loss.name, problem.labels.name, problem.flip) == ("logistic", "hard:0.3", 0.1)
    assert problem.bias == Bias(0.4, 0.0, True)


@pytest.mark.parametrize("command", ["derive", "fixed-points"])
def test_covariance_without_a_start(received, tmp_path, command):
    Sigma = np.diag([2.0, 1.0])
    np.save(tmp_path / "S.npy", Sigma)
    target = {
        "derive": "dynamics.symbolic.derivation:derive",
        "fixed-points": "dynamics.stationary.catalogue:fixed_points",
    }[command]
    _, kwargs = received(target, command, "--teacher", "2,1", "--covariance", tmp_path / "S.npy")
    np.testing.assert_array_equal(kwargs["covariance"], Sigma)


def test_index_free_form_knows_of_a_covariance(received):
    arguments = ["derive", "--format", "tensor", "--covariance", "S.npy"]
    args, _ = received("dynamics.symbolic.tensor_form:derive_tensor", *arguments)
    assert args == ("quadratic", "trainable", True, False)


@pytest.mark.parametrize(
    ("arguments", "steps"),
    [
        (["--t-end", "0.2"], 10),
        (["--t-end", "0.001"], 1),
        (["--times", "0,0.1,0.4"], 20),
        (["--times", "0,0.1,0.4", "--t-end", "0.2"], 10),
    ],
)
def test_length_of_a_comparison(received, arguments, steps):
    """Time over learning rate, the last time if there is no other, at least one step."""
    _, kwargs = received(
        "empirical.comparison:compare", "compare", *START.split(), "--step", "0.02", *arguments
    )
    assert kwargs["steps"] == steps


def test_sweep(received, tmp_path):
    options = f"--teacher 2,1 {TRAINING} {PARAMETERS} {SOLVER} --init-scale 0.3 --t-end 0.2 --until-loss 0.1"
    grid = "--vary hidden=1,2 --vary inputs=3,4 --replicates 3 --same-seeds --seed 5"
    output = tmp_path / "s.zarr"
    more = ["--no-follow", "--fluctuations", "--workers", "2", "--resume", "--output", output]
    args, kwargs = received(
        "empirical.sweep.sweeping:run_sweep",
        *["sweep", "simulate", "train", "diagnose", *options.split(), *grid.split(), *more],
    )
    plan, evaluate, path = args
    assert plan.kinds == ("simulate", "train", "diagnose")
    assert [(axis.name, axis.values) for axis in plan.axes] == [("hidden", (1, 2)), ("inputs", (3, 4))]
    assert (plan.replicates, plan.seed, plan.same_seeds) == (3, 5, True)
    assert evaluate.__name__ == "evaluate"
    assert path == str(output)
    assert {"resume": True, "scheduler": None, "workers": 2, "progress": True}.items() <= kwargs.items()
    expected = {
        **{name: value for name, value in (TRAINED | PARAMETRISED).items() if name != "seed"},
        **SOLVED,
        **{"teacher": "2,1", "init_scale": 0.3, "t_end": 0.2, "until_loss": 0.1, "no_follow": True},
        **{"fluctuations": True, "betas": "0.5,0.25"},  # as text, which a sweep may vary
    }
    assert expected.items() <= dict(plan.options).items()


def test_sweep_by_default(received):
    args, kwargs = received("empirical.sweep.sweeping:run_sweep", "sweep", "--teacher", "2,1")
    plan, _, path = args
    assert (plan.kinds, plan.axes) == (("simulate",), ())
    assert (plan.replicates, plan.seed, plan.same_seeds) == (1, 0, False)
    assert path == "sweep.nc"
    assert {"resume": False, "scheduler": None, "workers": None}.items() <= kwargs.items()
    assert plan.options["records"] == 200


def test_sweep_on_a_cluster(received):
    arguments = ["sweep", "--teacher", "2,1", "--scheduler", "tcp://127.0.0.1:9"]
    _, kwargs = received("empirical.sweep.sweeping:run_sweep", *arguments)
    assert kwargs["scheduler"] == "tcp://127.0.0.1:9"
    assert kwargs["workers"] is None
