"""Many integrals at once, of functions that may be singular at the ends of their intervals.

With y = a + (b − a) u³(10 − 15u + 6u²) the integrand is multiplied by 30u²(1 − u)², which vanishes at both ends with
its slope: what is singular there in y, a logarithm or a root, is smooth enough in u for Kronrod's rule, and intervals
of u are halved where it differs from the rule of Gauss that it extends. (`scipy.integrate.tanhsinh` takes many at once
as well, but its estimates did not hold for the integrands of `dynamics.population.agreement`: off by 5e-5 where it
stated 4e-7; `quad_vec` halves all where one needs it.)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from dynamics.aliases import Array

DEEPEST = 12  # halvings of an interval

Indices = NDArray[np.intp]


def kronrod(n: int) -> tuple[Array, Array, Array]:
    """The 2n + 1 nodes on [−1, 1], ascending, Kronrod's weights, and Gauss's, zero where his rule has no node.

    The nodes are those of Gauss and the roots of E = P_{n+1} + Σ_{k≤n} c_k P_k, which is orthogonal to P_n P_j for all
    j ≤ n (Stieltjes); the weights integrate polynomials of degree 2n.
    """
    x, w = legendre.leggauss(2 * n + 2)
    P = legendre.legvander(x, n + 1)
    products = (P[:, : n + 1] * (w * P[:, n])[:, None]).T @ P
    E = np.append(np.linalg.solve(products[:, : n + 1], -products[:, n + 1]), 1.0)
    theirs, weights = legendre.leggauss(n)
    nodes = np.sort(np.concatenate([legendre.legroots(E).real, theirs]))
    gauss = np.zeros(2 * n + 1)
    gauss[1::2] = weights
    whole = np.append(2.0, np.zeros(2 * n))  # ∫ P_k
    return nodes, np.linalg.solve(legendre.legvander(nodes, 2 * n).T, whole), gauss


NODES, WEIGHTS, GAUSS = kronrod(10)


def integrals(
    function: Callable[[Array, Indices], Array], start: Array, end: Array, tolerance: float
) -> tuple[Array, Array]:
    """∫ f_i(y) dy from start to end, and estimates of the errors, (N,) each.

    Parameters
    ----------
    function : callable
        f_i(y), (m, k), of points y (m, k) and the numbers i (m,) of the integrals that they belong to.
    start, end : (N,) arrays
    tolerance : float
        Absolute, of each piece of an interval; what does not reach it after `DEEPEST` halvings comes with its error.

    Returns
    -------
    values, errors : (N,) arrays
        Errors are the differences of both rules, and so those of Gauss's: far above those of the values, where
        integrands are smooth between the ends.
    """
    found, errors = np.zeros(len(start)), np.zeros(len(start))
    which: Indices = np.arange(len(start))
    low, high = np.zeros(len(start)), np.ones(len(start))
    for depth in range(DEEPEST + 1):
        u = low[:, None] + (high - low)[:, None] * (NODES + 1) / 2
        width = (end - start)[which, None]
        y = start[which, None] + width * u**3 * (10 - 15 * u + 6 * u * u)
        steps = width * 30 * (u * (1 - u)) ** 2 * (high - low)[:, None] / 2
        values = function(y, which) * steps
        whole, rough = values @ WEIGHTS, values @ GAUSS
        halved = (np.abs(whole - rough) > tolerance) & (depth < DEEPEST)
        done = ~halved
        np.add.at(found, which[done], whole[done])
        np.add.at(errors, which[done], np.abs(whole - rough)[done])
        if done.all():
            break
        middle = (low + high)[halved] / 2
        low, high = np.concatenate([low[halved], middle]), np.concatenate([middle, high[halved]])
        which = np.tile(which[halved], 2)
    return found, errors
