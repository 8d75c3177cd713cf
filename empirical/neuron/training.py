"""Training of quadratic neurons: an ensemble at once, gradients by PyTorch, a rate for each group."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from dynamics.budget import check_memory
from dynamics.errors import ComputationError, ProblemError
from dynamics.neuron.conserved import NeuronLaws
from dynamics.neuron.flow import NeuronFlow
from dynamics.neuron.population import NeuronPopulation
from dynamics.neuron.problem import Neurons, QuadraticTarget, Rates
from dynamics.validation import validate_choice, validate_count, validate_real
from empirical.data import stream_seed
from empirical.neuron.layer import quadratic_units
from empirical.training import DTYPES, EXPLOSION, record_steps, validate_device

Array = NDArray[np.float64]
Weights = list[Tensor]  # R, G, B (…, K, d + 1) and a (…, K)

CHECK_EVERY = 50  # steps between looks at the losses
LARGEST_CUBATURE = 8  # inputs; 3⁸ = 6,561 points


@dataclass(frozen=True, eq=False)
class NeuronRun:
    """What was measured of S networks in training, at T recorded steps.

    Parameters
    ----------
    steps : (T,) integer array
    times : (T,) array
        Learning rate × step.
    loss : (S, T) array
        Population loss, computed exactly from the weights.
    weights : tuple of arrays
        R, G, B (S, T, K, d + 1) and a (S, T, K).
    conserved_drift : dict of float
        Largest |Q(t) − Q(0)| of Q1 and Q2 over units and seeds.
    about : dict
        Options of the training.
    """

    steps: NDArray[np.int64]
    times: Array
    loss: Array
    weights: tuple[Array, Array, Array, Array]
    conserved_drift: dict[str, float]
    about: dict[str, Any] = field(default_factory=dict)

    def neurons_at(self, seed: int, index: int) -> Neurons:
        """One of the networks at one of the recorded steps."""
        return Neurons(*(w[seed, index] for w in self.weights))

    def to_dict(self) -> dict[str, Any]:
        """What the command prints."""
        return {
            "times": self.times,
            "loss": self.loss,
            "loss_measured": "exactly from the weights",
            "conserved_drift": self.conserved_drift,
            **self.about,
        }

    def summary(self) -> str:
        """What happened, on one line."""
        return (
            f"{len(self.loss)} trained, {self.steps[-1]} steps of {self.about['step']:g}: loss (median) "
            f"{np.median(self.loss[:, 0]):.6g} → {np.median(self.loss[:, -1]):.6g}; "
            "drift of Q1 {Q1:.1e}, of Q2 {Q2:.1e}".format(**self.conserved_drift)
        )


def train_neurons(
    target: QuadraticTarget,
    neurons: Neurons,
    *,
    steps: int,
    step: float,
    rates: Rates | None = None,
    shrink: float = 0.0,
    batch: int = 256,
    seeds: int = 1,
    seed: int = 0,
    device: str = "cpu",
    dtype: str = "float64",
    records: int = 200,
    progress: bool = False,
) -> NeuronRun:
    """Train S networks of quadratic neurons from the same initial weights, each on fresh Gaussian data of its own.

    Parameters
    ----------
    target : QuadraticTarget
    neurons : Neurons
        Initial weights.
    steps : int
    step : float
        Learning rate η.
    rates, shrink
        As for `dynamics.neuron.NeuronFlow`: a step is θ ← θ − ηP∇L − ηλ(θ − θ_ReLinear).
    batch : int
        Samples per step; 0: the whole population, through `gaussian_cubature`, for at most 8 inputs.
    seeds, seed : int
        S, and the seed of all data streams.
    device, dtype : str
        PyTorch device; "float32" or "float64".
    records : int
        Number of records, evenly spaced, first and last step included.
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    ComputationError
        If the loss explodes; the message names the largest stable step along the flow.
    """
    flow = NeuronFlow(target, neurons, rates, shrink)
    last, eta = validate_count("steps", steps), validate_real("step", step, positive=True)
    S, size = validate_count("seeds", seeds), validate_count("batch", batch, minimum=0)
    validate_choice("dtype", dtype, DTYPES)
    kind, device = DTYPES[dtype], validate_device(device)
    K, d = neurons.hidden, neurons.inputs
    check_memory(
        f"Training {S} networks of {K} quadratic neurons with {d} inputs on batches of {size or 3**d}",
        S * DTYPES[dtype].itemsize * ((size or 3**d) * (2 * d + 12 * K + 6) + 8 * K * (3 * d + 4)),
        "lower `batch` or `seeds`",
    )
    recorded = record_steps(last, validate_count("records", records, minimum=2), False)
    generator = torch.Generator(device).manual_seed(data_seed(seed))
    T = torch.from_numpy(target.homogeneous.copy()).to(device, kind)
    weights = [
        torch.tensor(np.broadcast_to(w, (S, *w.shape)), dtype=kind, device=device)
        for w in (neurons.R, neurons.G, neurons.B, neurons.a)
    ]
    whole = gaussian_cubature(target.inputs, kind, device) if size == 0 else None
    log: list[Weights] = []
    start, first = time.perf_counter(), np.inf
    # disable=None: a bar on a terminal, nothing in a pipe.
    for n in tqdm(range(last + 1), desc="training", leave=False, disable=None if progress else True):
        if n == recorded[len(log)]:
            log.append([w.cpu() for w in weights])
        if n == last:
            break
        x, mass = whole or (draw(generator, (S, size, target.inputs), kind), None)
        losses, weights = descend(weights, x, labels(x, T), eta, flow.rates, shrink=flow.shrink, mass=mass)
        if n % CHECK_EVERY == 0 or n == last - 1:
            worst = float(losses.max())
            first = worst if n == 0 else first
            if not worst <= EXPLOSION * max(first, np.finfo(float).tiny):
                raise ComputationError(_divergence(flow, eta, n))
    paths = [torch.stack(group, dim=1).double().numpy() for group in zip(*log, strict=True)]
    population, laws = NeuronPopulation(target), NeuronLaws.along(flow.rates, neurons)
    drifts = [laws.drift(*(p[s] for p in paths)) for s in range(S)]
    return NeuronRun(
        steps=recorded,
        times=eta * recorded,
        loss=np.array(
            [[population.loss(*(p[s, i] for p in paths)) for i in range(len(log))] for s in range(S)]
        ),
        weights=(paths[0], paths[1], paths[2], paths[3]),
        conserved_drift={name: max(drift[name] for drift in drifts) for name in drifts[0]},
        about={"step": eta, "batch": size, "seeds": S, "seed": seed, "seconds": time.perf_counter() - start},
    )


def outputs(x: Tensor, weights: Weights) -> Tensor:
    """f(x) = Σ_k a_k q_k(x), (…, B), for inputs (…, B, d) and weights with the same leading axes."""
    R, G, B, a = weights
    groups = [part for W in (R, G, B) for part in (W[..., :-1], W[..., -1])]
    return (quadratic_units(x, *groups) @ a.unsqueeze(-1)).squeeze(-1)


def labels(x: Tensor, T: Tensor) -> Tensor:
    """f*(x) = x̃ᵀTx̃, (…, B), for inputs (…, B, d) and T (…, d + 1, d + 1), x̃ = (x, 1)."""
    X = torch.cat([x, torch.ones_like(x[..., :1])], dim=-1)
    return ((X @ T) * X).sum(-1)


def descend(
    weights: Weights,
    x: Tensor,
    y: Tensor,
    step: float | Tensor,
    rates: Rates | tuple[Any, Any, Any, Any],
    *,
    shrink: float = 0.0,
    mass: Tensor | None = None,
) -> tuple[Tensor, Weights]:
    """One step of gradient descent for every network of an ensemble: losses (…,) before, weights after it.

    Parameters
    ----------
    weights : list of tensors
        R, G, B (…, K, d + 1) and a (…, K), axes of the ensemble first.
    x : (…, B, d) tensor
    y : (…, B) tensor
    step : float or (…,) tensor
        η, for all or for each network.
    rates : Rates or tuple
        γ of the four groups, each a number or a tensor (…,).
    shrink : float
        λ.
    mass : (B,) tensor, optional
        Probabilities of the samples; equal ones if left out.
    """
    theta = [w.detach().requires_grad_() for w in weights]
    squares = 0.5 * (outputs(x, theta) - y).square()  # (…, B)
    losses = squares.mean(-1) if mass is None else squares @ mass
    # networks do not interact: each gets the gradient of its own loss
    gradients = torch.autograd.grad(losses.sum(), theta)
    gammas = (rates.r, rates.g, rates.b, rates.a) if isinstance(rates, Rates) else rates
    with torch.no_grad():
        new = [
            w - _unsqueeze(step * gamma, w) * g for w, g, gamma in zip(theta, gradients, gammas, strict=True)
        ]
        if shrink:
            resting = torch.zeros_like(weights[1])
            resting[..., -1] = 1.0
            new[1] -= _unsqueeze(step * shrink, resting) * (weights[1] - resting)
            new[2] -= _unsqueeze(step * shrink, resting) * weights[2]
    return losses.detach(), new


def _unsqueeze(factor: float | Tensor, w: Tensor) -> float | Tensor:
    """A factor for each network, with axes appended so that it multiplies weights (…, K[, d + 1])."""
    if not isinstance(factor, Tensor):
        return factor
    return factor.reshape(*factor.shape, *[1] * (w.ndim - factor.ndim))


def gaussian_cubature(inputs: int, dtype: torch.dtype, device: str = "cpu") -> tuple[Tensor, Tensor]:
    """Points (3^d, d) and their probabilities (3^d,): every polynomial of degree 5 has its mean under N(0, I).

    The product of Gauss–Hermite rules with nodes 0, ±√3 and probabilities 2/3, 1/6, 1/6. The squared error of
    quadratic neurons has degree 4, so that training on these points is training on the population.
    """
    d = validate_count("inputs", inputs)
    if d > LARGEST_CUBATURE:
        raise ProblemError(
            f"`inputs` is {d}, but training on the whole population needs 3^d points, which is allowed up to "
            f"d = {LARGEST_CUBATURE}: give a batch size."
        )
    x = np.array(list(product((0.0, 3**0.5, -(3**0.5)), repeat=d)))
    mass = np.prod(np.where(x == 0, 2 / 3, 1 / 6), axis=1)
    return torch.from_numpy(x).to(device, dtype), torch.from_numpy(mass).to(device, dtype)


def data_seed(seed: int) -> int:
    """Seed of the data, a stream of its own: data must not repeat the numbers that made the initial weights."""
    return stream_seed(validate_count("seed", seed, minimum=0), 1)


def draw(generator: torch.Generator, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Standard normal numbers, drawn in single precision: runs in both precisions see the same data."""
    return torch.randn(shape, generator=generator, device=generator.device).to(dtype)


def _divergence(flow: NeuronFlow, eta: float, step: int) -> str:
    """Where training exploded, and the step the theory would have allowed."""
    path = flow.integrate(t_end=min(max(step, 1) * eta, flow.horizon()), samples=20)
    states = np.concatenate([x.reshape(20, -1) for x in (path.R, path.G, path.B, path.a)], axis=1)
    bound = min(flow.largest_stable_step(theta) for theta in states)
    return (
        f"Training diverged by step {step}: `step` is {eta:g}, and theory predicts a largest stable step of "
        f"{bound:.3g} along the flow (less for small batches)."
    )
