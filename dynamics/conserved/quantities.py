"""Conserved quantities as instruments: objects that are read off weights, trajectories, training runs and modules.

Whatever the loss and the target, gradient flow moves a two-layer network by one symmetric matrix G_o per output
(quadratic units: ẇ_k = Σ_o A_ok G_o w_k, Ȧ_ok = ½ w_kᵀG_o w_k). The quantities here are those that no G_o can
change (theory: "conserved quantities"; the algebra is in `dynamics.laws.families`):

* trained second layer, φ homogeneous of degree h: ‖w_k‖²/η_w − h Σ_o A_ok²/η_a for every unit;
* linear units: w_k·w_l/η_w − A_k·A_l/η_a for every pair as well;
* quadratic units with fixed A: w_k·w_l where A_k = −A_l; and the column space, in neuron space, of the weights of
  more than d units with the same A_k.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from dynamics.activations import ACTIVATIONS, Activation
from dynamics.aliases import Array
from dynamics.curves.decay_law import DecayLaw
from dynamics.errors import ProblemError
from dynamics.problem.weight_decay import WeightDecay
from dynamics.validation import validate_real

if TYPE_CHECKING:
    from dynamics.laws.law import Law


Terms = tuple[tuple[int, int, float], ...]


class Quantity(Protocol):
    """A conserved quantity."""

    def _repr_latex_(self) -> str: ...

    @property
    def name(self) -> str:
        """What it is, as a formula."""

    def __call__(self, source: Any, A: ArrayLike | None = None) -> Array:
        """Value at weights W (…, K, d) and A (…, O, K) or (…, K), or at a source that holds them, (…)."""

    def decayed(self, first: float, second: float) -> DecayLaw:
        """What becomes of it where the layers decay at these rates."""


@dataclass(frozen=True)
class QuadraticQuantity:
    """Σ p w_k·w_l + Σ q A_k·A_l, with A_k the weights that leave unit k.

    Call it with arrays ``(W, A)``, shapes (…, K, d) and (…, O, K) or (…, K); or with one object that has them as
    attributes `W` and `A`: a `Trajectory` gives (T,), a training run (S, T), a PyTorch module () or (S,).

    Parameters
    ----------
    name : str
    first, second : tuple of (k, l, coefficient)
        Terms of the first and the second layer.
    """

    name: str
    first: Terms
    second: Terms = ()

    def __call__(self, source: Any, A: ArrayLike | None = None) -> Array:
        """Value, (…)."""
        return self.of(*weights(source, A))

    def of(self, W: Array, A: Array) -> Array:
        """Value at arrays W (…, K, d) and A (…, O, K)."""
        value = np.zeros(W.shape[:-2])
        for k, l, p in self.first:
            value += p * np.einsum("...i,...i->...", W[..., k, :], W[..., l, :])
        for k, l, q in self.second:
            value += q * np.einsum("...o,...o->...", A[..., k], A[..., l])
        return value

    def second_part(self, A: Array) -> Array:
        """The terms of the second layer at an array A (…, O, K), (…)."""
        return QuadraticQuantity(self.name, (), self.second).of(A, A)

    def decayed(self, first: float, second: float) -> DecayLaw:
        """Of degree 2 in each layer; the source, where the layers decay differently, is minus `second_part`."""
        return DecayLaw(2 * first, 2 * (second - first) if self.second else 0.0)

    def _repr_latex_(self) -> str:
        return name_latex(self.name)


@dataclass(frozen=True)
class ProjectorQuantity:
    """Entry (k, l) of the projector P = X (XᵀX)⁻¹Xᵀ onto the column space of X, the rows of W of some units."""

    name: str
    units: tuple[int, ...]
    k: int
    l: int

    def __call__(self, source: Any, A: ArrayLike | None = None) -> Array:
        """Value, (…)."""
        W = weights(source, A)[0]
        Q = np.linalg.qr(W[..., self.units, :]).Q
        return np.asarray(np.einsum("...i,...i->...", Q[..., self.k, :], Q[..., self.l, :]))

    def decayed(self, first: float, second: float) -> DecayLaw:
        """It stays: a column space does not know lengths."""
        return DecayLaw(0.0)

    def _repr_latex_(self) -> str:
        return name_latex(self.name)


@dataclass(frozen=True)
class LawQuantity:
    """A symbolic law of a network whose parameters are W row by row, then A row by row (if it is trained).

    For other networks evaluate `law` on parameter vectors.
    """

    law: Law

    @property
    def name(self) -> str:
        """The law's expression."""
        return str(self.law)

    def __call__(self, source: Any, A: ArrayLike | None = None) -> Array:
        """Value, (…)."""
        W, A_ = weights(source, A)
        theta = W.reshape(*W.shape[:-2], -1)
        if theta.shape[-1] < len(self.law.parameters):
            theta = np.concatenate([theta, A_.reshape(*A_.shape[:-2], -1)], axis=-1)
        return self.law(theta)

    def decayed(self, first: float, second: float) -> DecayLaw:
        """By its degree of homogeneity."""
        from dynamics.laws.decay import decayed_laws, is_second_layer

        (found,) = decayed_laws([self.law], lambda weight: second if is_second_layer(weight) else first)
        if found.rate is None:
            raise ProblemError(
                f"`weight_decay` is {first:g} of the first and {second:g} of the second layer, but {self.name} decays"
                " by a law of its own only where both are equal."
            )
        return DecayLaw(found.rate)

    def _repr_latex_(self) -> str:
        return f"${self.law.latex()}$"


class Quantities(tuple[Quantity, ...]):
    """A tuple of conserved quantities that notebooks show as formulas."""

    __slots__ = ()

    def _repr_latex_(self) -> str | None:
        from dynamics.notebook import laws_latex

        return laws_latex([quantity._repr_latex_().strip("$") for quantity in self])


def name_latex(name: str) -> str:
    """The name of a quantity, which is a formula, in LaTeX."""
    from dynamics.notebook import formula_latex

    return f"${formula_latex(name)}$"


def weights(source: Any, A: ArrayLike | None = None) -> tuple[Array, Array]:
    """W (…, K, d) and A (…, O, K) as arrays, from two arrays or from what holds them.

    A trajectory is read in its reduced coordinates, which have the same scalar products.
    """
    if A is None:
        first = getattr(source, "coordinates", None)
        source, A = getattr(source, "W", None) if first is None else first, getattr(source, "A", None)
        if source is None or A is None:
            raise ProblemError(
                "`source` holds no weights: it needs attributes W and A (a long run may have been recorded without"
                " W), or give W and A."
            )
    W_, A_ = _array(source), _array(A)
    if A_.ndim == W_.ndim - 1:
        A_ = A_[..., None, :]
    if W_.ndim < 2 or A_.ndim != W_.ndim or W_.shape[:-2] != A_.shape[:-2] or W_.shape[-2] != A_.shape[-1]:
        raise ProblemError(
            f"`W` and `A` have shapes {W_.shape} and {A_.shape}, but must have (…, K, d) and (…, O, K)."
        )
    return W_, A_


def conserved_quantities(model: Any, *, rates: Sequence[float] = (1.0, 1.0)) -> Quantities:
    """Conserved quantities of gradient flow on any loss of a model.

    Parameters
    ----------
    model : Problem, GradientFlow, Trajectory, PolynomialNetwork, or a module with W, A and `activation`
        A polynomial network gives its symbolic laws; whether these are all of them says
        `dynamics.laws.count_laws`.
    rates : (η_w, η_a)
        Learning rates of the two layers; a polynomial network has its own.

    Returns
    -------
    Quantities
        A tuple.

    Raises
    ------
    ProblemError
        If the model is of none of these kinds, or its first layer is not trained; or if its weights decay, which no
        quantity survives as it is: see `dynamics.conserved.decay.decayed_quantities`.

    Examples
    --------
    >>> from dynamics import GradientFlow, Student, Teacher
    >>> flow = GradientFlow(Teacher.from_eigenvalues([4, 2, 1]), Student.initialise(2, 3, seed=1))
    >>> for c in conserved_quantities(flow):
    ...     print(c.name, bool(abs(np.ptp(c(flow.integrate(t_end=1.0)))) < 1e-9))
    ‖w_0‖² − 2a_0² True
    ‖w_1‖² − 2a_1² True
    """
    decay = getattr(getattr(model, "problem", model), "weight_decay", WeightDecay())
    if decay:
        raise ProblemError(
            f"`weight_decay` is {decay}, under which quantities decay instead of being conserved: `decayed_quantities`"
            " gives their laws."
        )
    return undecayed_quantities(model, rates)


def undecayed_quantities(model: Any, rates: Sequence[float] = (1.0, 1.0)) -> Quantities:
    """The quantities that gradient flow on the loss of a model conserves as long as no weight decays.

    See `conserved_quantities`.
    """
    if hasattr(model, "potentials"):  # polynomial network; SymPy is only loaded for those
        from dynamics.laws.counting import count_laws

        return Quantities(LawQuantity(law) for law in count_laws(model).laws)
    model = getattr(model, "problem", model)
    state, trainable = getattr(model, "student", model), True
    activation = getattr(model, "activation", None)
    if not isinstance(activation, Activation | str):
        raise ProblemError(
            f"`model` is a {type(model).__name__}, but must be a problem, a flow, a trajectory, a polynomial network"
            f" or a module with W, A and an activation among: {', '.join(ACTIVATIONS)}."
        )
    phi = Activation.parse(activation)
    if phi.degree is None:
        raise ProblemError(
            f"`model` has the activation {phi.name!r}, which is not homogeneous: no c_k is conserved, nor any"
            " other quantity of one unit for every target."
        )
    W, A = weights(state)
    trainable = getattr(state, "trainable", getattr(state.A, "requires_grad", True))
    if not getattr(state.W, "requires_grad", True):
        raise ProblemError(
            "`model` does not train its first layer, so that its quantities are not conserved."
        )
    if trainable:
        return Quantities(_balances(phi, W.shape[-2], A.shape[-2], rates))
    if phi.trace_coupling is None:  # one symmetric matrix per output moves w_k for quadratic units only
        return Quantities()
    if A.ndim > 2 and np.ptp(A.reshape(-1, *A.shape[-2:]), axis=0).any():
        raise ProblemError(
            "`model` is an ensemble with different fixed second layers, which share no quantities: take one network."
        )
    return Quantities(_fixed_layer_quantities(A.reshape(-1, *A.shape[-2:])[0], W.shape[-1]))


def _balances(phi: Activation, units: int, outputs: int, rates: Sequence[float]) -> list[QuadraticQuantity]:
    """‖w_k‖²/η_w − h‖A_k‖²/η_a, for linear units every pair."""
    eta_w, eta_a = (validate_real("rates", rate, positive=True) for rate in rates)
    h = phi.degree or 0
    pairs = list(combinations_with_replacement(range(units), 2))
    if not phi.is_identity:
        pairs = [(k, l) for k, l in pairs if k == l]
    return [
        QuadraticQuantity(
            f"{_product('w', k, l, False, eta_w)} − {h if h > 1 else ''}{_product('a', k, l, outputs == 1, eta_a)}",
            ((k, l, 1 / eta_w),),
            ((k, l, -h / eta_a),),
        )
        for k, l in pairs
    ]


def _product(letter: str, k: int, l: int, scalar: bool, rate: float) -> str:
    """Scalar product of two units' weights over a learning rate, as text."""
    square = f"{letter}_{k}²" if scalar else f"‖{letter}_{k}‖²"
    return (square if k == l else f"{letter}_{k}·{letter}_{l}") + ("" if rate == 1 else f"/{rate:g}")


def _fixed_layer_quantities(A: Array, inputs: int) -> list[Quantity]:
    """Quantities of quadratic units with fixed second layer A (O, K)."""
    K = A.shape[1]
    found: list[Quantity] = [
        QuadraticQuantity(f"w_{k}·w_{l}", ((k, l, 1.0),))
        for k, l in combinations_with_replacement(range(K), 2)
        if not (A[:, k] + A[:, l]).any()
    ]
    columns, group = np.unique(A, axis=1, return_inverse=True)
    for g in range(columns.shape[1]):
        units = tuple(np.flatnonzero(group.ravel() == g).tolist())
        if columns[:, g].any() and len(units) > inputs:
            found += [
                ProjectorQuantity(f"projector ({units[k]}, {units[l]}) of equal units", units, k, l)
                for k in range(inputs, len(units))
                for l in range(inputs)
            ]
    return found


def _array(values: Any) -> Array:
    """NumPy array of numbers or of a tensor that may require gradients or live on another device."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = (values.resolve_conj() if values.is_complex() else values.double()).numpy()
    if np.iscomplexobj(values):
        raise ProblemError(
            "The weights are complex, but must be real: take `.real` if the imaginary part means nothing."
        )
    return np.asarray(values, dtype=float)
