"""Scaling laws of power-law teachers: exact loss, asymptotic law, and trained networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array
from dynamics.clock import Clock
from dynamics.closed_forms import power_law_loss, power_law_tail
from dynamics.closed_forms.late_time import PowerTail
from dynamics.errors import ProblemError
from dynamics.problem import Problem, Student, Teacher
from dynamics.validation import validate_count, validate_real
from empirical.training import train

START_RATIO = 1.0  # what a mode lacks at the start over what is there: half of every mode is learned
FIRST = 0.05  # 8t at which curves start: before the first mode is learned
LARGEST_SPAN = 100  # decades of time between the first and the last mode, and half as many of their losses
LAST, LAST_TRAINED = 0.01, 0.1  # 8t/N^α at which they end: later the finite number of modes shows
BEYOND = 100.0  # times the end of the training, where exact curves end at the latest
MOST = 3.0  # times as many modes as were asked for, at most, where α < 1


@dataclass(frozen=True, eq=False)
class ScalingLaw:
    """Loss of a power-law teacher λ_j = j^(−α) against time.

    Parameters
    ----------
    exponent : float
        α.
    count : int
        Modes N of the exact curve.
    times, loss : (T,) arrays
        Exact.
    tail_exponent, prefactor : float
        The law L = C t^(−γ).
    trained_modes : int
        Modes, inputs and hidden units of the trained network.
    trained_times, trained_loss : (T',) arrays
        Measured.
    trained_theory : (T',) array
        Exact loss with as many modes as the trained network has.
    few_loss : (T,) array
        The same at the times of the exact curve.
    """

    exponent: float
    count: int
    times: Array
    loss: Array
    tail_exponent: float
    prefactor: float
    trained_modes: int
    trained_times: Array
    trained_loss: Array
    trained_theory: Array
    few_loss: Array


def scaling_laws(
    exponents: Sequence[float],
    *,
    count: int = 1_000_000,
    trained_modes: int = 100,
    step: float = 4e-3,
    batch: int = 512,
    seed: int = 0,
    progress: bool = False,
) -> list[ScalingLaw]:
    """Exact and asymptotic loss of power-law teachers, with one trained network for each exponent.

    The setting is that of `dynamics.closed_forms.power_law`: centred activation, second layer fixed at 1, hidden
    unit j aligned with mode j and half as strong as it shall become.

    Parameters
    ----------
    exponents : sequence of float
        α > ½ each.
    count : int
        N of the exact curves.
    trained_modes : int
        Modes of the trained networks, whose steps cost the square of that. Where α < 1 they need more until the law
        shows: as many as give N^α the same value, at most `MOST` times what is asked for.
    step, batch, seed
        Of the training.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    n, small = validate_count("count", count), validate_count("trained_modes", trained_modes)
    eta = validate_real("step", step, positive=True)
    tails = [_tail(alpha, max(n, _modes(small, alpha))) for alpha in exponents]
    laws = []
    for alpha, tail in zip(exponents, tails, strict=True):
        few = _modes(small, alpha)
        last_trained = LAST_TRAINED * few**alpha
        times = np.geomspace(FIRST, max(min(LAST * n**alpha, BEYOND * last_trained), 10 * FIRST), 60) / 8
        lam = np.arange(1, few + 1) ** -float(alpha)
        student = Student(np.diag(np.sqrt(lam / (1 + START_RATIO))), np.ones(few), trainable=False)
        run = train(
            Problem(Teacher.from_eigenvalues(lam), student, "centred"),
            steps=Clock(eta).steps_until(last_trained / 8),
            step=eta,
            batch=batch,
            seed=seed,
            records=30,
            log_times=True,
            progress=progress,
        )
        laws.append(
            ScalingLaw(
                float(alpha),
                n,
                times,
                power_law_loss(times, alpha, n, START_RATIO),
                tail.exponent,
                tail.prefactor,
                few,
                run.times[1:],
                run.loss[0, 1:],
                power_law_loss(run.times[1:], alpha, few, START_RATIO),
                power_law_loss(times, alpha, few, START_RATIO),
            )
        )
    return laws


def _modes(asked: int, alpha: float) -> int:
    """Modes of a trained network: as many as asked for, more where eigenvalues fall slowly."""
    return round(asked * min(asked ** (1 / alpha - 1), MOST)) if 0.5 < alpha < 1 else asked


def _tail(alpha: float, modes: int) -> PowerTail:
    """Its law, if numbers hold what happens between the first and the last mode."""
    tail = power_law_tail(alpha, START_RATIO)
    decades = float(alpha) * float(np.log10(modes))
    if decades > LARGEST_SPAN:
        raise ProblemError(
            f"`exponents` holds {alpha:g}, which for {modes} modes N spans N^α = 10^{decades:.0f} in time,"
            f" but at most 10^{LARGEST_SPAN} are allowed: lower it, or `count` and `trained_modes`."
        )
    return tail
