"""Ensembles: both engines against closed forms, each other and single flows; failures stay where they are."""

import io
import os

import numpy as np
import pytest

from dynamics import FlowEnsemble, GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.closed_forms import SingleMode
from dynamics.ensemble.trajectory import EnsembleTrajectory
from dynamics.integration import taylor

ENGINES = [
    "scipy",
    "numpy",
    pytest.param(
        "heyoka", marks=pytest.mark.skipif(not taylor.available(), reason="heyoka is not installed")
    ),
]


@pytest.fixture(params=ENGINES)
def engine(request):
    return request.param


def weights(rng, N, K, d, scale=0.3):
    return scale * rng.standard_normal((N, K, d)), scale * rng.standard_normal((N, K))


def test_single_modes_follow_their_closed_form(engine, rng):
    """Theory section 5, one quadrature per member; 11 members: more than lanes, and no multiple of them."""
    p, a = rng.uniform(0.1, 1.0, 11), rng.uniform(-0.6, 0.6, 11)
    times = [0.2, 0.5, 2.0]
    ensemble = FlowEnsemble.from_weights(Teacher.from_eigenvalues([1.5]), p[:, None, None], a[:, None])
    result = ensemble.integrate(times=times, engine=engine)
    for i in range(11):
        expected_p, expected_a = SingleMode(1.5, p[i], a[i]).weights(times)
        np.testing.assert_allclose(result.W[i, :, 0, 0], expected_p, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(result.a[i, :, 0], expected_a, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    "variant",
    [
        {},
        {"O": 2, "trainable": False},
        {"covariance": True, "activation": "centred"},
        {"d": 12, "K": 2},
        {"d": 12, "K": 2, "covariance": True},
    ],
    ids=str,
)
def test_members_are_single_flows(engine, make_problem, rng, variant):
    """Teachers and weights differ; loss, modes, weights and drift as from `GradientFlow`, member by member.

    A loss that has fallen to 1e-11 of its start holds the square of the weights' errors, hence `atol`.
    """
    problems = [make_problem(rng, scale=0.4, **variant) for _ in range(3)]
    problems = [Problem(p.teacher, p.student, p.activation, problems[0].covariance) for p in problems]
    result = FlowEnsemble(problems).integrate(0.3, samples=4, engine=engine)
    assert result.status == ("finished",) * 3
    for i, problem in enumerate(problems):
        single = GradientFlow(problem).integrate(0.3, samples=4)
        np.testing.assert_array_equal(result.times, single.times)
        np.testing.assert_allclose(result.loss[i], single.loss, rtol=1e-8, atol=1e-14 * single.loss[0])
        np.testing.assert_allclose(result.modes[i], single.modes, atol=1e-9)
        np.testing.assert_allclose(result.W[i], single.W, atol=1e-9)
        np.testing.assert_allclose(result.A[i], single.A, atol=1e-9)
        np.testing.assert_allclose(result.conserved[i], single.conserved, atol=1e-9)
        assert result.conserved_drift[i] == pytest.approx(single.conserved_drift, abs=1e-9)
    np.testing.assert_array_equal(result.W_at(-1), result.W[:, -1])


def test_error_control_is_per_member(engine):
    """A start of 1e-5 next to one of 1: weights to 1e-9 of their own size, by Radau for each alone.

    While one unit of size ε leaves the origin, its weights are far below any tolerance made for the large one.
    """
    scales = np.array([1e-5, 1.0])
    W, a = scales[:, None, None] * [[1.0, 0.5]], scales[:, None] * [0.9]
    teacher = Teacher.from_eigenvalues([2.0, 1.0])
    result = FlowEnsemble.from_weights(teacher, W, a).integrate(times=[0.5, 5000.0], engine=engine)
    for i in range(2):
        flow = GradientFlow(teacher, Student(W[i], a[i]))
        reference = flow.integrate(times=[0.5, 5000.0], method="Radau", rtol=1e-12)
        np.testing.assert_allclose(result.W[i], reference.W, rtol=1e-9, atol=1e-12 * scales[i])
        np.testing.assert_allclose(result.a[i], reference.a, rtol=1e-9, atol=1e-12 * scales[i])
    assert (result.conserved_drift < 1e-9 * scales**2 + 1e-14).all()


def test_a_member_that_fails_does_not_disturb_the_others(engine, rng):
    """The third start overflows; the others get the numbers that they get without it."""
    W, a = weights(rng, 10, 2, 2)
    bad = W.copy()
    bad[3] = 1e80
    teacher = Teacher.from_eigenvalues([2.0, 1.0])
    times = [0.0, 0.1, 0.5]
    with np.errstate(over="ignore", invalid="ignore"):
        result = FlowEnsemble.from_weights(teacher, bad, a).integrate(times=times, engine=engine)
    good = FlowEnsemble.from_weights(teacher, W, a).integrate(times=times, engine=engine)
    others = np.arange(10) != 3
    assert [s == "failed" for s in result.status] == (~others).tolist() == result.failed.tolist()
    np.testing.assert_allclose(result.loss[others], good.loss[others], rtol=1e-9)
    assert np.isnan(result.loss[3, 1:]).all()
    assert result.messages[3]
    assert "1 failed" in result.summary()


def test_too_few_evaluations_are_a_failure_of_that_member(engine, rng):
    """A member that needs no step at all, at the origin, finishes; what the other computed is right until it ends."""
    W, a = weights(rng, 2, 2, 2)
    W[0], a[0] = 0.0, 0.0
    teacher = Teacher.from_eigenvalues([2.0, 1.0])
    ensemble = FlowEnsemble.from_weights(teacher, W, a)
    result = ensemble.integrate(
        3.0, samples=301, engine=engine, max_evaluations=6 if engine == "heyoka" else 30
    )
    assert "more than" in result.messages[1]
    assert result.status[0] == "finished"
    assert 0 < result.time_reached[1] < 3
    known = result.times <= result.time_reached[1]
    expected = ensemble.integrate(3.0, samples=301, engine=engine)
    np.testing.assert_allclose(result.loss[1, known], expected.loss[1, known], rtol=1e-8)
    assert np.isnan(result.loss[1, ~known]).all()


def test_teachers_of_different_rank(engine, rng):
    """Modes that a teacher does not have are NaN; each loss starts at that of its own teacher."""
    teachers = [Teacher.from_eigenvalues(lam, 8) for lam in ([3.0, 1.0], [2.0])]
    W, a = weights(rng, 2, 3, 8)
    result = FlowEnsemble.from_weights(teachers, W, a).integrate(0.5, samples=3, engine=engine)
    assert result.modes.shape == (2, 3, 2)
    assert np.isnan(result.modes[1, :, 1]).all()
    for i, teacher in enumerate(teachers):
        single = GradientFlow(teacher, Student(W[i], a[i])).integrate(0.5, samples=3)
        np.testing.assert_allclose(result.loss[i], single.loss, rtol=1e-8)
        np.testing.assert_allclose(
            result.modes[i, :, : len(single.modes[0])], single.modes, rtol=1e-8, atol=1e-10
        )


def test_many_inputs_are_reduced(engine, rng):
    """The span of one weight and one teacher direction: 2 of 10⁴ inputs; W(t) stays in that span."""
    W, a = weights(rng, 3, 1, 10_000, scale=0.01)
    teacher = Teacher.from_eigenvalues([2.0], 10_000)
    result = FlowEnsemble.from_weights(teacher, W, a).integrate(1.0, samples=2, engine=engine)
    assert result.coordinates.shape == (3, 2, 1, 2)
    np.testing.assert_allclose(result.W_at(0), W, atol=1e-15)
    moved = result.W_at(-1)[:, 0, 1:] / W[:, 0, 1:]  # away from the teacher's direction all shrink alike
    np.testing.assert_allclose(moved, moved[:, :1] * np.ones(9999), rtol=1e-9)


def test_problems_and_arrays_are_the_same_ensemble(engine, rng):
    W, a = weights(rng, 3, 2, 3)
    teacher = Teacher.from_eigenvalues([2.0, 1.0], 3)
    arrays = FlowEnsemble.from_weights(teacher, W, a).integrate(0.3, samples=3, engine=engine)
    objects = FlowEnsemble([Problem(teacher, Student(w, x)) for w, x in zip(W, a, strict=True)])
    np.testing.assert_array_equal(objects.integrate(0.3, samples=3, engine=engine).loss, arrays.loss)


def test_threads_change_nothing(rng):
    pytest.importorskip("heyoka")
    ensemble = FlowEnsemble.from_weights(Teacher.from_eigenvalues([2.0, 1.0]), *weights(rng, 30, 2, 2))
    one, three = (ensemble.integrate(0.5, samples=3, engine="heyoka", threads=n) for n in (1, 3))
    np.testing.assert_array_equal(one.W, three.W)
    assert one.solver.threads == 1


def test_scipy_takes_one_thread_and_no_set_up(rng):
    """Its members are integrated one after the other, by nothing that has to be compiled."""
    ensemble = FlowEnsemble.from_weights(Teacher.from_eigenvalues([2.0, 1.0]), *weights(rng, 2, 2, 2))
    report = ensemble.integrate(0.5, samples=3, engine="scipy").solver
    assert (report.engine, report.threads, report.setup_seconds) == ("scipy", 1, 0.0)


def test_as_many_threads_as_cores_where_the_process_has_none_of_its_own(rng, monkeypatch):
    """macOS and Windows lack `os.sched_getaffinity`; 30 members are more groups than 2 cores."""
    pytest.importorskip("heyoka")
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    ensemble = FlowEnsemble.from_weights(Teacher.from_eigenvalues([2.0, 1.0]), *weights(rng, 30, 2, 2))
    assert ensemble.integrate(0.5, samples=3, engine="heyoka").solver.threads == 2


def test_auto_falls_back_to_numpy_and_scipy(rng, monkeypatch):
    """50 × 51 unknowns are more than heyoka compiles soon, and than columns of many members are good for."""
    ensemble = FlowEnsemble.from_weights(Teacher.from_eigenvalues([2.0, 1.0]), *weights(rng, 2, 2, 2))
    monkeypatch.setattr(taylor, "available", lambda: False)
    assert ensemble.integrate(0.1, samples=2).solver.engine == "numpy"
    monkeypatch.setattr(taylor, "available", lambda: True)
    wide = FlowEnsemble.from_weights(Teacher.from_eigenvalues(np.ones(50)), *weights(rng, 2, 50, 50))
    assert wide._choose("auto") == "scipy"
    assert ensemble._choose("auto") == "heyoka"


def test_other_activations_are_integrated_by_scipy(make_problem, rng):
    """ReLU has no polynomial; member by member as from `GradientFlow`, and refused by the other engine."""
    problems = [make_problem(rng, activation="relu", scale=0.5) for _ in range(2)]
    result = FlowEnsemble(problems).integrate(0.2, samples=3)
    assert result.solver.engine == "scipy"
    for i, problem in enumerate(problems):
        single = GradientFlow(problem).integrate(0.2, samples=3)
        np.testing.assert_allclose(result.loss[i], single.loss, rtol=1e-9)
        np.testing.assert_allclose(result.modes[i], single.modes, rtol=1e-9, atol=1e-11)
    if taylor.available():
        with pytest.raises(ProblemError, match="quadratic networks"):
            FlowEnsemble(problems).integrate(0.2, engine="heyoka")
    with pytest.raises(ProblemError, match=r"engine 'numpy' .* quadratic networks"):
        FlowEnsemble(problems).integrate(0.2, engine="numpy")


def test_bad_input_is_refused(make_problem, rng):
    teacher = Teacher.from_eigenvalues([2.0, 1.0])
    W, a = weights(rng, 3, 2, 2)
    build = FlowEnsemble.from_weights
    for arguments, words in [
        ((teacher, W[:0], a[:0]), "at least one"),
        ((teacher, W, a[:2]), "same"),
        (([teacher] * 2, W, a), "same"),
        (([teacher, teacher, Teacher.from_eigenvalues([1.0])], W, a), "Teacher 2"),
        ((teacher, np.full_like(W, np.nan), a), "NaN"),
        ((teacher, W[:, :, :1], a), "inputs"),
    ]:
        with pytest.raises(ProblemError, match=words):
            build(*arguments)
    with pytest.raises(ProblemError, match="empty"):
        FlowEnsemble([])
    with pytest.raises(ProblemError, match="Problem 1 has weights"):
        FlowEnsemble([make_problem(rng), make_problem(rng, K=2)])
    with pytest.raises(ProblemError, match="Problem 1 differs"):
        FlowEnsemble([make_problem(rng), make_problem(rng, activation="centred")])
    with pytest.raises(ProblemError, match="Problem 1 differs"):
        FlowEnsemble([make_problem(rng), make_problem(rng, covariance=True)])
    with pytest.raises(ProblemError, match="t_end"):
        build(teacher, W, a).integrate()
    with pytest.raises(ProblemError, match="engine"):
        build(teacher, W, a).integrate(1.0, engine="magic")
    with pytest.raises(ProblemError, match="1e-13"):
        build(teacher, W, a).integrate(1.0, rtol=1e-15)


@pytest.mark.parametrize("trainable", [True, False])
def test_the_absolute_tolerance_is_that_of_the_smallest_trained_state(trainable):
    """The root mean square of what is integrated is its unit: a fixed second layer of ones is no part of it."""
    W = np.array([[[0.1, 0.0], [0.0, -0.2]], [[0.3, 0.1], [0.0, 0.5]]])
    A = np.ones((2, 2))
    ensemble = FlowEnsemble.from_weights(Teacher.from_eigenvalues([1.0, 0.5]), W, A, trainable=trainable)
    expected = np.sqrt((0.05 + 2) / 6) if trainable else np.sqrt(0.05 / 4)
    assert ensemble._smallest_scale() == pytest.approx(expected)


@pytest.mark.parametrize("trainable", [True, False])
def test_weight_decay(engine, rng, trainable):
    """Each member is its own flow with decay, which is tested by its laws; the file gives the rates back."""
    decay = (0.3, 0.7) if trainable else 0.3
    teacher = Teacher.from_eigenvalues([2, 1])
    W, a = weights(rng, 3, 2, 2, scale=0.6)
    result = FlowEnsemble.from_weights(teacher, W, a, trainable=trainable, weight_decay=decay).integrate(
        0.5, samples=4, engine=engine
    )
    problems = [
        Problem(teacher, Student(w, b, trainable), weight_decay=decay) for w, b in zip(W, a, strict=True)
    ]
    again = FlowEnsemble(problems).integrate(0.5, samples=4, engine=engine)
    np.testing.assert_array_equal(again.W, result.W)
    for i, problem in enumerate(problems):
        single = GradientFlow(problem).integrate(0.5, samples=4)
        np.testing.assert_allclose(result.W[i], single.W, atol=1e-9)
        np.testing.assert_allclose(result.objective[i], single.objective, atol=1e-9)
    file = io.BytesIO()
    result.save(file)
    file.seek(0)
    loaded = EnsembleTrajectory.load(file)
    assert loaded.members.weight_decay == problems[0].weight_decay
    np.testing.assert_array_equal(loaded.objective, result.objective)
    with pytest.raises(ProblemError, match="weight decay"):
        FlowEnsemble([problems[0], Problem(teacher, Student(W[0], a[0], trainable))])


def test_taylors_method_decays():
    """One trajectory by Taylor's method and by the default solver, Σ and two outputs included."""
    pytest.importorskip("heyoka")
    student = Student.initialise(2, 2, scale=0.6, seed=1, outputs=2)
    problem = Problem(
        Teacher.from_eigenvalues([2, 1], outputs=2), student, "centred", np.diag([2.0, 1.0]), (0.3, 0.7)
    )
    flow = GradientFlow(problem)
    ours, other = flow.integrate(0.5, samples=4, method="Taylor"), flow.integrate(0.5, samples=4)
    np.testing.assert_allclose(ours.W, other.W, atol=1e-9)
    np.testing.assert_allclose(ours.A, other.A, atol=1e-9)


@pytest.mark.parametrize(("decay", "accuracy"), [(0.4, 1e-9), ((0.4, 0.1), 1e-5)])
def test_drift_under_decay_is_the_deviation_from_the_law(decay, accuracy):
    """To the integrator's accuracy; where layers decay differently, to that of the integral over 201 samples."""
    problems = [
        Problem(
            Teacher.from_eigenvalues([2, -1], 3),
            Student.initialise(2, 3, scale=0.5, seed=s),
            weight_decay=decay,
        )
        for s in range(3)
    ]
    result = FlowEnsemble(problems).integrate(t_end=1.0)
    fell = np.abs(result.conserved - result.conserved[:, :1]).max(axis=(1, 2))
    assert (result.conserved_drift < accuracy).all()
    assert (fell > 1e-2).all()


@pytest.mark.parametrize("per_member", [False, True], ids=["one teacher", "teacher each"])
def test_memory_grows_with_the_result_alone(rng, per_member):
    """Twice the members, twice the result; what the work takes beside it, and Python's objects, stay as they are."""
    import tracemalloc

    from dynamics.ensemble import bulk_engine

    def peak(N):
        W, a = weights(rng, N, 2, 2)
        teacher = Teacher.from_eigenvalues([2.0, 1.0])
        ensemble = FlowEnsemble.from_weights([teacher] * N if per_member else teacher, W, a)
        tracemalloc.start()
        result = ensemble.integrate(0.02, samples=50, engine="numpy")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most, result.W.nbytes + result.A.nbytes

    peak(10)  # what is allocated once
    block = bulk_engine.BLOCK
    (small, result), (large, twice) = peak(2 * block), peak(4 * block)
    assert twice == 2 * result
    assert large - small < 1.3 * (twice - result)


def test_blocks_are_launched_one_after_the_other(rng, monkeypatch):
    """23 members in blocks of 10: three launches, and the numbers of one."""
    from dynamics.ensemble import bulk_engine

    sizes, own = [], bulk_engine.integrate_in_bulk

    def launch(field, theta0, *args, **kwargs):
        sizes.append(len(theta0))
        return own(field, theta0, *args, **kwargs)

    monkeypatch.setattr(bulk_engine, "integrate_in_bulk", launch)
    ensemble = FlowEnsemble.from_weights(Teacher.from_eigenvalues([2.0, 1.0]), *weights(rng, 23, 2, 2))
    whole = ensemble.integrate(0.5, samples=4, engine="numpy")
    monkeypatch.setattr(bulk_engine, "BLOCK", 10)
    blocks = ensemble.integrate(0.5, samples=4, engine="numpy")
    assert sizes == [23, 10, 10, 3]
    np.testing.assert_array_equal(blocks.W, whole.W)
    np.testing.assert_array_equal(blocks.evaluations, whole.evaluations)


def test_members_that_are_stiff_are_integrated_alone(rng, monkeypatch):
    """By the solver of single flows, with the numbers of the others."""
    from dynamics.ensemble import bulk_engine

    ensemble = FlowEnsemble.from_weights(Teacher.from_eigenvalues([2.0, 1.0]), *weights(rng, 5, 2, 2))
    expected = ensemble.integrate(3.0, samples=4, engine="numpy")
    monkeypatch.setattr(bulk_engine, "MOST", int(np.median(expected.evaluations)))
    found = ensemble.integrate(3.0, samples=4, engine="numpy")
    assert (found.evaluations != expected.evaluations).sum() == 2
    np.testing.assert_allclose(found.loss, expected.loss, rtol=1e-8, atol=1e-12)


def test_an_ensemble_that_does_not_fit_is_refused(rng, monkeypatch):
    monkeypatch.setattr("dynamics.budget.LEAST", 0)
    monkeypatch.setattr("dynamics.budget.memory_budget", lambda: 50_000)
    ensemble = FlowEnsemble.from_weights(Teacher.from_eigenvalues([2.0, 1.0]), *weights(rng, 20, 2, 2))
    with pytest.raises(
        ProblemError, match=r"20 trajectories of 6 unknowns at 50 times would .*: ask for fewer times"
    ):
        ensemble.integrate(3.0, samples=50)
