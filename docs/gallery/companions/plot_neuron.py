"""
Quadratic neurons at several rates
==================================

``quadflow figure neuron``

Neurons (w^r·x + b^r)(w^g·x + b^g) + w^b·(x⊙x) + c start as ordinary neurons (ReLinear), and their quadratic
weights are trained at a relative rate γ. See that with γ = 0 the loss stops at that of the best affine
function, that with γ = 0.1 it lingers there, and that trained networks (markers) follow the flow.
"""

from dynamics.neuron import NeuronFlow, Neurons, QuadraticTarget, Rates
from empirical import train_neurons
from figures.neuron import neuron_curves

target = QuadraticTarget.random(4, seed=1)
start = Neurons.initialise(4, 4, init="relinear", scale=0.7, seed=1)
curves = []
for gamma in (1, 0.1, 0):
    rates = Rates(1, gamma, gamma)
    flow = NeuronFlow(target, start, rates).integrate(20.0)
    curves.append(
        (
            flow,
            train_neurons(
                target, start, rates=rates, steps=1000, step=0.02, seeds=3, seed=1
            ),
        )
    )
figure = neuron_curves(curves)
