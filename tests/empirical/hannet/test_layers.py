"""Han layers against the dense Householder matrix, and what their construction promises."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dynamics.errors import ProblemError
from empirical.hannet.layers import Absolute, DenseNet, HanLayer, HanNet, parameter_count


def make_layer(n: int, seed: int) -> HanLayer:
    """A layer with a random bias, in double precision."""
    torch.manual_seed(seed)
    layer = HanLayer(n, dtype=torch.float64)
    nn.init.normal_(layer.b)
    return layer


def householder(u: Tensor) -> Tensor:
    """H(u) by its definition."""
    return torch.eye(len(u), dtype=u.dtype) - 2 * torch.outer(u, u) / u.dot(u)


@pytest.mark.parametrize("shape", [(7,), (4, 7), (2, 3, 7)])
def test_layer_is_the_reflection_by_its_matrix(shape: tuple[int, ...]) -> None:
    """|H(u) x + b| with H(u) formed, for any leading axes; gradients by autograd through both."""
    layer = make_layer(7, 0)
    x = torch.randn(*shape, dtype=torch.float64, requires_grad=True)
    y, expected = layer(x), (x @ householder(layer.u) + layer.b).abs()
    torch.testing.assert_close(y, expected, rtol=1e-13, atol=1e-13)
    weight = torch.randn_like(y)
    variables = [x, layer.u, layer.b]
    for a, b in zip(
        torch.autograd.grad(y, variables, weight),
        torch.autograd.grad(expected, variables, weight),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-12)


def test_no_tensor_of_the_size_of_the_matrix_is_made() -> None:
    """At n = 30,000 the matrix would take 7.2 GB; the layer's largest tensors have 2 n entries."""
    n = 30_000
    layer = make_layer(n, 1)
    seen: list[int] = []

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            out = func(*args, **(kwargs or {}))
            seen.extend(
                t.numel() for t in (out if isinstance(out, tuple | list) else [out]) if isinstance(t, Tensor)
            )
            return out

    with Watch():
        layer(torch.randn(2, n, dtype=torch.float64)).sum().backward()
    assert max(seen) == 2 * n


def test_parameters() -> None:
    """2n per Han layer; the two networks of the checkerboard problem have 3,032 and 51,002 (Yu & Zhang)."""
    assert parameter_count(HanLayer(30)) == 60
    assert parameter_count(HanNet()) == 3032
    assert parameter_count(DenseNet()) == 51002
    kinds = [type(m) for m in HanNet() if not isinstance(m, Absolute)]
    assert kinds == [nn.Linear, nn.Linear, *[HanLayer] * 17, nn.Linear, nn.Linear]


def test_gradient_is_orthogonal_to_u() -> None:
    """H(cu) = H(u), so that u·∂L/∂u = 0 (Euler), here relative to ‖u‖‖∂L/∂u‖ and to rounding."""
    torch.manual_seed(2)
    network = HanNet(2, 12, 2, layers=9, dtype=torch.float64)
    x = torch.randn(50, 2, dtype=torch.float64)
    (network(x) - 1).square().mean().backward()
    for layer in network:
        if isinstance(layer, HanLayer):
            assert layer.u.grad is not None
            g, u = layer.u.grad, layer.u.detach()
            assert abs(float(g @ u)) < 1e-13 * float(g.norm() * u.norm())
            assert float(g.norm()) > 0


def test_layers_never_expand_distances() -> None:
    """A reflection keeps distances and |·| cannot expand them: 1-Lipschitz through 50 layers, and often sharp."""
    torch.manual_seed(3)
    stack = nn.Sequential(*(make_layer(6, s) for s in range(50)))
    x = torch.randn(200, 6, dtype=torch.float64)
    close = x + 1e-9 * torch.randn_like(x)
    with torch.no_grad():
        before, after = (close - x).norm(dim=1), (stack(close) - stack(x)).norm(dim=1)
        pdist = nn.functional.pdist
        far = pdist(stack(x)) <= pdist(x) * (1 + 1e-12)
    ratio = (after / before).numpy()
    assert far.all()
    # 1e-9 is far from the nearest kink for nearly all points; rounding of x is 1e-16/1e-9.
    assert np.mean(np.abs(ratio - 1) < 1e-5) > 0.95


def test_bad_input_is_refused() -> None:
    """One sentence that names the value."""
    with pytest.raises(ProblemError, match="layers"):
        HanNet(layers=2)
    with pytest.raises(ProblemError, match="features"):
        HanLayer(0)
