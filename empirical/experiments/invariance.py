"""Two copies of one network, one of them rescaled, trained side by side by G-SGD and by plain SGD."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dynamics.aliases import Array
from dynamics.budget import check_memory, check_number
from dynamics.errors import ProblemError
from dynamics.path_space import Skeleton, path_gradient, path_values
from dynamics.validation import validate_choice, validate_count, validate_real
from dynamics.words import counted
from empirical.bias_free_network import HOMOGENEOUS, BiasFreeNetwork, rescale
from empirical.optimizers.base import Rule, SideBySide
from empirical.optimizers.heavy_ball import HeavyBall
from empirical.optimizers.path_space import PathSpaceDescent
from empirical.trainer import descend, few_threads, gradient_of, record_steps

OPTIMIZERS = ("gsgd", "sgd")
ORDINARY_SIZE = 0.7  # ordinary weights start as N(0, ORDINARY_SIZE²/n_in), skeleton weights as ±1
LARGEST_SPREAD = 1e6  # in double precision little is left of a network whose weights spread by more
TEST_SAMPLES = 512
MOST_BATCHES = 10  # drawn until a unit is active, before a network counts as dead
STEP_SAMPLES = 256  # of a batch that tell its largest stable step
MOST_LAYERS = 1000  # each costs every step a few hundred microseconds
STEP_FRACTION = 0.1  # of the largest step that is stable at the start for both copies and both optimisers


@dataclass(frozen=True, eq=False)
class Invariance:
    """How far two copies of one network are apart while they are trained, at T recorded steps.

    Parameters
    ----------
    steps : (T,) integer array
    path_difference : dict of (T,) arrays
        For "gsgd" and "sgd": ‖v − v′‖/‖v‖ of the basis-path values of the two copies.
    function_difference : dict of (T,) arrays
        The same for their outputs on a fixed test sample.
    loss : dict of (2, T) arrays
        Loss of both copies on the batch of the step.
    edges, hidden_units, basis_paths : int
        m, H and m − H.
    rebases : (int, int)
        How often G-SGD has changed the skeleton edges of a unit, for both copies; `path_difference` is that in the
        basis of the start all the same.
    about : dict
        Options of the experiment, the step size used.
    """

    steps: NDArray[np.int64]
    path_difference: dict[str, Array]
    function_difference: dict[str, Array]
    loss: dict[str, Array]
    edges: int
    hidden_units: int
    basis_paths: int
    rebases: tuple[int, int]
    about: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Differences after the last step, as the command prints them."""
        warnings = []
        result: dict[str, Any] = {}
        for name in OPTIMIZERS:
            final = {
                "path_difference": float(self.path_difference[name][-1]),
                "function_difference": float(self.function_difference[name][-1]),
                "loss": [float(x) for x in self.loss[name][:, -1]],
            }
            if not np.isfinite([*self.loss[name][:, -1], final["path_difference"]]).all():
                final = {key: None for key in final}
                warnings.append(f"{name} diverged: take a smaller step than {self.about['step']:.3g}.")
            result[name] = final
        result["gsgd"]["rebases"] = list(self.rebases)
        counts = {"basis_paths": self.basis_paths, "edges": self.edges, "hidden_units": self.hidden_units}
        return {
            **result,
            **counts,
            "steps": int(self.steps[-1]),
            "step": self.about["step"],
            "warnings": warnings,
        }

    def summary(self) -> str:
        """What happened, in a few lines."""
        lines = [
            f"{counted(self.edges, 'edge')}, {counted(self.hidden_units, 'hidden unit')}, "
            f"{counted(self.basis_paths, 'basis path')}; "
            f"{counted(self.steps[-1], 'step')} of {self.about['step']:.3g}"
        ]
        for name, label in (("gsgd", "G-SGD"), ("sgd", "SGD")):
            lines.append(
                f"{label}: path values of the two copies differ by {self.path_difference[name][-1]:.2e}, "
                f"functions by {self.function_difference[name][-1]:.2e} (relative)"
            )
        return "\n".join(lines)


def invariance(
    inputs: int = 6,
    hidden: int = 8,
    outputs: int = 2,
    *,
    layers: int = 2,
    activation: str = "relu",
    steps: int = 300,
    step: float | None = None,
    batch: int = 64,
    spread: float = 2.0,
    seed: int = 0,
    records: int = 61,
    progress: bool = False,
) -> Invariance:
    """Train a network and its rescaled copy by G-SGD and by SGD, all four on the same data.

    The labels come from a network with the same skeleton weights and other ordinary weights.

    Parameters
    ----------
    inputs, hidden, outputs : int
        Widths; every hidden layer has `hidden` units.
    layers : int
        Layers of weights L, at least 2.
    activation : str
        One of `HOMOGENEOUS`.
    steps : int
    step : float, optional
        Learning rate η, the same for both optimisers; default a tenth of the largest that is stable at the start.
    batch : int
        Samples x ~ N(0, I) per step, fresh ones every time.
    spread : float
        Every hidden unit of the copy is rescaled by a factor drawn log-uniformly from [1/spread, spread].
    seed : int
    records : int
        Number of records, evenly spaced.
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Returns
    -------
    Invariance

    Raises
    ------
    ProblemError
        If an argument is not usable.
    SkeletonCrossing
        If a skeleton path value would pass zero whatever edges its unit took.
    """
    d, K, O = (
        validate_count(n, v) for n, v in (("inputs", inputs), ("hidden", hidden), ("outputs", outputs))
    )
    L, size = validate_count("layers", layers, minimum=2), validate_count("batch", batch)
    _check_size(d, K, O, L, size)
    widths = (d, *[K] * (L - 1), O)
    validate_choice("activation", activation, HOMOGENEOUS)
    last = validate_count("steps", steps)
    if not 1 <= validate_real("spread", spread) <= LARGEST_SPREAD:
        raise ProblemError(f"`spread` is {spread:g}, but must be between 1 and {LARGEST_SPREAD:.0e}.")
    rng = np.random.default_rng(validate_count("seed", seed, minimum=0))
    original, teacher = _twins(widths, rng)
    degree = HOMOGENEOUS[activation][1]
    factors = [np.exp(rng.uniform(-1, 1, n) * np.log(spread)) for n in widths[1:-1]]
    starts = (original, rescale(original, factors, degree))
    skeleton = Skeleton.strongest(original, degree)
    if step is None:
        step = min(_largest_stable_step(W, activation, skeleton, rng, batch) for W in starts) * STEP_FRACTION
    eta = validate_real("step", step, positive=True)

    copies = {name: [BiasFreeNetwork(W, activation) for W in starts] for name in OPTIMIZERS}
    recorded = record_steps(last, validate_count("records", records, minimum=2))
    log = _Log(copies, skeleton, torch.from_numpy(rng.standard_normal((TEST_SAMPLES, d))))
    with few_threads(4 * batch * max(W.size for W in teacher)):
        rebases = _train(
            copies, BiasFreeNetwork(teacher, activation), skeleton, eta, batch, recorded, rng, log, progress
        )
    return Invariance(
        steps=recorded,
        path_difference={name: np.array(log.paths[name]) for name in OPTIMIZERS},
        function_difference={name: np.array(log.functions[name]) for name in OPTIMIZERS},
        loss={name: np.array(log.losses[name]).T for name in OPTIMIZERS},
        edges=skeleton.edges,
        hidden_units=skeleton.hidden_units,
        basis_paths=path_values(original, skeleton, degree).size,
        rebases=rebases,
        about={
            "widths": widths,
            "activation": activation,
            "step": eta,
            "batch": batch,
            "spread": spread,
            "seed": seed,
        },
    )


def _check_size(inputs: int, hidden: int, outputs: int, layers: int, batch: int) -> None:
    """Refuse networks whose Jacobians, of all outputs for a batch in weights and paths, do not fit."""
    edges = hidden * (inputs + hidden * (layers - 2) + outputs)
    units = inputs + hidden * (layers - 1) + outputs
    check_memory(
        f"Networks of {layers} layers of weights with {edges} weights, on batches of {batch},",
        8 * (edges * (4 * min(batch, STEP_SAMPLES) * outputs + 40) + 8 * batch * units) + 10_000 * layers,
        "lower `batch`, `hidden` or `layers`",
    )
    check_number(f"`layers` = {layers}", layers, MOST_LAYERS, "layers of weights", "lower `layers`")


def _twins(widths: tuple[int, ...], rng: np.random.Generator) -> tuple[list[Array], list[Array]]:
    """Student and teacher weights: equal skeleton weights ±1 (diagonal skeleton), ordinary weights of their own.

    Path coordinates end where a skeleton path value is zero. Sharing the skeleton weights keeps training away from
    there, without telling the student anything about the others.
    """
    diagonal = Skeleton.diagonal(widths)
    shapes = [(n, below) for below, n in pairwise(widths)]
    signs = [rng.choice([-1.0, 1.0], shape) for shape in shapes]
    networks = []
    for _ in range(2):
        weights = [rng.normal(0, ORDINARY_SIZE / shape[1] ** 0.5, shape) for shape in shapes]
        for l, (into, out) in enumerate(zip(diagonal.into, diagonal.out, strict=True)):
            units = np.arange(len(into))
            weights[l][units, into] = signs[l][units, into]
            weights[l + 1][out, units] = signs[l + 1][out, units]
        networks.append(weights)
    return networks[0], networks[1]


def _largest_stable_step(
    weights: list[Array], activation: str, skeleton: Skeleton, rng: np.random.Generator, batch: int
) -> float:
    """2/λ of the Gauss–Newton matrix on one batch: the smaller of those over weights and over path values.

    Where no unit is active on a batch, and λ is zero, another one is drawn. Of a large batch a part is enough: λ is
    convex, so that on the mean it is larger on a part than on all of it, and the step on the safe side.
    """
    batch = min(batch, STEP_SAMPLES)
    network = BiasFreeNetwork(weights, activation)
    for _ in range(MOST_BATCHES):
        x = torch.from_numpy(rng.standard_normal((batch, weights[0].shape[1])))
        with np.errstate(over="ignore", invalid="ignore"):  # it is refused below
            steepest = max(_largest_singular_value(J) for J in _jacobians(weights, network, skeleton, x))
        if not np.isfinite(steepest * steepest):
            raise ProblemError(
                f"The gradient of {len(weights)} layers exceeds all numbers: take fewer `layers`, or another"
                " `activation`."
            )
        if steepest:
            return 2 * batch / (steepest * steepest)
    raise ProblemError(
        f"The network has a zero gradient on {MOST_BATCHES} batches: take another `seed`, or more units `hidden`."
    )


def _jacobians(
    weights: list[Array], network: BiasFreeNetwork, skeleton: Skeleton, x: Tensor
) -> tuple[Array, Array]:
    """Gradients of all outputs on a batch, a row each, in the weights and in the path values."""
    layers = [W.detach() for W in network.weights]
    below, slopes = [x], []
    for W in layers[:-1]:
        with torch.enable_grad():
            z = (below[-1] @ W.T).requires_grad_()
            below.append(network.phi(z).detach())
            slopes.append(torch.autograd.grad(network.phi(z).sum(), z)[0])
    rows, outputs = len(x) * len(layers[-1]), len(layers[-1])
    back = torch.eye(outputs, dtype=x.dtype).expand(len(x), -1, -1)  # of the outputs, in z_l: (B, O, n_l)
    gradients: list[Array] = []  # (B·O, n_l, n_{l−1})
    for l in reversed(range(len(layers))):
        gradients.insert(
            0, torch.einsum("boi,bj->boij", back, below[l]).reshape(rows, *layers[l].shape).numpy()
        )
        if l:
            back = (back @ layers[l]) * slopes[l - 1][:, None, :]
    flat = np.concatenate([g.reshape(len(g), -1) for g in gradients], axis=1)
    paths = path_gradient(weights, gradients, skeleton, network.degree)
    return flat, paths


def _largest_singular_value(J: Array) -> float:
    """By the smaller of both products JᵀJ and JJᵀ: of the largest one nothing is lost."""
    size = float(np.abs(J).max())
    if not (size and np.isfinite(size)):
        return size
    J = J / size  # squares neither overflow nor vanish
    squares = np.linalg.eigvalsh(J.T @ J if J.shape[0] > J.shape[1] else J @ J.T)
    return size * float(squares[-1]) ** 0.5


class _Log:
    """What is recorded of the copies."""

    def __init__(self, copies: dict[str, list[BiasFreeNetwork]], skeleton: Skeleton, x: Tensor) -> None:
        self.copies, self.skeleton, self.x = copies, skeleton, x
        self.paths: dict[str, list[float]] = {name: [] for name in copies}
        self.functions: dict[str, list[float]] = {name: [] for name in copies}
        self.losses: dict[str, list[list[float]]] = {name: [] for name in copies}

    def __call__(self, x: Tensor, y: Tensor) -> None:
        """Record differences, and losses on the batch (x, y)."""
        for name, pair in self.copies.items():
            with torch.no_grad():
                f, g = (network(self.x).numpy() for network in pair)
                self.losses[name].append([float(batch_loss(network, x, y)) for network in pair])
            with np.errstate(all="ignore"):  # a copy that diverged is reported as NaN
                v, w = (path_values(network.arrays(), self.skeleton, network.degree) for network in pair)
                self.paths[name].append(float(np.linalg.norm(v - w) / np.linalg.norm(v)))
                self.functions[name].append(float(np.linalg.norm(f - g) / np.linalg.norm(f)))


def batch_loss(network: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Mean over the batch of ½‖y − f(x)‖²."""
    return 0.5 * (network(x) - y).square().sum(-1).mean()


def _train(
    copies: dict[str, list[BiasFreeNetwork]],
    teacher: BiasFreeNetwork,
    skeleton: Skeleton,
    step: float,
    batch: int,
    recorded: NDArray[np.int64],
    rng: np.random.Generator,
    log: _Log,
    progress: bool,
) -> tuple[int, int]:
    """All copies see the same batches; returns how often G-SGD has changed skeleton edges, for both of its copies."""

    @lru_cache(maxsize=1)
    def drawn(n: int) -> tuple[Tensor, Tensor]:
        """Batch of step n, drawn once for the record and for the step."""
        x = torch.from_numpy(rng.standard_normal((batch, teacher.weights[0].shape[1])))
        with torch.no_grad():
            return x, teacher(x)

    # The two copies of each optimiser, in the order of `OPTIMIZERS`.
    networks = [network for name in OPTIMIZERS for network in copies[name]]
    in_paths = [PathSpaceDescent(list(n.weights), n.degree, skeleton) for n in copies["gsgd"]]
    rules: list[Rule] = [*in_paths, *(HeavyBall(list(n.weights), 0.0) for n in copies["sgd"])]
    counts = [len(network.weights) for network in networks]

    def losses(n: int) -> Tensor:
        return torch.stack([batch_loss(network, *drawn(n)) for network in networks])

    descend(
        gradient_of(losses, [W for network in networks for W in network.weights]),
        SideBySide([(rule, count, 1.0) for rule, count in zip(rules, counts, strict=True)]),
        step,
        int(recorded[-1]),
        record=lambda n: log(*drawn(n)) if n in recorded else None,
        stop=None,
        progress=progress,
    )
    one, other = (rule.rebases for rule in in_paths)
    return one, other
