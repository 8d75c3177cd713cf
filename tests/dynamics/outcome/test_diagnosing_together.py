"""Many diagnoses at once say what each says alone, with fewer integrations than diagnoses."""

import numpy as np
import pytest

from dynamics import Problem, Student, Teacher
from dynamics.flows import in_bulk
from dynamics.outcome.diagnosis import diagnose, diagnosing
from dynamics.requests import together

TEACHER = Teacher.from_eigenvalues([2.0, 1.0])


def problems(**more):
    """Starts of which the flow decides some."""
    return [
        Problem(TEACHER, Student.initialise(hidden, 2, scale=0.3, seed=seed), **more)
        for hidden in (1, 3)
        for seed in range(8)
    ]


def assert_same(one, other, rel=1e-7):
    """Verdicts and numbers; times are those of a crossing, known to the tolerance of the flow."""
    assert (one.verdict, one.reason, one.frozen_signs) == (other.verdict, other.reason, other.frozen_signs)
    assert one.possible_losses == other.possible_losses
    for found, expected in (
        (one.predicted_loss, other.predicted_loss),
        (one.decided_at, other.decided_at),
        (one.critical_scale, other.critical_scale),
    ):
        assert found == (None if expected is None else pytest.approx(expected, rel=rel))
    np.testing.assert_array_equal(one.conserved, other.conserved)


def test_together_as_alone(monkeypatch):
    """Eight starts of one unit and eight of three: one launch for each size, for those that have to be followed."""
    sizes, own = [], in_bulk.integrate_in_bulk

    def launch(field, theta0, *args, **kwargs):
        sizes.append(len(theta0))
        return own(field, theta0, *args, **kwargs)

    monkeypatch.setattr(in_bulk, "integrate_in_bulk", launch)
    given = problems()
    found = dict(together([diagnosing(problem) for problem in given]))
    assert len(sizes) <= 2 < sum(sizes)
    expected = [diagnose(problem) for problem in given]
    followed = [verdict for verdict in expected if verdict.decided_at]
    assert len(followed) > 2
    for i, verdict in enumerate(expected):
        assert_same(found[i], verdict)


def test_not_followed(monkeypatch):
    monkeypatch.setattr(in_bulk, "integrate_together", None)
    found = dict(together([diagnosing(problem, follow=False) for problem in problems()]))
    assert "undecided" in {verdict.verdict for verdict in found.values()}


def test_under_weight_decay():
    """The staircase decides small starts, the flow the others; when it has come to rest, is known to its tolerance."""
    given = [
        Problem(Teacher.from_eigenvalues([2.0]), Student([[scale]], [0.8 * scale]), weight_decay=0.5)
        for scale in (0.9, 1.1, 0.01)
    ]
    found = dict(together([diagnosing(problem) for problem in given]))
    expected = [diagnose(problem) for problem in given]
    assert [verdict.decided_at == 0 for verdict in expected] == [False, False, True]
    for i, verdict in enumerate(expected):
        assert_same(found[i], verdict, 1e-4)
