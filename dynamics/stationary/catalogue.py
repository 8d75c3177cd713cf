"""The complete catalogue of stationary points of the population loss of a quadratic network with one output.

A stationary point is, up to the symmetries of the problem, a set S of learned eigenvalues of the (whitened)
teacher: `levels` gives its loss, `hessian` its signature and the proof of what is a minimum, `spectrum` the
conventions on eigenvalues, `enumeration` the order of large catalogues (all derived here).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice, product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.activations import Activation
from dynamics.budget import check_number
from dynamics.errors import ProblemError
from dynamics.inputs.laws import GAUSSIAN, InputLaw
from dynamics.labels import Labels
from dynamics.losses import SQUARE, Loss
from dynamics.problem import SECOND_LAYERS, Problem, Student, Teacher
from dynamics.problem.balance import Balance, Landscape
from dynamics.problem.bias import NO_BIAS, Bias
from dynamics.problem.landscapes import landscape_of
from dynamics.problem.scope import require
from dynamics.problem.weight_decay import WeightDecay
from dynamics.stationary.decayed.catalogue import decayed_catalogue
from dynamics.stationary.enumeration import balanced_sets, capacities
from dynamics.stationary.hessian import Units, needed_units, ratios_passed
from dynamics.stationary.listed_points import Catalogue
from dynamics.stationary.points import FixedPoint
from dynamics.stationary.spectrum import Spectrum
from dynamics.stationary.sphere.catalogue import sphere_catalogue
from dynamics.stationary.survey import Surveyor, count_units
from dynamics.validation import validate_choice, validate_count, validate_real

LARGEST_CATALOGUE = 20_000  # points that are listed without being asked for the lowest only
LARGEST_SOLVED = 2_048  # of a loss other than the square, each of which takes some milliseconds

MINIMA = ("global minimum", "minimum", "spurious minimum")

SIGNS = {"+": 1, "-": -1, "0": 0, "1": 1, "+1": 1, "-1": -1}


def fixed_points(
    teacher: Teacher | Problem,
    hidden: int | None = None,
    *,
    second_layer: str = "trainable",
    second_layer_value: float = 1.0,
    activation: Activation | str = "quadratic",
    covariance: ArrayLike | None = None,
    weight_decay: WeightDecay | float | Sequence[float] = 0.0,
    distribution: InputLaw | str = GAUSSIAN,
    loss: Loss | str = SQUARE,
    labels: Labels | str | None = None,
    flip: float = 0.0,
    bias: Bias | float | str = NO_BIAS,
    signs: Sequence[int | str] | str | None = None,
    lowest: int | None = None,
    minima: bool = False,
) -> Catalogue:
    """Every stationary point of the population loss, with its loss, Hessian signature and kind.

    With weight decay: of the objective R = L + ½ρ_w‖W‖² + ½ρ_a‖a‖², see `dynamics.stationary.decayed`.

    Parameters
    ----------
    teacher : Teacher or Problem
        A problem also sets hidden units, second layer, activation and covariance; its weights do not matter, except
        those of a fixed second layer.
    hidden : int
        Number K of hidden units, with a teacher.
    second_layer : {"trainable", "fixed"}
    second_layer_value : float
        Value ≠ 0 of every a_k if it is fixed.
    activation : {"quadratic", "centred"}
    covariance : (d, d) array, optional
        Input covariance Σ. Learned modes then refer to the eigenvalues of Σ^{1/2} M* Σ^{1/2}.
    weight_decay : float, (ρ_w, ρ_a) or WeightDecay
        See `Problem`. The catalogue then needs uncorrelated Gaussian inputs, and decay of all that is trained.
    distribution : InputLaw or str
        Law of the inputs. That of independent coordinates needs a teacher along the axes; the catalogue then lists the
        points on the axes, and its `off_axis` says what is known of others (`find_stationary_points` looks for them).
    loss, labels, flip, bias
        See `Problem`. Losses other than the square need Gaussian inputs and no weight decay.
    signs : sequence of +1, −1, 0 or str, optional
        Signs of the trained a_k for which the Hessian is counted, also as ``"+,+,-"``. A 0 is a unit at the origin
        (w_k = 0 = a_k), so all zeros are the origin itself. Default: for every point as many units of each sign as
        it needs, spare units positive. With weight decay the points themselves determine the signs.
    lowest : int, optional
        List only this many points, the feasible ones of least loss, without looking at all; with weight decay those
        of least objective.
    minima : bool
        List only the local minima: global and spurious ones.

    Returns
    -------
    Catalogue
        Sorted by loss. One entry for each choice of how many copies of every distinct eigenvalue are learned; S may
        contain zero eigenvalues. Points that this student does not have, for want of units or of signs, are listed
        as not feasible, except: those that learn zero eigenvalues with more modes than there are hidden units; and,
        with a fixed second layer, those with a μ_i of a sign that no a_k has.

    Raises
    ------
    ProblemError
        If an argument is not usable, the teacher has several outputs, the activation is not quadratic, or the
        full catalogue would be too large.

    Examples
    --------
    >>> from dynamics import Teacher
    >>> from dynamics.stationary import fixed_points
    >>> catalogue = fixed_points(Teacher.from_eigenvalues([4, 2, 1]), hidden=3)
    >>> [round(point.loss, 3) for point in catalogue.points]
    [0.0, 1.25, 5.0, 8.0, 20.0, 25.333, 32.0, 45.5]
    """
    if isinstance(teacher, Problem):
        if hidden is not None:
            raise ProblemError("A problem already has hidden units: give a teacher, or leave out `hidden`.")
        problem = teacher
    else:
        K = validate_count("hidden", hidden)
        fixed = validate_choice("second_layer", second_layer, SECOND_LAYERS) == "fixed"
        a = np.full(K, validate_real("second_layer_value", second_layer_value))
        student = Student(
            np.zeros((K, teacher.inputs)), np.tile(a, (teacher.outputs, 1)), trainable=not fixed
        )
        problem = Problem(
            teacher,
            student,
            activation,
            covariance,
            weight_decay,
            distribution=distribution,
            loss=loss,
            labels=labels,
            flip=flip,
            bias=bias,
        )
    if problem.constraint:
        return _on_sphere(problem, signs, lowest, minima)
    require("catalogue", problem)
    if problem.weight_decay:
        return _decayed(problem, signs, lowest, minima)
    catalogue = _survey(problem, _given_signs(signs, problem.student), lowest)
    if not minima:
        return catalogue
    found = tuple(point for point in catalogue.points if point.kind in MINIMA)
    return replace(catalogue, points=found, complete=len(found) == len(catalogue.points))


def _on_sphere(
    problem: Problem, signs: Sequence[int | str] | str | None, lowest: int | None, minima: bool
) -> Catalogue:
    """Catalogue of units on the sphere."""
    require("catalogue on the sphere", problem)
    if signs is not None:
        raise ProblemError(
            f"`signs` is {signs!r}, but the second layer is fixed, and says the signs itself: leave it out."
        )
    return sphere_catalogue(problem, None if lowest is None else validate_count("lowest", lowest), minima)


def _decayed(
    problem: Problem, signs: Sequence[int | str] | str | None, lowest: int | None, minima: bool
) -> Catalogue:
    """Catalogue of a problem with weight decay."""
    if signs is not None:
        raise ProblemError(
            f"`signs` is {signs!r}, but with weight decay every spare unit rests at the origin, whatever its sign:"
            " leave it out."
        )
    if lowest is not None:
        validate_count("lowest", lowest)
    return decayed_catalogue(problem, lowest, minima)


def _survey(problem: Problem, signs: tuple[int, ...] | None, lowest: int | None) -> Catalogue:
    """Catalogue of a problem; `signs` of the second layer if they are given, or it is fixed."""
    landscape = landscape_of(problem)
    assert landscape is not None  # the scope says so
    spectrum = _spectrum(problem, landscape)
    hidden, trainable = problem.student.hidden, problem.student.trainable
    any_sign = Units(hidden, hidden)
    available = any_sign if signs is None else count_units(signs)
    most = capacities(spectrum, hidden)
    _check_size(math.prod(int(m) + 1 for m in most), lowest, landscape)
    # A trained a_k can have either sign: the least loss is sought over all of them.
    reachable = any_sign if trainable else available
    at_rest = partial(landscape.balance, spectrum.values, spectrum.multiplicities)
    growing = growing_modes(spectrum, landscape, reachable, hidden)
    # weights that grow for ever have the infimum 0
    least = 0.0 if growing else next(balanced_sets(spectrum, landscape, reachable, hidden))[1].loss
    surveyor = Surveyor(spectrum, landscape, hidden, trainable, signs, least)
    sets: Iterator[tuple[tuple[int, ...], Balance | None]]
    if lowest is None:
        sets = ((counts, at_rest(np.array(counts))) for counts in _all_sets(spectrum, most, hidden))
    else:
        sets = islice(balanced_sets(spectrum, landscape, available, hidden), lowest)
    points = [surveyor.describe(counts, balance) for counts, balance in sets if balance is not None]
    if not trainable:
        points = [
            p for p in points if all(n == 0 or has for n, has in zip(p.needed, available[:2], strict=True))
        ]
    points.sort(key=lambda point: (point.loss, point.learned_modes))
    at_origin = replace(surveyor, signs=(0,) * hidden) if trainable else surveyor
    nothing = (0,) * len(spectrum.values)
    unlearned = at_rest(np.array(nothing))
    assert unlearned is not None  # weights of zero are at rest
    return Catalogue(
        problem,
        spectrum,
        tuple(points),
        at_origin.describe(nothing, unlearned),
        complete=lowest is None or len(points) < lowest,
        off_axis=_off_axis(spectrum, landscape, points),
        growing=growing,
    )


def growing_modes(
    spectrum: Spectrum, landscape: Landscape, units: Units, hidden: int
) -> tuple[int, ...] | None:
    """The modes that units can learn without ever coming to rest; None if everything has a minimum.

    These are all that are not zero, where labels are separable (`dynamics.problem.class_landscape`).
    """
    counts = tuple(np.where(spectrum.values == 0, 0, spectrum.multiplicities).tolist())
    if landscape.balance(spectrum.values, spectrum.multiplicities, np.array(counts)) is not None:
        return None
    needed = needed_units(spectrum, counts, 0.0)
    return spectrum.modes(counts) if units.suffice(needed) and needed.total <= hidden else None


def _spectrum(problem: Problem, landscape: Landscape) -> Spectrum:
    """Of the whitened teacher; along the axes where these are singled out, of equal eigenvalues too."""
    if landscape.isotropic:
        return Spectrum.of(problem.teacher, problem.covariance)
    return Spectrum.of(Teacher.from_eigenvalues(problem.teacher.matrix().diagonal()))


def _off_axis(spectrum: Spectrum, landscape: Landscape, points: Sequence[FixedPoint]) -> str:
    """What is said of points off the axes; empty where there are none.

    Raises
    ------
    ProblemError
        If one is just being born: there the Hessian does not decide.
    """
    if landscape.isotropic or spectrum.inputs == 1:
        return ""
    passed = False
    for point in points:
        counts = spectrum.counts(point.learned_modes)
        balance = landscape.balance(spectrum.values, spectrum.multiplicities, np.array(counts))
        assert balance is not None  # of a point that is listed
        passes, at = ratios_passed(spectrum, counts, balance.shift, landscape.ratio)
        if at:
            raise ProblemError(
                f"`teacher` has modes {list(point.learned_modes)} whose learned value is 1 + κ/2 ="
                f" {landscape.ratio:.6g} times what is left of another, where points off the axes are just born and the"
                " catalogue of stationary points does not decide: change an eigenvalue a little."
            )
        passed |= passes
    if passed:
        return (
            f"complete on the axes only: ratios μ_i/λ̃_j have passed 1 + κ/2 = {landscape.ratio:.4g}, and points off the"
            " axes may exist"
        )
    return (
        f"complete on the axes only: no ratio μ_i/λ̃_j has passed 1 + κ/2 = {landscape.ratio:.4g}, where points off the"
        " axes are born, but nothing excludes others"
    )


def _given_signs(signs: Sequence[int | str] | str | None, student: Student) -> tuple[int, ...] | None:
    """Signs of the a_k as numbers; those of a fixed second layer."""
    if not student.trainable:
        if signs is not None:
            raise ProblemError(
                "`signs` are those of a trained second layer: leave them out with a fixed one."
            )
        if not student.a.all():
            raise ProblemError("A second-layer value is fixed at 0, but every one must differ from 0.")
        return tuple(np.sign(student.a).astype(int).tolist())
    if signs is None:
        return None
    names = [str(sign).strip() for sign in (signs.split(",") if isinstance(signs, str) else signs)]
    unknown = [name for name in names if name not in SIGNS]
    if unknown:
        raise ProblemError(f"`signs` contains {unknown[0]!r}, but each must be one of: +, -, 0.")
    if len(names) != student.hidden:
        raise ProblemError(f"`signs` names {len(names)} units, but there are {student.hidden} hidden units.")
    return tuple(SIGNS[name] for name in names)


def _check_size(number: int, lowest: int | None, landscape: Landscape) -> None:
    """Refuse catalogues, of `number` points or only the lowest, that nobody reads to the end."""
    if lowest is None:
        remedy = "ask for the lowest ones with `lowest` (on the command line `fixed-points --lowest N`)"
        most = LARGEST_CATALOGUE if landscape.coupling is not None else LARGEST_SOLVED
        check_number("The full catalogue", number, most, "points", remedy)
    else:
        number = min(number, validate_count("lowest", lowest))
        check_number(f"`lowest` {lowest}", number, LARGEST_CATALOGUE, "points", "ask for fewer")


def _all_sets(spectrum: Spectrum, most: NDArray[np.int64], hidden: int) -> list[tuple[int, ...]]:
    """All choices of how many modes of each distinct eigenvalue are learned (see `fixed_points` for the limits)."""
    zero = np.flatnonzero(spectrum.values == 0)
    return [
        counts
        for counts in product(*(range(int(m) + 1) for m in most))
        if sum(counts) <= hidden or not any(counts[g] for g in zero)
    ]
