"""Training of quadratic neurons: an ensemble at once, gradients by PyTorch, a rate for each group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.clock import Clock
from dynamics.errors import ProblemError
from dynamics.neuron.conserved import NeuronLaws
from dynamics.neuron.flow import NeuronFlow
from dynamics.neuron.population import NeuronPopulation
from dynamics.neuron.problem import Neurons, QuadraticTarget, Rates
from dynamics.validation import validate_choice, validate_count, validate_real
from dynamics.words import counted
from empirical.devices import DTYPES, validate_device
from empirical.neuron.layer import quadratic_units
from empirical.seeds import data_generator
from empirical.trainer import TrainingDiverged, descend, few_threads, gradient_of, record_steps

Weights = list[Tensor]  # R, G, B (…, K, d + 1) and a (…, K)

LARGEST_CUBATURE = 8  # inputs; 3⁸ = 6,561 points


@dataclass(frozen=True, eq=False)
class NeuronRun:
    """What was measured of S networks in training, at T recorded steps.

    Parameters
    ----------
    steps : (T,) integer array
    times : (T,) array
        Of the flow.
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
            "steps": self.steps,
            "loss": self.loss,
            "loss_measured": "exactly from the weights",
            "conserved_drift": self.conserved_drift,
            **self.about,
        }

    def summary(self) -> str:
        """What happened, on one line."""
        return (
            f"{len(self.loss)} trained, {counted(self.steps[-1], 'step')} of {self.about['step']:g}: loss (median) "
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
    TrainingDiverged
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
    recorded = record_steps(last, validate_count("records", records, minimum=2))
    generator = data_generator(device, seed)
    T = torch.from_numpy(target.homogeneous.copy()).to(device, kind)
    weights = [
        torch.tensor(np.broadcast_to(w, (S, *w.shape)), dtype=kind, device=device, requires_grad=True)
        for w in (neurons.R, neurons.G, neurons.B, neurons.a)
    ]
    whole = gaussian_cubature(target.inputs, kind, device) if size == 0 else None
    log: list[Weights] = []

    def losses(n: int) -> Tensor:
        x, mass = whole or (draw(generator, (S, size, target.inputs), kind), None)
        return batch_losses(weights, x, labels(x, T), mass)

    def record(n: int) -> None:
        if n == recorded[len(log)]:
            log.append([w.detach().cpu().clone() for w in weights])

    rule = Relinear(weights, flow.rates, flow.shrink)
    with few_threads(sum(w.numel() for w in weights[:3]) * (size or 3**d)):
        outcome = descend(gradient_of(losses, weights), rule, eta, last, record=record, progress=progress)
    about = {"step": eta, "batch": size, "seeds": S, "seed": seed, "seconds": outcome.seconds}
    failed = outcome.first
    kept = len(recorded) if failed is None else max(1, int(np.sum(recorded < failed)))
    run = _run(recorded[:kept], eta, log[:kept], NeuronPopulation(target), flow.rates, neurons, about)
    if failed is not None:
        raise TrainingDiverged(_divergence(flow, eta, failed), run, failed)
    return run


def _run(
    steps: NDArray[np.int64],
    eta: float,
    log: list[Weights],
    population: NeuronPopulation,
    rates: Rates,
    neurons: Neurons,
    about: dict[str, Any],
) -> NeuronRun:
    """What was recorded, with the losses and the drifts that follow from it."""
    R, G, B, a = (torch.stack(group, dim=1).double().numpy() for group in zip(*log, strict=True))
    laws = NeuronLaws.along(rates, neurons)
    with np.errstate(over="ignore", invalid="ignore"):  # of networks that diverge
        drifts = [laws.drift(*networks) for networks in zip(R, G, B, a, strict=True)]
        loss = [
            [population.loss(*weights) for weights in zip(*networks, strict=True)]
            for networks in zip(R, G, B, a, strict=True)
        ]
    return NeuronRun(
        steps=steps,
        times=Clock(eta).times(steps),
        loss=np.array(loss),
        weights=(R, G, B, a),
        conserved_drift={name: max(drift[name] for drift in drifts) for name in drifts[0]},
        about=about,
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


def batch_losses(weights: Weights, x: Tensor, y: Tensor, mass: Tensor | None = None) -> Tensor:
    """½ mean (f − y)² of every network, (…,).

    Parameters
    ----------
    weights : list of tensors
        R, G, B (…, K, d + 1) and a (…, K), axes of the ensemble first.
    x : (…, B, d) tensor
    y : (…, B) tensor
    mass : (B,) tensor, optional
        Probabilities of the samples; equal ones if left out.
    """
    squares = 0.5 * (outputs(x, weights) - y).square()  # (…, B)
    return squares.mean(-1) if mass is None else squares @ mass


class Relinear:
    """The rule θ ← θ − ηP∇L − ηλ(θ − θ_ReLinear) of an ensemble.

    Parameters
    ----------
    weights : list of tensors
        R, G, B (…, K, d + 1) and a (…, K), axes of the ensemble first.
    rates : Rates or tuple
        γ of the four groups, each a number or a tensor (…,).
    shrink : float
        λ.
    """

    def __init__(
        self, weights: Weights, rates: Rates | tuple[Any, Any, Any, Any], shrink: float = 0.0
    ) -> None:
        self.weights, self.shrink = weights, shrink
        self.gammas = (rates.r, rates.g, rates.b, rates.a) if isinstance(rates, Rates) else rates

    def __call__(self, gradients: Sequence[Tensor], step: float | Tensor) -> None:
        """One step; η is one number, or one for each network (…,)."""
        _, G, B, _ = self.weights
        if self.shrink:
            resting = torch.zeros_like(G)
            resting[..., -1] = 1.0
            drawn = _unsqueeze(step * self.shrink, G)
            back = drawn * (G - resting), drawn * B
        for w, g, gamma in zip(self.weights, gradients, self.gammas, strict=True):
            w.sub_(_unsqueeze(step * gamma, w) * g)
        if self.shrink:
            G.sub_(back[0])
            B.sub_(back[1])


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


def draw(generator: torch.Generator, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Standard normal numbers, drawn in single precision: runs in both precisions see the same data."""
    return torch.randn(shape, generator=generator, device=generator.device).to(dtype)


def _divergence(flow: NeuronFlow, eta: float, step: int) -> str:
    """Where training exploded, and the step the theory would have allowed."""
    path = flow.integrate(t_end=min(max(step, 1) * eta, flow.horizon()), samples=20)
    states = np.concatenate([x.reshape(20, -1) for x in (path.R, path.G, path.B, path.a)], axis=1)
    bound = min(flow.largest_stable_step(theta) for theta in states)
    return (
        f"Training diverged at step {step}: `step` is {eta:g}, and theory predicts a largest stable step of "
        f"{bound:.3g} along the flow (less for small batches)."
    )
