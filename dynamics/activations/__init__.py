"""Activations: one family a file; `ACTIVATIONS` lists them."""

from dynamics.activations.table import ACTIVATIONS as ACTIVATIONS
from dynamics.activations.table import Activation as Activation
from dynamics.activations.table import require_quadratic as require_quadratic
