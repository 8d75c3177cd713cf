"""Equations in symbols: what a derivation holds, and what its exporters and restrictions receive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement
from typing import Any

import sympy

from dynamics.activations import Activation
from dynamics.symbolic.input_moments import GAUSSIAN_LAW, ExactLaw
from dynamics.words import counted

SECOND_LAYERS = ("trainable", "fixed")
ALIGNED_MODES = (
    "w_k = p_k e_k and M* = diag(lambda); with several outputs unit k feeds output k alone, whose teacher is"
    " lambda_k e_k e_kᵀ."
)


@dataclass(frozen=True, repr=False)
class Equations:
    """Symbolic loss and gradient flow of a network with K hidden units, d inputs and O outputs.

    Attributes
    ----------
    activation : Activation
    second_layer : str
    hidden, inputs, outputs : int
        K, d, O.
    covariance : sympy.ImmutableMatrix or None
        Σ, exact; None for the identity.
    covariance_symbols : tuple of symbols
        ``s_i_j`` with i ≤ j where Σ is symbolic, else empty.
    parameters : tuple of symbols
        All ``w_k_i`` row by row, then all ``a_k`` (``a_o_k`` row by row for several outputs).
    targets : tuple of symbols
        ``m_i_j`` (``m_o_i_j``) with i ≤ j, the entries of the teacher matrices; for an activation of degree h those
        of symmetric tensors of order h, with h indices.
    residual : mapping symbol → expression
        ``D_i_j`` (``D_o_i_j``) with i ≤ j, entries of D_o = M*_o − Σ_k A_ok w_k w_kᵀ (w_k^{⊗h}), in parameters and
        targets.
    residual_loss, residual_ode : expression; mapping symbol → expression
        Loss and ODEs in terms of the residual's symbols: short, and what the exports print.
    conserved : tuple of expressions
        Quantities whose time derivative along the ODEs vanishes identically.
    weight_decay : (ρ_w, ρ_a)
        Numbers, or the symbols ``rho_w`` and ``rho_a``.
    decaying : tuple of (expression, time derivative)
        Under weight decay, what is conserved without it, and how it changes along the ODEs, identically.
    aligned_modes : bool
        Whether this is the reduced system of `dynamics.symbolic.alignment`.
    teacher_activation : Activation or None
        ψ of the teacher; None for that of the student. Polynomials with several powers of z have target and residual
        tensors of several orders, and a teacher of its own that residual is one of coefficients of powers of x, see
        `dynamics.symbolic.derivation.derive`.
    law : ExactLaw
        The law of the inputs.
    """

    activation: Activation
    second_layer: str
    hidden: int
    inputs: int
    outputs: int
    covariance: sympy.ImmutableMatrix | None
    covariance_symbols: tuple[sympy.Symbol, ...]
    parameters: tuple[sympy.Symbol, ...]
    targets: tuple[sympy.Symbol, ...]
    residual: Mapping[sympy.Symbol, sympy.Expr]
    residual_loss: sympy.Expr
    residual_ode: Mapping[sympy.Symbol, sympy.Expr]
    conserved: tuple[sympy.Expr, ...]
    weight_decay: tuple[sympy.Expr, sympy.Expr] = (sympy.S.Zero, sympy.S.Zero)
    decaying: tuple[tuple[sympy.Expr, sympy.Expr], ...] = ()
    aligned_modes: bool = False
    teacher_activation: Activation | None = None
    law: ExactLaw = GAUSSIAN_LAW

    @cached_property
    def loss(self) -> sympy.Expr:
        """Population loss ½ Σ_o E(f*_o − f_o)² in parameters and targets."""
        return self.residual_loss.xreplace(dict(self.residual))

    @cached_property
    def ode(self) -> dict[sympy.Symbol, sympy.Expr]:
        """Gradient flow: parameter → its time derivative, in parameters and targets."""
        return {theta: rate.xreplace(dict(self.residual)) for theta, rate in self.residual_ode.items()}

    @property
    def decay_symbols(self) -> tuple[sympy.Symbol, ...]:
        """``rho_w`` and ``rho_a`` as far as they are symbols."""
        return tuple(rho for rho in self.weight_decay if isinstance(rho, sympy.Symbol))

    @property
    def penalty(self) -> sympy.Expr:
        """½ρ_w‖W‖² + ½ρ_a‖A‖² over what is trained."""
        return sympy.Add(*(self.decay_of(theta) * theta**2 / 2 for theta in self.parameters))

    def decay_of(self, theta: sympy.Symbol) -> sympy.Expr:
        """ρ_w of a first-layer weight (p of an aligned mode), ρ_a of another."""
        return self.weight_decay[theta.name.startswith("a")]

    @property
    def order(self) -> int | None:
        """Order of the one tensor that student and teacher are told by, None where there are several.

        This is the degree of the activation, if that is homogeneous and the teacher's as well.
        """
        return self.activation.degree if self.teacher_activation is None else None

    @property
    def units(self) -> str:
        """Activations in words."""
        if self.teacher_activation is None:
            return f"{self.activation} activation"
        return f"{self.activation} activation, teacher {self.teacher_activation}"

    @property
    def sizes(self) -> str:
        """The network's sizes in words."""
        counts = {"input": self.inputs, "hidden unit": self.hidden, "output": self.outputs}
        return ", ".join(counted(number, noun) for noun, number in counts.items())


def straight_line(
    equations: Equations, expressions: Sequence[sympy.Expr]
) -> tuple[list[tuple[sympy.Symbol, sympy.Expr]], list[sympy.Expr]]:
    """Program for expressions in the residual symbols of a derivation: assignments in order, then what is left.

    Repeated subexpressions are computed once. The assignments first build the residual entries D from
    parameters and targets, with helpers ``u0``, ``u1``, …, then what the expressions share, ``v0``, ``v1``, ….
    """
    used = set().union(*(expression.free_symbols for expression in expressions))
    needed = [(name, entry) for name, entry in equations.residual.items() if name in used]
    helpers, entries = sympy.cse([entry for _, entry in needed], sympy.numbered_symbols("u"))
    shared, reduced = sympy.cse(list(expressions), sympy.numbered_symbols("v"))
    named = [(name, entry) for (name, _), entry in zip(needed, entries, strict=True)]
    return [*helpers, *named, *shared], reduced


def network_symbols(K: int, d: int, O: int) -> tuple[Any, Any]:
    """Symbols w (K, d) and a (O, K)."""
    w = [[sympy.Symbol(f"w_{k}_{i}") for i in range(d)] for k in range(K)]
    return w, [[_symbol("a", O, o, k) for k in range(K)] for o in range(O)]


def tensor_symbols(
    letter: str, d: int, O: int, orders: Sequence[int]
) -> list[dict[tuple[int, ...], sympy.Symbol]]:
    """Per output {(i, j, …): symbol}, i ≤ j ≤ …, of symmetric tensors of several orders: a matrix for order 2."""
    return [
        {
            indices: _symbol(letter, O, o, *indices)
            for order in orders
            for indices in combinations_with_replacement(range(d), order)
        }
        for o in range(O)
    ]


def _symbol(letter: str, O: int, o: int, *indices: int) -> sympy.Symbol:
    """Letter with the output, where there are several, and indices; ``m_c`` is a constant, a tensor of order 0."""
    return sympy.Symbol("_".join(map(str, (letter, *((o,) if O > 1 else ()), *(indices or ("c",))))))
