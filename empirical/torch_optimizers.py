"""What an optimiser of `torch.optim` says of itself: which one of ours it is, with which parameters, at which rates.

PyTorch keeps everything in the parameter groups of the object. The table `READERS` says of each class which optimiser
of `empirical.optimizers` steps like it and how its groups are read; a class that is not in it, or an option that
changes its steps, is recorded all the same, and no theory follows it. A scheduler changes the learning rates in the
groups: `empirical.step_log.StepLog` reads them at every step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.population.base import Population
from dynamics.problem import Problem
from dynamics.problem.weight_decay import WeightDecay
from empirical.optimizers import find_optimizer
from empirical.optimizers.base import Optimizer, Settings
from empirical.speed import speed_notes
from empirical.step_log import StepLog

Group = Mapping[str, Any]
FIRST_FIXED = (0.0, 1.0)  # learning rates of the layers where only the second is trained
FAINT = 1e-6  # of the largest force: a layer may stand still under a smaller one


@dataclass(frozen=True)
class Rule:
    """How a parameter group steps.

    Parameters
    ----------
    optimizer : str
        Name in `empirical.optimizers.OPTIMIZERS`.
    momentum : float or None
        β; None where the optimiser takes none.
    betas : tuple of float or None
    epsilon : float or None
    decoupled : bool
        Whether its weight decay is decoupled.
    odd : str
        What it does besides, which no theory follows: "it …"; empty if nothing.
    """

    optimizer: str
    momentum: float | None = None
    betas: tuple[float, ...] | None = None
    epsilon: float | None = None
    decoupled: bool = False
    odd: str = ""

    @property
    def entry(self) -> Optimizer:
        """The optimiser."""
        return find_optimizer(self.optimizer)

    @property
    def settings(self) -> Settings:
        """Its parameters."""
        return self.entry.choose(self.momentum, self.betas, self.epsilon, decoupled=self.decoupled)


def _sgd(group: Group) -> Rule:
    """v ← βv + (1 − τ)g; dampening τ is odd, and without momentum nothing."""
    beta = float(group["momentum"])
    name = "nesterov" if group["nesterov"] else "momentum" if beta else "sgd"
    damped = beta and group["dampening"]
    return Rule(name, beta, odd=f"has the dampening {group['dampening']:g}" if damped else "")


def _adam(group: Group) -> Rule:
    decoupled = bool(group.get("decoupled_weight_decay", False))
    return Rule(
        "adamw" if decoupled else "adam",
        betas=tuple(float(beta) for beta in group["betas"]),
        epsilon=float(group["eps"]),
        decoupled=decoupled,
        odd="has amsgrad" if group["amsgrad"] else "",
    )


def _adamw(group: Group) -> Rule:
    return _adam({**group, "decoupled_weight_decay": True})


def _rmsprop(group: Group) -> Rule:
    odd = (
        "is centered"
        if group["centered"]
        else f"has the momentum {group['momentum']:g}"
        if group["momentum"]
        else ""
    )
    return Rule("rmsprop", betas=(float(group["alpha"]),), epsilon=float(group["eps"]), odd=odd)


READERS: dict[type[torch.optim.Optimizer], Callable[[Group], Rule]] = {
    torch.optim.SGD: _sgd,
    torch.optim.Adam: _adam,
    torch.optim.AdamW: _adamw,
    torch.optim.RMSprop: _rmsprop,
}


@dataclass(frozen=True, eq=False)
class Reading:
    """An optimiser object, as read while it trains the layers W and A of a network.

    Parameters
    ----------
    class_name : str
        Of the object, such as "torch.optim.SGD".
    log : StepLog
    first, second : int or None
        Numbers of the groups of W and of A; None where that layer is not trained.
    rule : Rule or None
        How they step; None of a class that is not in the table.
    weight_decay : (ρ_w, ρ_a)
        Of the loss of the theory.
    factor : float
        How many times as long steps along that loss are.
    """

    class_name: str
    log: StepLog
    first: int | None
    second: int | None
    rule: Rule | None
    weight_decay: tuple[float, float]
    factor: float = 1.0

    @property
    def trained(self) -> tuple[bool, bool]:
        """Which layers are trained: those in a group whose rate was not zero in all steps so far."""
        held = [i is not None for i in (self.first, self.second)]
        moving = [i is not None and any(self.log.rates[i]) for i in (self.first, self.second)]
        W, A = moving if any(moving) else held
        return W, A

    @property
    def timed(self) -> int:
        """Number of the group that time is counted by: of the first layer, if it is trained."""
        group = self.first if self.trained[0] else self.second
        assert group is not None
        return group

    @property
    def rates(self) -> Array:
        """Learning rates of that group in all steps so far, along the loss of the theory, (N,)."""
        return self.factor * np.array(self.log.rates[self.timed])

    @property
    def largest_rate(self) -> float:
        """Largest learning rate so far, or the present one before the first step."""
        present = self.factor * float(self.log.optimizer.param_groups[self.timed]["lr"])
        return float(self.rates.max()) if self.log.steps else present

    def minimised(self, problem: Problem) -> Problem:
        """The problem with the weight decay of the optimiser, as far as it is of an objective.

        Raises
        ------
        ProblemError
            If the problem has a decay of its own.
        """
        if not any(self.weight_decay):
            return problem
        if problem.weight_decay:
            raise ProblemError(
                f"`weight_decay` is {problem.weight_decay} of the problem and {self.weight_decay[0]:g} of the"
                " optimiser, but one of them must say it alone."
            )
        student = replace(problem.student, trainable=self.second is not None)
        decayed = replace(problem, student=student, weight_decay=WeightDecay(*self.weight_decay))
        if self.rule is None:
            return decayed
        return self.rule.entry.minimises(decayed, self.rule.settings)

    def lawful(self, problem: Problem) -> Problem | None:
        """The minimised problem again, as its decay makes the law of c_k; None where c_k has no law."""
        if not (problem.weight_decay or any(self.weight_decay)):
            return problem
        known = self.rule is not None and self.rule.entry.balance_share(self.rule.settings) is not None
        return problem if known else None

    @property
    def ticks(self) -> Array:
        """Times t_0 … t_N of the flow: Σ η_n, or Σ η_n/(1 − β) where velocities add gradients up."""
        shares: Array | float = 1.0
        if self.rule is not None and self.rule.entry.adds_up:
            shares = 1 - np.array(self.log.momenta[self.timed])
        return np.append(0.0, np.cumsum(self.rates / shares))

    @property
    def layer_rates(self) -> tuple[float, float] | None:
        """Learning rates of the layers in units of the first one's, to rounding; None if that changed on the way.

        A second layer that is fixed has that of the first; a first one has 0, in units of the second.
        """
        if not self.trained[0]:
            return FIRST_FIXED
        if not self.trained[1] or self.second == self.first:
            return 1.0, 1.0
        assert self.first is not None
        assert self.second is not None
        one, two = (np.array(self.log.rates[i]) for i in (self.first, self.second))
        ratio = float(two @ one / (one @ one)) if one.any() else 1.0
        return (1.0, ratio) if np.allclose(two, ratio * one, rtol=1e-9, atol=0) else None

    @property
    def why_not(self) -> str:
        """Why no theory follows it, in one sentence; empty if one may."""
        what = f"`optimizer` is a {self.class_name}"
        if self.rule is None:
            known = ", ".join(f"torch.optim.{kind.__name__}" for kind in READERS)
            return f"{what}, which no theory follows: there is one of {known}."
        if self.rule.odd:
            return f"{what} that {self.rule.odd}, which no theory follows."
        if self.log.resumed:
            return f"{what} that had made steps before it was recorded: a theory starts where its memory is empty."
        if self.log.changed_at is not None:
            return (
                f"{what} whose options changed at step {self.log.changed_at}, but theories follow rates only."
            )
        if self.layer_rates is None:
            return f"{what} whose layers have learning rates that changed against each other, which no theory follows."
        return ""

    def why_not_of(self, objective: Population, W: Array, A: Array) -> str:
        """The same, where the records (S, T, …) also tell which layers moved: as the optimiser says, or not."""
        what = f"`optimizer` is a {self.class_name}"
        forces = [np.abs(F).max() for F in objective.velocity(W[0, 0], A[0, 0])]
        moved = [bool((X[:, :1] != X).any()) for X in (W, A)]
        for name, trained, moves, other, force in zip(
            ("first", "second"), self.trained, moved, moved[::-1], forces, strict=True
        ):
            if moves and not trained:
                return self.why_not or (
                    f"{what} that does not train the {name} layer, which moves all the same: let `weights` return the"
                    " parameters themselves, and the optimiser alone change them."
                )
            if trained and other and not moves and force > FAINT * max(forces):
                return self.why_not or (
                    f"{what} that trains the {name} layer, which stands still all the same: leave out of the optimiser"
                    " what gets no gradient."
                )
        return self.why_not

    def notes(self, objective: Population, times: Array, W: Array, A: Array) -> list[str]:
        """What to say of a loop with this optimiser, which a theory follows: what its layers keep, or its speed.

        Parameters
        ----------
        objective : Population
            What is minimised.
        times, W, A : (T,), (S, T, K, d), (S, T, O, K) arrays
            The records.
        """
        if self.layer_rates not in ((1.0, 1.0), FIRST_FIXED):
            return [
                "the layers have learning rates of their own: ‖w_k‖²/η_w − h Σ_o A_ok²/η_a stays, not c_k"
            ]
        assert self.rule is not None
        return speed_notes(objective, times, W, A) if self.rule.entry.adds_up else []

    def about(self) -> dict[str, Any]:
        """What a run stores of it."""
        read: dict[str, Any] = {
            "torch_optimizer": self.class_name,
            "weight_decay": [
                rho if on else 0.0 for rho, on in zip(self.weight_decay, self.trained, strict=True)
            ],
            "trainable": self.trained[1],
            "no_theory": self.why_not,
        }
        if self.layer_rates != (1.0, 1.0):
            read["layer_rates"] = None if self.layer_rates is None else list(self.layer_rates)
        if self.rule is None:
            return read | {"optimizer": self.class_name, "momentum": 0.0}
        return read | self.rule.entry.about(self.rule.settings)


def read_optimizer(log: StepLog, W: Tensor, A: Tensor, factor: float = 1.0) -> Reading:
    """Read an optimiser that trains the layers W and A of a network.

    Parameters
    ----------
    log : StepLog
        Of the optimiser.
    W, A : tensors
        The parameters themselves, or what is computed from them where one group holds everything.
    factor : float
        The loop minimises so many times the loss s of the theory. Descent along sg + ρθ is s times as fast along
        g + ρθ/s; a rule that divides by its memories goes along both as fast, with ε/s for ε.

    Raises
    ------
    ProblemError
        If neither is trained by it, or its groups step differently.
    """
    if not log.steps:
        log.begin()
    groups = log.optimizer.param_groups
    first, second = (_group_of(groups, layer) for layer in (W, A))
    others = [p for group in groups for p in group["params"] if p is not W and p is not A]
    if others and len(groups) == 1 and all(p.requires_grad for p in others):  # of which a layer is computed
        first = first if _is_held(groups, W) or isinstance(W, nn.Parameter) else 0
        second = second if _is_held(groups, A) or isinstance(A, nn.Parameter) else 0
    if first is None and second is None:
        raise ProblemError(
            "`optimizer` trains neither layer of this network, or it cannot be told which of its groups does: let"
            " `weights` return the parameters themselves."
        )
    if any(group.get("maximize") for group in groups):
        raise ProblemError("`optimizer` maximises, but a loss is minimised: leave `maximize` out.")
    kind = type(log.optimizer)
    reader = READERS.get(kind)
    held = [groups[i] for i in (first, second) if i is not None]
    rules = [None if reader is None else reader(group) for group in held]
    if len(set(rules)) > 1:
        raise ProblemError(
            "`optimizer` steps differently in the groups of the two layers, but only their learning rates and weight"
            " decays may differ."
        )
    rho_w, rho_a = (0.0 if i is None else float(groups[i].get("weight_decay", 0.0)) for i in (first, second))
    rule = rules[0]
    scaled = factor if rule is not None and rule.entry.adds_up else 1.0
    if rule is not None and rule.epsilon:
        rule = replace(rule, epsilon=rule.epsilon / factor)
    if rule is not None and (scaled != 1 or not rule.decoupled):
        rho_w, rho_a = rho_w / factor, rho_a / factor
    module = "torch.optim" if kind.__module__.startswith("torch.optim") else kind.__module__
    return Reading(
        f"{module}.{kind.__name__}",
        log,
        first,
        second,
        rule,
        (rho_w, rho_a),
        scaled,
    )


def _is_held(groups: Sequence[Group], layer: Tensor) -> bool:
    """Whether a layer is a parameter in a group, frozen or not."""
    return any(p is layer for group in groups for p in group["params"])


def _group_of(groups: Sequence[Group], layer: Tensor) -> int | None:
    """Number of the group that trains a layer: none of one that is frozen."""
    if not layer.requires_grad:
        return None
    return next((i for i, group in enumerate(groups) if any(p is layer for p in group["params"])), None)
