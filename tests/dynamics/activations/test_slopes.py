"""Slopes that activations say of themselves: those of automatic differentiation, and claims that are checked."""

import numpy as np
import pytest
import torch

from dynamics import ProblemError
from dynamics.activations import ACTIVATIONS, Activation

NAMES = [*ACTIVATIONS, "polynomial:0.3,-1,0.7,0.2", "polynomial:1e20,1", "hermite:7", "leaky-relu:0.1"]
POINTS = np.array([[-30.0, -6.0, -1.3, -1e-3, 0.0], [1e-3, 0.4, 2.2, 7.0, 30.0]])


@pytest.mark.parametrize("name", NAMES)
def test_slopes_are_those_of_automatic_differentiation(name):
    """By z and by q, of tensors and of arrays, at kinks and far from them, to rounding."""
    phi = Activation.parse(name)
    z, q = torch.tensor(POINTS, requires_grad=True), torch.full((2, 1), 0.7, dtype=torch.double)
    q.requires_grad_()
    value = phi.phi(z, q)
    expected = torch.autograd.grad(value.sum(), (z, q), allow_unused=True)
    assert phi.has_slopes
    assert phi.uses_variance == (expected[1] is not None)
    for slope, wanted in zip((phi.slope, phi.variance_slope), expected, strict=True):
        if wanted is None:
            assert slope is None
            continue
        of_tensors = slope(z.detach(), q.detach(), value.detach())
        of_arrays = slope(POINTS, q.numpy(force=True), value.numpy(force=True))
        for found in (of_tensors, of_arrays):
            whole = np.broadcast_to(np.asarray(found), POINTS.shape)
            whole = whole if wanted.shape == z.shape else whole.sum(axis=1, keepdims=True)
            np.testing.assert_allclose(whole, wanted.numpy(), rtol=1e-13, atol=1e-15)


def test_slopes_that_are_none_are_refused():
    """By central differences at a few points; those of large and steep functions are not refused for their rounding."""
    options = {"degree": 2, "parity": 1}
    with pytest.raises(ProblemError, match="A slope of the activation 'wrong' is not its derivative"):
        Activation("wrong", "z²", lambda z, q: z * z, **options, slope=lambda z, q, phi: z)
    with pytest.raises(ProblemError, match="A slope of the activation 'off'"):
        Activation("off", "z²", lambda z, q: z * z, **options, slope=lambda z, q, phi: 2.00001 * z)
    right = {"slope": lambda z, q, phi: 2 * z}
    with pytest.raises(ProblemError, match="A slope of the activation 'other'"):
        Activation(
            "other", "z² − q", lambda z, q: z * z - q, **options, **right, variance_slope=lambda z, q, phi: 1
        )
    assert Activation(
        "sum", "10⁹ + z", lambda z, q: 1e9 + z, None, None, slope=lambda z, q, phi: 1.0
    ).has_slopes


def test_what_depends_on_the_variance_needs_both_slopes():
    def phi(z, q):
        return z * z - q

    half = Activation("half", "z² − q", phi, 2, 1, slope=lambda z, q, phi: 2 * z)
    assert not half.has_slopes
    assert not Activation("none", "z² − q", phi, 2, 1).has_slopes


def test_a_callable_brings_its_slope():
    """φ = sin z by its own name; without a slope it has none, with a wrong one it is refused."""
    with pytest.warns(UserWarning, match="quadrature"):
        sine = Activation.from_callable(
            lambda z: np.sin(z), "sine", torch=torch.sin, slope=lambda z: np.cos(z)
        )
        assert sine.has_slopes
        assert not Activation.from_callable(np.sin, "sine", torch=torch.sin).has_slopes
        with pytest.raises(ProblemError, match="'sine' is not its derivative"):
            Activation.from_callable(np.sin, "sine", torch=torch.sin, slope=np.sin)
    z = np.array([0.3, -2.0])
    np.testing.assert_array_equal(sine.slope(z, None, None), np.cos(z))
