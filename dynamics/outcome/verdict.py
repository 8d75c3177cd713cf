"""The verdict on a start: will gradient flow reach the global minimum, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dynamics.aliases import Array


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """Whether the flow reaches the least loss that a student of this size can have.

    Parameters
    ----------
    verdict : {"succeeds", "fails", "undecided"}
    reason : str
        Why, and under which conditions.
    conserved : (K,) array
        c_k at the start.
    frozen_signs : tuple of int
        Sign of a_k where it is frozen, 0 where it can change.
    inert : tuple of int
        Units that never learn.
    needed : tuple of (int, int), optional
        Numbers n₊ and n₋ of positive and negative eigenvalues of the teacher; None for several outputs.
    predicted_loss : float, optional
        Where the loss ends; None if it is not known.
    possible_losses : tuple of float
        Levels at which it can end as far as the start alone decides, ascending.
    decided_at : float, optional
        Time of the flow at which the verdict was reached: 0 if the start decides, None if undecided.
    critical_scale : float, optional
        Under weight decay: factor on the start below which nothing is learned; None where there is none.
    """

    verdict: str
    reason: str
    conserved: Array
    frozen_signs: tuple[int, ...]
    inert: tuple[int, ...]
    needed: tuple[int, int] | None
    predicted_loss: float | None
    possible_losses: tuple[float, ...]
    decided_at: float | None
    critical_scale: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON object."""
        positive, negative = self.needed or (None, None)
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "conserved": self.conserved.tolist(),
            "frozen_signs": list(self.frozen_signs),
            "inert": list(self.inert),
            "needed": {"positive": positive, "negative": negative},
            "predicted_loss": self.predicted_loss,
            "possible_losses": list(self.possible_losses),
            "decided_at": self.decided_at,
        }

    def summary(self) -> str:
        """Verdict and reason, in a line."""
        return f"{self.verdict}: {self.reason}"
