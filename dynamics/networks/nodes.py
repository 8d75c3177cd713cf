"""Where a network is evaluated to take means over Gaussian inputs, with which weights, and what that costs.

Grid: a polynomial of degree 2p in z ~ N(0, I_r) has its exact mean on the tensor Gauss–Hermite grid of p + 1 nodes per
direction, since p + 1 nodes are exact up to degree 2p + 1 (Gauss). Where it is even, half of the nodes do.

Draws: scrambled Sobol points, mapped to Gaussian ones, in independent groups: the spread of the means over groups is
their error bar (Owen's randomised quasi-Monte Carlo; the estimate of a variance from few groups, as usual).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from dynamics.aliases import Array
from dynamics.budget import check_memory, check_number
from dynamics.errors import ProblemError
from dynamics.validation import validate_count

LARGEST_GRID = 4_000_000  # nodes
LARGEST_DRAWS = 2**22
MOST_DIMENSIONS = 1000  # of Sobol points
GROUPS = 8
ADVICE = "use fewer inputs, a lower degree, or means over draws, --expectation samples:N"


@dataclass(frozen=True, eq=False)
class Nodes:
    """Points (n, r) and weights (n,), which sum to one; for draws the number of independent groups in a row."""

    Z: Array
    weights: Array
    groups: int = 1

    @property
    def exact(self) -> bool:
        """Whether means of polynomials of the degree that was asked for are exact."""
        return self.groups == 1


def grid_size(degree: int, directions: int) -> int:
    """Number of nodes of the grid for products of two polynomials of a degree p: (p + 1)^r."""
    return (degree + 1) ** directions


def grid(degree: int, directions: int, even: bool = False) -> Nodes:
    """The grid on which squares of polynomials of a degree have exact means; where they are even, half of it.

    Raises
    ------
    ProblemError
        If it has more nodes than anybody can wait for.
    """
    count = grid_size(degree, directions)
    what = f"The grid of {degree + 1} nodes in each of {directions} directions"
    check_number(what, count, LARGEST_GRID, "nodes", ADVICE)
    check_memory(what, 8 * count * (directions + 1), ADVICE)
    x, w = np.polynomial.hermite_e.hermegauss(degree + 1)
    w = w / w.sum()
    x = (x - x[::-1]) / 2  # symmetric to the last bit
    Z = np.stack([axis.ravel() for axis in np.meshgrid(*[x] * directions, indexing="ij")], axis=1)
    weights = np.ones(1)
    for _ in range(directions):
        weights = np.multiply.outer(weights, w).ravel()
    if not even:
        return Nodes(Z, weights)
    kept = (
        count // 2
    )  # the nodes and their opposites stand in opposite order; the one in the middle is its own
    Z, weights = Z[: count - kept], weights[: count - kept].copy()
    weights[:kept] *= 2
    return Nodes(Z, weights)


def draws(number: int, directions: int, seed: int) -> Nodes:
    """So many Gaussian points, a power of two in each of `GROUPS` groups.

    Raises
    ------
    ProblemError
        If there are too few, or too many.
    """
    validate_count("samples", number, minimum=2 * GROUPS)
    check_number(f"`samples` {number}", number, LARGEST_DRAWS, "draws", "lower it")
    check_number(
        f"Draws of {directions} inputs", directions, MOST_DIMENSIONS, "dimensions", "use fewer inputs"
    )
    m = round(np.log2(number / GROUPS))
    check_memory(
        f"{number} draws of {directions} inputs", 3 * 8 * GROUPS * 2**m * directions, "lower `samples`"
    )
    seeds = np.random.SeedSequence(validate_count("seed", seed, minimum=0)).spawn(GROUPS)
    parts = [
        ndtri(np.clip(qmc.Sobol(directions, rng=np.random.default_rng(s)).random_base2(m), 1e-16, 1 - 1e-16))
        for s in seeds
    ]
    Z = np.concatenate(parts)
    return Nodes(Z, np.full(len(Z), 1 / len(Z)), GROUPS)


@dataclass(frozen=True)
class Expectation:
    """How means over the inputs are taken: on the grid, or over draws.

    Parameters
    ----------
    samples : int
        Number of draws; 0: the grid, exactly.
    seed : int
        Of the draws.
    """

    samples: int = 0
    seed: int = 0

    @classmethod
    def parse(cls, text: str, seed: int = 0) -> Expectation:
        """From the text "grid" or "samples:N".

        Raises
        ------
        ProblemError
            If it is another.
        """
        name, _, number = text.partition(":")
        if text == "grid":
            return cls()
        if name != "samples" or not number.isascii() or not number.isdecimal() or len(number) > 12:
            raise ProblemError(
                f"`expectation` is {text!r}, but must be grid or samples:N, N a whole number of at most"
                f" {LARGEST_DRAWS}."
            )
        return cls(validate_count("samples", int(number), minimum=2 * GROUPS), seed)

    def nodes(self, degree: int, directions: int, even: bool) -> Nodes:
        """Points and weights."""
        return draws(self.samples, directions, self.seed) if self.samples else grid(degree, directions, even)

    def __str__(self) -> str:
        return f"samples:{self.samples}" if self.samples else "grid"
