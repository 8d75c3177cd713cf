"""`--network`, a network of one's own in place of the two-layer one, for the commands that take it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from typing import Any, ClassVar

import click

from dynamics.errors import ProblemError
from quadflow import groups
from quadflow.options.ignored import given
from quadflow.options.struct import Decorator, declare, option

GENERAL = ("network", "expectation", "output", "as_json", "config")
PROBLEM = ("target", "inputs", "weight_decay", "covariance", "init_scale", "init_file", "seed")


@dataclass(frozen=True)
class OwnNetworkOptions:
    """Which network, and how means over its inputs are taken."""

    GROUP: ClassVar[str] = groups.PROBLEM

    own_network: str | None = option(
        "--network",
        metavar="EXPR",
        help="A polynomial network of your own instead, learning --target (a polynomial in x_0, x_1, …, or "
        "teacher:SEED): an expression such as a*(w*x_0)**2, pieces such as 'linear:3,4 >> square >> linear:4,1', or "
        "deep-linear:D,H1,…,O, deep-quadratic:D,K1,…,O, bilinear:D,K,O, attention:T,D,H.",
    )
    expectation: str = option(
        default="grid",
        show_default=True,
        metavar="SPEC",
        help="Means over the inputs of a --network: on a grid, exactly, or over samples:N, with error bars.",
    )


network_declarations = declare(OwnNetworkOptions)


def takes_networks(name: str) -> Decorator:
    """Give a command `--network`; a call with it goes to the module of this name in `quadflow.own_networks`."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def chosen(**values: Any) -> Any:
            own = OwnNetworkOptions(values.pop("own_network"), values.pop("expectation"))
            if own.own_network is None:
                if given(["expectation"]):
                    raise ProblemError("`--expectation` belongs to `--network`: give that as well.")
                return function(**values)
            verb = import_module(f"quadflow.own_networks.{name}")
            refuse_others(verb.HONOURS)
            return verb.run(own, **values)

        return network_declarations(chosen)

    return decorate


def refuse_others(honoured: tuple[str, ...]) -> None:
    """Refuse options that were given and mean nothing to a network of one's own."""
    context = click.get_current_context()
    known = {"own_network", *GENERAL, *honoured}
    names = {str(p.name): p for p in context.command.params if p.name is not None and p.name not in known}
    for name in given(names):
        raise ProblemError(
            f"`{names[name].opts[0]}` is an option of two-layer networks, but `--network` is given: leave one of both"
            " out."
        )
