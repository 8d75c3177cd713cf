"""A network of one's own that learns a target: the problem, and its reduction to the inputs that matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.covariance import clean_covariance
from dynamics.errors import ProblemError
from dynamics.networks.composition import Composition
from dynamics.networks.directions import Directions, input_slopes, relevant_directions
from dynamics.networks.expression import expression_network
from dynamics.networks.network import Network
from dynamics.networks.nodes import Expectation, Nodes, grid_size
from dynamics.networks.population import NetworkPopulation
from dynamics.networks.reading import read_network
from dynamics.validation import validate_array, validate_real

TEACHER = "teacher"
TEACHER_SCALE = 1.0
GRID = Expectation()


@dataclass(frozen=True, eq=False)
class Target:
    """f*, a network with given parameters.

    Parameters
    ----------
    network : Network
    theta : (P,) array
    spec : str
        The text that describes it.
    """

    network: Network
    theta: Array
    spec: str

    @classmethod
    def of(cls, spec: str, network: Network) -> Target:
        """From a polynomial in x_0, x_1, … such as ``2*x_0**2 - x_1``, or "teacher:SEED", the network with random
        weights, N(0, 1/fan).

        Raises
        ------
        ProblemError
            If it is neither, or has other names or other inputs and outputs than the network.
        """
        name, _, seed = spec.strip().partition(":")
        if name == TEACHER:
            number = seed or "0"
            if not (number.isascii() and number.isdecimal() and len(number) < 18):
                raise ProblemError(f"`--target` is {spec!r}, but must be teacher:SEED, SEED a whole number.")
            return cls(network, network.initialise(TEACHER_SCALE, int(number)), spec)
        target = (
            expression_network(spec, network.inputs, "--target") if _names_inputs(spec) else _constant(spec)
        )
        if target.parameters:
            further = f" to x_{network.inputs - 1}" if network.inputs > 1 else ""
            raise ProblemError(
                f"`--target` is {spec!r}, but must depend on inputs alone: {target.parameters[0].name} is none of x_0"
                f"{further}."
            )
        if target.outputs != network.outputs:
            raise ProblemError(
                f"`--target` has {target.outputs} outputs, but the network has {network.outputs}: separate them by ';'."
            )
        return cls(target, np.zeros(0), spec)

    def __call__(self, X: Array) -> Array:
        """Values (n, O) at inputs (n, d)."""
        return self.network(self.theta, X)


def _names_inputs(spec: str) -> bool:
    return "x_" in spec


def _constant(spec: str) -> Network:
    raise ProblemError(
        f"`--target` is {spec!r}, but must be a polynomial in x_0, x_1, …, or teacher:SEED, the network with random"
        " weights."
    )


@dataclass(frozen=True, eq=False)
class NetworkProblem:
    """A network that learns a target over x ~ N(0, Σ) under L = ½ E‖f − f*‖² + ½ρ‖θ‖².

    Parameters
    ----------
    network : Network, Composition or str
        Or the text that `dynamics.networks.read_network` reads.
    target : Target or str
        Or the text that `Target.of` reads.
    theta0 : (P,) array or mapping of name to array, optional
        Initial parameters; by default those that `Network.initialise` draws.
    weight_decay : float
        ρ of all parameters.
    covariance : (d, d) array, optional
        Σ; None is the identity.
    expectation : Expectation or str
        "grid", exact, or "samples:N".
    init_scale, seed
        Of the initial parameters where none are given, and of draws.

    Raises
    ------
    ProblemError
        If they do not fit together.

    Examples
    --------
    >>> problem = NetworkProblem("a*(w*x_0)**2", "x_0**2", init_scale=0.5)
    >>> float(round(problem.population.loss(problem.reduced(problem.theta0)), 3))
    1.5
    """

    network: Network
    target: Target
    theta0: Array = None  # type: ignore[assignment]
    weight_decay: float = 0.0
    covariance: Array | None = None
    expectation: Expectation = GRID
    init_scale: float = 0.1
    seed: int = 0

    if TYPE_CHECKING:  # the constructor takes texts and anything like an array

        def __init__(
            self,
            network: Network | Composition | str,
            target: Target | str,
            theta0: ArrayLike | Mapping[str, ArrayLike] | None = None,
            weight_decay: float = 0.0,
            covariance: ArrayLike | None = None,
            expectation: Expectation | str = "grid",
            init_scale: float = 0.1,
            seed: int = 0,
        ) -> None: ...

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "network", _network(self.network, self.target))
        network = self.network
        if not network.parameters:
            raise ProblemError(
                f"`network` is {network.spec!r}, but must have parameters: names other than x_0, x_1, … in it."
            )
        if not isinstance(self.target, Target):
            set_(self, "target", Target.of(self.target, network))
        if self.target.network.inputs != network.inputs or self.target.network.outputs != network.outputs:
            raise ProblemError(
                f"The target has {self.target.network.inputs} inputs and {self.target.network.outputs} outputs, but the"
                f" network has {network.inputs} and {network.outputs}."
            )
        set_(self, "theta0", _start(network, self.theta0, self.init_scale, self.seed))
        set_(self, "weight_decay", validate_real("weight_decay", self.weight_decay, nonnegative=True))
        if not isinstance(self.expectation, Expectation):
            set_(self, "expectation", Expectation.parse(self.expectation, self.seed))
        if self.covariance is not None:
            set_(self, "covariance", clean_covariance(self.covariance, network.inputs)[0])

    @cached_property
    def directions(self) -> Directions:
        """The inputs that matter."""
        if self.target.network.input_shape == self.network.input_shape:
            rows = input_slopes(self.target.network, self.target.theta)
        else:  # an expression in the inputs of a sequence, one token after the other
            rows = input_slopes(self.target.network, self.target.theta).reshape(
                -1, self.network.input_shape[-1]
            )
        return relevant_directions(self.network, self.theta0, rows, self.covariance is None)

    @property
    def restricted(self) -> bool:
        """Whether the parameters are written in fewer inputs."""
        return self.directions.kept and self.directions.basis is not None

    @cached_property
    def small(self) -> Network:
        """The network on the inputs that matter."""
        basis = self.directions.basis
        if not self.restricted or basis is None or self.network.program.readings is None:
            return self.network
        r, shapes = basis.shape[1], [list(p.shape) for p in self.network.parameters]
        for reading in self.network.program.readings:
            shapes[reading.parameter][reading.axis] = r
        parameters = tuple(
            replace(p, shape=tuple(shape)) for p, shape in zip(self.network.parameters, shapes, strict=True)
        )
        return replace(self.network, parameters=parameters, input_shape=(*self.network.input_shape[:-1], r))

    def reduced(self, theta: Array) -> Array:
        """Parameters (…, p) on the inputs that matter, of parameters (…, P) or (…, p)."""
        return self._turned(theta, self.network, self.small, transpose=False)

    def lifted(self, theta: Array) -> Array:
        """Parameters (…, P) of those (…, p) on the inputs that matter, or of all."""
        return self._turned(theta, self.small, self.network, transpose=True)

    def _turned(self, theta: Array, one: Network, other: Network, transpose: bool) -> Array:
        basis, readings = self.directions.basis, self.network.program.readings
        if one is other or basis is None or readings is None or theta.shape[-1] == other.size:
            return np.asarray(theta)
        matrix = basis.T if transpose else basis
        arrays = one.unpack(theta)
        for r in readings:
            lead = theta.ndim - 1
            turned = np.moveaxis(arrays[r.parameter], lead + r.axis, -1) @ matrix
            arrays[r.parameter] = np.moveaxis(turned, -1, lead + r.axis)
        return np.concatenate([a.reshape(*theta.shape[:-1], -1) for a in arrays], axis=-1)

    @property
    def degree(self) -> int:
        """The larger of the degrees of network and target in the inputs."""
        return max(self.network.degree, self.target.network.degree)

    @property
    def free_directions(self) -> int:
        """Number r of directions that the grid has, over all tokens."""
        basis, shape = self.directions.basis, self.network.input_shape
        last = shape[-1] if basis is None else basis.shape[1]
        return int(np.prod([*shape[:-1], last]))

    @property
    def even(self) -> bool:
        """Whether (f − f*)² is an even function: network and target are both even, or both odd."""
        ours, theirs = self.network.program.parity, self.target.network.program.parity
        return ours is not None and ours == theirs

    @property
    def cost(self) -> int:
        """Number of nodes at which the network is evaluated for a gradient."""
        if self.expectation.samples:
            return self.expectation.samples
        count = grid_size(self.degree, self.free_directions)
        return count - count // 2 if self.even else count

    @property
    def means(self) -> str:
        """How means over the inputs are taken, in words."""
        if self.expectation.samples:
            return f"means over {self.cost:,} draws, not exact"
        return f"degree {self.degree}: {self.cost:,} node{'' if self.cost == 1 else 's'}"

    def described(self) -> str:
        """Inputs that matter, and the cost of a gradient, in words."""
        return f"{self.directions.words}; {self.means}"

    @cached_property
    def nodes(self) -> Nodes:
        """Nodes along the directions that matter, standard Gaussian ones."""
        return self.expectation.nodes(self.degree, self.free_directions, self.even)

    @cached_property
    def population(self) -> NetworkPopulation:
        """The population loss of the parameters on the inputs that matter, weight decay included in its objective.

        Raises
        ------
        ProblemError
            If the grid would be too large.
        """
        nodes, basis = self.nodes, self.directions.basis
        Z = nodes.Z
        if basis is None:
            X = Z if self.covariance is None else Z @ root_of(self.covariance)
        else:
            X = (Z.reshape(len(Z), *self.network.input_shape[:-1], -1) @ basis.T).reshape(len(Z), -1)
        own = Z if self.restricted else X
        return NetworkPopulation(
            self.small, own, self.target(X), nodes.weights, self.weight_decay, nodes.groups
        )

    def measured(self, theta: Array) -> float:
        """Population loss of any parameters (P,), on the inputs that matter to them."""
        if not self.restricted:
            return self.population.loss(theta)
        there = replace(self, theta0=theta)
        return there.population.loss(there.reduced(theta))

    def on(self, X: Array, y: Array | None = None) -> NetworkPopulation:
        """The loss on samples (n, d) with labels (n, O), by default those of the target, of all parameters."""
        labels = self.target(X) if y is None else y
        return NetworkPopulation(self.network, X, labels, np.full(len(X), 1 / len(X)), self.weight_decay)


def root_of(Sigma: Array) -> Array:
    """The symmetric root of a covariance."""
    h, Q = np.linalg.eigh(Sigma)
    return (Q * np.sqrt(np.maximum(h, 0))) @ Q.T


def _network(given: Network | Composition | str, target: Target | str) -> Network:
    """A network; of two expressions with different inputs, one with all of them."""
    if isinstance(given, Composition):
        return given.network()
    if not isinstance(given, str):
        return given
    network = read_network(given)
    if network.expressions is not None and isinstance(target, str) and _names_inputs(target):
        theirs = expression_network(target, option="--target").inputs
        if theirs > network.inputs:
            return read_network(given, theirs)
    return network


def _start(network: Network, theta0: object, scale: float, seed: int) -> Array:
    """Initial parameters (P,)."""
    if theta0 is None:
        return network.initialise(scale, seed)
    if isinstance(theta0, Mapping):
        return network.from_arrays(theta0)
    return network.checked(validate_array("theta0", theta0, 1))  # type: ignore[arg-type]
