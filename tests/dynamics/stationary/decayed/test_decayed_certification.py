"""Certificates under weight decay: sound, independent of the catalogue's numbers, silent about families."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("flint")

from dynamics import ProblemError, Teacher
from dynamics.stationary import certify, certify_point, fixed_points


def test_every_point_of_random_problems_is_proven(random_problem):
    """But for frames. Repeated eigenvalues are equal exactly only of an axis-parallel teacher."""
    rng = np.random.default_rng(0)
    number = 0
    for trainable in [True] * 8 + [False] * 5:
        problem = random_problem(rng, trainable)
        lam = problem.teacher.eigen[0][0].round(9)
        if len(set(lam)) < len(lam):
            problem = replace(problem, teacher=Teacher.from_eigenvalues(lam.tolist(), problem.inputs))
        proven = certify(fixed_points(problem))
        for point in [*proven.points, proven.origin]:
            assert point.certified == (not point.frame), certify_point(proven, point)
            if point.certified:
                assert point.radius < 1e-10
                proof = certify_point(proven, point)
                assert (
                    proof.loss[0] <= point.loss * (1 + 1e-12)
                    and point.loss * (1 - 1e-12) <= proof.loss[1] + 1e-15
                )
                assert (proof.index, proof.nullity, proof.positive) == (
                    point.index,
                    point.nullity,
                    point.positive,
                )
                number += 1
    assert number > 100


def test_wrong_entries_are_not_proven():
    """A wrong index, a wrong weight, a mode that is not held."""
    catalogue = fixed_points(Teacher.from_eigenvalues([2, 1]), 2, weight_decay=0.1)
    point = catalogue.point([0])
    assert certify_point(catalogue, point).certified
    assert "not that of the catalogue" in certify_point(catalogue, replace(point, index=3)).reason
    (block,) = point.blocks
    far = replace(block, values=(1.5 * block.values[0],))
    proof = certify_point(catalogue, replace(point, blocks=(far,)))
    assert proof.radius is None or proof.radius > 0.05


def test_the_radius_bounds_the_distance():
    """From a learned value that is off by 1e-6 the zero is as far as the weights are from those of the point."""
    catalogue = fixed_points(Teacher.from_eigenvalues([2, 1]), 3, weight_decay=0.1)
    for units in (1, 3):
        point = next(p for p in catalogue.points if p.learned_modes == (0,) and p.units == (units,))
        (block,) = point.blocks
        off = replace(block, values=(block.values[0] * (1 + 1e-6),), a=block.a * (1 - 1e-6))
        proof = certify_point(catalogue, replace(point, blocks=(off,), second_layer_values=(off.a,)))
        p, moved = (np.sqrt(b.values[0] / (b.units * b.a)) for b in (block, off))
        distance = np.sqrt(units * ((p - moved) ** 2 + (block.a - off.a) ** 2))
        assert proof.certified
        assert distance * (1 - 1e-9) < proof.radius < 1.02 * distance


def test_what_intervals_do_not_prove():
    catalogue = fixed_points(Teacher.from_eigenvalues([2, 1]), 2, weight_decay=0.1)
    frame = next(p for p in catalogue.points if p.frame)
    assert "a family of states" in certify_point(catalogue, frame).reason
    with pytest.raises(ProblemError, match="`student` is given"):
        certify_point(catalogue, catalogue.points[0], catalogue.representative(catalogue.points[0]))
