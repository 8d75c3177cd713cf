"""Activations: φ and what theory asks of it, one family a file; the order here is that of `ACTIVATIONS`."""

from dynamics.activations.base import ACTIVATIONS as ACTIVATIONS
from dynamics.activations.base import Activation as Activation
from dynamics.activations.base import register as register

from dynamics.activations.quadratic import CENTRED as CENTRED, QUADRATIC as QUADRATIC  # isort: skip
from dynamics.activations.piecewise_linear import ABS as ABS, LINEAR as LINEAR, RELU as RELU  # isort: skip
