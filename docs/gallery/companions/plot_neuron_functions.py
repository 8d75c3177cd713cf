"""
How many functions neurons reach
================================

``quadflow figure neuron-functions``

The dimension of the set of functions that h units can represent, as the exact rank of a Jacobian (markers),
on the formulas (lines). See that two quadratic neurons reach what takes six ordinary neurons with quadratic
activation: all quadratic functions of five inputs.
"""

from dynamics.neuron import function_space_dimensions
from figures.neuron import function_space

figure = function_space(function_space_dimensions(5))
