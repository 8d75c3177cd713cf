"""What a jump does to the units that are still small, against the integrated flow; how errors are estimated."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from dynamics import ComputationError, GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.saddle_to_saddle import jump_errors, unit_by_unit
from dynamics.saddle_to_saddle.eigenframe import eigenframe
from dynamics.saddle_to_saddle.jump_errors import uncertainties
from dynamics.saddle_to_saddle.staircase import staircase
from dynamics.saddle_to_saddle.unit_by_unit import events, first_plateau


def plateau_of(problem):
    return first_plateau(eigenframe(problem))


@pytest.mark.parametrize(
    ("activation", "variances", "tolerance"),
    [
        ("centred", np.ones(3), 0.005),
        ("centred", np.array([1.5, 0.8, 0.6]), 0.005),
        ("quadratic", np.ones(3), 0.1),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_coupling_while_a_unit_turns(activation, variances, tolerance, sign):
    """A single unit that learns the largest mode: −4σ_iσ_j ∫ M_ij dt of its flow, by the trapezoidal rule.

    Its blow-up takes up to w_i w_j/g of the integral before ε matters: corrections O(ε ln ε) = 0.5 %. With trace
    coupling the decay is not that of a single exponential (λ̃_i moves meanwhile): an interpolation, to 10 %.
    """
    eps = 5e-4
    student = Student(eps * np.array([[1.0, 0.8, -0.5]]), [sign * eps])
    teacher = Teacher.from_eigenvalues([4 * sign, 3 * sign, 2 * sign])
    problem = Problem(teacher, student, activation, np.diag(variances))
    (jump,) = events(plateau_of(problem))
    coupling = unit_by_unit._turning(replace(jump.plateau, captured={}), 0, jump.mode)
    flow = GradientFlow(problem).integrate(
        times=np.append(
            np.linspace(0, jump.time - 10, 2001), np.linspace(jump.time - 9.99, jump.time + 3, 20001)
        )
    )
    W = np.array([flow.W_at(n)[0] for n in range(len(flow.times))]) @ problem.teacher.V.T
    strongest = int(np.argmax(np.abs(W[-1])))
    M = flow.A[:, 0, 0, None] * W * W[:, [strongest]]
    weighted = variances * variances[strongest] * np.trapezoid(M, flow.times, axis=0)
    expected = np.sort(np.abs(-4 * weighted[np.arange(3) != strongest]))
    got = np.sort(np.abs(coupling[np.arange(3) != jump.mode]))
    assert got == pytest.approx(expected, rel=tolerance)
    assert coupling[jump.mode] == 0


def test_a_small_unit_is_moved_to_first_order():
    """ẇ = a G w, ȧ = ½ wᵀGw for a short time, by Euler steps that are exact to 1e-6: the rest is O(G²)."""
    rng = np.random.default_rng(0)
    w0, a0, coupling = rng.standard_normal(4), 0.7, np.array([0.0, 1.0, -0.5, 2.0])
    left = []
    for size in (1e-2, 5e-3):
        G = np.zeros((4, 4))
        G[0] = G[:, 0] = size * coupling
        w, a = w0.copy(), a0
        for _ in range(2000):
            w, a = w + a * G @ w / 2000, a + 0.5 * w @ G @ w / 2000
        moved = unit_by_unit._kicked(w0, a0, 0, size * coupling)
        left.append(np.linalg.norm(np.append(moved[0] - w, moved[1] - a)))
    assert left[0] / left[1] == pytest.approx(4, rel=0.1)


def test_a_jump_that_depends_on_a_turning_unit():
    """λ = (5, 4, 3, 2), ten units: the fourth jump comes 2 % late unless the couplings of turning units are counted.

    A unit with a component along a learned mode seven times that of its next one is moved by 8 % in the latter, and
    nearly ties with another. Against the flow to 0.2 %; the error stated is below 5 %.
    """
    problem = Problem(
        Teacher.from_eigenvalues([5, 4, 3, 2]),
        Student.initialise(10, 4, scale=5.3e-4, seed=182712),
        "quadratic",
    )
    start = plateau_of(problem)
    found = events(start)
    errors = uncertainties(start, found)
    last = found[-1]
    flow = GradientFlow(problem).integrate(times=np.append(0, np.linspace(last.time - 2, last.time + 2, 801)))
    half = 0.5 * start.frame.level([j.mode for j in found[:-1]]).loss
    time = np.interp(-half, -flow.loss, flow.times)
    assert abs(last.time - time) < errors[-1]
    assert abs(last.time - time) < 2e-3 * time
    assert errors[-1] < 0.05 * time


def test_names_of_shared_jumps():
    """Parts below 1/1000 are no share; of equal parts the lowest number leads."""
    assert unit_by_unit._shared({4: 1.0, 2: 1.0 - 1e-12, 7: 0.9e-3, 5: 1.1e-3}) == (2, (2, 4, 5))
    assert unit_by_unit._shared({3: 0.2, 9: 0.4}) == (9, (3, 9))


def test_errors_cover_plateaus_that_end_earlier_or_later():
    """Twice the farther of the times with R halved and doubled, and of the longest jump so far; here either is."""
    problem = Problem(Teacher.from_eigenvalues([4, 2, 1]), Student.initialise(6, 3, scale=1e-2, seed=1))
    start = plateau_of(problem)
    found = events(start)
    errors, farther = uncertainties(start, found), set()
    for n, event in enumerate(found):
        gaps = [abs(events(start, stretch)[n].time - event.time) for stretch in (0.5, 2.0)]
        blur = max(jump.blur for jump in found[: n + 1])
        assert errors[n] == pytest.approx(2 * (max(gaps) + blur), rel=1e-6)
        farther.add(int(np.argmax(gaps)))
    assert farther == {0, 1}


@pytest.mark.parametrize("side", [-1, 1])
def test_an_uncertain_order_has_no_error_bar(monkeypatch, side):
    """From the first jump that another end of the plateaus changes, or makes impossible, errors are infinite."""
    problem = Problem(Teacher.from_eigenvalues([4, 2, 1]), Student.initialise(6, 3, scale=1e-3, seed=1))
    start = plateau_of(problem)
    found = events(start)
    assert np.isfinite(uncertainties(start, found)).all()
    other = [found[0], replace(found[1], mode=2), found[2]]
    monkeypatch.setattr(
        jump_errors, "events", lambda start, stretch: other if side * stretch > side else found
    )
    assert np.isfinite(uncertainties(start, found)).tolist() == [True, False, False]
    stranger = (found[1].unit + 1) % 6
    other[1] = replace(found[1], unit=stranger, units=(stranger,))
    assert np.isfinite(uncertainties(start, found)).tolist() == [True, False, False]
    other[1] = replace(
        found[1], unit=5, units=(5, found[1].unit)
    )  # they share it, the other has the larger part
    assert np.isfinite(uncertainties(start, found)).all()

    def breaks_down(start, stretch):
        raise ComputationError("no")

    monkeypatch.setattr(jump_errors, "events", breaks_down)
    assert np.isinf(uncertainties(start, found)).all()


@pytest.mark.parametrize("second", [2, -2])
def test_jumps_are_in_order(second):
    """Units of two modes that blow up at once: two jumps, none before the other; the flow learns both by then.

    For λ = (2, −2) the second grows faster once the first is learned (8 → 32/3), so that it would be dated back.
    """
    eps = 1e-3
    problem = Problem(
        Teacher.from_eigenvalues([2, second]), Student(eps * np.eye(2), [eps, np.sign(second) * eps])
    )
    start = plateau_of(problem)
    first, last = events(start)
    assert {first.units, last.units} == {(0,), (1,)}
    assert first.time <= last.time < 1.01 * first.time
    flow = GradientFlow(problem).integrate(times=[0.98 * first.time, 1.02 * first.time])
    assert flow.loss[0] > 0.9 * start.level.loss
    assert flow.loss[1] < 1e-3 * start.level.loss


def test_many_units_that_are_not_small_are_refused_without_trying(monkeypatch):
    """Ten thousand units of size 0.1 hold far more together than the small units of a plateau may."""
    tried = []
    monkeypatch.setattr(unit_by_unit, "_with_captured", lambda frame, units: tried.append(units))
    start = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(10_000, 2, scale=0.1, seed=0))
    with pytest.raises(ProblemError, match="neither small nor near a plateau"):
        staircase(start)
    assert not tried


def test_an_uncertainty_grows_with_decay_between_jumps(monkeypatch):
    """By hand, ρ = 0.2: what blurs the first jump, at t = 1, blurs the second, at t = 3, by e^{2ρ} as much."""
    jumps = [
        SimpleNamespace(time=1.0, blur=0.1, unit=0, mode=0, units=(0,)),
        SimpleNamespace(time=3.0, blur=0.01, unit=1, mode=1, units=(1,)),
    ]
    monkeypatch.setattr(jump_errors, "events", lambda start, stretch: jumps)
    monkeypatch.setattr(jump_errors, "copies_part", lambda start, found: (np.inf, 0.0))
    monkeypatch.setattr(jump_errors, "_alike", lambda one, other: True)
    start = SimpleNamespace(frame=SimpleNamespace(decay=SimpleNamespace(first=0.2)))
    margin, accuracy = jump_errors.MARGIN, jump_errors.ACCURACY
    expected = [margin * 0.1 + accuracy, margin * 0.1 * np.exp(0.4) + 3 * accuracy]
    np.testing.assert_allclose(uncertainties(start, jumps), expected, rtol=1e-12)
