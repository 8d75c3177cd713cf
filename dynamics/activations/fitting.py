"""Any function of one variable as a polynomial and smoothed kinks, by least squares, with its error.

The even part is sought among 1, z² and S̃_τ, the odd part among z and erf(z/(√2 τ)), for log-spaced widths τ. Functions
whose derivatives are Gaussian scale mixtures are found to 1e-11 and better (Mish, SiLU, arctan, √(1 + z²), ln cosh z);
others, such as sin, are not, and their error says so (measured here).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import erf, ndtr

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.population.expansion import KINK, STEP, Expansion

REACH = 60.0  # |z| up to which a function is looked at
WIDTHS = ((0.12, 12.0, 28), (0.1, 100.0, 40), (1e-3, 60.0, 60))  # of kinks, tried one after the other
CUTS = 10.0 ** np.arange(-15, -10)  # of singular values, relative to the largest
GOOD = 1e-11  # error from which on no further widths are tried
NEGLIGIBLE = 1e-16  # weights below this part of the largest


@dataclass(frozen=True)
class Fit:
    """An expansion and how well it fits.

    Parameters
    ----------
    expansion : Expansion
    error : float
        Largest |φ − expansion|/(1 + |z|) over |z| ≤ 60, on points between those of the fit.
    """

    expansion: Expansion
    error: float


def fit(phi: Callable[[Array], Array], name: str) -> Fit:
    """The best expansion of a function.

    Parameters
    ----------
    phi : callable array → array
    name : str
        For messages.

    Raises
    ------
    ProblemError
        If φ does not give one finite real number for each of an array of numbers.
    """
    z = np.concatenate([[0.0], np.geomspace(1e-4, 1, 1500), np.linspace(1, REACH, 1500)[1:]])
    between = np.concatenate([np.linspace(0, 5, 7001), np.linspace(5, REACH, 3001)[1:]])
    values = _parts(phi, z, name), _parts(phi, between, name)
    best = None
    for widths in WIDTHS:
        tau = np.geomspace(*widths)
        parts = [_fit_part(kind, tau, z, f, between, g) for kind, f, g in zip(KINDS, *values, strict=True)]
        error = sum(part[1] for part in parts)
        if best is None or error < best.error:
            (even, _), (odd, _) = parts
            components = [(KINK, *_kept(tau, even[2:])), (STEP, *_kept(tau, odd[1:]))]
            polynomial = (float(even[0]), float(odd[0]), float(even[1]))
            best = Fit(Expansion(polynomial, [c for c in components if len(c[1])]), float(error))
        if best.error < GOOD:
            break
    assert best is not None
    return best


def _parts(phi: Callable[[Array], Array], z: Array, name: str) -> tuple[Array, Array]:
    """Even and odd part of φ at z ≥ 0."""
    with np.errstate(all="ignore"):
        plus, minus = (np.asarray(phi(x)) for x in (z, -z))
    for value in (plus, minus):
        if value.shape != z.shape or not np.isrealobj(value) or not np.isfinite(value).all():
            raise ProblemError(
                f"The activation {name!r} must give a finite real number for each number of an array, |z| ≤ {REACH:g}."
            )
    return (plus + minus) / 2, (plus - minus) / 2


def _even(z: Array, tau: Array) -> Array:
    x = z[:, None] / tau
    kinks = z[:, None] * (ndtr(x) - 0.5) + tau * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return np.column_stack([np.ones_like(z), z * z, kinks])


def _odd(z: Array, tau: Array) -> Array:
    return np.column_stack([z, erf(z[:, None] / (np.sqrt(2) * tau))])


KINDS = (_even, _odd)


def _fit_part(
    basis: Callable[[Array, Array], Array], tau: Array, z: Array, f: Array, between: Array, g: Array
) -> tuple[Array, float]:
    """Coefficients of one part, and the largest error relative to 1 + z at the points between."""
    M = basis(z, tau) / (1 + z)[:, None]
    scale = np.abs(M).max(axis=0)
    U, sizes, Vt = np.linalg.svd(M / scale, full_matrices=False)
    projected, test = U.T @ (f / (1 + z)), basis(between, tau)
    best = np.zeros(len(scale)), np.inf
    for cut in CUTS:
        kept = sizes > cut * sizes[0]
        c = (Vt[kept].T @ (projected[kept] / sizes[kept])) / scale
        error = float(np.abs((test @ c - g) / (1 + between)).max())
        if error < best[1]:
            best = c, error
    return best


def _kept(tau: Array, weights: Array) -> tuple[Array, Array]:
    """Widths and weights that are not negligible."""
    kept = np.abs(weights) > NEGLIGIBLE * np.abs(weights).max(initial=0.0)
    return tau[kept], weights[kept]
