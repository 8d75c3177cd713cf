"""
A network of one's own
======================

``quadflow figure own-network``

An expression is enough: here attention on two tokens, :math:`f = q x_1 (k_0 v_0 x_0^2 + k_1 v_1 x_1^2)`. See that the
weights of trained networks (markers) follow those of the flow (lines), which is exact, one by one.
"""

from dynamics.networks import NetworkProblem
from empirical.polynomial import compare_network
from figures.own_network import network_curves

network = "q*x_1*(k_0*v_0*x_0**2 + k_1*v_1*x_1**2)"
problem = NetworkProblem(network, "x_0**2*x_1 + x_1**3/2", init_scale=0.3, seed=1)
comparison = compare_network(problem, steps=1500, step=2e-3, batch=512, seeds=8, seed=1)
figure = network_curves(comparison)
