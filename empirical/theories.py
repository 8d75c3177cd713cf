"""What trained networks are held against, by name: one flow for each optimiser, and its corrections.

A new theory is a function here and a line in `THEORIES`; which optimisers it follows, their entries say
(`empirical.optimizers`). PyTorch is not needed, and flows are imported where they are made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from dynamics.errors import ProblemError
from empirical.optimizers import OPTIMIZERS
from empirical.optimizers.base import Chosen

if TYPE_CHECKING:
    from dynamics.flows.adam import AdamFlow, RMSPropFlow
    from dynamics.flows.arc_length import ArcLengthFlow
    from dynamics.flows.gradient import GradientFlow
    from dynamics.flows.modified import ModifiedFlow
    from dynamics.flows.muon import MuonFlow
    from dynamics.flows.natural_gradient import NaturalGradientFlow
    from dynamics.flows.sign import SignFlow
    from dynamics.problem import Problem
    from dynamics.schedules.schedule import Spec
    from dynamics.sgd.mean_sgd import MeanSGD


Followed: TypeAlias = "GradientFlow | MeanSGD"
Decay = tuple[float, float]

SPREAD_UNKNOWNS = 80  # order parameters up to which the spread over seeds is computed: some 20 s


def choose_theory(entry_theories: tuple[str, ...], theory: str | None) -> str:
    """The theory of a name, or else the first of those that follow an optimiser."""
    if theory is not None:
        return theory
    return next((name for name in entry_theories if name in THEORIES), "flow")


def follow(problem: Problem, chosen: Chosen, theory: str, training: Mapping[str, Any]) -> Followed:
    """The theory of a name for networks that are trained by an optimiser.

    Parameters
    ----------
    problem : Problem
    chosen : Chosen
        The optimiser with its parameters and learning rate.
    theory : str
        One of `THEORIES`.
    training : mapping
        Further options of the training, such as batch, samples and label_noise.

    Raises
    ------
    ProblemError
        If it does not follow this optimiser, or not on this problem.
    """
    entry = chosen.entry
    if not THEORIES.keys() & set(entry.theories):
        able = ", ".join(name for name, other in OPTIMIZERS.items() if THEORIES.keys() & set(other.theories))
        raise ProblemError(
            f"`optimizer` is {entry.name!r}, which {entry.nature}, but a comparison takes one of: {able}."
        )
    if theory not in entry.theories:
        able = " or ".join(name for name, other in OPTIMIZERS.items() if theory in other.theories)
        raise ProblemError(
            f"`optimizer` is {entry.name!r}, which {entry.nature}, but `theory` {theory} is of {able}."
        )
    noise = training.get("label_noise", 0.0)
    if noise and not problem.loss.is_square:
        raise ProblemError(
            f"`label_noise` is {noise:g} and `loss` is {problem.loss.name!r}, but theories know noise of the labels"
            " under the square loss alone, whose mean gradient it does not change: train networks instead."
        )
    return THEORIES[theory].build(problem, chosen, training)


def _split(problem: Problem, chosen: Chosen) -> tuple[Problem, Decay]:
    """The problem that is descended, and the rates of decay that is decoupled from it."""
    from dynamics.problem.weight_decay import NO_DECAY

    decay = problem.weight_decay
    if not (decay and chosen.settings.decoupled):
        return problem, (0.0, 0.0)
    return replace(problem, weight_decay=NO_DECAY), (decay.first, decay.second)


def _flow(problem: Problem, chosen: Chosen, training: Mapping[str, Any]) -> GradientFlow:
    from dynamics.flows.gradient import GradientFlow

    return GradientFlow(chosen.minimised(problem))


def _modified(problem: Problem, chosen: Chosen, training: Mapping[str, Any]) -> ModifiedFlow:
    from dynamics.flows.modified import ModifiedFlow

    beta = chosen.settings.momentum
    if beta and chosen.settings.decoupled and problem.weight_decay:
        raise ProblemError(
            f"`decoupled` weight decay beside momentum {beta:g} is known to first order in the step only, but `theory` "
            "is 'modified': couple it, or take the flow."
        )
    return ModifiedFlow(problem, chosen.rate, beta, **chosen.rates, form=chosen.entry.form)


def _sgd(problem: Problem, chosen: Chosen, training: Mapping[str, Any]) -> MeanSGD:
    if chosen.settings.momentum or training.get("samples"):
        raise ProblemError(
            "`theory` is 'sgd', the mean dynamics of plain SGD on fresh samples: it needs momentum 0 and samples 0."
        )
    batch, label_noise = training.get("batch", 256), training.get("label_noise", 0.0)
    return one_pass_theory(problem, chosen.rate, batch, label_noise, **chosen.rates)


def _adam(problem: Problem, chosen: Chosen, training: Mapping[str, Any]) -> AdamFlow:
    from dynamics.flows.adam import AdamFlow

    descended, decay = _split(problem, chosen)
    settings = chosen.settings
    return AdamFlow(descended, chosen.rate, settings.betas, settings.epsilon, decay, **chosen.rates)


def _rmsprop(problem: Problem, chosen: Chosen, training: Mapping[str, Any]) -> RMSPropFlow:
    from dynamics.flows.adam import RMSPropFlow

    descended, decay = _split(problem, chosen)
    settings = chosen.settings
    return RMSPropFlow(descended, chosen.rate, settings.betas, settings.epsilon, decay, **chosen.rates)


def _arc_length(problem: Problem, chosen: Chosen, training: Mapping[str, Any]) -> ArcLengthFlow:
    from dynamics.flows.arc_length import ArcLengthFlow

    if problem.weight_decay and chosen.settings.decoupled:
        raise ProblemError(
            f"`decoupled` weight decay {problem.weight_decay} beside normalised steps is of no flow in its arc length, "
            "but coupled decay is: leave `decoupled` out."
        )
    return ArcLengthFlow(problem)


def _sign(problem: Problem, chosen: Chosen, training: Mapping[str, Any]) -> SignFlow:
    from dynamics.flows.sign import SignFlow

    return SignFlow(problem)


def _muon(problem: Problem, chosen: Chosen, training: Mapping[str, Any]) -> MuonFlow:
    from dynamics.flows.muon import MuonFlow

    descended, decay = _split(problem, chosen)
    return MuonFlow(descended, chosen.settings.epsilon, decay)


def _natural(problem: Problem, chosen: Chosen, training: Mapping[str, Any]) -> NaturalGradientFlow:
    from dynamics.flows.natural_gradient import NaturalGradientFlow

    descended, decay = _split(problem, chosen)
    return NaturalGradientFlow(descended, chosen.settings.damping, decay)


def one_pass_theory(
    problem: Problem,
    step: float,
    batch: int,
    label_noise: float,
    schedule: Spec = "constant",
    steps: int | None = None,
) -> MeanSGD:
    """Mean dynamics of SGD, with the spread over seeds where that is known and the network is small enough for it."""
    from dynamics.problem.scope import THEORIES as SCOPE
    from dynamics.sgd.fluctuations import FluctuatingSGD
    from dynamics.sgd.sphere_sgd import mean_sgd_of

    theory = mean_sgd_of(problem)(problem, step, batch, label_noise, schedule=schedule, steps=steps)
    small = len(theory.theta0) <= SPREAD_UNKNOWNS
    if not small or SCOPE["spread of SGD"].gap(problem):
        return theory
    return FluctuatingSGD(problem, step, batch, label_noise, schedule=schedule, steps=steps)


@dataclass(frozen=True)
class Theory:
    """A theory of training.

    Parameters
    ----------
    title : str
        What it is called where it is printed.
    build : callable (problem, chosen, training) → flow
        The theory for a problem, an optimiser, and the options of the training.
    rated : bool
        Whether it depends on the learning rate, beyond the time that a step counts.
    """

    title: str
    build: Callable[[Problem, Chosen, Mapping[str, Any]], Followed]
    rated: bool = False


THEORIES: dict[str, Theory] = {
    "flow": Theory("gradient flow", _flow),
    "modified": Theory("modified flow", _modified, rated=True),
    "sgd": Theory("mean of SGD", _sgd, rated=True),
    "adam": Theory("flow of Adam", _adam, rated=True),
    "rmsprop": Theory("flow of RMSProp", _rmsprop, rated=True),
    "arc length": Theory("gradient flow in its arc length", _arc_length),
    "sign": Theory("sign flow", _sign),
    "muon": Theory("flow of Muon", _muon),
    "natural": Theory("natural gradient flow", _natural),
}
"""What networks are held against, by name."""
