"""How large a derivation becomes, before it is made: numbers of terms, and the memory they take.

With P = d(d+1)/2 residual entries D, of which d on the diagonal (derived here, tested against derivations):

* the loss is the mean of (xᵀDx)², multiplied out P(P+1)/2 products of two entries;
* each entry of the O residuals is a sum of K + 1 terms;
* the slope ∂L/∂D_ij has, for Σ = I, one term off the diagonal, d terms on it for raw units (the trace) and one for
  centred ones; P terms at most for another Σ, each with three coefficients if Σ is symbolic;
* ẇ_ki is a sum over j, ȧ_k one over all entries, each with its slope.

For an activation of degree h, D is a symmetric tensor with P = C(d+h−1, h) entries, of which ẇ_k meets each at most h
times; slopes are taken to have all P terms for h > 2. Other polynomials have one tensor for each of their powers of z,
entries of P in all, and for a teacher of its own activation those of its powers beside them.

A term of a polynomial costs as many machine words as its ring has symbols, for it stores all exponents.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

from dynamics.activations import Activation
from dynamics.budget import check_memory, check_number
from dynamics.symbolic.polynomials import exact_polynomial

LARGEST_DERIVATION = 250_000  # terms: about a minute
TERM, RATE_TERM = 750, 1000  # bytes of a polynomial's term beside its exponents; of a term in an expression
WORD = 8


@dataclass(frozen=True)
class DerivationSize:
    """Numbers of terms, at most.

    Parameters
    ----------
    square : int
        Of the squared residual form of one output, in the symbols D.
    residual : int
        Of all entries of the residuals, in the parameters.
    rates : int
        Of the right-hand sides, multiplied out, in parameters and D.
    nbytes : int
        Memory that they take together.
    """

    square: int
    residual: int
    rates: int
    nbytes: int

    @property
    def terms(self) -> int:
        """All of them."""
        return self.square + self.residual + self.rates


def derivation_size(
    hidden: int,
    inputs: int,
    outputs: int,
    *,
    trainable: bool,
    activation: Activation,
    covariance: str,
    teacher_activation: Activation | None = None,
) -> DerivationSize:
    """Size of `dynamics.symbolic.derivation.derive` for K, d, O.

    Parameters
    ----------
    hidden, inputs, outputs : int
    trainable : bool
        Whether the second layer is trained.
    activation : Activation
        A polynomial.
    covariance : {"identity", "numbers", "symbolic"}
    teacher_activation : Activation, optional
        Another polynomial of the teacher.
    """
    K, d, O = hidden, inputs, outputs
    orders = _orders(activation, teacher_activation or activation)
    h, P = max(orders), sum(comb(d + n - 1, n) for n in orders)
    products = 3 ** (h - 1) if covariance == "symbolic" else 1
    if covariance == "identity" and activation.trace_coupling is not None and len(orders) == 1:
        diagonal, off_diagonal = d if activation.trace_coupling else 1, 1
    elif covariance == "identity":
        diagonal = off_diagonal = P if h > 2 or len(orders) > 1 else 1
    else:
        diagonal = off_diagonal = products * P
    square, residual = products * P * (P + 1) // 2, O * P * (K + 1)
    per_unit = d * diagonal + h * (P - d) * off_diagonal
    if trainable:
        per_unit += d * diagonal + (P - d) * off_diagonal
    rates = O * K * per_unit
    s = d * (d + 1) // 2 if covariance == "symbolic" else 0
    symbols = K * (d + O) + O * P + s
    nbytes = square * (TERM + WORD * (P + s)) + residual * (TERM + WORD * symbols) + rates * RATE_TERM
    return DerivationSize(square, residual, rates, nbytes)


def _orders(phi: Activation, psi: Activation) -> list[int]:
    """Orders of the residual tensors, or more."""
    student, teacher = exact_polynomial(phi), exact_polynomial(psi)
    assert student is not None and teacher is not None
    return sorted({*student.orders, *teacher.orders})


def check_derivation(size: DerivationSize, what: str) -> None:
    """Refuse derivations that nobody could wait for, or read."""
    remedy = "`--format tensor` gives the index-free form, which holds for all sizes"
    check_number(what, size.terms, LARGEST_DERIVATION, "terms", remedy)
    check_memory(what, size.nbytes, remedy)
