"""The escape time of a problem: fields against theory by hand, every activation against its population loss."""

import numpy as np
import pytest
from numpy.polynomial.polynomial import polyval

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.activations import ACTIVATIONS
from dynamics.escape.prediction import PROBABILITIES, escape_time, single_index
from dynamics.escape.single_index import OnePass

FAMILIES = ("hermite:1", "hermite:2", "hermite:3", "hermite:4", "leaky-relu:0.2", "polynomial:0.3,1,0.5,-0.2")


def unit(activation, inputs=100, a=1.0, b=1.0, t=1.0, teacher_activation=None, hidden=1, **more):
    V, W = t * np.eye(1, inputs, 1), np.ones((hidden, inputs))
    student = Student(W, np.full((1, hidden), a), trainable=False)
    return Problem(Teacher(V, [b]), student, activation, teacher_activation=teacher_activation, **more)


@pytest.mark.parametrize("m", [-0.4, 0.3, 0.8])
@pytest.mark.parametrize("name", [*ACTIVATIONS, *FAMILIES])
def test_every_activation_moves_as_its_population_loss_says(name, m):
    """ṁ is the velocity of the closed-form loss at unit weights, projected on the sphere: no series, no quadrature.

    Student and teacher of different size, norm and, for one side, activation; the kernel's quadrature of the scale
    mixtures is good to 1.4e-12.
    """
    for student, teacher in ((name, name), (name, "relu"), ("quadratic", name)):
        problem = unit(student, 3, a=0.7, b=1.3, t=1.5, teacher_activation=teacher)
        v = np.array([0.0, 1.0, 0.0])
        w = m * v + np.sqrt(1 - m * m) * np.array([0.6, 0.0, 0.8])
        (force,), _ = problem.population.velocity(w[None], problem.student.A)
        expected = (v - m * w) @ force
        assert float(single_index(problem).flow().rate(m)) == pytest.approx(expected, rel=2e-11, abs=2e-11)


def test_quadratic_units():
    """z² has α₂ = √2, α₀ = 1: k = 2, α₂β₂ = 2, ṁ = 4m(1 − m²), T = ⅛ ln[m²(1 − m₀²)/((1 − m²)m₀²)], leading ⅛ ln d.

    Noise: V by hand from Gaussian moments at m → 0: E(z² − y²)²4z² = 4(15 − 2·3 + 3) = 48, so that it wins at the start
    with η = 2·4/(48 d).
    """
    found = escape_time(unit("quadratic"))
    assert (found.information_exponent, found.inputs, found.batch, found.step) == (2, 100, 1, None)
    assert found.strength == pytest.approx(2, rel=1e-12)
    assert (found.overlap, found.overlap_at_start) == (0.5, pytest.approx(0.1))
    assert found.flow_time == pytest.approx(np.log(0.25 * 0.99 / (0.75 * 0.01)) / 8, rel=1e-12)
    assert found.leading_time == pytest.approx(np.log(100) / 8, rel=1e-12)
    assert found.law == "ln d / (4 α₂β₂) + O(1)"
    assert found.reached == 1
    assert polyval(0.0, single_index(unit("quadratic")).noise) == pytest.approx(48, rel=1e-12)
    assert found.largest_step == pytest.approx(8 / 4800, rel=0.02)
    np.testing.assert_allclose(found.alpha[:3], [1, 0, np.sqrt(2)], atol=1e-14)
    assert found.beta == found.alpha and len(found.alpha) == 9
    assert (found.sgd_time, found.sgd_steps, found.sgd_reason) == (None, None, "no step is given")


def test_random_starts():
    """In three dimensions |m₀| is even on [0, 1]: the p-th of He₂ starts from 1 − p, of He₃ the positive half alone."""
    for name, reached in (("hermite:2", 1.0), ("hermite:3", 0.5)):
        found = escape_time(unit(name, 3), overlap=0.9)
        assert found.reached == reached
        assert [start.probability for start in found.starts] == list(PROBABILITIES)
        for start in found.starts:
            m0 = 1 - start.probability
            assert start.overlap_at_start == pytest.approx(m0, abs=1e-12)
            assert start.sgd_time is None
            if m0 >= 0.9:
                assert start.flow_time == 0
            else:
                same = escape_time(unit(name, 3), overlap=0.9, overlap_at_start=m0).flow_time
                assert start.flow_time == pytest.approx(same, rel=1e-9)


def test_one_pass_sgd():
    """He₂ at ηd = 0.2, one sample a step or two: 1/(1 − 3ηd/B) of the flow, and so many steps."""
    for batch in (1, 2):
        found = escape_time(unit("hermite:2"), step=2e-3, batch=batch)
        assert found.sgd_time == pytest.approx(found.flow_time / (1 - 0.6 / batch), rel=1e-9)
        assert found.sgd_steps == pytest.approx(found.sgd_time / 2e-3)
        assert found.largest_step == pytest.approx(batch / 300, rel=1e-9)
        assert found.sgd_reason == ""
        # random starts: as the mean from where they seem to come from, farther out by the stretch
        stretch = np.sqrt(1 + 0.2 * 12 / (2 * (2 - 1.2 / batch)) / batch)
        for start in found.starts:
            m0 = min(start.overlap_at_start * stretch, 0.5)
            expected = escape_time(unit("hermite:2"), overlap_at_start=m0).flow_time if m0 < 0.5 else 0
            assert start.sgd_time == pytest.approx(expected / (1 - 0.6 / batch), rel=1e-7)
    noisy = escape_time(unit("hermite:2"), step=2e-3, label_noise=0.5)
    assert noisy.sgd_time > escape_time(unit("hermite:2"), step=2e-3).sgd_time
    assert noisy.largest_step < 1 / 300


def test_where_there_is_no_time():
    beyond = escape_time(unit("hermite:2"), step=4e-3)
    assert beyond.sgd_time is None and beyond.flow_time is not None
    assert beyond.sgd_reason == "from overlap 0.1 the mean of SGD goes to 0, not to 0.5"
    assert all(start.sgd_time is None for start in beyond.starts)
    against = escape_time(unit("hermite:2", b=-1.0))
    assert (against.flow_time, against.leading_time, against.law) == (None, None, None)
    assert against.flow_reason == "α_kβ_k is negative, and from overlap 0.1 the flow goes to 0, not to 0.5"
    assert against.starts == () and against.largest_step is None
    nothing = escape_time(unit("hermite:2", teacher_activation="hermite:3"), step=1e-3)
    assert (nothing.information_exponent, nothing.flow_time, nothing.sgd_time) == (None, None, None)
    assert "share no Hermite polynomial" in nothing.flow_reason == nothing.sgd_reason
    below = escape_time(unit("hermite:3"), overlap_at_start=-0.1)
    assert below.flow_reason == "from overlap -0.1 the flow goes to 0, not to 0.5"


def test_a_plateau_of_sgd_is_a_scaling_only():
    """k = 3 from a random start; from an overlap that does not shrink with d the mean equation holds again."""
    found = escape_time(unit("hermite:3"), step=1e-4)
    assert found.sgd_time is None and "of the order of d^2 steps" in found.sgd_reason
    assert all(start.sgd_time is None for start in found.starts)
    given = escape_time(unit("hermite:3"), step=1e-4, overlap_at_start=0.3)
    assert given.sgd_time > given.flow_time


def test_a_start_that_is_there_at_once_where_nothing_grows():
    """d = 3, 1/√3 > ½: no time passes, and noise beats the signal for the other starts, whose times are not known."""
    found = escape_time(unit("quadratic", 3, b=1e-3), step=0.01)
    assert found.flow_time == found.sgd_time == 0
    assert all(start.sgd_time is None for start in found.starts)
    assert single_index(unit("quadratic", 3)).stretch(OnePass(1.0), 3) is None
    assert single_index(unit("hermite:3", 3)).stretch(OnePass(1e-3), 3) is None


def test_signs_of_the_start():
    """He₂: −0.2 is as good as 0.2; ReLU: from below it takes longer."""
    for m in (0.2, -0.2):
        assert escape_time(unit("hermite:2"), overlap_at_start=m).overlap_at_start == 0.2
    low, high = (escape_time(unit("relu"), overlap_at_start=m).flow_time for m in (-0.2, 0.2))
    assert low > high > 0
    assert escape_time(unit("relu")).leading_time is None


def test_what_is_printed():
    """As a dictionary every field, null with its reason; as text the same numbers."""
    found = escape_time(unit("hermite:2"), step=4e-3)
    numbers = found.as_dict()
    assert numbers["warnings"] == [
        f"sgd_time is null: {found.sgd_reason}",
        f"exit_law is null: {found.exit_reason}",
    ]
    assert numbers["starts"][2]["flow_time"] == found.starts[2].flow_time
    assert {"law", "sgd_steps", "alpha", "beta", "reached", "largest_step"} <= numbers.keys()
    assert "flow_reason" not in numbers
    text = found.summary()
    for part in (
        "information exponent 2: α_kβ_k = 1",
        "from overlap 0.1 to 0.5 in 100 dimensions",
        f"flow   {found.flow_time:.5g}  (ln d / (4 α₂β₂) + O(1))",
        f"SGD    no time: {found.sgd_reason}",
        "the mean of SGD rests before overlap 0.5 from step η = 0.003333 on (batch 1)",
        "100 % of all random starts get there by the flow",
        f"   50 %  flow {found.starts[2].flow_time:.5g}",
    ):
        assert part in text.split("\n") or any(line.startswith(part) for line in text.split("\n")), part
    fine = escape_time(unit("hermite:2"), step=1e-3)
    assert f"SGD    {fine.sgd_time:.5g}  ({fine.sgd_steps:.5g} steps of 0.001)" in fine.summary()
    assert f"flow {fine.starts[0].flow_time:.5g}  SGD {fine.starts[0].sgd_time:.5g}" in fine.summary()
    assert fine.as_dict()["warnings"] == []


def test_how_long_to_wait():
    """Twice the slowest that is known; where nothing is, nobody can say."""
    found = escape_time(unit("hermite:2"), step=1e-3)
    assert found.patience == 2 * found.starts[-1].sgd_time
    with pytest.raises(ProblemError, match="nothing says how long to train"):
        _ = escape_time(unit("hermite:2", b=-1.0)).patience


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        ({"hidden": 2}, "`hidden` is 2, but the escape time is known only for one hidden unit"),
        ({"inputs": 2, "covariance": np.diag([2.0, 1.0])}, "`covariance` is given"),
        ({"weight_decay": 0.1}, "`weight_decay` is"),
        ({"a": 1e-60}, "`second_layer_value` is 1e-60, but must lie between"),
    ],
)
def test_problems_that_are_not_covered(problem, message):
    with pytest.raises(ProblemError, match=message):
        escape_time(unit("hermite:2", **problem))


def test_two_directions_are_not_covered():
    student = Student(np.ones((1, 3)), [1.0], trainable=False)
    with pytest.raises(ProblemError, match="`teacher` has 2 directions"):
        escape_time(Problem(Teacher.from_eigenvalues([2, 1], 3), student))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"overlap": 0.0}, "`overlap` is 0, but must be positive"),
        ({"overlap": 1.0}, "`overlap` is 1, but an overlap must lie strictly between −1 and 1"),
        ({"overlap_at_start": -1.5}, "`overlap_at_start` is -1.5, but an overlap"),
        ({"overlap_at_start": 0.6}, "`overlap_at_start` is 0.6, but must be below `overlap`, which is 0.5"),
        ({"step": -1.0}, "`step` is -1, but must be positive"),
        ({"step": 1e60}, "`step` is 1e\\+60, but must lie between"),
        ({"overlap_at_start": 1e-30}, "`overlap_at_start` is 1e-30, but must be 0 or at least 1e-15"),
        ({"batch": 0}, "`batch` is 0"),
        ({"label_noise": -1.0}, "`label_noise` is -1"),
    ],
)
def test_arguments_that_are_refused(arguments, message):
    with pytest.raises(ProblemError, match=message):
        escape_time(unit("hermite:2"), **arguments)


def test_an_overlap_beyond_the_series_is_refused():
    with pytest.raises(ProblemError, match="the Hermite series of these activations ends before"):
        escape_time(unit("relu"), overlap=0.99)
    assert escape_time(unit("hermite:4"), overlap=0.99).flow_time is not None


def test_functions_of_one_gaussian():
    """z ↦ aφ(z, 1) and z ↦ bψ(tz, t²): of z² − q, with q that of each."""
    index = single_index(unit("centred", 3, a=0.7, b=1.3, t=1.5))
    z = np.array([0.0, -2.0])
    np.testing.assert_allclose(index.student(z), 0.7 * (z**2 - 1))
    np.testing.assert_allclose(index.teacher(z), 1.3 * 2.25 * (z**2 - 1))
