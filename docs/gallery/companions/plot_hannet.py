"""
Gradients through a hundred layers
==================================

``quadflow figure hannet``

A Han layer reflects and takes absolute values, so that all singular values of its Jacobian are one. See that
the gradient arrives at the first of a hundred layers as it left the last. With ReLU layers it shrinks on the
way, by a factor of about twenty if they are initialised with He's variance, by forty decades with PyTorch's
default.
"""

from empirical.hannet.check import check_hannet
from figures.hannet import gradient_norms

figure = gradient_norms(check_hannet(100, 30))
