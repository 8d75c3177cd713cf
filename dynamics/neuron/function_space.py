"""How many functions networks of quadratic neurons, and of ordinary ones with quadratic activation, can reach.

A network of units without outer activation is a polynomial of degree 2, an element of a space of
N = (d + 1)(d + 2)/2 dimensions. The dimension of what its weights reach of that space is the rank of the Jacobian of
the coefficients at a generic point. It is computed modulo a prime at a random point (see
`dynamics.laws.modular`): proved to be reached, and the generic one but for a probability below 10⁻¹⁵.

The formulas count (n = d + 1, for as long as they do not exceed N):

* h units a(w·x + b)²: symmetric n × n matrices of rank h, nh − h(h − 1)/2;
* h quadratic neurons: those of rank 2h, plus an arbitrary diagonal, n + 2nh − h(2h − 1); for h = 1 this is 3d + 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from dynamics.budget import check_number
from dynamics.laws.modular import RowSpace, Vector, random_point
from dynamics.validation import validate_choice, validate_count

KINDS = ("quadratic", "ordinary")
LARGEST_RANK = 10  # inputs, a second of work, which grows with their eighth power; above, the formulas count

MOST_UNITS = 100_000  # a second of work


@dataclass(frozen=True, eq=False)
class FunctionSpace:
    """Dimensions for 1, 2, … units.

    Parameters
    ----------
    inputs : int
        d.
    units : (U,) integer array
    quadratic, ordinary : (U,) integer array
        Exact dimension of the functions that so many units reach.
    everything : int
        N, dimension of the polynomials of degree 2.
    """

    inputs: int
    units: NDArray[np.int64]
    quadratic: NDArray[np.int64]
    ordinary: NDArray[np.int64]
    everything: int

    def to_dict(self) -> dict[str, object]:
        """What the command prints."""
        return {
            "units": self.units,
            "quadratic": self.quadratic,
            "ordinary": self.ordinary,
            "all": self.everything,
        }

    def summary(self) -> str:
        """The dimensions, on one line."""
        quadratic, ordinary = (", ".join(map(str, x)) for x in (self.quadratic, self.ordinary))
        return (
            f"dimensions, of {self.everything}, that 1, 2, … units reach: quadratic neurons {quadratic}; "
            f"ordinary ones with z² {ordinary}"
        )


def function_space_dimensions(inputs: int, units: int | None = None) -> FunctionSpace:
    """Dimensions for 1 … `units` units; default d + 1, with which ordinary neurons reach everything.

    Ranks up to `LARGEST_RANK` inputs, by the formulas of this module above.
    """
    d = validate_count("inputs", inputs)
    most = d + 1 if units is None else validate_count("units", units)
    check_number(
        f"The functions that networks of {d} inputs reach",
        most,
        MOST_UNITS,
        "numbers of units",
        "lower `inputs`",
    )
    counts = range(1, most + 1)
    dimension = function_space_dimension if d <= LARGEST_RANK else predicted_dimension
    quadratic, ordinary = ([dimension(kind, h, d) for h in counts] for kind in KINDS)
    return FunctionSpace(d, np.array(counts), np.array(quadratic), np.array(ordinary), quadratic_functions(d))


def quadratic_functions(inputs: int) -> int:
    """N = (d + 1)(d + 2)/2, dimension of the polynomials of degree 2 in d variables."""
    return (inputs + 1) * (inputs + 2) // 2


def predicted_dimension(kind: str, units: int, inputs: int) -> int:
    """The formula of this module for h units of a kind, d inputs."""
    n, N = inputs + 1, quadratic_functions(inputs)
    rank = units if kind == "ordinary" else 2 * units
    if rank >= n:
        return N
    symmetric = n * rank - rank * (rank - 1) // 2
    return symmetric if kind == "ordinary" else min(symmetric + n, N)


def function_space_dimension(kind: str, units: int, inputs: int, *, seed: int = 0) -> int:
    """Rank of the Jacobian of a network's coefficients at a random point.

    Parameters
    ----------
    kind : {"quadratic", "ordinary"}
        Units a[(w^r·x + b^r)(w^g·x + b^g) + w^b·(x ⊙ x) + c] or a(w·x + b)².
    units, inputs : int
        h and d.
    seed : int
        Of the random point.
    """
    validate_choice("kind", kind, KINDS)
    h, n = validate_count("units", units), validate_count("inputs", inputs) + 1
    space = RowSpace()
    weights = iter(random_point(h * (3 * n + 1), seed))
    for _ in range(h):
        r, g, b = ([next(weights) for _ in range(n)] for _ in range(3))
        a = next(weights)
        if kind == "ordinary":
            g, b = r, [0] * n
        for row in _derivatives(r, g, b, a, kind == "quadratic"):
            space.add(row)
    return space.rank


def _derivatives(r: Vector, g: Vector, b: Vector, a: int, all_groups: bool) -> Iterator[Vector]:
    """Derivatives of 2S with S = a [sym(r gᵀ) + diag(b)], by a and r, with `all_groups` also by g and b.

    In an ordinary unit r = g are the same weights, and the derivative by both is twice that by one of them.
    """
    n = len(r)
    pairs = list(combinations_with_replacement(range(n), 2))  # entries i ≤ j of a symmetric matrix
    yield [r[i] * g[j] + r[j] * g[i] + 2 * b[i] * (i == j) for i, j in pairs]
    for m in range(n):
        yield [a * ((i == m) * g[j] + (j == m) * g[i]) for i, j in pairs]
        if all_groups:
            yield [a * ((i == m) * r[j] + (j == m) * r[i]) for i, j in pairs]
            yield [2 * a * (i == j == m) for i, j in pairs]
