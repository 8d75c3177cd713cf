"""A class drawn with the teacher's probability."""

from __future__ import annotations

from dynamics.activations.functions import sigmoid
from dynamics.labels.base import Labels, register
from dynamics.losses import LOGISTIC

BERNOULLI = register(Labels("bernoulli", "y ~ Bernoulli(σ(f*))", sigmoid, link=LOGISTIC))
