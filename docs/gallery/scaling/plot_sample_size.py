r"""
How many samples it takes
=========================

``quadflow figure sample-size``

Networks of K = d units with a fixed second layer are trained to the minimum on n = αd² samples. See in the upper panel,
with label noise, that without weight decay (blue) the error rises where the labels can just be fitted, and falls again
beyond: double descent. Weight decay of the right size removes the peak and comes close to the Bayes-optimal error
(black); too much of it costs. Networks (markers, with two standard errors) have 30 inputs, and lie above the theory of
infinitely many, by an excess that falls like 1/d. The dotted lines correct for it heuristically. They cover most of the
excess without weight decay, and about a third to a half of it with decay: networks with decay lie above their dotted
lines.

See in the lower panel, without noise and without decay, what decides where the teacher is recovered. Raw units z² see
its trace, and find it from the first threshold on. Centred units that start from large weights end at one of the many
:math:`S \succeq 0` that fit, and need more samples, up to the second threshold. From small weights gradient descent
finds, nearly, the one of the least trace, and the first threshold is enough. What is left there is where training ends.
"""

from empirical.experiments.sample_size import sample_size_curves
from figures.sample_size import sample_size_figure

curves = sample_size_curves(
    0.5,
    0.5,
    [0, 0.3, 1.2],
    clean_kappa=0.2,
    inputs=30,
    alphas=[0.15, 0.22, 0.3, 0.4, 0.55, 0.75],
    clean_alphas=[0.15, 0.22, 0.3, 0.38],
    points=31,
    seeds=4,
)
figure = sample_size_figure(curves)

# %%

print(curves.summary())
