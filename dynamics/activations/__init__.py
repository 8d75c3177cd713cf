"""Activations: φ and what theory asks of it, one family a file; the order here is that of `ACTIVATIONS`."""

from dynamics.activations.base import ACTIVATIONS as ACTIVATIONS
from dynamics.activations.base import FAMILIES as FAMILIES
from dynamics.activations.base import Activation as Activation
from dynamics.activations.base import register as register
from dynamics.activations.base import register_family as register_family

from dynamics.activations.quadratic import CENTRED as CENTRED, QUADRATIC as QUADRATIC  # isort: skip
from dynamics.activations.piecewise_linear import ABS as ABS, LINEAR as LINEAR, RELU as RELU  # isort: skip
from dynamics.activations.piecewise_linear import RELU2 as RELU2  # isort: skip
from dynamics.activations.smooth import ERF as ERF, TANH as TANH, SIGMOID as SIGMOID  # isort: skip
from dynamics.activations.smooth import SOFTPLUS as SOFTPLUS, SILU as SILU, ELU as ELU, GELU as GELU  # isort: skip
from dynamics.activations.families import HERMITE as HERMITE, LEAKY_RELU as LEAKY_RELU  # isort: skip
from dynamics.activations.families import POLYNOMIAL as POLYNOMIAL  # isort: skip
