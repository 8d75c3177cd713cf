"""
Quadratic neurons at several rates
==================================

``quadflow figure neuron``

Neurons (w^r·x + b^r)(w^g·x + b^g) + w^b·(x⊙x) + c start as ordinary neurons (ReLinear), and their quadratic
weights are trained at a relative rate γ. See that with γ = 0 the loss stops at that of the best affine
function, that with γ = 0.1 it lingers there, and that trained networks (markers) follow the flow.
"""

from dynamics.neuron import Neurons, QuadraticTarget
from empirical.experiments.neuron_rates import neuron_rates
from figures.neuron import neuron_curves

target = QuadraticTarget.random(4, seed=1)
start = Neurons.initialise(4, 4, init="relinear", scale=0.7, seed=1)
curves = neuron_rates(
    target, start, [1, 0.1, 0], t_end=20, step=0.01, batch=256, seeds=4, seed=1
)
figure = neuron_curves(curves)
