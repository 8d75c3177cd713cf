"""
Scaling laws of power-law teachers
==================================

``quadflow figure scaling-law``

Teachers with eigenvalues j^−α, learned mode after mode, make the loss a power law of time with exponent 1/α −
2. See that exact curves of very many modes run along the asymptotic lines, exponent and prefactor. Trained
networks have few modes and lie on the exact curves of as many (dotted), which leave the law where the modes
run out. The smaller α is the more of them it takes: at α = 0.75 the network has 300, and even so it touches
the law only.
"""

from empirical.experiments.power_law import scaling_laws
from figures.scaling_law import scaling_law_figure

laws = scaling_laws([0.75, 1, 1.5], count=1_000_000, trained_modes=100, step=4e-3)
figure = scaling_law_figure(laws)
