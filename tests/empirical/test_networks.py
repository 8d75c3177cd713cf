"""The network is an ordinary module that computes the stated function."""

import numpy as np
import pytest
import torch

from dynamics import ProblemError, Student
from empirical import QuadraticNetwork


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize("covariance", [None, np.diag([1.0, 2.0, 0.5])])
def test_forward_is_the_sum_over_units(rng, activation, covariance):
    """f_o(x) = Σ_k A_ok φ(w_k·x), written as loops."""
    student = Student(rng.standard_normal((4, 3)), rng.standard_normal((2, 4)))
    network = QuadraticNetwork.from_student(student, activation=activation, covariance=covariance)
    x = rng.standard_normal((5, 3))
    Sigma = np.eye(3) if covariance is None else covariance
    expected = np.zeros((5, 2))
    for b, o, k in np.ndindex(5, 2, 4):
        w = student.W[k]
        mean = w @ Sigma @ w if activation == "centred" else 0.0
        expected[b, o] += student.A[o, k] * ((w @ x[b]) ** 2 - mean)
    np.testing.assert_allclose(network(torch.tensor(x)).detach().numpy(), expected, rtol=1e-12, atol=1e-12)


def test_an_ensemble_is_its_members(rng):
    network = QuadraticNetwork(3, 4, 2, ensemble=5)
    x = torch.tensor(rng.standard_normal((5, 7, 3)))
    out = network(x)
    assert out.shape == (5, 7, 2)
    for s in range(5):
        member = QuadraticNetwork.from_student(
            Student(network.W[s].detach().numpy(), network.A[s].detach().numpy())
        )
        torch.testing.assert_close(member(x[s]), out[s])


@pytest.mark.parametrize(
    ("options", "scale", "lead"), [({}, 0.1, ()), ({"init_scale": 2, "ensemble": 3}, 2.0, (3,))]
)
def test_initial_weights(options, scale, lead):
    """N(0, scale²/d) and N(0, scale²), the first layer drawn first; d = 4, K = 5, O = 2."""
    torch.manual_seed(6)
    network = QuadraticNetwork(4, 5, 2, **options)
    torch.manual_seed(6)
    W = scale / 2 * torch.randn(*lead, 5, 4, dtype=torch.float64)
    torch.testing.assert_close(network.W.detach(), W, rtol=1e-15, atol=0)
    A = scale * torch.randn(*lead, 2, 5, dtype=torch.float64)
    torch.testing.assert_close(network.A.detach(), A, rtol=1e-15, atol=0)
    assert network.W.requires_grad and network.A.requires_grad


@pytest.mark.parametrize("activation", ["quadratic", "centred", "linear", "relu", "abs"])
def test_activations(activation):
    """φ of positive and negative pre-activations, for one unit w = (1, 0) with Σ₁₁ = 3."""
    student = Student(np.array([[1.0, 0]]), np.array([[1.0]]))
    network = QuadraticNetwork.from_student(student, activation=activation, covariance=np.diag([3.0, 1]))
    z = np.array([-2.0, 0.5])
    phi = {"quadratic": z**2, "centred": z**2 - 3, "linear": z, "relu": [0, 0.5], "abs": [2, 0.5]}[activation]
    x = torch.tensor(np.stack([z, [7, 8]], axis=1))
    np.testing.assert_allclose(network(x).detach().numpy()[:, 0], phi)


def test_fixed_second_layer_gets_no_gradient():
    network = QuadraticNetwork(3, 4, trainable=False)
    network(torch.ones(2, 3, dtype=torch.float64)).sum().backward()
    assert network.A.grad is None
    assert network.W.grad is not None


def test_it_saves_and_moves_like_any_module(tmp_path):
    network = QuadraticNetwork(3, 4, covariance=np.eye(3), activation="centred")
    torch.save(network.state_dict(), tmp_path / "net.pt")
    other = QuadraticNetwork(3, 4, covariance=2 * np.eye(3), activation="centred")
    other.load_state_dict(torch.load(tmp_path / "net.pt"))
    torch.testing.assert_close(other.covariance, torch.eye(3, dtype=torch.float64))
    assert network.float().W.dtype == torch.float32


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: QuadraticNetwork(0, 4), "at least 1"),
        (lambda: QuadraticNetwork(3, 4, activation="relu6"), "must be one of"),
        (lambda: QuadraticNetwork(3, 4, ensemble=0), "at least 1"),
        (lambda: QuadraticNetwork(3, 4)(torch.ones(2, 5)), "dimension 5"),
    ],
)
def test_bad_input_is_refused(make, words):
    with pytest.raises(ProblemError, match=words):
        make()


def test_a_complex_covariance_is_refused():
    with pytest.raises(ProblemError, match="complex"):
        QuadraticNetwork(2, 2, covariance=np.eye(2) + 0j)
