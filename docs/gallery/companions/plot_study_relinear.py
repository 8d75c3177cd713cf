"""
Quadratic neurons on digits
===========================

``quadflow figure study docs/studies/relinear.nc``

Do quadratic neurons collapse, and does ReLinear prevent it? Networks with two hidden layers of 16 neurons
learn 8 × 8 images of digits by SGD: 30 epochs in batches of 32, ten seeds. ReLinear starts as an ordinary
network; γ is the learning rate of the quadratic weights relative to the others, and λ the rate at which they
shrink. A run has collapsed if its loss explodes, or if it ends at chance on the samples that it was trained
on.

See where the shares of collapsed runs rise: started at random, quadratic networks collapse from η = 0.1 on,
all of ten, and one of ten at η = 0.03. The start of ReLinear alone moves that little: nine of ten at 0.1.
Slow quadratic weights move it far: with γ = 0.1 none collapses at 0.1, with γ = 0.01 none at 0.3. Each at its
best rate, ReLinear is better than the random start by 1.6 ± 0.9 % of test accuracy (95 % interval of ten
pairs). It is not better than an ordinary network of equally many parameters: by −1.0 ± 0.6 % with γ = 1 and
−0.7 ± 0.5 % with γ = 0.1; with γ = 0.01, −0.6 ± 0.6 %, no difference is shown. The trainings: ``quadflow
study relinear --output relinear.nc``.
"""

import contextlib

from empirical.studies.findings import read_findings
from figures.study import study_figure

with contextlib.chdir("../../.."):
    found = read_findings("docs/studies/relinear.nc")

figure = study_figure(found)
