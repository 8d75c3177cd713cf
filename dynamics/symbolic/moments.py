"""Isserlis' theorem as an engine: moments and polynomial expectations under x ~ N(μ, Σ).

Everything here is one identity, Stein's form of Isserlis' theorem [1]_ [2]_,

    E[x_{i₁} x_{i₂} ⋯ x_{iₙ}] = μ_{i₁} E[x_{i₂} ⋯ x_{iₙ}] + Σ_{j ≥ 2} Σ_{i₁ iⱼ} E[x_{i₂} ⋯ x̸_{iⱼ} ⋯ x_{iₙ}],

used three times: on whole arrays (`moment_tensor` of numbers), on exponent vectors (`GaussianMoments`, any
commutative ring), and through the latter on polynomials (`expectation`, `ring_expectation`).

References
----------
.. [1] L. Isserlis, "On a formula for the product-moment coefficient of any order of a normal frequency
   distribution in any number of variables", Biometrika 12 (1918) 134–139.
.. [2] C. M. Stein, "Estimation of the mean of a multivariate normal distribution", Ann. Statist. 9 (1981)
   1135–1151, Lemma 1.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray
from sympy.polys.rings import PolyElement

from dynamics.errors import ProblemError
from dynamics.symbolic.expressions import symbolic_matrix
from dynamics.validation import validate_array, validate_count, validate_symmetric

LARGEST_TENSOR = 2**27  # entries; one gigabyte of doubles

_NOT_FINITE = (sympy.nan, sympy.oo, -sympy.oo, sympy.zoo)

Exponents = tuple[int, ...]


class GaussianMoments:
    """Moments E[x₁^α₁ ⋯ x_d^α_d] of N(μ, Σ), each computed once and kept.

    Parameters
    ----------
    covariance : (d, d) nested sequence
        Σ, trusted to be symmetric. The entries may belong to any commutative ring: numbers, SymPy
        expressions, elements of `sympy.polys.rings`.
    mean : (d,) sequence
        μ, in the same ring.
    one : ring element
        The unit of that ring.
    """

    def __init__(self, covariance: Sequence[Sequence[Any]], mean: Sequence[Any], one: Any = 1) -> None:
        self._mean = list(mean)
        # Only the entries that are not zero: with Σ = I each exponent then has one descendant, not d.
        self._neighbours = [[(j, s) for j, s in enumerate(row) if s] for row in covariance]
        self._centred = not any(self._mean)
        self._zero = one - one
        self._known: dict[Exponents, Any] = {(0,) * len(self._mean): one}

    def __call__(self, exponents: Exponents) -> Any:
        """E[x^α] for the exponent vector α, an element of the ring."""
        pending = [exponents]
        while pending:  # a stack instead of recursion: the order may exceed Python's recursion limit
            alpha = pending[-1]
            if alpha in self._known:
                pending.pop()
                continue
            terms = self._stein(alpha)
            missing = [beta for _, beta in terms if beta not in self._known]
            if missing:
                pending += missing
            else:
                self._known[alpha] = sum((c * self._known[beta] for c, beta in terms), self._zero)
        return self._known[exponents]

    def _stein(self, alpha: Exponents) -> list[tuple[Any, Exponents]]:
        """One step of Stein's identity: E[x^α] = Σ c E[x^β], as the list of (c, β)."""
        if self._centred and sum(alpha) % 2:
            return []
        i = next(index for index, power in enumerate(alpha) if power)
        rest = _lowered(alpha, i)
        terms = [(self._mean[i], rest)] if self._mean[i] else []
        return terms + [(rest[j] * s, _lowered(rest, j)) for j, s in self._neighbours[i] if rest[j]]


def _lowered(alpha: Exponents, i: int) -> Exponents:
    return (*alpha[:i], alpha[i] - 1, *alpha[i + 1 :])


def moment_tensor(
    order: int, covariance: ArrayLike | sympy.MatrixBase, mean: ArrayLike | sympy.MatrixBase | None = None
) -> NDArray[np.float64] | sympy.ImmutableDenseNDimArray:
    """Tensor of all moments E[x_{i₁} ⋯ x_{iₙ}] of order n under N(μ, Σ).

    Parameters
    ----------
    order : int
        n ≥ 0; odd orders vanish when the mean does.
    covariance : (d, d) array or SymPy matrix
        Σ, symmetric and, where it is numeric, positive semidefinite.
    mean : (d,) array or SymPy vector, optional
        μ; zero if left out.

    Returns
    -------
    array of shape (d,) * order
        A float array for numbers; an immutable SymPy array, its entries expanded, if Σ or μ holds any SymPy
        object. Order 0 gives the scalar 1 with shape ().

    Raises
    ------
    ProblemError
        If the order is not a whole number ≥ 0, Σ is not a covariance matrix, the shapes do not fit, or the
        tensor would have more than 2²⁷ entries.
    """
    order = validate_count("order", order, minimum=0)
    if not (_is_symbolic(covariance) or (mean is not None and _is_symbolic(mean))):
        Sigma = _numeric_covariance(covariance)
        mu = np.zeros(len(Sigma)) if mean is None else validate_array("mean", mean, 1)
        if mu.shape != (len(Sigma),):
            raise ProblemError(f"`mean` has length {len(mu)}, but `covariance` needs length {len(Sigma)}.")
        _refuse_huge(order, len(Sigma))
        return _numeric_tensor(order, Sigma, mu)

    rows, vector = _symbolic_gaussian(covariance, mean)
    d = len(rows)
    _refuse_huge(order, d)
    moments = GaussianMoments(rows, vector, sympy.S.One)
    # The tensor is symmetric: each distinct entry is computed and expanded once, then looked up.
    entries = {
        indices: sympy.expand(moments(tuple(indices.count(i) for i in range(d))))
        for indices in itertools.combinations_with_replacement(range(d), order)
    }
    flat = [entries[tuple(sorted(indices))] for indices in itertools.product(range(d), repeat=order)]
    return sympy.ImmutableDenseNDimArray(flat, (d,) * order)


def _numeric_tensor(order: int, Sigma: NDArray, mu: NDArray) -> NDArray[np.float64]:
    tensors = [np.array(1.0), mu.copy()]  # E[1], E[x_i]
    for n in range(2, order + 1):
        tensor = np.multiply.outer(mu, tensors[n - 1])
        contraction = np.multiply.outer(Sigma, tensors[n - 2])  # axes i₁, iⱼ, then all the others in order
        for j in range(1, n):
            tensor += np.moveaxis(contraction, 1, j)
        tensors.append(tensor)
    return tensors[order]


def expectation(
    expr: Any,
    variables: sympy.Symbol | Sequence[sympy.Symbol],
    covariance: ArrayLike | sympy.MatrixBase | None = None,
    mean: ArrayLike | sympy.MatrixBase | None = None,
) -> sympy.Expr:
    """Expectation of a polynomial in x ~ N(μ, Σ), exact and symbolic.

    Parameters
    ----------
    expr : SymPy expression
        Polynomial in `variables`; its coefficients may be any expressions free of them.
    variables : symbol or sequence of symbols
        The coordinates x_1, …, x_d.
    covariance : (d, d) array or SymPy matrix, optional
        Σ; the identity if left out.
    mean : (d,) array or SymPy vector, optional
        μ; zero if left out.

    Returns
    -------
    sympy.Expr
        E[expr], expanded.

    Raises
    ------
    ProblemError
        If `expr` is not a polynomial in the variables, the variables are not distinct symbols, or Σ and μ do
        not fit them.

    Notes
    -----
    Large polynomials are far quicker through `ring_expectation`.
    """
    x = (variables,) if isinstance(variables, sympy.Symbol) else tuple(variables)
    if not x or not all(isinstance(v, sympy.Symbol) for v in x) or len(set(x)) < len(x):
        raise ProblemError(f"`variables` are {x}, but must be one or more distinct SymPy symbols.")
    rows, vector = _symbolic_gaussian(sympy.eye(len(x)) if covariance is None else covariance, mean)
    if len(rows) != len(x):
        raise ProblemError(f"`covariance` has {len(rows)} rows, but there are {len(x)} variables.")
    if set(x) & sympy.Matrix([*rows, vector]).free_symbols:
        raise ProblemError("`covariance` and `mean` must not contain the variables themselves.")
    polynomial = _as_polynomial(expr, x)
    moments = GaussianMoments(rows, vector, sympy.S.One)
    return sympy.expand(sympy.Add(*(c * moments(alpha) for alpha, c in polynomial.terms())))


def ring_expectation(
    polynomial: PolyElement,
    covariance: Sequence[Sequence[Any]] | None = None,
    mean: Sequence[Any] | None = None,
) -> Any:
    """Expectation of an element of R[x_1, …, x_d] (`sympy.polys.rings`), an element of R.

    Parameters
    ----------
    polynomial : PolyElement
        Its ring's generators are the Gaussian variables; its domain R, for example another polynomial ring,
        holds the coefficients.
    covariance : (d, d) nested sequence of elements of R (or of what R converts), optional
        Σ, trusted to be symmetric; the identity if left out.
    mean : (d,) sequence of elements of R, optional
        μ; zero if left out.

    Returns
    -------
    element of R

    Raises
    ------
    ProblemError
        If Σ or μ has not as many rows as the ring has generators.
    """
    domain, d = polynomial.ring.domain, polynomial.ring.ngens
    if covariance is None:
        covariance = [[int(i == j) for j in range(d)] for i in range(d)]
    mean = [0] * d if mean is None else mean
    if len(mean) != d or len(covariance) != d or any(len(row) != d for row in covariance):
        raise ProblemError(f"`covariance` and `mean` must have {d} rows, one per generator of the ring.")
    Sigma = [[domain.convert(entry) for entry in row] for row in covariance]
    moments = GaussianMoments(Sigma, [domain.convert(entry) for entry in mean], domain.one)
    return sum((c * moments(alpha) for alpha, c in polynomial.terms()), domain.zero)


def _as_polynomial(expr: Any, x: tuple[sympy.Symbol, ...]) -> sympy.Poly:
    refusal = f"`expr` is {expr!r}, but must be a finite polynomial in {', '.join(map(str, x))}."
    try:
        expression = sympy.sympify(expr, strict=True)
        if not isinstance(expression, sympy.Expr) or expression.has(*_NOT_FINITE):
            raise ProblemError(refusal)
        return sympy.poly(expression, *x)
    except (sympy.PolynomialError, sympy.SympifyError):
        raise ProblemError(refusal) from None


def _is_symbolic(value: Any) -> bool:
    if isinstance(value, sympy.Basic | sympy.MatrixBase):
        return True
    try:
        return any(isinstance(entry, sympy.Basic) for entry in np.array(value, dtype=object).flat)
    except ValueError:  # ragged: left to the numeric checks, which say what is wrong
        return False


def _numeric_covariance(value: ArrayLike) -> NDArray[np.float64]:
    """Positive semidefinite matrix: moments, unlike densities, exist for a singular Σ as well."""
    Sigma = validate_symmetric("covariance", value)
    eigenvalues = np.linalg.eigvalsh(Sigma)
    if eigenvalues[0] < -1e-12 * np.abs(eigenvalues).max():
        raise ProblemError(f"`covariance` has the eigenvalue {eigenvalues[0]:.3g}, but none may be negative.")
    return Sigma


def _symbolic_gaussian(covariance: Any, mean: Any) -> tuple[list[list[sympy.Expr]], list[sympy.Expr]]:
    """Checked rows of Σ and entries of μ as SymPy expressions."""
    try:
        Sigma = symbolic_matrix(covariance)
        mu = sympy.zeros(Sigma.rows, 1) if mean is None else symbolic_matrix(mean)
    except (TypeError, ValueError, sympy.SympifyError):
        raise ProblemError("`covariance` or `mean` cannot be read as a matrix or vector.") from None
    if Sigma.rows != Sigma.cols or Sigma.rows == 0:
        raise ProblemError(f"`covariance` has shape {Sigma.shape}, but must be a square matrix.")
    if Sigma.has(*_NOT_FINITE) or mu.has(*_NOT_FINITE):
        raise ProblemError("`covariance` or `mean` contains NaN or infinity, but every entry must be finite.")
    if not Sigma.free_symbols:
        _numeric_covariance(Sigma.tolist())
        Sigma = (Sigma + Sigma.T) / 2
    elif any(sympy.expand(entry) != 0 for entry in Sigma - Sigma.T):
        raise ProblemError(
            "`covariance` is not symmetric, but must be: use one symbol for both s_ij and s_ji."
        )
    if sorted(mu.shape) != sorted((Sigma.rows, 1)):
        raise ProblemError(f"`mean` has shape {mu.shape}, but `covariance` needs length {Sigma.rows}.")
    return Sigma.tolist(), list(mu)


def _refuse_huge(order: int, d: int) -> None:
    if d**order > LARGEST_TENSOR:
        raise ProblemError(
            f"`order` is {order}, which in {d} dimensions means {d}^{order} entries, but at most 2^27 are allowed:"
            " use `expectation` or `dynamics.symbolic.traces.form_moment`."
        )
