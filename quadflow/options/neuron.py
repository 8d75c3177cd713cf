"""Options of quadratic neurons: target and initial weights, and what is built of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from dynamics.errors import ProblemError
from quadflow import groups
from quadflow.options.click_options import config_option, parse_numbers, together
from quadflow.options.one_of import OneOf
from quadflow.options.problem import MatrixOptions
from quadflow.options.struct import option, take

if TYPE_CHECKING:
    from dynamics.neuron import Neurons, QuadraticTarget

DEFAULT_INPUTS = 6


@dataclass(frozen=True)
class NeuronTarget:
    """The target."""

    GROUP: ClassVar[str] = groups.PROBLEM

    teacher: str | None = option(
        metavar="SPEC",
        help="Quadratic part M* of the target: eigenvalues, as 4,2,1; power-law:ALPHA:COUNT; FILE.npy, .csv or .npz "
        "[default: a random quadratic function].",
    )


@dataclass(frozen=True)
class NeuronStart:
    """The rest of the target, and the initial weights."""

    GROUP: ClassVar[str] = groups.PROBLEM

    teacher_linear: str | None = option(
        metavar="V", help="Linear part v of the target, as 1,0.5 [default: none]."
    )
    teacher_constant: float | None = option(type=float, metavar="E", help="Constant e of the target.")
    inputs: int | None = option(
        type=int, metavar="D", help="Input dimension d [default: the teacher's, else 6]."
    )
    hidden: int = option(type=int, default=6, show_default=True, help="Quadratic neurons.")
    init: str = option(
        type=OneOf(("relinear", "random")),
        group=groups.START,
        default="relinear",
        show_default=True,
        help="As ordinary neurons, or all at random.",
    )
    init_scale: float = option(
        type=float,
        group=groups.START,
        default=0.7,
        show_default=True,
        help="Size of the initial weights.",
    )
    seed: int = option(
        type=int, group=groups.START, default=0, show_default=True, help="Seed of every random number."
    )


@dataclass(frozen=True)
class NeuronOptions(NeuronStart, MatrixOptions, NeuronTarget):
    """Target and initial weights of quadratic neurons."""


neuron_options = together(take(NeuronOptions, "neuron"), config_option)


def build_target(options: NeuronOptions) -> QuadraticTarget:
    """Target from `--teacher`, `--teacher-linear`, `--teacher-constant`, or a random one."""
    from dynamics.neuron import QuadraticTarget

    inputs = options.inputs
    if not options.teacher:
        for name in ("teacher_linear", "teacher_constant", "rank", "tolerance", "symmetrize"):
            value = getattr(options, name)
            if value is not None and value is not False:  # 0 is a value, although 0 == False
                raise ProblemError(
                    f"`--{name.replace('_', '-')}` needs a `--teacher`: without it all of it is random."
                )
        return QuadraticTarget.random(DEFAULT_INPUTS if inputs is None else inputs, seed=options.seed)
    import numpy as np

    from quadflow.options.reading import matrix_arguments, read_teacher

    M = read_teacher(options.teacher, inputs, 1, **matrix_arguments(options.teacher, options)).matrix()
    v = np.zeros(len(M))
    if options.teacher_linear is not None:
        linear = parse_numbers("--teacher-linear", options.teacher_linear)
        if len(linear) > len(M):
            raise ProblemError(
                f"`--teacher-linear` has {len(linear)} entries, but there are {len(M)} inputs."
            )
        v[: len(linear)] = linear
    return QuadraticTarget(M, v, options.teacher_constant or 0.0)


def build_neurons(options: NeuronOptions, inputs: int) -> Neurons:
    """Initial weights."""
    from dynamics.neuron import Neurons

    return Neurons.initialise(
        options.hidden,
        inputs,
        init=options.init,
        scale=options.init_scale,
        seed=options.seed,
    )
