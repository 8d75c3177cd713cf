"""Learned spectrum against the teacher's under weight decay: the laws of both kinds of networks, and trained ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.activations import Activation
from dynamics.aliases import Array
from dynamics.clock import Clock
from dynamics.errors import ProblemError
from dynamics.problem import Problem, Student
from dynamics.problem.decayed_mode import decay_strength, eigenvalue, fold, not_worth_learning
from dynamics.problem.scope import require
from dynamics.stationary.listed_points import trace_coupling
from dynamics.stationary.spectrum import Spectrum
from dynamics.validation import validate_count, validate_real
from empirical.training import train
from empirical.training_run import TrainingRun

POINTS = 200  # of a line


@dataclass(frozen=True, eq=False)
class LearnedSpectrum:
    """What S trained networks have learned of d modes.

    Parameters
    ----------
    seen : (S, d) array
        λ_i + τ/2 with the trace τ of the network's residual; λ_i where that is not coupled.
    learned : (S, d) array
        μ_i = v_iᵀ M v_i.
    """

    seen: Array
    learned: Array


@dataclass(frozen=True, eq=False)
class DecayedSpectra:
    """Theory and trained networks, of both kinds.

    Parameters
    ----------
    problem : Problem
        That of the networks with a trained second layer.
    value : float
        Second-layer weight of the others.
    trained, fixed : LearnedSpectrum
        Networks with a trained and with a fixed second layer.
    fold : float
        Smallest λ + τ/2 that a unit with a trained second layer can hold.
    worth : float or None
        λ below which zero is the global minimum; None where modes are coupled by the trace.
    held : (n,) array
        From the fold on: λ + τ/2, for the roots.
    upper, lower : (n,) arrays
        μ there of a unit on the upper root, where it rests, and on the lower one, which parts learning from decay.
    line, soft : (n,) arrays
        λ + τ/2, and μ with a fixed second layer, max(λ + τ/2 − ρ/(4a), 0).
    """

    problem: Problem
    value: float
    trained: LearnedSpectrum
    fixed: LearnedSpectrum
    fold: float
    worth: float | None
    held: Array
    upper: Array
    lower: Array
    line: Array
    soft: Array


def decayed_spectra(
    problem: Problem,
    *,
    value: float = 1.0,
    step: float,
    batch: int,
    t_end: float,
    seeds: int,
    seed: int = 0,
    progress: bool = False,
) -> DecayedSpectra:
    """Train networks with weight decay from the same first layer, second layer trained and fixed.

    Parameters
    ----------
    problem : Problem
        With weight decay of both layers, uncorrelated inputs and a positive teacher, whose modes units of positive a
        can learn.
    value : float
        Second-layer weight > 0 of the networks where it is fixed; their decay is that of the first layer.
    step, batch, seeds, seed
        As for `empirical.training.train`.
    t_end : float
    progress : bool
        Show progress bars on standard error if that is a terminal.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    require("catalogue", problem)
    decay = problem.weight_decay
    if not problem.student.trainable or not decay:
        raise ProblemError(
            "The problem needs a trained second layer and `weight_decay`: networks of both kinds are trained from it."
        )
    count, spectrum = validate_count("seeds", seeds), Spectrum.of(problem.teacher)
    if spectrum.values[-1] < 0:
        raise ProblemError(
            f"The teacher has the eigenvalue {spectrum.values[-1]:g}, but units of positive a learn none below 0."
        )
    a = validate_real("value", value, positive=True)
    student = Student(problem.student.W, np.full(problem.student.hidden, a), trainable=False)
    other = Problem(problem.teacher, student, problem.activation, weight_decay=decay.first)
    steps = Clock(step).steps_until(validate_real("t_end", t_end, positive=True))
    options = {
        "steps": steps,
        "step": step,
        "batch": batch,
        "seeds": count,
        "seed": seed,
        "progress": progress,
    }
    runs = [train(case, records=2, **options) for case in (problem, other)]  # type: ignore[arg-type]
    trained, fixed = (_learned(run, spectrum, problem.activation) for run in runs)
    strength = decay_strength(decay)
    edge = fold(strength)
    end = 1.05 * max(float(trained.seen.max()), float(fixed.seen.max()), 1.5 * edge)
    held, line = np.linspace(edge, end, POINTS), np.linspace(0, end, POINTS)
    upper, lower = (
        np.array([strength / eigenvalue(x, strength, root) ** 3 for x in held]) for root in (False, True)
    )
    coupled = trace_coupling(problem.activation)
    return DecayedSpectra(
        problem,
        a,
        trained,
        fixed,
        edge,
        None if coupled else not_worth_learning(2, strength),
        held,
        upper,
        lower,
        line,
        np.maximum(line - decay.first / (4 * a), 0),
    )


def _learned(run: TrainingRun, spectrum: Spectrum, activation: Activation) -> LearnedSpectrum:
    """Spectrum of M at the end of a run, in the eigenbasis of the teacher."""
    if run.W is None:
        raise ProblemError(
            "The networks are too large for their weights to be kept: use fewer of them, or fewer units."
        )
    W, a = run.W[:, -1].astype(float), run.A[:, -1, 0].astype(float)
    lam = np.repeat(spectrum.values, spectrum.multiplicities)
    along = W @ spectrum.eigenvectors(tuple(range(len(lam)))).T  # (S, K, d)
    learned = np.einsum("sk,ski->si", a, along**2)
    trace = trace_coupling(activation) * (lam.sum() - np.einsum("sk,skd->s", a, W**2))
    return LearnedSpectrum(lam + trace[:, None] / 2, learned)
