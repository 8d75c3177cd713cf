"""Modes have one number each, whoever names them: places among all d eigenvalues, counted here by sorting."""

import numpy as np
import pytest

from dynamics import GradientFlow, MeanSGD, Problem, Student, Teacher, fixed_points
from dynamics.problem.mode_numbers import mode_numbers
from dynamics.saddle_to_saddle.staircase import staircase
from dynamics.stationary.spectrum import Spectrum


@pytest.mark.parametrize("lam", [[4, 2, 1], [3, -1.5], [-1, -2], [0.5, 0.2, -0.1, -3]])
def test_numbers_are_places_among_all_eigenvalues(lam):
    """The sorted spectrum of the dense d × d teacher, d = 4 and 7."""
    for d in (4, 7):
        teacher = Teacher.from_eigenvalues(lam, d)
        every = np.sort(np.linalg.eigvalsh(teacher.matrix()))[::-1]
        values = teacher.eigen[0][0]
        numbers = mode_numbers(values, d)
        np.testing.assert_allclose(every[numbers], values, atol=1e-14)
        spectrum = Spectrum.of(teacher)
        learned = spectrum.modes(
            tuple(m if v else 0 for v, m in zip(spectrum.values, spectrum.multiplicities, strict=True))
        )
        assert learned == tuple(numbers)


def test_several_outputs_are_counted_by_columns():
    assert mode_numbers([2, -1, 3, -2], 5, outputs=2).tolist() == [0, 1, 2, 3]


def test_plateaus_staircase_and_catalogue_call_a_mode_the_same():
    """λ = 3, −1.5 in five dimensions: the second mode is number 4. Heights of the plateaus from the catalogue."""
    teacher = Teacher.from_eigenvalues([3, -1.5], 5)
    student = Student(1e-3 * np.eye(2, 5), [1e-3, -1e-3])
    problem = Problem(teacher, student)
    catalogue = fixed_points(problem)
    stages = GradientFlow(problem).integrate(t_end=1000, samples=801).stages
    assert [stage.learned_modes for stage in stages] == [(), (0,), (0, 4)]
    for stage in stages:
        assert stage.level.learned == stage.learned_modes
        assert stage.level.loss == pytest.approx(catalogue.point(stage.learned_modes).loss, abs=1e-12)
    assert [jump.learned_modes for jump in staircase(problem).jumps] == [(0,), (0, 4)]
    mean = MeanSGD(problem, 1e-4, 100).integrate(t_end=1000, samples=801)
    assert [stage.learned_modes for stage in mean.stages] == [(), (0,), (0, 4)]
