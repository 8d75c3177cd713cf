"""Which learning rates quadratic neurons survive: random starts against ReLinear, on a grid of rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.errors import ProblemError
from dynamics.neuron.problem import DEVIATION, INITS, SCALE, Neurons, QuadraticTarget
from dynamics.validation import validate_count, validate_real
from dynamics.words import counted
from empirical.collapsed import share_interval
from empirical.devices import validate_device
from empirical.neuron.training import Relinear, batch_losses, draw, labels
from empirical.seeds import data_generator
from empirical.trainer import EXPLOSION, NEVER, descend, few_threads, gradient_of

LEARNING_RATES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.6)
GAMMAS = (1.0, 0.3, 0.1, 0.03, 0.0)


@dataclass(frozen=True, eq=False)
class CollapseStudy:
    """Fraction of diverging runs for every learning rate η and every relative rate γ = γ_g = γ_b.

    Parameters
    ----------
    learning_rates : (E,) array
    gammas : (C,) array
    fractions : dict of (C, E) arrays
        For starts "random" (all groups of weights random) and "relinear".
    starts : int
        Random starts behind each fraction.
    about : dict
        What its result depends on: sizes, steps, batch, scale of the initial weights, teacher, seed, and the limit
        beyond which a loss counts as diverged.
    """

    learning_rates: Array
    gammas: Array
    fractions: dict[str, Array]
    starts: int
    about: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def intervals(self) -> dict[str, Array]:
        """Ends (C, E, 2) of the 95 % intervals of the fractions; see `empirical.collapsed.share_interval`."""

        def ends(fraction: float) -> tuple[float, float]:
            return share_interval(round(fraction * self.starts), self.starts)

        return {
            name: np.array([[ends(f) for f in row] for row in rows]) for name, rows in self.fractions.items()
        }

    @property
    def conditions(self) -> str:
        """What the fractions depend on besides both rates, in two lines; empty where it is not known."""
        if "teacher" not in self.about:
            return ""
        about = self.about
        return (
            f"{counted(about['hidden'], 'unit')}, {counted(about['inputs'], 'input')}, {about['teacher']}\n"
            f"initial scale {about['init_scale']:g}, {counted(about['steps'], 'step')}, batches of {about['batch']}"
        )

    def to_dict(self) -> dict[str, Any]:
        """What the command prints."""
        return {
            "learning_rates": self.learning_rates,
            "gammas": self.gammas,
            **self.fractions,
            "intervals": self.intervals,
            "starts": self.starts,
            **self.about,
        }

    def summary(self) -> str:
        """Fraction of diverging runs, γ by γ."""
        head = f"diverging runs, % of {self.starts}; learning rate"
        rows = [head.ljust(46) + "".join(f"{eta:8g}" for eta in self.learning_rates)]
        for name, label in (("random", "random start"), ("relinear", "ReLinear start")):
            rows += [
                f"  {label}, γ = {gamma:g}".ljust(46) + "".join(f"{100 * f:8.0f}" for f in row)
                for gamma, row in zip(self.gammas, self.fractions[name], strict=True)
            ]
        return "\n".join([*rows, *(f"  {line}" for line in self.conditions.splitlines())])


def collapse_study(
    target: QuadraticTarget | None = None,
    *,
    inputs: int = 6,
    hidden: int = 6,
    learning_rates: Sequence[float] = LEARNING_RATES,
    gammas: Sequence[float] = GAMMAS,
    starts: int = 100,
    steps: int = 200,
    batch: int = 32,
    scale: float = SCALE,
    seed: int = 0,
    device: str = "cpu",
    progress: bool = False,
) -> CollapseStudy:
    """Train quadratic neurons from many starts with every pair (η, γ) and count the runs that diverge.

    Parameters
    ----------
    target : QuadraticTarget, optional
        What all learn; if left out, every start has a random target of its own with labels of standard deviation 2.
    inputs, hidden : int
        d and K.
    learning_rates, gammas : sequence of float
        η and γ_g = γ_b; (w^r, b^r) and the output weights have rate 1.
    starts : int
        Random starts; the same ones, and the same data, for every pair.
    steps, batch : int
        Steps of a run, fresh samples per step.
    scale : float
        Size of the initial weights, see `dynamics.neuron.Neurons.initialise`.
    seed : int
    device : str
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Returns
    -------
    CollapseStudy
        A run diverges if the loss of a batch becomes infinite, NaN, or 10⁶ times that of its first one.
    """
    d, K = validate_count("inputs", inputs), validate_count("hidden", hidden)
    S, last, size = (
        validate_count(n, v) for n, v in (("starts", starts), ("steps", steps), ("batch", batch))
    )
    if target is not None and target.inputs != d:
        raise ProblemError(f"The target has {target.inputs} inputs, but `inputs` is {d}.")
    etas = np.array([validate_real("learning_rates", eta, positive=True) for eta in learning_rates])
    gamma = np.array([validate_real("gammas", g, nonnegative=True) for g in gammas])
    if not (etas.size and gamma.size):
        raise ProblemError("`learning_rates` or `gammas` is empty, but each must name at least one value.")
    device = validate_device(device)
    networks = len(INITS) * len(gamma) * len(etas) * S
    check_memory(
        f"{networks} networks of {K} quadratic neurons with {d} inputs, trained together,",
        networks * 4 * (size * (12 * K + 6) + 8 * K * (3 * d + 4)) + 12 * S * (size * d + d**2),
        "lower `starts`",
    )
    generator = data_generator(device, seed)
    tensor = partial(torch.tensor, dtype=torch.float32, device=device)
    seeds = np.random.SeedSequence(seed).generate_state(S)
    targets = [QuadraticTarget.random(d, seed=int(s)) if target is None else target for s in seeds]
    T = tensor(np.stack([t.homogeneous for t in targets]))  # (S, d + 1, d + 1)

    shape = (len(INITS), len(gamma), len(etas), S)  # of the ensemble
    weights = [tensor(w).expand(*shape, *w.shape[4:]).clone() for w in _initial(K, d, scale, seeds)]
    step = tensor(etas)[:, None].expand(shape)
    slow = tensor(gamma)[:, None, None].expand(shape)

    def losses(n: int) -> Tensor:
        x = draw(generator, (S, size, d), torch.float32)
        return batch_losses(weights, x, labels(x, T))

    # thousands of networks, each so small that threads would wait for each other
    with few_threads(0):
        outcome = descend(
            gradient_of(losses, [w.requires_grad_() for w in weights]),
            Relinear(weights, (1.0, slow, slow, 1.0)),
            step,
            last,
            stop=np.all,
            by_its_own=True,
            what="collapse",
            progress=progress,
        )
    fractions = (outcome.diverged_at < NEVER).mean(-1)
    return CollapseStudy(
        learning_rates=etas,
        gammas=gamma,
        fractions=dict(zip(INITS, fractions, strict=True)),
        starts=S,
        about={
            **{"inputs": d, "hidden": K, "steps": last, "batch": size, "init_scale": scale, "seed": seed},
            "teacher": "a given teacher"
            if target is not None
            else f"random teachers of deviation {DEVIATION:g}",
            "limit": EXPLOSION,
        },
    )


def _initial(K: int, d: int, scale: float, seeds: NDArray[np.unsignedinteger]) -> list[Array]:
    """R, G, B (inits, 1, 1, S, K, d + 1) and a (inits, 1, 1, S, K) of both kinds of start."""
    networks = [
        [Neurons.initialise(K, d, init=init, scale=scale, seed=int(s)) for s in seeds] for init in INITS
    ]
    groups = (
        np.array([[getattr(n, name) for n in row] for row in networks]) for name in ("R", "G", "B", "a")
    )
    return [w[:, None, None] for w in groups]
