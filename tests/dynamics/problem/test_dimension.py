"""Weights stored in fewer inputs than there are: everything is as of the same weights, padded with zeros."""

from dataclasses import replace

import numpy as np
import pytest

from dynamics import (
    AdamFlow,
    ArcLengthFlow,
    FluctuatingSGD,
    GradientFlow,
    MeanSGD,
    ModifiedFlow,
    NaturalGradientFlow,
    Problem,
    ProblemError,
    Student,
    Teacher,
    Trajectory,
    hessian_spectrum,
    kernel_spectrum,
)
from dynamics.problem.scope import THEORIES, require
from empirical import train

D = 30


def apart(activation="quadratic", inputs=4, trainable=True, eigenvalues=(2.0, -1.0), **more):
    """Two units and a teacher of rank two in four inputs, which fill them, of thirty."""
    rng = np.random.default_rng(1)
    W, A = 0.4 * rng.standard_normal((2, inputs)), np.array([[0.5, -0.3]])
    teacher = Teacher.from_eigenvalues(eigenvalues, inputs)
    return Problem(teacher, Student(W, A, trainable), activation, dimension=D, **more)


FLOWS = {
    "gradient": GradientFlow,
    "not reduced": lambda p: GradientFlow(p, reduce=False),
    "modified": lambda p: ModifiedFlow(p, 0.01, 0.5),
    "Adam": lambda p: AdamFlow(p, 0.01),
    "arc length": ArcLengthFlow,
    "natural": NaturalGradientFlow,
    "mean SGD": lambda p: MeanSGD(p, 0.004, label_noise=0.2),
    "spread of SGD": lambda p: FluctuatingSGD(p, 0.004, label_noise=0.2),
}


CASES = [
    *((name, "quadratic") for name in FLOWS),
    ("gradient", "relu"),
    ("Adam", "centred"),
    ("mean SGD", "polynomial:0,1,0.5"),
]


@pytest.mark.parametrize(("name", "activation"), CASES)
def test_every_theory_is_that_of_the_padded_weights(name, activation):
    problem = apart(activation)
    one, other = (FLOWS[name](p).integrate(t_end=0.3, samples=4) for p in (problem, problem.whole))
    assert other.problem.inputs == D and one.problem.inputs == 4
    np.testing.assert_allclose(one.loss, other.loss, rtol=2e-6)
    np.testing.assert_allclose(one.modes, other.modes, rtol=2e-6, atol=1e-9)
    if name == "spread of SGD":
        np.testing.assert_allclose(one.loss_std, other.loss_std, rtol=2e-6)


def test_the_dimension_is_in_the_noise_of_sgd():
    """The quadratic term of one step is proportional to d + 6 without label noise (theory: one-pass SGD)."""
    problem = apart(trainable=False)
    eta = 1e-3
    lost = []
    for d in (None, D, 1_000_000):
        theory = MeanSGD(replace(problem, dimension=d), eta)
        Q, _, _ = theory.order.unpack(theory.drift(theory.theta0) - theory.drift(theory.theta0, 0.0))
        lost.append(Q[0, 0])
    np.testing.assert_allclose(lost[1:], np.array([D + 6, 1_000_006]) / (4 + 6) * lost[0], rtol=1e-10)


@pytest.mark.parametrize("spectrum", [hessian_spectrum, kernel_spectrum])
@pytest.mark.parametrize("inputs", [4, 7])
def test_second_derivatives_count_all_inputs(spectrum, inputs):
    """Each eigenvalue as often as with padded weights: where the weights fill the stored inputs, and where not."""
    problem = apart(inputs=inputs)
    curves = [GradientFlow(p).integrate(times=[0, 0.2]) for p in (problem, problem.whole)]
    one, other = (spectrum(curve, progress=False) for curve in curves)
    np.testing.assert_allclose(
        np.repeat(one.eigenvalues[0], one.multiplicities[0]),
        np.repeat(other.eigenvalues[0], other.multiplicities[0]),
        atol=1e-9,
    )
    assert one.multiplicities[0].sum() == 2 * D + 2


def test_outside_the_hessian_is_that_of_the_trace():
    """G = 2τ off the span: the block there is 4a_ka_l Q_kl − 2τa_k δ_kl, and its eigenvalues count d − r times each."""
    problem = replace(apart(), dimension=1_000_000)
    curve = GradientFlow(problem).integrate(times=[0, 1e-6])
    found = hessian_spectrum(curve, progress=False)
    W, a = problem.student.W, problem.student.a
    tau = problem.teacher.matrix().trace() - a @ np.sum(W * W, axis=1)
    outside = found.multiplicities[0] == 1_000_000 - 4
    block = 4 * np.outer(a, a) * (W @ W.T) - 2 * tau * np.diag(a)
    np.testing.assert_allclose(np.sort(found.eigenvalues[0][outside]), np.linalg.eigvalsh(block), rtol=1e-12)


def test_theories_of_all_inputs_refuse():
    """In a sentence that says what helps; training among them."""
    problem = apart()
    refusing = [name for name, theory in THEORIES.items() if "`dimension` is 30" in theory.gap(problem)]
    assert {"catalogue", "staircase", "outcome", "training", "data flow", "derivation"} <= {*refusing}
    assert not {"flow", "modified flow", "mean SGD", "spread of SGD", "closed form"} & {*refusing}
    for name in refusing:
        assert not THEORIES[name].gap(problem.whole) or "dimension" not in THEORIES[name].gap(problem.whole)
    with pytest.raises(
        ProblemError, match="stored in 4 inputs, but the training of networks is known only for"
    ):
        train(problem, steps=1, step=1e-3)
    require("training", problem.whole)


@pytest.mark.parametrize(
    "how, message",
    [
        ({"dimension": 3}, "`dimension` is 3, but weights and teacher have 4 inputs already"),
        ({"dimension": 1.5}, "whole number"),
        ({"distribution": "sphere"}, "`distribution` 'sphere', but inputs may be left out of Gaussian ones"),
        ({"covariance": np.diag([1.0, 2, 3, 4])}, "beside `covariance`, but"),
        ({"data": (np.eye(4), np.ones(4))}, "Gaussian ones of covariance I only"),
    ],
)
def test_what_cannot_be_left_out_is_refused(how, message):
    with pytest.raises(ProblemError, match=message):
        replace(apart(), **how)


def test_a_curve_remembers_it(tmp_path):
    """In files, its words and modes: the negative eigenvalue is the last of thirty."""
    curve = GradientFlow(apart()).integrate(t_end=40.0)
    again = Trajectory.load(curve.save(tmp_path / "run.npz") or tmp_path / "run.npz")
    assert again.problem.dimension == D and "4 of 30 inputs after reduction" in again.summary()
    assert {mode for stage in again.stages for mode in stage.learned_modes} <= {0, D - 1}
    assert (again.attributes()["inputs"], again.problem.whole.inputs) == (D, D)
    assert "dimension=30" in repr(again.problem)
    assert replace(apart(), dimension=4).dimension is None
