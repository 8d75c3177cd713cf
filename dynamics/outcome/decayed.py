"""Where training ends under weight decay: which of its minima a start comes to rest at.

Second layer trained. Every top/bottom set of modes on upper roots is a minimum, the zero function included
(`dynamics.problem.decayed_levels`): plateaus have become traps, and a start is caught by the first that it takes too
long to leave. From small weights the staircase says which (`dynamics.saddle_to_saddle.staircase`), unless a jump hangs
by details that it leaves out; the flow is followed then, and from other weights.

Second layer fixed at one value α, Σ = I: weight decay is the teacher M* − sI (theory 14.2), and the loss has one level
of rest as without decay. Modes with λ_j + (T − ρ/2α)/(r + 2) ≤ 0 (centred: λ_j ≤ ρ/4α) die; the size of the start does
not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dynamics.curves.trajectory import Trajectory
from dynamics.errors import ComputationError, ProblemError
from dynamics.flows.endings import CONVERGED
from dynamics.flows.in_bulk import UNTIL_DECIDED, Integration
from dynamics.flows.traps import described, minima, minimum_at
from dynamics.outcome.collapse import critical_scale
from dynamics.outcome.initial_state import InitialState
from dynamics.outcome.resting_level import resting_level
from dynamics.outcome.verdict import Diagnosis
from dynamics.problem import Problem
from dynamics.problem.decayed_levels import (
    DecayedMinimum,
    FixedLayer,
    decayed_level,
    stiffness,
)
from dynamics.problem.decayed_mode import decay_strength, never_learned, not_worth_learning
from dynamics.problem.mode_numbers import mode_set
from dynamics.requests import Asking
from dynamics.saddle_to_saddle.staircase import Staircase, staircase

MARGIN = 1e-3  # relative, on the size of a start: a jump that decay stops by less is left to the flow
LATER = 4.0  # times the relative uncertainties of earlier jumps, to add to that

Modes = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class DecayedDiagnosis(Diagnosis):
    """Whether the flow reaches the global minimum of R, and which minimum if not.

    Parameters
    ----------
    resting_modes : tuple of int or None
        The modes that are learned in the end; None if that is not known.
    minima : tuple of DecayedMinimum
        All minima, by ascending objective; empty for a fixed second layer.
    warnings : tuple of str
        Among them the reason why there is no critical scale.
    """

    resting_modes: Modes | None = None
    minima: tuple[DecayedMinimum, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON object."""
        found = [
            {"learned_modes": list(m.learned), "loss": m.level.loss, "objective": m.objective}
            for m in self.minima
        ]
        return super().to_dict() | {
            "resting_modes": None if self.resting_modes is None else list(self.resting_modes),
            "critical_scale": self.critical_scale,
            "minima": found,
            "warnings": list(self.warnings),
        }

    def summary(self) -> str:
        """Verdict and reason, critical scale, warnings."""
        lines = [super().summary()]
        if self.critical_scale is not None:
            lines.append(f"nothing is learned from {self.critical_scale:.6g} times these weights, or less")
        return "\n".join([*lines, *self.warnings])


@dataclass(frozen=True)
class _Ending:
    """What is known of the end: the modes, since when, why."""

    modes: Modes | None
    decided_at: float | None
    why: str


def diagnose_decayed(start: InitialState, follow: bool, max_evaluations: int) -> Asking[DecayedDiagnosis]:
    """The verdict on a start with weight decay; see `dynamics.outcome.diagnosis.diagnosing`."""
    if start.problem.student.trainable:
        return (yield from _trained(start, follow, max_evaluations))
    return _fixed(start)


# --- Second layer trained ---------------------------------------------------------------------------------


def _trained(start: InitialState, follow: bool, max_evaluations: int) -> Asking[DecayedDiagnosis]:
    problem = start.problem
    known = minima(problem)
    best = known[0]
    ending = _by_staircase(problem, known)
    if ending.modes is None and follow:
        ending = yield from _by_flow(start, known, max_evaluations, ending.why)
    rest = next((m for m in known if m.learned == ending.modes), None)
    scale = critical_scale(problem)
    lost = () if np.isfinite(scale) else ("no multiple of these weights learns anything: no unit can grow.",)
    frozen = (
        start.frozen_signs
        if problem.weight_decay.second <= problem.weight_decay.first
        else 0 * start.frozen_signs
    )
    if rest is None:
        verdict, reason = "undecided", ending.why
    else:
        verdict = "succeeds" if rest is best else "fails"
        where = "the global minimum" if rest is best else "the minimum"
        reason = f"{ending.why} The flow comes to rest at {where} {described(rest)}"
        reason += "." if rest is best else f"; the global minimum is {described(best)}."
        reason = " ".join([reason, *_thresholds(problem, rest)])
    return DecayedDiagnosis(
        verdict,
        reason,
        start.conserved,
        tuple(np.asarray(frozen).tolist()),
        tuple(np.flatnonzero(start.inert).tolist()),
        start.needed,
        None if rest is None else rest.level.loss,
        tuple(sorted(m.level.loss for m in known)),
        ending.decided_at,
        scale if np.isfinite(scale) else None,
        None if rest is None else rest.learned,
        known,
        lost,
    )


def _by_staircase(problem: Problem, known: tuple[DecayedMinimum, ...]) -> _Ending:
    """What the start alone decides."""
    try:
        steps = staircase(problem)
    except (ProblemError, ComputationError) as gap:
        return _Ending(None, None, str(gap))
    doubt = _doubt(steps)
    if doubt:
        return _Ending(None, None, doubt)
    modes = steps.levels[-1].learned
    if all(m.learned != modes for m in known):
        return _Ending(
            None, None, f"The staircase ends with the modes {_named(modes)}, which are no minimum."
        )
    return _Ending(modes, 0.0, f"From these weights the modes {_named(modes)} are learned. {steps.end}")


def _doubt(steps: Staircase) -> str:
    """Why a staircase does not decide; empty if it does."""
    if steps.warnings:
        return f"The staircase is rough: {steps.warnings[0]}."
    margin = MARGIN + LATER * max((float(j.uncertainty or 0) / j.time for j in steps.jumps), default=0.0)
    if steps.missing is not None and steps.missing < 1 + margin:
        return f"The next jump is missed by {steps.missing - 1:.2%} of the size of the weights, too little to be sure."
    return ""


def _by_flow(
    start: InitialState, known: tuple[DecayedMinimum, ...], max_evaluations: int, doubt: str
) -> Asking[_Ending]:
    """Where the flow comes to rest, followed numerically."""
    wanted = {"samples": 2, "max_evaluations": max_evaluations, "throw": False}
    path: Trajectory = yield Integration(start.flow, wanted, UNTIL_DECIDED)
    time, loss = path.solver.time_reached, float(path.loss[-1])
    told = f"{doubt} The flow, followed numerically to t = {time:.4g},"
    if path.solver.status != CONVERGED:
        return _Ending(
            None, None, f"{told} did not settle at a minimum ({path.solver.status}, loss {loss:.6g})."
        )
    rest = minimum_at(start.problem, path.modes[-1], loss, known)
    if rest is None:
        return _Ending(None, None, f"{told} rests at none of the known minima (loss {loss:.6g}).")
    return _Ending(rest.learned, time, f"{told} learns the modes {_named(rest.learned)}.")


def _named(modes: Modes) -> str:
    return mode_set(modes)


def _thresholds(problem: Problem, rest: DecayedMinimum) -> list[str]:
    """Which of the modes left are never learned, or not worth it, on the plateau of rest."""
    decay, coupling = problem.weight_decay, problem.trace_coupling
    assert coupling is not None
    strength = decay_strength(decay)
    lam = np.linalg.eigvalsh(problem.teacher.matrix())[::-1]
    r = len(rest.learned)
    q = stiffness(r, coupling)
    never, not_worth = never_learned(q, strength), not_worth_learning(q, strength)
    left = [j for j in range(len(lam)) if j not in rest.learned and abs(lam[j]) > 1e-12 * abs(lam).max()]
    trace = float(sum(lam[j] for j in left))
    said = []
    for j in left:
        value = lam[j] + coupling * (trace - lam[j]) / (r + 3)
        text = f"Mode {j}, of which {value:.4g} would be learned next,"
        if abs(value) < never:
            said.append(f"{text} is below m_θ = {never:.4g}: it is never learned.")
        elif abs(value) < not_worth:
            said.append(f"{text} is below m_g = {not_worth:.4g}: it is not worth learning.")
    return said


# --- Second layer fixed at one value ----------------------------------------------------------------------


def _fixed(start: InitialState) -> DecayedDiagnosis:
    """By the equivalent teacher M* − sI of a fixed second layer."""
    problem = start.problem
    alpha, rho = float(problem.student.A[0, 0]), problem.weight_decay.first
    coupling = problem.trace_coupling
    assert coupling is not None
    lam = np.linalg.eigvalsh(problem.teacher.matrix())[::-1]
    units = int(np.sum(~start.inert))
    signs = (units, 0) if alpha > 0 else (0, units)
    shift = rho / (2 * alpha * (problem.inputs + 2)) if coupling else rho / (4 * alpha)
    modes = resting_level(lam - shift, *signs, coupling).learned
    level = decayed_level(lam, modes, FixedLayer(rho / alpha), coupling)
    assert level is not None  # the two are the same
    positive, negative = start.needed
    short = (positive if alpha > 0 else 0) > units or (negative if alpha > 0 else positive) > 0
    hindrance = start.hindrance
    reason = f"The second layer is fixed: the flow comes to rest with the modes {_named(modes)}, loss {level.loss:.6g}."
    dead = [j for j in range(len(lam)) if j not in modes and alpha * lam[j] > 0]
    if dead and len(modes) < units:
        reason += f" Decay holds back the modes {_named(tuple(dead))} from every start."
    if short:
        reason += f" The teacher needs {positive} positive and {negative} negative units: out of reach."
    settled = not hindrance
    return DecayedDiagnosis(
        "fails" if short else "succeeds" if settled else "undecided",
        reason if settled else f"{hindrance} {reason if short else ''}".rstrip(),
        start.conserved,
        tuple(start.frozen_signs.tolist()),
        tuple(np.flatnonzero(start.inert).tolist()),
        start.needed,
        level.loss if settled else None,
        (level.loss,),
        0.0 if settled or short else None,
        None,
        modes if settled else None,
        (),
        (
            "no scale of the start is critical: with a fixed second layer what is learned does not depend on it.",
        ),
    )
