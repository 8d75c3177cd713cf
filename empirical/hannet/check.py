"""What the construction of Han layers guarantees, measured: isometry, conserved norms, gradients through depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.progress import progress_bar
from dynamics.validation import validate_count, validate_real
from empirical.hannet.layers import DenseNet, HanLayer, HanNet, he_linear, parameter_count
from empirical.optimizers.heavy_ball import HeavyBall
from empirical.trainer import descend, few_threads, gradient_of

BYTES_PER_LAYER = 10_000  # of a module, its parameters and its part of the graph, beside the numbers in them


@dataclass(frozen=True, eq=False)
class HanCheck:
    """Measured properties of Han layers, and of ReLU layers of the same width and depth beside them.

    Parameters
    ----------
    singular_values : (n,) array
        Of the Jacobian of the whole stack of Han layers, descending.
    norm_drift : float
        Largest relative change of ‖u‖² in gradient descent beyond η² Σ‖∂L/∂u‖², which the finite step explains.
    norm_growth : (2,) array
        Largest relative change of ‖u‖² itself, with step η and, over the same time, η/2.
    parameters : dict of int
        Parameters of the two networks of the checkerboard problem.
    activation_ratio : dict of float
        Share of units, over layers and samples, whose output responds to their input (φ′ ≠ 0).
    gradient_norms : dict of (R, layers + 1) arrays
        ‖∂L/∂h_l‖ relative to ‖∂L/∂h_layers‖ (root mean square over samples), for R random stacks:
        "hannet", "relu" (He initialisation) and "relu-default" (PyTorch's own initialisation of dense layers).
    about : dict
        Options of the check.
    """

    singular_values: Array
    norm_drift: float
    norm_growth: Array
    parameters: dict[str, int]
    activation_ratio: dict[str, float]
    gradient_norms: dict[str, Array]
    about: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """What the command prints."""
        first = {name: float(np.median(norms[:, 0])) for name, norms in self.gradient_norms.items()}
        return {
            "singular_values": [float(self.singular_values.min()), float(self.singular_values.max())],
            "norm_drift": self.norm_drift,
            "norm_growth": {
                "step": self.about["step"],
                "relative": float(self.norm_growth[0]),
                "relative_at_half_step": float(self.norm_growth[1]),
            },
            "parameters": self.parameters,
            "activation_ratio": self.activation_ratio,
            "gradient_ratio": first,
            "layers": self.about["layers"],
            "width": self.about["width"],
            "warnings": [],
        }

    def summary(self) -> str:
        """What was measured, in a few lines."""
        d = self.to_dict()
        low, high = (abs(s - 1) for s in d["singular_values"])
        growth, halved = self.norm_growth
        ratios = ", ".join(f"{name} {value:.2g}" for name, value in d["gradient_ratio"].items())
        return "\n".join(
            [
                f"singular values through {d['layers']} Han layers: 1 within {max(low, high):.1e}",
                f"‖u‖² in gradient descent: drift {self.norm_drift:.1e} beyond the {growth:.1e} that the step explains "
                f"({halved:.1e} with half the step)",
                f"parameters: HanNet {self.parameters['hannet']}, dense {self.parameters['dense']}",
                f"activation ratio: HanNet {d['activation_ratio']['hannet']:.3f}, "
                f"ReLU {d['activation_ratio']['relu']:.3f}",
                f"gradient at the first layer relative to the last (median): {ratios}",
            ]
        )


def check_hannet(
    layers: int = 200,
    width: int = 30,
    *,
    samples: int = 64,
    repeats: int = 15,
    step: float = 0.01,
    steps: int = 50,
    seed: int = 0,
    progress: bool = False,
) -> HanCheck:
    """Measure what Han layers promise, in double precision.

    Parameters
    ----------
    layers, width : int
        Depth and width of the stacks.
    samples : int
        Inputs x ~ N(0, I).
    repeats : int
        Random stacks of each kind.
    step, steps
        Gradient descent in which ‖u‖ is watched, on the HanNet of the checkerboard problem.
    seed : int
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Returns
    -------
    HanCheck

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    depth, n = validate_count("layers", layers), validate_count("width", width)
    size, stacks = validate_count("samples", samples), validate_count("repeats", repeats)
    check_memory(
        f"A stack of {depth} layers of width {n}",
        depth * (8 * (n * n + 6 * n * size) + BYTES_PER_LAYER),
        "lower `layers` or `width`",
    )
    generator_seed = validate_count("seed", seed, minimum=0)
    eta, count = validate_real("step", step, positive=True), validate_count("steps", steps)
    with torch.random.fork_rng(devices=[]), few_threads(size * n * n):
        torch.manual_seed(generator_seed)
        makers = {"hannet": _han_layer, "relu": _relu_layer, "relu-default": _default_relu_layer}
        measured: dict[str, list[tuple[float, Array]]] = {name: [] for name in makers}
        for name, _ in progress_bar(
            [*product(makers, range(stacks))], "stacks", shown=progress, remedy="lower `layers` or `width`"
        ):
            measured[name].append(measure_stack([makers[name](n) for _ in range(depth)], size))
        stack = nn.Sequential(*(_han_layer(n) for _ in range(depth)))
        singular_values = jacobian_singular_values(stack, torch.randn(n, dtype=torch.float64))
        network = HanNet(dtype=torch.float64)
        x = 2 * torch.rand(samples, 2, dtype=torch.float64) - 1
        y = torch.randint(2, (samples, 1)).expand(-1, 2).double()
        start = [p.detach().clone() for p in network.parameters()]
        drift, growth = norm_changes(network, x, y, eta, count)
        with torch.no_grad():
            for p, p0 in zip(network.parameters(), start, strict=True):
                p.copy_(p0)
        halved = norm_changes(network, x, y, eta / 2, 2 * count)[1]
        parameters = {"hannet": parameter_count(HanNet()), "dense": parameter_count(DenseNet())}
    return HanCheck(
        singular_values=singular_values,
        norm_drift=drift,
        norm_growth=np.array([growth, halved]),
        parameters=parameters,
        activation_ratio={k: float(np.mean([a for a, _ in measured[k]])) for k in ("hannet", "relu")},
        gradient_norms={k: np.array([g for _, g in runs]) for k, runs in measured.items()},
        about={
            "layers": depth,
            "width": n,
            "samples": samples,
            "repeats": repeats,
            "step": eta,
            "steps": count,
            "seed": seed,
        },
    )


def jacobian_singular_values(network: nn.Module, x: Tensor) -> Array:
    """Singular values of ∂f/∂x at one input (n,), descending."""
    J = torch.autograd.functional.jacobian(network, x)
    return np.linalg.svd(J.detach().numpy(), compute_uv=False)


def norm_changes(network: nn.Module, x: Tensor, y: Tensor, step: float, steps: int) -> tuple[float, float]:
    """Gradient descent on a batch: largest relative |Δ‖u‖² − η² Σ‖∂L/∂u‖²| and |Δ‖u‖²| over the Han layers."""
    directions = [layer.u for layer in network.modules() if isinstance(layer, HanLayer)]
    parameters = list(network.parameters())
    by_loss = gradient_of(lambda n: (network(x) - y).square().mean(), parameters)
    before = np.array([float(u.detach().square().sum()) for u in directions])
    explained = np.zeros(len(directions))

    def gradient(n: int) -> tuple[Tensor | None, Sequence[Tensor]]:
        losses, gradients = by_loss(n)
        of_directions = (
            g for p, g in zip(parameters, gradients, strict=True) if any(p is u for u in directions)
        )
        explained[:] += [step**2 * float(g.square().sum()) for g in of_directions]
        return losses, gradients

    descend(gradient, HeavyBall(parameters, 0.0), step, steps, stop=None)
    change = np.array([float(u.detach().square().sum()) for u in directions]) - before
    return float(np.max(np.abs(change - explained) / before)), float(np.max(np.abs(change) / before))


def measure_stack(layers: list[nn.Module], samples: int) -> tuple[float, Array]:
    """Activation ratio, and gradient norms (layers + 1,) relative to the last, of random inputs and outputs."""
    width = next(layers[0].parameters()).shape[-1]
    h = [torch.randn(samples, width, dtype=torch.float64, requires_grad=True)]
    for layer in layers:
        h.append(layer(h[-1]))
    # of h·g: gradients g that are handed over would have PyTorch import a compiler
    gradients = torch.autograd.grad((h[-1] * torch.randn_like(h[-1])).sum(), h)
    norms = np.array([float(g.square().sum(-1).mean().sqrt()) for g in gradients])
    active = np.mean([float((x != 0).double().mean()) for x in h[1:]])
    return float(active), norms / norms[-1]


def _han_layer(n: int) -> nn.Module:
    return HanLayer(n, dtype=torch.float64)


def _relu_layer(n: int) -> nn.Module:
    return nn.Sequential(he_linear(n, n, dtype=torch.float64), nn.ReLU())


def _default_relu_layer(n: int) -> nn.Module:
    return nn.Sequential(nn.Linear(n, n, dtype=torch.float64), nn.ReLU())
