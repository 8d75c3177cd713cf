"""What becomes of conserved quantities under weight decay: which law, at which rate, and how exactly a run keeps it.

With the penalty ½ρ_w‖W‖² + ½ρ_a‖A‖² and learning rates η_w, η_a the flow is ẇ = −η_w(∂L/∂w + ρ_w w), and a function
h(W, A) that is conserved without decay moves by ḣ = −η_wρ_w W·∂h/∂W − η_aρ_a A·∂h/∂A, whatever the loss is. So
(Euler's identity; derived here)

* of degree m in W and n in A it decays by a law of its own, h(t) = h(0) e^{−(mη_wρ_w + nη_aρ_a)t}: products w_k·w_l of
  opposite fixed signs (m = 2) fall, column spaces (m = 0) stay;
* where both decays are the same η_wρ_w = η_aρ_a = ρ only the degree in all trained weights matters, h(0) e^{−mρt}: c_k
  (m = 2) falls, the clocks of units in one dimension (m = −1) grow;
* else a quadratic q = p(W) + r(A) obeys q̇ = −2η_wρ_w q + 2(η_wρ_w − η_aρ_a) r(A), a law with an integral along the
  path: for q = ‖w‖²/η_w − h ΣA²/η_a that is 2h(ρ_a − ρ_wη_w/η_a) ΣA².

Stationary weights have q̇ = 0, so that ρ_w‖w_k‖² = hρ_a ΣA² of every unit, wherever it started.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynamics.aliases import Array
from dynamics.conserved.quantities import QuadraticQuantity, Quantity, undecayed_quantities, weights
from dynamics.curves.decay_law import DecayLaw
from dynamics.problem.weight_decay import WeightDecay
from dynamics.validation import validate_real


@dataclass(frozen=True)
class DecayedQuantity:
    """A quantity that is conserved without weight decay, and its law with it.

    Parameters
    ----------
    quantity : Quantity
    law : DecayLaw
        Its source is the quantity's part of the second layer over −1.
    """

    quantity: Quantity
    law: DecayLaw

    @property
    def name(self) -> str:
        """The quantity, as a formula."""
        return self.quantity.name

    @property
    def constant(self) -> str:
        """What stays constant, as a formula in t; of a law with an integral, its rate of change."""
        r, pump = self.law.rate, self.law.pump
        if self.law.closed:
            return self.name if r == 0 else f"({self.name}) e^({r:g}t)"
        assert isinstance(self.quantity, QuadraticQuantity)
        return f"d/dt({self.name}) = {-r:g}({self.name}) {'+' if pump > 0 else '−'} {abs(pump):g}({self._source_name})"

    @property
    def _source_name(self) -> str:
        """The second part of the name, which is a difference."""
        return self.name.split(" − ", 1)[1]

    def expected(self, times: Array, source: Any, A: Any = None) -> tuple[Array, float]:
        """Values by the law along weights at times (T,), from the first of them, (T,); and how far they may be off.

        Parameters
        ----------
        times : (T,) array
        source, A
            As the quantity takes them: arrays W (T, K, d), A (T, O, K), or a trajectory, which carries the integral of
            a law that is not closed (for equal learning rates).
        """
        W, A_ = weights(source, A)
        t, start = np.asarray(times, dtype=float), self.quantity(W[0], A_[0])
        if self.law.closed:
            return self.law.values(t, start, t)
        assert isinstance(self.quantity, QuadraticQuantity)
        carried = getattr(source, "decay_integral", None)
        if carried is not None and all(k == l for k, l, _ in self.quantity.second):
            carried = -sum(r * carried[:, k] for k, _, r in self.quantity.second)
        return self.law.values(t, start, -self.quantity.second_part(A_), carried)

    def deviation(self, times: Array, source: Any, A: Any = None) -> Array:
        """What the quantity does beside its law, (T,)."""
        return np.asarray(self.quantity(source, A) - self.expected(times, source, A)[0])


def decayed_quantities(
    model: Any,
    weight_decay: WeightDecay | float | Sequence[float] | None = None,
    *,
    rates: Sequence[float] = (1.0, 1.0),
) -> tuple[DecayedQuantity, ...]:
    """What becomes of every conserved quantity of a model under weight decay.

    Parameters
    ----------
    model
        As `dynamics.conserved.quantities.conserved_quantities` takes it.
    weight_decay : float, (ρ_w, ρ_a) or WeightDecay, optional
        By default that of the model's problem.
    rates : (η_w, η_a)
        Learning rates of the layers.

    Raises
    ------
    ProblemError
        If an argument is not usable, or a law has no equation of its own because the layers decay differently.

    Examples
    --------
    >>> from dynamics import Problem, Student, Teacher
    >>> problem = Problem(Teacher.from_eigenvalues([4, 2, 1]), Student.initialise(2, 3, seed=1))
    >>> for q in decayed_quantities(problem, 0.1):
    ...     print(q.constant)
    (‖w_0‖² − 2a_0²) e^(0.2t)
    (‖w_1‖² − 2a_1²) e^(0.2t)
    """
    problem = getattr(model, "problem", model)
    trainable = getattr(getattr(problem, "student", None), "trainable", True)
    if weight_decay is None:
        weight_decay = getattr(problem, "weight_decay", 0.0)
    decay = WeightDecay.of(weight_decay, trainable)
    eta_w, eta_a = (validate_real("rates", rate, positive=True) for rate in rates)
    falls = eta_w * decay.first, eta_a * decay.second
    quantities = undecayed_quantities(model, (eta_w, eta_a))
    return tuple(DecayedQuantity(q, q.decayed(*falls)) for q in quantities)
