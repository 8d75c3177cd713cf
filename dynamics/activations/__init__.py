"""Activations: φ and what theory asks of it, one family a file."""

from dynamics.activations.base import Activation as Activation
from dynamics.activations.table import ACTIVATIONS as ACTIVATIONS
from dynamics.activations.table import register as register
