"""Any function of one variable as a polynomial and smoothed kinks, by least squares, with its error.

The even part is sought as φ(0) + z² and S̃_τ − S̃_τ(0), the odd part among z and erf(z/(√2 τ)), for log-spaced widths τ.
Functions whose derivatives are Gaussian scale mixtures are found to 1e-11 and better (Mish, SiLU, arctan, √(1 + z²),
tanh³); narrow widths find softsign and CELU too, whose second derivatives jump at zero. Others, such as sin, are not
found, and their error says so (measured here).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import erf, ndtr

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.population.expansion import KINK, RISE, STEP, Expansion

REACH = 60.0  # |z| up to which a function is looked at
WIDTHS = (  # of kinks, tried one after the other: few, wide, dense, and for functions with jumps of φ″ at zero
    (0.12, 12.0, 28),
    (0.1, 100.0, 40),
    (0.1, 20.0, 80),
    (1e-6, 60.0, 120),
)
CUTS = 10.0 ** np.arange(-15, -10)  # of singular values, relative to the largest
GOOD = 1e-11  # error from which on no further widths are tried
ROUNDING = 1e-15  # relative
NEGLIGIBLE = 1e-16  # weights below this part of the largest


@dataclass(frozen=True)
class Fit:
    """An expansion and how well it fits.

    Parameters
    ----------
    expansion : Expansion
    error : float
        Largest |φ − expansion|/(1 + |z|) over |z| ≤ 60, on points between those of the fit, and what rounding adds in
        pair kernels: 1e-16 times the square of the sum of all |weights|, relative to the sizes of their functions.
        Relative to the size of φ itself, the largest |φ − φ(0)|/(1 + |z|).
    kink : (α, β), optional
        Where φ(z) = αz + β|z| up to rounding; the expansion then is that.
    """

    expansion: Expansion
    error: float
    kink: tuple[float, float] | None = None


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
        If φ does not give one finite real number for each of an array of numbers, or is constant.
    """
    z = np.concatenate([[0.0], np.geomspace(1e-7, 1, 2000), np.linspace(1, REACH, 1500)[1:]])
    between = np.concatenate(
        [np.geomspace(3e-8, 1e-3, 1000), np.linspace(0, 5, 7001), np.linspace(5, REACH, 3001)[1:]]
    )
    values = _parts(phi, z, name), _parts(phi, between, name)
    kinked = _kinked(*values[1], between)
    if kinked is not None:
        return kinked
    constant = float(values[0][0][0])  # φ(0), exactly: short weights see the rest relative to it
    for even, _ in values:
        even -= constant
    size = max(float(np.abs(part / (1 + between)).max()) for part in values[1])
    if size == 0:
        raise ProblemError(f"The activation {name!r} is constant, but units must depend on their inputs.")
    values = tuple((even / size, odd / size) for even, odd in values)  # type: ignore[assignment]
    best = None
    for widths in WIDTHS:
        tau = np.geomspace(*widths)
        parts = [_fit_part(kind, tau, z, f, between, g) for kind, f, g in zip(KINDS, *values, strict=True)]
        error = sum(part[1] for part in parts)
        if best is None or error < best.error:
            (even, _), (odd, _) = parts
            components = [(RISE, *_kept(tau, size * even[1:])), (STEP, *_kept(tau, size * odd[1:]))]
            polynomial = (constant, size * float(odd[0]), size * float(even[0]))
            best = Fit(Expansion(polynomial, [c for c in components if len(c[1])]), float(error))
        if best.error < GOOD:
            break
    assert best is not None
    return best


def _kinked(even: Array, odd: Array, z: Array) -> Fit | None:
    """φ = αz + β|z|, if it is that; no smooth functions are sought then."""
    alpha, beta = float(odd[-1] / z[-1]), float(even[-1] / z[-1])
    off = max(np.abs(even - beta * z).max(), np.abs(odd - alpha * z).max())
    if off > ROUNDING * z[-1] * (abs(alpha) + abs(beta)):
        return None
    return Fit(Expansion((0.0, alpha), [(KINK, [0], [2 * beta])] if beta else []), 0.0, (alpha, beta))


def _parts(phi: Callable[[Array], Array], z: Array, name: str) -> tuple[Array, Array]:
    """Even and odd part of φ at z ≥ 0."""
    with np.errstate(all="ignore"):
        plus, minus = (np.asarray(phi(x)) for x in (z, -z))
    for value in (plus, minus):
        if value.shape != z.shape or not np.isrealobj(value) or not np.isfinite(value).all():
            raise ProblemError(
                f"The activation {name!r} must give a finite real number for each number of an array, |z| ≤ {REACH:g}."
            )
    rounding = 1e-15 * np.abs(plus).max()
    even, odd = ((plus + sign * minus) / 2 for sign in (1, -1))
    even, odd = (part if np.abs(part).max() > rounding else np.zeros_like(part) for part in (even, odd))
    return even, odd


def _even(z: Array, tau: Array) -> Array:
    x = z[:, None] / tau
    rises = z[:, None] * (ndtr(x) - 0.5) + tau * np.expm1(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return np.column_stack([z * z, rises])


def _odd(z: Array, tau: Array) -> Array:
    return np.column_stack([z, erf(z[:, None] / (np.sqrt(2) * tau))])


KINDS = (_even, _odd)


def _fit_part(
    basis: Callable[[Array, Array], Array], tau: Array, z: Array, f: Array, between: Array, g: Array
) -> tuple[Array, float]:
    """Coefficients of one part, and their error, see `Fit`."""
    M = basis(z, tau) / (1 + z)[:, None]
    scale = np.abs(M).max(axis=0)
    U, sizes, Vt = np.linalg.svd(M / scale, full_matrices=False)
    projected, test = U.T @ (f / (1 + z)), basis(between, tau)
    best = np.zeros(len(scale)), np.inf
    for cut in CUTS:
        kept = sizes > cut * sizes[0]
        c = (Vt[kept].T @ (projected[kept] / sizes[kept])) / scale
        error = float(np.abs((test @ c - g) / (1 + between)).max() + 1e-16 * np.sum(np.abs(c) * scale) ** 2)
        if error < best[1]:
            best = c, error
    return best


def _kept(tau: Array, weights: Array) -> tuple[Array, Array]:
    """Widths and weights that are not negligible."""
    kept = np.abs(weights) > NEGLIGIBLE * np.abs(weights).max(initial=0.0)
    return tau[kept], weights[kept]
