"""Options of the integration, and of what is integrated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from dynamics.errors import ProblemError
from quadflow import groups
from quadflow.options.click_options import complete_from
from quadflow.options.one_of import OneOf
from quadflow.options.struct import given, option, take


@dataclass(frozen=True)
class SolverOptions:
    """How a flow is integrated."""

    GROUP: ClassVar[str] = groups.SOLVER

    method: str = option(
        metavar="NAME",
        default="auto",
        show_default=True,
        shell_complete=complete_from("dynamics.integration", "METHODS"),
        help="auto, DOP853, Tsit5, DOP853/BDF, Tsit5/BDF, BDF-CG (for late times), a solver of SciPy by name;"
        " Taylor, DOP853-numba, Tsit5-numba (need quadflow[fast]).",
    )
    rtol: float | None = option(
        type=float, help="Relative tolerance per step [default: 1e-12; 1e-9 or less with --sgd]."
    )
    atol: float | None = option(
        type=float, help="Absolute tolerance per step [default: rtol × size of the start]."
    )
    max_evaluations: int | None = option(
        type=int,
        metavar="N",
        help="Give up after N evaluations of the right-hand side [default: never].",
    )

    def arguments(self) -> dict[str, Any]:
        """Arguments of an integration; what was not given is left to its defaults."""
        return given(self)


@dataclass(frozen=True)
class TheoryOptions:
    """Which theory is meant."""

    GROUP: ClassVar[str] = groups.THEORY

    correction: str = option(
        type=OneOf(("none", "modified")),
        default="none",
        show_default=True,
        help="modified: the flow that gradient descent with a finite --step follows to second order.",
    )
    sgd: bool = option(is_flag=True, help="Mean dynamics of SGD on fresh samples instead of a flow.")

    @property
    def name(self) -> str:
        """Which theory is meant: "flow", "modified" or "sgd"."""
        from dynamics.validation import validate_choice

        validate_choice("correction", self.correction, ("none", "modified"))
        modified = self.correction == "modified"
        if self.sgd and modified:
            raise ProblemError(
                "`--sgd` contains the correction for the step: give it without `--correction`."
            )
        return "sgd" if self.sgd else "modified" if modified else "flow"


solver_options = take(SolverOptions, "solver")
theory_options = take(TheoryOptions, "theory")
