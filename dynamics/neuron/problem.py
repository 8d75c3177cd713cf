"""Quadratic neurons, the quadratic function they are to learn, and how fast each group of weights learns.

With x̃ = (x, 1) a quadratic neuron is, before any outer activation,

    q(x) = (w^r·x + b^r)(w^g·x + b^g) + w^b·(x ⊙ x) + c = (r·x̃)(g·x̃) + b·(x̃ ⊙ x̃),

where r = (w^r, b^r), g = (w^g, b^g), b = (w^b, c): three vectors of length d + 1 per unit. ReLinear starts at
g = (0, …, 0, 1), b = 0, an ordinary neuron, and lets g and b learn more slowly than r, or shrinks them towards that
start (Fan et al., *On Expressivity and Trainability of Quadratic Networks*; a reconstruction).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.errors import ProblemError
from dynamics.validation import (
    validate_array,
    validate_choice,
    validate_count,
    validate_real,
    validate_symmetric,
)
from dynamics.words import counted

INITS = ("relinear", "random")
SCALE = 0.7  # of initial weights; large enough for the differences between learning rates to show
SIZES = (1e-50, 1e50)  # of scales and rates: products of four such numbers neither overflow nor vanish
DEVIATION = 2.0  # standard deviation of the labels of a random target


@dataclass(frozen=True, eq=False)
class QuadraticTarget:
    """The function f*(x) = xᵀM*x + v·x + e under inputs x ~ N(0, I).

    Parameters
    ----------
    M : (d, d) array
        Symmetric, indefinite allowed.
    v : (d,) array
        Linear part.
    e : float
        Constant part.

    Raises
    ------
    ProblemError
        If the shapes do not fit or an entry is not finite.
    """

    M: Array
    v: Array
    e: float = 0.0

    def __post_init__(self) -> None:
        M = validate_symmetric("M", self.M)
        v = validate_array("v", self.v, 1)
        if len(v) != len(M):
            raise ProblemError(f"`v` has length {len(v)}, but `M` has shape {M.shape}.")
        object.__setattr__(self, "M", M)
        object.__setattr__(self, "v", v)
        object.__setattr__(self, "e", validate_real("e", self.e))

    @classmethod
    def random(cls, inputs: int, *, deviation: float = DEVIATION, seed: int = 0) -> QuadraticTarget:
        """Random target: Gaussian coefficients, mean 0 and standard deviation `deviation` over the inputs.

        The entries of M* and v have variances in the ratio 1 : d before M* is symmetrised, so that neither part
        vanishes in many dimensions.
        """
        d = validate_count("inputs", inputs)
        size = validate_real("deviation", deviation, positive=True)
        check_memory(f"A random quadratic function of {d} inputs", 32 * d**2, "lower `inputs`")
        # a stream of its own: the target must not repeat the numbers that made initial weights
        rng = np.random.default_rng([validate_count("seed", seed, minimum=0), 2])
        M, v = rng.standard_normal((d, d)) / d, rng.standard_normal(d) / np.sqrt(d)
        M = (M + M.T) / 2
        factor = size / np.sqrt(2 * np.sum(M**2) + np.sum(v**2))  # Isserlis' theorem
        return cls(factor * M, factor * v, -factor * float(np.trace(M)))

    @property
    def inputs(self) -> int:
        """Input dimension d."""
        return len(self.M)

    @cached_property
    def homogeneous(self) -> Array:
        """Symmetric T with f*(x) = x̃ᵀTx̃, (d + 1, d + 1)."""
        half = self.v[:, None] / 2
        return np.block([[self.M, half], [half.T, np.array([[self.e]])]])

    @property
    def best_affine_loss(self) -> float:
        """Smallest loss ½E(f* − f)² of an affine f: ‖M*‖²_F.

        The best one is v·x + e + tr M*, and the variance of xᵀM*x is 2‖M*‖² (Isserlis' theorem).
        """
        return float(np.sum(self.M**2))

    def __repr__(self) -> str:
        return f"<QuadraticTarget: {counted(self.inputs, 'input')}, best affine loss {self.best_affine_loss:.6g}>"


@dataclass(frozen=True, eq=False)
class Neurons:
    """Weights of the network f(x) = Σ_k a_k q_k(x) of K quadratic neurons.

    Parameters
    ----------
    R, G, B : (K, d + 1) array
        Rows (w^r, b^r), (w^g, b^g) and (w^b, c) of the units.
    a : (K,) array
        Output weights.

    Raises
    ------
    ProblemError
        If the shapes do not fit or an entry is not finite.
    """

    R: Array
    G: Array
    B: Array
    a: Array

    def __post_init__(self) -> None:
        for name, ndim in (("R", 2), ("G", 2), ("B", 2), ("a", 1)):
            object.__setattr__(self, name, validate_array(name, getattr(self, name), ndim))
        for name in ("G", "B"):
            if getattr(self, name).shape != self.R.shape:
                raise ProblemError(
                    f"`{name}` has shape {getattr(self, name).shape}, but `R` has {self.R.shape}."
                )
        if self.R.shape[0] != len(self.a) or self.R.shape[0] == 0 or self.R.shape[1] < 2:
            raise ProblemError(
                f"`R` has shape {self.R.shape} and `a` {self.a.shape}, but must have shapes (K, d + 1) and (K,)."
            )

    @classmethod
    def initialise(
        cls,
        hidden: int,
        inputs: int,
        *,
        init: str = "relinear",
        scale: float = SCALE,
        seed: int = 0,
    ) -> Neurons:
        """Random initial weights.

        Parameters
        ----------
        hidden, inputs : int
            K and d.
        init : {"relinear", "random"}
            With "relinear" rows of G are (0, …, 0, 1) and B = 0: ordinary neurons. With "random" both are drawn like R.
        scale : float
            ε: entries of R (and G, B) are N(0, ε²/d). Those of a are N(0, 1/K).
        seed : int
            Both kinds of start draw the same R and a from one seed.
        """
        K, d = validate_count("hidden", hidden), validate_count("inputs", inputs)
        size = validate_real("scale", scale, positive=True, size=SIZES) / np.sqrt(d)
        check_memory(
            f"Weights of {K} quadratic neurons with {d} inputs",
            96 * K * (d + 2),
            "lower `hidden` or `inputs`",
        )
        validate_choice("init", init, INITS)
        rng = np.random.default_rng(validate_count("seed", seed, minimum=0))
        R, a = size * rng.standard_normal((K, d + 1)), rng.standard_normal(K) / np.sqrt(K)
        if init == "relinear":
            return cls(R, *relinear_start(K, d), a)
        return cls(R, size * rng.standard_normal((K, d + 1)), size * rng.standard_normal((K, d + 1)), a)

    @property
    def hidden(self) -> int:
        """Number K of units."""
        return len(self.a)

    @property
    def inputs(self) -> int:
        """Input dimension d."""
        return self.R.shape[1] - 1

    def __call__(self, x: ArrayLike) -> Array:
        """Outputs (…,) for inputs (…, d)."""
        x = np.asarray(x, dtype=float)
        X = np.concatenate([x, np.ones((*x.shape[:-1], 1))], axis=-1)
        return ((X @ self.R.T) * (X @ self.G.T) + X**2 @ self.B.T) @ self.a

    def __repr__(self) -> str:
        return f"<Neurons: {counted(self.hidden, 'quadratic neuron')}, {counted(self.inputs, 'input')}>"


def relinear_start(hidden: int, inputs: int) -> tuple[Array, Array]:
    """G and B, each (K, d + 1), with which quadratic neurons are ordinary ones."""
    G, B = np.zeros((2, hidden, inputs + 1))
    G[:, -1] = 1.0
    return G, B


@dataclass(frozen=True)
class Rates:
    """Learning rates of the groups of weights, relative to the overall one: P = diag(rates), θ̇ = −P∇L.

    Parameters
    ----------
    r, g, b, a : float
        γ_r, γ_g, γ_b of (w^r, b^r), (w^g, b^g), (w^b, c), and γ_a of the output weights. None negative, one positive;
        positive ones between 1e-50 and 1e50.
    """

    r: float = 1.0
    g: float = 1.0
    b: float = 1.0
    a: float = 1.0

    def __post_init__(self) -> None:
        for name in "rgba":
            if validate_real(f"rates.{name}", getattr(self, name), nonnegative=True):
                validate_real(f"rates.{name}", getattr(self, name), size=SIZES)
        if not any((self.r, self.g, self.b, self.a)):
            raise ProblemError("Every rate is 0, but then nothing learns: make one of r, g, b, a positive.")

    def diagonal(self, hidden: int, inputs: int) -> Array:
        """Diagonal of P over θ = (R, G, B, a), (K(3d + 4),)."""
        group = hidden * (inputs + 1)
        return np.repeat([self.r, self.g, self.b, self.a], [group, group, group, hidden]).astype(float)
