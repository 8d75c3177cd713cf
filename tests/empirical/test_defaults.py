"""What an argument is that is left out; see the test of the same name in `dynamics`."""

from __future__ import annotations

import empirical

ADVICE = "give `fixed`, the values of a fixed second layer"
EVERYWHERE = {
    **{"activation": "quadratic", "trainable": True},
    **{"seed": 0, "progress": False, "device": "cpu", "records": 200, "log_times": False},
    "schedule": "constant",
    **{"momentum": 0, "label_noise": 0, "shrink": 0, "rates": (1, 1)},
    **{"samples": 0, "test_samples": 0, "seeds": 1, "optimizer": "sgd", "theory": "flow", "degree": 1},
    **{"squares": 8, "outputs": 2, "layers": 2, "step": 2e-3, "batch": 256, "missing": ADVICE},
}
EXCEPTIONS = {
    "exits.train_exits": {"batch": 1, "overlap": 0.5, "seeds": 400},
    "experiments.exit_times.exit_times": {
        "inputs": (200, 2000),
        "rate": 0.05,
        "overlap": 0.7071067811865476,
        "seeds": 400,
    },
    "counted_streams.CountedStreams.coins": {"steps": 1},
    "datasets.loading.load": {
        "whiten": False,
        "split": 0.0,
        "standardize_target": False,
        "taught": False,
        "classify": False,
    },
    "datasets.raw.Request": {"taught": False, "classify": False},
    "networks.QuadraticNetwork": {"outputs": 1, "bias_trainable": False, "init_scale": 0.1},
    "networks.QuadraticNetwork.from_student": {"bias_trainable": False},
    "proximal_gradient.FormData.draw": {"raw": False},
    "proximal_gradient.proximal_gradient": {"tolerance": 1e-09, "max_iterations": 20000},
    "experiments.phase_diagram._verdicts": {"follow": True},
    "counted_streams.CountedStreams.draw": {"steps": 1},
    "data.TrainingData": {"expected": False},
    "data._Sampler.__call__": {"steps": 1},
    "streams.Draw": {"noisy": 0},
    "streams.Streams.coins": {"steps": 1},
    "streams.Streams.draw": {"steps": 1},
    "streams.GeneratorStreams.coins": {"steps": 1},
    "streams.GeneratorStreams.draw": {"steps": 1},
    "data.teacher_network": {"narrow": False},
    "gsgd.GSGD": {"skeleton": "strongest", "free_layer": 1, "on_crossing": "rebase"},
    "path_descent.step_in_paths": {"free_layer": 1, "number": 0, "rebase": True, "below": 0.0},
    "path_layers.PathLayer": {"rows": 1},
    "path_layers._Reading": {"spread": False},
    "experiments.gaussianity.gaussianity_curves": {"batch": 512, "seeds": 8},
    "datasets.labels.Labels": {"are_classes": False},
    "experiments.overlay.overlays": {"records": 100},
    "gap_account.explain_gap": {"by": "theory", "flow_name": "gradient flow"},
    "escape.train_escape": {"batch": 1, "overlap": 0.5, "seeds": 16},
    "experiments.escape.escape_times": {
        "activations": ("hermite:2", "hermite:3", "hermite:4"),
        **{"largest": (896, 112, 28), "rates": (0.05, 0.1, 0.15, 0.2, 0.25, 0.4)},
        **{"overlap": 0.5, "seeds": 16},
    },
    "experiments.escape.noise_curve": {"inputs": 200, "start": 0.3, "overlap": 0.8, "seeds": 64},
    "experiments.collapse.collapse_diagram": {"points": 10, "step": 0.005, "patience": 6.0, "batch": 64},
    "experiments.grid_training.train_grid": {"batch": 64, "weight_decay": 0.0},
    "experiments.weight_decay.decayed_spectra": {"value": 1.0},
    "torch_optimizers.Reading": {"factor": 1.0},
    "torch_optimizers.Rule": {"decoupled": False},
    "torch_optimizers.read_optimizer": {"factor": 1.0},
    "conserved.momentum_account": {"momentum": 0.9, "nesterov": False},
    "comparison.compare": {"gap": "theory"},
    "gap.Gap.largest": {"scale": 1.0},
    "neuron.convolution.QuadraticConv2d": {"stride": 1, "padding": 0, "dilation": 1, "groups": 1},
    "collapsed.share_interval": {"deviations": 1.959963984540054},
    "neuron.exact_network.exact_network": {"output": 0},
    "neuron.relinear.random_": {"scale": 1.0},
    "neuron.architectures.Mlp": {"widths": (16, 16)},
    "neuron.architectures.SmallCnn": {"widths": (8, 16), "kernel": 3},
    "neuron.kinds.QuadraticNeurons": {"init": "relinear", "gamma": 1.0, "scale": 1.0},
    "neuron.models.Model": {"activation": "relu"},
    "module_training.TrainingPlan": {"batch": 64, "loss": "cross-entropy", "records": 11},
    "splits.Splits.random": {"test": 0.2, "validation": 0.2},
    "hannet.check.check_hannet": {
        **{"layers": 200, "width": 30, "samples": 64, "repeats": 15, "step": 0.01, "steps": 50}
    },
    "hannet.checkerboard.train_checkerboard": {
        **{"steps": 15_000, "step": 0.125, "dense_step": 0.125, "batch": 100}
    },
    "hannet.layers.HanNet": {"inputs": 2, "width": 30, "layers": 20},
    "hannet.layers.DenseNet": {"inputs": 2, "width": 100, "layers": 6},
    "bias_free_network.BiasFreeNetwork": {"activation": "relu"},
    "theories.Theory": {"rated": False},
    "memory.training_memory": {"copies": 4},
    "memory.check_training": {"copies": 4},
    "training_ensemble.groups": {"copies": 4},
    "optimizers.base.Settings": {"epsilon": 0, "damping": 0, "decoupled": False},
    "optimizers.base.Optimizer": {
        **{"decoupled": False, "adds_up": False, "entrywise": False, "copies": 4, "decays": True},
        **{"takes_bias": True},
        "nature": "no theory follows",
        **{"nature": "no theory follows", "two_layers": False},
    },
    "polynomial.sequential.PowerUnits": {"exponent": 2},
    "polynomial.training.train_network": {"dtype": "float32"},
    "optimizers.path_space.PathSpaceDescent": {"skeleton": "strongest"},
    "trainer.descend": {"by_its_own": False, "what": "training"},
    "experiments.invariance.invariance": {
        **{"inputs": 6, "hidden": 8, "activation": "relu", "steps": 300, "batch": 64, "spread": 2.0},
        "records": 61,
    },
    "experiments.schedules.schedule_curves": {
        **{"schedules": ("constant", "linear", "cosine", "step"), "start_risk": 0.012},
        **{"batch": 1, "seeds": 256},
    },
    "experiments.schedules.train_schedules": {"records": 41},
    "experiments.late_time.late_time": {"t_end": 100.0, "trained_until": 20.0, "batch": 512},
    "neuron.collapse.collapse_study": {
        **{"inputs": 6, "hidden": 6, "starts": 100, "steps": 200, "batch": 32, "scale": 0.7},
        **{"learning_rates": (0.05, 0.1, 0.2, 0.3, 0.4, 0.6), "gammas": (1.0, 0.3, 0.1, 0.03, 0.0)},
    },
    "neuron.training.train_neurons": {"dtype": "float64"},
    "experiments.phase_diagram.single_mode_diagram": {
        "eigenvalue": 1.0,
        "step": 5e-3,
        "time": 20.0,
        "batch": 64,
    },
    "experiments.phase_diagram.scale_diagram": {
        **{"hidden": 4, "replicates": 20, "positive": True, "time": 20.0, "batch": 64, "follow": True}
    },
    "experiments.power_law.scaling_laws": {
        "count": 1_000_000,
        "trained_modes": 100,
        "step": 4e-3,
        "batch": 512,
    },
    "recorder.Recorder": {"every": 1},
    "studies.contenders.DepthContender": {"unit": 0.01},
    "studies.contenders.NeuronContender": {"equal": False, "unit": 1.0},
    "studies.contenders.PathContender": {"paths": False, "spread": 0.0, "unit": 1.0},
    "studies.study.Settings": {"network": "mlp", "epochs": 30, "batch": 32, "seeds": 10, "quick": False},
    "studies.study.Study": {"along": "rate"},
    "studies.tasks.Task": {"pixels": False},
    "studies.tasks.read_task": {"images": False},
    "sweep.grid.SweepPlan": {"replicates": 1, "same_seeds": False},
    "sweep.drawing.sweep_data": {"fit": False},
    "sweep.reading.sweep_curves": {"fit": False},
    "sweep.sweeping.run_sweep": {"resume": False, "overwrite": False},
    "training.train": {"dtype": "float32"},
    "training_ensemble.train_ensemble": {"dtype": "float32", "memory": 2**28},
}


def test_every_default(every_default):
    assert every_default(empirical, EVERYWHERE) == EXCEPTIONS
