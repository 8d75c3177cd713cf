"""Forms of momentum, by what they do to the flow that a descent follows to second order in its step.

Both keep v ← βv + ∇L from v = 0, so that a step counts η/(1 − β) on the clock. Heavy ball moves by v, Nesterov's form
in PyTorch by ∇L + βv, which is v of the next step with the gradient that is known:

    heavy ball   θ ← θ − ηv            h = η(1 + β)/(1 − β)²,        lag = 1
    Nesterov     θ ← θ − η(∇L + βv)    h = η(1 − β + 2β²)/(1 − β)²,  lag = β

The flow is θ̇ = −∇L − (h/2) H∇L, and it starts from θ₀ + lag · βη/(1 − β)² ∇L(θ₀) (derived here, as in
`dynamics.flows.modified`: with v = (1 − βⁿ)∇L/(1 − β) after n of the first steps Nesterov's are β times as late, and
eliminating v gives θ₊ − θ = β(θ − θ₋) − η∇L − ηβ(∇L − ∇L₋)). The tests confirm the order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dynamics.aliases import Array
    from dynamics.clock import Clock

MEMORY = 1e-17  # of β^{n+1}: the velocity has caught up


@dataclass(frozen=True)
class Momentum:
    """One form of momentum.

    Parameters
    ----------
    name : str
        As in `dynamics.stability.STABLE`.
    looks_ahead : bool
        Whether the gradient is weighed as it will be in the next velocity: Nesterov's form.
    """

    name: str
    looks_ahead: bool = False

    def correction(self, eta: float, beta: float) -> float:
        """h of the flow of L + (h/4)‖∇L‖², in units of the flow's time."""
        ahead = 2 * beta**2 - 2 * beta if self.looks_ahead else 0.0
        return eta * (1 + beta + ahead) / (1 - beta) ** 2

    def lag(self, beta: float) -> float:
        """What the slow start of the velocity costs, in units of βη/(1 − β)² ∇L(θ₀)."""
        return beta if self.looks_ahead else 1.0

    def remaining(self, clock: Clock, steps: Array) -> Array:
        """What the slow start of the velocity costs after n steps, over ∇L(θ₀): lag · Σ_{m≥n} β^{m+1} η_m/(1 − β).

        For a constant rate that is lag · β^{n+1} η/(1 − β)²; of a schedule, the last rate goes on.
        """
        import numpy as np  # here: the help of commands reads the table of optimisers, and loads no arrays

        beta = clock.momentum
        if beta == 0:
            return np.zeros_like(steps)
        rates = clock.rates[: 1 + int(np.log(MEMORY) / np.log(beta))]
        costs = beta ** np.arange(1, len(rates) + 1) * rates / (1 - beta)
        rest = beta ** (len(rates) + 1) * rates[-1] / (1 - beta) ** 2
        remaining = np.append(np.cumsum(costs[::-1])[::-1] + rest, rest)  # (N + 1,) at whole numbers of steps
        n = np.minimum(steps, len(rates))
        whole = np.floor(n).astype(int)
        # in between, and beyond, it dies away like β^n
        return np.asarray(self.lag(beta) * remaining[whole] * beta ** (steps - whole))


HEAVY_BALL = Momentum("heavy ball")
NESTEROV = Momentum("nesterov", looks_ahead=True)
