"""What an optimiser is to everybody else: how it steps, what a step counts, and which theory follows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from dynamics.errors import ProblemError
from dynamics.flows.momentum import HEAVY_BALL, Momentum
from empirical.optimizers.rules import Constrained as Constrained
from empirical.optimizers.rules import Decayed as Decayed
from empirical.optimizers.rules import Rule as Rule
from empirical.optimizers.rules import SideBySide as SideBySide
from empirical.optimizers.rules import move as move

if TYPE_CHECKING:
    from torch import Tensor

    from dynamics.clock import Clock
    from dynamics.problem import Problem
    from dynamics.schedules.schedule import Spec


@dataclass(frozen=True)
class Settings:
    """The parameters of a rule besides its learning rate; those that it does not take are as they are here.

    Parameters
    ----------
    momentum : float
        β of a velocity.
    betas : tuple of float
        Memories of running means, as shares that are kept from step to step.
    epsilon : float
        What is added to a denominator.
    damping : float
        δ, what is added to a metric.
    decoupled : bool
        Whether weights decay by themselves, θ ← (1 − ηρ)θ, instead of by a gradient ρθ.
    """

    momentum: float = 0.0
    betas: tuple[float, ...] = ()
    epsilon: float = 0.0
    damping: float = 0.0
    decoupled: bool = False


def no_law(settings: Settings) -> float | None:
    """None: under weight decay nothing is known of c_k in the time of the steps."""
    return None


def law_of_descent(settings: Settings) -> float | None:
    """Of descent along the gradient, with or without a velocity that adds up; see `Optimizer.minimises`."""
    return 1 - settings.momentum if settings.decoupled else 1.0


def no_counts(rule: Any) -> dict[str, int]:
    """Nothing is counted."""
    return {}


class Start(Protocol):
    """Begins a descent."""

    def __call__(self, parameters: Sequence[Tensor], settings: Settings, problem: Problem) -> Rule:
        """Rule for some parameters.

        Parameters
        ----------
        parameters : sequence of tensors
            Trained weights ([S,] n_l, n_{l−1}) from the first layer to the last, and an output bias ([S,] O) that is
            trained; with a leading axis those of an ensemble.
        settings : Settings
        problem : Problem
            What is learned: for rules that need to know the activation, or the law of the inputs.
        """
        ...


@dataclass(frozen=True)
class Optimizer:
    """One optimiser.

    Parameters
    ----------
    name : str
        As on the command line.
    start : Start
        How PyTorch steps.
    momentum : float or None
        β where none is given; None: it takes no momentum.
    betas : tuple of float
        Memories where none are given; empty: it takes none.
    epsilon, damping : float or None
        ε and δ where none are given; None: it takes none.
    decoupled : bool
        Whether its weight decay is decoupled where nothing else is said.
    adds_up : bool
        Whether its velocity adds gradients up to ∇L/(1 − β), so that a step counts η/(1 − β) on the clock. Otherwise
        it counts η.
    form : Momentum
        Of what adds up: which modified flow follows it.
    entrywise : bool
        Whether it treats each weight by itself, so that what it does depends on the axes of the inputs.
    copies : int
        Arrays of the size of the weights that a step takes, weights and gradients included.
    decays : bool
        Whether weights may decay.
    takes_bias : bool
        Whether an output bias may be trained with the layers.
    balance_share : callable settings → float or None
        By which share of their rates of decay the layers count in the law of c_k, in the time of the steps; None where
        c_k has no law there.
    theories : tuple of str
        Which theories of `empirical.theories.THEORIES` follow it, first the one for steps that go to zero.
    nature : str
        Why it is those and no others: "`optimizer` is …, which {nature}".
    survives : str
        Which of the conserved quantities of gradient flow it keeps: "it keeps {survives}".
    counts : callable rule → dict
        What its rule has counted by the end, which a run says of itself.
    shared : str
        What networks trained together have in common ("a skeleton"), if they therefore must have one start and one
        learning rate.
    two_layers : bool
        Whether it trains two-layer networks only.
    """

    name: str
    start: Start
    momentum: float | None = 0.0
    betas: tuple[float, ...] = ()
    epsilon: float | None = None
    damping: float | None = None
    decoupled: bool = False
    adds_up: bool = False
    form: Momentum = HEAVY_BALL
    entrywise: bool = False
    copies: int = 4
    decays: bool = True
    takes_bias: bool = True
    balance_share: Callable[[Settings], float | None] = no_law
    theories: tuple[str, ...] = ()
    nature: str = "no theory follows"
    survives: str = ""
    counts: Callable[[Any], dict[str, int]] = no_counts
    shared: str = ""
    two_layers: bool = False

    def choose(
        self,
        momentum: float | None = None,
        betas: Sequence[float] | None = None,
        epsilon: float | None = None,
        damping: float | None = None,
        decoupled: bool | None = None,
    ) -> Settings:
        """The given parameters, or the defaults.

        Raises
        ------
        ProblemError
            If one is not usable, or the optimiser does not take it.
        """
        return Settings(
            self.choose_momentum(momentum),
            self._choose_betas(betas),
            self._choose_real("epsilon", epsilon, self.epsilon),
            self._choose_real("damping", damping, self.damping),
            self.decoupled if decoupled is None else bool(decoupled),
        )

    def choose_momentum(self, momentum: float | None) -> float:
        """β in [0, 1): the given one, or the default.

        Raises
        ------
        ProblemError
            If it is not in this range, or there is no momentum to be chosen.
        """
        from dynamics.validation import validate_momentum

        beta = validate_momentum(self.momentum or 0.0 if momentum is None else momentum)
        if beta and self.momentum is None:
            raise ProblemError(f"`momentum` is {beta:g}, but `optimizer` {self.name} has none: leave it out.")
        return beta

    def _choose_betas(self, betas: Sequence[float] | None) -> tuple[float, ...]:
        from dynamics.validation import validate_real

        if betas is None:
            return self.betas
        given = tuple(validate_real("betas", beta, nonnegative=True) for beta in betas)
        shown = ",".join(f"{beta:g}" for beta in given)
        if len(given) != len(self.betas):
            takes = f"takes {len(self.betas)}" if self.betas else "has no memories: leave them out"
            raise ProblemError(f"`betas` is {shown}, but `optimizer` {self.name} {takes}.")
        if max(given) >= 1:
            raise ProblemError(f"`betas` is {shown}, but each must be below 1.")
        return given

    def _choose_real(self, name: str, value: float | None, default: float | None) -> float:
        from dynamics.validation import validate_real

        if value is None:
            return default or 0.0
        if default is None:
            raise ProblemError(
                f"`{name}` is {value!r}, but `optimizer` {self.name} takes none: leave it out."
            )
        return validate_real(name, value, nonnegative=True)

    def begin(self, parameters: Sequence[Tensor], settings: Settings, problem: Problem) -> Rule:
        """Rule for the trained weights of a problem, with its weight decay and its constraint.

        Raises
        ------
        ProblemError
            If the optimiser cannot train it.
        """
        decay = problem.weight_decay
        if decay and not self.decays:
            raise ProblemError(f"`weight_decay` is {decay}, but `optimizer` {self.name} {self.nature}.")
        if problem.bias.trainable and not self.takes_bias:
            raise ProblemError(
                f"`bias` is trainable, but `optimizer` {self.name} {self.nature}, which is known of layers without one:"
                " fix it."
            )
        rule = self.start(parameters, settings, problem)
        rates = (decay.first, decay.second, 0.0)[: len(parameters)]  # an output bias does not decay
        rule = Decayed(rule, list(parameters), rates, settings.decoupled) if decay else rule
        put_back = problem.constraint.put_back
        return rule if put_back is None else Constrained(rule, parameters[0], put_back)

    def clock(
        self, step: float, momentum: float, schedule: Spec = "constant", steps: int | None = None
    ) -> Clock:
        """Which time of the flow belongs to which step, of a run of so many steps with a schedule."""
        from dynamics.clock import Clock

        return Clock(step, momentum if self.adds_up else 0.0, schedule, steps)

    def minimises(self, problem: Problem, settings: Settings) -> Problem:
        """The problem whose objective falls: with the decay that counts in the time of the flow, or without one.

        Decoupled decay beside a velocity, θ ← (1 − ηρ)θ − ηv, has the rate (1 − β)ρ in the time η n/(1 − β). Where
        steps are no multiples of gradients it is of no objective at all.
        """
        from dynamics.problem.weight_decay import WeightDecay

        decay = problem.weight_decay
        if not (decay and settings.decoupled):
            return problem
        share = 1 - settings.momentum if self.adds_up else 0.0
        return replace(problem, weight_decay=WeightDecay(share * decay.first, share * decay.second))

    def lawful(self, problem: Problem, settings: Settings) -> Problem | None:
        """The problem whose decay makes the law of c_k in the time of the steps; None where c_k has no law."""
        from dynamics.problem.weight_decay import WeightDecay

        decay = problem.weight_decay
        if not decay:
            return problem
        share = self.balance_share(settings)
        if share is None:
            return None
        return replace(problem, weight_decay=WeightDecay(share * decay.first, share * decay.second))

    def about(self, settings: Settings) -> dict[str, Any]:
        """What a run says of the parameters that the optimiser takes, and of what survives."""
        taken = {"betas": list(settings.betas)} if self.betas else {}
        for name in ("epsilon", "damping"):
            if getattr(self, name) is not None:
                taken[name] = getattr(settings, name)
        return {
            "optimizer": self.name,
            "momentum": settings.momentum,
            **taken,
            "decoupled": settings.decoupled,
            "survives": self.survives,
        }


@dataclass(frozen=True)
class Chosen:
    """An optimiser with its parameters and its learning rate.

    Parameters
    ----------
    entry : Optimizer
    settings : Settings
    step : float or None
        η; None where nobody said it, which theories that need it refuse.
    schedule : Schedule, str, callable or array
        Rates η_n = η s_n, see `dynamics.schedules.Schedule.of`.
    steps : int, optional
        Number of steps of the schedule; a constant one needs none.
    """

    entry: Optimizer
    settings: Settings
    step: float | None = None
    schedule: Spec = "constant"
    steps: int | None = None

    @property
    def clock(self) -> Clock:
        """Which time of the flow belongs to which step."""
        return self.entry.clock(self.rate, self.settings.momentum, self.schedule, self.steps)

    @property
    def rates(self) -> dict[str, Any]:
        """What every theory of a schedule takes."""
        return {"schedule": self.schedule, "steps": self.steps}

    @property
    def rate(self) -> float:
        """η.

        Raises
        ------
        ProblemError
            If it is not given.
        """
        if self.step is None:
            raise ProblemError(
                f"`step` is missing: the theory of `optimizer` {self.entry.name} depends on it."
            )
        return self.step

    def minimised(self, problem: Problem) -> Problem:
        """See `Optimizer.minimises`."""
        return self.entry.minimises(problem, self.settings)
