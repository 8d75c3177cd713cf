"""What an argument is that is left out: the same for one name everywhere, with the exceptions named here.

A default is a promise of the reference, in which it stands; whoever changes or adds one changes these tables with it.
"""

from __future__ import annotations

from math import inf

import dynamics
from dynamics.schedules.families import FAMILIES

EVERYWHERE = {
    **{"activation": "quadratic", "second_layer": "trainable", "second_layer_value": 1, "init": "gaussian"},
    **{"seed": 0, "progress": False, "throw": True, "reduce": True, "symmetrize": False, "force": False},
    **{"samples": 201, "log_times": False, "method": "auto", "rtol": 1e-12, "engine": "auto"},
    **{"momentum": 0, "batch": 1, "label_noise": 0, "weight_decay": 0, "rates": (1, 1)},
    "schedule": "constant",
    **{"trace_coupling": 1, "eigenvalue": 1, "start_ratio": 1, "outputs": 1, "output": 0, "stretch": 1},
    **{
        "trainable": True,
        "correlated": False,
        "centred": False,
        "certify": False,
        "minima": False,
        "follow": True,
        "explicit": False,
    },
    **{
        "degree": 1,
        "free_layer": 1,
        "number": 0,
        "layers": 1,
        "lanes": 1,
        "shrink": 0,
        "output_weight": True,
    },
    **{"minimum": 1, "least": 1, "positive": False, "nonnegative": False, "balance_freezes": True},
}
EXCEPTIONS = {
    "activations.smooth._exponential_kink": {"step": 0.25},
    "curves.stages.plateau_rows": {"with_modes": True},
    "stationary.root_finding.find_root": {"max_steps": 200, "farthest": inf},
    "stationary.search.Search": {"escaped": 0},
    "activations.base.Activation": {"error": 0.0, "quadrature": False},
    "population.expansion.ComponentMeans.__call__": {"by_q": 0},
    "population.expansion.PolynomialMeans.__call__": {"by_q": 0},
    "population.expansion.Operation": {"from_zero": False},
    "population.hermite_kernel.hermite_coefficients": {"means": 0.0},
    "population.series_kernel.Means.__call__": {"by_q": 0},
    "escape.prediction.escape_time": {"overlap": 0.5},
    "flows.steered.Line": {"velocity": 0.0},
    "stability.StabilityReport": {"form": "heavy ball"},
    "stability.stability_along": {"points": 20, "form": "heavy ball"},
    "stability.instability": {"form": "heavy ball"},
    "stationary.decayed.blocks.Block": {"lower": False},
    "stationary.decayed.trained._multisets": {"first": 0},
    "stationary.decayed.weights.block_weights": {"equal": True},
    "stationary.certification.certify": {"precision": 128},
    "stationary.certification.certify_point": {"precision": 128},
    "stationary.search.Root": {"hits": 1},
    "stationary.search.search_fixed_points": {"starts": 200},
    "closed_forms.one_unit_sgd.OneUnitSGD": {"a": 1.0},
    "closed_forms.one_unit_sgd.one_unit_risk": {"a": 1.0},
    "closed_forms.one_unit_sgd.one_unit_largest_step": {"a": 1.0},
    "laws.counting.count_laws": {"degree": 2},
    "outcome.diagnosis.diagnose": {"max_evaluations": 200_000},
    "conserved.momentum.heavy_ball_curves": {"decay": 0.0},
    "conserved.momentum.nesterov_curves": {"decay": 0.0},
    "conserved.momentum.heavy_ball_total": {"product": 0.0},
    "curves.decay_law.DecayLaw": {"pump": 0.0},
    "saddle_to_saddle.inertial_growth.inertial_jumps": {"value": 1.0},
    "conserved.drift.predicted_drift": {"batch": 0, "rtol": 1e-10},
    "conserved.inference.infer_quantities": {"tolerance": 0.01, "search": "invariant"},
    "laws.models.bilinear": {"rates": (1, 1, 1)},
    "laws.report.conserved_report": {"degree": 2},
    "flows.finite_data.FiniteDataFlow": {"form": "auto"},
    "neuron.conserved.NeuronLaws": {"without_b": False},
    "neuron.problem.QuadraticTarget": {"e": 0.0},
    "neuron.problem.QuadraticTarget.random": {"deviation": 2.0},
    "neuron.problem.Neurons.initialise": {"init": "relinear", "scale": 0.7},
    "neuron.problem.Rates": {"r": 1.0, "g": 1.0, "b": 1.0, "a": 1.0},
    "phase_plane.phase_plane": {"extent": 2.0, "points": 41},
    "problem.student.Student.initialise": {"scale": 0.1, "degree": 2},
    "schedule_choice.choose_schedule": {
        **{"schedules": tuple(FAMILIES), "start_risk": 0.012, "momentum": 0.9},
    },
    "schedules.families.Parameter": {"lowest": 0.0, "highest": 1.0},
    "stability.sharpness": {"points": 20},
    "stability.largest_stable_step": {"form": "heavy ball"},
    "stability.stable_steps": {"momentum": 0.9, "points": 20},
    "curves.variables.Meaning": {"label": False, "detail": False},
    "curves.variables.Variable": {"label": False, "detail": False},
    "curves.stages.find_stages": {"flatness": 0.05, "contrast": 5.0, "floor": 0.001},
    "symbolic.derivation.Derivation": {"aligned_modes": False, "weight_decay": (0, 0)},
    "symbolic.equations.Equations": {"aligned_modes": False, "weight_decay": (0, 0)},
    "symbolic.tensor_form.derive_tensor": {"decayed": False},
    "population.flow_shape.FlowShape": {"decayed": False},
    "problem.weight_decay.WeightDecay": {"first": 0.0, "second": 0.0},
    "explorer_models.explorer_models": {"hidden": 4, "inputs": 3, "seeds": 6},
    "symbolic.moments.GaussianMoments": {"one": 1},
    "closed_forms.annealing.annealed_rates": {"largest": float("inf")},
    "clock.Clock.steps_until": {"name": "t_end"},
    "clock.Clock.until": {"name": "t_end"},
    "flows.momentum.Momentum": {"looks_ahead": False},
    "problem.scope.Verb": {"otherwise": "not known"},
    "symbolic.equations.network_symbols": {"order": 2},
    "flows.vanishing_units.VanishingUnits": {"returned": 1e-6},
    "flows.adam.AdamFlow": {"betas": (0.9, 0.999), "epsilon": 1e-8, "decay": (0, 0)},
    "flows.adam.RMSPropFlow": {"betas": (0.99,), "epsilon": 1e-8, "decay": (0, 0)},
    "flows.muon.polar_factor": {"epsilon": 0},
    "flows.muon.MuonFlow": {"epsilon": 1e-6, "decay": (0, 0)},
    "flows.natural_gradient.NaturalGradientFlow": {"damping": 1e-3, "decay": (0, 0)},
}


def test_every_default(every_default):
    assert every_default(dynamics, EVERYWHERE) == EXCEPTIONS
