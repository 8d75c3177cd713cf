"""Quadratic networks under laws of which the fourth moment is known."""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array
from dynamics.covariance import symmetric_root
from dynamics.inputs.setting import Setting
from dynamics.population.form import FormPopulation
from dynamics.population.fourth_moment import CentredMoment, FourthMoment, MappedMoment


def is_form(problem: Setting) -> bool:
    """Whether student and teacher are forms in the inputs, for which the fourth moment suffices."""
    return problem.realisable and problem.activation.trace_coupling is not None


def mapped(moment: FourthMoment, covariance: Array | None) -> FourthMoment:
    """That of x = Σ^{1/2} z, for the one of z."""
    return moment if covariance is None else MappedMoment(moment, symmetric_root(covariance))


def form_loss(problem: Setting, moment: FourthMoment) -> FormPopulation:
    """Loss of a quadratic or centred network."""
    if problem.activation.trace_coupling == 0:
        second = problem.second_moment
        moment = CentredMoment(moment, np.eye(problem.inputs) if second is None else second)
    return FormPopulation(problem.teacher.V, problem.teacher.B, moment)
