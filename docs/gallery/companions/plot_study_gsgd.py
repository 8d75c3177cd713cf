"""
Descent on path values on digits
================================

``quadflow figure study docs/studies/gsgd.nc``

Is G-SGD better than SGD, and blind to the scale of the weights? ReLU networks with two hidden layers of 32
units learn 8 × 8 images of digits, from PyTorch's own initial weights and from copies whose hidden units are
scaled up on one side and down on the other by factors exp(N(0, 1)): 30 epochs in batches of 32, ten seeds,
the best of seven rates for each.

See the differences below: blind it is. From rescaled starts G-SGD ends with the same test accuracy in each of
ten pairs, where SGD loses 0.6 ± 0.3 % (95 % interval). Better it is not: at their best rates G-SGD is behind
SGD by 2.2 ± 0.5 %. Its best rate is the largest at which none of its runs stops, and runs that survive larger
ones (hollow) come closer. On the way every network changes its basis of paths some two hundred times, where
SGD has no such thing. The trainings: ``quadflow study gsgd --output gsgd.nc``.
"""

import contextlib

from empirical.studies.findings import read_findings
from figures.study import study_figure

with contextlib.chdir("../../.."):
    found = read_findings("docs/studies/gsgd.nc")

figure = study_figure(found)

# %%
# On MNIST-1D, forty points of ten kinds of curves, in ten epochs, which are as many steps, the difference is larger:
# G-SGD is behind SGD by 6.1 ± 1.6 %, and a rescaled start costs SGD 5.5 ± 1.9 %.
# The rescaled start of G-SGD ends 0.3 ± 0.4 % apart from the other, as rounding errors grow along so many steps.
# The trainings: ``quadflow study gsgd --data mnist1d --epochs 10 --output mnist1d.nc``.

with contextlib.chdir("../../.."):
    curves = read_findings("docs/studies/gsgd_mnist1d.nc")

figure = study_figure(curves)

# %%
# The digits again, by a convolutional network of six and twelve channels: from PyTorch's own weights none of ten runs
# stops at the best rate of G-SGD, each changes its basis some seventy-five times, and G-SGD is behind by 3.1 ± 1.0 %.
# The trainings: ``quadflow study gsgd --network cnn --output cnn.nc``.

with contextlib.chdir("../../.."):
    channels = read_findings("docs/studies/gsgd_cnn.nc")

figure = study_figure(channels)
