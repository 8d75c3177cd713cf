"""How the loss ends: laws for late times, with their prefactors.

Derived here, by following the ν = d − m directions that a teacher of rank m does not have, all in the same state, with
the learned modes adiabatically at the place where they do not move, G = 4D + 2τ = 0. There D = −τ/2, so with D = −q
in the other directions τ = −2νq/(m + 2), hence G = −4κq and L = νκq² there, with the trace factor
κ = (d + 2)/(m + 2), or κ = 1 for the centred activation.

* Second layer fixed at a, K ≥ d: q = ap², q̇ = −8aκq², so L = ν/(64κ(at)²).
* Trained, one aligned unit per direction, conserved c = p² − 2a²:
  c = 0: q = 2a³, ȧ = −8κa⁵, L = 4νκ(32κt)^{−3/2};
  c < 0: a² → |c|/2, q = ap², ṗ = −4κa²p³, L = ν/(64κa²t²);
  c > 0: a → 0, exponentially, at the slowest rate of the linearised modes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dynamics.activations import Activation
from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.problem import Teacher
from dynamics.validation import validate_count, validate_real


@dataclass(frozen=True)
class PowerTail:
    """L(t) → prefactor · t^(−exponent)."""

    prefactor: float
    exponent: float

    def __call__(self, times: ArrayLike) -> Array:
        """The law at given times, (T,)."""
        return self.prefactor * np.asarray(times, dtype=float) ** -self.exponent


@dataclass(frozen=True)
class ExponentialTail:
    """L(t) ∝ e^(−rate·t); the prefactor depends on the whole history."""

    rate: float


def fixed_layer_tail(
    inputs: int, rank: int, second_layer_value: float = 1.0, activation: Activation | str = "quadratic"
) -> PowerTail:
    """Law for a fixed second layer of equal entries a, at least as many units as inputs, start of full rank.

    Parameters
    ----------
    inputs, rank : int
        d, and the rank m < d of the teacher; its eigenvalues have the sign of a.
    second_layer_value : float
        a.
    activation : {"quadratic", "centred"}

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    d, m, kappa = _directions(inputs, rank, activation)
    a = validate_real("second_layer_value", second_layer_value)
    if a == 0:
        raise ProblemError("`second_layer_value` is 0, but nothing is learned then.")
    return PowerTail((d - m) / (64 * kappa * a**2), 2.0)


def aligned_tail(
    eigenvalues: ArrayLike, inputs: int, balance: float, activation: Activation | str = "quadratic"
) -> PowerTail | ExponentialTail:
    """Law for a trained second layer with one aligned unit per input, all with the same start.

    Parameters
    ----------
    eigenvalues : (m,) array
        Positive eigenvalues of the teacher, m < d of them.
    inputs : int
        d, also the number of hidden units.
    balance : float
        c = p² − 2a², the same for all units.
    activation : {"quadratic", "centred"}

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    lam = Teacher.from_eigenvalues(eigenvalues, inputs).eigen[0][0]
    if (lam < 0).any():
        raise ProblemError(f"`eigenvalues` are {lam.tolist()}, but must not be negative.")
    d, m, kappa = _directions(inputs, len(lam), activation)
    c = validate_real("balance", balance)
    if c == 0:
        return PowerTail(4 * (d - m) * kappa * (32 * kappa) ** -1.5, 1.5)
    if c < 0:
        return PowerTail((d - m) / (32 * kappa * abs(c)), 2.0)
    return ExponentialTail(_linear_rate(lam, d, c, activation))


def _directions(inputs: int, rank: int, activation: Activation | str) -> tuple[int, int, float]:
    """d, m and κ."""
    d, m = validate_count("inputs", inputs), validate_count("rank", rank, minimum=0)
    coupling = _coupling(activation)
    if m >= d:
        raise ProblemError(
            f"`rank` is {m}, but must be below the number of inputs, {d}: all is learned otherwise."
        )
    return d, m, (2 + coupling * d) / (2 + coupling * m)


def _coupling(activation: Activation | str) -> float:
    """κ: 1 for quadratic, 0 for centred units."""
    return Activation.parse(activation).coupling_for("the law of late times")


def _linear_rate(lam: Array, d: int, c: float, activation: Activation | str) -> float:
    """Slowest rate of the loss about the minimum a_j p_j² = λ_j with c > 0.

    There Ḋ_j = −q_j(4D_j + 2τ), q_j = p_j⁴/2 + 2a_j²p_j²; the ν unlearned modes, p² = c and a = 0, move as one,
    of weight √ν in the orthonormal coordinates.
    """
    a = np.array([_learned_weight(x, c) for x in lam])
    square = c + 2 * a**2
    speeds = np.append(square**2 / 2 + 2 * a**2 * square, c**2 / 2)
    weights = np.sqrt(np.append(np.ones(len(lam)), d - len(lam)))
    parts = np.sqrt(speeds) * weights
    rates = 4 * np.diag(speeds) + 2 * _coupling(activation) * np.outer(parts, parts)
    return 2 * float(np.linalg.eigvalsh(rates)[0])


def _learned_weight(eigenvalue: float, c: float) -> float:
    """Root a > 0 of a(c + 2a²) = λ; the only real one for c > 0."""
    roots = np.roots([2.0, 0.0, c, -eigenvalue])
    return float(roots[np.abs(roots.imag).argmin()].real)
