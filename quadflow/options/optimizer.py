"""Options of the optimiser: which one, and its parameters."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from empirical.optimizers import OPTIMIZERS, default_betas, default_momenta
from quadflow import groups
from quadflow.options.click_options import parse_numbers
from quadflow.options.one_of import OneOf
from quadflow.options.struct import option

if TYPE_CHECKING:
    from empirical.optimizers.base import Optimizer, Settings


@dataclass(frozen=True)
class OptimizerOptions:
    """The optimiser, by the names of `empirical.train`."""

    GROUP: ClassVar[str] = groups.OPTIMISER

    optimizer: str = option(
        type=OneOf(OPTIMIZERS), default="sgd", show_default=True, help="Rule of the steps."
    )
    momentum: float | None = option(type=float, help=f"Momentum β [default: {default_momenta(OPTIMIZERS)}].")
    betas: str | None = option(
        metavar="β₁,β₂", help=f"Memories of running means [default: {default_betas(OPTIMIZERS)}]."
    )
    epsilon: float | None = option(
        type=float, help="Added to a denominator: of adam, adamw, rmsprop and muon [default: theirs]."
    )
    damping: float | None = option(
        type=float, help="δ of natural, added to the metric; 0: pseudo-inverse [default: 0.001]."
    )
    decoupled: bool = option(
        is_flag=True,
        help="Weights decay by themselves, θ ← (1 − ηρ)θ, as always with adamw; else by a gradient ρθ.",
    )

    def parameters(self) -> dict[str, Any]:
        """Momentum and the other parameters, None where nothing was said."""
        betas = None if self.betas is None else tuple(parse_numbers("--betas", self.betas))
        return {
            "momentum": self.momentum,
            "betas": betas,
            "epsilon": self.epsilon,
            "damping": self.damping,
            "decoupled": self.decoupled or None,
        }

    @property
    def entry(self) -> Optimizer:
        """The optimiser of the table."""
        from empirical.optimizers import find_optimizer

        return find_optimizer(self.optimizer)

    @property
    def settings(self) -> Settings:
        """Its parameters, as given or by default."""
        return self.entry.choose(**self.parameters())

    def arguments(self) -> dict[str, Any]:
        """All fields as arguments of `empirical.train`."""
        return {f.name: getattr(self, f.name) for f in fields(self)} | self.parameters()
