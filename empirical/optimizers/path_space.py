"""G-SGD as an optimiser of the table; what it does is in `empirical.gsgd`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dynamics.errors import ProblemError
from empirical.optimizers.base import Optimizer, Settings

if TYPE_CHECKING:
    from torch import Tensor

    from dynamics.path_space import Skeleton
    from dynamics.problem import Problem


class PathSpaceDescent:
    """The rule of G-SGD: v ← v − η ∂L/∂v on path values, in one basis for as long as no step crosses zero.

    Parameters
    ----------
    parameters : sequence of tensors
        All layers, from the first to the last.
    degree : int
        Degree of homogeneity of the activation.
    skeleton : Skeleton or str
        See `empirical.gsgd.GSGD`.
    """

    def __init__(
        self, parameters: Sequence[Tensor], degree: int, skeleton: Skeleton | str = "strongest"
    ) -> None:
        from empirical.path_descent import choose_skeleton
        from empirical.path_layers import layers_of_matrices

        self.layers, self.degree = layers_of_matrices(list(parameters)), degree
        self.skeleton = choose_skeleton(skeleton, self.layers, degree)
        self.steps_done = self.rebases = 0

    def __call__(self, gradients: Sequence[Tensor], step: float | Tensor) -> None:
        """One step; one η for all networks."""
        from empirical.path_descent import step_in_paths

        done = step_in_paths(
            self.layers, gradients, self.skeleton, float(step), degree=self.degree, number=self.steps_done
        )
        self.skeleton = done.skeleton
        self.rebases += done.changes
        self.steps_done += 1


def counts(rule: PathSpaceDescent) -> dict[str, int]:
    """How often a unit has changed its skeleton edges; see `empirical.gsgd.GSGD`."""
    return {"rebases": rule.rebases}


def start(parameters: Sequence[Tensor], settings: Settings, problem: Problem) -> PathSpaceDescent:
    """Begin a descent in path space, with the strongest skeleton of the initial weights.

    Raises
    ------
    ProblemError
        If a layer is not trained, or the activation is not homogeneous.
    """
    if len(parameters) < 2:
        raise ProblemError("The second layer is fixed, but `optimizer` gsgd mixes both layers: train both.")
    degree = problem.activation.degree
    if degree is None:
        raise ProblemError(
            f"`activation` is {problem.activation.name!r}, but `optimizer` gsgd descends in path space, which needs a"
            " homogeneous one, such as quadratic, linear or relu."
        )
    return PathSpaceDescent(parameters, degree)


GSGD = Optimizer(
    "gsgd",
    start,
    two_layers=True,
    momentum=None,
    takes_bias=False,
    decays=False,
    theories=("path",),
    nature="descends in path space, where PathFlow follows it",
    survives="none that depends on how the weights of a unit are scaled, such as c_k",
    counts=counts,
    shared="a skeleton",
)
