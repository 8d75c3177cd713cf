"""Will gradient flow from this start reach the global minimum? What the conserved quantities decide.

One output, second layer trained: c_k = ‖w_k‖² − 2a_k² is conserved, so

* c_k < 0: a_k² ≥ −c_k/2 never vanishes, the sign of a_k is *frozen*;
* c_k = 0: ȧ_k = ½ w_kᵀGw_k is of the order of a_k², so a_k does not vanish in finite time: frozen too, but the
  smallest perturbation can unfreeze it;
* c_k > 0: ‖w_k‖² ≥ c_k never vanishes, a_k may cross zero: *flexible*. (So is a unit with a_k = 0, w_k ≠ 0.)
* w_k = 0: both derivatives vanish, the unit is *inert*, in theory and in every training.

In a fixed second layer every sign is frozen, and a unit with a_k = 0 is inert.

A flow whose signs are frozen with P positive and N negative units comes to rest at the level ℓ(P, N) of
`dynamics.outcome.resting_level` from almost every start: its stationary points with another loss are strict
saddles, whose stable manifolds have measure zero [1]_, or hold a balanced unit at the origin, which a remaining
descent direction of its sign would have made grow. (This uses that the weights stay bounded: proven where all a_k
have one sign, because Σ a_k‖w_k‖² = tr M is; observed without exception where not.) Flexible units leave the levels
of all their divisions into positive, negative and silent ones (a_k = 0), except that

* the flow descends: levels at or above the present loss are excluded;
* a flexible unit cannot die: it ends with w_k ≠ 0 in the kernel of G, so G must have one.

Under other convex losses the levels are those of `dynamics.outcome.balanced_level`, and everything else holds as it
stands; labels that are separable have the level 0, towards which the loss falls while the weights grow for ever.

One level left: the start decides. Several: each may have a basin of attraction (units close to the learned modes
keep a wrong sign, because their wᵀGw vanishes), and c_k cannot tell which. The flow is then followed until the
falling loss has excluded all levels but one, or until it rests. An input covariance enters through the eigenvalues
of the whitened teacher; c_k keeps its form.

Under weight decay the minima are others, and the size of the start decides: see `dynamics.outcome.decayed`.

References
----------
.. [1] J. D. Lee, M. Simchowitz, M. I. Jordan, B. Recht, "Gradient descent only converges to minimizers", COLT 2016;
   for flows the same center–stable manifold argument.
"""

from __future__ import annotations

import numpy as np

from dynamics.curves.trajectory import Trajectory
from dynamics.flows.in_bulk import UNTIL_DECIDED, Integration
from dynamics.integration import Stop
from dynamics.outcome.decayed import diagnose_decayed
from dynamics.outcome.initial_state import InitialState
from dynamics.outcome.verdict import Diagnosis
from dynamics.problem import Problem
from dynamics.problem.reduction import in_range
from dynamics.requests import Asking, alone
from dynamics.validation import validate_count
from dynamics.words import listed

SETTLED = 1e-3  # of the distance between two levels: so close to its level must a flow at rest be

KERNEL = 1e-6  # of the largest eigenvalue of G: a smaller one is zero at the end of the motion


def diagnose(problem: Problem, *, follow: bool = True, max_evaluations: int = 200_000) -> Diagnosis:
    """Decide from the initial state whether gradient flow reaches the global minimum.

    The global minimum is the least loss of any student with as many hidden units: zero if they are at least as
    many as the rank of the teacher.

    Parameters
    ----------
    problem : Problem
    follow : bool
        Integrate the flow where the start alone does not decide, until it does. Otherwise the verdict is then
        "undecided".
    max_evaluations : int
        Evaluations of the right-hand side after which following gives up.

    Returns
    -------
    Diagnosis
    """
    return alone(diagnosing(problem, follow=follow, max_evaluations=max_evaluations))


def diagnosing(problem: Problem, *, follow: bool = True, max_evaluations: int = 200_000) -> Asking[Diagnosis]:
    """`diagnose` as a computation that asks for the flow, so that many flows can be followed together."""
    validate_count("max_evaluations", max_evaluations)
    start = InitialState(in_range(problem))
    if start.unknown:
        return _diagnosis(start, "undecided", start.unknown)
    if problem.weight_decay:
        return (yield from diagnose_decayed(start, follow, max_evaluations))
    levels = start.levels()
    fails = levels[0] > start.least + start.resolution
    if not fails and start.loss < start.lowest_saddle:
        reason = "The loss is already below that of every stationary point but the global minima."
        return _diagnosis(start, "succeeds", reason, levels, start.least, 0.0)
    loss, time, how = yield from _place_of_rest(start, levels, follow, max_evaluations)
    if fails:
        reason = f"{_count_units(start)}; {_needs(start)}: out of reach. {how}"
        return _diagnosis(start, "fails", reason, levels, loss, 0.0)
    if loss is None:
        return _diagnosis(start, "undecided", how, levels)
    reason = f"{_count_units(start)}; {_needs(start)}. {how}"
    if loss == 0 and start.grows:
        reason += " The labels are separable: the loss falls towards 0, while the weights grow for ever."
    verdict = "succeeds" if loss <= start.least + start.resolution else "fails"
    return _diagnosis(start, verdict, reason, levels, loss, time)


def _place_of_rest(
    start: InitialState, levels: tuple[float, ...], follow: bool, max_evaluations: int
) -> Asking[tuple[float | None, float | None, str]]:
    """Final loss, the time at which it is known, and why; None where it is not known."""
    if start.hindrance:
        return None, None, start.hindrance
    if len(levels) == 1:
        why = f"From almost every such start the flow ends at the loss {levels[0]:.6g}"
        if start.signs()[2]:
            why += ", however the flexible units divide"
        if start.levels(balance_freezes=False) != levels:
            units = listed(np.flatnonzero(start.balanced), "d")
            why += (
                f"; c_k is zero up to rounding for the units {units}, whose signs are frozen by exact balance only:"
                " a perturbation can unfreeze them"
            )
        return levels[0], 0.0, f"{why}."
    several = f"The start alone allows the losses {listed(levels, '.6g')}"
    if follow:
        return (yield from _follow(start, levels, max_evaluations, several))
    return None, None, f"{several}: it depends on whether flexible units cross a = 0."


def _follow(
    start: InitialState, levels: tuple[float, ...], max_evaluations: int, several: str
) -> Asking[tuple[float | None, float | None, str]]:
    """Integrate until the loss is below all levels but the lowest, or until the flow rests."""
    tolerance = SETTLED * (levels[1] - levels[0])
    enough = levels[1] - tolerance
    decided = Stop("decided", lambda t, theta: start.flow.loss(theta) - enough, loss=enough)
    wanted = {"samples": 2, "stops": [decided], "max_evaluations": max_evaluations, "throw": False}
    path: Trajectory = yield Integration(start.flow, wanted, UNTIL_DECIDED)
    status, time, loss = path.solver.status, path.solver.time_reached, float(path.loss[-1])
    told = f"{several}; the flow, followed numerically to t = {time:.4g},"
    if status == "decided":
        return levels[0], time, f"{told} is below all of them but the lowest."
    level = start.level_of(path.a[-1])
    if status == "converged" and abs(loss - level) < tolerance and _stays(start, path):
        return level, time, f"{told} rests at the spurious minimum {level:.6g}."
    return None, None, f"{told} did not settle (loss {loss:.6g})."


def _stays(start: InitialState, path: Trajectory) -> bool:
    """Whether no flexible unit can cross a = 0 any more, with G as it is at the end; not known beside a trained bias.

    For constant G, a² = a(0)² + ½ Σ_i w_i² (e^{2 g_i s} − 1) with s = ∫a dt and w_i in the eigenbasis of G: at
    most ½ w_i² is lost in every direction with a g_i < 0. (In the kernel, G = 0 up to what is left of the motion.)
    """
    W, a = path.coordinates[-1], path.a[-1]
    force = start.force(W, a)
    if force is None:
        return False
    g, E = np.linalg.eigh(force)
    g[np.abs(g) < KERNEL * np.abs(g).max()] = 0.0
    lost = 0.5 * np.where(np.outer(a, g) < 0, (W @ E) ** 2, 0.0).sum(axis=1)
    flexible = start.frozen_signs == 0
    return bool((lost < 0.5 * a**2)[flexible].all())


def _diagnosis(
    start: InitialState,
    verdict: str,
    reason: str,
    levels: tuple[float, ...] = (),
    loss: float | None = None,
    time: float | None = None,
) -> Diagnosis:
    return Diagnosis(
        verdict,
        reason,
        start.conserved,
        tuple(start.frozen_signs.tolist()),
        tuple(np.flatnonzero(start.inert).tolist()),
        None if start.unknown else start.needed,
        loss,
        levels,
        time,
    )


def _count_units(start: InitialState) -> str:
    """Numbers of units of each kind, as the beginning of a sentence."""
    signs = start.frozen_signs[~start.inert]
    kinds = [(1, "frozen positive"), (-1, "frozen negative"), (0, "flexible")]
    counts = [f"{int(np.sum(signs == s))} {name}" for s, name in kinds if np.any(signs == s)]
    if start.inert.any():
        counts.append(f"{int(start.inert.sum())} inert")
    return "Units: " + ", ".join(counts)


def _needs(start: InitialState) -> str:
    positive, negative = start.best[1]
    who = "the teacher" if sum(start.needed) <= len(start.inert) else "the best that so few units can learn"
    return f"{who} needs {positive} positive and {negative} negative"
