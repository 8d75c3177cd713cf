"""Options of the problem: teacher, student, inputs and initial weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from quadflow import groups
from quadflow.options.click_options import complete_files, complete_from, config_option, together
from quadflow.options.data import DataOptions
from quadflow.options.loss import LossOptions
from quadflow.options.one_of import OneOf
from quadflow.options.struct import option, take


@dataclass(frozen=True)
class MatrixOptions:
    """How a matrix in a file is read."""

    GROUP: ClassVar[str] = groups.PROBLEM

    rank: int | None = option(
        type=int, metavar="R", help="Keep R eigenvalues of a teacher matrix [default: by tolerance]."
    )
    tolerance: float | None = option(
        type=float,
        metavar="X",
        help="Eigenvalues of a matrix below X times its largest count as 0 "
        "[default: what the digits of the file can hide].",
    )
    symmetrize: bool = option(is_flag=True, help="Take (M + Mᵀ)/2 of a matrix that is not symmetric.")


@dataclass(frozen=True)
class TeacherOptions:
    """Teacher, sizes, activation, second layer and inputs."""

    GROUP: ClassVar[str] = groups.PROBLEM

    teacher: str | None = option(
        metavar="SPEC",
        shell_complete=complete_files,
        help="Eigenvalues of M*, as 4,2,1 (not quadratic: f* = Σ λ_m φ(x_m)); power-law:ALPHA:COUNT; "
        "FILE.npy or .csv with a symmetric matrix; "
        "FILE.npz with a teacher network V (R, d), b (R,).",
    )
    inputs: int | None = option(
        type=int, metavar="D", help="Input dimension d [default: that of teacher or data]."
    )
    hidden: int | None = option(type=int, metavar="K", help="Hidden units [default: as many as inputs].")
    outputs: int | None = option(
        type=int, metavar="O", help="Outputs [default: those of teacher or data, else 1]."
    )
    activation: str = option(
        metavar="SPEC",
        default="quadratic",
        show_default=True,
        shell_complete=complete_from("dynamics.activations", "ACTIVATIONS"),
        help="quadratic, centred, linear, relu, abs, relu2, leaky-relu:SLOPE, erf, tanh, sigmoid, softplus, silu, "
        "gelu, elu, hermite:K or polynomial:c0,c1,…",
    )
    teacher_activation: str | None = option(
        metavar="SPEC",
        shell_complete=complete_from("dynamics.activations", "ACTIVATIONS"),
        help="Activation of the teacher [default: that of the student].",
    )
    second_layer: str = option(
        type=OneOf(("trainable", "fixed")),
        default="trainable",
        show_default=True,
        help="Trained with the first, or fixed at one value.",
    )
    second_layer_value: float = option(type=float, default=1.0, show_default=True, help="a_k if it is fixed.")
    covariance: str | None = option(
        metavar="FILE.npy",
        shell_complete=complete_files,
        help="Input covariance Σ, which may be singular [default: identity].",
    )
    distribution: str = option(
        default="gaussian",
        show_default=True,
        metavar="SPEC",
        shell_complete=complete_from("dynamics.inputs.laws", "LAWS"),
        help="Law of the inputs, of unit covariance before --covariance: gaussian, sphere, uniform, rademacher, "
        "student-t:NU, independent:KAPPA (three-point coordinates of this excess kurtosis), or "
        "mixture:FILE.npz with weights (C,), means (C, d), covariances (C, d, d), which are taken as they are.",
    )
    weight_decay: str = option(
        default="0",
        show_default=True,
        metavar="ρ[,ρ_a]",
        help="L2 penalty ½ρ_w‖W‖² + ½ρ_a‖a‖²: one rate for all that is trained, or ρ_w,ρ_a.",
    )
    constraint: str = option(
        type=OneOf(("none", "sphere")),
        default="none",
        show_default=True,
        help="sphere: every unit is kept at ‖w_k‖ = 1, put back after each step; the second layer then is fixed.",
    )


@dataclass(frozen=True)
class NetworkOptions(MatrixOptions, DataOptions, LossOptions, TeacherOptions):
    """A problem without its initial weights."""


@dataclass(frozen=True)
class StartOptions:
    """Initial weights."""

    GROUP: ClassVar[str] = groups.START

    init_scale: float = option(
        type=float, default=0.1, show_default=True, help="Size ε of the initial weights."
    )
    init: str = option(
        type=OneOf(("gaussian", "balanced", "aligned")),
        default="gaussian",
        show_default=True,
        help="gaussian (w ~ N(0, ε²/d), a ~ N(0, ε²)), balanced (same w, a_k = ±‖w_k‖/√h, "
        "h the degree of the activation) "
        "or aligned (w_k = ε e_k, a_k = ε).",
    )
    init_file: str | None = option(
        metavar="FILE",
        shell_complete=complete_files,
        help="Initial weights: .npz with W (K, d), a (K,), or a PyTorch .pt or .safetensors; W alone with "
        "--second-layer fixed.",
    )
    init_tensors: str | None = option(
        metavar="W_NAME[,A_NAME]",
        help="Names of W and of the second layer in --init-file [default: found by name or shape].",
    )
    init_order: str | None = option(
        metavar="FILE.npz",
        shell_complete=complete_files,
        help="Order parameters Q (K, K), R (K, M) instead of weights, and a (K,) of a trained second layer; without "
        "--teacher also P (M, M), b (M,).",
    )
    init_form: str | None = option(
        metavar="FILE.npy",
        shell_complete=complete_files,
        help="Matrix Σ a w wᵀ (.npy, .csv) instead of weights, with --second-layer fixed.",
    )
    mean_field: bool = option(
        is_flag=True,
        help="Limit of infinitely many units, f = (1/K) Σ a φ(w·x), w ~ N(0, ε²/d); time over K.",
    )
    seed: int = option(type=int, default=0, show_default=True, help="Seed of every random number.")


@dataclass(frozen=True)
class ProblemOptions(StartOptions, NetworkOptions):
    """A whole problem; `quadflow.options.reading.build_problem` builds it."""


network_options = together(take(NetworkOptions, "network"), config_option)
problem_options = together(take(ProblemOptions, "problem"), config_option)
