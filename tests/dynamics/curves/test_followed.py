"""Curves between their samples: what is asked, what is refused, and what files and processes keep.

That every flow keeps its accuracy there is tested in `tests/dynamics/flows/test_conformance.py`.
"""

import pickle

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from dynamics import (
    GradientFlow,
    IntegrationError,
    ModifiedFlow,
    Problem,
    ProblemError,
    Student,
    Teacher,
)
from dynamics.activations import Activation


def problem(scale=0.1, seed=1, **more):
    return Problem(
        Teacher.from_eigenvalues([2, 1], 4), Student.initialise(2, 4, scale=scale, seed=seed), **more
    )


def test_weights_modes_and_loss_between_samples():
    """Against SciPy's DOP853 in all d inputs, at rtol 1e-13: everything that samples have."""
    start = problem()
    curve = GradientFlow(start).integrate(4.0, samples=3)
    times = np.array([0.7, 1.9, 3.3])
    found = curve.at(times)
    whole = GradientFlow(start, reduce=False)
    states = solve_ivp(whole, (0, 4), whole.theta0, "DOP853", times, rtol=1e-13, atol=1e-15).y.T
    W, A = whole.unpack(states)
    np.testing.assert_allclose(found.W, W, atol=1e-8)
    np.testing.assert_allclose(found.A, A, atol=1e-8)
    np.testing.assert_allclose(found.modes, start.modes(W, A), atol=1e-8)
    np.testing.assert_allclose(found.loss, start.population.losses(W, A), atol=1e-8)
    X = np.random.default_rng(0).standard_normal((5, 4))
    np.testing.assert_allclose(
        found.outputs(X)[:, :, 0],
        np.einsum("tk,nkt->tn", A[:, 0], (X @ W.mT).transpose(1, 2, 0) ** 2),
        atol=1e-7,
    )
    assert found.outputs(X[0]).shape == (3, 1)


def test_laws_of_decay_go_on_between_samples():
    """c_k by its law, an integral where layers decay differently, is that of the samples: it does not start anew."""
    curve = GradientFlow(problem(0.5, weight_decay=(0.3, 0.1))).integrate(2.0, samples=5)
    late = curve.at([1.1, 2.0])
    assert late.conserved_drift < 1e-9
    assert not np.allclose(late.conserved[0], curve.conserved[0], atol=1e-3)
    np.testing.assert_allclose(late.conserved[-1], curve.conserved[-1], atol=1e-9)


@pytest.mark.parametrize("ending", ["stop", "convergence", "failure"])
def test_up_to_where_the_curve_ended(ending):
    """However it ended: its last time is allowed, and gives its last sample; beyond it nothing is known."""
    flow = GradientFlow(problem())
    if ending == "failure":
        with pytest.raises(IntegrationError) as error:
            flow.integrate(9.0, max_evaluations=60)
        curve = error.value.trajectory
    else:
        curve = flow.integrate(until_loss=2.0 if ending == "stop" else None)
    end = curve.solver.time_reached
    np.testing.assert_allclose(curve.at(end).loss, curve.loss[-1:], rtol=1e-8, atol=1e-12)
    with pytest.raises(
        ProblemError, match=r"`times` goes up to .*, but the curve ends at t = .*: integrate further"
    ):
        curve.at([0.1, np.nextafter(end, np.inf)])


@pytest.mark.parametrize(
    ("times", "why"),
    [
        ([0.2, 0.1], "must be non-negative and strictly increasing"),
        (-0.1, "must be non-negative"),
        ([], "is empty"),
        ([[0.1]], "`times` has"),
        (np.nan, "`times`"),
    ],
)
def test_times_that_are_none(times, why):
    curve = GradientFlow(problem()).integrate(1.0, samples=2)
    with pytest.raises(ProblemError, match=why):
        curve.at(times)


def test_a_curve_from_a_file_asks_for_its_flow(tmp_path):
    """It is given one, which is checked against its samples: another step, another start, another problem is none."""
    flow = ModifiedFlow(problem(0.4), 0.02)
    curve = flow.integrate(2.0, samples=5)
    curve.save(tmp_path / "run.npz")
    loaded = type(curve).load(tmp_path / "run.npz")
    with pytest.raises(ProblemError, match="This curve does not know its flow, as it comes from a file"):
        loaded.at(0.7)
    np.testing.assert_array_equal(loaded.at(0.7, flow=flow).W, curve.at(0.7).W)
    np.testing.assert_array_equal(loaded.at(0.7, flow=ModifiedFlow(loaded.problem, 0.02)).W, curve.at(0.7).W)
    for other in (GradientFlow(loaded.problem), ModifiedFlow(problem(0.4, seed=2), 0.02)):
        with pytest.raises(
            ProblemError, match=r"`flow` is not that of this curve: at t = 0(\.5)? it has the loss"
        ):
            loaded.at(0.7, flow=other)
    with pytest.raises(ProblemError, match=r"at t = 0\.5 it has the loss"):
        loaded.at(2.0, flow=GradientFlow(loaded.problem))


def test_other_processes_get_the_samples_alone():
    """A flow may hold what cannot be sent, here a function of one's own."""
    phi = Activation.from_callable(lambda z: z + z * z / 10, "mine")
    curve = GradientFlow(problem()).integrate(1.0, samples=3)
    sent = pickle.loads(pickle.dumps(curve))
    np.testing.assert_array_equal(sent.W, curve.W)
    assert sent.again is None
    assert curve.again is not None
    own = GradientFlow(problem(activation=phi)).integrate(0.1, samples=2)
    assert own.at(0.05).loss[0] > own.loss[-1]


@pytest.mark.parametrize("correction", [{}, {"step": 1e-3}])
def test_one_time_is_enough_where_the_layers_decay_differently(correction):
    """The integral in the law of c_k is integrated to the same times, however few: as at two of them."""
    problem = Problem(
        Teacher.from_eigenvalues([2, 1], 4), Student.initialise(3, 4, scale=0.3), weight_decay=(0.1, 0.2)
    )
    flow = ModifiedFlow(problem, **correction) if correction else GradientFlow(problem)
    curve = flow.integrate(1.5, samples=5)
    one, two = curve.at(0.5), curve.at([0.25, 0.5])
    assert one.loss.shape == (1,)
    np.testing.assert_allclose(one.decay_integral, two.decay_integral[1:], rtol=1e-9)
