"""G-SGD: gradient descent on the path values of a network instead of its weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, overload

import torch
from torch import Tensor, nn

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.path_space import Skeleton, path_values
from dynamics.validation import validate_choice, validate_count, validate_real
from empirical.path_descent import choose_skeleton, step_in_paths
from empirical.path_layers import layers_of_matrices, layers_of_module

ON_CROSSING = ("rebase", "stop")
NEAR_ZERO = (
    0.5  # of a unit's strongest skeleton path value; not 1, so that near ties do not change all the time
)
EDGES = ("into", "out", "via")  # of a skeleton, as its state names them


class GSGD(torch.optim.Optimizer):
    """Stochastic gradient descent in path space, for networks with a homogeneous activation.

    Multiplying the weights into a hidden unit by c > 0 and dividing those out of it by c^h changes neither the
    function nor, up to rounding, anything that this optimiser does to the function: it descends along the values of
    basis paths, which the rescaling leaves alone. Plain SGD follows another curve for each such copy.

    Parameters
    ----------
    params : nn.Sequential or iterable of Tensor
        A network of dense layers and convolutions, with or without biases, and of what `empirical.path_layers.READERS`
        names between them. Or weight matrices ([S,] n_l, n_{l−1}) from the first layer to the last; with an axis S an
        ensemble shares one skeleton.
    lr : float
        Learning rate η of the path values. Steps of the weights are η over the square of what the skeleton chains
        multiply them by, which is small where weights are: a good η is smaller than that of SGD by as much.
    degree : int
        Degree of homogeneity h of the activation: 1 for ReLU, leaky ReLU, |z| and linear networks, 2 for z².
    skeleton : Skeleton or {"strongest", "diagonal"}
        Edges through which every hidden unit is measured (see `dynamics.path_space.Skeleton`). "strongest" keeps
        skeleton path values as far from zero as the initial weights allow, "diagonal" is the choice of Meng et al.
    free_layer : int
        Layer 1 … L whose skeleton weights take up the change of skeleton path values; the others are kept as they
        are. It decides how the weights are scaled, never what the network computes.
    on_crossing : {"rebase", "stop"}
        What happens where a skeleton path value would pass zero: its unit is measured through other edges (see
        `dynamics.path_space.rebasing`), or `SkeletonCrossing` is raised.
    rebase_below : float, optional
        A unit also changes its edges where its |skeleton path value| falls below this share of the largest that it can
        have, 0 ≤ share < 1. Default: ½ with "strongest", so that no step is divided by something near zero; 0 with a
        skeleton of your choice, which is kept as long as it can be.

    Attributes
    ----------
    counts : dict
        "rebases": how often a unit has changed its skeleton edges.

    Raises
    ------
    ProblemError
        If the parameters are no layers that follow each other, or a gradient does not respect the rescaling (weight
        decay in the loss, an activation of another degree).
    SkeletonCrossing
        By `step`, if a skeleton path value would pass zero, and with "rebase" would do so whatever edges its unit took;
        it carries step and unit, and no weight has changed.

    Examples
    --------
    >>> import torch
    >>> network = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    >>> optimizer = GSGD(network, lr=1e-3)
    >>> _ = network(torch.ones(1, 3)).square().sum().backward()
    >>> optimizer.step()
    >>> optimizer.counts
    {'rebases': 0}

    Notes
    -----
    Meng et al., *G-SGD: Optimizing ReLU neural networks in its positively scale-invariant space* (ICLR 2019), for
    equally wide hidden layers without biases; the formulas used here hold for any widths, depth and degree, for
    channels and for biases, and are those of `dynamics.path_space.path_step`.
    """

    def __init__(
        self,
        params: nn.Module | Iterable[Tensor],
        lr: float,
        *,
        degree: int = 1,
        skeleton: Skeleton | str = "strongest",
        free_layer: int = 1,
        on_crossing: str = "rebase",
        rebase_below: float | None = None,
    ) -> None:
        degree = validate_count("degree", degree)
        if isinstance(params, nn.Module):
            if degree != 1:
                raise ProblemError(
                    f"`degree` is {degree}, but that of modules is 1: give the weights of others."
                )
            layers = layers_of_module(params)
        else:
            layers = layers_of_matrices(list(params))
        validate_count("free_layer", free_layer)
        if free_layer > len(layers):
            raise ProblemError(f"`free_layer` is {free_layer}, but the network has {len(layers)} layers.")
        self._layers = layers
        self._skeleton = choose_skeleton(skeleton, layers, degree)
        defaults = {
            "lr": validate_real("lr", lr, positive=True),
            "degree": degree,
            "free_layer": free_layer,
            "on_crossing": validate_choice("on_crossing", on_crossing, ON_CROSSING),
            "rebase_below": _share(rebase_below, skeleton, on_crossing),
            "steps_done": 0,
            "rebases": 0,
        }
        super().__init__([p for layer in layers for p in layer.parameters], defaults)

    @property
    def skeleton(self) -> Skeleton:
        """The skeleton in use."""
        return self._skeleton

    @property
    def counts(self) -> dict[str, int]:
        """How often a unit has changed its skeleton edges."""
        return {"rebases": self.param_groups[0]["rebases"]}

    def path_values(self, skeleton: Skeleton | None = None) -> Array:
        """Values ([S,] m − H) of the basis paths of a skeleton; default: the one in use."""
        weights = [W.cpu().numpy() for W in self._matrices()]
        return path_values(weights, skeleton or self._skeleton, self.param_groups[0]["degree"])

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Refuse a second group: a network's layers belong together."""
        if self.param_groups:
            raise ProblemError("G-SGD takes all layers of one network in one parameter group.")
        super().add_param_group(param_group)

    def state_dict(self) -> dict[str, Any]:
        """Learning rate, counts and skeleton, as lists and numbers only, which load with weights_only=True."""
        named = {name: [ends.tolist() for ends in getattr(self._skeleton, name)] for name in EDGES}
        return super().state_dict() | {"skeleton": named}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore learning rate, counts and skeleton.

        Raises
        ------
        ProblemError
            If the state names no skeleton of this network.
        """
        if "skeleton" not in state_dict:
            raise ProblemError(
                "The state names no skeleton: it is that of another optimiser, or of an older G-SGD."
            )
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "skeleton"})
        wiring = self._skeleton.wiring
        self._skeleton = Skeleton(wiring.widths, wiring=wiring, **state_dict["skeleton"])

    def _matrices(self, of: Callable[[Tensor], Tensor] = Tensor.detach) -> list[Tensor]:
        return [layer.matrix(of) for layer in self._layers]

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One step v ← v − η ∂L/∂v; returns what the closure returns."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        group = self.param_groups[0]
        with_gradient = sum(p.grad is not None for p in group["params"])
        if with_gradient < len(group["params"]):
            raise ProblemError(
                f"Only {with_gradient} of {len(group['params'])} weights have a gradient: call backward() first."
            )
        done = step_in_paths(
            self._layers,
            self._matrices(_gradient),
            self._skeleton,
            group["lr"],
            degree=group["degree"],
            free_layer=group["free_layer"],
            number=group["steps_done"],
            rebase=group["on_crossing"] == "rebase",
            below=group["rebase_below"],
        )
        self._skeleton = done.skeleton
        group["rebases"] += done.changes
        group["steps_done"] += 1
        return loss


def _gradient(p: Tensor) -> Tensor:
    assert p.grad is not None  # which `step` has made sure of
    return p.grad


def _share(given: float | None, skeleton: Skeleton | str, on_crossing: str) -> float:
    """`rebase_below`, or its default."""
    if on_crossing == "stop" and given:
        raise ProblemError(f"`rebase_below` is {given}, but `on_crossing` is 'stop': leave one of them out.")
    if given is None:
        return NEAR_ZERO if skeleton == "strongest" and on_crossing != "stop" else 0.0
    share = validate_real("rebase_below", given, nonnegative=True)
    if share >= 1:
        raise ProblemError(
            f"`rebase_below` is {share:g}, but must be below 1: no unit can be stronger than that."
        )
    return share
