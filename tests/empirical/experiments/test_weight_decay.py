"""The learned spectrum under weight decay: laws that hold at catalogue points, networks that lie on them."""

import numpy as np
import pytest

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.stationary import fixed_points
from empirical import train
from empirical.experiments.weight_decay import decayed_spectra

LAM = [0.9, 0.6, 0.3, 0.1]
RHO = 0.2


def problem(activation="centred", **options):
    start = Student.initialise(8, 4, scale=1.0, seed=1)
    return Problem(Teacher.from_eigenvalues(LAM), start, activation, weight_decay=RHO, **options)


def test_lines_are_the_laws_of_the_catalogue():
    """Every single-unit entry lies on its line, of either root; every entry of the fixed layer on the soft one."""
    spectra = decayed_spectra(problem(), value=0.5, step=1e-2, batch=16, t_end=0.05, seeds=1)
    for point in fixed_points(
        Teacher.from_eigenvalues(LAM), 4, activation="centred", weight_decay=RHO
    ).points:
        if set(point.units) == {1}:
            for i, mu, branch in zip(point.learned_modes, point.learned_values, point.branch, strict=True):
                line = getattr(spectra, branch)
                # interpolated between 200 points; the square root at the fold is 0.22 < λ away
                assert np.interp(LAM[i], spectra.held, line) == pytest.approx(mu, abs=1e-4)
                assert LAM[i] > spectra.fold
    fixed = fixed_points(
        Teacher.from_eigenvalues(LAM),
        4,
        activation="centred",
        second_layer="fixed",
        second_layer_value=0.5,
        weight_decay=RHO,
    )
    for point in fixed.points:
        for i, mu in zip(point.learned_modes, point.learned_values, strict=True):
            assert np.interp(LAM[i], spectra.line, spectra.soft) == pytest.approx(mu, abs=2e-3)
    # m_θ and m_g of theory 14.5, of ρ = 0.1 by R̂^{1/4} ∝ ρ^{3/4}
    assert spectra.fold == pytest.approx(0.1311993 * 2**0.75, rel=1e-6)
    assert spectra.worth == pytest.approx(0.1495349 * 2**0.75, rel=1e-6)


@pytest.mark.parametrize("activation", ["centred", pytest.param("quadratic", marks=pytest.mark.slow)])
def test_networks_lie_on_the_laws(activation):
    """Mean of six networks against the law at what they see, within six standard errors and 1e-3 for interpolation.

    Each unit starts along a mode of its own: turning apart from a state in which units share modes takes as long as
    the frame's lowest eigenvalue says, 1/0.0069 for two units on 0.9 and 0.6. All else decays like e^{−2ρt} = 6e-6.
    """
    start = Student.initialise(4, 4, init="aligned", scale=0.8)
    case = Problem(Teacher.from_eigenvalues(LAM), start, activation, weight_decay=RHO)
    spectra = decayed_spectra(case, step=1e-2, batch=256, t_end=30.0, seeds=6)
    trained = np.where(
        spectra.trained.seen > spectra.fold, np.interp(spectra.trained.seen, spectra.held, spectra.upper), 0
    )
    soft = np.interp(spectra.fixed.seen, spectra.line, spectra.soft)
    for found, law in ((spectra.trained.learned, trained), (spectra.fixed.learned, soft)):
        apart = found - law
        error = apart.std(axis=0, ddof=1) / np.sqrt(6)
        assert (np.abs(apart.mean(axis=0)) < 6 * error + 1e-3).all()
        assert error.max() < 3e-3
    # 0.1 is below m_θ where a is trained, above ρ/4 where it is not
    assert np.abs(spectra.trained.learned[:, 3]).max() < 1e-3
    assert (spectra.fixed.learned[:, 3] > 0.03).all()
    assert (spectra.worth is None) == (activation == "quadratic")


def test_what_is_seen_includes_the_trace():
    """λ + τ/2 with τ = Σλ − tr M of each network, its kernel of the teacher included; without coupling λ."""
    teacher = Teacher.from_eigenvalues([0.9, 0.6], inputs=3)
    start = Problem(teacher, Student.initialise(3, 3, scale=1.0, seed=2), weight_decay=RHO)
    spectra = decayed_spectra(start, step=1e-2, batch=16, t_end=0.2, seeds=2, seed=7)
    run = train(start, steps=20, step=1e-2, batch=16, seeds=2, seed=7, records=2)
    for s in range(2):
        W, a = run.W[s, -1].astype(float), run.A[s, -1, 0].astype(float)
        M = (W.T * a) @ W
        np.testing.assert_allclose(spectra.trained.learned[s], np.diag(M), rtol=1e-6)
        tau = 1.5 - np.trace(M)
        np.testing.assert_allclose(spectra.trained.seen[s], np.array([0.9, 0.6, 0]) + tau / 2, rtol=1e-6)
    centred = decayed_spectra(problem(), step=1e-2, batch=16, t_end=0.05, seeds=2)
    np.testing.assert_array_equal(centred.trained.seen, [LAM, LAM])


def test_what_is_refused():
    arguments = {"step": 1e-2, "batch": 16, "t_end": 1.0, "seeds": 1}
    start = Student.initialise(2, 2, scale=1.0)
    with pytest.raises(ProblemError, match="needs a trained second layer and `weight_decay`"):
        decayed_spectra(Problem(Teacher.from_eigenvalues([2, 1]), start), **arguments)
    with pytest.raises(ProblemError, match="learn none below 0"):
        decayed_spectra(Problem(Teacher.from_eigenvalues([2, -1]), start, weight_decay=0.1), **arguments)
    with pytest.raises(ProblemError, match="known only for quadratic"):
        decayed_spectra(
            Problem(Teacher.from_eigenvalues([2, 1]), start, "relu", weight_decay=0.1), **arguments
        )
    good = Problem(Teacher.from_eigenvalues([2, 1]), start, weight_decay=0.1)
    for name, value in (("value", 0.0), ("t_end", 0.0), ("seeds", 0)):
        with pytest.raises(ProblemError, match=f"`{name}`"):
            decayed_spectra(good, **arguments | {name: value})
