"""From the options of a problem to a network of one's own, and what every result says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynamics.errors import ProblemError

if TYPE_CHECKING:
    from dynamics.networks import Network, NetworkProblem
    from quadflow.options.own_network import OwnNetworkOptions
    from quadflow.options.problem import NetworkOptions


def build_network_problem(
    own: OwnNetworkOptions,
    options: NetworkOptions,
    scale: float = 0.1,
    start: str | None = None,
    seed: int = 0,
) -> NetworkProblem:
    """The problem that the options describe; `start` is a file of initial parameters by their names.

    Raises
    ------
    ProblemError
        If it is none.
    """
    from dynamics.networks import NetworkProblem
    from quadflow.options.reading import named_by_file, read_decay, read_matrix

    if not options.target:
        raise ProblemError(
            "`--target` is missing: give a polynomial such as x_0**2, or teacher:SEED, the network with random weights."
        )
    network = build_network(own, options)
    decay = read_decay(options.weight_decay)
    if isinstance(decay, list):
        raise ProblemError(
            f"`--weight-decay` is {options.weight_decay}, but a network of one's own has one rate for all parameters."
        )
    Sigma = None if options.covariance is None else read_matrix("--covariance", options.covariance)
    with named_by_file("covariance", "--covariance", options.covariance):
        return NetworkProblem(
            network,
            options.target,
            None if start is None else read_start(network.parameters, start),
            decay,
            Sigma,
            own.expectation,
            scale,
            seed,
        )


def build_network(own: OwnNetworkOptions, options: NetworkOptions) -> Network:
    """The network alone; one of an expression gets the inputs of the target too.

    Raises
    ------
    ProblemError
        If it is none, or has other inputs than `--inputs`.
    """
    from dynamics.networks import read_network
    from dynamics.networks.expression import expression_network

    assert own.own_network is not None
    network = read_network(own.own_network, options.inputs, "--inputs")
    if options.inputs is None and network.expressions is not None and "x_" in (options.target or ""):
        theirs = expression_network(str(options.target), option="--target").inputs
        return read_network(own.own_network, max(network.inputs, theirs))
    return network


def read_start(parameters: Any, path: str) -> dict[str, Any]:
    """Initial parameters by name from an .npz file."""
    from quadflow.options.reading import read_arrays

    return read_arrays("--init-file", path, tuple(p.name for p in parameters))


def network_json(problem: NetworkProblem) -> dict[str, Any]:
    """Network and target for readers of a result."""
    network = problem.network
    return {
        "network": network.spec,
        "target": problem.target.spec,
        "inputs": network.inputs,
        "outputs": network.outputs,
        "parameters": {p.name: list(p.shape) for p in network.parameters},
        "degree": network.degree,
        "order": network.order,
        "expectation": str(problem.expectation),
        "directions": problem.free_directions,
        "nodes": problem.cost,
        "covariance": "identity" if problem.covariance is None else "given",
        "weight_decay": [problem.weight_decay, problem.weight_decay],
    }
