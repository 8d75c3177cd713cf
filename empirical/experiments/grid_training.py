"""Networks trained from a whole grid of initial states, as one ensemble.

They share their inputs and the step, and one batched forward and backward pass moves them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from dynamics.activations import Activation
from dynamics.aliases import Array
from dynamics.problem import Problem, Student, Teacher
from dynamics.validation import validate_array, validate_count, validate_real
from empirical.data import teacher_network
from empirical.devices import validate_rates
from empirical.gradients import Batch, choose_gradients, gradient_on
from empirical.networks import QuadraticNetwork
from empirical.optimizers.base import Rule
from empirical.optimizers.heavy_ball import HeavyBall
from empirical.trainer import descend, few_threads


@dataclass(frozen=True, eq=False)
class GridTraining:
    """Networks trained from many initial states.

    Parameters
    ----------
    loss : (n,) array
        Generalisation loss at the end, exactly from the weights; infinite where training diverged.
    W : (n, K, d) array
        Final weights.
    A : (n, O, K) array
    step : float
    steps, batch : int
    """

    loss: Array
    W: Array
    A: Array
    step: float
    steps: int
    batch: int


@dataclass(frozen=True, eq=False)
class _DecayOfEach:
    """A rule with the gradient of (ρ/2)‖θ‖² beside every other, ρ (n, 1, 1) of each network and layer."""

    rule: Rule
    layers: Sequence[Tensor]
    rates: Tensor

    def __call__(self, gradients: Sequence[Tensor], step: float | Tensor) -> None:
        """One step."""
        of_layers = zip(gradients, self.rates, self.layers, strict=True)
        self.rule([g.addcmul(rho, theta) for g, rho, theta in of_layers], step)


def train_grid(
    teacher: Teacher,
    W: ArrayLike,
    A: ArrayLike,
    *,
    step: float,
    steps: int,
    batch: int = 64,
    activation: Activation | str = "quadratic",
    weight_decay: ArrayLike = 0.0,
    seed: int = 0,
    gradients: str | None = None,
    dtype: torch.dtype = torch.float32,
    progress: bool = False,
) -> GridTraining:
    """Train one network from each of n initial states, all in one ensemble, by SGD on fresh Gaussian inputs.

    Parameters
    ----------
    teacher : Teacher
    W : (n, K, d) array
    A : (n, O, K) or (n, K) array
        Both layers are trained.
    step : float
        η.
    steps : int
    batch : int
        Fresh samples per step, the same for all networks.
    activation : str
    weight_decay : float or (n, 2) array
        ρ_w and ρ_a of each network: half of them times the squares of its weights are added to its loss.
    seed : int
        Seed of the inputs.
    gradients : str, optional
        As for `empirical.train`.
    dtype : torch.dtype
    progress : bool
        Show a progress bar on standard error if that is a terminal.
    """
    W0 = validate_array("W", W, 3)
    A0 = np.asarray(A, dtype=float)
    A0 = validate_array("a", A0[:, None] if A0.ndim == 2 else A0, 3)
    n_steps, B = validate_count("steps", steps), validate_count("batch", batch)
    eta = validate_real("step", step, positive=True)
    validate_rates(dtype, eta)
    problem = Problem(teacher, Student(W0[0], A0[0]), activation)  # checks that the shapes fit
    network = QuadraticNetwork.from_student(
        problem.student, activation=activation, ensemble=len(W0), dtype=dtype
    )
    with torch.no_grad():
        network.W.copy_(torch.tensor(W0))
        network.A.copy_(torch.tensor(A0))
    target = teacher_network(problem, dtype, "cpu")
    rates = validate_array("weight_decay", np.broadcast_to(np.asarray(weight_decay, float), (len(W0), 2)), 2)
    generator = torch.Generator().manual_seed(validate_count("seed", seed, minimum=0))

    def batches() -> Iterator[Batch]:
        while True:
            x = torch.randn(B, teacher.inputs, generator=generator, dtype=dtype)
            yield x, target(x), None

    layers = [network.W, network.A]
    rule: Rule = HeavyBall(layers, 0.0)
    if rates.any():
        rule = _DecayOfEach(rule, layers, torch.tensor(rates, dtype=dtype).T[..., None, None])
    gradient = gradient_on(network, batches(), choose_gradients(gradients, problem.activation))
    with few_threads(network.W.numel() * B):
        descend(gradient, rule, eta, n_steps, stop=None, progress=progress)
    W1, A1 = (p.detach().double().numpy() for p in (network.W, network.A))
    population = Activation.parse(activation).loss(teacher.V, teacher.B)
    finite = np.isfinite(W1).all(axis=(1, 2)) & np.isfinite(A1).all(axis=(1, 2))
    loss = [population.loss(w, a) if fine else np.inf for w, a, fine in zip(W1, A1, finite, strict=True)]
    return GridTraining(np.array(loss), W1, A1, eta, n_steps, B)
