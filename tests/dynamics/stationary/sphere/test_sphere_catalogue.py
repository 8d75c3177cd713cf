"""The catalogue on the sphere against Hessians at its representatives, blind searches, and flows."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.problem.sphere_levels import sphere_level
from dynamics.stationary import fixed_points
from dynamics.stationary.certification import certify
from dynamics.stationary.connections import saddle_graph
from dynamics.stationary.matching import search_catalogue
from dynamics.stationary.numerical import numerical_points
from dynamics.stationary.report import fixed_points_report


def problem(lam, a, activation="quadratic", seed=0, **more):
    W = np.random.default_rng(seed).standard_normal((len(a), len(lam)))
    return Problem(
        Teacher.from_eigenvalues(lam), Student(W, a, trainable=False), activation, constraint="sphere", **more
    )


CASES = {
    "equal": ([3, 2, 1, 0.3], [1, 1, 1.0]),
    "different": ([3, 2, 1], [1.5, 1, 0.4]),
    "repeated": ([3, 2, 2, 0, 0], [1, 1, 0.5]),
    "negative": ([2, 1, -1, -3], [-1, -0.3]),
    "many units": ([2, 1], [1, 1, 0.5, 0.5, 0.2]),
}


def signature(there, student):
    """Numbers of negative and of zero eigenvalues on the product of spheres, from the dense Hessian."""
    n = student.W.size
    values = np.linalg.eigvalsh(there.objective.hessian(student.W, student.A)[:n, :n])
    zero = 1e-8 * np.abs(values).max()
    return int(np.sum(values < -zero)), int(np.sum(np.abs(values) <= zero)) - len(student.W)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_points_are_stationary_with_this_signature(name, activation):
    """At representatives, also turned among equal modes: gradient 0, loss, norms, and the signs of the Hessian."""
    there = problem(*CASES[name], activation)
    found = fixed_points(there)
    assert [p.loss for p in found.points] == sorted(p.loss for p in found.points)
    for point in found.points:
        for seed in (None, 2):
            student = found.representative(point, seed)
            np.testing.assert_allclose(np.linalg.norm(student.W, axis=1), 1, atol=1e-12)
            assert np.abs(there.objective.velocity(student.W, student.A)[0]).max() < 1e-10
            assert there.population.loss(student.W, student.A) == pytest.approx(
                point.loss, rel=1e-11, abs=1e-12
            )
            assert signature(there, student) == (point.index, point.nullity)
        assert point.index + point.nullity + point.positive == len(student.W) * (there.inputs - 1)
        modes = there.modes(student.W, student.A)
        kept = [i for i in point.learned_modes if i < len(modes) and there.teacher.inputs == len(modes)]
        if len(kept) == len(point.learned_modes):
            np.testing.assert_allclose(modes[kept], point.learned_values, atol=1e-11)


def test_kinds():
    """One global minimum, which is the only minimum of equal weights; with a zero loss it says so."""
    found = fixed_points(problem(*CASES["equal"]))
    assert [p.kind for p in found.points] == ["global minimum", *["saddle"] * (len(found.points) - 1)]
    assert "No stationary point is lower" in found.points[0].reason
    assert "6 directions" in next(p for p in found.points if p.index == 6).reason
    perfect = fixed_points(problem([1, 1, 0], [1, 1.0]))
    assert perfect.points[0].loss == 0 and perfect.points[0].reason == "The loss is zero."


@pytest.mark.parametrize("starts", [24, pytest.param(300, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["equal", "different"])
def test_a_blind_search_finds_nothing_else(name, starts):
    """Every root is on a level of the catalogue, with its loss and its index; units have norm 1."""
    there = problem(*CASES[name])
    match = search_catalogue(fixed_points(there), starts, seed=5)
    assert not match.unmatched and match.search.converged > starts / 3
    assert match.matched == match.search.converged
    indices = []
    for root, point in zip(match.search.roots, match.points, strict=True):
        assert root.loss == pytest.approx(point.loss, rel=1e-6)
        indices.append(root.index == point.index)
        assert root.index + root.nullity + root.positive == 3 * (there.inputs - 1)
    assert (
        np.mean(indices) > 0.9
    )  # λ = γ of a group leaves eigenvalues that are zero to the accuracy of roots alone


@pytest.mark.parametrize("starts", [6, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.parametrize("a", [[1, 1, 1.0], [1.5, 1, 0.4]])
def test_flows_end_at_the_global_minimum(a, starts):
    """From random starts; what is left falls like 1/t where a mode has the multiplier of the group."""
    least = fixed_points(problem([3, 2, 1, 0.3], a)).points[0].loss
    for seed in range(starts):
        end = GradientFlow(problem([3, 2, 1, 0.3], a, seed=seed)).integrate(t_end=200.0, samples=2).loss[-1]
        assert end == pytest.approx(least, abs=1e-4)


def test_spherical_inputs():
    """On the sphere in d dimensions the loss has other constants: still stationary, with the loss of the population."""
    there = problem([3, 2, 1, 0.3], [1, 1, 1.0], distribution="sphere")
    found = fixed_points(there)
    for point in found.points[:8]:
        student = found.representative(point)
        assert np.abs(there.objective.velocity(student.W, student.A)[0]).max() < 1e-10
        assert there.population.loss(student.W, student.A) == pytest.approx(point.loss, rel=1e-10)


def test_a_teacher_off_the_axes():
    """The representative of a rotated teacher is stationary."""
    rng = np.random.default_rng(1)
    Q = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    teacher = Teacher.from_matrix(Q @ np.diag([3, 2, 1.0]) @ Q.T)
    there = Problem(teacher, Student(np.eye(2, 3), [1, 1.0], trainable=False), constraint="sphere")
    found = fixed_points(there)
    for point in found.points:
        student = found.representative(point, seed=1)
        assert np.abs(there.objective.velocity(student.W, student.A)[0]).max() < 1e-10


def test_parts_of_a_list():
    there = problem(*CASES["equal"])
    whole, few, minima = fixed_points(there), fixed_points(there, lowest=3), fixed_points(there, minima=True)
    assert [p.loss for p in few.points] == [p.loss for p in whole.points[:3]] and not few.complete
    assert whole.complete and [p.kind for p in minima.points] == ["global minimum"]


def test_json_and_tables():
    """Groups with their modes, units and multipliers; a table with a row for each point; units in the text."""
    found = fixed_points(problem(*CASES["equal"]))
    data = fixed_points_report(found, search=2)
    assert data["count"] == 33 and data["origin"] is None and data["search"]["starts"] == 2
    first = data["fixed_points"][0]
    assert first["groups"] == [
        {
            "modes": [0, 1],
            "units": 3,
            "second_layer_values": [1.0, 1.0, 1.0],
            "multiplier": pytest.approx(1.0),
        }
    ]
    assert "level" not in first and first["learned_modes"] == [0, 1]
    assert "{0, 1} 2 + {2} 1" in found.summary()
    frame = found.to_dataframe()
    assert len(frame) == 33 and "groups" not in frame


def test_what_is_refused():
    there = problem(*CASES["equal"])
    with pytest.raises(ProblemError, match=r"`signs` is '.,.', but the second layer is fixed"):
        fixed_points(there, signs="+,+")
    with pytest.raises(ProblemError, match="second-layer weights of one sign"):
        fixed_points(problem([2, 1], [1.0, -1.0]))
    found = fixed_points(there, lowest=1)
    with pytest.raises(ProblemError, match="proven only without a constraint"):
        certify(found)
    with pytest.raises(ProblemError, match="connections are known only without a constraint"):
        saddle_graph(found)


def test_a_search_where_there_is_no_catalogue():
    """Weights of both signs, and tanh units: norms 1, stationary, K(d − 1) eigenvalues."""
    for there in (problem([2, -1, 0.5], [1.0, -1.0]), problem([1, 0.5, 0], [1.0, 0.8], "tanh")):
        found = numerical_points(there, 8, seed=1)
        assert found["count"]
        for point in found["fixed_points"]:
            W, A = np.array(point["W"]), there.student.A
            np.testing.assert_allclose(np.linalg.norm(W, axis=1), 1, atol=1e-6)
            assert np.abs(there.objective.velocity(W, A)[0]).max() < 1e-6
            assert point["index"] + point["nullity"] + point["positive"] == 2 * 2


def test_scale_of_the_law():
    """Loss of a level in units of the law: γ and c enter as a factor and as the weight of τ²."""
    sphere, groups = fixed_points(problem(*CASES["equal"])).sphere, None
    groups = sphere.points()[0]
    plain = sphere_level(sphere, groups, 1.0, 0.0, 1.0).loss
    assert sphere_level(sphere, groups, 2.0, 0.5, 1.0).loss == pytest.approx(2 * (plain + 0.25 * 3.3**2))
