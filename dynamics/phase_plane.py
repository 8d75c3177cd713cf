"""The phase plane (a, p) of one mode: f(x) = a φ(p x) learns λ φ(x).

Section 1 of the theory (derived by `dynamics.symbolic.derivation`, ``derive(1, 1)``), with κ = 3 for the quadratic
and 2 for the centred activation:

    ṗ = 2κ a p (λ − a p²),   ȧ = κ p² (λ − a p²).

Both vanish on the hyperbola a p² = λ (global minima) and on the line p = 0; ṗ alone vanishes on a = 0.
Near p = 0 the mode grows at the rate 2κaλ, so that the half line aλ < 0 consists of stable fixed points that are
not minima: failed learning. c = p² − 2a² is conserved; the curve c = 0 on the failing side runs into the origin and
separates the initial states that fail (p² ≤ 2a², aλ < 0) from those that learn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dynamics.activations import Activation
from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.flows.gradient import GradientFlow
from dynamics.problem import Problem, Student, Teacher
from dynamics.validation import validate_array, validate_count, validate_real

SIZES = (1e-50, 1e50)  # of λ and of the plane: products of four such numbers neither overflow nor vanish


@dataclass(frozen=True, eq=False)
class PhasePlane:
    """Everything a phase portrait shows.

    Parameters
    ----------
    eigenvalue : float
        λ ≠ 0.
    activation : Activation
    a, p : (n,), (m,) arrays
        Grid.
    velocity : (2, m, n) array
        (ȧ, ṗ) on the grid.
    minima : (2, k) array
        Points (a, p), p > 0, of the hyperbola a p² = λ within the grid; mirrored in p they are the rest.
    separatrix : (2, k) array
        Points (a, p), p ≥ 0, of p² = 2a² on the failing side; mirrored in p they are the rest.
    paths : tuple of (2, T) arrays
        Trajectories (a(t), p(t)) of the flow.
    times : tuple of (T,) arrays
        Times t of their points.
    """

    eigenvalue: float
    activation: Activation
    a: Array
    p: Array
    velocity: Array
    minima: Array
    separatrix: Array
    paths: tuple[Array, ...]
    times: tuple[Array, ...]


def phase_plane(
    eigenvalue: float = 1.0,
    starts: ArrayLike = (),
    *,
    activation: Activation | str = "quadratic",
    extent: float = 2.0,
    points: int = 41,
) -> PhasePlane:
    """Sample the phase plane of one mode.

    Parameters
    ----------
    eigenvalue : float
        λ ≠ 0 of the teacher.
    starts : (S, 2) array
        Initial states (a, p) of the trajectories.
    activation : {"quadratic", "centred"}
    extent : float
        The plane is shown for |a|, |p| ≤ extent.
    points : int
        Grid points per axis.

    Returns
    -------
    PhasePlane

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    phi = Activation.parse(activation)
    phi.coupling_for("the phase plane of one mode")
    if validate_real("eigenvalue", eigenvalue) == 0:
        raise ProblemError("`eigenvalue` is 0, but a mode needs something to learn: any other number.")
    lam = validate_real("eigenvalue", eigenvalue, size=SIZES)
    size = validate_real("extent", extent, positive=True, size=SIZES)
    states = validate_array("starts", starts if np.size(starts) else np.empty((0, 2)), 2)
    if states.shape[1] != 2:
        raise ProblemError(f"`starts` has shape {states.shape}, but must be pairs (a, p), of shape (S, 2).")
    axis = np.linspace(-size, size, validate_count("points", points, minimum=3))
    teacher = Teacher.from_eigenvalues([lam])

    def flow_from(a: float, p: float) -> GradientFlow:
        return GradientFlow(Problem(teacher, Student([[p]], [a]), phi))  # type: ignore[arg-type]

    flow = flow_from(1.0, 1.0)
    velocity = np.empty((2, len(axis), len(axis)))
    for (i, p), (j, a) in ((x, y) for x in enumerate(axis) for y in enumerate(axis)):
        velocity[::-1, i, j] = flow(0.0, np.array([p, a]))  # θ = (p, a)
    paths, times = [], []
    for a0, p0 in states:
        t = flow_from(a0, p0).integrate()
        paths.append(np.stack([t.a[:, 0], t.W[:, 0, 0]]))
        times.append(t.times)
    nearest = np.sqrt(abs(lam) / size)  # p where the minima enter the plane, if they do
    p = np.linspace(nearest, size, 200) if nearest <= size else np.empty(0)
    failing = np.linspace(0.0, min(size, size / np.sqrt(2)), 50)
    sign = np.sign(lam)
    return PhasePlane(
        lam,
        phi,
        axis,
        axis,
        velocity,
        np.stack([lam / p**2, p]),
        np.stack([-sign * failing, np.sqrt(2) * failing]),
        tuple(paths),
        tuple(times),
    )
