"""Plateau length against the size of the start, for chains of quadratic and of linear layers: theory and practice.

The theory are the closed forms of `dynamics.networks.chains`. In practice PyTorch networks learn on batches of fresh
samples from the same balanced starts; where samples say nothing of the population loss, since the square of x^p has a
relative variance E x^{4p}/(E x^{2p})² of tens of thousands (three quadratic layers), gradient descent goes down the
population loss itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.networks import LinearChain, NetworkProblem, QuadraticChain
from dynamics.progress import progress_bar
from dynamics.schedules import CONSTANT
from dynamics.validation import validate_count
from empirical.optimizers import find_optimizer
from empirical.optimizers.base import Chosen
from empirical.polynomial.comparison import descent_loss
from empirical.polynomial.training import train_network
from empirical.trainer import record_steps

HALF = 0.5  # of the target, which is learned where the plateau has ended
LONGER = 1.15  # a run goes on so much longer than the theory, so that the end is seen
RECORDS = 240
NOISY = 1e4  # relative variance of the squared target from which networks are not trained on samples
DECADE = 60  # sizes of a decade in a theory curve


@dataclass(frozen=True, eq=False)
class DepthCurve:
    """One chain.

    Parameters
    ----------
    name : str
        Its layers.
    quadratic : bool
    exponent : int
        Of the power of ε, which the plateau follows: −(H − 2) or −(N − 2).
    sizes, times : (T,) arrays
        ε, and when half of the target is learned.
    trained_sizes, trained_times : (T',) arrays
        The same of networks; NaN where they had not learned it at the end.
    sampled : bool
        Whether networks were trained on samples, or by descent on the population loss.
    """

    name: str
    quadratic: bool
    exponent: int
    sizes: Array
    times: Array
    trained_sizes: Array
    trained_times: Array
    sampled: bool


def depth_curves(
    quadratic: Sequence[int] = (1, 2, 3),
    linear: Sequence[int] = (2, 3, 4),
    *,
    steps: int = 600,
    batch: int = 512,
    seeds: int = 4,
    seed: int = 0,
    progress: bool = False,
) -> list[DepthCurve]:
    """Plateaus of balanced chains with one unit per layer.

    Parameters
    ----------
    quadratic, linear : sequence of int
        Numbers of layers ℓ and N.
    steps : int
        About how many steps a network takes until it has learned half: its learning rate follows from that.
    batch, seeds, seed : int
        As for `empirical.polynomial.train_network`; times are those of the mean loss over the seeds.
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Returns
    -------
    list of DepthCurve

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    validate_count("steps", steps, minimum=100)
    chains = [(QuadraticChain(n), True) for n in quadratic] + [(LinearChain(n), False) for n in linear]
    if not chains:
        raise ProblemError("`quadratic` and `linear` name no chain: give at least one number of layers.")
    bar = progress_bar(chains, "chains", shown=progress, remedy="lower `steps`, `batch` or `seeds`")
    return [_curve(chain, is_quadratic, steps, batch, seeds, seed) for chain, is_quadratic in bar]


def _curve(
    chain: QuadraticChain | LinearChain, quadratic: bool, steps: int, batch: int, seeds: int, seed: int
) -> DepthCurve:
    """Theory and practice of one chain."""
    low, high, trained = RANGES[quadratic][min(chain.layers, 4 if not quadratic else 3)]
    count = max(2, int(DECADE * np.log10(high / low)))
    sizes = np.geomspace(low, high, count)
    sampled = not quadratic or _relative_variance(chain.layers) < NOISY
    ended = [_trained(chain, quadratic, size, steps, batch, seeds, seed, sampled) for size in trained]
    n = chain.layers
    layers = f"{n} {'quadratic' if quadratic else 'linear'} layer{'s' if n > 1 else ''}"
    exponent = -(2 ** (n + 1) - 3) if quadratic else -(n - 2)
    return DepthCurve(
        layers,
        quadratic,
        exponent,
        sizes,
        np.array([half_time(chain, quadratic, size) for size in sizes]),
        np.array(trained),
        np.array(ended),
        sampled,
    )


# sizes of the theory curve from and to, and those of networks: plateaus that a run of some thousand steps outlasts
RANGES: dict[bool, dict[int, tuple[float, float, tuple[float, ...]]]] = {
    True: {
        1: (0.01, 0.3, (0.02, 0.06, 0.18)),
        2: (0.02, 0.3, (0.17, 0.2, 0.25)),
        3: (0.12, 0.36, (0.25, 0.28, 0.32)),
    },
    False: {
        2: (0.01, 0.3, (0.015, 0.03, 0.12)),
        3: (0.01, 0.3, (0.03, 0.08, 0.2)),
        4: (0.02, 0.4, (0.08, 0.15, 0.3)),
    },
}


def half_time(chain: QuadraticChain | LinearChain, quadratic: bool, size: float) -> float:
    """When a chain that starts from the size ε has learned half of its target."""
    return chain.time(size, HALF) if quadratic else chain.time(size**chain.layers, HALF * chain.strength)


def _trained(
    chain: QuadraticChain | LinearChain,
    quadratic: bool,
    size: float,
    steps: int,
    batch: int,
    seeds: int,
    seed: int,
    sampled: bool,
) -> float:
    """When networks have learned half of the target; NaN if they have not at the end."""
    start = np.sqrt(chain.counts) * size if isinstance(chain, QuadraticChain) else np.full(chain.layers, size)
    problem = NetworkProblem(chain.network, chain.target, start)
    eta = half_time(chain, quadratic, size) / steps
    length = int(LONGER * steps)
    at = record_steps(length, RECORDS)
    if sampled:
        run = train_network(
            problem, steps=length, step=eta, batch=batch, seeds=seeds, seed=seed, record_at=at
        )
        loss = run.loss.mean(axis=0)
    else:
        entry = find_optimizer("sgd")
        loss = descent_loss(problem, Chosen(entry, entry.choose(), eta, CONSTANT, length), at)
    return first_time(
        np.asarray(at * eta, dtype=float),
        loss,
        (1 - HALF) ** 2 * loss[0] / _start_share(chain, quadratic, size),
    )


def _start_share(chain: QuadraticChain | LinearChain, quadratic: bool, size: float) -> float:
    """The loss at the start over that of a network that has learned nothing."""
    learned = chain.factor * size**chain.order if isinstance(chain, QuadraticChain) else size**chain.layers
    return float((1 - learned / chain.strength) ** 2)


def first_time(times: Array, loss: Array, level: float) -> float:
    """When a loss first falls to a level, between records on a straight line; NaN if it does not."""
    below = np.flatnonzero(loss <= level)
    if not below.size:
        return float("nan")
    i = int(below[0])
    if i == 0:
        return float(times[0])
    share = (loss[i - 1] - level) / (loss[i - 1] - loss[i])
    return float(times[i - 1] + share * (times[i] - times[i - 1]))


def _relative_variance(layers: int) -> float:
    """E x^{4p}/(E x^{2p})² of the target x^p of so many quadratic layers."""
    p = 2**layers
    fourth, second = (float(np.prod(np.arange(1.0, n, 2))) for n in (4 * p, 2 * p))
    return fourth / second**2
